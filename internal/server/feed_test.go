package server_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chancery/internal/custody"
	"chancery/internal/server/servertest"
	"chancery/internal/wire"
)

// between is a store in which something happens after a party's bodies were read, once.
type between struct {
	custody.Storage
	mu   sync.Mutex
	then func() // guarded by mu
	read atomic.Int64
}

func (b *between) set(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.then = f
}

func (b *between) Bodies(ctx context.Context, party string, from custody.Place, n int) ([]custody.Stored, error) {
	out, err := b.Storage.Bodies(ctx, party, from, n)
	for _, s := range out {
		b.read.Add(int64(len(s.Data)))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if f := b.then; f != nil && party != "" {
		b.then = nil
		f()
	}
	return out, err
}

// TestNothingIsPassedOver: while a feed is gathered for two parties, a letter comes for
// the first, which was read already, and then one for the second. If the second alone
// is told, whoever asks goes on behind it and never hears of the first.
func TestNothingIsPassedOver(t *testing.T) {
	b := &between{}
	h := servertest.New(t, servertest.Options{Storage: func(s custody.Storage) custody.Storage { b.Storage = s; return b }})
	v := speak(h, h.Marking)
	b.set(func() {
		for i, party := range []string{"marking:marking", "own:marking"} {
			_, err := h.Custody.Append(context.Background(), sealed(fmt.Sprint(i), party))
			check(t, err)
		}
	})
	from := custody.Place{}
	var got []string
	for range 5 {
		out, status := v.feed(fmt.Sprintf("party=marking:marking&party=own:marking&index=%d&part=%d", from.Index, from.Part))
		if status != 200 {
			t.Fatal(status)
		}
		for _, e := range out.Entries {
			got = append(got, e.Party)
			from = custody.Place{Index: e.Index, Part: e.Part}.Next()
		}
	}
	if !slices.Equal(got, []string{"marking:marking", "own:marking"}) {
		t.Errorf("came: %v", got)
	}
}

// TestLongFeeds reads what does not fit in one answer: all of it, in order, once.
func TestLongFeeds(t *testing.T) {
	b := &between{}
	h := servertest.New(t, servertest.Options{Storage: func(s custody.Storage) custody.Storage { b.Storage = s; return b }})
	const many = 600
	var all []custody.Submission
	for i := range many {
		all = append(all, sealed(fmt.Sprint(i), []string{"marking:marking", "own:marking"}[i%3/2]))
	}
	large := strings.Repeat("x", custody.MaxBody-8)
	for i := range 30 {
		all = append(all, sealed(fmt.Sprint(i)+large, "marking:marking"))
	}
	indexes, err := h.Custody.Append(t.Context(), all...)
	check(t, err)
	v := speak(h, h.Marking)
	var got []int64
	answers := 0
	for from, more := (custody.Place{}), true; more; {
		before := b.read.Load()
		out, _ := v.feed(fmt.Sprintf("party=marking:marking&party=own:marking&party=own:marking&index=%d&part=%d", from.Index, from.Part))
		if answers++; answers > 20 || len(out.Entries) > wire.MaxEntries {
			t.Fatalf("%d answers, the last of %d entries", answers, len(out.Entries))
		}
		if read := b.read.Load() - before; read > 28<<20 {
			t.Errorf("%d MiB were read for one answer", read>>20)
		}
		for _, e := range out.Entries {
			got = append(got, e.Index)
			from = custody.Place{Index: e.Index, Part: e.Part}.Next()
		}
		if more = out.More; more && len(out.Entries) == 0 {
			t.Fatal("more of nothing")
		}
	}
	if !slices.Equal(got, indexes) {
		t.Errorf("%d entries came of %d", len(got), len(indexes))
	}
}

func TestWaiting(t *testing.T) {
	h := house(t)
	ada := h.Person("ada")
	v := speak(h, ada.Device)
	begun := time.Now()
	if out, status := v.feed("party=person:ada&wait=0"); status != 200 || len(out.Entries) != 0 || time.Since(begun) > 5*time.Second {
		t.Errorf("without waiting: %d after %s", status, time.Since(begun))
	}
	came := make(chan wire.Feed, 1)
	fastest := time.Hour
	for i := range int64(3) { // a busy machine may be late once
		go func() {
			out, _ := v.feed(fmt.Sprintf("party=person:ada&index=%d&wait=20", size(h)))
			came <- out
		}()
		time.Sleep(50 * time.Millisecond)
		begun = time.Now()
		if status, _ := speak(h, h.Custodian).ask("POST /v1/entries", submit(t, sealed(fmt.Sprint("letter", i), "person:ada"))); status != 200 {
			t.Fatal(status)
		}
		select {
		case out := <-came:
			fastest = min(fastest, time.Since(begun))
			if len(out.Entries) != 1 || string(out.Entries[0].Data) != fmt.Sprint("letter", i) {
				t.Errorf("%v came", out.Entries)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the feed does not wake")
		}
	}
	if fastest > 700*time.Millisecond { // by itself it looks every second
		t.Errorf("the news took %s", fastest)
	}
	// What another process logs wakes nobody here; the feed looks by itself.
	go func() {
		out, _ := v.feed("party=person:ada&index=99&wait=20")
		came <- out
	}()
	time.Sleep(50 * time.Millisecond)
	h.Server.Close()
	select {
	case out := <-came:
		if len(out.Entries) != 0 || out.Head.Checkpoint == nil {
			t.Errorf("%v came", out)
		}
	case <-time.After(10 * time.Second):
		t.Error("the feed does not end when the registry does")
	}
}

func TestRate(t *testing.T) {
	h := servertest.New(t, servertest.Options{Rate: 1, Burst: 5})
	ada, bo := h.Person("ada"), h.Person("bo")
	count := func(v voice, n int) (good int) {
		for range n {
			status, body := v.ask("GET /v1/head", nil)
			switch {
			case status == 200:
				good++
			case status != http.StatusTooManyRequests || !strings.Contains(string(body), "system failure"):
				t.Errorf("%d %s", status, body)
			}
		}
		return good
	}
	one := speak(h, ada.Device)
	if got := count(one, 9); got != 5 {
		t.Errorf("%d requests at once", got)
	}
	if got := count(speak(h, ada.Device), 3); got != 0 {
		t.Errorf("a second connection gives %d more", got)
	}
	if got := count(speak(h, bo.Device), 3); got != 3 {
		t.Errorf("another device is held back: %d", got)
	}
	if status, _ := speak(h, nil).ask("GET /health", nil); status != 200 {
		t.Errorf("a stranger: %d", status)
	}
	if got := count(speak(h, h.Marking), 9); got != 9 {
		t.Errorf("the marking desk, which must answer whoever writes to it, has %d requests", got)
	}
	h.Later(2 * time.Second)
	if got := count(one, 4); got != 2 {
		t.Errorf("%d requests after two seconds", got)
	}
	// Strangers are told apart by address: more connections give no more.
	stranger := 0
	for range 3 {
		v := speak(h, nil)
		for range 4 {
			if status, _ := v.ask("POST /v1/enrol", []byte("{}")); status != http.StatusTooManyRequests {
				stranger++
			}
		}
	}
	if stranger > 6 {
		t.Errorf("a stranger has %d requests", stranger)
	}
}

// TestQuota: a device sends so much in a day and no more; others and the marking desk go on.
func TestQuota(t *testing.T) {
	h := servertest.New(t, servertest.Options{Quota: 100_000})
	ada, bo := h.Person("ada"), h.Person("bo")
	send := func(v voice, n int) (status int, body []byte) {
		return v.ask("POST /v1/entries", make([]byte, n))
	}
	one := speak(h, ada.Device)
	if status, _ := send(one, 90_000); status == http.StatusTooManyRequests {
		t.Error("the first is held back")
	}
	if status, body := send(one, 20_000); status != http.StatusTooManyRequests || !strings.Contains(string(body), "in a day") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := one.ask("GET /v1/head", nil); status != 200 {
		t.Errorf("who may send no more cannot read either: %d", status)
	}
	if status, _ := send(speak(h, bo.Device), 20_000); status == http.StatusTooManyRequests {
		t.Error("another device is held back")
	}
	for range 3 {
		if status, _ := send(speak(h, h.Marking), 90_000); status == http.StatusTooManyRequests {
			t.Error("the marking desk is held back")
		}
	}
	h.Later(12 * time.Hour)
	if status, _ := send(one, 20_000); status == http.StatusTooManyRequests {
		t.Error("held back half a day later")
	}
}
