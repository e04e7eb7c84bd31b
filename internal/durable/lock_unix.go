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
	for {
		err = syscall.Flock(int(d.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	// A file system that has no locks for folders: go on without.
	return func() { d.Close() }, nil
}

// claim makes a file this process's own, until it is closed or the process ends. It says
// whether another process has it. A file system that has no locks goes on without.
func claim(f *os.File) (taken bool) {
	whole := syscall.Flock_t{Type: syscall.F_WRLCK}
	err := syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &whole)
	return errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EAGAIN)
}
