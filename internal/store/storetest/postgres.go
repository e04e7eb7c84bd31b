package storetest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A Cluster is a PostgreSQL server of a test's own, from the programs that the
// system has installed.
type Cluster struct {
	Dir  string // of its data
	Port int

	t    testing.TB
	bin  string
	cred *syscall.Credential // PostgreSQL refuses to run as root
	mu   sync.Mutex
	n    int // databases made so far; guarded by mu
}

// programs is where Debian puts the programs of PostgreSQL.
const programs = "/usr/lib/postgresql/*/bin"

// StartCluster starts a server that ends with the test. Without PostgreSQL on
// the machine the test fails: it is part of what must be checked.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	found, err := filepath.Glob(programs)
	if err != nil || len(found) == 0 {
		t.Fatal("PostgreSQL is not installed: run scripts/setup")
	}
	slices.Sort(found)
	c := &Cluster{t: t, bin: found[len(found)-1], Port: freePort(t)}
	dir, err := os.MkdirTemp("", "chancery-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c.Dir = filepath.Join(dir, "data")
	if os.Geteuid() == 0 {
		c.become(dir)
	}
	c.Run("initdb", "-D", c.Dir, "-A", "trust", "-U", "chancery", "-E", "UTF8", "--locale=C", "--no-sync")
	c.Start()
	t.Cleanup(c.end)
	return c
}

func freePort(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// become makes the server's programs run as the user that Debian made for them.
func (c *Cluster) become(dir string) {
	u, err := user.Lookup("postgres")
	if err != nil {
		c.t.Fatal(err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		c.t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		c.t.Fatal(err)
	}
	c.cred = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		c.t.Fatal(err)
	}
}

// Run runs one of PostgreSQL's programs to its end.
func (c *Cluster) Run(program string, args ...string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, program), args...)
	var out bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = filepath.Dir(c.Dir), &out, &out
	if c.cred != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.cred}
	}
	cmd.WaitDelay = time.Second // the server that pg_ctl leaves behind holds the pipe
	if err := cmd.Run(); err != nil && !strings.Contains(err.Error(), "WaitDelay") {
		c.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out.String())
	}
}

// Start starts the server and waits until it answers.
func (c *Cluster) Start() {
	c.t.Helper()
	options := fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200", c.Port)
	c.Run("pg_ctl", "-D", c.Dir, "-o", options, "-w", "-l", filepath.Join(filepath.Dir(c.Dir), "log"), "start")
}

// Stop stops the server: "fast", or "immediate" as a power cut would.
func (c *Cluster) Stop(mode string) { c.Run("pg_ctl", "-D", c.Dir, "-m", mode, "-w", "stop") }

// Database makes an empty database and returns its address.
func (c *Cluster) Database() string {
	c.t.Helper()
	c.mu.Lock()
	c.n++
	name := "test" + strconv.Itoa(c.n)
	c.mu.Unlock()
	c.Run("createdb", "-h", "127.0.0.1", "-p", strconv.Itoa(c.Port), "-U", "chancery", name)
	return fmt.Sprintf("postgres://chancery@127.0.0.1:%d/%s?sslmode=disable", c.Port, name)
}
