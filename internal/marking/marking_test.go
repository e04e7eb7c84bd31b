package marking_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"

	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/keylist"
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
	if _, err := w.desk.Release(w.log1(entries.KindRelease, w.compose("bo").body, "ada"), nil); !errors.Is(err, fault.NotFound) {
		t.Errorf("without a draw: %v", err)
	}
}

// TestCaseCanFollow restores the draw from the shares of any two custodians, and
// computes from it what each reader was dealt: what a case will do.
func TestCaseCanFollow(t *testing.T) {
	w := newTown(t)
	draws := w.ready(1)
	var shares []share.Share
	var vector *share.Vector
	for _, name := range custodians {
		s, v := w.shareOK(draws[0], name)
		shares, vector = append(shares, s), v
	}
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
// make every case about its cable impossible. It is not used, and none after it.
func TestNoDrawBeforeItsShares(t *testing.T) {
	w := newTown(t)
	draws := w.ready(2, "auditor", "clerk")
	if w.desk.Usable() != 0 {
		t.Fatal("usable with two of three, two of whom are needed")
	}
	c := w.compose("bo")
	release := w.log1(entries.KindRelease, c.body, "ada")
	if _, err := w.desk.Release(release, c.order); !errors.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
	w.shareOK(draws[1], "judge")
	if _, err := w.desk.Release(w.again(release), c.order); !errors.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "draw 1") {
		t.Errorf("the second draw before the first: %v", err)
	}
	bad := entries.ShareOK{Draw: 1}
	for name, s := range map[string]marking.Seen{
		"another vector":   w.log1(entries.KindShareOK, bad, "judge"),
		"by no custodian":  w.log1(entries.KindShareOK, bad, "ada"),
		"no share-ok":      w.log1(entries.KindVoid, entries.Void{}, "judge"),
		"an unknown draw":  w.log1(entries.KindShareOK, entries.ShareOK{Draw: 9}, "judge"),
		"not in the log":   {Index: 3, Entry: custody.NewEntry([]byte("x"))},
		"at another index": func() marking.Seen { s := w.log1(entries.KindShareOK, bad, "judge"); s.Index--; return s }(),
	} {
		if err := w.desk.ShareOK(s); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	w.shareOK(draws[0], "judge")
	if _, err := w.desk.Release(w.again(release), c.order); err != nil {
		t.Error(err)
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
	second, err := w.desk.Release(release, c.order)
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("two issues of one release, %v", err)
	}
	if w.desk.Usable() != 2 {
		t.Errorf("%d draws are left of three", w.desk.Usable())
	}
	// The same cable released once more.
	if _, err := w.desk.Release(w.log1(entries.KindRelease, c.body, "ada"), c.order); !errors.Is(err, fault.Exists) {
		t.Errorf("%v", err)
	}
}

// TestVoid: an order that is not what was released spends its draw, and the log
// says so: else an author could try draws until one pleases.
func TestVoid(t *testing.T) {
	for name, spoil := range map[string]func(w *town, c *sent){
		"another order": func(w *town, c *sent) { c.order = w.compose("bo").order },
		"no order":      func(w *town, c *sent) { c.order = []byte("x"); c.body.Envelope = digest("x") },
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
		"by another":       {"bo", func(*entries.Release) {}, fault.Permission},
		"another tenure":   {"ada", func(r *entries.Release) { r.Tenure = "t-bo" }, fault.Permission},
		"another office":   {"ada", func(r *entries.Release) { r.Office = "centre.desk" }, fault.Permission},
		"in author mode":   {"ada", func(r *entries.Release) { r.Mode = entries.ModeAuthor }, fault.Usage},
		"no cable":         {"ada", func(r *entries.Release) { r.Cable = "x" }, fault.Input},
		"no precedence":    {"ada", func(r *entries.Release) { r.Precedence = "soon" }, fault.Input},
		"not attested":     {"ada", func(r *entries.Release) { r.Interchangeable = false }, fault.Input},
		"no copies":        {"ada", func(r *entries.Release) { r.N = 0 }, fault.Input},
		"by an authority":  {"authority", func(*entries.Release) {}, fault.Mismatch},
		"by a marking key": {"marking", func(*entries.Release) {}, fault.Mismatch},
	} {
		s := w.compose("bo")
		c.change(&s.body)
		if _, err := w.desk.Release(w.log1(entries.KindRelease, s.body, c.by), s.order); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := w.compose("bo")
	release := w.log1(entries.KindRelease, s.body, "ada")
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
		change func(*entries.Receipt)
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
		"another's device": {change: func(r *entries.Receipt) { r.Device = "" }, reason: "not known"},
		"a device of cy": {before: func(w *town, s *sent) {}, change: func(r *entries.Receipt) {
			r.Device = (&town{}).device("cy").Key
		}, reason: "another person"},
		"another's tenure": {change: func(r *entries.Receipt) { r.Tenure = "t-cy" }, reason: "not \"bo\"'s"},
		"split view":       {change: func(r *entries.Receipt) { r.Root[3] ^= 1 }, reason: "another log"},
		"a longer log":     {change: func(r *entries.Receipt) { r.Size += 1000 }, reason: "another log"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			w.ready(1, custodians...)
			s := w.send("bo", "cy")
			if c.before != nil {
				c.before(w, s)
			}
			var changes []func(*entries.Receipt)
			if c.change != nil {
				changes = append(changes, c.change)
			}
			r := w.receipt(s, "bo", changes...)
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
	for name, r := range map[string]marking.Receipt{
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
		if len(r.Proof) > 0 && name != "not in the log" {
			r.Seen = w.again(r.Seen)
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

// TestSizes: what the desk delivers has one length for all copies of a cable.
func TestSizes(t *testing.T) {
	w := newTown(t)
	w.ready(1, custodians...)
	c := w.send("bo", "cy", "di")
	lengths := map[int]bool{}
	for _, p := range []string{"bo", "cy", "di"} {
		out, err := w.desk.Deliver(w.receipt(c, p))
		if err != nil {
			t.Fatal(err)
		}
		lengths[len(out.Sealed)] = true
	}
	if len(lengths) != 1 {
		t.Errorf("deliveries of %v bytes", lengths)
	}
}

// TestStolenFiles: whoever takes the desk's files finds no rho, no t, no key of a
// box in them. The search finds what is planted.
func TestStolenFiles(t *testing.T) {
	w := newTown(t)
	w.ready(1, custodians...)
	c := w.send("bo", "cy")
	if _, err := w.desk.Deliver(w.receipt(c, "bo")); err != nil {
		t.Fatal(err)
	}
	var secrets [][]byte
	secrets = append(secrets, c.built.Envelope.Secret[:])
	for j := range c.built.Envelope.Segments {
		for b := range keylist.Boxes {
			k := keylist.BoxKey(c.built.Envelope.Secret, j, b)
			secrets = append(secrets, k[:])
		}
	}
	search := func() int {
		n := 0
		for _, data := range w.files.held {
			for _, s := range secrets {
				if bytes.Contains(data, s) {
					n++
				}
			}
		}
		return n
	}
	if n := search(); n > 0 {
		t.Errorf("%d secrets lie open", n)
	}
	w.files.held["planted"] = append([]byte("x"), secrets[7]...)
	if search() != 1 {
		t.Error("the search does not find a planted key")
	}
	for name, data := range w.files.held {
		if name == "planted" {
			continue
		}
		if _, err := seal.Open(data, w.id("bo"), w.id("operator")); err == nil {
			t.Errorf("%s opens with another's key", name)
		}
	}
}

// TestDamagedFiles: the desk does not start on files that were altered, swapped or
// copied, or under other keys.
func TestDamagedFiles(t *testing.T) {
	w := newTown(t)
	w.ready(2, custodians...)
	w.send("bo")
	w.send("cy")
	names, err := w.files.Names("cable-")
	if err != nil || len(names) != 2 {
		t.Fatal(names, err)
	}
	good := map[string][]byte{}
	for name, data := range w.files.held {
		good[name] = data
	}
	for name, spoil := range map[string]func(){
		"a byte changed":  func() { w.files.held[names[0]] = append(bytes.Clone(good[names[0]][:len(good[names[0]])-1]), 'x') },
		"emptied":         func() { w.files.held["draw-00000001"] = nil },
		"a draw missing":  func() { delete(w.files.held, "draw-00000002") },
		"another's words": func() { w.files.held["cable-x"], _ = seal.Seal([]byte(`{"cable":"x"}`), w.id("marking").Recipient()) },
	} {
		w.files.held = map[string][]byte{}
		for k, v := range good {
			w.files.held[k] = v
		}
		spoil()
		if _, err := marking.Open(w.config()); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	w.files.held = good
	c := w.config()
	c.Key = w.key("operator")
	if _, err := marking.Open(c); !errors.Is(err, fault.Mismatch) {
		t.Errorf("with the operator's key: %v", err)
	}
}

// TestIndependence: what one reader is dealt says nothing of another's, whatever
// the author's desk saw. Over many copies the symbols are uniform and pairs of
// copies agree as often as chance has it.
func TestIndependence(t *testing.T) {
	w := newTown(t)
	w.ready(1, custodians...)
	c := w.send("bo", "cy", "di")
	sizes := c.built.Envelope.Sizes()
	var d mark.Draw
	rand.Read(d.Secret[:])
	d.Slots = marking.Slots
	const copies = 4000
	var before []int
	agree, counts := make([]int, len(sizes)), make([][]int, len(sizes))
	for i := range copies {
		key := mark.NewCopyKey(d.Slot(i+1), mark.Hash(c.body.Nonce), c.body.Cable, mark.Hash(c.body.Root), randomID())
		word := key.Codeword(sizes)
		for g, x := range word {
			if counts[g] == nil {
				counts[g] = make([]int, sizes[g])
			}
			counts[g][x]++
			if before != nil && before[g] == x {
				agree[g]++
			}
		}
		before = word
	}
	for g, size := range sizes {
		p := 1 / float64(size)
		// Five standard deviations: once in a million runs.
		limit := 5 * sqrt(copies*p*(1-p))
		for x, n := range counts[g] {
			if abs(float64(n)-copies*p) > limit {
				t.Errorf("group %d: symbol %d stands %d times of %d", g, x, n, copies)
			}
		}
		if abs(float64(agree[g])-(copies-1)*p) > limit {
			t.Errorf("group %d: neighbours agree %d times of %d", g, agree[g], copies)
		}
	}
	if !slices.ContainsFunc(sizes, func(n int) bool { return n > 2 }) {
		t.Error("the draft has no group of three")
	}
}
