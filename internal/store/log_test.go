package store_test

import (
	"path/filepath"
	"testing"

	"chancery/internal/custody"
	"chancery/internal/store"
	"chancery/internal/store/storetest"
)

// twice opens one new database two times.
func twice(t *testing.T, address string) (one, other custody.Storage) {
	t.Helper()
	a, err := store.Create(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	b, err := store.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return a.Log(), b.Log()
}

func TestLogOnSQLite(t *testing.T) {
	storetest.RunLog(t, func(t *testing.T) (custody.Storage, custody.Storage) {
		return twice(t, filepath.Join(t.TempDir(), "registry.db"))
	})
}

func TestLogOnPostgreSQL(t *testing.T) {
	cluster := storetest.StartCluster(t)
	storetest.RunLog(t, func(t *testing.T) (custody.Storage, custody.Storage) { return twice(t, cluster.Database()) })
}

func TestLogInMemory(t *testing.T) {
	storetest.RunLog(t, func(*testing.T) (custody.Storage, custody.Storage) {
		m := &storetest.Memory{}
		return m, m
	})
}
