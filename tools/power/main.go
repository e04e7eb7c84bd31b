// Power runs an institution on a disk whose power goes: what was not synced is lost, all of
// it or, every other time, some. Whatever a command said was done must be there when the
// power is back.
//
//	go run ./power -bin bin/chancery -rounds 20
//
// It needs Linux with FUSE, and may mount. Where it may not it says so and ends with 0. The
// disk is a file system of go-fuse: the kernel's protocol is not ours to write, and no tool
// at hand forgets what was not synced.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

var (
	binary = flag.String("bin", "bin/chancery", "the program")
	rounds = flag.Int("rounds", 20, "how often the power goes")
	mounts = flag.String("disk", "", "be the disk, mounted there")
)

func main() {
	flag.Parse()
	if *mounts != "" {
		serveDisk(*mounts)
		return
	}
	program, err := filepath.Abs(*binary)
	if err == nil {
		err = run(program, *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "power:", err)
		os.Exit(1)
	}
}

// A machine is a disk in a process of its own: one that mounts a file system and uses it too
// waits for itself.
type machine struct {
	cmd     *exec.Cmd
	orders  *os.File
	answers *bufio.Scanner
}

// start starts the disk. ok is false if nothing can be mounted here.
func start(at string) (m *machine, ok bool, err error) {
	m = &machine{cmd: exec.Command(os.Args[0], "-disk", at)}
	in, orders, err := os.Pipe()
	if err != nil {
		return nil, false, err
	}
	m.orders, m.cmd.Stdin, m.cmd.Stderr = orders, in, os.Stderr
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		return nil, false, err
	}
	m.answers = bufio.NewScanner(out)
	if err := m.cmd.Start(); err != nil {
		return nil, false, err
	}
	if err := m.tell("mount"); err != nil {
		fmt.Println("power: nothing can be mounted here, nothing was tried:", err)
		return nil, false, nil
	}
	return m, true, nil
}

func (m *machine) tell(order string) error {
	fmt.Fprintln(m.orders, order)
	if !m.answers.Scan() {
		return fmt.Errorf("the disk has ended")
	}
	if said := m.answers.Text(); said != "ok" {
		return fmt.Errorf("the disk: %s", said)
	}
	return nil
}

// serveDisk does what it is told, a line at a time.
func serveDisk(at string) {
	now := newDisk()
	var after *disk
	var mounted *fuse.Server
	orders := map[string]func() error{
		"mount":       func() (err error) { mounted, err = now.mount(at); return err },
		"crash true":  func() error { after = now.crash(true); return nil },
		"crash false": func() error { after = now.crash(false); return nil },
		"unmount":     func() error { return unmount(mounted) },
		"restart": func() error {
			if err := unmount(mounted); err != nil {
				return err
			}
			var err error
			now = after
			mounted, err = now.mount(at)
			return err
		},
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if err := orders[lines.Text()](); err != nil {
			fmt.Println(err)
		} else {
			fmt.Println("ok")
		}
	}
}

// unmount waits until nobody has a file open any more.
func unmount(s *fuse.Server) (err error) {
	for range 200 {
		if err = s.Unmount(); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}
