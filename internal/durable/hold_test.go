//go:build linux

package durable

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"chancery/internal/fault"
)

// TestHoldHelper is the other process of TestHold: it holds the file until its input ends.
func TestHoldHelper(t *testing.T) {
	name := os.Getenv("CHANCERY_TEST_HOLD")
	if name == "" {
		t.Skip("only for TestHold")
	}
	if _, err := Hold(name, 0); err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("held\n")
	io.Copy(io.Discard, os.Stdin)
}

// TestHold: while another process holds a file it is refused, and waited for; when that
// is killed it is free.
func TestHold(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	other := exec.Command(os.Args[0], "-test.run=^TestHoldHelper$")
	other.Env = append(os.Environ(), "CHANCERY_TEST_HOLD="+name)
	in, err := other.StdinPipe()
	mustDo(t, err)
	defer in.Close()
	out, err := other.StdoutPipe()
	mustDo(t, err)
	mustDo(t, other.Start())
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" || err != nil {
		t.Fatal(line, err)
	}
	if _, err := Hold(name, 100*time.Millisecond); !errors.Is(err, fault.Exists) {
		t.Fatalf("held by two: %v", err)
	}
	go func() {
		time.Sleep(100 * time.Millisecond)
		other.Process.Kill()
		other.Wait()
	}()
	held, err := Hold(name, 10*time.Second)
	mustDo(t, err)
	mustDo(t, held.Close())
}
