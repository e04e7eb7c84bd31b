package durable

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"chancery/internal/fault"
)

// TestLog grows a file line by line, goes on with it after a half line, and
// refuses to write beside somebody else.
func TestLog(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	l, err := CreateLog(name, []byte("one\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Append([]byte("two\n")); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := CreateLog(name, nil); !errors.Is(err, fault.Exists) {
		t.Errorf("a second log of the name: %v", err)
	}
	holds(t, name, "one\ntwo\n")

	if l, err = OpenLog(name, int64(len("one\n"))); err != nil { // "two" was not whole
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Append([]byte("three\n")); err != nil {
		t.Fatal(err)
	}
	holds(t, name, "one\nthree\n")

	if err := os.WriteFile(name, []byte("somebody else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Append([]byte("four\n")); !errors.Is(err, fault.Mismatch) {
		t.Errorf("beside somebody else: %v", err)
	}
	holds(t, name, "somebody else")
}

func holds(t *testing.T, name, want string) {
	t.Helper()
	if data, err := os.ReadFile(name); err != nil || string(data) != want {
		t.Errorf("%q, %v; want %q", data, err, want)
	}
}

// TestLogFaults says that a line which could not be written is reported, and
// that a link in place of the file is refused.
func TestLogFaults(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	l, err := CreateLog(name, []byte("one\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	broken := errors.New("the disk is full")
	for _, bad := range []step{stepWrite, stepSync} {
		testOnlyBefore = func(s step, _ string) error {
			if s == bad {
				return broken
			}
			return nil
		}
		err := l.Append([]byte("two\n"))
		testOnlyBefore = func(step, string) error { return nil }
		if !errors.Is(err, broken) {
			t.Errorf("%s fails: %v", bad, err)
		}
	}
	link := name + "-link"
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLog(link, 0); !errors.Is(err, fault.Exists) {
		t.Errorf("a link: %v", err)
	}
}

func TestRemove(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(name); err == nil {
		t.Error("it is still there")
	}
}
