package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"chancery/internal/fault"
)

// A Log is a file that grows line by line.
type Log struct {
	file *os.File
	name string
	size int64 // what we wrote or were told to keep
}

// CreateLog makes a new file whose first line is on the disk on return.
func CreateLog(name string, first []byte) (*Log, error) {
	if err := CreateFile(name, first); err != nil {
		return nil, err
	}
	return OpenLog(name, int64(len(first)))
}

// OpenLog opens a file to go on after its first size bytes; what stands behind
// them is cut off.
func OpenLog(name string, size int64) (*Log, error) {
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return nil, inTheWay(name, info)
	}
	f, err := os.OpenFile(name, os.O_WRONLY, fileMode)
	if err != nil {
		return nil, explain(err, name)
	}
	l := &Log{f, name, size}
	if err := l.cut(); err != nil {
		return nil, explain(errors.Join(err, f.Close()), name)
	}
	return l, nil
}

// cut takes off what stands behind the log's end.
func (l *Log) cut() error {
	if err := l.file.Truncate(l.size); err != nil {
		return err
	}
	_, err := l.file.Seek(l.size, io.SeekStart)
	return err
}

// Append writes data at the end. On return without error it is on the disk;
// with one, nothing of it should be. A file that somebody else wrote to
// meanwhile is left alone.
func (l *Log) Append(data []byte) error {
	info, err := l.file.Stat()
	if err != nil {
		return explain(err, l.name)
	}
	there, err := os.Lstat(l.name)
	switch {
	case err != nil || !os.SameFile(info, there) || info.Size() != l.size:
		return fault.Mismatch.New("the file was changed by somebody else meanwhile").At(l.name, 0, 0).
			WithHint("see whether another window has the same review open")
	}
	if err := writeAndSync(l.file, data); err != nil {
		return explain(errors.Join(err, l.cut()), l.name)
	}
	l.size += int64(len(data))
	return nil
}

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }

// Remove deletes a file and brings that to the disk. It is no error if there
// is none.
func Remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return explain(err, name)
	}
	return explain(syncDir(filepath.Dir(name)), name)
}
