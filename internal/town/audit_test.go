package town_test

import (
	"crypto/rand"
	"maps"
	"slices"
	"testing"
	"time"

	"chancery/internal/attend"
	"chancery/internal/client"
	"chancery/internal/courier"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/post"
	"chancery/internal/seal"
	"chancery/internal/seal/share"
	"chancery/internal/sign"
	"chancery/internal/town"
)

// overseer is what the inspector sees.
func overseer(t *testing.T, w *town.Town) *attend.Survey {
	t.Helper()
	c, err := w.Account.Dial(w.Watchers["inspector"].Sign, nil, nil, w.Now)
	must(t, err)
	defer c.Close()
	s, err := (&attend.Overseer{Name: "inspector", Identity: w.Watchers["inspector"].Identity, Client: c}).Survey(t.Context())
	must(t, err)
	return s
}

// said counts statements of a kind about draws, by draw.
func said(t *testing.T, w *town.Town, kind string) map[int]int {
	t.Helper()
	c, err := w.Account.Dial(w.Watchers["inspector"].Sign, nil, nil, w.Now)
	must(t, err)
	defer c.Close()
	out := map[int]int{}
	at := client.Wish{Parties: []string{directory.Draws}, Parcel: client.NoParcels}
	for more := true; more; {
		came, err := courier.Fetch(t.Context(), c, at)
		must(t, err)
		for _, l := range came.Letters {
			at.From = l.Next()
			var body struct {
				Draw int `json:"draw"`
			}
			if k, _, err := sign.Claims(l.Entry.Statement); err == nil && k == kind {
				must(t, sign.Loosely(l.Entry.Statement, &body, anySigner(t, w, l.Entry.Statement)))
				out[body.Draw]++
			}
		}
		more = came.More
	}
	return out
}

// anySigner finds the key of a party that signed.
func anySigner(t *testing.T, w *town.Town, statement []byte) *sign.Public {
	t.Helper()
	_, signers, err := sign.Claims(statement)
	must(t, err)
	for _, k := range w.Keepers {
		if k.Sign.Public().ID() == signers[0] {
			return k.Sign.Public()
		}
	}
	return w.Marking.Sign.Public()
}

// TestOneDrawInTwentyIsOpened: of the first twenty draws the custodians open one, find it
// good, and no cable is drawn from it.
func TestOneDrawInTwentyIsOpened(t *testing.T) {
	computes(t)
	w, err := town.Found(t.Context(), town.Config{Folder: t.TempDir(), Name: "Ministry", Custodians: []string{"auditor", "clerk", "judge"}, Threshold: 2, Overseers: []string{"inspector"}, Stock: 20})
	must(t, err)
	defer w.Close()
	must(t, w.Stocked(t.Context(), time.Minute))
	for until := time.Now().Add(20 * time.Second); len(said(t, w, entries.KindVerdict)) == 0 && time.Now().Before(until); {
		time.Sleep(50 * time.Millisecond)
	}
	opened := said(t, w, entries.KindAudit)
	if len(opened) < 1 || len(opened) > 2 { // the 21st may be opened too: that is in the next twenty
		t.Fatalf("opened: %v", opened)
	}
	answered := said(t, w, entries.KindShareOK)
	for draw, n := range opened {
		if n != 1 || draw <= 20 && answered[draw] > 2 {
			t.Errorf("draw %d: %d wishes to open it, %d answers that it is good", draw, n, answered[draw])
		}
	}
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if v := said(t, w, entries.KindVerdict); slices.ContainsFunc(slices.Collect(maps.Keys(opened)), func(d int) bool { return v[d] == 3 }) {
			break
		}
	}
	s := overseer(t, w)
	for draw := range s.Opened {
		if opened[draw] == 0 {
			t.Errorf("draw %d was opened, and nobody chose it", draw)
		}
	}
	// No share lies open before the marking desk said that the draw serves no cable.
	if given, voids := said(t, w, entries.KindGiven), said(t, w, entries.KindVoid); len(given) == 0 || len(voids) < len(given) {
		t.Errorf("shares of %v lie open, void are %v", given, voids)
	}
	if len(s.Denied) > 0 || len(s.Opened) == 0 || len(s.Bad) > 0 || s.Strange > 0 {
		t.Errorf("the overseer sees %+v", s)
	}
}

// TestDeceivingMarkingDesk: the marking desk commits to one draw and hands the custodians
// shares of another, so that a case would find nothing. Every share is good by itself.
// Within twenty draws it is found out, overseers see it, and no custodian answers it again.
func TestDeceivingMarkingDesk(t *testing.T) {
	w, err := town.Found(t.Context(), town.Config{Folder: t.TempDir(), Name: "Ministry", Custodians: []string{"auditor", "clerk", "judge"}, Threshold: 2, Overseers: []string{"inspector"}})
	must(t, err)
	defer w.Close()
	c, err := w.Account.Dial(w.Marking.Sign, nil, nil, w.Now)
	must(t, err)
	defer c.Close()
	deceive := func(draw int) {
		t.Helper()
		shares, vector, err := share.Split(share.Generate(), 2, 3)
		must(t, err)
		body := entries.Draw{Draw: draw, Slots: attend.Slots, Vector: vector.Digest()}
		rand.Read(body.Root[:])
		s, err := sign.Sign(entries.KindDraw, body, w.Marking.Sign.In(w.Account.Origin()))
		must(t, err)
		_, err = c.Submit(t.Context(), post.Publish(s))
		must(t, err)
		for i, name := range w.Custodians {
			packet := entries.SharePacket{Draw: draw, Share: shares[i].Encode(), Vector: vector.Encode()}
			sealed, err := seal.SealTo(packet.Encode(), w.Keepers[name].Identity.Recipient().String())
			must(t, err)
			must(t, c.PutParcel(t.Context(), sealed, []string{directory.CustodianParty(name)}))
		}
	}
	for draw := range entries.AuditBlock {
		deceive(draw + 1)
	}
	// It does not say that the draw which is to be opened serves no cable: nobody lays a
	// share open, and nobody answers for any draw more.
	var opened int
	for until := time.Now().Add(20 * time.Second); opened == 0 && time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		for draw := range said(t, w, entries.KindAudit) {
			opened = draw
		}
	}
	time.Sleep(time.Second)
	if given, ok := said(t, w, entries.KindGiven), said(t, w, entries.KindShareOK); opened == 0 || len(given) > 0 || len(ok) >= entries.AuditBlock {
		t.Fatalf("draw %d is to be opened: shares of %v lie open, %d draws are answered for", opened, given, len(ok))
	}
	void, err := sign.Sign(entries.KindVoid, entries.Void{Release: -1, Draw: opened, Reason: "opened"}, w.Marking.Sign.In(w.Account.Origin()))
	must(t, err)
	_, err = c.Submit(t.Context(), post.Publish(void))
	must(t, err)
	until := time.Now().Add(30 * time.Second)
	for total := 0; total < 3 && time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		total = 0
		for _, n := range said(t, w, entries.KindVerdict) {
			total += n
		}
	}
	s := overseer(t, w)
	if len(s.Bad) != 1 || s.Opened[s.Bad[0]] > 0 {
		t.Fatalf("the overseer sees %+v", s)
	}
	before := said(t, w, entries.KindShareOK)
	deceive(entries.AuditBlock + 1)
	time.Sleep(2 * time.Second)
	if after := said(t, w, entries.KindShareOK); after[entries.AuditBlock+1] > 0 || len(after) > len(before) {
		t.Errorf("a custodian answers a desk that deceives: %v", after)
	}
}
