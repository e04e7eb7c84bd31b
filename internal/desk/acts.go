package desk

import (
	"cmp"
	"fmt"
	"slices"

	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/sign"
)

// about verifies a statement about a cable and says which cable it is, and what
// follows for it. It fills in who acted.
func (d *Desk) about(a *Act, l *post.Letter, statement []byte) (cable string, apply func(*Item) error, err error) {
	switch a.Kind {
	case entries.KindIssue:
		var b entries.Issue
		a.Who, err = d.byMarking(statement, a.Kind, &b)
		return b.Cable, func(i *Item) error { return d.issued(i, a, b, l) }, err
	case entries.KindVoid:
		var b entries.Void
		a.Who, err = d.byMarking(statement, a.Kind, &b)
		a.Note = b.Reason
		return b.Cable, func(i *Item) error { return d.tellVoid(i, a, i.voided(b.Release, b.Reason)) }, err
	case entries.KindRefused:
		var b entries.Refused
		a.Who, err = d.byMarking(statement, a.Kind, &b)
		a.Note = b.Reason
		return b.Cable, func(i *Item) error { return d.tellVoid(i, a, i.refused(b.Release, b.Reason)) }, err
	case entries.KindWithheld:
		var b entries.Withheld
		a.Who, err = d.byMarking(statement, a.Kind, &b)
		a.Copy, a.Note = b.Copy, b.Reason
		return b.Cable, func(i *Item) error { return i.withheld(b) }, err
	}
	return d.byReader(a, statement)
}

// byReader is about for what persons state.
func (d *Desk) byReader(a *Act, statement []byte) (cable string, apply func(*Item) error, err error) {
	switch a.Kind {
	case entries.KindReceipt:
		var b entries.Receipt
		a.Who, err = d.signedBy(a.Index, statement, a.Kind, &b)
		a.Copy = b.Copy
		return b.Cable, func(i *Item) error { return i.receipted(a, b, d.Keys.Device.Public().ID().String()) }, err
	case entries.KindOpened, entries.KindDispute:
		var b entries.Opened
		a.Who, err = d.signedBy(a.Index, statement, a.Kind, &b)
		a.Copy, a.Note = b.Copy, b.Code
		return b.Cable, func(i *Item) error { return i.holds(a) }, err
	case entries.KindAck:
		var b entries.Ack
		a.Who, err = d.signedBy(a.Index, statement, a.Kind, &b)
		a.Copy = b.Copy
		return b.Cable, func(i *Item) error { return i.holds(a) }, err
	case entries.KindOnward:
		var b entries.Onward
		a.Who, err = d.signedBy(a.Index, statement, a.Kind, &b)
		a.Copy, a.Note = b.Copy, b.Person+": "+b.Reason
		return b.Cable, func(i *Item) error { return i.asked(a, b) }, err
	case entries.KindLeave:
		var b entries.Leave
		a.Who, err = d.signedBy(a.Index, statement, a.Kind, &b)
		a.Note = fmt.Sprintf("for the request at entry %d", b.Ask)
		return b.Cable, func(i *Item) error { return i.allowed(b) }, err
	case entries.KindArchive:
		var b entries.Archive
		a.Who, err = d.signedBy(a.Index, statement, a.Kind, &b)
		a.Note = "from the archive of " + b.Office
		return b.Cable, func(*Item) error { return nil }, err
	case entries.KindRecall:
		var b entries.Recall
		a.Who, err = d.signedBy(a.Index, statement, a.Kind, &b)
		a.Note = b.Reason
		return b.Cable, func(i *Item) error { return d.recalled(i, a, b) }, err
	}
	return "", nil, fault.Input.New("a letter of kind %.20q", a.Kind)
}

// byMarking verifies a statement of a marking desk's and returns its name.
func (d *Desk) byMarking(statement []byte, kind string, body any) (string, error) {
	_, signers, err := sign.Claims(statement)
	if err != nil {
		return "", err
	}
	for _, m := range d.dir.Institution().Marking {
		if m.Sign.ID() == signers[0] {
			return directory.MarkingParty(m.Name), sign.Open(statement, kind, body, m.Sign)
		}
	}
	return "", fault.Mismatch.New("a statement of kind %q that no marking desk signed", kind)
}

// issued takes the issue of a cable, or of a late copy of it.
func (d *Desk) issued(i *Item, a *Act, b entries.Issue, l *post.Letter) error {
	if b.Release != i.Index || a.Index <= i.Index || b.Ask < 0 && b.N != i.Release.N {
		return fault.Mismatch.New("an issue of another release")
	}
	if b.Ask < 0 {
		if i.Issue == nil {
			i.Issue, i.Issued = &b, a.Index
		}
		return nil
	}
	if l.Copy == nil {
		return nil
	}
	d.lateCopy(i, a, b, *l.Copy)
	if l.Copy.Person == d.Person && i.Copy == nil {
		i.Copy, i.Issue, i.Issued = l.Copy, &b, a.Index
	}
	return nil
}

// lateCopy notes whose copy was issued later, or again.
func (d *Desk) lateCopy(i *Item, a *Act, b entries.Issue, one entries.Copy) {
	a.Copy, a.Note = one.ID, "a late copy, for "+one.Person
	before := slices.ContainsFunc(i.Acts, func(o Act) bool { return o.Kind == entries.KindIssue && o.Index < a.Index && o.Copy == one.ID })
	if b.First <= i.Release.N || before {
		a.Note = "the same copy again, for new keys of " + one.Person
	}
	if !i.Mine || slices.ContainsFunc(i.Copies, func(c entries.Copy) bool { return c.ID == one.ID && c.Person == one.Person }) {
		return
	}
	if k := slices.IndexFunc(i.Copies, func(c entries.Copy) bool { return c.ID == one.ID }); k >= 0 || b.First <= i.Release.N {
		d.alarm(a.Index, "the marking desk issued somebody else's copy of %s to %s: tell an overseer", i.Release.Reference, one.Person)
	}
	i.Copies = append(i.Copies, one)
}

// allowed takes the leave for a request, from whatever device it was given.
func (i *Item) allowed(b entries.Leave) error {
	for k := range i.Asks {
		i.Asks[k].Given = i.Asks[k].Given || i.Asks[k].Index == b.Ask
	}
	return nil
}

// refused takes a refusal: of the release, or of a copy that was asked for.
func (i *Item) refused(index int64, reason string) error {
	if index == i.Index {
		return i.voided(index, reason)
	}
	i.Refused = reason
	return nil
}

// tellVoid alarms the author of a cable that nobody gets.
func (d *Desk) tellVoid(i *Item, a *Act, err error) error {
	if err == nil && i.Mine && i.Void != "" {
		d.alarm(a.Index, "%s was not issued, and nobody can read it: %s; send it again", i.Release.Reference, i.Void)
	}
	return err
}

func (i *Item) voided(release int64, reason string) error {
	if release != i.Index || i.Issue != nil {
		return fault.Mismatch.New("a refusal of another release, or of one that was issued")
	}
	i.Void = reason
	return nil
}

// withheld takes a refusal of keys. One that answers another's receipt for this copy, of a
// device that was lost or a forged one, does not stop its reader.
func (i *Item) withheld(b entries.Withheld) error {
	if i.Copy != nil && b.Copy == i.Copy.ID && b.Receipt == i.Receipt {
		i.Withheld = b.Reason
	}
	return nil
}

// receipted takes a receipt of a copy of mine, or my own, which is by this device.
func (i *Item) receipted(a *Act, b entries.Receipt, device string) error {
	if b.Release != i.Index {
		return fault.Mismatch.New("a receipt of another release")
	}
	if err := i.holds(a); err != nil {
		return err
	}
	if i.Copy != nil && b.Copy == i.Copy.ID && b.Device == device && i.Receipt < 0 {
		i.Receipt = a.Index
	}
	return nil
}

// holds refuses a word about a copy by somebody whose copy it is not, where this
// desk can tell.
func (i *Item) holds(a *Act) error {
	switch {
	case i.Mine && !slices.ContainsFunc(i.Copies, func(c entries.Copy) bool { return c.ID == a.Copy && c.Person == a.Who }) && len(i.Copies) > 0:
		return fault.Mismatch.New("%q speaks of a copy that is not theirs", a.Who)
	case i.Copy != nil && i.Copy.ID == a.Copy && i.Copy.Person != a.Who:
		return fault.Mismatch.New("%q speaks of your copy", a.Who)
	}
	return nil
}

// recalled takes a recall by one who sits in the office whose cable it is.
func (d *Desk) recalled(i *Item, a *Act, b entries.Recall) error {
	sits := slices.ContainsFunc(d.dir.Tenures(a.Who), func(h directory.Holding) bool { return h.Office == i.Release.Office })
	if b.Release != i.Index || !sits {
		return fault.Permission.New("a recall by %q, whose cable it is not", a.Who)
	}
	i.Recall = cmp.Or(b.Reason, "no reason given")
	return nil
}
