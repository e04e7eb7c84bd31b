package service

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chancery/internal/desk"
	"chancery/internal/fault"
	"chancery/internal/town"
)

// A clock is that of a whole town, and somebody turns it.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) turn(ahead time.Duration) { c.ahead.Store(int64(ahead)) }

// clocked is a town with a clock that is turned.
type clocked struct {
	*testing.T
	clock
	town *town.Town
	ctx  context.Context
	ada  *desk.Desk
	read []*desk.Desk
	n    int
}

func newClocked(t *testing.T) *clocked {
	t.Helper()
	long(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	c := &clocked{T: t, ctx: ctx}
	w, err := town.Found(ctx, town.Config{Folder: t.TempDir(), Name: "Ministry of Example", Custodians: custodians, Threshold: 2, Overseers: []string{"inspector"}, Stock: 10, Now: c.now})
	must(t, err)
	c.town = w
	t.Cleanup(func() { must(t, w.Close()) })
	for id, office := range map[string]string{"ada": "post.embassy", "bo": "centre.desk", "cy": "centre.private-office"} {
		d, err := w.Enrol(ctx, id, "Person "+id)
		must(t, err)
		must(t, w.Seat(ctx, d, office, id))
		if id == "ada" {
			c.ada = d
		} else {
			c.read = append(c.read, d)
		}
	}
	return c
}

// queue queues a cable and returns its reference.
func (c *clocked) queue() string {
	c.Helper()
	must(c.T, c.town.Ready(c.ctx, time.Minute))
	c.n++
	ref := fmt.Sprintf("POST %d/30", c.n)
	_, err := c.ada.Queue(desk.Outgoing{Draft: fmt.Sprintf(cabled, ref), To: []string{"centre.desk", "centre.private-office"}, Precedence: "priority", Reference: ref, Attested: true})
	must(c.T, err)
	return ref
}

// issued sends what is queued and waits until the readers know of it.
func (c *clocked) issued(ref string) {
	c.Helper()
	must(c.T, c.ada.Sync(c.ctx, 0))
	for _, d := range c.read {
		until(c.T, ref+" at "+d.Person, 20*time.Second, func() bool {
			must(c.T, d.Sync(c.ctx, time.Second))
			i, err := d.Find(ref)
			return err == nil && i.Issue != nil
		})
	}
}

// opened has every reader open a cable and say so.
func (c *clocked) opened(ref string) {
	c.Helper()
	for _, d := range c.read {
		i, err := d.Read(c.ctx, ref)
		must(c.T, err)
		if !strings.Contains(i.Text, "about the harbour") {
			c.Errorf("%s read %q", d.Person, i.Text)
		}
		_, err = d.Ack(c.ctx, ref)
		must(c.T, err)
	}
}

// calm fails if anybody is alarmed or a party has ended.
func (c *clocked) calm() {
	c.Helper()
	must(c.T, c.town.Err())
	for _, d := range append(c.read, c.ada) {
		for _, a := range d.Alarms() {
			c.Errorf("%s is alarmed: %s", d.Person, a.Text)
		}
	}
}

// TestClockTurned turns everybody's clock by hours and weeks, forth and back, in the
// midst of work: cables go out and are read.
func TestClockTurned(t *testing.T) {
	c := newClocked(t)
	for _, ahead := range []time.Duration{0, 7 * time.Hour, 50 * 24 * time.Hour, time.Minute} {
		c.turn(ahead)
		ref := c.queue()
		c.issued(ref)
		c.turn(ahead/2 + time.Hour)
		c.opened(ref)
	}
	c.calm()
}

// TestClockBeforeAppointment turns the clock to before anybody was appointed. What
// cannot be done then is refused in words that say why, nothing is lost, and it is done
// when the clock is right again.
func TestClockBeforeAppointment(t *testing.T) {
	c := newClocked(t)
	first := c.queue()
	c.issued(first)
	c.turn(-5 * time.Hour)
	second := c.queue()
	err := c.ada.Sync(c.ctx, 0)
	if !errors.Is(err, fault.Permission) || !strings.Contains(err.Error(), "you sit in no office") {
		t.Errorf("sending before one was appointed: %v", err)
	}
	if out := c.ada.Outbox(); len(out) != 1 || out[0].Why == "" {
		t.Errorf("the outbox does not say why: %+v", out)
	}
	_, err = c.read[0].Read(c.ctx, first)
	t.Logf("reading before one was appointed: %v", err)
	if !errors.Is(err, fault.Permission) || !strings.Contains(err.Error(), "withheld") {
		t.Errorf("reading before one was appointed: %v", err)
	}
	c.turn(0)
	c.issued(second)
	c.opened(second)
	c.calm()
}

// TestOneClockWrong: one desk's clock alone is wrong by weeks. It is told so, and goes
// on when its clock is right.
func TestOneClockWrong(t *testing.T) {
	c := newClocked(t)
	var wrong atomic.Int64
	right, folder := c.ada.Now, filepath.Join(c.town.Folder, "desks", "ada")
	ada, err := desk.OpenFolder(folder, nil, func() time.Time { return right().Add(time.Duration(wrong.Load())) })
	must(t, err)
	c.ada = ada
	for _, by := range []time.Duration{9 * time.Hour, 20 * 24 * time.Hour} {
		wrong.Store(int64(by))
		ref := c.queue()
		c.issued(ref)
		c.opened(ref)
	}
	wrong.Store(int64(40 * 24 * time.Hour))
	late, err := desk.OpenFolder(folder, nil, ada.Now)
	must(t, err)
	if err := late.Sync(c.ctx, 0); err == nil || !strings.Contains(err.Error(), "run out") {
		t.Errorf("a clock wrong by forty days: %v", err)
	} else {
		t.Logf("a clock wrong by forty days: %v", err)
	}
	wrong.Store(0)
	ref := c.queue()
	c.issued(ref)
	c.opened(ref)
	c.calm()
}
