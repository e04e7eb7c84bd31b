package durable

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"chancery/internal/fault"
)

// ReplaceFile is [WriteFile] for a file whose new content was made from its
// old one: if it does not hold old any more, it is left alone and the error is
// [fault.Mismatch]. An old of nil means that there was no file. Of several
// processes that replace one file at a time, one succeeds; on file systems
// without locks there is a moment in which two could.
func ReplaceFile(name string, old, data []byte) error {
	if err := needParent(name); err != nil {
		return err
	}
	unlock, err := lockFolder(filepath.Dir(name))
	if err != nil {
		return explain(err, name)
	}
	defer unlock()
	now, err := os.ReadFile(name)
	there := err == nil
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return explain(err, name)
	case there != (old != nil) || !bytes.Equal(now, old):
		return fault.Mismatch.New("the file was changed by somebody else meanwhile").At(name, 0, 0).
			WithHint("nothing was written; run the command again")
	case there:
		return WriteFile(name, data)
	}
	return CreateFile(name, data)
}
