package durable

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"

	"chancery/internal/fault"
)

// Grow writes data behind the first keep bytes of the file called name, which it makes if
// keep is 0 and there is none; what stood behind them is gone. On return without error the
// whole is on the disk; with one, the file holds what was to be kept, and behind it
// anything.
func Grow(name string, keep int64, data []byte) error {
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return inTheWay(name, info)
	}
	flags := os.O_RDWR
	if keep == 0 {
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(name, flags, fileMode)
	if err != nil {
		return explain(err, name)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return explain(err, name)
	}
	if info.Size() < keep {
		return fault.Mismatch.New("the file has %d bytes, not the %d that were kept", info.Size(), keep).At(name, 0, 0)
	}
	return explain(grow(f, keep, data), name)
}

func grow(f *os.File, keep int64, data []byte) error {
	if err := f.Truncate(keep); err != nil {
		return err
	}
	if _, err := f.Seek(keep, io.SeekStart); err != nil {
		return err
	}
	if err := writeAndSync(f, data); err != nil {
		return err
	}
	if keep > 0 {
		return nil
	}
	return syncDir(filepath.Dir(f.Name()))
}

// View gives the content of a file to read; nothing, if there is no such file.
func View(name string, read func(held io.Reader) error) error {
	info, err := os.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		return inTheWay(name, info)
	}
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return read(bytes.NewReader(nil))
	}
	if err != nil {
		return explain(err, name)
	}
	defer f.Close()
	return read(bufio.NewReaderSize(f, 1<<20))
}
