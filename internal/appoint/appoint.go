// Package appoint is the appointing authority at work: it invites people, admits
// their keys, makes offices and seats, appoints and ends tenures. Every statement
// is checked against the directory before it is logged, and lies open in the log.
// It opens nothing but what the log shows to everyone.
package appoint

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"chancery/internal/client"
	"chancery/internal/courier"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/seal"
	"chancery/internal/sign"
)

// An Authority acts with one or more of the institution's appointing keys. Two are
// needed for what one alone must not do.
type Authority struct {
	Keys   []*sign.Key
	Client *client.Client
	Now    func() time.Time
	// Patience is how long whoever acts for the authority waits for the marking desk's word.
	Patience time.Duration

	dir   *directory.Directory
	at    custody.Place
	noted map[string]entries.Noted // by marking desk
}

// Directory reads what was logged since, and returns the directory.
func (a *Authority) Directory(ctx context.Context) (*directory.Directory, error) {
	for {
		n, err := a.read(ctx, 0)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
	}
	if a.dir == nil {
		return nil, fault.NotFound.New("the log holds no institution")
	}
	return a.dir, nil
}

func (a *Authority) read(ctx context.Context, wait time.Duration) (int, error) {
	if a.noted == nil {
		a.noted = map[string]entries.Noted{}
	}
	came, err := courier.Fetch(ctx, a.Client, client.Wish{Parties: []string{directory.Everyone}, From: a.at, Parcel: client.NoParcels, Wait: wait})
	if err != nil {
		return 0, err
	}
	for _, l := range came.Letters {
		a.at = l.Place.Next()
		if errors.Is(l.Err, entries.ErrForeign) {
			continue
		}
		if l.Err != nil {
			return 0, l.Err
		}
		statement := l.Entry.Statement
		a.dir, _ = directory.Take(a.dir, l.Index, statement)
		if a.dir == nil {
			continue
		}
		for _, m := range a.dir.Institution().Marking {
			var n entries.Noted
			if sign.Open(statement, entries.KindNoted, &n, m.Sign) == nil && n.Size > a.noted[m.Name].Size {
				a.noted[m.Name] = n
			}
		}
	}
	return len(came.Letters), nil
}

// publish checks a statement against the directory and logs it. It returns its
// place in the log.
func (a *Authority) publish(ctx context.Context, statements ...[]byte) (int64, error) {
	dir, err := a.Directory(ctx)
	if err != nil {
		return 0, err
	}
	trial := dir.Clone()
	var all []custody.Submission
	for i, s := range statements {
		// Where they will stand is not known; beyond any other is where they are tried.
		if _, err := trial.Add(custody.MaxSize+int64(i), s); err != nil {
			return 0, err
		}
		all = append(all, post.Publish(s))
	}
	indexes, err := a.Client.Submit(ctx, all...)
	if err != nil {
		return 0, err
	}
	return indexes[len(indexes)-1], nil
}

// one signs a statement with the first key and logs it.
func (a *Authority) one(ctx context.Context, kind string, body any) (int64, error) {
	s, err := sign.Sign(kind, body, a.Keys[0])
	if err != nil {
		return 0, err
	}
	return a.publish(ctx, s)
}

// Invite lets somebody hand in keys under an id; again, if the person has keys already
// and lost them.
func (a *Authority) Invite(person, name string, until time.Time, again bool) ([]byte, error) {
	if err := directory.ValidPerson(person, name); err != nil {
		return nil, err
	}
	in := entries.Invite{Person: person, Name: name, Until: directory.At(until), Again: again}
	rand.Read(in.Nonce[:])
	return sign.Sign(entries.KindInvite, in, a.Keys[0])
}

// A Candidate was invited, handed in keys, and was not admitted yet.
type Candidate struct {
	directory.Person
	Device    directory.Device
	Enrolment entries.Enrolment
	Again     bool // new keys for one who is in the directory
}

// Fingerprint is what the candidate reads out, and the authority compares: the
// first 80 bits of the key's id in groups of four.
func Fingerprint(p *sign.Public) string {
	id := p.ID().String()[:20]
	return id[:4] + " " + id[4:8] + " " + id[8:12] + " " + id[12:16] + " " + id[16:20]
}

// Candidates returns who handed in keys and was not admitted.
func (a *Authority) Candidates(ctx context.Context) ([]Candidate, error) {
	dir, err := a.Directory(ctx)
	if err != nil {
		return nil, err
	}
	all, err := a.Client.Enrolments(ctx)
	if err != nil {
		return nil, err
	}
	var out []Candidate
	for _, e := range all {
		invite, err := e.Check(dir.Institution())
		if err != nil {
			continue // the registry kept what it should have refused
		}
		c := Candidate{Enrolment: e}
		if sign.Peek(e.Person, directory.KindPerson, &c.Person) != nil || sign.Peek(e.Device, directory.KindDevice, &c.Device) != nil || dir.Had(c.Person) {
			continue
		}
		_, _, err = dir.Person(c.ID)
		if c.Again = err == nil; !c.Again || invite.Again {
			out = append(out, c)
		}
	}
	return out, nil
}

// Admit logs a candidate's keys and device. The authority has compared the
// fingerprint with the person by another way. New keys for one who has some end the old
// ones and the devices that spoke with them, and take two authorities.
func (a *Authority) Admit(ctx context.Context, c Candidate) (int64, error) {
	if c.Again && len(a.Keys) < 2 {
		return 0, fault.Permission.New("%q is in the directory: one authority alone cannot give them new keys", c.ID).WithHint("sign with a second one")
	}
	s, err := sign.Sign(directory.KindPerson, c.Person, a.Keys[0])
	if err != nil {
		return 0, err
	}
	if s, err = sign.Join(s, c.Enrolment.Person); err != nil {
		return 0, err
	}
	if c.Again {
		second, err := sign.Sign(directory.KindPerson, c.Person, a.Keys[1])
		if err != nil {
			return 0, err
		}
		if s, err = sign.Join(s, second); err != nil {
			return 0, err
		}
	}
	return a.publish(ctx, s, c.Enrolment.Device)
}

// OfficeKeys puts the archive keys that holders of offices made into the directory. It
// returns the offices.
func (a *Authority) OfficeKeys(ctx context.Context) ([]directory.Epoch, error) {
	var out []directory.Epoch
	wish := client.Wish{Parties: []string{directory.Everyone}}
	for more := true; more; {
		wish.From = a.at
		came, err := courier.Fetch(ctx, a.Client, wish)
		if err != nil {
			return out, err
		}
		for _, p := range came.Parcels {
			e, done, err := a.officeKey(ctx, p)
			if err != nil {
				return out, err
			}
			if done {
				out = append(out, e)
			}
			wish.Parcel = p.Seq
		}
		more = len(came.Parcels) > 0
	}
	return out, nil
}

// officeKey puts an archive key into the directory, if that is what a parcel holds and the
// office has none of that number.
func (a *Authority) officeKey(ctx context.Context, p client.Listed) (e directory.Epoch, done bool, err error) {
	data, err := a.Client.Parcel(ctx, p.Digest)
	if errors.Is(err, fault.NotFound) {
		return e, false, nil
	}
	if err != nil {
		return e, false, err
	}
	if sign.Peek(data, directory.KindEpoch, &e) != nil {
		return e, false, nil
	}
	dir, err := a.Directory(ctx)
	if err != nil {
		return e, false, err
	}
	if known, err := dir.Epochs(e.Office); err != nil || e.Number != len(known)+1 {
		return e, false, nil // it is there already, or was made beside another
	}
	s, err := sign.Sign(directory.KindEpoch, e, a.Keys[0])
	if err != nil {
		return e, false, err
	}
	if s, err = sign.Join(s, data); err != nil {
		return e, false, nil // signed for one log alone, say
	}
	var fork *custody.Fork
	if _, err = a.publish(ctx, s); !errors.As(err, &fork) && (errors.Is(err, fault.Mismatch) || errors.Is(err, fault.Input) || errors.Is(err, fault.Permission)) {
		return e, false, nil // the directory does not take it: anybody may hand such a thing in
	}
	return e, err == nil, err
}

// Office, Seat and List log what they say.
func (a *Authority) Office(ctx context.Context, name, title string) (int64, error) {
	return a.one(ctx, directory.KindOffice, directory.Office{Office: name, Title: title})
}

// Seat makes a place in an office.
func (a *Authority) Seat(ctx context.Context, office, seat, title string) (int64, error) {
	return a.one(ctx, directory.KindSeat, directory.Seat{Office: office, Seat: seat, Title: title})
}

// List sets a restricted list to these offices.
func (a *Authority) List(ctx context.Context, name string, offices []string) (int64, error) {
	dir, err := a.Directory(ctx)
	if err != nil {
		return 0, err
	}
	l, _ := dir.List(name)
	offices = slices.Compact(slices.Sorted(slices.Values(offices)))
	return a.one(ctx, directory.KindList, directory.List{List: name, Version: l.Version + 1, Offices: offices})
}

// Appoint offers a person a seat. The tenure counts when the person has signed it
// too: the offer goes to their desk.
func (a *Authority) Appoint(ctx context.Context, person, office, seat string, from time.Time) (directory.Tenure, error) {
	dir, err := a.Directory(ctx)
	if err != nil {
		return directory.Tenure{}, err
	}
	p, _, err := dir.Person(person)
	if err != nil {
		return directory.Tenure{}, err
	}
	if err := dir.Free(office, seat, from); err != nil {
		return directory.Tenure{}, err
	}
	var id [8]byte
	rand.Read(id[:])
	t := directory.Tenure{ID: "t-" + hex.EncodeToString(id[:]), Office: office, Seat: seat, Person: person, From: directory.At(from)}
	s, err := sign.Sign(directory.KindTenure, t, a.Keys[0])
	if err != nil {
		return t, err
	}
	sealed, err := seal.SealTo(s, p.Recipient)
	if err != nil {
		return t, err
	}
	return t, a.Client.PutParcel(ctx, sealed, []string{p.Party()})
}

// Depart ends a tenure with two of the authority's keys, whether or not the person
// agrees.
func (a *Authority) Depart(ctx context.Context, tenure string, until time.Time) (int64, error) {
	if len(a.Keys) < 2 {
		return 0, fault.Permission.New("one authority alone cannot end a tenure").WithHint("sign with a second one")
	}
	s, err := sign.Sign(directory.KindTenureEnd, directory.TenureEnd{Tenure: tenure, Until: directory.At(until)}, a.Keys[0], a.Keys[1])
	if err != nil {
		return 0, err
	}
	return a.publish(ctx, s)
}

// Revoke takes a device out of use.
func (a *Authority) Revoke(ctx context.Context, v directory.Device) (int64, error) {
	return a.one(ctx, directory.KindRevoked, v)
}

// Noted waits until every marking desk has said that it read the log beyond an
// entry, with the same directory as we: else it may hand out keys by an old one.
func (a *Authority) Noted(ctx context.Context, index int64, wait time.Duration) error {
	until := time.Now().Add(wait)
	for {
		dir, err := a.Directory(ctx)
		if err != nil {
			return err
		}
		behind := ""
		for _, m := range dir.Institution().Marking {
			n := a.noted[m.Name]
			if n.Size <= index {
				behind = m.Name
			} else if n.Register != dir.Head(n.Size) {
				return fault.Mismatch.New("the marking desk %q has read another directory than this one", m.Name).
					WithHint("the registry keeps statements back from it: tell an overseer, and stop the marking desk")
			}
		}
		if behind == "" {
			return nil
		}
		if !time.Now().Before(until) {
			return fault.System.New("the marking desk %q has not taken note yet", behind).WithHint("until it does, it may hand out keys as before; is it running?")
		}
		if _, err := a.read(ctx, time.Until(until)); err != nil && !errors.Is(err, fault.Interrupted) {
			return err
		}
	}
}
