package desk

import (
	"bytes"
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
	e := custody.NewEntry(nil)
	h := post.Handed{Office: office, By: d.Person, Inventory: d.inventory(office), Salt: e.Salt[:]}
	body := entries.Handover{Office: office, From: from, To: d.Person, N: len(h.Inventory), Inventory: inventoryRoot(h), Absent: true}
	if h.Statement, err = sign.Sign(entries.KindHandover, body, d.Keys.Person); err != nil {
		return Absence{}, err
	}
	d.state.Absences = slices.DeleteFunc(d.state.Absences, func(o post.Handed) bool {
		a, err := d.absence(o)
		return err != nil || a.Office == office && a.From == from
	})
	d.state.Absences = append(d.state.Absences, h)
	if err := d.save(); err != nil {
		return Absence{}, err
	}
	for _, c := range post.Custodians(d.dir.Institution()) {
		if err := d.hand(ctx, c, post.Handed{Office: office, By: d.Person, Statement: h.Statement}); err != nil {
			return Absence{}, err
		}
	}
	return d.absence(h)
}

// absence reads what is kept of one; its signatures were verified when they came.
func (d *Desk) absence(h post.Handed) (Absence, error) {
	var body entries.Handover
	if err := sign.Peek(h.Statement, entries.KindHandover, &body); err != nil {
		return Absence{}, err
	}
	_, signers, err := sign.Claims(h.Statement)
	if err != nil {
		return Absence{}, err
	}
	in := d.dir.Institution()
	out := Absence{Office: body.Office, From: body.From, Cables: h.Inventory, Needed: entries.StandIns(in)}
	for _, c := range in.Custodians {
		if slices.Contains(signers, c.Sign.ID()) {
			out.Signed = append(out.Signed, c.Name)
		}
	}
	return out, nil
}

// standsIn adds a custodian's signature to what this desk asked custodians to sign, if
// that is what came.
func (d *Desk) standsIn(statement []byte) bool {
	var body entries.Handover
	if sign.Peek(statement, entries.KindHandover, &body) != nil || !body.Absent {
		return false
	}
	in := d.dir.Institution()
	if _, err := in.Custodian(statement, entries.KindHandover, &body); err != nil {
		return true // somebody's noise
	}
	_, by, _ := sign.Claims(statement)
	for i, h := range d.state.Absences {
		_, signers, err := sign.Claims(h.Statement)
		if err != nil || slices.Contains(signers, by[0]) {
			continue
		}
		if joined, err := sign.Join(h.Statement, statement); err == nil {
			d.state.Absences[i].Statement = bytes.Clone(joined)
		}
	}
	return true
}

// Absences returns the handovers of absent holders that custodians were asked to sign and
// that are not logged.
func (d *Desk) Absences() ([]Absence, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Absence
	for _, h := range d.state.Absences {
		a, err := d.absence(h)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// LogAbsent logs the handover of an office by one who is absent, once enough custodians
// signed.
func (d *Desk) LogAbsent(ctx context.Context, office, from string) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, h := range d.state.Absences {
		a, err := d.absence(h)
		if err != nil {
			return 0, err
		}
		if a.Office != office || a.From != from {
			continue
		}
		at, err := d.logHandover(ctx, h.Statement)
		if err != nil {
			return 0, err
		}
		d.state.Absences = slices.Delete(d.state.Absences, i, i+1)
		return at, d.save()
	}
	return 0, fault.NotFound.New("nobody was asked to sign for %q, who left %s", from, office).WithHint("chancery handover %s --absent %s", office, from)
}

// tookOver alarms one in whose absence an office was handed over.
func (d *Desk) tookOver(index int64, statement []byte) error {
	h, custodians, err := entries.OpenHandover(d.dir, index, statement)
	if err != nil {
		return err
	}
	if h.From == d.Person && h.Absent {
		d.alarm(index, "%q took %s over from you in your absence: the custodians %q signed for you", h.To, h.Office, custodians)
	}
	return nil
}
