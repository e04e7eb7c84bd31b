package marking

import (
	"fmt"

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
	Statement []byte            `json:"statement"`
	Vector    entries.Digest    `json:"vector_digest"`
	Packets   map[string][]byte `json:"packets"` // by custodian, sealed
	Good      map[string]bool   `json:"good"`    // custodians whose share-ok is in the log

	spent bool
}

func drawName(n int) string { return fmt.Sprintf("draw-%08d", n) }

func (d *Desk) loadDraw(data []byte) error {
	var w draw
	if err := decode(data, &w); err != nil {
		return err
	}
	if w.Number < 1 || len(w.Rho) != len(mark.Hash{}) {
		return fault.Mismatch.New("a draw of the marking desk was altered")
	}
	d.draws[w.Number] = &w
	return nil
}

// A Prepared draw is to be logged, and its packets sent to the custodians.
type Prepared struct {
	Number    int
	Statement []byte
	Packets   map[string][]byte // by custodian: share and vector, sealed
}

// Prepare makes n further draws and keeps them before it returns them.
func (d *Desk) Prepare(n int) ([]Prepared, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Prepared
	for range n {
		w, err := d.prepare(len(d.draws) + 1)
		if err != nil {
			return out, err
		}
		if err := d.save(drawName(w.Number), w); err != nil {
			return out, err
		}
		d.draws[w.Number] = w
		out = append(out, Prepared{w.Number, w.Statement, w.Packets})
	}
	return out, nil
}

func (d *Desk) prepare(number int) (*draw, error) {
	secret := share.Generate()
	in := d.Directory.Institution()
	shares, vector, err := share.Split(secret, in.Threshold, len(in.Custodians))
	if err != nil {
		return nil, err
	}
	rho := secret.Key(rhoPurpose)
	w := &draw{Number: number, Rho: rho[:], Vector: vector.Digest(), Packets: map[string][]byte{}, Good: map[string]bool{}}
	body := entries.Draw{Draw: number, Slots: Slots, Root: entries.Digest(w.randomness().Root()), Vector: w.Vector}
	if w.Statement, err = d.state(entries.KindDraw, body); err != nil {
		return nil, err
	}
	for i, c := range in.Custodians {
		to, err := seal.ParseRecipient(c.Recipient)
		if err != nil {
			return nil, err
		}
		packet := entries.SharePacket{Draw: number, Share: shares[i].Encode(), Vector: vector.Encode()}
		if w.Packets[c.Name], err = seal.Seal(packet.Encode(), to); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *draw) randomness() mark.Draw { return mark.Draw{Secret: mark.Hash(w.Rho), Slots: Slots} }

// ShareOK takes a custodian's word, from the log, that its share of a draw is
// good.
func (d *Desk) ShareOK(s Seen) error {
	if err := d.verify(s); err != nil {
		return err
	}
	_, signers, err := sign.Claims(s.Entry.Statement)
	if err != nil {
		return err
	}
	var ok entries.ShareOK
	for _, c := range d.Directory.Institution().Custodians {
		if signers[0] != c.Sign.ID() {
			continue
		}
		if err := sign.Open(s.Entry.Statement, entries.KindShareOK, &ok, c.Sign); err != nil {
			return err
		}
		return d.good(ok, c.Name)
	}
	return fault.Mismatch.New("a statement of shares that no custodian signed")
}

func (d *Desk) good(ok entries.ShareOK, custodian string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.draws[ok.Draw]
	if w == nil || w.Vector != ok.Vector {
		return fault.Mismatch.New("the custodian %q has a share of another draw %d", custodian, ok.Draw)
	}
	if w.Good[custodian] {
		return nil
	}
	w.Good[custodian] = true
	if err := d.save(drawName(w.Number), w); err != nil {
		delete(w.Good, custodian)
		return err
	}
	return nil
}

// usable says whether enough custodians could open the draw, should a case ask
// for it: one more than must, or all.
func (d *Desk) usable(w *draw) bool {
	in := d.Directory.Institution()
	return len(w.Good) >= min(len(in.Custodians), in.Threshold+1)
}

// next returns the lowest draw that serves no cable. A later one is never taken
// instead, however few custodians have answered for it.
func (d *Desk) next() (*draw, error) {
	for n := 1; ; n++ {
		w := d.draws[n]
		switch {
		case w == nil:
			return nil, fault.NotFound.New("the marking desk has no unused draw").WithHint("prepare some: they are made by the hundred, ahead of need")
		case w.spent:
			continue
		case !d.usable(w):
			return nil, fault.NotFound.New("the draw %d is not usable yet: %d custodians have checked their shares", n, len(w.Good))
		}
		return w, nil
	}
}

// Usable returns how many draws could serve a cable now.
func (d *Desk) Usable() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, w := range d.draws {
		if !w.spent && d.usable(w) {
			n++
		}
	}
	return n
}
