package marking

import (
	"fmt"
	"iter"

	"chancery/internal/custody"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/seal"
	"chancery/internal/seal/share"
	"chancery/internal/sign"
	"chancery/mark"
)

// Slots is how many copies one draw can serve, late ones included.
const Slots = 16384

// rhoPurpose is for what the shared secret of a draw gives its rho.
const rhoPurpose = "draw"

// draw is randomness that was committed to. Its file holds rho: who has the
// desk's key and this file can compute every codeword of the cable it serves, and
// not a word of it.
type draw struct {
	Number    int               `json:"number"`
	Rho       []byte            `json:"rho"`
	Root      entries.Digest    `json:"root"` // that the statement commits to
	Statement []byte            `json:"statement"`
	Vector    entries.Digest    `json:"vector_digest"`
	Packets   map[string][]byte `json:"packets"` // by custodian, sealed
	Logged    int64             `json:"logged"`  // index of the statement in the log, or -1
	Good      map[string]int64  `json:"good"`    // index of each custodian's share-ok
	Void      []byte            `json:"void"`    // the statement that gave it up, or nil
	Audit     int64             `json:"audit"`   // index at which a custodian chose to open it, or 0

	spent bool
}

func drawName(n int) string { return fmt.Sprintf("draw-%08d", n) }

func (d *Desk) loadDraw(name string, data []byte) error {
	var w draw
	if err := decode(data, &w); err != nil {
		return err
	}
	if w.Number < 1 || len(w.Rho) != len(mark.Hash{}) || name != drawName(w.Number) || w.Good == nil {
		return fault.Mismatch.New("a draw of the marking desk was altered")
	}
	w.spent = w.Void != nil || w.Audit > 0
	d.draws[w.Number] = &w
	return nil
}

// A Prepared draw is to be logged, and its packets sent to the custodians.
type Prepared struct {
	Number    int
	Statement []byte
	Packets   map[string][]byte // by custodian: share and vector, sealed
}

// Prepare makes n further draws and keeps them before it returns them. A draw takes a
// moment to compute; meanwhile the desk does its other work.
func (d *Desk) Prepare(n int) ([]Prepared, error) {
	d.making.Lock()
	defer d.making.Unlock()
	var out []Prepared
	for range n {
		d.mu.Lock()
		number := len(d.draws) + 1
		d.mu.Unlock()
		w, err := d.prepare(number)
		if err != nil {
			return out, err
		}
		if err := d.keepDraw(w); err != nil {
			return out, err
		}
		out = append(out, Prepared{w.Number, w.Statement, w.Packets})
	}
	return out, nil
}

func (d *Desk) keepDraw(w *draw) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.save(drawName(w.Number), w); err != nil {
		return err
	}
	d.draws[w.Number] = w
	return nil
}

func (d *Desk) prepare(number int) (*draw, error) {
	secret := share.Generate()
	in := d.Directory.Institution()
	shares, vector, err := share.Split(secret, in.Threshold, len(in.Custodians))
	if err != nil {
		return nil, err
	}
	rho := secret.Key(rhoPurpose)
	w := &draw{Number: number, Rho: rho[:], Vector: vector.Digest(), Packets: map[string][]byte{}, Logged: -1, Good: map[string]int64{}}
	w.Root = entries.Digest(w.randomness().Root())
	body := entries.Draw{Draw: number, Slots: Slots, Root: w.Root, Vector: w.Vector}
	if w.Statement, err = d.state(entries.KindDraw, body); err != nil {
		return nil, err
	}
	for i, c := range in.Custodians {
		packet := entries.SharePacket{Draw: number, Share: shares[i].Encode(), Vector: vector.Encode()}
		if w.Packets[c.Name], err = seal.SealTo(packet.Encode(), c.Recipient); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *draw) randomness() mark.Draw { return mark.Draw{Secret: mark.Hash(w.Rho), Slots: Slots} }

// Pending returns the draws that are not usable yet, to be logged and sent once
// more: their statements and packets as they were.
func (d *Desk) Pending() []Prepared {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Prepared
	for w := range d.unspent() {
		if !d.usable(w, maxIndex) {
			out = append(out, Prepared{w.Number, w.Statement, w.Packets})
		}
	}
	return out
}

// maxIndex is beyond any entry.
const maxIndex = custody.MaxSize

// GiveUp spends a draw that serves no cable, because its shares were lost or a
// custodian refuses: else it would stop those behind it. It returns the void to
// log.
func (d *Desk) GiveUp(number int, reason string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.draws[number]
	switch {
	case w == nil:
		return nil, fault.NotFound.New("there is no draw %d", number)
	case w.Void != nil:
		return w.Void, nil
	case w.spent:
		return nil, fault.Exists.New("the draw %d serves a cable", number)
	}
	void, err := d.state(entries.KindVoid, entries.Void{Release: -1, Draw: number, Reason: reason})
	if err != nil {
		return nil, err
	}
	w.Void = void
	if err := d.save(drawName(number), w); err != nil {
		w.Void = nil
		return nil, err
	}
	w.spent = true
	return void, nil
}

// DrawLogged takes the statement of one of the desk's draws from the log. A draw
// serves only cables that were released after that.
func (d *Desk) DrawLogged(s Seen) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.verify(s); err != nil {
		return err
	}
	var body entries.Draw
	if err := sign.Open(s.Entry.Statement, entries.KindDraw, &body, d.Key.Public()); err != nil {
		return err
	}
	w := d.draws[body.Draw]
	if w == nil || string(w.Statement) != string(s.Entry.Statement) {
		return fault.Mismatch.New("a draw that this desk did not make: its files are older than the log")
	}
	if w.Logged >= 0 && w.Logged <= s.Index {
		return nil
	}
	before := w.Logged
	w.Logged = s.Index
	if err := d.save(drawName(w.Number), w); err != nil {
		w.Logged = before
		return err
	}
	return nil
}

// ShareOK takes a custodian's word, from the log, that its share of a draw is
// good.
func (d *Desk) ShareOK(s Seen) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.verify(s); err != nil {
		return err
	}
	var ok entries.ShareOK
	in := d.Directory.Institution()
	number, err := in.Custodian(s.Entry.Statement, entries.KindShareOK, &ok)
	if err != nil {
		return err
	}
	return d.good(ok, in.Custodians[number-1].Name, s.Index)
}

// Audit takes a custodian's wish, from the log, to open a draw: the draw is spent. It is
// refused for a draw that could have served a cable by then, from any custodian but the
// one whose turn it is, and for a second draw of their twenty. It returns the void to
// log: before that no custodian lays a share open, so that no cable is ever drawn from
// a draw that lies open, whatever a registry keeps back.
func (d *Desk) Audit(s Seen) (draw int, void []byte, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.verify(s); err != nil {
		return 0, nil, err
	}
	var body entries.Audit
	in := d.Directory.Institution()
	number, err := in.Custodian(s.Entry.Statement, entries.KindAudit, &body)
	if err != nil {
		return 0, nil, err
	}
	w := d.draws[body.Draw]
	if w == nil || w.Vector != body.Vector || w.Root != body.Root || !w.stood(s.Index) {
		return 0, nil, fault.Mismatch.New("a custodian would open another draw %d", body.Draw)
	}
	if w.Audit > 0 && w.Audit <= s.Index {
		return w.Number, w.Void, nil
	}
	if number != entries.Auditor(body.Draw, len(in.Custodians)) || w.spent || d.usable(w, s.Index) || d.audited(body.Draw) {
		return 0, nil, fault.Permission.New("the draw %d is not to be opened: it is not that custodian's turn, or too late", body.Draw)
	}
	void, err = d.state(entries.KindVoid, entries.Void{Release: -1, Draw: w.Number, Reason: "a custodian opens it"})
	if err != nil {
		return 0, nil, err
	}
	w.Audit, w.Void = s.Index, void
	if err := d.save(drawName(w.Number), w); err != nil {
		w.Audit, w.Void = 0, nil
		return 0, nil, err
	}
	w.spent = true
	return w.Number, void, nil
}

// stood says whether the draw stood in the log before an index: what was said of it
// earlier is passed over by everybody.
func (w *draw) stood(index int64) bool { return w.Logged >= 0 && w.Logged < index }

// audited says whether a draw of the same block is opened.
func (d *Desk) audited(draw int) bool {
	first := entries.Block(draw)*entries.AuditBlock + 1
	for n := first; n < first+entries.AuditBlock; n++ {
		if w := d.draws[n]; w != nil && w.Audit > 0 {
			return true
		}
	}
	return false
}

// Root is the root that a draw whose secret was restored ought to have.
func Root(secret share.Secret) entries.Digest {
	return entries.Digest(mark.Draw{Secret: mark.Hash(secret.Key(rhoPurpose)), Slots: Slots}.Root())
}

func (d *Desk) good(ok entries.ShareOK, custodian string, index int64) error {
	w := d.draws[ok.Draw]
	if w == nil || w.Vector != ok.Vector || w.Root != ok.Root || !w.stood(index) {
		return fault.Mismatch.New("the custodian %q has a share of another draw %d", custodian, ok.Draw)
	}
	if _, done := w.Good[custodian]; done {
		return nil
	}
	w.Good[custodian] = index
	if err := d.save(drawName(w.Number), w); err != nil {
		delete(w.Good, custodian)
		return err
	}
	return nil
}

// usable says whether a draw may serve a cable released at an index: it was in the
// log before, and by then enough custodians could open it, should a case ask for
// it - one more than must, or all. What was drawn later could have been drawn to
// fit the release.
func (d *Desk) usable(w *draw, release int64) bool {
	n := 0
	for _, at := range w.Good {
		if at < release {
			n++
		}
	}
	in := d.Directory.Institution()
	return w.stood(release) && n >= in.Enough()
}

// next returns the lowest draw that serves no cable. A later one is never taken
// instead, however few custodians have answered for it.
func (d *Desk) next(release int64) (*draw, error) {
	for w := range d.unspent() {
		if !d.usable(w, release) {
			return nil, fault.NotFound.New("the draw %d was not in the log, with its custodians' word, before the release; %d custodians have checked their shares", w.Number, len(w.Good)).
				WithHint("release the cable again when it is")
		}
		return w, nil
	}
	return nil, fault.NotFound.New("the marking desk has no unused draw").WithHint("prepare some: they are made by the hundred, ahead of need")
}

// Ready returns how many cables that are released now would find a draw.
func (d *Desk) Ready() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for w := range d.unspent() {
		if !d.usable(w, maxIndex) {
			break
		}
		n++
	}
	return n
}

// unspent are the draws that serve no cable yet, in order. Those before them are passed
// over once: there will be millions.
func (d *Desk) unspent() iter.Seq[*draw] {
	for d.draws[d.low] != nil && d.draws[d.low].spent {
		d.low++
	}
	return func(yield func(*draw) bool) {
		for n := d.low; d.draws[n] != nil; n++ {
			if w := d.draws[n]; !w.spent && !yield(w) {
				return
			}
		}
	}
}

// Usable returns how many draws could serve a cable now.
func (d *Desk) Usable() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for w := range d.unspent() {
		if d.usable(w, maxIndex) {
			n++
		}
	}
	return n
}
