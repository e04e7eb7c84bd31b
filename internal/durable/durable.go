// Package durable writes files and folders wholly or not at all.
//
// What it writes is first filled under a temporary name beside the target,
// brought to the disk, and only then given its name. Whoever looks at the
// target, at any moment and after any crash, sees what was there before or
// all of what was written, never a part. Files are readable by their owner
// alone. The package never follows a symbolic link in the place of a target,
// never overwrites what it was not asked to overwrite, and knows nothing of
// what the files contain.
//
// A process that is killed may leave a temporary behind. Its name starts with
// a full stop and ends in ".chancery-tmp"; it may be deleted at any time.
package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"chancery/internal/fault"
)

// Modes of what is made: cables are for their owner's eyes.
const (
	fileMode = 0o600
	dirMode  = 0o700
)

// suffix ends the name of every temporary.
const suffix = ".chancery-tmp"

// A step is one act on the disk that can fail by itself.
type step string

const (
	stepCreate   step = "create"
	stepWrite    step = "write"
	stepSync     step = "sync"
	stepClose    step = "close"
	stepLink     step = "link"
	stepRename   step = "rename"
	stepRemove   step = "remove"
	stepMakeDir  step = "make folder"
	stepSyncDir  step = "sync folder"
	stepReadBack step = "read"
)

// testOnlyBefore is called before each step with the path it acts on. In
// tests an error from it takes the place of the step.
var testOnlyBefore = func(step, string) error { return nil }

// WriteFile gives the file called name the content data, in place of what it
// held before. On return without error the content is on the disk. On error
// the file is as it was or, if only the last step failed, holds all of data.
//
// The folder must exist. A name that is taken by anything but a regular file
// is refused with [fault.Exists].
func WriteFile(name string, data []byte) error {
	info, err := os.Lstat(name)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return inTheWay(name, info)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return explain(err, name)
	}
	return place(name, data, rename)
}

// CreateFile is [WriteFile] for a name that must not be taken: if anything is
// there, it is left alone and the error is [fault.Exists], even if it came
// there a moment ago.
func CreateFile(name string, data []byte) error {
	if info, err := os.Lstat(name); err == nil {
		return inTheWay(name, info)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return explain(err, name)
	}
	return place(name, data, renameIfFree)
}

// place fills a temporary beside name and has settle give it its name.
func place(name string, data []byte, settle func(old, name string) error) error {
	if err := needParent(name); err != nil {
		return err
	}
	temporary := temporaryName(name)
	defer os.Remove(temporary)
	if err := fill(temporary, data); err != nil {
		return explain(err, name)
	}
	if err := settle(temporary, name); err != nil {
		return explain(err, name)
	}
	return explain(syncDir(filepath.Dir(name)), name)
}

// fill makes the new file called name and brings data to the disk in it.
func fill(name string, data []byte) error {
	if err := testOnlyBefore(stepCreate, name); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	return errors.Join(writeAndSync(f, data), closeFile(f))
}

// writeAndSync stops at the first failure. A failure that a test asks for
// leaves half of data behind, as a full disk would.
func writeAndSync(f *os.File, data []byte) error {
	if err := testOnlyBefore(stepWrite, f.Name()); err != nil {
		_, _ = f.Write(data[:len(data)/2])
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := testOnlyBefore(stepSync, f.Name()); err != nil {
		return err
	}
	return f.Sync()
}

// closeFile closes f even if a test makes the step fail.
func closeFile(f *os.File) error {
	err := testOnlyBefore(stepClose, f.Name())
	return errors.Join(err, f.Close())
}

// rename gives old the name name, in place of a file that has it.
func rename(old, name string) error {
	if err := testOnlyBefore(stepRename, name); err != nil {
		return err
	}
	return os.Rename(old, name)
}

// renameIfFree gives old the name name unless it is taken. A hard link does
// both in one act; on file systems without them the name is checked first,
// which leaves a moment in which another program could take it.
func renameIfFree(old, name string) error {
	if err := testOnlyBefore(stepLink, name); err != nil {
		return err
	}
	err := os.Link(old, name)
	switch {
	case err == nil:
		return os.Remove(old)
	case errors.Is(err, fs.ErrExist):
		return err
	}
	if info, err := os.Lstat(name); err == nil {
		return inTheWay(name, info)
	}
	return rename(old, name)
}

// syncDir brings the names in a folder to the disk.
func syncDir(name string) error {
	if err := testOnlyBefore(stepSyncDir, name); err != nil {
		return err
	}
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// needParent refuses a name in a folder that does not exist.
func needParent(name string) error {
	parent := filepath.Dir(filepath.Clean(name))
	info, err := os.Stat(parent)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.NotFound.New("the folder %s does not exist", parent).At(name, 0, 0).
			WithHint("make the folder first or check its name")
	case err != nil:
		return explain(err, name)
	case !info.IsDir():
		return fault.Input.New("%s is not a folder", parent).At(name, 0, 0)
	}
	return nil
}

// inTheWay is the refusal to replace what info describes.
func inTheWay(name string, info fs.FileInfo) error {
	what := "a special file"
	switch {
	case info.IsDir():
		what = "a folder"
	case info.Mode()&fs.ModeSymlink != 0:
		what = "a symbolic link"
	case info.Mode().IsRegular():
		what = "a file"
	}
	return fault.Exists.New("%s of this name is in the way", what).At(name, 0, 0).
		WithHint("choose another name or move it away")
}

// explain tells a failure of the disk in terms of the file the user named. A
// failure that already speaks for itself, and nil, pass unchanged.
func explain(err error, name string) error {
	var told *fault.Error
	if err == nil || errors.As(err, &told) {
		return err
	}
	kind := fault.KindOf(err)
	if kind == fault.Internal {
		kind = fault.System
	}
	return kind.Wrap(cause(err), "").At(name, 0, 0).WithHint("%s", hints[kind])
}

// hints say what to do about a failure of the disk.
var hints = map[fault.Kind]string{
	fault.NotFound:   "check the name",
	fault.Permission: "see who may read or write there, or choose another place",
	fault.System:     "see whether the disk is full or read-only; nothing half written is left",
}

// cause drops the paths from an error of package os: they name temporaries.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
