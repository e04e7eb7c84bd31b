package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Grow adds data at the end of the file called name, which it makes if there is none. No
// other process grows it meanwhile. next is given the file as it is and its size, and
// returns how much of that to keep, and what comes behind. On return without error the
// whole is on the disk; with one, the file holds what was to be kept and perhaps a part
// of the data, which whoever reads it must tell from the whole.
func Grow(name string, next func(held io.ReaderAt, size int64) (keep int64, data []byte, err error)) error {
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return inTheWay(name, info)
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return explain(err, name)
	}
	defer f.Close()
	lock(f)
	info, err := f.Stat()
	if err != nil {
		return explain(err, name)
	}
	keep, data, err := next(f, info.Size())
	if err != nil {
		return err
	}
	return explain(grow(f, info.Size(), keep, data), name)
}

// grow writes data behind what is kept of a file of a size.
func grow(f *os.File, size, keep int64, data []byte) error {
	if keep < size {
		if err := f.Truncate(keep); err != nil {
			return err
		}
	}
	if _, err := f.Seek(keep, io.SeekStart); err != nil {
		return err
	}
	if err := writeAndSync(f, data); err != nil {
		return errors.Join(err, f.Truncate(keep))
	}
	if size > 0 {
		return nil
	}
	return syncDir(filepath.Dir(f.Name())) // it may be new
}

// View gives what Grow has made to read, and its size; 0 if there is no such file.
func View(name string, read func(held io.ReaderAt, size int64) error) error {
	info, err := os.Lstat(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil && !info.Mode().IsRegular() {
		return inTheWay(name, info)
	}
	if err != nil {
		return explain(err, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return explain(err, name)
	}
	defer f.Close()
	return read(f, info.Size())
}
