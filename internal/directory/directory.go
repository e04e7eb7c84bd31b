// Package directory says who holds which seat of which office, and with which
// keys, at any time. It is built from signed statements in the order of the log,
// and from nothing else: whoever reads the same log has the same directory. It
// reaches no network, reads no clock and holds no private key.
//
// The appointing authority alone cannot make somebody a reader: a person's keys
// and a tenure are signed by the person as well. A key counts from the entry of
// the log that names it, never before.
package directory

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"chancery/internal/fault"
	"chancery/internal/sign"
)

// A Directory is the state after a number of statements. It is for one goroutine
// while statements are added, and may be read by any number.
type Directory struct {
	institution Institution
	next        int64 // the least index that the next statement may have

	persons map[string][]*keyed // by id; the newest last
	byKey   map[sign.ID]string  // person by signing key
	devices map[string]*device  // by id
	offices map[string]*office
	tenures map[string]*tenure
	lists   map[string]List
	events  []Event
	heads   []head
}

// keyed is a person with the keys of a time.
type keyed struct {
	Person
	since int64 // index of the statement
}

type device struct {
	Device
	revoked int64 // index of the statement that revoked it, or -1
}

type office struct {
	Office
	seats  map[string]*seat
	epochs []Epoch
}

type seat struct {
	Seat
	tenures []*tenure // in the order of their time
}

type tenure struct {
	Tenure
	since int64
	until *Time
}

// An Event is one statement of the directory, as it was added.
type Event struct {
	Index   int64
	Kind    string
	Body    any    // Person, Tenure, ...
	Person  string // whom it is about, or ""
	Signers []sign.ID
}

// New begins a directory with the institution's statement, at an index of the
// log. Whoever calls it knows by other means that this is the institution: from an
// invitation, or because they founded it.
func New(index int64, statement []byte) (*Directory, error) {
	var in Institution
	_, signers, err := sign.Claims(statement)
	if err != nil {
		return nil, err
	}
	// The keys that must have signed stand in the statement itself.
	if err := sign.Peek(statement, KindInstitution, &in); err != nil {
		return nil, err
	}
	if err := in.valid(); err != nil {
		return nil, err
	}
	if err := sign.Open(statement, KindInstitution, &in, in.Authorities...); err != nil {
		return nil, err
	}
	d := &Directory{institution: in, next: index + 1, persons: map[string][]*keyed{}, byKey: map[sign.ID]string{}, devices: map[string]*device{},
		offices: map[string]*office{}, tenures: map[string]*tenure{}, lists: map[string]List{}}
	d.events = append(d.events, Event{Index: index, Kind: KindInstitution, Body: in, Signers: signers})
	d.chain(index, statement)
	return d, nil
}

// Add takes the statement at an index of the log, which must be beyond the last
// one. A statement that is not signed as it must be, or that contradicts what
// stands, is refused and changes nothing: fault.Input, fault.Mismatch,
// fault.NotFound or fault.Exists.
func (d *Directory) Add(index int64, statement []byte) (Event, error) {
	if index < d.next {
		return Event{}, fault.Mismatch.New("the statement at %d comes after that at %d", index, d.next-1)
	}
	kind, signers, err := sign.Claims(statement)
	if err != nil {
		return Event{}, err
	}
	add, ok := adders[kind]
	if !ok {
		return Event{}, fault.Input.New("%q is no statement of a directory", kind)
	}
	e, err := add(d, &act{index, statement, signers})
	if err != nil {
		return Event{}, err
	}
	e.Index, e.Kind, e.Signers = index, kind, signers
	d.next = index + 1
	d.events = append(d.events, e)
	d.chain(index, statement)
	return e, nil
}

// Clone returns a directory that says the same and goes its own way: statements can be
// tried on it.
func (d *Directory) Clone() *Directory {
	c := *d
	c.persons, c.byKey, c.lists = maps.Clone(d.persons), maps.Clone(d.byKey), maps.Clone(d.lists)
	for id, all := range c.persons {
		c.persons[id] = slices.Clone(all)
	}
	c.devices, c.tenures, c.offices = map[string]*device{}, map[string]*tenure{}, map[string]*office{}
	for id, v := range d.devices {
		one := *v
		c.devices[id] = &one
	}
	for id, t := range d.tenures {
		one := *t
		c.tenures[id] = &one
	}
	for name, o := range d.offices {
		c.offices[name] = o.clone(c.tenures)
	}
	c.events, c.heads = slices.Clone(d.events), slices.Clone(d.heads)
	return &c
}

// clone copies an office with the tenures of its clone's directory.
func (o *office) clone(tenures map[string]*tenure) *office {
	c := &office{o.Office, map[string]*seat{}, slices.Clone(o.epochs)}
	for name, s := range o.seats {
		one := &seat{Seat: s.Seat}
		for _, t := range s.tenures {
			one.tenures = append(one.tenures, tenures[t.ID])
		}
		c.seats[name] = one
	}
	return c
}

// An act is a statement being added.
type act struct {
	index     int64
	statement []byte
	signers   []sign.ID
}

var adders = map[string]func(*Directory, *act) (Event, error){
	KindPerson:    (*Directory).addPerson,
	KindDevice:    (*Directory).addDevice,
	KindRevoked:   (*Directory).revokeDevice,
	KindOffice:    (*Directory).addOffice,
	KindSeat:      (*Directory).addSeat,
	KindTenure:    (*Directory).addTenure,
	KindTenureEnd: (*Directory).endTenure,
	KindEpoch:     (*Directory).addEpoch,
	KindList:      (*Directory).addList,
}

// authority returns the authority's key that is claimed as a signer.
func (d *Directory) authority(id sign.ID) *sign.Public {
	for _, p := range d.institution.Authorities {
		if p.ID() == id {
			return p
		}
	}
	return nil
}

// open verifies a statement that an authority signs first, and then others.
func (d *Directory) open(a *act, kind string, body any, others ...*sign.Public) error {
	first := d.authority(a.signers[0])
	if first == nil {
		return fault.Mismatch.New("a statement of kind %q that no appointing authority signed", kind)
	}
	return sign.Open(a.statement, kind, body, append([]*sign.Public{first}, others...)...)
}

// secondAuthority returns the key of signer i if it is an authority's and not
// the first signer's.
func (d *Directory) secondAuthority(a *act, i int) *sign.Public {
	if i >= len(a.signers) || a.signers[i] == a.signers[0] {
		return nil
	}
	return d.authority(a.signers[i])
}

// taken says whether a key has a role already: of the institution, or of a
// person.
func (d *Directory) taken(key sign.ID, recipient string) bool {
	in := d.institution
	if _, person := d.byKey[key]; person || d.devices[key.String()] != nil || d.authority(key) != nil || in.Operator.ID() == key {
		return true
	}
	for _, p := range slices.Concat(in.Marking, in.Custodians, in.Overseers) {
		if p.Sign.ID() == key || p.Recipient == recipient {
			return true
		}
	}
	for _, all := range d.persons {
		for _, p := range all {
			if p.Recipient == recipient {
				return true
			}
		}
	}
	for _, o := range d.offices {
		if slices.ContainsFunc(o.epochs, func(e Epoch) bool { return e.Recipient == recipient }) {
			return true
		}
	}
	return false
}

func (d *Directory) addPerson(a *act) (Event, error) {
	var p Person
	if err := sign.Peek(a.statement, KindPerson, &p); err != nil {
		return Event{}, err
	}
	switch {
	case p.Sign == nil:
		return Event{}, fault.Input.New("a person without a signing key")
	case d.taken(p.Sign.ID(), p.Recipient):
		return Event{}, fault.Exists.New("a key of %q has a role already", p.Name)
	}
	for _, err := range []error{validID("person", p.ID), validTitle("name of a person", p.Name), validRecipient(p.Recipient)} {
		if err != nil {
			return Event{}, err
		}
	}
	signers := []*sign.Public{p.Sign}
	if known := d.persons[p.ID]; len(known) > 0 {
		old := known[len(known)-1].Sign
		if second := d.secondAuthority(a, 2); second != nil {
			old = second // the old key is lost
		}
		signers = append(signers, old)
	}
	if err := d.open(a, KindPerson, &p, signers...); err != nil {
		return Event{}, err
	}
	if len(d.persons[p.ID]) > 0 {
		d.dropDevices(p.ID, a.index) // they spoke with the old keys
	}
	d.persons[p.ID] = append(d.persons[p.ID], &keyed{p, a.index})
	d.byKey[p.Sign.ID()] = p.ID
	return Event{Body: p, Person: p.ID}, nil
}

// dropDevices revokes a person's devices: with new keys they are enrolled again.
func (d *Directory) dropDevices(person string, index int64) {
	for _, v := range d.devices {
		if v.Person == person && v.revoked < 0 {
			v.revoked = index
		}
	}
}

// person returns the newest keys of a person.
func (d *Directory) person(id string) (*keyed, error) {
	all := d.persons[id]
	if len(all) == 0 {
		return nil, fault.NotFound.New("the directory knows no person %q", id)
	}
	return all[len(all)-1], nil
}

func (d *Directory) addDevice(a *act) (Event, error) {
	var v Device
	if err := sign.Peek(a.statement, KindDevice, &v); err != nil {
		return Event{}, err
	}
	if v.Sign == nil {
		return Event{}, fault.Input.New("a device without a signing key")
	}
	p, err := d.person(v.Person)
	if err != nil {
		return Event{}, err
	}
	if err := sign.Open(a.statement, KindDevice, &v, p.Sign, v.Sign); err != nil {
		return Event{}, err
	}
	if err := validTitle("name of a device", v.Name); err != nil {
		return Event{}, err
	}
	if d.taken(v.Sign.ID(), "") {
		return Event{}, fault.Exists.New("the key of the device %q has a role already", v.Name)
	}
	d.devices[v.ID()] = &device{v, -1}
	return Event{Body: v, Person: v.Person}, nil
}

func (d *Directory) revokeDevice(a *act) (Event, error) {
	var v Device
	if err := sign.Peek(a.statement, KindRevoked, &v); err != nil {
		return Event{}, err
	}
	if v.Sign == nil {
		return Event{}, fault.Input.New("a device without a signing key")
	}
	known := d.devices[v.ID()]
	if known == nil || known.Person != v.Person || known.Name != v.Name {
		return Event{}, fault.NotFound.New("the directory knows no such device")
	}
	p, err := d.person(v.Person)
	if err != nil {
		return Event{}, err
	}
	by := p.Sign
	if first := d.authority(a.signers[0]); first != nil {
		by = first
	}
	if err := sign.Open(a.statement, KindRevoked, &v, by); err != nil {
		return Event{}, err
	}
	if known.revoked >= 0 {
		return Event{}, fault.Exists.New("that device was revoked already")
	}
	known.revoked = a.index
	return Event{Body: v, Person: v.Person}, nil
}

func (d *Directory) addOffice(a *act) (Event, error) {
	var o Office
	if err := d.open(a, KindOffice, &o); err != nil {
		return Event{}, err
	}
	if err := cmp.Or(validOffice(o.Office), validTitle("title of an office", o.Title)); err != nil {
		return Event{}, err
	}
	if _, list := d.lists[o.Office]; list || d.offices[o.Office] != nil {
		return Event{}, fault.Exists.New("there is an office or list %q already", o.Office)
	}
	d.offices[o.Office] = &office{Office: o, seats: map[string]*seat{}}
	return Event{Body: o}, nil
}

func (d *Directory) office(name string) (*office, error) {
	o := d.offices[name]
	if o == nil {
		return nil, fault.NotFound.New("there is no office %q", name)
	}
	return o, nil
}

func (d *Directory) addSeat(a *act) (Event, error) {
	var s Seat
	if err := d.open(a, KindSeat, &s); err != nil {
		return Event{}, err
	}
	o, err := d.office(s.Office)
	if err != nil {
		return Event{}, err
	}
	if err := cmp.Or(validSeat(s.Seat), validTitle("title of a seat", s.Title)); err != nil {
		return Event{}, err
	}
	if o.seats[s.Seat] != nil {
		return Event{}, fault.Exists.New("the office %q has a seat %q already", s.Office, s.Seat)
	}
	o.seats[s.Seat] = &seat{Seat: s}
	return Event{Body: s}, nil
}

func (d *Directory) addTenure(a *act) (Event, error) {
	var t Tenure
	if err := sign.Peek(a.statement, KindTenure, &t); err != nil {
		return Event{}, err
	}
	p, err := d.person(t.Person)
	if err != nil {
		return Event{}, err
	}
	if err := d.open(a, KindTenure, &t, p.Sign); err != nil {
		return Event{}, err
	}
	if err := d.Free(t.Office, t.Seat, t.From.Time); err != nil {
		return Event{}, err
	}
	switch {
	case validID("tenure", t.ID) != nil:
		return Event{}, validID("tenure", t.ID)
	case d.tenures[t.ID] != nil:
		return Event{}, fault.Exists.New("there is a tenure %q already", t.ID)
	}
	s := d.offices[t.Office].seats[t.Seat]
	added := &tenure{Tenure: t, since: a.index}
	s.tenures, d.tenures[t.ID] = append(s.tenures, added), added
	return Event{Body: t, Person: t.Person}, nil
}

func (d *Directory) endTenure(a *act) (Event, error) {
	var e TenureEnd
	if err := sign.Peek(a.statement, KindTenureEnd, &e); err != nil {
		return Event{}, err
	}
	t := d.tenures[e.Tenure]
	if t == nil {
		return Event{}, fault.NotFound.New("there is no tenure %q", e.Tenure)
	}
	p, err := d.person(t.Person)
	if err != nil {
		return Event{}, err
	}
	second := p.Sign
	if other := d.secondAuthority(a, 1); other != nil {
		second = other // the person is absent, or does not agree
	}
	if err := d.open(a, KindTenureEnd, &e, second); err != nil {
		return Event{}, err
	}
	switch {
	case t.until != nil && !e.Until.Before(t.until.Time):
		return Event{}, fault.Exists.New("the tenure %q ends before that already", e.Tenure)
	case e.Until.Before(t.From.Time):
		return Event{}, fault.Input.New("the tenure %q would end before it began", e.Tenure)
	}
	t.until = &e.Until
	return Event{Body: e, Person: t.Person}, nil
}

func (d *Directory) addEpoch(a *act) (Event, error) {
	var e Epoch
	if err := sign.Peek(a.statement, KindEpoch, &e); err != nil {
		return Event{}, err
	}
	o, err := d.office(e.Office)
	if err != nil {
		return Event{}, err
	}
	if len(a.signers) != 2 {
		return Event{}, fault.Mismatch.New("an archive key is signed by an authority and by a holder of the office")
	}
	holder := d.signer(a.signers[1])
	if holder == nil || !d.holds(o, holder.ID) {
		return Event{}, fault.Mismatch.New("an archive key of %q that no holder of the office signed", e.Office)
	}
	if err := d.open(a, KindEpoch, &e, holder.Sign); err != nil {
		return Event{}, err
	}
	switch {
	case validRecipient(e.Recipient) != nil:
		return Event{}, validRecipient(e.Recipient)
	case e.Number != len(o.epochs)+1:
		return Event{}, fault.Exists.New("the next epoch of %q is %d, not %d", e.Office, len(o.epochs)+1, e.Number)
	case d.taken(sign.ID{}, e.Recipient):
		return Event{}, fault.Exists.New("the archive key of %q has another role already", e.Office)
	}
	o.epochs = append(o.epochs, e)
	return Event{Body: e}, nil
}

// signer returns the person whose newest key has an id.
func (d *Directory) signer(id sign.ID) *keyed {
	p, err := d.person(d.byKey[id])
	if err != nil || p.Sign.ID() != id {
		return nil
	}
	return p
}

// holds says whether a person holds a seat of the office whose end is not stated.
func (d *Directory) holds(o *office, person string) bool {
	for _, s := range o.seats {
		if n := len(s.tenures); n > 0 && s.tenures[n-1].Person == person && s.tenures[n-1].until == nil {
			return true
		}
	}
	return false
}

func (d *Directory) addList(a *act) (Event, error) {
	var l List
	if err := d.open(a, KindList, &l); err != nil {
		return Event{}, err
	}
	if err := validOffice(l.List); err != nil {
		return Event{}, err
	}
	if d.offices[l.List] != nil {
		return Event{}, fault.Exists.New("%q is an office", l.List)
	}
	if l.Version != d.lists[l.List].Version+1 {
		return Event{}, fault.Exists.New("the next version of the list %q is %d, not %d", l.List, d.lists[l.List].Version+1, l.Version)
	}
	if len(l.Offices) == 0 || len(l.Offices) > maxMembers || !slices.IsSorted(l.Offices) || len(slices.Compact(slices.Clone(l.Offices))) != len(l.Offices) {
		return Event{}, fault.Input.New("a list has 1 to %d offices, sorted, each once", maxMembers)
	}
	for _, o := range l.Offices {
		if _, err := d.office(o); err != nil {
			return Event{}, err
		}
	}
	d.lists[l.List] = l
	return Event{Body: l}, nil
}

// Institution returns the first statement.
func (d *Directory) Institution() Institution { return d.institution }

// About returns every statement about a person, in the order of the log. A desk
// looks at those about its own person and alarms at one it did not sign.
func (d *Directory) About(person string) []Event {
	var out []Event
	for _, e := range d.events {
		if e.Person == person {
			out = append(out, e)
		}
	}
	return out
}

// Lists returns the names of the lists, and Offices those of the offices.
func (d *Directory) Lists() []string { return slices.Sorted(maps.Keys(d.lists)) }

// Offices returns the names of the offices.
func (d *Directory) Offices() []string { return slices.Sorted(maps.Keys(d.offices)) }

// String tells how much a directory knows.
func (d *Directory) String() string {
	return fmt.Sprintf("%s: %d persons, %d offices, %d tenures", d.institution.Name, len(d.persons), len(d.offices), len(d.tenures))
}
