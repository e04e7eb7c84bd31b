package desk

import (
	"context"
	"slices"

	"chancery/internal/custody"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/sign"
)

// An Absence is a handover of an office by one who is not there: custodians sign for them.
type Absence struct {
	Office string
	From   string
	Cables []string // lines of the inventory
	Signed []string // custodians
	Needed int      // custodians
}

// absence is what is kept of one until it is logged.
type absence struct {
	Statement []byte   `json:"statement"` // signed by this person, and custodians so far
	Inventory []string `json:"inventory"`
	Entry     []byte   `json:"entry"` // as it is logged, once that was tried
}

// TakeAbsent lists what an office's archive holds, since the earlier holder from is not
// there to hand it over, signs the list, and asks all custodians to sign in their place.
// It replaces what was asked before of that office and person.
func (d *Desk) TakeAbsent(ctx context.Context, office, from string) (Absence, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.knows(); err != nil {
		return Absence{}, err
	}
	if err := d.dir.Succeeds(d.Person, from, office, d.Now()); err != nil {
		return Absence{}, err
	}
	ids, err := d.epochs(office)
	if err != nil {
		return Absence{}, err
	}
	if len(ids) == 0 {
		return Absence{}, d.noArchiveKey(office)
	}
	if _, err := d.readArchive(ctx, office, ids); err != nil {
		return Absence{}, err
	}
	a, err := d.request(office, from)
	if err != nil {
		return Absence{}, err
	}
	d.state.Absences = slices.DeleteFunc(d.state.Absences, func(o absence) bool {
		known, err := d.absence(o)
		return err != nil || known.Office == office && known.From == from
	})
	d.state.Absences = append(d.state.Absences, a)
	if err := d.save(); err != nil {
		return Absence{}, err
	}
	for _, c := range post.Custodians(d.dir.Institution()) {
		if err := d.hand(ctx, c, post.Handed{Office: office, By: d.Person, Statement: a.Statement}); err != nil {
			return Absence{}, err
		}
	}
	return d.absence(a)
}

// request returns what custodians are asked to sign: the same as before if it lists the
// same, else an old request could be put in the place of a new one.
func (d *Desk) request(office, from string) (absence, error) {
	inventory := d.inventory(office)
	for _, a := range d.state.Absences {
		if known, err := d.absence(a); err == nil && known.Office == office && known.From == from && slices.Equal(a.Inventory, inventory) {
			return a, nil
		}
	}
	salt := custody.NewEntry(nil).Salt
	root := inventoryRoot(post.Handed{Office: office, Inventory: inventory, Salt: salt[:]})
	body := entries.Handover{Office: office, From: from, To: d.Person, N: len(inventory), Inventory: root, Size: d.tree.Size, Absent: true}
	s, err := sign.Sign(entries.KindHandover, body, d.Keys.Person)
	return absence{Statement: s, Inventory: inventory}, err
}

// absence reads what is kept of one; its signatures were verified when they came.
func (d *Desk) absence(a absence) (Absence, error) {
	var body entries.Handover
	if err := sign.Peek(a.Statement, entries.KindHandover, &body); err != nil {
		return Absence{}, err
	}
	_, signers, err := sign.Claims(a.Statement)
	if err != nil {
		return Absence{}, err
	}
	in := d.dir.Institution()
	out := Absence{Office: body.Office, From: body.From, Cables: a.Inventory, Needed: entries.StandIns(in)}
	for _, c := range in.Custodians {
		if slices.Contains(signers, c.Sign.ID()) {
			out.Signed = append(out.Signed, c.Name)
		}
	}
	return out, nil
}

// standsIn adds a custodian's signature to what this desk asked custodians to sign, if
// that is what came and more are needed.
func (d *Desk) standsIn(statement []byte) {
	var body entries.Handover
	in := d.dir.Institution()
	if _, err := in.Custodian(statement, entries.KindHandover, &body); err != nil {
		return // somebody's noise
	}
	_, by, _ := sign.Claims(statement)
	for i, a := range d.state.Absences {
		_, signers, err := sign.Claims(a.Statement)
		if err != nil || len(signers) > entries.StandIns(in) || slices.Contains(signers, by[0]) {
			continue
		}
		if joined, err := sign.Join(a.Statement, statement); err == nil {
			d.state.Absences[i].Statement = joined
		}
	}
}

// Absences returns the handovers of absent holders that custodians were asked to sign and
// that are not logged.
func (d *Desk) Absences() ([]Absence, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Absence
	for _, a := range d.state.Absences {
		one, err := d.absence(a)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// LogAbsent logs the handover of an office by one who is absent, once enough custodians
// signed, if they are gone still.
func (d *Desk) LogAbsent(ctx context.Context, office, from string) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, a := range d.state.Absences {
		one, err := d.absence(a)
		if err != nil {
			return 0, err
		}
		if one.Office != office || one.From != from {
			continue
		}
		if err := d.dir.Succeeds(d.Person, from, office, d.Now()); err != nil {
			return 0, err
		}
		if a.Entry == nil { // kept before it is sent: after a crash it is the same entry
			d.state.Absences[i].Entry = custody.NewEntry(a.Statement).Bytes()
			if err := d.save(); err != nil {
				return 0, err
			}
		}
		e, err := custody.ParseEntry(d.state.Absences[i].Entry)
		if err != nil {
			return 0, err
		}
		at, err := d.logHandover(ctx, e)
		if err != nil {
			return 0, err
		}
		d.state.Absences = slices.Delete(d.state.Absences, i, i+1)
		return at, d.save()
	}
	return 0, fault.NotFound.New("nobody was asked to sign for %q, who left %s", from, office).WithHint("chancery handover %s --absent %s", office, from)
}

// tookOver alarms one in whose absence an office is handed over: at each custodian's word,
// and when it is done.
func (d *Desk) tookOver(index int64, statement []byte) error {
	if h, by, err := entries.OpenStandIn(d.dir, index, statement); err == nil {
		if h.From == d.Person {
			d.alarm(-1, "the custodian %s signed that you are not there to hand %s over to %q, by the directory of entry %d", by, h.Office, h.To, h.Size)
		}
		return nil
	}
	h, custodians, err := entries.OpenHandover(d.dir, index, statement)
	if err != nil {
		return err
	}
	if h.To == d.Person && !h.Absent {
		d.state.Taken = append(d.state.Taken, h.Inventory)
		d.state.Handovers = slices.DeleteFunc(d.state.Handovers, func(o post.Handed) bool { return inventoryRoot(o) == h.Inventory })
	}
	if h.From == d.Person && h.Absent {
		d.alarm(-1, "%q took %s over from you in your absence: the custodians %q signed for you, by the directory of entry %d", h.To, h.Office, custodians, h.Size)
	}
	return nil
}
