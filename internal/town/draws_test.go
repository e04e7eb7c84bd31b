package town_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"chancery/internal/client"
	"chancery/internal/courier"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/post"
	"chancery/internal/sign"
)

// TestCableWaitsForADraw: cables that are sent while the marking desk has no draw ready,
// as at its start, wait in the outbox. Released, each would be refused for good.
func TestCableWaitsForADraw(t *testing.T) {
	ctx := t.Context()
	w := found(t)
	ada, bo := enrol(t, w, "ada", "post.embassy"), enrol(t, w, "bo", "centre.desk")
	must(t, bo.Sync(ctx, 0))
	const cables = 5 // the desk keeps two draws ready
	must(t, ada.Sync(ctx, 0))
	for range cables {
		_, err := ada.Queue(desk.Outgoing{Draft: draft, To: []string{"centre.desk"}, Precedence: "flash", Reference: "POST 1/30", Attested: true})
		must(t, err)
	}
	issued := func() (n int) {
		for _, i := range ada.Items() {
			if i.Void != "" {
				t.Errorf("refused: %s", i.Void)
			}
			if i.Issue != nil {
				n++
			}
		}
		return n
	}
	for until := time.Now().Add(time.Minute); issued() < cables; {
		if time.Now().After(until) {
			t.Fatalf("%d of %d were issued; %d wait", issued(), cables, len(ada.Outbox()))
		}
		must(t, ada.Sync(ctx, time.Second))
	}
}

// TestOldWordOfDraws: what the marking desk said of its draws is logged once more, by
// somebody who wants cables to be released while no draw is ready. It counts for nothing.
func TestOldWordOfDraws(t *testing.T) {
	ctx := t.Context()
	w := found(t)
	ada := enrol(t, w, "ada", "post.embassy")
	must(t, w.Stocked(ctx, 30*time.Second))
	c, err := w.Dial(ada.Keys.Device, t.TempDir())
	must(t, err)
	var said [][]byte
	wish := client.Wish{Parties: []string{directory.Everyone}, Parcel: client.NoParcels}
	for more := true; more; {
		came, err := courier.Fetch(ctx, c, wish)
		must(t, err)
		for _, l := range came.Letters {
			wish.From = l.Next()
			if kind, _, err := sign.Claims(l.Entry.Statement); err == nil && kind == entries.KindNoted {
				said = append(said, l.Entry.Statement)
			}
		}
		more = came.More
	}
	must(t, ada.Sync(ctx, 0))
	noted := func() (last entries.Noted) {
		t.Helper()
		must(t, ada.Sync(ctx, 0))
		for _, n := range ada.Noted() {
			last = n
		}
		return last
	}
	before := noted()
	if len(said) < 2 || before.Ready < 1 {
		t.Fatalf("the marking desk said %d times how many draws are ready, at last %+v", len(said), before)
	}
	for _, s := range said[:len(said)-1] {
		_, err := c.Submit(ctx, post.Publish(s))
		must(t, err)
	}
	if after := noted(); after.Number < before.Number || after.Ready < 1 {
		t.Errorf("%+v became %+v", before, after)
	}
}

// TestOnlyWhoWasShown: a cable that waits reaches somebody else by the time it could leave.
// Its author has not been asked, and it stays.
func TestOnlyWhoWasShown(t *testing.T) {
	ctx := t.Context()
	w := found(t)
	ada, bo := enrol(t, w, "ada", "post.embassy"), enrol(t, w, "bo", "centre.desk")
	must(t, w.Ready(ctx, 30*time.Second))
	must(t, ada.Sync(ctx, 0))
	r, err := ada.Reach([]string{"centre.desk"})
	must(t, err)
	enrol(t, w, "mallory", "centre.desk")
	id, err := ada.Queue(desk.Outgoing{Draft: draft, To: []string{"centre.desk"}, People: r.Shown(), Precedence: "flash", Reference: "POST 2/30", Attested: true})
	must(t, err)
	var unsent *desk.Unsent
	if err := ada.Sync(ctx, 0); !errors.As(err, &unsent) || !strings.Contains(err.Error(), `"mallory"`) {
		t.Errorf("it left, or nobody says why not: %v", err)
	}
	must(t, ada.Drop(id))
	r, err = ada.Reach([]string{"centre.desk"})
	must(t, err)
	_, err = ada.Queue(desk.Outgoing{Draft: draft, To: []string{"centre.desk"}, People: r.Shown(), Precedence: "flash", Reference: "POST 3/30", Attested: true})
	must(t, err)
	must(t, ada.Sync(ctx, 0))
	must(t, bo.Sync(ctx, 0))
	if _, err := bo.Find("POST 3/30"); err != nil {
		t.Error(err)
	}
}

// TestOutboxOrder: the more urgent leaves first, then the older.
func TestOutboxOrder(t *testing.T) {
	w := found(t)
	ada := enrol(t, w, "ada", "post.embassy")
	for _, o := range []struct{ reference, precedence string }{{"C", "routine"}, {"A", "flash"}, {"D", "routine"}, {"B", "immediate"}} {
		_, err := ada.Queue(desk.Outgoing{Draft: draft, To: []string{"post.embassy"}, Precedence: o.precedence, Reference: o.reference})
		must(t, err)
		time.Sleep(1100 * time.Millisecond) // queued by the second
	}
	got := ""
	for _, o := range ada.Outbox() {
		got += o.Reference
	}
	if got != "ABCD" {
		t.Errorf("%s", got)
	}
}
