package marking_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"testing"

	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/keylist"
	"chancery/internal/marking"
	"chancery/internal/seal"
	"chancery/internal/sign"
	"chancery/mark"
)

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
	first := w.send("bo")
	w.send("cy")
	names, err := w.files.Names("cable-")
	if err != nil || len(names) != 2 {
		t.Fatal(names, err)
	}
	good := map[string][]byte{}
	for name, data := range w.files.held {
		good[name] = data
	}
	forged := func(name string) {
		// Whoever knows the desk's public key can seal to it.
		data, err := seal.Open(good[name], w.id("marking"))
		w.must(err)
		w.files.held[name], _ = seal.Seal(append(make([]byte, 32), data[32:]...), w.id("marking").Recipient())
	}
	for name, spoil := range map[string]func(){
		"a draw of the thief's":     func() { forged("draw-00000001") },
		"a cable of the thief's":    func() { forged(names[1]) },
		"a file under another name": func() { w.files.held[cableFile(randomID())] = good[names[0]] },
		"two files swapped":         func() { w.files.held[names[0]], w.files.held[names[1]] = good[names[1]], good[names[0]] },
		"the first draw missing":    func() { delete(w.files.held, "draw-00000001") },
		"a byte changed": func() {
			w.files.held[names[0]] = bytes.Clone(good[names[0]])
			w.files.held[names[0]][len(good[names[0]])-1] ^= 1
		},
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
	// A cable's file is missing, as in an old backup: the desk's own issue in the log
	// tells, and the draw is not used again in silence.
	w.files.held = maps.Clone(good)
	delete(w.files.held, cableFile(first.body.Cable))
	w.reopen()
	if err := w.desk.Logged(w.again(first.issue)); !errors.Is(err, fault.Mismatch) {
		t.Errorf("files older than the log: %v", err)
	}
	w.files.held = good
	c := w.config()
	c.Key = w.key("operator")
	if _, err := marking.Open(c); !errors.Is(err, fault.Mismatch) {
		t.Errorf("with the operator's key: %v", err)
	}
}

// TestOrdersAndDeliveriesAreKept: what a cable's order says is believed only if it is the
// one released, and which copies were delivered is known after a restart, once flushed.
func TestOrdersAndDeliveriesAreKept(t *testing.T) {
	w := newTown(t)
	w.ready(2, custodians...)
	c, other := w.send("bo", "cy"), w.send("bo")
	order := "order-" + c.body.Cable
	good := w.files.held[order]
	for name, spoil := range map[string][]byte{"missing": nil, "another's": w.files.held["order-"+other.body.Cable], "altered": append([]byte("x"), good[1:]...)} {
		w.files.held[order] = spoil
		if spoil == nil {
			delete(w.files.held, order)
		}
		w.reopen()
		if out, err := w.desk.Deliver(w.receipt(c, "bo")); !errors.Is(err, fault.Mismatch) && !errors.Is(err, fault.NotFound) {
			t.Errorf("the order is %s: %v, %v", name, out, err)
		}
	}
	w.files.held[order] = good
	w.reopen()
	if _, err := w.desk.Deliver(w.receipt(c, "bo")); err != nil {
		t.Fatal(err)
	}
	if names, _ := w.files.Names("handed-"); len(names) != 0 {
		t.Errorf("kept before it was flushed: %v", names)
	}
	w.must(w.desk.Flush())
	w.reopen()
	if _, err := w.desk.Deliver(w.receipt(c, "cy")); err != nil {
		t.Fatal(err)
	}
	w.must(w.desk.Flush())
	w.reopen()
	if n, err := w.desk.Recall(w.log1(entries.KindRecall, entries.Recall{Cable: c.body.Cable, Release: c.seen.Index}, "ada")); n != 2 || err != nil {
		t.Errorf("%d copies were delivered before the recall, not 2: %v", n, err)
	}
	names, _ := w.files.Names("handed-")
	if len(names) != 1 {
		t.Fatalf("%v", names)
	}
	w.files.held["handed-"+other.body.Cable+"-0"] = w.files.held[names[0]]
	if _, err := marking.Open(w.config()); !errors.Is(err, fault.Mismatch) {
		t.Errorf("deliveries of another cable: %v", err)
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

func cableFile(id string) string { return "cable-" + id }

// renew gives a receipt proofs for the newest checkpoint.
func (w *town) renew(r marking.Receipt) marking.Receipt {
	w.t.Helper()
	r.Seen = w.again(r.Seen)
	var body entries.Receipt
	now, _ := w.view.Last()
	if sign.Peek(r.Entry.Statement, entries.KindReceipt, &body) == nil && body.Size <= now.Size {
		var err error
		r.Consistency, err = custody.ProveConsistency(w.t.Context(), w.store, body.Size, now.Size)
		w.must(err)
	}
	return r
}

// rekey gives a person new keys, as after a theft.
func (w *town) rekey(person string) {
	w.t.Helper()
	w.keys["new "+person] = sign.Generate()
	p := directory.Person{ID: person, Name: "Person " + person, Sign: w.key("new " + person).Public(), Recipient: w.id("new " + person).Recipient().String()}
	w.appoint(directory.KindPerson, p, "authority", "new "+person, "deputy")
}

// TestHandedOverIsNeverWithheld: keys were handed over, then the cable was recalled, and
// the desk was restarted before it kept its place: it is given the receipt again.
func TestHandedOverIsNeverWithheld(t *testing.T) {
	w := newTown(t)
	w.ready(1, custodians...)
	c := w.send("bo", "cy")
	r := w.receipt(c, "bo")
	out, err := w.desk.Deliver(r)
	w.must(err)
	text := w.read(c, "bo", out.Sealed)
	if n, err := w.desk.Recall(w.log1(entries.KindRecall, entries.Recall{Cable: c.body.Cable, Release: c.seen.Index}, "ada")); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	w.reopen()
	out, err = w.desk.Deliver(w.renew(r))
	w.must(err)
	if out.Withheld != nil || w.read(c, "bo", out.Sealed) != text {
		t.Errorf("%+v", out)
	}
	if out, err = w.desk.Deliver(w.receipt(c, "cy")); err != nil || out.Withheld == nil {
		t.Errorf("keys that were not handed over before the recall: %+v, %v", out, err)
	}
}
