// Package post is how entries of the log travel to those they concern: as letters,
// sealed to one party each. It knows no route; what it seals, a registry carries
// and cannot open.
package post

import (
	"bytes"
	"encoding/json"

	"chancery/internal/canonical"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/seal"
	"chancery/internal/sign"
)

// A Letter is an entry of the log for one party, and what that party needs with it.
type Letter struct {
	Entry []byte `json:"entry,omitempty"` // custody.Entry, as bytes
	// Checkpoint is the newest that the writer had seen: a log that shows different
	// things to different parties is noticed when they write to each other.
	Checkpoint []byte `json:"checkpoint,omitempty"`
	// Common, in letters to many, is the identity that opens what they have in common: the
	// entry and the checkpoint.
	Common string `json:"common,omitempty"`
	// With a release: the reader's copy, and the identity to which the kit is sealed.
	Copy *entries.Copy `json:"copy,omitempty"`
	Key  string        `json:"key,omitempty"`
	// With a release in mode author: which parcel is the reader's, and its place and path
	// under the root that the release names. For an overseer: which says whose copies
	// there are.
	Parcel []byte           `json:"parcel,omitempty"`
	Place  int              `json:"place,omitempty"`
	Path   []entries.Digest `json:"path,omitempty"`
	// With an onward copy that is asked for, to the one for whom it is: the release, as
	// an entry, and its index in the log.
	Release   []byte `json:"release,omitempty"`
	ReleaseAt int64  `json:"release_at,omitempty"`
	// With a release, for a custodian: the share of the escrow's key.
	Share []byte `json:"share,omitempty"`
}

// An Address is a party and the recipient to which its letters are sealed.
type Address struct {
	Party     string
	Recipient string
}

// To is the address of a person.
func To(p directory.Person) Address { return Address{p.Party(), p.Recipient} }

// Parties returns the addresses of an institution's marking desk with a key, and
// of its overseers, who get a letter about every act.
func Parties(in directory.Institution, marking string) []Address {
	return append(Marking(in, marking), Overseers(in)...)
}

// Marking returns the address of the marking desk with a key; none if that is empty.
func Marking(in directory.Institution, key string) []Address {
	var with []directory.Party
	for _, m := range in.Marking {
		if m.Sign.ID().String() == key {
			with = append(with, m)
		}
	}
	return addresses(with, directory.MarkingParty)
}

// Overseers returns the addresses of the overseers.
func Overseers(in directory.Institution) []Address {
	return addresses(in.Overseers, directory.OverseerParty)
}

// Custodians returns the addresses of the custodians.
func Custodians(in directory.Institution) []Address {
	return addresses(in.Custodians, directory.CustodianParty)
}

func addresses(parties []directory.Party, name func(string) string) []Address {
	var out []Address
	for _, p := range parties {
		out = append(out, Address{name(p.Name), p.Recipient})
	}
	return out
}

// Names returns the parties of addresses.
func Names(to []Address) []string {
	var out []string
	for _, a := range to {
		out = append(out, a.Party)
	}
	return out
}

// bucket is what lengths of letters are rounded up to, in bytes.
const bucket = 1 << 10

// up rounds a length up to whole buckets.
func up(n int) int { return (n + bucket - 1) / bucket * bucket }

// seal seals a letter, filled up to a length.
func (l Letter) seal(recipient string, length int) ([]byte, error) {
	data, err := json.Marshal(l)
	if err != nil {
		return nil, fault.Internal.Wrap(err, "write a letter")
	}
	r, err := seal.ParseRecipient(recipient)
	if err != nil {
		return nil, err
	}
	return seal.SealPadded(data, length, r)
}

// Publish makes the submission of a statement that lies open.
func Publish(statement []byte) custody.Submission {
	return publish(custody.NewEntry(statement))
}

func publish(e custody.Entry) custody.Submission {
	party := directory.Everyone
	if kind, _, err := sign.Claims(e.Statement); err == nil && entries.OfDraws(kind) {
		party = directory.Draws
	}
	return custody.Submission{Commitment: e.Commitment(), Bodies: []custody.Body{{Party: party, Data: e.Bytes()}}}
}

// PublishEntry is [Publish] for an entry that was kept, to be submitted once more.
func PublishEntry(entry []byte) (custody.Submission, error) {
	e, err := custody.ParseEntry(entry)
	return publish(e), err
}

// Open opens a letter, or reads an entry that lies open. What the entry says, and that it
// stands in the log, is still to be verified. common is what came with the letter for all
// of them, or nil.
func Open(party string, data, common []byte, ids ...*seal.Identity) (*Letter, custody.Entry, error) {
	if directory.LiesOpen(party) {
		e, err := custody.ParseEntry(data)
		return &Letter{Entry: data}, e, err
	}
	data, shared := bytes.CutPrefix(data, []byte(custody.InCommon))
	plain, err := seal.Open(data, ids...)
	if err != nil {
		return nil, custody.Entry{}, err
	}
	var l Letter
	if _, _, err := canonical.Decode(plain, &l); err != nil {
		return nil, custody.Entry{}, fault.Input.Wrap(err, "not a letter")
	}
	if shared {
		if err := l.complete(common); err != nil {
			return nil, custody.Entry{}, err
		}
	}
	e, err := custody.ParseEntry(l.Entry)
	return &l, e, err
}
