package marking_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/marking"
	"chancery/internal/seal"
	"chancery/internal/seal/share"
	"chancery/internal/sign"
	"chancery/mark"
)

// TestFromReleaseToReading sends a cable to three people, restarts the desk at
// every step, and sees each read a wording of their own.
func TestFromReleaseToReading(t *testing.T) {
	w := newTown(t)
	w.ready(2, custodians...)
	w.reopen()
	c := w.send("bo", "cy", "di")
	w.reopen()
	texts := map[string]bool{}
	for _, p := range []string{"bo", "cy", "di"} {
		out, err := w.desk.Deliver(w.receipt(c, p))
		if err != nil || out.Sealed == nil {
			t.Fatalf("%+v, %v", out, err)
		}
		texts[w.read(c, p, out.Sealed)] = true
		w.reopen()
	}
	if len(texts) < 2 {
		t.Error("three people read one wording")
	}
	// A second cable takes the next draw.
	if other := w.send("bo"); other.issued.Draw != 2 || c.issued.Draw != 1 {
		t.Errorf("draws %d and %d", c.issued.Draw, other.issued.Draw)
	}
	if w.desk.Usable() != 0 {
		t.Errorf("%d draws are left", w.desk.Usable())
	}
	last := w.compose("bo")
	if _, err := w.desk.Release(w.log1(entries.KindRelease, last.body, "ada"), last.order); !errors.Is(err, fault.NotFound) {
		t.Errorf("without a draw: %v", err)
	}
}

// TestCaseCanFollow restores the draw from the shares of any two custodians, and
// computes from it what each reader was dealt: what a case will do.
func TestCaseCanFollow(t *testing.T) {
	w := newTown(t)
	draws := w.ready(1)
	shares, vector := w.shares(draws[0])
	c := w.send("bo", "cy", "di")
	secret, err := share.Recover(shares[1:], vector)
	if err != nil {
		t.Fatal(err)
	}
	d := mark.Draw{Secret: secret.Key("draw"), Slots: marking.Slots}
	var body entries.Draw
	if err := sign.Open(draws[0].Statement, entries.KindDraw, &body, w.key("marking").Public()); err != nil {
		t.Fatal(err)
	}
	if entries.Digest(d.Root()) != body.Root {
		t.Fatal("the shares are of another draw than was committed to")
	}
	for i, one := range c.copies {
		key := mark.NewCopyKey(d.Slot(i+1), mark.Hash(c.body.Nonce), c.body.Cable, mark.Hash(c.body.Root), one.ID)
		want := c.built.Envelope.Deck().Deal(key.Codeword(c.built.Envelope.Sizes()))
		out, err := w.desk.Deliver(w.receipt(c, one.Person))
		if err != nil {
			t.Fatal(err)
		}
		data, err := seal.Open(out.Sealed, w.id(one.Person))
		if err != nil {
			t.Fatal(err)
		}
		got, err := entries.ParseDelivery(data)
		if err != nil || !bytes.Equal(got.List, want.Encode()) {
			t.Errorf("%s was dealt what the draw does not give", one.Person)
		}
	}
}

// TestNoDrawBeforeItsShares: a draw that custodians could not open later would
// make every case about its cable impossible, and one made after the release could
// have been made to fit it. Neither is used, and none after it.
func TestNoDrawBeforeItsShares(t *testing.T) {
	w := newTown(t)
	draws, err := w.desk.Prepare(2)
	w.must(err)
	if w.desk.Usable() != 0 {
		t.Error("a draw is usable that never was in the log")
	}
	c := w.compose("bo")
	early := w.log1(entries.KindRelease, c.body, "ada")
	for _, p := range draws {
		w.must(w.desk.DrawLogged(w.logged(p.Statement)))
		for _, c := range custodians {
			w.shareOK(p, c)
		}
	}
	if _, err := w.desk.Release(w.again(early), c.order); !errors.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "before the release") {
		t.Errorf("a draw logged after the release: %v", err)
	}
	if _, err := w.desk.Release(w.log1(entries.KindRelease, c.body, "ada"), c.order); err != nil {
		t.Errorf("released again: %v", err)
	}
	two := newTown(t)
	draws = two.ready(2, "auditor", "clerk")
	if two.desk.Usable() != 0 {
		t.Fatal("usable with two of three, two of whom are needed")
	}
	two.shareOK(draws[1], "judge")
	d := two.compose("bo")
	if _, err := two.desk.Release(two.log1(entries.KindRelease, d.body, "ada"), d.order); !errors.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "draw 1") {
		t.Errorf("the second draw before the first: %v", err)
	}
}

// TestShareOKRefuses what is no word of a custodian about a draw of this desk.
func TestShareOKRefuses(t *testing.T) {
	w := newTown(t)
	p := w.ready(1, "auditor", "clerk")[0]
	var draw entries.Draw
	w.must(sign.Open(p.Statement, entries.KindDraw, &draw, w.key("marking").Public()))
	good := entries.ShareOK{Draw: 1, Root: draw.Root, Vector: draw.Vector}
	other := func(f func(*entries.ShareOK)) entries.ShareOK {
		b := good
		f(&b)
		return b
	}
	for name, c := range map[string]struct {
		s    marking.Seen
		says string
	}{
		"another vector":  {w.log1(entries.KindShareOK, other(func(b *entries.ShareOK) { b.Vector[0] ^= 1 }), "judge"), "another draw"},
		"another root":    {w.log1(entries.KindShareOK, other(func(b *entries.ShareOK) { b.Root[0] ^= 1 }), "judge"), "another draw"},
		"an unknown draw": {w.log1(entries.KindShareOK, other(func(b *entries.ShareOK) { b.Draw = 9 }), "judge"), "another draw"},
		"by no custodian": {w.log1(entries.KindShareOK, good, "ada"), "no custodian"},
		"no share-ok":     {w.log1(entries.KindVoid, entries.Void{}, "judge"), "kind"},
	} {
		if err := w.desk.ShareOK(w.again(c.s)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := w.log1(entries.KindShareOK, good, "judge")
	moved := s
	moved.Index--
	if err := w.desk.ShareOK(moved); err == nil || !strings.Contains(err.Error(), "not shown to hold") {
		t.Errorf("at another index: %v", err)
	}
	if err := w.desk.ShareOK(s); err != nil || w.desk.Usable() != 1 {
		t.Errorf("the third: %v, %d usable", err, w.desk.Usable())
	}
}

// TestLostPackets: the desk dies between keeping a draw and sending its packets,
// or a custodian refuses. The draw can be sent again, or given up; it does not stop
// the others for ever.
func TestLostPackets(t *testing.T) {
	w := newTown(t)
	first, err := w.desk.Prepare(1)
	w.must(err)
	w.reopen()
	again := w.desk.Pending()
	if len(again) != 1 || !bytes.Equal(again[0].Statement, first[0].Statement) || len(again[0].Packets) != 3 {
		t.Fatalf("%d draws are pending", len(again))
	}
	w.ready(1, custodians...)
	void, err := w.desk.GiveUp(1, "the judge is away")
	w.must(err)
	var body entries.Void
	w.must(sign.Open(void, entries.KindVoid, &body, w.key("marking").Public()))
	w.reopen()
	if c := w.send("bo"); c.issued.Draw != 2 || body.Draw != 1 {
		t.Errorf("draw %d after %d was given up", c.issued.Draw, body.Draw)
	}
	if _, err := w.desk.GiveUp(2, "x"); !errors.Is(err, fault.Exists) {
		t.Errorf("a draw that serves a cable is given up: %v", err)
	}
}

// TestOneStatementForOneRelease: the answer is lost on its way and the author's
// desk asks again, or the desk dies between drawing and answering. Nothing is drawn
// anew: a second codeword for one copy would let somebody choose.
func TestOneStatementForOneRelease(t *testing.T) {
	w := newTown(t)
	w.ready(3, custodians...)
	c := w.compose("bo", "cy")
	release := w.log1(entries.KindRelease, c.body, "ada")
	w.files.fail = true
	if _, err := w.desk.Release(release, c.order); !errors.Is(err, fault.System) {
		t.Fatalf("%v", err)
	}
	w.files.fail = false
	first, err := w.desk.Release(release, c.order)
	if err != nil {
		t.Fatal(err)
	}
	w.reopen()
	// In the meantime the author's tenure has ended.
	w.appoint(directory.KindTenureEnd, directory.TenureEnd{Tenure: "t-ada", Until: directory.At(w.now)}, "authority", "ada")
	release = w.again(release)
	second, err := w.desk.Release(release, c.order)
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("two issues of one release, %v", err)
	}
	if w.desk.Usable() != 2 {
		t.Errorf("%d draws are left of three", w.desk.Usable())
	}
	// Somebody logs the author's statement once more: it is the same release.
	copied, err := w.desk.Release(w.logged(release.Entry.Statement), c.order)
	if err != nil || !bytes.Equal(first, copied) {
		t.Errorf("the statement logged twice: %v", err)
	}
	// The author signs another release of the same cable.
	if _, err := w.desk.Release(w.log1(entries.KindRelease, c.body, "ada"), c.order); !errors.Is(err, fault.Exists) {
		t.Errorf("%v", err)
	}
}

// TestVoid: an order that is not what was released spends its draw, and the log
// says so: else an author could try draws until one pleases.
func TestVoid(t *testing.T) {
	for name, spoil := range map[string]func(w *town, c *sent){
		"no order": func(w *town, c *sent) { c.order = []byte("x"); c.body.Envelope = digest("x") },
		"a tenure that ended": func(w *town, c *sent) {
			w.appoint(directory.KindTenureEnd, directory.TenureEnd{Tenure: "t-bo", Until: directory.At(w.now)}, "authority", "deputy")
		},
		"sealed to another": func(w *town, c *sent) {
			c.order, _ = seal.Seal([]byte("x"), w.id("bo").Recipient())
			c.body.Envelope = digest(string(c.order))
		},
		"another draft":       func(w *town, c *sent) { c.body.Root[0] ^= 1 },
		"other copies":        func(w *town, c *sent) { c.copies[0].Person = "di"; w.seal(c) },
		"one copy more":       func(w *town, c *sent) { c.body.N++ },
		"not in that seat":    func(w *town, c *sent) { c.copies[0].Seat = "third"; w.recopy(c) },
		"one person twice":    func(w *town, c *sent) { c.copies = append(c.copies, again(c.copies[0])); c.body.N++; w.seal(c) },
		"no such person":      func(w *town, c *sent) { c.copies[0].Person = "eve"; w.recopy(c) },
		"an envelope altered": func(w *town, c *sent) { c.built.Envelope.Segments[0].Order[0] = 99; w.seal(c) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			w.ready(2, custodians...)
			c := w.compose("bo", "cy")
			spoil(w, c)
			release := w.log1(entries.KindRelease, c.body, "ada")
			statement, err := w.desk.Release(release, c.order)
			if err != nil {
				t.Fatal(err)
			}
			var void entries.Void
			if err := sign.Open(statement, entries.KindVoid, &void, w.key("marking").Public()); err != nil {
				t.Fatal(err)
			}
			if void.Draw != 1 || void.Reason == "" || void.Cable != c.body.Cable {
				t.Errorf("%+v", void)
			}
			w.reopen()
			if w.desk.Usable() != 1 {
				t.Error("the draw of a void attempt can be used again")
			}
			c.seen, c.issue = release, release
			if out, err := w.desk.Deliver(w.receipt(c, "bo")); err == nil {
				t.Errorf("keys of a void cable: %+v", out)
			}
		})
	}
}

func digest(text string) entries.Digest { return entries.Digest(sum(text)) }

func again(c entries.Copy) entries.Copy {
	c.ID = randomID()
	return c
}

// recopy makes release and order agree on the copies.
func (w *town) recopy(c *sent) {
	var err error
	c.body.Copies, err = entries.CopiesRoot(c.copies)
	w.must(err)
	w.seal(c)
}

// TestReleaseRefused spends no draw: nobody who does not hold the office can use
// up draws.
func TestReleaseRefused(t *testing.T) {
	w := newTown(t)
	w.ready(1, custodians...)
	for name, c := range map[string]struct {
		by     string
		change func(*entries.Release)
		want   fault.Kind
	}{
		"by another":        {"bo", func(*entries.Release) {}, fault.Permission},
		"another tenure":    {"ada", func(r *entries.Release) { r.Tenure = "t-bo" }, fault.Permission},
		"another office":    {"ada", func(r *entries.Release) { r.Office = "centre.desk" }, fault.Permission},
		"in author mode":    {"ada", func(r *entries.Release) { r.Mode = entries.ModeAuthor }, fault.Usage},
		"no cable":          {"ada", func(r *entries.Release) { r.Cable = "x" }, fault.Input},
		"no precedence":     {"ada", func(r *entries.Release) { r.Precedence = "soon" }, fault.Input},
		"not attested":      {"ada", func(r *entries.Release) { r.Interchangeable = false }, fault.Input},
		"no copies":         {"ada", func(r *entries.Release) { r.N = 0 }, fault.Input},
		"by an authority":   {"authority", func(*entries.Release) {}, fault.Mismatch},
		"by a marking key":  {"marking", func(*entries.Release) {}, fault.Mismatch},
		"for another desk":  {"ada", func(r *entries.Release) { r.Marking = "x" }, fault.Usage},
		"a later directory": {"ada", func(r *entries.Release) { r.Directory = 1 << 40 }, fault.Input},
	} {
		s := w.compose("bo")
		c.change(&s.body)
		if _, err := w.desk.Release(w.log1(entries.KindRelease, s.body, c.by), s.order); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := w.compose("bo")
	// The carrier sends other bytes than the author's: that spends nothing.
	release := w.log1(entries.KindRelease, s.body, "ada")
	if _, err := w.desk.Release(release, w.compose("bo").order); !errors.Is(err, fault.Input) {
		t.Errorf("another order: %v", err)
	}
	release.Index--
	if _, err := w.desk.Release(release, s.order); !errors.Is(err, fault.Mismatch) {
		t.Errorf("at another place of the log: %v", err)
	}
	w.appoint(directory.KindTenureEnd, directory.TenureEnd{Tenure: "t-ada", Until: directory.At(w.now)}, "authority", "ada")
	if _, err := w.desk.Release(w.log1(entries.KindRelease, s.body, "ada"), s.order); !errors.Is(err, fault.Permission) {
		t.Errorf("after the tenure: %v", err)
	}
	if w.desk.Usable() != 1 {
		t.Error("a refused release spent a draw")
	}
}

// TestWithheld: recall, an ended tenure, a revoked device, a reader who was shown
// another log. No keys leave, and the refusal is a statement that can be logged.
func TestWithheld(t *testing.T) {
	for name, c := range map[string]struct {
		before func(w *town, s *sent)
		device string        // whose
		after  func(w *town) // when the receipt is in the log
		reason string
	}{
		"recalled": {before: func(w *town, s *sent) {
			n, err := w.desk.Recall(w.log1(entries.KindRecall, entries.Recall{Cable: s.body.Cable, Release: s.seen.Index}, "ada"))
			if err != nil || n != 0 {
				w.t.Fatal(n, err)
			}
			w.reopen()
		}, reason: "recalled"},
		"tenure ended": {before: func(w *town, s *sent) {
			w.appoint(directory.KindTenureEnd, directory.TenureEnd{Tenure: "t-bo", Until: directory.At(w.now)}, "authority", "deputy")
		}, reason: "ended"},
		"tenure not begun": {before: func(w *town, s *sent) { w.now = start.AddDate(0, 0, -1) }, reason: "not begun"},
		"device revoked":   {before: func(w *town, s *sent) { w.appoint(directory.KindRevoked, w.device("bo"), "authority") }, reason: "revoked"},
		"a device of cy":   {device: "cy", reason: "another person"},
		"another tenure of his": {before: func(w *town, s *sent) {
			w.appoint(directory.KindTenureEnd, directory.TenureEnd{Tenure: "t-bo", Until: directory.At(w.now)}, "authority", "deputy")
			w.appoint(directory.KindSeat, directory.Seat{Office: "post.embassy", Seat: "guest", Title: "Guest"}, "authority")
			w.appoint(directory.KindTenure, directory.Tenure{ID: "t-bo-2", Office: "post.embassy", Seat: "guest", Person: "bo", From: directory.At(start)}, "authority", "bo")
		}, reason: "ended"},
		"new keys": {before: func(w *town, s *sent) {}, after: func(w *town) { w.rekey("bo") }, reason: "replaced"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			w.ready(1, custodians...)
			s := w.send("bo", "cy")
			if c.before != nil {
				c.before(w, s)
			}
			var changes []func(*entries.Receipt)
			if c.device != "" {
				changes = append(changes, func(r *entries.Receipt) { r.Device = w.device(c.device).ID() })
			}
			r := w.receipt(s, "bo", changes...)
			if c.after != nil {
				c.after(w)
				r = w.renew(r)
			}
			out, err := w.desk.Deliver(r)
			if err != nil {
				t.Fatal(err)
			}
			var stated entries.Withheld
			if out.Sealed != nil || sign.Open(out.Withheld, entries.KindWithheld, &stated, w.key("marking").Public()) != nil {
				t.Fatalf("%+v", out)
			}
			if !strings.Contains(stated.Reason, c.reason) || stated.Receipt != r.Index {
				t.Errorf("%+v", stated)
			}
		})
	}
}

// TestNoKeysWithoutReceipt: what is no receipt of this reader's copy, in the log,
// gives nothing at all.
func TestNoKeysWithoutReceipt(t *testing.T) {
	w := newTown(t)
	w.ready(2, custodians...)
	c := w.send("bo", "cy")
	other := w.send("bo")
	forged := func() marking.Receipt { // signed by cy for bo's copy
		r := w.receipt(c, "cy", func(b *entries.Receipt) { b.Copy = c.copies[0].ID })
		return r
	}
	unlogged := func() marking.Receipt {
		r := w.receipt(c, "bo")
		r.Entry = custody.NewEntry(r.Entry.Statement) // another salt: another leaf
		return r
	}
	signedBy := func(by ...string) marking.Receipt { // bo's receipt on his device
		var b entries.Receipt
		w.must(sign.Peek(w.receipt(c, "bo").Entry.Statement, entries.KindReceipt, &b))
		return marking.Receipt{Seen: w.log1(entries.KindReceipt, b, by...)}
	}
	for name, r := range map[string]marking.Receipt{
		"without the device":                   signedBy("bo"),
		"by another device than it names":      signedBy("bo", "device of cy"),
		"by the device alone":                  signedBy("device of bo"),
		"by a device in its reader's place":    signedBy("device of bo", "bo"),
		"on a device that is not":              w.receipt(c, "bo", func(b *entries.Receipt) { b.Device = "" }),
		"for another's copy":                   forged(),
		"not in the log":                       unlogged(),
		"for another issue":                    w.receipt(c, "bo", func(b *entries.Receipt) { b.Issue = other.issue.Index }),
		"another release":                      w.receipt(c, "bo", func(b *entries.Receipt) { b.Release-- }),
		"another kit":                          w.receipt(c, "bo", func(b *entries.Receipt) { b.Kit[0] ^= 1 }),
		"another cable":                        w.receipt(c, "bo", func(b *entries.Receipt) { b.Cable = randomID() }),
		"a copy that is not":                   w.receipt(c, "bo", func(b *entries.Receipt) { b.Copy = randomID() }),
		"a receipt replayed for another cable": w.receipt(c, "bo", func(b *entries.Receipt) { b.Cable = other.body.Cable }),
		"an opened":                            {Seen: w.log1(entries.KindOpened, entries.Opened{Cable: c.body.Cable}, "bo")},
		"by an outsider":                       {Seen: w.log1(entries.KindReceipt, entries.Receipt{Cable: c.body.Cable}, "eve")},
		"signed by two":                        {Seen: w.log1(entries.KindReceipt, entries.Receipt{Cable: c.body.Cable}, "bo", "cy")},
	} {
		if name != "not in the log" {
			r = w.renew(r)
		}
		if out, err := w.desk.Deliver(r); err == nil || out != nil {
			t.Errorf("%s: %+v", name, out)
		}
	}
	// Before the desk's own issue is in the log there is nothing to receive.
	d := newTown(t)
	d.ready(1, custodians...)
	s := d.compose("bo")
	s.seen = d.log1(entries.KindRelease, s.body, "ada")
	if _, err := d.desk.Release(s.seen, s.order); err != nil {
		t.Fatal(err)
	}
	s.issue = s.seen
	if _, err := d.desk.Deliver(d.receipt(s, "bo")); !errors.Is(err, fault.NotFound) {
		t.Errorf("before the issue is logged: %v", err)
	}
	if _, err := d.desk.Deliver(d.receipt(s, "bo")); !errors.Is(err, fault.NotFound) {
		t.Errorf("before the issue is logged: %v", err)
	}
	if err := d.desk.Logged(d.log1(entries.KindIssue, entries.Issue{Cable: s.body.Cable}, "marking")); !errors.Is(err, fault.Mismatch) {
		t.Errorf("an issue that the desk did not make: %v", err)
	}
}

// TestRecallByOthers: only who holds the originating office recalls.
func TestRecallByOthers(t *testing.T) {
	w := newTown(t)
	w.ready(1, custodians...)
	c := w.send("bo")
	recall := entries.Recall{Cable: c.body.Cable, Release: c.seen.Index}
	if _, err := w.desk.Recall(w.log1(entries.KindRecall, recall, "cy")); !errors.Is(err, fault.Permission) {
		t.Errorf("%v", err)
	}
	out, err := w.desk.Deliver(w.receipt(c, "bo"))
	if err != nil || out.Sealed == nil {
		t.Fatal(err)
	}
	if n, err := w.desk.Recall(w.log1(entries.KindRecall, recall, "ada")); err != nil || n != 1 {
		t.Errorf("%d were opened before, %v", n, err)
	}
}

// TestRecallHolds: it comes before the release does, or its file cannot be
// written. No keys leave all the same.
func TestRecallHolds(t *testing.T) {
	w := newTown(t)
	w.ready(2, custodians...)
	c := w.compose("bo")
	c.seen = w.log1(entries.KindRelease, c.body, "ada")
	if _, err := w.desk.Recall(w.log1(entries.KindRecall, entries.Recall{Cable: c.body.Cable, Release: c.seen.Index}, "ada")); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	statement, err := w.desk.Release(w.again(c.seen), c.order)
	w.must(err)
	c.issue = w.logged(statement)
	w.must(w.desk.Logged(c.issue))
	if out, err := w.desk.Deliver(w.receipt(c, "bo")); err != nil || out.Sealed != nil {
		t.Errorf("recalled before it was released: %+v, %v", out, err)
	}
	other := w.send("bo")
	w.files.fail = true
	if _, err := w.desk.Recall(w.log1(entries.KindRecall, entries.Recall{Cable: other.body.Cable, Release: other.seen.Index}, "ada")); !errors.Is(err, fault.System) {
		t.Errorf("%v", err)
	}
	w.files.fail = false
	if out, err := w.desk.Deliver(w.receipt(other, "bo")); err != nil || out.Sealed != nil {
		t.Errorf("recalled on a full disk: %+v, %v", out, err)
	}
}
