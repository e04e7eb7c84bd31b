package directory

import (
	"cmp"
	"slices"
	"time"

	"chancery/internal/fault"
	"chancery/internal/sign"
)

// A Holding is a tenure as it stands.
type Holding struct {
	Tenure
	Since int64 // index in the log of the statement
	Until *Time // nil while no end is stated
}

func (t *tenure) holding() Holding { return Holding{t.Tenure, t.since, t.until} }

// Runs says whether the tenure runs at a time: from its first second to the one
// before its end.
func (h Holding) Runs(at time.Time) bool {
	return !at.Before(h.From.Time) && (h.Until == nil || at.Before(h.Until.Time))
}

// Person returns a person with the newest keys, and the index since which they
// are in the log.
func (d *Directory) Person(id string) (p Person, since int64, err error) {
	k, err := d.person(id)
	if err != nil {
		return Person{}, 0, err
	}
	return k.Person, k.since, nil
}

// Had says whether keys are or were this person's.
func (d *Directory) Had(p Person) bool { return d.byKey[p.Sign.ID()] == p.ID }

// HadAt says whether a key had become some person's before an index of the log.
func (d *Directory) HadAt(key *sign.Public, index int64) bool {
	return slices.ContainsFunc(d.persons[d.byKey[key.ID()]], func(k *keyed) bool { return k.Sign.ID() == key.ID() && k.since < index })
}

// SignerAt returns the person whose key with that id was the newest just before
// an index of the log, as which a statement at that index is judged.
func (d *Directory) SignerAt(key sign.ID, index int64) (Person, error) {
	all := d.persons[d.byKey[key]]
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].since < index {
			if all[i].Sign.ID() == key {
				return all[i].Person, nil
			}
			break
		}
	}
	return Person{}, fault.Mismatch.New("the key %.16s was nobody's at entry %d of the log", key, index)
}

// DeviceKey returns the key of a device that is or was enrolled.
func (d *Directory) DeviceKey(id string) (*sign.Public, error) {
	v := d.devices[id]
	if v == nil {
		return nil, fault.NotFound.New("the directory knows no device %.16q", id)
	}
	return v.Sign, nil
}

// ByDevice returns the person for whom a device speaks. A revoked device speaks
// for nobody (fault.Permission).
func (d *Directory) ByDevice(id string) (Person, error) {
	v := d.devices[id]
	if v == nil {
		return Person{}, fault.Permission.New("the device is not known").WithHint("enrol it first")
	}
	if v.revoked >= 0 {
		return Person{}, fault.Permission.New("the device %q was revoked at entry %d of the log", v.Name, v.revoked)
	}
	p, err := d.person(v.Person)
	if err != nil {
		return Person{}, err
	}
	return p.Person, nil
}

// Devices returns a person's devices that are not revoked, by name.
func (d *Directory) Devices(person string) []Device {
	var out []Device
	for _, v := range d.devices {
		if v.Person == person && v.revoked < 0 {
			out = append(out, v.Device)
		}
	}
	slices.SortFunc(out, func(a, b Device) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID(), b.ID())) })
	return out
}

// Seat refuses an office or a seat that there is not.
func (d *Directory) Seat(officeName, seatName string) error {
	o, err := d.office(officeName)
	if err == nil && o.seats[seatName] == nil {
		err = fault.NotFound.New("the office %q has no seat %q", officeName, seatName)
	}
	return err
}

// Free refuses a seat that there is not, or that is held from some time on: tenures of a
// seat follow each other.
func (d *Directory) Free(officeName, seatName string, from time.Time) error {
	if err := d.Seat(officeName, seatName); err != nil {
		return err
	}
	tenures := d.offices[officeName].seats[seatName].tenures
	if n := len(tenures); n > 0 && (tenures[n-1].until == nil || from.Before(tenures[n-1].until.Time)) {
		return fault.Exists.New("the seat %q of %q is held by %q then", seatName, officeName, tenures[n-1].Person).WithHint("end that tenure first: chancery depart; or make another seat")
	}
	return nil
}

// Holder returns who held a seat at a time: fault.NotFound if the seat was
// empty.
func (d *Directory) Holder(officeName, seatName string, at time.Time) (Holding, error) {
	if err := d.Seat(officeName, seatName); err != nil {
		return Holding{}, err
	}
	if h, ok := d.offices[officeName].seats[seatName].at(at); ok {
		return h, nil
	}
	return Holding{}, fault.NotFound.New("nobody held the seat %q of %q at %s", seatName, officeName, at.UTC().Format(time.RFC3339))
}

func (s *seat) at(at time.Time) (Holding, bool) {
	for _, t := range s.tenures {
		if h := t.holding(); h.Runs(at) {
			return h, true
		}
	}
	return Holding{}, false
}

// Holders returns the holders of an office at a time, by seat.
func (d *Directory) Holders(officeName string, at time.Time) ([]Holding, error) {
	o, err := d.office(officeName)
	if err != nil {
		return nil, err
	}
	var out []Holding
	for _, s := range o.seats {
		if h, ok := s.at(at); ok {
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b Holding) int { return cmp.Compare(a.Seat, b.Seat) })
	return out, nil
}

// Held returns a tenure if it is a person's and runs at a time; fault.Permission
// otherwise.
func (d *Directory) Held(person, id string, at time.Time) (Holding, error) {
	t := d.tenures[id]
	if t == nil || t.Person != person {
		return Holding{}, fault.Permission.New("the tenure %q is not %q's", id, person)
	}
	h := t.holding()
	if !h.Runs(at) {
		return Holding{}, fault.Permission.New("the tenure %q of %q has ended, or not begun", id, person)
	}
	return h, nil
}

// Sat says whether a person had been given a seat in an office before an index of the log.
func (d *Directory) Sat(person, officeName string, index int64) bool {
	return slices.ContainsFunc(d.Tenures(person), func(h Holding) bool { return h.Office == officeName && h.Since < index })
}

// Sits says whether a person holds a seat in an office at a time.
func (d *Directory) Sits(person, officeName string, at time.Time) (bool, error) {
	holders, err := d.Holders(officeName, at)
	return slices.ContainsFunc(holders, func(h Holding) bool { return h.Person == person }), err
}

// Succeeds says whether a person sits in an office at a time in which another sat before
// and sits no more; fault.Permission tells which of it is not so.
func (d *Directory) Succeeds(person, earlier, officeName string, at time.Time) error {
	now, err := d.Sits(person, officeName, at)
	if err != nil {
		return err
	}
	still, err := d.Sits(earlier, officeName, at)
	if err != nil {
		return err
	}
	switch {
	case !now:
		return fault.Permission.New("%q does not sit in %q", person, officeName)
	case still:
		return fault.Permission.New("%q still sits in %q", earlier, officeName).WithHint("they hand it over themselves, or an authority ends their tenure first: chancery depart")
	case !slices.ContainsFunc(d.Tenures(earlier), func(h Holding) bool { return h.Office == officeName && h.From.Before(at) }):
		return fault.Permission.New("%q never sat in %q", earlier, officeName)
	}
	return nil
}

// Tenures returns all tenures of a person, in the order of the log.
func (d *Directory) Tenures(person string) []Holding {
	var out []Holding
	for _, t := range d.tenures {
		if t.Person == person {
			out = append(out, t.holding())
		}
	}
	slices.SortFunc(out, func(a, b Holding) int { return cmp.Compare(a.Since, b.Since) })
	return out
}

// Epochs returns the archive keys of an office, the newest last.
func (d *Directory) Epochs(officeName string) ([]Epoch, error) {
	o, err := d.office(officeName)
	if err != nil {
		return nil, err
	}
	return slices.Clone(o.epochs), nil
}

// An Addressee is a person a cable reaches, once however many seats they hold
// among its offices: in two wordings they would see the sites.
type Addressee struct {
	Person
	Since    int64     // index since which these keys are in the log
	Holdings []Holding // in the offices addressed, by office and seat
}

// Expand returns the persons whom offices and lists of offices reach at a time,
// by id, and the offices in which no seat is held.
func (d *Directory) Expand(names []string, at time.Time) (reached []Addressee, empty []string, err error) {
	by := map[string]*Addressee{}
	offices, err := d.spread(names)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range offices {
		holders, err := d.Holders(name, at)
		if err != nil {
			return nil, nil, err
		}
		if len(holders) == 0 {
			empty = append(empty, name)
		}
		for _, h := range holders {
			k, err := d.person(h.Person)
			if err != nil {
				return nil, nil, err
			}
			if by[h.Person] == nil {
				by[h.Person] = &Addressee{Person: k.Person, Since: k.since}
			}
			by[h.Person].Holdings = append(by[h.Person].Holdings, h)
		}
	}
	for _, a := range by {
		reached = append(reached, *a)
	}
	slices.SortFunc(reached, func(a, b Addressee) int { return cmp.Compare(a.ID, b.ID) })
	return reached, empty, nil
}

// spread returns the offices that names stand for, each once, sorted.
func (d *Directory) spread(names []string) ([]string, error) {
	var out []string
	for _, name := range names {
		if l, ok := d.lists[name]; ok {
			out = append(out, l.Offices...)
			continue
		}
		if d.offices[name] == nil {
			return nil, fault.NotFound.New("there is no office or list %q", name)
		}
		out = append(out, name)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// List returns a list as it stands; fault.NotFound if there is none.
func (d *Directory) List(name string) (List, error) {
	l, ok := d.lists[name]
	if !ok {
		return List{}, fault.NotFound.New("there is no list %q", name)
	}
	return l, nil
}
