package directory

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"chancery/internal/fault"
	"chancery/internal/sign"
)

// Names of parties, to whom entries and parcels are addressed. What is for
// Everyone lies open to all who are in the directory.
const (
	Everyone = ""
	// Draws is for those who keep draws and look after them: everybody may see them, and
	// nobody else needs to; there are several entries for every cable.
	Draws     = "draws"
	Authority = "authority" // whoever holds one of the authority's keys
	Operator  = "operator"
)

// PartyOf names a person as a party, OfficeParty those who sit in an office,
// MarkingParty a marking desk, CustodianParty a custodian, OverseerParty an
// overseer.
func PartyOf(person string) string      { return "person:" + person }
func OfficeParty(office string) string  { return "office:" + office }
func MarkingParty(name string) string   { return "marking:" + name }
func CustodianParty(name string) string { return "custodian:" + name }
func OverseerParty(name string) string  { return "overseer:" + name }
func OwnParty(marking string) string    { return "own:" + marking }
func (p Person) Party() string          { return PartyOf(p.ID) }

// A Speaker is who stands behind a key: the device of a person, or a party of the
// institution's own.
type Speaker struct {
	Sign   *sign.Public
	Party  string
	Person string // whose device it is, or ""
}

// Speaker returns who speaks with a key: the device of a person, a marking desk, a
// custodian, an overseer, an authority, the operator. A key of nobody's is
// fault.NotFound, a revoked device fault.Permission.
func (d *Directory) Speaker(id sign.ID) (Speaker, error) {
	if v := d.devices[id.String()]; v != nil {
		p, err := d.ByDevice(id.String())
		return Speaker{v.Sign, p.Party(), p.ID}, err
	}
	in := d.institution
	if p := d.authority(id); p != nil {
		return Speaker{p, Authority, ""}, nil
	}
	if in.Operator.ID() == id {
		return Speaker{in.Operator, Operator, ""}, nil
	}
	for _, group := range []struct {
		all  []Party
		name func(string) string
	}{{in.Marking, MarkingParty}, {in.Custodians, CustodianParty}, {in.Overseers, OverseerParty}} {
		for _, p := range group.all {
			if p.Sign.ID() == id {
				return Speaker{p.Sign, group.name(p.Name), ""}, nil
			}
		}
	}
	return Speaker{}, fault.NotFound.New("the key %.16s is nobody's in the directory", id)
}

// LiesOpen says whether what is addressed to a party is not sealed.
func LiesOpen(party string) bool { return party == Everyone || party == Draws }

// own is a second party of a marking desk, for what it sends to itself.
func (s Speaker) own() []string {
	if name, ok := strings.CutPrefix(s.Party, MarkingParty("")); ok {
		return []string{OwnParty(name)}
	}
	return nil
}

// Parties returns the parties for which a speaker may read at a time: everyone's,
// its own, and the offices in which the person sits.
func (d *Directory) Parties(s Speaker, at time.Time) []string {
	out := append([]string{Everyone, s.Party}, s.own()...)
	if s.Person == "" {
		out = append(out, Draws)
	}
	for _, h := range d.Tenures(s.Person) {
		if party := OfficeParty(h.Office); h.Runs(at) && !slices.Contains(out, party) {
			out = append(out, party)
		}
	}
	return out
}

// Head returns the hash that chains the statements below an index of the log: h =
// SHA-256(h || I(index) || SHA-256(statement)), from 32 zeros. Two who read one log
// have one head at one place of it, unless something was kept from one of them.
func (d *Directory) Head(size int64) [sha256.Size]byte {
	i, _ := slices.BinarySearchFunc(d.heads, size, func(h head, size int64) int { return cmp.Compare(h.index, size) })
	if i == 0 {
		return [sha256.Size]byte{}
	}
	return d.heads[i-1].hash
}

// A head is the hash after the statement at an index.
type head struct {
	index int64
	hash  [sha256.Size]byte
}

// chain adds a statement to the head.
func (d *Directory) chain(index int64, statement []byte) {
	before, sum := d.Head(index), sha256.Sum256(statement)
	b := binary.BigEndian.AppendUint64(before[:], uint64(index))
	d.heads = append(d.heads, head{index, sha256.Sum256(append(b, sum[:]...))})
}

// Concerns says whether statements of a kind make up the directory.
func Concerns(kind string) bool {
	_, ok := adders[kind]
	return ok || kind == KindInstitution
}

// Take adds the statement at an index of the log if it concerns the directory. One
// that was refused when it was made is refused by all who read it later, and is no
// reason to stop: ok says whether it was taken. A nil directory begins with the
// institution's statement.
func Take(d *Directory, index int64, statement []byte) (after *Directory, ok bool) {
	kind, _, err := sign.Claims(statement)
	if err != nil || !Concerns(kind) {
		return d, false
	}
	if d == nil {
		d, err = New(index, statement)
		return d, err == nil
	}
	_, err = d.Add(index, statement)
	return d, err == nil
}
