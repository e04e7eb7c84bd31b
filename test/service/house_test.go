package service

// What follows runs institutions as their processes: it steals the server, kills it at
// random moments, takes its database away and turns its clock. What is shown is what
// the documents promise of the registry as it is built and started, not of its parts.

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"chancery/internal/appoint"
	"chancery/internal/client"
	"chancery/internal/desk"
	"chancery/internal/sign"
)

// built is the folder of the command as users build it, once a test needs it.
var built string

// TestMain removes what was built.
func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// program builds the command and returns its name.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "chancery-service-")
	if err != nil {
		return "", err
	}
	built = dir
	build := exec.Command("go", "build", "-buildvcs=false", "-o", dir, "chancery/cmd/chancery")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return filepath.Join(dir, "chancery"), nil
})

// chancery prepares the command.
func chancery(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	name, err := program()
	must(t, err)
	return exec.Command(name, args...)
}

// long begins a test that takes long and mostly waits, so beside others. The race
// detector does not watch the processes that it drives: make service runs it without.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv("CHANCERY_RACE") != "" {
		t.Skip("make service runs it, without the race detector")
	}
	t.Parallel()
}

// soak says whether there are hours.
func soak() bool { return os.Getenv("CHANCERY_SOAK") != "" }

// twentieth is all of a number when there are hours, else a twentieth.
func twentieth(all int) int {
	if soak() {
		return all
	}
	return all / 20
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// command runs chancery to its end and returns what it printed.
func command(t testing.TB, args ...string) string {
	t.Helper()
	out, err := chancery(t, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("chancery %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// freeAddress is an address of this machine at which nobody listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// A house is an institution on this machine: its folders as chancery init made
// them, the authority and the desks in this process, servers in their own.
type house struct {
	t         testing.TB
	dir       string // ministry and desks lie in it
	address   string // of the first server
	account   client.Account
	authority *appoint.Authority
	desks     map[string]*desk.Desk
	serving   *process
}

// found makes an institution; nothing runs yet.
func found(t testing.TB, args ...string) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), address: freeAddress(t), desks: map[string]*desk.Desk{}}
	command(t, append([]string{"init", h.path("ministry"), "--name", "Ministry of Example", "--url", "https://" + h.address, "--log", "registry.example/log", "--trial"}, args...)...)
	data, err := os.ReadFile(h.path("ministry", "authority-1", "registry.json"))
	must(t, err)
	h.account, err = client.ParseAccount("registry.json", data)
	must(t, err)
	h.authority = &appoint.Authority{Now: time.Now}
	for _, dir := range []string{"authority-1", "authority-2"} {
		text, err := os.ReadFile(h.path("ministry", dir, "authority.key"))
		must(t, err)
		key, err := sign.ParseKey(string(text))
		must(t, err)
		h.authority.Keys = append(h.authority.Keys, key)
	}
	h.authority.Client, err = h.account.DialFrom(h.authority.Keys[0], h.path("ministry", "authority-1"), time.Now)
	must(t, err)
	return h
}

func (h *house) path(parts ...string) string {
	return filepath.Join(append([]string{h.dir}, parts...)...)
}

// A process is chancery, running.
type process struct {
	*exec.Cmd
	args []string
	log  string
}

// serve starts chancery serve at an address and waits until it is there. It ends
// with the test.
func (h *house) serve(name, data, address string, args ...string) *process {
	h.t.Helper()
	return h.run(name, append([]string{"serve", "--data", data, "--listen", address, "--rate", "1000000"}, args...)...)
}

// run runs chancery in the background. It ends with the test.
func (h *house) run(name string, args ...string) *process {
	h.t.Helper()
	p := &process{log: h.path(name + ".log"), args: args}
	h.t.Cleanup(func() {
		p.kill()
		if said := p.said(h.t); h.t.Failed() {
			h.t.Logf("%s said last:\n%s", name, said[max(0, len(said)-lastWords):])
		}
	})
	p.start(h.t)
	return p
}

// lastWords is how much of what a process said is shown when a test failed.
const lastWords = 4000

// foundWitnessed makes an institution whose log an outside witness cosigns.
func foundWitnessed(t testing.TB) *house {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
	lines := command(t, "witness", filepath.Join(dir, "witness"), "--new", "witness.example/1", "--listen", address)
	must(t, os.WriteFile(filepath.Join(dir, "witness.policy"), []byte(lines), 0o600))
	h := found(t, "--witness", filepath.Join(dir, "witness.policy"))
	must(t, os.Rename(filepath.Join(dir, "witness"), h.path("witness")))
	must(t, os.WriteFile(h.path("logs.policy"), []byte(h.account.Policy), 0o600))
	h.run("witness", "witness", h.path("witness"), "--logs", h.path("logs.policy"), "--listen", address)
	return h
}

// start starts the process, for the first time or again.
func (p *process) start(t testing.TB) {
	t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	must(t, err)
	defer log.Close()
	before, err := log.Seek(0, 2)
	must(t, err)
	p.Cmd = chancery(t, p.args...)
	p.Stdout, p.Stderr = log, log
	must(t, p.Start())
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		said, err := os.ReadFile(p.log)
		must(t, err)
		if bytes.Contains(said[before:], []byte("chancery: error")) || time.Now().After(until) {
			t.Fatalf("the server did not start:\n%s", said[before:])
		}
		if bytes.Contains(said[before:], []byte("chancery: ")) {
			return
		}
	}
}

// kill is kill -9.
func (p *process) kill() {
	if p.Cmd != nil && p.ProcessState == nil {
		p.Process.Kill()
		p.Wait()
	}
}

// stop ends the process as its operator would.
func (p *process) stop(t testing.TB) {
	t.Helper()
	must(t, p.Process.Signal(os.Interrupt))
	must(t, p.Wait())
}

// said is what the process wrote.
func (p *process) said(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile(p.log)
	must(t, err)
	return data
}

// enrol makes somebody's desk and seats them in an office.
func (h *house) enrol(ctx context.Context, id, office, seat string) *desk.Desk {
	h.t.Helper()
	invite, err := h.authority.Invite(id, "Person "+id, time.Now().Add(time.Hour), false)
	must(h.t, err)
	d, err := desk.Enrol(ctx, h.path("desks", id), h.account, invite, "first device", "", time.Now)
	must(h.t, err)
	all, err := h.authority.Candidates(ctx)
	must(h.t, err)
	for _, c := range all {
		if c.ID == id {
			_, err := h.authority.Admit(ctx, c)
			must(h.t, err)
		}
	}
	dir, err := h.authority.Directory(ctx)
	must(h.t, err)
	if _, err := dir.Holders(office, time.Now()); err != nil {
		_, err := h.authority.Office(ctx, office, office)
		must(h.t, err)
	}
	_, err = h.authority.Seat(ctx, office, seat, seat)
	must(h.t, err)
	_, err = h.authority.Appoint(ctx, id, office, seat, time.Now().Add(-time.Second))
	must(h.t, err)
	must(h.t, d.Sync(ctx, 0))
	for _, o := range d.Offers() {
		_, err := d.Accept(ctx, o.ID)
		must(h.t, err)
	}
	must(h.t, d.Sync(ctx, 0))
	h.desks[id] = d
	return d
}

// party reads the keys of a party of the institution's.
func (h *house) party(parts ...string) []byte {
	h.t.Helper()
	data, err := os.ReadFile(h.path(append([]string{"ministry"}, parts...)...))
	must(h.t, err)
	return data
}

// until calls f until it returns true.
func until(t testing.TB, what string, wait time.Duration, f func() bool) {
	t.Helper()
	for end := time.Now().Add(wait); !f(); time.Sleep(3 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain waited for: %s", what)
		}
	}
}

// calm fails if a desk is alarmed: nothing that happens to a server in these
// tests may look like an attack.
func (h *house) calm() {
	h.t.Helper()
	for id, d := range h.desks {
		for _, a := range d.Alarms() {
			h.t.Errorf("%s is alarmed: %s", id, a.Text)
		}
	}
}

// parallel runs f for each desk at once and waits for all.
func parallel[T any](all []T, f func(T)) {
	var wait sync.WaitGroup
	for _, one := range all {
		wait.Go(func() { f(one) })
	}
	wait.Wait()
}
