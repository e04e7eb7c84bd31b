package durable

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"chancery/internal/fault"
)

func TestReplaceFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "case")
	mustDo(t, ReplaceFile(name, nil, before))
	for what, old := range map[string][]byte{"no file": nil, "another": after, "empty": {}} {
		if err := ReplaceFile(name, old, after); !errors.Is(err, fault.Mismatch) {
			t.Errorf("replaced %s: %v", what, err)
		}
	}
	if string(content(t, name)) != string(before) {
		t.Error("a refused replacement changed the file")
	}
	mustDo(t, ReplaceFile(name, before, after))
	if string(content(t, name)) != string(after) {
		t.Error("the file was not replaced")
	}
	gone := filepath.Join(t.TempDir(), "gone")
	if err := ReplaceFile(gone, before, after); !errors.Is(err, fault.Mismatch) {
		t.Errorf("replaced what is gone: %v", err)
	}
	if err := ReplaceFile(filepath.Join(gone, "x"), nil, after); !errors.Is(err, fault.NotFound) {
		t.Errorf("in no folder: %v", err)
	}
}

// TestReplaceFileRace has many replace one file at once: each round one must
// succeed and all others be told.
func TestReplaceFileRace(t *testing.T) {
	name := filepath.Join(t.TempDir(), "case")
	var old []byte
	for round := range 20 {
		var succeeded atomic.Int32
		var wg sync.WaitGroup
		for who := range 8 {
			wg.Go(func() {
				switch err := ReplaceFile(name, old, fmt.Appendf(nil, "%d %d", round, who)); {
				case err == nil:
					succeeded.Add(1)
				case !errors.Is(err, fault.Mismatch):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := succeeded.Load(); n != 1 {
			t.Fatalf("round %d: %d succeeded", round, n)
		}
		old = content(t, name)
	}
}
