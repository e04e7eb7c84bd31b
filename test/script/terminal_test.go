//go:build linux

package script

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A terminal is a real one, with a command on it.
type terminal struct {
	t     *testing.T
	pid   int
	us    *os.File
	ended chan error
	mu    sync.Mutex
	shown string // guarded by mu
}

// onTerminal starts a command on a new terminal.
func onTerminal(t *testing.T, dir string, args ...string) *terminal {
	t.Helper()
	us, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { us.Close() })
	if err := unix.IoctlSetPointerInt(int(us.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetUint32(int(us.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	them, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer them.Close()
	c := chancery(dir, args...)
	c.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+filepath.Join(dir, "config"), "TERM=xterm")
	c.Stdin, c.Stdout, c.Stderr = them, them, them
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, pid: c.Process.Pid, us: us, ended: make(chan error, 1)}
	go term.read()
	go func() { term.ended <- c.Wait() }()
	return term
}

func (m *terminal) read() {
	part := make([]byte, 4096)
	for {
		n, err := m.us.Read(part)
		m.mu.Lock()
		m.shown += string(part[:n])
		m.mu.Unlock()
		if err != nil {
			return // the command has gone
		}
	}
}

// see waits until the terminal shows a text, forgets what it showed up to
// there, and types keys.
func (m *terminal) see(want, keys string) {
	m.t.Helper()
	for range 1000 {
		m.mu.Lock()
		_, after, ok := strings.Cut(m.shown, want)
		if ok {
			m.shown = after
		}
		m.mu.Unlock()
		if ok {
			if _, err := m.us.WriteString(keys); err != nil {
				m.t.Fatal(err)
			}
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.t.Fatalf("the terminal never showed %q but\n%s", want, m.shown)
}

// end waits for the command and returns its exit code.
func (m *terminal) end() int {
	m.t.Helper()
	select {
	case err := <-m.ended:
		if err == nil {
			return 0
		}
		return 1
	case <-time.After(20 * time.Second):
		m.t.Fatal("the command does not end")
	}
	return -1
}

// raw says whether keys arrive one by one, unechoed.
func (m *terminal) raw() bool {
	m.t.Helper()
	mode, err := unix.IoctlGetTermios(int(m.us.Fd()), unix.TCGETS)
	if err != nil {
		m.t.Fatal(err)
	}
	return mode.Lflag&unix.ICANON == 0
}

// TestHangUpRestoresTerminal closes the line in the middle of a review: the
// terminal is left as it was, and the review can go on.
func TestHangUpRestoresTerminal(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plain.txt"), []byte(reviewed), 0o600); err != nil {
		t.Fatal(err)
	}
	// A command inherits that hanging up is passed over, as under nohup; one that this
	// process listens for it does not inherit.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	defer signal.Stop(heard)
	m := onTerminal(t, dir, "propose", "plain.txt", "--quotable", "1")
	m.see("other wordings for <", "")
	if !m.raw() {
		t.Fatal("a review does not read single keys")
	}
	if err := syscall.Kill(m.pid, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	m.end()
	if m.raw() {
		t.Error("the terminal is left unable to show what is typed")
	}
	exists(t, dir, "plain.txt.review", true)
}

const reviewed = `Subject: The harbour

1. He said that in view of these problems the program was in danger, and that he would like to meet us in
the near future. The Minister was clumsy with his friends, careless with his papers and reckless with money.
`

// TestReviewOnTerminal reviews a draft by keys, leaves in the middle, is killed
// in the middle, goes on, and finds everything it did.
func TestReviewOnTerminal(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plain.txt"), []byte(reviewed), 0o600); err != nil {
		t.Fatal(err)
	}
	propose := []string{"propose", "plain.txt", "--quotable", "1"}

	m := onTerminal(t, dir, propose...)
	m.see("A newspaper would quote this: verdict", "")
	m.see("other wordings for <", "\x1b")
	m.see("q: leave", "/")
	m.see("words = other", "clumsy = heavy-handed | maladroit\r")
	m.see("yours", "q")
	if code := m.end(); code != 0 {
		t.Errorf("leaving: exit code %d", code)
	}
	exists(t, dir, "plain.txt.review", true)
	exists(t, dir, "plain-worded.txt", false)

	// The attack on patience: the machine dies in the middle of a key.
	journal := filepath.Join(dir, "plain.txt.review")
	f, err := os.OpenFile(journal, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"key":"te`); err != nil || f.Close() != nil {
		t.Fatal(err)
	}

	m = onTerminal(t, dir, propose...)
	m.see("yours", " ")
	m.see("Sentence 2 of", "  ")
	m.see("Every sentence was shown.", "\r")
	if code := m.end(); code != 0 {
		t.Errorf("finishing: exit code %d", code)
	}
	exists(t, dir, "plain.txt.review", false)
	exists(t, dir, "config/chancery/wording.json", true)
	worded, err := os.ReadFile(filepath.Join(dir, "plain-worded.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"{clumsy|heavy-handed|maladroit}", "{in view of|"} {
		if !strings.Contains(string(worded), want) {
			t.Errorf("no %s in\n%s", want, worded)
		}
	}
	if strings.Contains(string(worded), "unreviewed") {
		t.Error("a reviewed draft is labelled unreviewed")
	}
}

// A journal of another draft is not mistaken for this one's.
func TestReviewOfChangedDraft(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "plain.txt")
	if err := os.WriteFile(file, []byte(reviewed), 0o600); err != nil {
		t.Fatal(err)
	}
	m := onTerminal(t, dir, "propose", "plain.txt")
	m.see("other wordings for <", "\x03")
	m.end()
	if err := os.WriteFile(file, []byte(reviewed+"More.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m = onTerminal(t, dir, "propose", "plain.txt")
	m.see("the draft was changed since this review began", "")
	m.see("--restart", "")
	if code := m.end(); code == 0 {
		t.Error("exit code 0")
	}
	exists(t, dir, "plain.txt.review", true)
}

// A draft that is edited in another window during its review is not written
// over by what it was before.
func TestDraftEditedDuringReview(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "plain.txt")
	if err := os.WriteFile(file, []byte(reviewed), 0o600); err != nil {
		t.Fatal(err)
	}
	m := onTerminal(t, dir, "propose", "plain.txt", "--quotable", "0")
	m.see("Sentence 1 of", "   ")
	m.see("Every sentence was shown.", "")
	if err := os.WriteFile(file, []byte(reviewed+"More.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.see("Enter: write the draft", "\r")
	m.see("the draft was changed while it was reviewed", "")
	if m.end() == 0 {
		t.Error("exit code 0")
	}
	exists(t, dir, "plain-worded.txt", false)
	exists(t, dir, "plain.txt.review", true)
}

func exists(t *testing.T, dir, name string, want bool) {
	t.Helper()
	_, err := os.Stat(filepath.Join(dir, name))
	if (err == nil) != want {
		t.Errorf("%s: %v", name, err)
	}
}

// The attack: somebody else's file, or the draft itself, is named as the
// journal to forget. It must not be deleted.
func TestRestartDeletesJournalsAlone(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"plain.txt", "thesis.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(reviewed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m := onTerminal(t, dir, "propose", "plain.txt", "--restart", "--journal", "thesis.txt")
	m.see("not the journal of a review", "")
	if m.end() == 0 {
		t.Error("exit code 0")
	}
	m = onTerminal(t, dir, "propose", "plain.txt", "--restart", "--journal", "./plain.txt")
	m.see("one file cannot be two", "")
	if m.end() == 0 {
		t.Error("exit code 0")
	}
	for _, name := range []string{"plain.txt", "thesis.txt"} {
		if data, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(data) != reviewed {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}
