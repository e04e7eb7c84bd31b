//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package durable

// lockFolder does nothing where folders cannot be locked.
func lockFolder(string) (unlock func(), err error) { return func() {}, nil }
