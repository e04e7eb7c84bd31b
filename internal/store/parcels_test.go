package store_test

import (
	"crypto/sha256"
	"errors"
	"path/filepath"
	"testing"

	"chancery/internal/fault"
	"chancery/internal/server"
	"chancery/internal/store"
	"chancery/internal/store/storetest"
)

// What is checked is what a registry asks for.
var (
	_ storetest.Parcels = server.Parcels(nil)
	_ server.Parcels    = storetest.Parcels(nil)
)

// handles opens one new database two times.
func handles(t *testing.T, address string) (one, other *store.Store) {
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
	return a, b
}

func TestParcelsOnSQLite(t *testing.T) {
	storetest.RunParcels(t, func(t *testing.T) (storetest.Parcels, storetest.Parcels) {
		one, other := handles(t, filepath.Join(t.TempDir(), "registry.db"))
		return one, other
	})
}

func TestParcelsOnPostgreSQL(t *testing.T) {
	cluster := storetest.StartCluster(t)
	storetest.RunParcels(t, func(t *testing.T) (storetest.Parcels, storetest.Parcels) {
		one, other := handles(t, cluster.Database())
		return one, other
	})
}

func TestParcelsInMemory(t *testing.T) {
	storetest.RunParcels(t, func(*testing.T) (storetest.Parcels, storetest.Parcels) {
		m := &storetest.Memory{}
		return m, m
	})
}

// TestParcelsInMemoryFail makes each write fail, before and after it stored:
// doing it again is right in both cases, and a saved state has all of it.
func TestParcelsInMemoryFail(t *testing.T) {
	digest := sha256.Sum256([]byte("file"))
	for _, how := range []storetest.Failure{storetest.Lost, storetest.Stored} {
		m := &storetest.Memory{}
		var asked []string
		m.Fail = func(op string) storetest.Failure {
			asked = append(asked, op)
			return how
		}
		empty := m.Save()
		writes := []func() error{
			func() error { return m.PutParcel(t.Context(), []byte("file"), []string{"a"}, false) },
			func() error { return m.PutEnrolment(t.Context(), []byte("nonce"), []byte("keys")) },
		}
		for i, write := range writes {
			if err := write(); !errors.Is(err, fault.System) || len(asked) != i+1 {
				t.Errorf("write %d: %v, asked for %q", i, err, asked)
			}
		}
		check := func(want int) {
			t.Helper()
			listed, err := m.Parcels(t.Context(), "a", 0, 10)
			_, errFile := m.Parcel(t.Context(), digest, []string{"a"})
			all, errAll := m.Enrolments(t.Context())
			if len(listed) != want || len(all) != want || (errFile == nil) != (want == 1) || errors.Join(err, errAll) != nil {
				t.Errorf("failure %d: %v and %q are there, file: %v", how, listed, all, errFile)
			}
		}
		check(map[storetest.Failure]int{storetest.Lost: 0, storetest.Stored: 1}[how])
		m.Fail = nil
		for i, write := range writes {
			if err := write(); err != nil {
				t.Errorf("write %d again: %v", i, err)
			}
		}
		check(1)
		full := m.Save()
		m.Restore(empty)
		check(0)
		m.Restore(full)
		check(1)
	}
}
