package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"chancery/internal/fault"
)

// TestGrow adds to a file, keeps a part of it, and fails at every step.
func TestGrow(t *testing.T) {
	name := filepath.Join(t.TempDir(), "grown")
	for _, c := range []struct {
		keep       int64
		data, want string
	}{{0, "one ", "one "}, {4, "two ", "one two "}, {4, "three", "one three"}, {9, "", "one three"}} {
		mustDo(t, Grow(name, c.keep, []byte(c.data)))
		holds(t, name, c.want)
	}
	if err := Grow(name, 10, []byte("x")); !errors.Is(err, fault.Mismatch) {
		t.Errorf("behind its end: %v", err)
	}
	if err := Grow(name+"-none", 10, []byte("x")); !errors.Is(err, fault.NotFound) {
		t.Errorf("behind the end of nothing: %v", err)
	}
	broken := errors.New("the disk is full")
	for _, bad := range []step{stepWrite, stepSync} {
		intercept(t, func(s step, _ string) error {
			if s == bad {
				return broken
			}
			return nil
		})
		if err := Grow(name, 9, []byte(" four")); !errors.Is(err, broken) {
			t.Errorf("%s fails: %v", bad, err)
		}
	}
	// A new file is not there for good before its folder is on the disk, however often
	// that fails.
	fresh := filepath.Join(t.TempDir(), "fresh")
	synced := 0
	for _, fails := range []error{broken, broken, nil} {
		intercept(t, func(s step, _ string) error {
			if s == stepSyncDir {
				synced++
				return fails
			}
			return nil
		})
		if err := Grow(fresh, 0, []byte("one")); !errors.Is(err, fails) {
			t.Errorf("%v, not %v", err, fails)
		}
	}
	if synced != 3 {
		t.Errorf("the folder was synced %d times", synced)
	}
	var got []byte
	err := View(name, func(held io.Reader) (err error) {
		got, err = io.ReadAll(held)
		return err
	})
	if string(got[:9]) != "one three" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	mustDo(t, View(name+"-none", func(held io.Reader) error {
		if data, err := io.ReadAll(held); len(data) > 0 || err != nil {
			t.Errorf("%q, %v", data, err)
		}
		return nil
	}))
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	link := filepath.Join(t.TempDir(), "link")
	mustDo(t, os.Symlink(name, link))
	if err := Grow(link, 0, nil); !errors.Is(err, fault.Exists) {
		t.Errorf("a link: %v", err)
	}
	if err := View(link, func(io.Reader) error { return nil }); !errors.Is(err, fault.Exists) {
		t.Errorf("a link: %v", err)
	}
}
