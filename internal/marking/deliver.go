package marking

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/seal"
	"chancery/internal/sign"
	"chancery/mark"
)

// A Receipt is a reader's receipt in the log, and the proof that the log which the
// reader saw is an earlier state of the one that the desk knows.
type Receipt struct {
	Seen
	Consistency tlog.TreeProof
}

// An Outcome is what comes of a receipt: keys sealed to the reader, or a
// statement, to be logged, that they are withheld.
type Outcome struct {
	Sealed   []byte
	Withheld []byte
	Reason   string
	Person   string // whose copy it is
	Author   string // of the cable
}

// Deliver verifies a receipt in the log and hands over the keys of the copy,
// sealed to the newest key of the person who signed; the same receipt, or a later
// one by the same person for the same copy, gives the same keys. It withholds them,
// and says so, if the cable was recalled, the copy's tenure has ended, the device
// was revoked or the reader's key replaced. What is no receipt of a copy of this
// desk, or comes without proof that the reader was shown the log which the desk
// knows, is refused with an error and gives neither: a missing proof may be the
// carrier's doing.
func (d *Desk) Deliver(r Receipt) (*Outcome, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	last, err := d.verify(r.Seen)
	if err != nil {
		return nil, err
	}
	body, p, err := d.signed(r.Seen)
	if err != nil {
		return nil, err
	}
	c := d.cables[body.Cable]
	if c == nil || c.Void || len(c.Issues) == 0 {
		return nil, fault.NotFound.New("the desk has issued no such cable")
	}
	o, err := d.open(c)
	if err != nil {
		return nil, err
	}
	g, err := c.granted(o, p.ID, body.Copy, body.Issue)
	if err != nil {
		return nil, err
	}
	if err := c.matches(r, body, g.copy, last); err != nil {
		return nil, err
	}
	if err := d.sameDirectory(body.Size, body.Register); err != nil {
		return nil, err
	}
	// What was handed over on a receipt is handed over on it again, whatever came since:
	// the log must not say that it was withheld.
	if err := d.refuses(c, p, body); err != nil && !slices.Contains(c.Delivered[body.Copy], r.Index) {
		out, err := d.withhold(c, body.Copy, r.Index, err)
		if err == nil {
			out.Person, out.Author = p.ID, c.Author
		}
		return out, err
	}
	sealed, err := sealList(c, o, g, p)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(c.Delivered[body.Copy], r.Index) {
		c.Delivered[body.Copy] = answered(c.Delivered[body.Copy], r.Index)
		d.note(c, g.slot, body.Copy)
	}
	return &Outcome{Sealed: sealed, Person: p.ID, Author: c.Author}, nil
}

// Flush keeps which copies were delivered. Until it has returned, the receipts that were
// answered are to be given to the desk again after a restart.
func (d *Desk) Flush() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.flush()
}

func (d *Desk) flush() error {
	for name := range d.dirty {
		if err := d.save(name, d.handed[name]); err != nil {
			return err
		}
		delete(d.dirty, name)
	}
	return nil
}

// A handed is the file of which copies of a cable were delivered, of some slots: what
// one receipt makes to be written anew does not grow with the readers.
type handed struct {
	Cable string              `json:"cable"`
	First int                 `json:"first"` // slot, from 0
	To    map[string]receipts `json:"to"`    // by copy
}

// receipts are those of a copy that were answered. In files of before it is one.
type receipts []int64

// UnmarshalJSON reads both.
func (r *receipts) UnmarshalJSON(data []byte) error {
	var one int64
	if json.Unmarshal(data, &one) == nil {
		*r = receipts{one}
		return nil
	}
	return json.Unmarshal(data, (*[]int64)(r))
}

// maxAnswered is how many receipts of a copy are remembered as answered: a reader has as
// many devices, and signs anew when keys do not come.
const maxAnswered = 16

// answered adds a receipt to those of a copy; of too many the first and the last stay.
func answered(all receipts, receipt int64) receipts {
	if all = append(all, receipt); len(all) > maxAnswered {
		all = slices.Delete(all, 1, 2)
	}
	return all
}

// slotsAFile is how many copies one such file holds.
const slotsAFile = 128

func handedName(id string, first int) string { return fmt.Sprintf("handed-%s-%d", id, first) }

// note remembers a delivery, to be kept by the next Flush.
func (d *Desk) note(c *cable, slot int, copyID string) {
	first := slot / slotsAFile * slotsAFile
	name := handedName(c.Cable, first)
	if d.handed[name] == nil {
		d.handed[name] = &handed{c.Cable, first, map[string]receipts{}}
	}
	d.handed[name].To[copyID] = c.Delivered[copyID]
	d.dirty[name] = true
}

func (d *Desk) loadHanded(name string, data []byte) error {
	var h handed
	if err := decode(data, &h); err != nil {
		return err
	}
	c := d.cables[h.Cable]
	if name != handedName(h.Cable, h.First) || c == nil || h.To == nil {
		return fault.Mismatch.New("a file of deliveries was altered, or its cable is missing")
	}
	maps.Copy(c.Delivered, h.To)
	d.handed[name] = &h
	return nil
}

// signed verifies who signed a receipt: a reader, and the device that it names.
func (d *Desk) signed(s Seen) (body entries.Receipt, p directory.Person, err error) {
	if err := sign.Peek(s.Entry.Statement, entries.KindReceipt, &body); err != nil {
		return body, p, err
	}
	device, err := d.Directory.DeviceKey(body.Device)
	if err != nil {
		return body, p, err
	}
	p, err = d.byPerson(s, entries.KindReceipt, &body, device)
	return body, p, err
}

// matches says whether a receipt is for what was released and issued, by a reader
// who had seen both in the log that the desk knows.
func (c *cable) matches(r Receipt, body entries.Receipt, one entries.Copy, last custody.Checkpoint) error {
	if body.Release != c.Release || body.Kit != c.Body.Kit || body.Tenure != one.Tenure {
		return fault.Mismatch.New("the receipt is not for what was released and issued")
	}
	if body.Size <= max(body.Issue, body.Release) || r.Index < body.Size {
		return fault.Mismatch.New("the reader signed before the release and the issue were in the log")
	}
	seen := custody.Checkpoint{Origin: last.Origin, Size: body.Size, Root: tlog.Hash(body.Root)}
	if body.Size > last.Size || !custody.CheckConsistency(r.Consistency, seen, last) {
		return fault.Mismatch.New("the reader is not shown to have seen the log that the marking desk knows").
			WithHint("send the receipt with a proof for the newest checkpoint; if there is none, compare the two checkpoints")
	}
	return nil
}

// sameDirectory refuses to act on a directory that is not the one which the other
// side read: something is being kept back from one of them, such as the end of a
// tenure.
func (d *Desk) sameDirectory(size int64, register entries.Digest) error {
	if d.Directory.Head(size) == register {
		return nil
	}
	return fault.Mismatch.New("the directory up to entry %d is another for this marking desk than for the one who signed", size).
		WithHint("the registry keeps statements back from one of the two: tell an overseer")
}

// refuses says why keys are withheld from one whose receipt is in order.
func (d *Desk) refuses(c *cable, p directory.Person, body entries.Receipt) error {
	if c.Recalled {
		return fault.Permission.New("the cable was recalled")
	}
	if err := d.current(p); err != nil {
		return err
	}
	if _, err := d.Directory.Held(p.ID, body.Tenure, d.Now()); err != nil {
		return err
	}
	speaker, err := d.Directory.ByDevice(body.Device)
	if err != nil {
		return err
	}
	if speaker.ID != p.ID {
		return fault.Permission.New("the device is another person's")
	}
	return nil
}

// withhold states a refusal.
func (d *Desk) withhold(c *cable, copyID string, receipt int64, why error) (*Outcome, error) {
	if !errors.Is(why, fault.Permission) {
		return nil, why
	}
	s, err := d.state(entries.KindWithheld, entries.Withheld{Cable: c.Cable, Copy: copyID, Receipt: receipt, Reason: why.Error()})
	if err != nil {
		return nil, err
	}
	return &Outcome{Withheld: s, Reason: why.Error()}, nil
}

// sealList seals the list of a copy to its reader.
func sealList(c *cable, o *opened, g grant, p directory.Person) ([]byte, error) {
	delivery := entries.Delivery{Cable: c.Cable, Copy: g.copy.ID, Slot: g.slot + 1}
	if list := o.list(c, g.slot); g.late == nil {
		delivery.Salt, delivery.Path, delivery.List = mark.Hash(c.Salts[g.slot]), o.tree.Path(g.slot), list.Encode()
	} else {
		var err error
		if _, delivery.List, err = g.late.keys(list); err != nil {
			return nil, err
		}
		delivery.Salt = mark.Hash(g.late.Salt)
	}
	return seal.SealTo(delivery.Encode(), p.Recipient)
}
