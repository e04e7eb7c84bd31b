package directory

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"chancery/internal/fault"
	"chancery/internal/sign"
)

// Kinds of statements in the directory, and who signs each, in this order. An
// authority is one of the appointing authority's keys.
const (
	KindInstitution = "institution"    // all authorities
	KindPerson      = "person"         // authority, person; a new key also by the old one, or by a second authority
	KindDevice      = "device"         // person, device
	KindRevoked     = "device-revoked" // person, or authority
	KindOffice      = "office"         // authority
	KindSeat        = "seat"           // authority
	KindTenure      = "tenure"         // authority, person
	KindTenureEnd   = "tenure-end"     // authority, person; or two authorities
	KindEpoch       = "epoch"          // authority, a holder of the office
	KindList        = "list"           // authority
)

// Limits.
const (
	maxName     = 100
	maxMembers  = 2000
	maxRecipent = 4096
)

// An Institution is the first statement of a directory: whose keys may appoint,
// mark, keep shares and run the registry. The four are different keys.
type Institution struct {
	Name        string         `json:"name"`
	Authorities []*sign.Public `json:"authorities"` // two or more
	Operator    *sign.Public   `json:"operator"`
	Marking     []Party        `json:"marking"`
	Custodians  []Party        `json:"custodians"`
	// Overseers see that acts took place, never what was written.
	Overseers []Party `json:"overseers"`
	// Threshold is how many custodians must agree to open a case.
	Threshold int `json:"threshold"`
}

// Custodian verifies a statement of a custodian's and returns the custodian's number,
// from 1: that of its shares.
func (in *Institution) Custodian(statement []byte, kind string, body any) (int, error) {
	_, signers, err := sign.Claims(statement)
	if err != nil {
		return 0, err
	}
	for i, c := range in.Custodians {
		if c.Sign.ID() == signers[0] {
			return i + 1, sign.Open(statement, kind, body, c.Sign)
		}
	}
	return 0, fault.Mismatch.New("a statement of kind %q that no custodian signed", kind)
}

// Enough is how many custodians must have good shares of a draw before it serves a cable:
// one more than must open it, or all.
func (in *Institution) Enough() int { return min(len(in.Custodians), in.Threshold+1) }

// A Party is one who is sealed to and signs, and is no addressee.
type Party struct {
	Name      string       `json:"name"`
	Sign      *sign.Public `json:"sign"`
	Recipient string       `json:"recipient"` // age1pq1...
}

// A Person is somebody who can hold seats. ID stays when keys change.
type Person struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Sign      *sign.Public `json:"sign"`
	Recipient string       `json:"recipient"` // age1pq1...
}

// A Device may speak for a person. It signs its own enrolment, so that nobody
// enrols a device they do not hold, and every receipt it asks keys with.
type Device struct {
	Person string       `json:"person"`
	Sign   *sign.Public `json:"sign"`
	Name   string       `json:"name"`
}

// ID names the device in receipts: the id of its key.
func (v Device) ID() string { return v.Sign.ID().String() }

// An Office is an addressee, such as no10.private-office.
type Office struct {
	Office string `json:"office"`
	Title  string `json:"title"`
}

// A Seat is a place in an office.
type Seat struct {
	Office string `json:"office"`
	Seat   string `json:"seat"`
	Title  string `json:"title"`
}

// A Tenure is a person's time in a seat. It is open until a TenureEnd.
type Tenure struct {
	ID     string `json:"id"`
	Office string `json:"office"`
	Seat   string `json:"seat"`
	Person string `json:"person"`
	From   Time   `json:"from"`
}

// A TenureEnd ends a tenure at a time.
type TenureEnd struct {
	Tenure string `json:"tenure"`
	Until  Time   `json:"until"`
}

// An Epoch is an office's archive key from here on. Epochs count from 1.
type Epoch struct {
	Office    string `json:"office"`
	Number    int    `json:"number"`
	Recipient string `json:"recipient"` // age1pq1...
}

// A List is a restricted list of offices under a name. A later one of the same
// name replaces it.
// Versions count from 1, so that an old one cannot be put back by logging it again.
type List struct {
	List    string   `json:"list"`
	Version int      `json:"version"`
	Offices []string `json:"offices"`
}

// A Time is a second in UTC, as "2016-01-28T09:00:00Z".
type Time struct{ time.Time }

// MarshalText writes the one spelling of the time.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.UTC().Format(time.RFC3339)), nil }

// UnmarshalText reads what MarshalText writes.
func (t *Time) UnmarshalText(text []byte) error {
	read, err := time.Parse(time.RFC3339, string(text))
	if err != nil || read.Location() != time.UTC || read.UTC().Format(time.RFC3339) != string(text) {
		return fmt.Errorf("not a time in UTC such as 2016-01-28T09:00:00Z")
	}
	t.Time = read.UTC()
	return nil
}

// At makes a Time, to the second.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Second)} }

var (
	officeName = regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*$`)
	idName     = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
)

func validOffice(name string) error {
	if len(name) > maxName || !officeName.MatchString(name) {
		return fault.Input.New("%q is not the name of an office", name).WithHint("lower-case letters, figures, points and hyphens, such as no10.private-office")
	}
	return nil
}

func validSeat(name string) error {
	if len(name) > maxName || !officeName.MatchString(name) {
		return fault.Input.New("%q is not the name of a seat", name).WithHint("lower-case letters, figures, points and hyphens, such as head")
	}
	return nil
}

func validID(what, id string) error {
	if !idName.MatchString(id) {
		return fault.Input.New("%q is not the id of a %s", id, what)
	}
	return nil
}

// ValidPerson refuses what cannot be a person's id and name.
func ValidPerson(id, name string) error {
	if err := validID("person", id); err != nil {
		return fault.Input.Wrap(err, "invite").WithHint("small letters, digits, hyphens, as in ann-clark")
	}
	return validTitle("name of a person", name)
}

// validTitle refuses what cannot be shown on one line, or reads in two ways.
func validTitle(what, text string) error {
	if text == "" || len(text) > 4*maxName || !utf8.ValidString(text) || strings.TrimSpace(text) != text ||
		strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fault.Input.New("%q cannot be the %s", text, what)
	}
	return nil
}

func validRecipient(text string) error {
	if len(text) > maxRecipent || !strings.HasPrefix(text, "age1pq1") {
		return fault.Input.New("%.20q is not a hybrid recipient of age", text).WithHint("such a recipient begins with age1pq1")
	}
	return nil
}

// valid checks an institution by itself.
func (in *Institution) valid() error {
	if err := validTitle("name of an institution", in.Name); err != nil {
		return err
	}
	n := len(in.Custodians)
	switch {
	case len(in.Authorities) < 2 || len(in.Authorities) > sign.MaxSigners:
		return fault.Input.New("an institution has 2 to %d appointing authorities, not %d", sign.MaxSigners, len(in.Authorities)).
			WithHint("one alone could end tenures without the person's consent")
	case in.Operator == nil:
		return fault.Input.New("the institution names no operator of its registry")
	case len(in.Marking) < 1 || len(in.Marking) > 2:
		return fault.Input.New("an institution has one or two marking desks, not %d", len(in.Marking))
	case n < 2 || n > 100 || in.Threshold < 2 || in.Threshold > n:
		return fault.Input.New("%d of %d custodians: two or more must agree, of at most 100", in.Threshold, n)
	}
	return in.disjoint()
}

// disjoint refuses a key in two roles: who appoints, marks, keeps shares and
// operates are different people (redteam, finding 3).
func (in *Institution) disjoint() error {
	seen := map[sign.ID]bool{in.Operator.ID(): true}
	recipients := map[string]bool{}
	add := func(p *sign.Public) error {
		if p == nil {
			return fault.Input.New("the institution lacks a key")
		}
		if seen[p.ID()] {
			return fault.Input.New("one key stands in two roles of the institution")
		}
		seen[p.ID()] = true
		return nil
	}
	for _, p := range in.Authorities {
		if err := add(p); err != nil {
			return err
		}
	}
	names := map[string]bool{}
	for _, p := range slices.Concat(in.Marking, in.Custodians, in.Overseers) {
		if err := add(p.Sign); err != nil {
			return err
		}
		if err := validID("party", p.Name); err != nil {
			return err
		}
		if names[p.Name] {
			return fault.Input.New("two parties of the institution are called %q", p.Name)
		}
		names[p.Name] = true
		if err := validRecipient(p.Recipient); err != nil {
			return err
		}
		if recipients[p.Recipient] {
			return fault.Input.New("one recipient stands in two roles of the institution")
		}
		recipients[p.Recipient] = true
	}
	return nil
}
