package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestGrow adds to a file, keeps a part of it, and fails at every step.
func TestGrow(t *testing.T) {
	name := filepath.Join(t.TempDir(), "grown")
	add := func(keep int64, data string) error {
		return Grow(name, func(_ io.ReaderAt, size int64) (int64, []byte, error) { return min(keep, size), []byte(data), nil })
	}
	for _, c := range []struct {
		keep       int64
		data, want string
	}{{0, "one ", "one "}, {99, "two ", "one two "}, {4, "three", "one three"}, {99, "", "one three"}} {
		if err := add(c.keep, c.data); err != nil {
			t.Fatal(err)
		}
		holds(t, name, c.want)
	}
	broken := errors.New("the disk is full")
	if err := Grow(name, func(io.ReaderAt, int64) (int64, []byte, error) { return 0, []byte("x"), broken }); !errors.Is(err, broken) {
		t.Errorf("refused: %v", err)
	}
	for _, bad := range []step{stepWrite, stepSync} {
		intercept(t, func(s step, _ string) error {
			if s == bad {
				return broken
			}
			return nil
		})
		if err := add(99, " four"); !errors.Is(err, broken) {
			t.Errorf("%s fails: %v", bad, err)
		}
		holds(t, name, "one three")
	}
	intercept(t, func(step, string) error { return nil })
	var got []byte
	err := View(name, func(held io.ReaderAt, size int64) error {
		got = make([]byte, size)
		_, err := held.ReadAt(got, 0)
		return err
	})
	if string(got) != "one three" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if err := View(name+"-none", func(io.ReaderAt, int64) error { return broken }); err != nil {
		t.Errorf("no file: %v", err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}
