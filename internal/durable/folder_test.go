package durable

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"chancery/internal/fault"
)

// putCopies fills a folder in two levels.
func putCopies(f *Folder) error {
	for _, name := range []string{"README", "copies/01/cable.txt", "copies/02/cable.txt"} {
		if err := f.WriteFile(name, after); err != nil {
			return err
		}
	}
	return nil
}

// checkCopies fails unless the folder holds what putCopies puts there.
func checkCopies(t *testing.T, dir string) {
	t.Helper()
	found := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		found++
		if !bytes.Equal(content(t, path), after) {
			t.Errorf("%s holds something else", path)
		}
		if info, _ := e.Info(); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil || found != 3 {
		t.Errorf("%d files, %v", found, err)
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v", info.Mode())
	}
}

func TestCreateFolder(t *testing.T) {
	for _, existed := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "out")
		if existed {
			mustDo(t, os.Mkdir(dir, 0o755))
		}
		mustDo(t, CreateFolder(dir+"/", putCopies))
		checkCopies(t, dir)
		if list := names(t, filepath.Dir(dir)); len(list) != 1 {
			t.Errorf("beside the folder: %q", list)
		}
	}
}

func TestCreateFolderHere(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{".", "", "./"} {
		if err := CreateFolder(name, putCopies); !errors.Is(err, fault.Exists) {
			t.Errorf("%q: %v", name, err)
		}
	}
	mustDo(t, CreateFolder("out", putCopies))
	checkCopies(t, "out")
}

func TestCreateFolderPutFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	stop := errors.New("the draft changed its mind")
	err := CreateFolder(dir, func(f *Folder) error {
		mustDo(t, putCopies(f))
		return stop
	})
	if err != stop {
		t.Errorf("got %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = CreateFolder(dir, func(f *Folder) error {
			mustDo(t, putCopies(f))
			panic("a defect")
		})
	}()
	if list := names(t, filepath.Dir(dir)); len(list) != 0 {
		t.Errorf("left behind: %q", list)
	}
}

func TestFolderNames(t *testing.T) {
	bad := []string{"", ".", "..", "../x", "/x", "a//b", "a/../b", "a/", "a\\b", "nul\x00"}
	dir := filepath.Join(t.TempDir(), "out")
	mustDo(t, CreateFolder(dir, func(f *Folder) error {
		for _, name := range bad {
			if err := f.WriteFile(name, after); !errors.Is(err, fault.Internal) {
				t.Errorf("%q: %v", name, err)
			}
		}
		mustDo(t, f.WriteFile("once", after))
		if err := f.WriteFile("once", before); !errors.Is(err, fault.Exists) {
			t.Errorf("a second file of one name: %v", err)
		}
		return nil
	}))
	if list := names(t, dir); len(list) != 1 {
		t.Errorf("the folder holds %q", list)
	}
}

// TestFolderLosesNoRace has somebody put a file into the empty target while
// the new folder is being filled.
func TestFolderLosesNoRace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	mustDo(t, os.Mkdir(dir, 0o755))
	err := CreateFolder(dir, func(f *Folder) error {
		mustWrite(t, filepath.Join(dir, "theirs"), before)
		return putCopies(f)
	})
	if !errors.Is(err, fault.Exists) {
		t.Errorf("got %v", err)
	}
	if list := names(t, dir); len(list) != 1 || list[0] != "theirs" {
		t.Errorf("their folder now holds %q", list)
	}
}

// TestFolderFaults makes each step fail in turn. At every step and after the
// failure the target is missing, empty or whole, and no temporary is left.
func TestFolderFaults(t *testing.T) {
	full := errors.New("no space left")
	for _, existed := range []bool{false, true} {
		for failing := 0; ; failing++ {
			dir := filepath.Join(t.TempDir(), "out")
			if existed {
				mustDo(t, os.Mkdir(dir, 0o755))
			}
			n, failed := 0, step("")
			intercept(t, func(s step, _ string) error {
				if list, err := os.ReadDir(dir); err == nil && len(list) != 0 && s != stepSyncDir {
					t.Errorf("before %q the target holds %d names", s, len(list))
				}
				if n++; n-1 == failing {
					failed = s
					return full
				}
				return nil
			})
			err := CreateFolder(dir, putCopies)
			if failed == "" {
				if err != nil || failing < 20 {
					t.Fatalf("%d steps, then %v", failing, err)
				}
				break
			}
			if !errors.Is(err, full) {
				t.Errorf("%q failed and was told as %v", failed, err)
			}
			checkAfterFault(t, dir, existed, failed)
		}
	}
}

// checkAfterFault looks at what a failed CreateFolder left.
func checkAfterFault(t *testing.T, dir string, existed bool, failed step) {
	t.Helper()
	for _, left := range names(t, filepath.Dir(dir)) {
		if left != "out" {
			t.Errorf("after %q failed, %q is left", failed, left)
		}
	}
	list, err := os.ReadDir(dir)
	switch {
	case err == nil && len(list) != 0:
		if failed != stepSyncDir {
			t.Errorf("after %q failed the target is there", failed)
		}
		checkCopies(t, dir)
	case existed && err != nil:
		t.Errorf("after %q failed the empty folder is gone", failed)
	case !existed && err == nil:
		t.Errorf("after %q failed an empty folder is left", failed)
	}
}
