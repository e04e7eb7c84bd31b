package durable

import (
	"io"
	"os"
	"time"

	"chancery/internal/fault"
)

// Hold keeps other processes from holding the file called name, which it makes if there
// is none, until what it returns is closed or this process ends. While another holds it,
// it waits at most so long; then the error is [fault.Exists].
func Hold(name string, wait time.Duration) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, explain(err, name)
	}
	for until := time.Now().Add(wait); claim(f); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			f.Close()
			return nil, fault.Exists.New("another command is at work there").At(name, 0, 0).WithHint("wait until it has ended, then try again")
		}
	}
	return f, nil
}
