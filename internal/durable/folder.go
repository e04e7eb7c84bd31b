package durable

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"chancery/internal/fault"
)

// A Folder is a folder being filled by [CreateFolder]. It is for one
// goroutine and of no use after the function it was given to has returned.
type Folder struct {
	root  *os.Root
	name  string          // of the temporary folder
	inner map[string]bool // folders made inside it, slash-separated; "." is the folder itself
}

// CreateFolder makes the folder called name with what put writes into it.
// Nothing is to be seen under that name before put has returned nil and all
// of it is on the disk; if put fails or panics, nothing is left. The error of
// put is returned as it is.
//
// The folder that is to hold it must exist. A name that is taken is refused
// with [fault.Exists] unless it is that of an empty folder, which the new one
// replaces; between the two there is a moment with no folder at all.
func CreateFolder(name string, put func(*Folder) error) error {
	full, err := filepath.Abs(name)
	if err != nil {
		return explain(err, name)
	}
	empty, err := checkTarget(name, full)
	if err != nil {
		return err
	}
	temporary := temporaryName(full)
	defer os.RemoveAll(temporary)
	folder, err := makeFolder(temporary)
	if err != nil {
		return explain(err, name)
	}
	defer folder.root.Close()
	if err := put(folder); err != nil {
		return err
	}
	if err := folder.sync(); err != nil {
		return explain(err, name)
	}
	if err := settleFolder(temporary, full, empty); err != nil {
		return explain(err, name)
	}
	return explain(syncDir(filepath.Dir(full)), name)
}

// checkTarget reports whether the target is an empty folder, and refuses one
// that may not be replaced. name is as the user wrote it, full is absolute.
func checkTarget(name, full string) (empty bool, err error) {
	if err := needParent(name); err != nil {
		return false, err
	}
	info, err := os.Lstat(full)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, explain(err, name)
	case !info.IsDir():
		return false, inTheWay(name, info)
	}
	if here, err := os.Stat("."); err == nil && os.SameFile(here, info) {
		return false, fault.Exists.New("the current folder cannot be replaced").At(name, 0, 0).
			WithHint("give the name of a new folder inside it")
	}
	if err := testOnlyBefore(stepReadBack, full); err != nil {
		return false, explain(err, name)
	}
	entries, err := os.ReadDir(full)
	if err != nil {
		return false, explain(err, name)
	}
	if len(entries) > 0 {
		return false, notEmpty(name)
	}
	return true, nil
}

// notEmpty is the refusal to touch a folder that is in use.
func notEmpty(name string) error {
	return fault.Exists.New("the folder already holds something").At(name, 0, 0).
		WithHint("give a new or an empty folder")
}

// makeFolder makes the new folder called name.
func makeFolder(name string) (*Folder, error) {
	if err := testOnlyBefore(stepMakeDir, name); err != nil {
		return nil, err
	}
	if err := os.Mkdir(name, dirMode); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return &Folder{root: root, name: name, inner: map[string]bool{".": true}}, nil
}

// settleFolder gives old the name full, in place of an empty folder if there
// is one. If it fails, an empty folder that was there is there again.
func settleFolder(old, full string, empty bool) error {
	if !empty {
		return rename(old, full)
	}
	if err := testOnlyBefore(stepRemove, full); err != nil {
		return err
	}
	// Unlike RemoveAll, Remove fails if something was put there meanwhile.
	if err := os.Remove(full); err != nil {
		return err
	}
	if err := rename(old, full); err != nil {
		return errors.Join(err, os.Mkdir(full, dirMode))
	}
	return nil
}

// WriteFile puts a new file into the folder. The name is slash-separated and
// stays inside; folders it names are made. A name that was used before is
// refused with [fault.Exists].
func (f *Folder) WriteFile(name string, data []byte) error {
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\\x00") || !filepath.IsLocal(filepath.FromSlash(name)) {
		return fault.Internal.New("%q is not a name inside a folder", name)
	}
	if err := f.makeParents(name); err != nil {
		return err
	}
	if err := testOnlyBefore(stepCreate, filepath.Join(f.name, name)); err != nil {
		return err
	}
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return explain(err, name)
	}
	return explain(errors.Join(writeAndSync(file, data), closeFile(file)), name)
}

// makeParents makes the folders that name lies in.
func (f *Folder) makeParents(name string) error {
	for i, c := range name {
		if c != '/' || f.inner[name[:i]] {
			continue
		}
		parent := name[:i]
		if err := testOnlyBefore(stepMakeDir, filepath.Join(f.name, parent)); err != nil {
			return err
		}
		if err := f.root.Mkdir(parent, dirMode); err != nil {
			return explain(err, parent)
		}
		f.inner[parent] = true
	}
	return nil
}

// sync brings all names in the folder to the disk, the innermost first.
func (f *Folder) sync() error {
	var names []string
	for name := range f.inner {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(b, a) })
	for _, name := range names {
		if err := syncDir(filepath.Join(f.name, name)); err != nil {
			return err
		}
	}
	return nil
}

// temporaryName is a name beside name that nobody else uses.
func temporaryName(name string) string {
	return filepath.Join(filepath.Dir(name), "."+rand.Text()+suffix)
}
