package directory_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"chancery/internal/directory"
	"chancery/internal/fault"
	"chancery/internal/sign"
)

// A ministry is a directory under construction, with everybody's keys.
type ministry struct {
	*directory.Directory
	t    *testing.T
	keys map[string]*sign.Key
	next int64
	n    int // recipients made up so far
}

func (m *ministry) key(name string) *sign.Key {
	if m.keys[name] == nil {
		m.keys[name] = sign.Generate()
	}
	return m.keys[name]
}

// recipient makes up a recipient: the directory opens none.
func (m *ministry) recipient() string {
	m.n++
	return fmt.Sprintf("age1pq1made-up-%d", m.n)
}

func (m *ministry) party(name string) directory.Party {
	return directory.Party{Name: name, Sign: m.key(name).Public(), Recipient: m.recipient()}
}

func (m *ministry) institution() directory.Institution {
	in := directory.Institution{Name: "Ministry of Outer Affairs", Operator: m.key("operator").Public(), Threshold: 2}
	in.Authorities = []*sign.Public{m.key("authority").Public(), m.key("deputy").Public()}
	in.Marking = []directory.Party{m.party("marking")}
	for _, name := range []string{"auditor", "judge", "clerk"} {
		in.Custodians = append(in.Custodians, m.party(name))
	}
	return in
}

func newMinistry(t *testing.T) *ministry {
	t.Helper()
	m := &ministry{t: t, keys: map[string]*sign.Key{}, next: 5}
	d, err := directory.New(4, m.sign(directory.KindInstitution, m.institution(), "authority", "deputy"))
	if err != nil {
		t.Fatal(err)
	}
	m.Directory = d
	return m
}

func (m *ministry) sign(kind string, body any, by ...string) []byte {
	m.t.Helper()
	var keys []*sign.Key
	for _, name := range by {
		keys = append(keys, m.key(name))
	}
	s, err := sign.Sign(kind, body, keys...)
	if err != nil {
		m.t.Fatal(err)
	}
	return s
}

// try adds a statement at the next index.
func (m *ministry) try(kind string, body any, by ...string) error {
	m.t.Helper()
	_, err := m.Add(m.next, m.sign(kind, body, by...))
	if err == nil {
		m.next++
	}
	return err
}

func (m *ministry) do(kind string, body any, by ...string) {
	m.t.Helper()
	if err := m.try(kind, body, by...); err != nil {
		m.t.Fatal(err)
	}
}

func (m *ministry) person(id string) directory.Person {
	return directory.Person{ID: id, Name: "The person " + id, Sign: m.key(id).Public(), Recipient: m.recipient()}
}

// device is a device of a person, with a key of its own name.
func (m *ministry) device(person, name string) directory.Device {
	return directory.Device{Person: person, Sign: m.key(name).Public(), Name: name}
}

func day(n int) directory.Time {
	return directory.At(time.Date(2030, 1, n, 9, 0, 0, 0, time.UTC))
}

// staffed is a ministry with two offices, three seats and two people.
func staffed(t *testing.T) *ministry {
	m := newMinistry(t)
	m.do(directory.KindPerson, m.person("ada"), "authority", "ada")
	m.do(directory.KindPerson, m.person("bo"), "authority", "bo")
	for _, o := range []string{"post.embassy", "centre.desk"} {
		m.do(directory.KindOffice, directory.Office{Office: o, Title: "Office " + o}, "authority")
		m.do(directory.KindSeat, directory.Seat{Office: o, Seat: "head", Title: "Head"}, "authority")
	}
	m.do(directory.KindSeat, directory.Seat{Office: "centre.desk", Seat: "deputy", Title: "Deputy"}, "deputy")
	m.do(directory.KindTenure, directory.Tenure{ID: "t1", Office: "post.embassy", Seat: "head", Person: "ada", From: day(1)}, "authority", "ada")
	m.do(directory.KindTenure, directory.Tenure{ID: "t2", Office: "centre.desk", Seat: "head", Person: "bo", From: day(1)}, "authority", "bo")
	return m
}

func TestWhoHeldTheSeat(t *testing.T) {
	m := staffed(t)
	m.do(directory.KindTenureEnd, directory.TenureEnd{Tenure: "t1", Until: day(10)}, "authority", "ada")
	m.do(directory.KindTenure, directory.Tenure{ID: "t3", Office: "post.embassy", Seat: "head", Person: "bo", From: day(12)}, "authority", "bo")
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{day(1).Add(-time.Second), ""}, {day(1).Time, "ada"}, {day(10).Add(-time.Second), "ada"}, {day(10).Time, ""},
		{day(11).Time, ""}, {day(12).Time, "bo"}, {day(12).AddDate(50, 0, 0), "bo"},
	} {
		h, err := m.Holder("post.embassy", "head", c.at)
		if h.Person != c.want || (err != nil) != (c.want == "") {
			t.Errorf("at %s: %q, %v", c.at, h.Person, err)
		}
	}
	if got := m.Tenures("bo"); len(got) != 2 || got[1].ID != "t3" || got[1].Until != nil {
		t.Errorf("%+v", got)
	}
	for _, err := range []error{second(m.Holder("post.embassy", "tail", day(2).Time)), second(m.Holder("nowhere", "head", day(2).Time))} {
		if !errors.Is(err, fault.NotFound) {
			t.Error(err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestExpand: one person in two seats gets one copy, or they would see the sites.
func TestExpand(t *testing.T) {
	m := staffed(t)
	m.do(directory.KindTenure, directory.Tenure{ID: "t3", Office: "centre.desk", Seat: "deputy", Person: "ada", From: day(2)}, "deputy", "ada")
	m.do(directory.KindList, directory.List{List: "restricted", Version: 1, Offices: []string{"centre.desk", "post.embassy"}}, "authority")
	reached, empty, err := m.Expand([]string{"restricted", "post.embassy"}, day(3).Time)
	if err != nil || len(reached) != 2 || len(empty) != 0 {
		t.Fatalf("%+v, %v, %v", reached, empty, err)
	}
	if reached[0].ID != "ada" || len(reached[0].Holdings) != 2 || reached[1].ID != "bo" || len(reached[1].Holdings) != 1 {
		t.Errorf("%+v", reached)
	}
	if _, empty, err = m.Expand([]string{"restricted"}, day(1).AddDate(-1, 0, 0)); err != nil || len(empty) != 2 {
		t.Errorf("%v, %v", empty, err)
	}
	if _, _, err := m.Expand([]string{"nowhere"}, day(3).Time); !errors.Is(err, fault.NotFound) {
		t.Error(err)
	}
}

// TestGhostReader: the appointing authority makes up a person and puts them on
// the list, or takes the seat of somebody without their knowledge. It cannot:
// neither a key nor a tenure counts without the person's own signature.
func TestGhostReader(t *testing.T) {
	m := staffed(t)
	ghost := m.person("ghost")
	if err := m.try(directory.KindPerson, ghost, "authority"); !errors.Is(err, fault.Mismatch) {
		t.Errorf("a person by the authority alone: %v", err)
	}
	if err := m.try(directory.KindPerson, ghost, "authority", "deputy"); !errors.Is(err, fault.Mismatch) {
		t.Errorf("a person by two authorities: %v", err)
	}
	seat := directory.Tenure{ID: "t9", Office: "centre.desk", Seat: "deputy", Person: "ada", From: day(2)}
	if err := m.try(directory.KindTenure, seat, "authority"); !errors.Is(err, fault.Mismatch) {
		t.Errorf("a tenure by the authority alone: %v", err)
	}
	if err := m.try(directory.KindTenure, seat, "authority", "bo"); !errors.Is(err, fault.Mismatch) {
		t.Errorf("a tenure signed by another person: %v", err)
	}
	if err := m.try(directory.KindTenure, seat, "ada", "authority"); !errors.Is(err, fault.Mismatch) {
		t.Errorf("a tenure with the signatures the other way: %v", err)
	}
}

// TestKeySubstitution: the registry, or one authority, gives a person a new key
// whose private half it holds. It needs the person's old key, or a second
// authority; and the desk of the person sees the statement.
func TestKeySubstitution(t *testing.T) {
	m := staffed(t)
	m.keys["thief"] = sign.Generate()
	stolen := directory.Person{ID: "ada", Name: "The person ada", Sign: m.key("thief").Public(), Recipient: m.recipient()}
	for _, by := range [][]string{{"authority", "thief"}, {"authority", "thief", "thief"}, {"authority", "thief", "authority"}, {"thief", "thief"}} {
		if err := m.try(directory.KindPerson, stolen, by...); !errors.Is(err, fault.Mismatch) {
			t.Errorf("signed by %v: %v", by, err)
		}
	}
	before := len(m.About("ada"))
	m.do(directory.KindPerson, stolen, "authority", "thief", "deputy") // ada lost her key, or the two collude
	events := m.About("ada")
	if len(events) != before+1 || events[before].Kind != directory.KindPerson || events[before].Index != m.next-1 {
		t.Errorf("%+v", events)
	}
	// The old key counts for what was signed while it was the newest, not after.
	old := m.key("ada").Public().ID()
	if p, err := m.SignerAt(old, m.next-1); err != nil || p.ID != "ada" {
		t.Errorf("%v, %v", p, err)
	}
	if _, err := m.SignerAt(old, m.next); !errors.Is(err, fault.Mismatch) {
		t.Errorf("after: %v", err)
	}
	if p, err := m.SignerAt(m.key("thief").Public().ID(), m.next-1); !errors.Is(err, fault.Mismatch) {
		t.Errorf("before it is in the log: %v, %v", p, err)
	}
	if err := m.try(directory.KindTenureEnd, directory.TenureEnd{Tenure: "t1", Until: day(9)}, "authority", "ada"); !errors.Is(err, fault.Mismatch) {
		t.Errorf("an end signed with the old key: %v", err)
	}
}

// TestListRollback: somebody logs last year's restricted list again, byte for byte,
// so that a desk that was taken off it gets cables once more.
func TestListRollback(t *testing.T) {
	m := staffed(t)
	wide := m.sign(directory.KindList, directory.List{List: "restricted", Version: 1, Offices: []string{"centre.desk", "post.embassy"}}, "authority")
	if _, err := m.Add(m.next, wide); err != nil {
		t.Fatal(err)
	}
	m.next++
	m.do(directory.KindList, directory.List{List: "restricted", Version: 2, Offices: []string{"post.embassy"}}, "authority")
	if _, err := m.Add(m.next, wide); !errors.Is(err, fault.Exists) {
		t.Errorf("the old list is back: %v", err)
	}
	if err := m.try(directory.KindOffice, directory.Office{Office: "restricted", Title: "X"}, "authority"); !errors.Is(err, fault.Exists) {
		t.Errorf("an office under a list's name: %v", err)
	}
}

// TestNewKeysNewDevices: a stolen desk is answered with new keys. What the old ones
// enrolled speaks for nobody.
func TestNewKeysNewDevices(t *testing.T) {
	m := staffed(t)
	v := m.device("ada", "desk")
	m.do(directory.KindDevice, v, "ada", "desk")
	m.keys["new"] = sign.Generate()
	m.do(directory.KindPerson, directory.Person{ID: "ada", Name: "The person ada", Sign: m.key("new").Public(), Recipient: m.recipient()}, "authority", "new", "deputy")
	if _, err := m.ByDevice(v.ID()); !errors.Is(err, fault.Permission) {
		t.Errorf("the stolen device speaks: %v", err)
	}
	e := directory.Epoch{Office: "centre.desk", Number: 1, Recipient: m.recipient()}
	m.do(directory.KindEpoch, e, "authority", "bo")
	p := directory.Person{ID: "x", Name: "X", Sign: m.key("x").Public(), Recipient: e.Recipient}
	if err := m.try(directory.KindPerson, p, "authority", "x"); !errors.Is(err, fault.Exists) {
		t.Errorf("an archive key as a person's: %v", err)
	}
}

// TestRoles: who appoints, marks, keeps shares and runs the registry are never
// one key, and none of them is a reader.
func TestRoles(t *testing.T) {
	m := staffed(t)
	for _, role := range []string{"authority", "operator", "marking", "auditor", "ada"} {
		p := directory.Person{ID: "x", Name: "X", Sign: m.key(role).Public(), Recipient: m.recipient()}
		if err := m.try(directory.KindPerson, p, "authority", role); !errors.Is(err, fault.Exists) {
			t.Errorf("the key of the %s as a person's: %v", role, err)
		}
	}
	marking := m.Institution().Marking[0].Recipient
	p := directory.Person{ID: "x", Name: "X", Sign: m.key("x").Public(), Recipient: marking}
	if err := m.try(directory.KindPerson, p, "authority", "x"); !errors.Is(err, fault.Exists) {
		t.Errorf("the recipient of the marking desk as a person's: %v", err)
	}
	for name, change := range map[string]func(*directory.Institution){
		"the operator marks":         func(in *directory.Institution) { in.Marking[0].Sign = in.Operator },
		"an authority keeps shares":  func(in *directory.Institution) { in.Custodians[1].Sign = in.Authorities[0] },
		"one custodian twice":        func(in *directory.Institution) { in.Custodians[1].Sign = in.Custodians[0].Sign },
		"one recipient twice":        func(in *directory.Institution) { in.Custodians[1].Recipient = in.Marking[0].Recipient },
		"one authority":              func(in *directory.Institution) { in.Authorities = in.Authorities[:1] },
		"one authority twice":        func(in *directory.Institution) { in.Authorities[1] = in.Authorities[0] },
		"no marking desk":            func(in *directory.Institution) { in.Marking = nil },
		"one custodian is enough":    func(in *directory.Institution) { in.Threshold = 1 },
		"more than there are":        func(in *directory.Institution) { in.Threshold = 4 },
		"no operator":                func(in *directory.Institution) { in.Operator = nil },
		"a name that steers screens": func(in *directory.Institution) { in.Name = "x\x1b[2J" },
		"a classical recipient":      func(in *directory.Institution) { in.Marking[0].Recipient = "age1x" },
	} {
		in := m.institution()
		change(&in)
		by := []string{"authority", "deputy"}[:len(in.Authorities)]
		if name == "one authority twice" {
			by = []string{"authority", "authority"}
		}
		if _, err := directory.New(0, m.sign(directory.KindInstitution, in, by...)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := directory.New(0, m.sign(directory.KindInstitution, m.institution(), "authority")); !errors.Is(err, fault.Mismatch) {
		t.Error("an institution that one of its authorities did not sign")
	}
}

func TestDevices(t *testing.T) {
	m := staffed(t)
	v := m.device("ada", "desk")
	if err := m.try(directory.KindDevice, v, "bo", "desk"); !errors.Is(err, fault.Mismatch) {
		t.Errorf("another person's device: %v", err)
	}
	if err := m.try(directory.KindDevice, v, "ada"); !errors.Is(err, fault.Mismatch) {
		t.Errorf("a device that ada does not hold: %v", err)
	}
	bos := m.device("ada", "desk")
	bos.Person = "bo"
	if err := m.try(directory.KindDevice, bos, "bo", "bo"); !errors.Is(err, fault.Mismatch) {
		t.Errorf("ada's device, enrolled by bo: %v", err)
	}
	self := directory.Device{Person: "ada", Sign: m.key("ada").Public(), Name: "herself"}
	if err := m.try(directory.KindDevice, self, "ada", "ada"); err == nil {
		t.Error("a person as her own device")
	}
	m.do(directory.KindDevice, v, "ada", "desk")
	if err := m.try(directory.KindPerson, directory.Person{ID: "x", Name: "X", Sign: v.Sign, Recipient: m.recipient()}, "authority", "desk"); !errors.Is(err, fault.Exists) {
		t.Errorf("a device as a person: %v", err)
	}
	if p, err := m.ByDevice(v.ID()); err != nil || p.ID != "ada" {
		t.Errorf("%+v, %v", p, err)
	}
	if err := m.try(directory.KindDevice, v, "ada", "desk"); !errors.Is(err, fault.Exists) {
		t.Errorf("twice: %v", err)
	}
	if err := m.try(directory.KindRevoked, v, "bo"); !errors.Is(err, fault.Mismatch) {
		t.Errorf("revoked by another person: %v", err)
	}
	other := m.device("ada", "laptop")
	m.do(directory.KindDevice, other, "ada", "laptop")
	m.do(directory.KindRevoked, v, "deputy")
	m.do(directory.KindRevoked, other, "ada")
	for _, key := range []string{v.ID(), other.ID(), strings.Repeat("c3", 32)} {
		if _, err := m.ByDevice(key); !errors.Is(err, fault.Permission) {
			t.Errorf("%s speaks: %v", key, err)
		}
	}
	if got := m.Devices("ada"); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// TestEnds: an ambassador goes, agreeing or not.
func TestEnds(t *testing.T) {
	m := staffed(t)
	end := directory.TenureEnd{Tenure: "t1", Until: day(10)}
	for _, by := range [][]string{{"authority"}, {"authority", "authority"}, {"authority", "bo"}, {"ada", "authority"}} {
		if err := m.try(directory.KindTenureEnd, end, by...); !errors.Is(err, fault.Mismatch) {
			t.Errorf("by %v: %v", by, err)
		}
	}
	early := directory.TenureEnd{Tenure: "t1", Until: directory.At(day(1).Add(-time.Hour))}
	if err := m.try(directory.KindTenureEnd, early, "authority", "ada"); !errors.Is(err, fault.Input) {
		t.Errorf("before it began: %v", err)
	}
	m.do(directory.KindTenureEnd, end, "authority", "deputy")
	if err := m.try(directory.KindTenureEnd, end, "authority", "ada"); !errors.Is(err, fault.Exists) {
		t.Errorf("twice: %v", err)
	}
	// A planned end can be brought forward, and not be put off.
	sooner := directory.TenureEnd{Tenure: "t1", Until: day(8)}
	m.do(directory.KindTenureEnd, sooner, "authority", "deputy")
	if err := m.try(directory.KindTenureEnd, end, "authority", "deputy"); !errors.Is(err, fault.Exists) {
		t.Errorf("put off: %v", err)
	}
	next := directory.Tenure{ID: "t9", Office: "post.embassy", Seat: "head", Person: "bo", From: day(7)}
	if err := m.try(directory.KindTenure, next, "authority", "bo"); !errors.Is(err, fault.Exists) {
		t.Errorf("two in one seat: %v", err)
	}
	next.From = day(8)
	m.do(directory.KindTenure, next, "authority", "bo")
}

func TestEpochs(t *testing.T) {
	m := staffed(t)
	e := directory.Epoch{Office: "centre.desk", Number: 1, Recipient: m.recipient()}
	for _, by := range [][]string{{"authority"}, {"authority", "ada"}, {"bo", "authority"}, {"authority", "deputy"}} {
		if err := m.try(directory.KindEpoch, e, by...); !errors.Is(err, fault.Mismatch) {
			t.Errorf("by %v: %v", by, err)
		}
	}
	m.do(directory.KindEpoch, e, "authority", "bo")
	for _, bad := range []directory.Epoch{{"centre.desk", 1, m.recipient()}, {"centre.desk", 3, m.recipient()}, {"centre.desk", 2, e.Recipient}} {
		if err := m.try(directory.KindEpoch, bad, "authority", "bo"); !errors.Is(err, fault.Exists) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	m.do(directory.KindEpoch, directory.Epoch{Office: "centre.desk", Number: 2, Recipient: m.recipient()}, "deputy", "bo")
	if got, err := m.Epochs("centre.desk"); err != nil || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	m.do(directory.KindTenureEnd, directory.TenureEnd{Tenure: "t2", Until: day(10)}, "authority", "bo")
	if err := m.try(directory.KindEpoch, directory.Epoch{Office: "centre.desk", Number: 3, Recipient: m.recipient()}, "authority", "bo"); !errors.Is(err, fault.Mismatch) {
		t.Errorf("by a former holder: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	m := staffed(t)
	before := m.String()
	for _, c := range []struct {
		name string
		kind string
		body any
		by   []string
		want fault.Kind
	}{
		{"an unknown kind", "coup", directory.Office{}, []string{"authority"}, fault.Input},
		{"an office by a stranger", directory.KindOffice, directory.Office{Office: "x", Title: "X"}, []string{"stranger"}, fault.Mismatch},
		{"an office twice", directory.KindOffice, directory.Office{Office: "centre.desk", Title: "X"}, []string{"authority"}, fault.Exists},
		{"a bad name", directory.KindOffice, directory.Office{Office: "Centre Desk", Title: "X"}, []string{"authority"}, fault.Input},
		{"no title", directory.KindOffice, directory.Office{Office: "x"}, []string{"authority"}, fault.Input},
		{"a seat nowhere", directory.KindSeat, directory.Seat{Office: "x", Seat: "head", Title: "X"}, []string{"authority"}, fault.NotFound},
		{"a seat twice", directory.KindSeat, directory.Seat{Office: "centre.desk", Seat: "head", Title: "X"}, []string{"authority"}, fault.Exists},
		{"a seat with a bad name", directory.KindSeat, directory.Seat{Office: "centre.desk", Seat: "../x", Title: "X"}, []string{"authority"}, fault.Input},
		{"a tenure of nobody", directory.KindTenure, directory.Tenure{ID: "t9", Office: "centre.desk", Seat: "deputy", Person: "x", From: day(1)}, []string{"authority", "ada"}, fault.NotFound},
		{"a tenure in no seat", directory.KindTenure, directory.Tenure{ID: "t9", Office: "centre.desk", Seat: "x", Person: "ada", From: day(1)}, []string{"authority", "ada"}, fault.NotFound},
		{"a tenure's id twice", directory.KindTenure, directory.Tenure{ID: "t1", Office: "centre.desk", Seat: "deputy", Person: "ada", From: day(1)}, []string{"authority", "ada"}, fault.Exists},
		{"no tenure to end", directory.KindTenureEnd, directory.TenureEnd{Tenure: "x", Until: day(1)}, []string{"authority", "ada"}, fault.NotFound},
		{"a device of nobody", directory.KindDevice, directory.Device{Person: "x", Sign: m.key("d").Public(), Name: "d"}, []string{"ada", "d"}, fault.NotFound},
		{"a device without key", directory.KindDevice, directory.Device{Person: "ada", Name: "d"}, []string{"ada"}, fault.Input},
		{"no device to revoke", directory.KindRevoked, directory.Device{Person: "ada", Sign: m.key("d").Public(), Name: "d"}, []string{"ada"}, fault.NotFound},
		{"an empty list", directory.KindList, directory.List{List: "l", Version: 1}, []string{"authority"}, fault.Input},
		{"a list of nowhere", directory.KindList, directory.List{List: "l", Version: 1, Offices: []string{"x"}}, []string{"authority"}, fault.NotFound},
		{"a list out of order", directory.KindList, directory.List{List: "l", Version: 1, Offices: []string{"post.embassy", "centre.desk"}}, []string{"authority"}, fault.Input},
		{"a list called as an office", directory.KindList, directory.List{List: "centre.desk", Version: 1, Offices: []string{"post.embassy"}}, []string{"authority"}, fault.Exists},
		{"a person without keys", directory.KindPerson, directory.Person{ID: "x", Name: "X"}, []string{"authority"}, fault.Input},
		{"a second institution", directory.KindInstitution, m.institution(), []string{"authority", "deputy"}, fault.Input},
	} {
		if err := m.try(c.kind, c.body, c.by...); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := m.Add(m.next-1, m.sign(directory.KindOffice, directory.Office{Office: "x", Title: "X"}, "authority")); !errors.Is(err, fault.Mismatch) {
		t.Errorf("out of order: %v", err)
	}
	if _, err := m.Add(m.next, []byte("x")); !errors.Is(err, fault.Input) {
		t.Errorf("no statement: %v", err)
	}
	if m.String() != before {
		t.Errorf("%s became %s", before, m)
	}
	// Of two directories that read the same statements, neither knows more.
	if len(m.Offices()) != 2 || len(m.Lists()) != 0 {
		t.Errorf("%v, %v", m.Offices(), m.Lists())
	}
}

func TestTimeHasOneSpelling(t *testing.T) {
	var at directory.Time
	for _, bad := range []string{"", "2030-01-01", "2030-01-01T09:00:00+01:00", "2030-01-01T09:00:00.5Z", "2030-01-01t09:00:00Z", "2030-01-01T09:00:00+00:00"} {
		if err := at.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if err := at.UnmarshalText([]byte("2030-01-01T09:00:00Z")); err != nil || !at.Equal(day(1).Time) {
		t.Errorf("%v, %v", at, err)
	}
}

// FuzzAdd feeds bodies of every kind, correctly signed: what an authority that
// went mad would log.
func FuzzAdd(f *testing.F) {
	f.Add("office", `{"office":"a.b","title":"T"}`)
	f.Add("tenure", `{"id":"t","office":"centre.desk","seat":"deputy","person":"ada","from":"2030-01-01T09:00:00Z"}`)
	f.Add("person", `{"id":"x","name":"X","sign":null,"recipient":"age1pq1x"}`)
	f.Add("list", `{"list":"l","offices":["centre.desk"]}`)
	f.Fuzz(func(t *testing.T, kind, body string) {
		m := staffed(t)
		s, err := sign.Sign(kind, rawBody(body), m.key("authority"), m.key("ada"))
		if err != nil {
			return
		}
		for _, statement := range [][]byte{s, []byte(body)} {
			before := m.String()
			if _, err := m.Add(m.next, statement); err != nil {
				if k := fault.KindOf(err); k == fault.Internal {
					t.Fatal(err)
				}
				if m.String() != before {
					t.Fatal("a refused statement changed the directory")
				}
			}
		}
	})
}

// rawBody is JSON as it is.
type rawBody string

func (r rawBody) MarshalJSON() ([]byte, error) { return []byte(r), nil }
