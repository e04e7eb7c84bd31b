package vault_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chancery/internal/fault"
	"chancery/internal/vault"
)

// kept is what tests keep.
type kept struct {
	Word string `json:"word"`
	N    int    `json:"n"`
}

var key = [32]byte{1, 2, 3}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, folder, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, name))
	must(t, err)
	return data
}

func write(t testing.TB, folder, name string, data []byte) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(folder, name), data, 0o600))
}

// TestWhatWasDoneToAFileIsNoticed alters a vault's folder as a thief could.
func TestWhatWasDoneToAFileIsNoticed(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, folder string)
		want error // of Get("a"); nil: it is as it was
	}{
		{"nothing", func(*testing.T, string) {}, nil},
		{"every bit in turn", nil, fault.Mismatch},
		{"another's value under its name", func(t *testing.T, f string) { write(t, f, "a.sealed", read(t, f, "b.sealed")) }, fault.Mismatch},
		{"the two exchanged", func(t *testing.T, f string) {
			a := read(t, f, "a.sealed")
			write(t, f, "a.sealed", read(t, f, "b.sealed"))
			write(t, f, "b.sealed", a)
		}, fault.Mismatch},
		{"one byte less", func(t *testing.T, f string) { a := read(t, f, "a.sealed"); write(t, f, "a.sealed", a[:len(a)-1]) }, fault.Mismatch},
		{"one byte more", func(t *testing.T, f string) { write(t, f, "a.sealed", append(read(t, f, "a.sealed"), 0)) }, fault.Mismatch},
		{"a nonce alone", func(t *testing.T, f string) { write(t, f, "a.sealed", read(t, f, "a.sealed")[:12]) }, fault.Mismatch},
		{"less than a nonce", func(t *testing.T, f string) { write(t, f, "a.sealed", read(t, f, "a.sealed")[:11]) }, fault.Mismatch},
		{"an empty file", func(t *testing.T, f string) { write(t, f, "a.sealed", nil) }, fault.Mismatch},
		{"what a crash left", func(t *testing.T, f string) { write(t, f, ".a.sealed.tmp", []byte("x")) }, nil},
		{"taken away", func(t *testing.T, f string) { must(t, os.Remove(filepath.Join(f, "a.sealed"))) }, fault.NotFound},
		{"a folder in its place", func(t *testing.T, f string) {
			must(t, os.Remove(filepath.Join(f, "a.sealed")))
			must(t, os.Mkdir(filepath.Join(f, "a.sealed"), 0o700))
		}, fault.Input},
	} {
		folder := t.TempDir()
		v := vault.New(folder, key)
		must(t, v.Put("a", kept{"alpha", 1}))
		must(t, v.Put("b", kept{"beta", 2}))
		if c.do == nil {
			flipEach(t, v, folder)
			continue
		}
		c.do(t, folder)
		var got kept
		err := v.Get("a", &got)
		if c.want == nil && (err != nil || got != kept{"alpha", 1}) || c.want != nil && (!errors.Is(err, c.want) || got != kept{}) {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "alpha") {
			t.Errorf("%s: the error tells what was kept: %v", c.name, err)
		}
	}
}

// flipEach alters one bit at a time.
func flipEach(t *testing.T, v *vault.Vault, folder string) {
	t.Helper()
	good := read(t, folder, "a.sealed")
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		write(t, folder, "a.sealed", bad)
		if err := v.Get("a", new(kept)); !errors.Is(err, fault.Mismatch) {
			t.Errorf("byte %d altered: %v", i, err)
		}
	}
}

func TestFilesTellNothing(t *testing.T) {
	folder := t.TempDir()
	v := vault.New(folder, key)
	must(t, v.Put("a", kept{"tulips in the harbour", 1}))
	first := read(t, folder, "a.sealed")
	must(t, v.Put("a", kept{"tulips in the harbour", 1}))
	if second := read(t, folder, "a.sealed"); bytes.Equal(first, second) || bytes.Equal(first[:12], second[:12]) {
		t.Error("the same value twice is the same file: a nonce served twice")
	}
	if bytes.Contains(first, []byte("tulips")) {
		t.Error("the file shows what was kept")
	}
	if err := vault.New(folder, [32]byte{9}).Get("a", new(kept)); !errors.Is(err, fault.Mismatch) {
		t.Errorf("with another key: %v", err)
	}
}

// TestNamesStayInTheFolder tells a story: somebody sends a custodian a release of a
// cable that is called "../../authorized". The custodian keeps the share under that
// name, and so writes where it must not.
func TestNamesStayInTheFolder(t *testing.T) {
	outer := t.TempDir()
	folder := filepath.Join(outer, "files")
	must(t, os.Mkdir(folder, 0o700))
	write(t, outer, "secret.sealed", []byte("x"))
	v, f := vault.New(folder, key), vault.Folder(folder)
	for _, name := range []string{"../secret", "..", ".", "", "/etc/passwd", "a/b", "a/../../secret", `..\secret`, "./a", "a\x00b", ".hidden", "../files/a"} {
		for what, err := range map[string]error{
			"put": v.Put("escrow-/"+name, 1), "get": v.Get(name+"/", new(int)), "write": f.Write(name, []byte("y")), "read": second(f.Read(name)), "remove": f.Remove(name),
		} {
			if !errors.Is(err, fault.Input) {
				t.Errorf("%s %q: %v", what, name, err)
			}
		}
	}
	if got := read(t, outer, "secret.sealed"); string(got) != "x" {
		t.Errorf("a file outside holds %q", got)
	}
	if names, err := f.Names(""); err != nil || len(names) != 0 {
		t.Errorf("%v, %v", names, err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestNames(t *testing.T) {
	folder := t.TempDir()
	v := vault.New(folder, key)
	for _, name := range []string{"cable-2", "cable-1", "out-1"} {
		must(t, v.Put(name, 1))
	}
	write(t, folder, "cable-3", nil)
	must(t, os.Mkdir(filepath.Join(folder, "cable-4.sealed"), 0o700))
	must(t, v.Remove("out-1"))
	must(t, v.Remove("out-1"))
	for prefix, want := range map[string][]string{"cable-": {"cable-1", "cable-2"}, "": {"cable-1", "cable-2"}, "x": nil} {
		if got, err := v.Names(prefix); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", prefix, got, err)
		}
	}
	if _, err := vault.New(filepath.Join(folder, "none"), key).Names(""); !errors.Is(err, fault.System) {
		t.Errorf("no folder: %v", err)
	}
	if err := v.Put("f", func() {}); err == nil {
		t.Error("a function is kept")
	}
}

// FuzzGet reads files that somebody else wrote: none is taken.
func FuzzGet(f *testing.F) {
	folder := f.TempDir()
	v := vault.New(folder, key)
	must(f, v.Put("a", kept{"alpha", 1}))
	good := read(f, folder, "a.sealed")
	f.Add("a", good)
	f.Add("a", good[:12])
	f.Add("a", []byte{})
	f.Add("../a", good)
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		write(t, folder, "a.sealed", data)
		var got kept
		// Several processes search at once, and each has sealed the value anew: what opens
		// is one of theirs, never something else.
		if err := v.Get("a", &got); err == nil && got != (kept{"alpha", 1}) || err != nil && bytes.Equal(data, good) {
			t.Fatalf("%v: %v", got, err)
		}
		if err := vault.Folder(folder).Write(name, data); err == nil {
			if _, err := os.Stat(filepath.Join(folder, filepath.Base(name))); err != nil || filepath.Base(name) != name {
				t.Fatalf("%q went elsewhere: %v", name, err)
			}
			must(t, vault.Folder(folder).Remove(name))
		}
	})
}
