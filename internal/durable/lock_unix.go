//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package durable

import (
	"errors"
	"os"
	"syscall"
)

// lockFolder waits until no other process holds the folder, and holds it. The
// lock leaves nothing behind, even if the process is killed.
func lockFolder(name string) (unlock func(), err error) {
	d, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	lock(d)
	return func() { d.Close() }, nil
}

// lock waits until no other process holds the file, and holds it until it is closed. A
// file system that has no locks goes on without.
func lock(f *os.File) {
	for errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_EX), syscall.EINTR) {
	}
}
