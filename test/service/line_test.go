package service

import (
	"context"
	"io"
	mathrand "math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// A line leads to an address, and breaks when it is told to.
type line struct {
	net.Listener
	to string

	mu    sync.Mutex
	conns []net.Conn // guarded by mu
}

func newLine(t *testing.T, to string) *line {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	one := &line{Listener: l, to: to}
	t.Cleanup(func() { l.Close(); one.cut() })
	go one.lead()
	return one
}

func (l *line) lead() {
	for {
		from, err := l.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", l.to)
		if err != nil {
			from.Close()
			continue
		}
		l.mu.Lock()
		l.conns = append(l.conns, from, to)
		l.mu.Unlock()
		for _, pair := range [][2]net.Conn{{from, to}, {to, from}} {
			go func() {
				io.Copy(pair[0], pair[1])
				pair[0].Close()
				pair[1].Close()
			}()
		}
	}
}

// cut breaks every connection. The next may be made at once.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
}

// bad cuts the line again and again until the returned function is called.
func (l *line) bad() (good func()) {
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			l.cut()
			time.Sleep(time.Duration(5+mathrand.IntN(150)) * time.Millisecond)
		}
	}()
	return func() { end(); <-ended }
}

// TestMarkingDeskOnABadLine breaks the marking desk's line in the midst of what it
// does. Every draw that it made comes to the log and the custodians, since one that did
// not would stop all behind it; and it forgets no letter.
func TestMarkingDeskOnABadLine(t *testing.T) {
	long(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	h := found(t)
	h.serve("registry", h.path("ministry"), h.address, "--no-marking", "--custodians")
	h.enrol(ctx, "ada", "post.embassy", "head")
	for i, id := range readers {
		h.enrol(ctx, id, []string{"centre.desk", "centre.desk", "centre.private-office"}[i], id)
	}
	l := newLine(t, h.address)
	account := h.account
	account.URL = "https://" + l.Addr().String()
	const draws = 8
	good := l.bad()
	m := h.marking(ctx, account, draws)
	time.Sleep(4 * time.Second)
	good()
	until(t, "draws", time.Minute, func() bool { return m.Usable() == draws })
	for _, d := range h.desks {
		must(t, d.Sync(ctx, 0))
	}
	good = l.bad()
	defer good()
	time.AfterFunc(3*time.Second, good)
	for _, ref := range []string{"POST 18/30", "POST 19/30"} {
		h.send(ctx, h.desks["ada"], ref, "", "centre.desk", "centre.private-office")
	}
	for _, ref := range []string{"POST 18/30", "POST 19/30"} {
		h.read(ctx, ref, readers...)
	}
	h.calm()
}
