//go:build unix

package script

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// folder makes a folder with the world in it, marked for its readers.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"draft.txt", "readers.txt"} {
		data, err := os.ReadFile(filepath.Join("testdata", "world", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, said, code := run(t, dir, "mark", "draft.txt", "--readers", "readers.txt", "--out", "marked", "--plain"); code != 0 {
		t.Fatal(said)
	}
	return dir
}

// chancery prepares a command in a folder.
func chancery(dir string, args ...string) *exec.Cmd {
	c := exec.Command("chancery", args...)
	c.Dir = dir
	return c
}

// run runs a command to its end.
func run(t *testing.T, dir string, args ...string) (out, said string, code int) {
	t.Helper()
	c := chancery(dir, args...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), c.ProcessState.ExitCode()
}

// interrupt presses Ctrl-C once ready, and returns how the command ended.
func interrupt(t *testing.T, c *exec.Cmd, ready func() bool) (said string, code int) {
	t.Helper()
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for wait := 0; !ready(); wait++ {
		if wait == 2000 {
			t.Fatal("it never got to work")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = c.Process.Kill()
		t.Fatal("it went on after Ctrl-C")
	}
	return stderr.String(), c.ProcessState.ExitCode()
}

// names lists a folder, hidden files too.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return strings.Join(list, " ")
}

// TestInterruptMark presses Ctrl-C when the first copies are on the disk,
// under a temporary name.
func TestInterruptMark(t *testing.T) {
	dir := folder(t)
	var list strings.Builder
	for i := range 6000 {
		fmt.Fprintf(&list, "reader-%d\n", i)
	}
	if err := os.WriteFile(filepath.Join(dir, "many.txt"), []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	was := names(t, dir)
	begun := func() bool {
		found, _ := filepath.Glob(filepath.Join(dir, ".*", "copies", "*"))
		return len(found) > 3
	}
	said, code := interrupt(t, chancery(dir, "mark", "draft.txt", "--readers", "many.txt", "--out", "out", "--plain"), begun)
	if code != 130 || !strings.Contains(said, "error: stopped before it was done\nhint: ") {
		t.Errorf("ended with %d: %s", code, said)
	}
	if now := names(t, dir); now != was {
		t.Errorf("left behind: %s", now)
	}
}

// TestInterruptWaiting presses Ctrl-C while trace waits for an article that
// never comes.
func TestInterruptWaiting(t *testing.T) {
	dir := folder(t)
	c := chancery(dir, "trace", "--codebook", "marked/codebook.json", "--case", "leak.case", "-")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	begun := func() bool {
		// The pipe holds 64 KiB: that more was taken shows that it is read.
		_, err := io.WriteString(in, strings.Repeat("The tide is in. ", 16<<10))
		return err == nil
	}
	said, code := interrupt(t, c, begun)
	if code != 130 || !strings.Contains(said, "stopped before it was done") {
		t.Errorf("ended with %d: %s", code, said)
	}
	if now := names(t, dir); now != "draft.txt marked readers.txt" {
		t.Errorf("left behind: %s", now)
	}
}

// TestInterruptReading presses Ctrl-C while trace works on a long article.
func TestInterruptReading(t *testing.T) {
	dir := folder(t)
	long := strings.Repeat("The harbour is idle and the customs house shut, nobody knows why or until when. ", 60_000)
	c := chancery(dir, "trace", "--codebook", "marked/codebook.json", "--case", "leak.case", "-")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	begun := func() bool {
		_, err := io.WriteString(in, long)
		time.Sleep(200 * time.Millisecond)
		return errors.Join(err, in.Close()) == nil
	}
	said, code := interrupt(t, c, begun)
	if code != 130 || !strings.Contains(said, "stopped before it was done") {
		t.Errorf("ended with %d: %s", code, said)
	}
	if now := names(t, dir); now != "draft.txt marked readers.txt" {
		t.Errorf("left behind: %s", now)
	}
}

// TestLooksAtOnce tells of two investigators who add to one case at the same
// time. The look that was saved last once replaced the other's, which had been
// printed and scored: its groups could be scored again. Now each look that
// was printed is in the case.
func TestLooksAtOnce(t *testing.T) {
	dir := folder(t)
	copied, err := os.ReadFile(filepath.Join(dir, "marked", "copies", "no10.txt"))
	if err != nil {
		t.Fatal(err)
	}
	const investigators = 6
	found := make([]int, investigators)
	var wg sync.WaitGroup
	for i := range investigators {
		leak := fmt.Sprintf("leak%d.txt", i)
		if err := os.WriteFile(filepath.Join(dir, leak), copied, 0o600); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			c := chancery(dir, "trace", "--codebook", "marked/codebook.json", "--case", "leak.case", leak)
			out, err := c.Output()
			switch code := c.ProcessState.ExitCode(); {
			case err == nil:
				found[i] = 1
			case code != 8 && code != 5 || len(out) > 0:
				t.Errorf("ended with %d and %q", code, out)
			}
		})
	}
	wg.Wait()
	text, err := os.ReadFile(filepath.Join(dir, "leak.case"))
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for i, n := range found {
		sum += n
		if recorded := strings.Count(string(text), fmt.Sprintf("leak%d.txt", i)); recorded != n {
			t.Errorf("look %d was printed %d times and recorded %d times", i, n, recorded)
		}
	}
	if sum == 0 {
		t.Error("nobody got a finding")
	}
}

// TestLostOutput: a finding that could not be printed is not a success.
func TestLostOutput(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no device that is always full")
	}
	defer full.Close()
	dir := folder(t)
	for _, args := range [][]string{
		{"trace", "--codebook", "marked/codebook.json", "marked/record.txt"},
		{"trace", "--json", "--codebook", "marked/codebook.json", "marked/record.txt"},
		{"check", "draft.txt"},
		{"keygen"},
		{"version"},
	} {
		c := chancery(dir, args...)
		c.Stdout = full
		if err := c.Run(); err == nil || c.ProcessState.ExitCode() != 9 {
			t.Errorf("%q ended with %v", args, err)
		}
	}
}

// TestFullDisk fills a small disk with copies.
func TestFullDisk(t *testing.T) {
	dir := folder(t)
	disk := filepath.Join(dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Skipf("no small disk can be mounted: %s", out)
	}
	defer func() { _ = exec.Command("umount", disk).Run() }()
	var info syscall.Statfs_t
	if err := syscall.Statfs(disk, &info); err != nil || info.Blocks*uint64(info.Bsize) > 64<<10 {
		t.Skip("the small disk is not small")
	}
	_, said, code := run(t, dir, "mark", "draft.txt", "--readers", "many.txt", "--out", "disk/out", "--plain")
	if code != 4 {
		t.Fatalf("a missing list: %d, %s", code, said)
	}
	var list strings.Builder
	for i := range 100 {
		fmt.Fprintf(&list, "reader-%d\n", i)
	}
	if err := os.WriteFile(filepath.Join(dir, "many.txt"), []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	_, said, code = run(t, dir, "mark", "draft.txt", "--readers", "many.txt", "--out", "disk/out", "--plain")
	if code != 9 || !strings.Contains(said, "no space left") || !strings.Contains(said, "\nhint: ") {
		t.Errorf("ended with %d: %s", code, said)
	}
	if now := names(t, disk); now != "" {
		t.Errorf("left behind: %s", now)
	}
	// A case that cannot be written: no finding is shown that is not recorded.
	if err := os.WriteFile(filepath.Join(disk, "filler"), make([]byte, 64<<10), 0o600); err != nil {
		t.Log(err) // as full as it gets
	}
	out, said, code := run(t, dir, "trace", "--codebook", "marked/codebook.json", "--case", "disk/leak.case", "marked/copies/no10.txt")
	if code != 9 || out != "" {
		t.Errorf("ended with %d: %s%s", code, out, said)
	}
	if now := names(t, disk); now != "filler" {
		t.Errorf("left behind: %s", now)
	}
}
