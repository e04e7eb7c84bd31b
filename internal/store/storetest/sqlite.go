package storetest

import (
	"path/filepath"
	"testing"

	"chancery/internal/custody"
	"chancery/internal/sign"
	"chancery/internal/store"
)

// NewLog makes a log under a key in a new SQLite file. Both are closed with the
// test.
func NewLog(t testing.TB, key *sign.NoteKey) (*custody.Log, custody.Storage) {
	t.Helper()
	s, err := store.Create(t.Context(), filepath.Join(t.TempDir(), "registry.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := custody.Create(t.Context(), s.Log(), key); err != nil {
		t.Fatal(err)
	}
	l, err := custody.Open(t.Context(), s.Log(), key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l, s.Log()
}
