package marking

import (
	"crypto/rand"
	"encoding/hex"
	"slices"

	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/keylist"
	"chancery/mark"
)

// late is a copy issued after the others: an onward copy, or a successor's of an
// archive. It is drawn from the next slot of the cable's own draw, which was
// committed to before anybody knew for whom.
type late struct {
	Copy      entries.Copy   `json:"copy"`
	Salt      entries.Digest `json:"salt"`
	Ask       int64          `json:"ask"`
	Archive   bool           `json:"archive"`  // of an archive, not an onward copy
	Again     bool           `json:"again"`    // the wording of a copy that this person had before
	Segments  []int          `json:"segments"` // of an extract; empty for all
	Statement []byte         `json:"statement"`
	Issues    []int64        `json:"issues"` // indexes in the log
}

// ask is an onward copy that was asked for and waits for the originator's leave.
type ask struct {
	entries.Onward
	By string `json:"by"` // person
}

// A LateCopy is what comes of asking for one: the issue to log, and the copy, to be
// told to its reader. A nil statement means that the originator's leave is awaited.
type LateCopy struct {
	Statement []byte
	Copy      entries.Copy
	Author    string // of the cable
}

// Onward takes a reader's request for a copy for somebody else. If the release gives
// standing leave that is not used up, the copy is issued at once.
func (d *Desk) Onward(s Seen) (*LateCopy, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var body entries.Onward
	p, c, o, known, err := d.request(s, entries.KindOnward, &body)
	if err != nil || known != nil {
		return known, err
	}
	if !slices.ContainsFunc(o.copies, func(one entries.Copy) bool { return one.ID == body.Copy && one.Person == p.ID }) || !c.delivered(body.Copy) {
		return nil, fault.Permission.New("%q has no opened copy of that cable", p.ID)
	}
	if l := c.byCopy(body.Copy); l != nil && len(l.Segments) > 0 {
		return nil, fault.Permission.New("%q has an extract, and cannot pass the cable on", p.ID)
	}
	if _, err := d.Directory.Held(body.Person, body.Tenure, d.Now()); err != nil {
		return nil, err
	}
	if c.Body.Onward > c.onwards() {
		return d.late(c, o, &late{Copy: entries.Copy{Person: body.Person, Tenure: body.Tenure}, Ask: s.Index, Segments: body.Segments})
	}
	if c.Asks == nil {
		c.Asks = map[int64]ask{}
	}
	c.Asks[s.Index] = ask{body, p.ID}
	return &LateCopy{Author: c.Author}, d.save(cableName(c.Cable), c)
}

// Leave takes the originator's leave for an onward copy, and issues it.
func (d *Desk) Leave(s Seen) (*LateCopy, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var body entries.Leave
	p, c, o, _, err := d.request(s, entries.KindLeave, &body)
	if err != nil {
		return nil, err
	}
	if !d.holdsOffice(p, c.Body.Office) {
		return nil, fault.Permission.New("%q does not hold the office whose cable that is", p.ID)
	}
	if l := c.byAsk(body.Ask); l != nil {
		return c.copied(l), nil
	}
	one, asked := c.Asks[body.Ask]
	if !asked || body.Ask >= s.Index {
		return nil, fault.NotFound.New("nobody asked for an onward copy at entry %d", body.Ask)
	}
	if _, since, err := d.Directory.Person(one.Person); err != nil || since > body.Ask {
		return nil, fault.Permission.New("%q has taken new keys since the copy was asked for: who asked is to ask once more", one.Person)
	}
	return d.late(c, o, &late{Copy: entries.Copy{Person: one.Person, Tenure: one.Tenure}, Ask: body.Ask, Segments: one.Segments})
}

// Archive takes the request of one who sits in an office that a cable was addressed
// to, for a copy of their own.
func (d *Desk) Archive(s Seen) (*LateCopy, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var body entries.Archive
	p, c, o, known, err := d.request(s, entries.KindArchive, &body)
	if err != nil || known != nil {
		return known, err
	}
	h, err := d.Directory.Held(p.ID, body.Tenure, d.Now())
	if err != nil {
		return nil, err
	}
	if h.Office != body.Office || !slices.ContainsFunc(o.copies[:c.Body.N], func(one entries.Copy) bool { return one.Office == body.Office }) {
		return nil, fault.Permission.New("the cable was not addressed to an office in which %q sits", p.ID)
	}
	return d.late(c, o, &late{Copy: entries.Copy{Person: p.ID, Tenure: body.Tenure}, Ask: s.Index, Archive: true})
}

// request verifies a request for a late copy of a cable that was issued, by one whose
// key was not replaced since. What was decided before is decided: known is that.
func (d *Desk) request(s Seen, kind string, body entries.Request) (p directory.Person, c *cable, o *opened, known *LateCopy, err error) {
	if _, err = d.verify(s); err != nil {
		return p, nil, nil, nil, err
	}
	if p, err = d.byPerson(s, kind, body); err != nil {
		return p, nil, nil, nil, err
	}
	if c, o, err = d.issued(body.About()); err != nil {
		return p, nil, nil, nil, err
	}
	if l := c.byAsk(s.Index); l != nil {
		return p, c, o, c.copied(l), nil
	}
	return p, c, o, nil, d.current(p)
}

// copied is what is told of a late copy, the first time and again.
func (c *cable) copied(l *late) *LateCopy { return &LateCopy{l.Statement, l.Copy, c.Author} }

// issued returns a cable that was issued and not recalled. A release of -1 is any.
func (d *Desk) issued(id string, release int64) (*cable, *opened, error) {
	c := d.cables[id]
	switch {
	case c == nil || c.Void || len(c.Issues) == 0 || release >= 0 && c.Release != release:
		return nil, nil, fault.NotFound.New("the desk has issued no such cable")
	case c.Recalled:
		return nil, nil, fault.Permission.New("the cable was recalled")
	}
	o, err := d.open(c)
	return c, o, err
}

// late draws a copy from the next slot and states its issue. Of l, person, tenure and
// what was asked are given.
func (d *Desk) late(c *cable, o *opened, l *late) (*LateCopy, error) {
	h, err := d.Directory.Held(l.Copy.Person, l.Copy.Tenure, d.Now())
	if err != nil {
		return nil, err
	}
	slot := slices.IndexFunc(o.copies, func(one entries.Copy) bool { return one.Person == h.Person })
	switch l.Again = slot >= 0; {
	case l.Again && !d.lost(c, o.copies[slot], slot):
		return nil, fault.Exists.New("%q has a copy of that cable: in two wordings the sites would show", h.Person)
	case l.Again:
		l.Copy.ID = o.copies[slot].ID // whoever lost it gets the same wording
	case len(o.copies) >= Slots:
		return nil, fault.Input.New("the draw of that cable has no slot left")
	default:
		slot, l.Copy.ID = len(o.copies), newID()
	}
	l.Copy.Office, l.Copy.Seat = h.Office, h.Seat
	rand.Read(l.Copy.Salt[:])
	rand.Read(l.Salt[:])
	if !l.Again {
		o.copies = append(o.copies, l.Copy)
		defer delete(d.hot, c.Cable) // read anew with the copy, or without it if this fails
	}
	root, _, err := l.keys(o.list(c, slot))
	if err != nil {
		return nil, err
	}
	leaf := entries.ListLeaf(l.Copy.ID, slot+1, root, mark.Hash(l.Salt))
	body := entries.Issue{Cable: c.Cable, Release: c.Release, Draw: c.Draw, Drawn: d.draws[c.Draw].Logged, N: 1, First: slot + 1, Ask: l.Ask, Lists: entries.Digest(mark.Root([]mark.Hash{leaf}))}
	if l.Statement, err = d.state(entries.KindIssue, body); err != nil {
		return nil, err
	}
	c.Late = append(c.Late, l)
	if err := d.save(cableName(c.Cable), c); err != nil {
		c.Late = c.Late[:len(c.Late)-1]
		return nil, err
	}
	return c.copied(l), nil
}

// lost says whether a copy was sent to keys that its reader has no longer: those of the
// directory that the author read, or that stood when it was asked for.
func (d *Desk) lost(c *cable, one entries.Copy, slot int) bool {
	_, since, err := d.Directory.Person(one.Person)
	if err != nil || slot < c.Body.N && since < c.Body.Directory && !slices.ContainsFunc(c.Late, func(l *late) bool { return l.Copy.ID == one.ID }) {
		return false
	}
	return !slices.ContainsFunc(c.Late, func(l *late) bool { return l.Copy.ID == one.ID && l.Ask > since })
}

// keys returns what the copy's reader gets of the list that was drawn: all of it, or
// the segments of an extract; and the root that the issue commits to.
func (l *late) keys(list keylist.List) (root mark.Hash, encoded []byte, err error) {
	if len(l.Segments) == 0 {
		return list.Root(), list.Encode(), nil
	}
	parts, err := list.Parts(l.Segments)
	if err != nil {
		return root, nil, err
	}
	return parts.Root(), parts.Encode(), nil
}

// lateLogged takes a late copy's issue from the log, if that is what it is.
func (d *Desk) lateLogged(c *cable, s Seen) (bool, error) {
	i := slices.IndexFunc(c.Late, func(l *late) bool { return string(l.Statement) == string(s.Entry.Statement) })
	if i < 0 {
		return false, nil
	}
	l := c.Late[i]
	if slices.Contains(l.Issues, s.Index) {
		return true, nil
	}
	before := l.Issues
	l.Issues = append(slices.Clone(before), s.Index)
	err := d.save(cableName(c.Cable), c)
	if err != nil {
		l.Issues = before
	}
	return true, err
}

// A grant is a copy as an issue gives it to its reader.
type grant struct {
	slot int // from 0
	copy entries.Copy
	late *late // nil for those that were issued first
}

// granted returns the copy of a person's that an issue at an index of the log gives.
func (c *cable) granted(o *opened, person, id string, issue int64) (grant, error) {
	slot := slices.IndexFunc(o.copies, func(one entries.Copy) bool { return one.ID == id && one.Person == person })
	if slot < 0 {
		return grant{}, fault.Permission.New("the copy is not %q's", person)
	}
	if slot < c.Body.N && slices.Contains(c.Issues, issue) {
		return grant{slot, o.copies[slot], nil}, nil
	}
	for _, l := range c.Late {
		if l.Copy.ID == id && slices.Contains(l.Issues, issue) {
			return grant{slot, l.Copy, l}, nil
		}
	}
	return grant{}, fault.Mismatch.New("the receipt is not for what was released and issued")
}

func (c *cable) delivered(copyID string) bool {
	_, yes := c.Delivered[copyID]
	return yes
}

// byCopy returns the newest late issue of a copy, nil if there is none.
func (c *cable) byCopy(id string) *late {
	for _, l := range slices.Backward(c.Late) {
		if l.Copy.ID == id {
			return l
		}
	}
	return nil
}

func (c *cable) byAsk(index int64) *late {
	for _, l := range c.Late {
		if l.Ask == index {
			return l
		}
	}
	return nil
}

// onwards counts the onward copies that were issued. Successors' do not count.
func (c *cable) onwards() int {
	n := 0
	for _, l := range c.Late {
		if !l.Archive {
			n++
		}
	}
	return n
}

func newID() string {
	var id [16]byte
	rand.Read(id[:])
	return hex.EncodeToString(id[:])
}
