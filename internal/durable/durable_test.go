package durable

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"chancery/internal/fault"
)

var (
	before = []byte("what was there before")
	after  = bytes.Repeat([]byte("what is written now\n"), 500)
)

// mustWrite makes a file without the package under test.
func mustWrite(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// content returns a file's content, nil if there is no such file.
func content(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return data
}

// names lists a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// intercept sets the hook for one test.
func intercept(t *testing.T, hook func(step, string) error) {
	t.Helper()
	old := testOnlyBefore
	testOnlyBefore = hook
	t.Cleanup(func() { testOnlyBefore = old })
}

func TestWriteFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "codebook")
	for _, data := range [][]byte{before, after, {}} {
		if err := WriteFile(name, data); err != nil {
			t.Fatal(err)
		}
		if got := content(t, name); !bytes.Equal(got, data) {
			t.Errorf("got %d bytes, want %d", len(got), len(data))
		}
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}
	if list := names(t, filepath.Dir(name)); len(list) != 1 {
		t.Errorf("the folder holds %q", list)
	}
}

func TestWriteFileTightensTheModeOfAnOlderFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "codebook")
	mustWrite(t, name, before)
	if err := WriteFile(name, after); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(name); info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v", info.Mode())
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(t *testing.T, target string)
		write   fault.Kind // what WriteFile says; fault.Internal for success
		create  fault.Kind // what CreateFile says
		folder  fault.Kind // what CreateFolder says
	}{
		{"nothing there", func(*testing.T, string) {}, 0, 0, 0},
		{"a file", func(t *testing.T, target string) { mustWrite(t, target, before) }, 0, fault.Exists, fault.Exists},
		{"an empty folder", func(t *testing.T, target string) { mustDo(t, os.Mkdir(target, 0o755)) },
			fault.Exists, fault.Exists, 0},
		{"a folder in use", func(t *testing.T, target string) {
			mustDo(t, os.Mkdir(target, 0o755))
			mustWrite(t, filepath.Join(target, "x"), before)
		}, fault.Exists, fault.Exists, fault.Exists},
		{"a link to a file", func(t *testing.T, target string) {
			mustWrite(t, target+".real", before)
			mustDo(t, os.Symlink(target+".real", target))
		}, fault.Exists, fault.Exists, fault.Exists},
		{"a link to an empty folder", func(t *testing.T, target string) {
			mustDo(t, os.Mkdir(target+".real", 0o755))
			mustDo(t, os.Symlink(target+".real", target))
		}, fault.Exists, fault.Exists, fault.Exists},
		{"a link to nothing", func(t *testing.T, target string) { mustDo(t, os.Symlink("nowhere", target)) },
			fault.Exists, fault.Exists, fault.Exists},
		{"a pipe", func(t *testing.T, target string) { mustDo(t, syscall.Mkfifo(target, 0o600)) },
			fault.Exists, fault.Exists, fault.Exists},
	}
	calls := map[string]func(string) error{
		"WriteFile":    func(name string) error { return WriteFile(name, after) },
		"CreateFile":   func(name string) error { return CreateFile(name, after) },
		"CreateFolder": func(name string) error { return CreateFolder(name, putOne) },
	}
	for _, tt := range tests {
		wants := map[string]fault.Kind{"WriteFile": tt.write, "CreateFile": tt.create, "CreateFolder": tt.folder}
		for verb, call := range calls {
			t.Run(tt.name+"/"+verb, func(t *testing.T) {
				target := filepath.Join(t.TempDir(), "target")
				tt.prepare(t, target)
				list := names(t, filepath.Dir(target))
				err := call(target)
				checkKind(t, err, wants[verb])
				if err != nil && len(names(t, filepath.Dir(target))) != len(list) {
					t.Errorf("the folder held %q and holds %q", list, names(t, filepath.Dir(target)))
				}
			})
		}
	}
}

// checkKind fails unless err is of the kind, or nil for fault.Internal.
func checkKind(t *testing.T, err error, want fault.Kind) {
	t.Helper()
	switch {
	case want == fault.Internal && err != nil:
		t.Errorf("refused: %v", err)
	case want != fault.Internal && !errors.Is(err, want):
		t.Errorf("got %v, want %v", err, want)
	case err != nil && strings.Contains(err.Error(), suffix):
		t.Errorf("the error names a temporary: %v", err)
	}
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func putOne(f *Folder) error { return f.WriteFile("01.txt", after) }

func TestParentMissing(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, filepath.Join(dir, "file"), before)
	for parent, want := range map[string]fault.Kind{"missing": fault.NotFound, "file": fault.Input} {
		target := filepath.Join(dir, parent, "target")
		for verb, err := range map[string]error{
			"WriteFile":    WriteFile(target, after),
			"CreateFile":   CreateFile(target, after),
			"CreateFolder": CreateFolder(target, putOne),
		} {
			if !errors.Is(err, want) && parent == "missing" {
				t.Errorf("%s: got %v, want %v", verb, err, want)
			}
			if err == nil {
				t.Errorf("%s wrote below %s", verb, parent)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "missing")); err == nil {
		t.Error("the missing folder was made")
	}
}

func TestCreateFileLosesNoRace(t *testing.T) {
	name := filepath.Join(t.TempDir(), "key")
	intercept(t, func(s step, path string) error {
		if s == stepLink {
			mustWrite(t, path, before) // somebody else was quicker
		}
		return nil
	})
	if err := CreateFile(name, after); !errors.Is(err, fault.Exists) {
		t.Errorf("got %v", err)
	}
	if !bytes.Equal(content(t, name), before) {
		t.Error("the other file was overwritten")
	}
}

// TestFileFaults makes each step fail in turn. Before every step, which is
// where a crash would strike, and after the failure, the target is the old
// file or the whole new one, and no temporary is left.
func TestFileFaults(t *testing.T) {
	full := errors.New("no space left")
	for _, existed := range []bool{true, false} {
		old := before
		call := func(name string) error { return WriteFile(name, after) }
		if !existed {
			old = nil
			call = func(name string) error { return CreateFile(name, after) }
		}
		for failing := 0; ; failing++ {
			name := filepath.Join(t.TempDir(), "target")
			if existed {
				mustWrite(t, name, before)
			}
			n, failed := 0, step("")
			intercept(t, func(s step, _ string) error {
				if got := content(t, name); !bytes.Equal(got, old) && !bytes.Equal(got, after) {
					t.Errorf("before %q the target holds %d bytes", s, len(got))
				}
				if n++; n-1 == failing {
					failed = s
					return full
				}
				return nil
			})
			err := call(name)
			if failed == "" { // no step left to fail
				if err != nil || failing < 5 {
					t.Fatalf("%d steps, then %v", failing, err)
				}
				break
			}
			if !errors.Is(err, full) || !errors.Is(err, fault.System) {
				t.Errorf("%q failed and was told as %v", failed, err)
			}
			want := old
			if failed == stepSyncDir {
				want = after
			}
			if got := content(t, name); !bytes.Equal(got, want) {
				t.Errorf("after %q failed the target holds %d bytes, want %d", failed, len(got), len(want))
			}
			for _, left := range names(t, filepath.Dir(name)) {
				if left != "target" {
					t.Errorf("after %q failed, %q is left", failed, left)
				}
			}
		}
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "article")
	mustWrite(t, name, make([]byte, 2048))
	tests := []struct {
		name  string
		limit int64
		want  fault.Kind
		text  string
	}{
		{name, 2048, 0, ""},
		{name, 4096, 0, ""},
		{name, 2047, fault.Input, "longer than 2047 bytes"},
		{name, 1024, fault.Input, "longer than 1 KiB"},
		{"/dev/zero", 1 << 20, fault.Input, "longer than 1 MiB"},
		{dir, 1024, fault.Input, "folder"},
		{filepath.Join(dir, "missing"), 1024, fault.NotFound, "missing"},
		{filepath.Join(name, "below a file"), 1024, fault.System, "article"},
	}
	for _, tt := range tests {
		data, err := ReadFile(tt.name, tt.limit)
		checkKind(t, err, tt.want)
		if err == nil && len(data) != 2048 {
			t.Errorf("%s: read %d bytes", tt.name, len(data))
		}
		if err != nil && (data != nil || !strings.Contains(err.Error(), tt.text)) {
			t.Errorf("%s: %v with %d bytes", tt.name, err, len(data))
		}
	}
}

// TestStepsInOrder holds what makes a write durable: content before name, and
// the names themselves last.
func TestStepsInOrder(t *testing.T) {
	tests := []struct {
		verb string
		call func(name string) error
		want []step
	}{
		{"WriteFile", func(name string) error { return WriteFile(name, after) },
			[]step{stepCreate, stepWrite, stepSync, stepClose, stepRename, stepSyncDir}},
		{"CreateFile", func(name string) error { return CreateFile(name, after) },
			[]step{stepCreate, stepWrite, stepSync, stepClose, stepLink, stepSyncDir}},
		{"CreateFolder", func(name string) error {
			return CreateFolder(name, func(f *Folder) error { return f.WriteFile("01/cable", after) })
		}, []step{stepMakeDir, stepMakeDir, stepCreate, stepWrite, stepSync, stepClose,
			stepSyncDir, stepSyncDir, stepRename, stepSyncDir}},
	}
	for _, tt := range tests {
		name := filepath.Join(t.TempDir(), "target")
		var taken []step
		var last string
		intercept(t, func(s step, path string) error {
			taken, last = append(taken, s), path
			return nil
		})
		mustDo(t, tt.call(name))
		if !slices.Equal(taken, tt.want) {
			t.Errorf("%s took %q, want %q", tt.verb, taken, tt.want)
		}
		if last != filepath.Dir(name) {
			t.Errorf("%s brought %s to the disk last", tt.verb, last)
		}
	}
}
