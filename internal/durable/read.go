package durable

import (
	"fmt"
	"io"
	"os"

	"chancery/internal/fault"
)

// ReadFile returns the content of the file called name, of at most limit
// bytes. A longer file is refused with [fault.Input] and an error that names
// the limit, whatever its size was said to be; no more than limit+1 bytes of
// it are read. Symbolic links are followed, and a pipe may be read.
func ReadFile(name string, limit int64) ([]byte, error) {
	if err := testOnlyBefore(stepReadBack, name); err != nil {
		return nil, explain(err, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, explain(err, name)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, explain(err, name)
	}
	if info.IsDir() {
		return nil, fault.Input.New("this is a folder, not a file").At(name, 0, 0).WithHint("name a file in it")
	}
	if info.Mode().IsRegular() && info.Size() > limit {
		return nil, tooLong(name, limit)
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, explain(err, name)
	}
	if int64(len(data)) > limit {
		return nil, tooLong(name, limit)
	}
	return data, nil
}

// tooLong is the refusal to read on.
func tooLong(name string, limit int64) error {
	return fault.Input.New("the file is longer than %s, the most that is read here", size(limit)).At(name, 0, 0).
		WithHint("check that this is the file you meant")
}

// size writes n bytes for people: whole units only, so that a limit is told
// exactly.
func size(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
