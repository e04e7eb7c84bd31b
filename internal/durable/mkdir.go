package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// MakeFolders makes a folder and those that it lies in, as far as they are not there. On
// return without error their names are on the disk.
func MakeFolders(name string) error {
	full, err := filepath.Abs(name)
	if err != nil {
		return explain(err, name)
	}
	return explain(makeFolders(full), name)
}

func makeFolders(full string) error {
	info, err := os.Stat(full)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return inTheWay(full, info)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := filepath.Dir(full)
	if err := makeFolders(parent); err != nil {
		return err
	}
	if err := testOnlyBefore(stepMakeDir, full); err != nil {
		return err
	}
	if err := os.Mkdir(full, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

// SyncFolder brings the names in a folder to the disk: for files that somebody else made
// there.
func SyncFolder(name string) error { return explain(syncDir(name), name) }
