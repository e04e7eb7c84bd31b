package service

import (
	"bytes"
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"chancery/internal/desk"
	"chancery/internal/directory"
)

// TestKilledDesks kills the commands of an author and of a reader at random moments.
// What was acknowledged was sent, nothing is sent twice, every cable can be read, and
// what was read once is read in the same words again. (400 rounds in make soak.)
func TestKilledDesks(t *testing.T) {
	long(t)
	h := found(t)
	h.serve("registry", h.path("ministry"), h.address, "--custodians", "--draws", "12")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for id, office := range map[string]string{"ada": "post.embassy", "bo": "centre.desk"} {
		must(t, h.enrol(ctx, id, office, "head").Close())
	}
	tr := &traffic{h: h, ctx: ctx, open: openPart{database: h.path("ministry", "registry", "registry.db"), party: directory.Draws}}
	var acknowledged, attempted []string
	words := map[string][]string{} // that reading printed, by reference
	ended := 0
	for round := range twentieth(400) {
		// Not every round takes a draw: after a while there are as many as are kept ready.
		begun := time.Now()
		until(t, "draws", time.Minute, func() bool {
			return tr.draws() >= min(round+3, 10) && (tr.draws() >= round+3 || time.Since(begun) > time.Second)
		})
		ref := fmt.Sprintf("POST %d/30", round)
		draft := h.path("draft.txt")
		must(t, os.WriteFile(draft, []byte(strings.ReplaceAll(drafts["POST 18/30"], "POST 18/30", ref)), 0o600))
		attempted = append(attempted, ref)
		send := commanded(t, h, "send", draft, "--to", "centre.desk", "--attest", "--new-keys", "--desk", h.path("desks", "ada"))
		other := attempted[mathrand.IntN(len(attempted))]
		read := commanded(t, h, "read", other, "--desk", h.path("desks", "bo"))
		time.Sleep(time.Duration(mathrand.IntN(500)) * time.Millisecond)
		for _, c := range []*running{send, read} {
			if c.kill() {
				ended++
			}
		}
		if strings.Contains(send.out.String(), "sent: released at entry") {
			acknowledged = append(acknowledged, ref)
		}
		if read.ended && read.ProcessState.Success() {
			words[other] = append(words[other], read.out.String())
		}
	}
	ada, bo := reopened(t, h, "ada"), reopened(t, h, "bo")
	for until := time.Now().Add(time.Minute); ; {
		must(t, ada.Sync(ctx, 0))
		must(t, bo.Sync(ctx, time.Second))
		if len(ada.Outbox()) == 0 && issued(bo) {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("%d cables in the outbox, and not all are issued", len(ada.Outbox()))
		}
	}
	came := map[string]int{}
	for _, i := range bo.Items() {
		came[i.Release.Reference]++
		i, err := bo.Read(ctx, i.Cable)
		if err != nil {
			t.Errorf("%s: %v", i.Release.Reference, err)
		}
		for _, printed := range words[i.Release.Reference] {
			if !strings.Contains(printed, i.Text[strings.Index(i.Text, "\n\n"):]) {
				t.Errorf("%s was read in other words before", i.Release.Reference)
			}
		}
	}
	for _, ref := range acknowledged {
		if came[ref] != 1 {
			t.Errorf("%s was acknowledged, and came %d times", ref, came[ref])
		}
	}
	for ref, n := range came {
		if n != 1 {
			t.Errorf("%s came %d times", ref, n)
		}
		if i, err := ada.Find(ref); err != nil || len(i.Copies) != 1 || i.Record == "" {
			t.Errorf("%s: its author knows %d readers: %v", ref, len(i.Copies), err)
		}
	}
	h.calm()
	t.Logf("%d cables: %d acknowledged, %d came, %d were read before the end; %d commands ended by themselves", len(attempted), len(acknowledged), len(came), len(words), ended)
	if len(came) == 0 || len(came) < len(acknowledged) {
		t.Error("nothing came: the test shows nothing")
	}
}

// running is a command that may be killed.
type running struct {
	*exec.Cmd
	out   bytes.Buffer
	ended bool
	done  chan error
}

// commanded starts a command.
func commanded(t *testing.T, h *house, args ...string) *running {
	t.Helper()
	r := &running{Cmd: chancery(t, args...), done: make(chan error, 1)}
	r.Stdout, r.Stderr = &r.out, &r.out
	must(t, r.Start())
	go func() { r.done <- r.Wait() }()
	return r
}

// kill is kill -9, and says whether the command had ended by itself.
func (r *running) kill() bool {
	select {
	case <-r.done:
		r.ended = true
	default:
		r.Process.Kill()
		<-r.done
	}
	return r.ended
}

// reopened is a desk whose commands were killed.
func reopened(t *testing.T, h *house, id string) *desk.Desk {
	t.Helper()
	d, err := desk.OpenFolder(h.path("desks", id), func() (string, error) { return "", nil }, time.Now)
	must(t, err)
	h.desks[id] = d
	return d
}

// issued says whether all cables that a desk knows are issued.
func issued(d *desk.Desk) bool {
	for _, i := range d.Items() {
		if i.Issue == nil {
			return false
		}
	}
	return true
}
