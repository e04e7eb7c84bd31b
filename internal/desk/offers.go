package desk

import (
	"context"
	"slices"

	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/sign"
)

// An Offer is an appointment that waits for this person's signature.
type Offer struct {
	directory.Tenure
	Statement []byte `json:"statement"`
}

// offered takes an offer, if that is what was sent.
func (d *Desk) offered(statement []byte) bool {
	var t directory.Tenure
	_, signers, err := sign.Claims(statement)
	if err != nil || sign.Peek(statement, directory.KindTenure, &t) != nil {
		return false
	}
	if d.dir == nil || t.Person != d.Person {
		return true
	}
	s, err := d.dir.Speaker(signers[0])
	if err != nil || s.Party != directory.Authority || sign.Open(statement, directory.KindTenure, &t, s.Sign) != nil {
		d.alarm(-1, "somebody who may not appoint offered you the seat %s of %s", t.Seat, t.Office)
		return true
	}
	held := slices.ContainsFunc(d.dir.Tenures(d.Person), func(h directory.Holding) bool { return h.ID == t.ID }) // another device accepted
	if !held && !slices.ContainsFunc(d.state.Offers, func(o Offer) bool { return o.ID == t.ID }) {
		d.state.Offers = append(d.state.Offers, Offer{t, statement})
	}
	return true
}

// Offers returns the appointments that wait for this person's word.
func (d *Desk) Offers() []Offer {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(d.state.Offers), func(o Offer) bool {
		return d.dir != nil && slices.ContainsFunc(d.dir.Tenures(d.Person), func(h directory.Holding) bool { return h.ID == o.ID })
	})
}

// Accept signs an appointment and logs it. From then on, from its time, the person
// sits there.
func (d *Desk) Accept(ctx context.Context, id string) (directory.Tenure, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := slices.IndexFunc(d.state.Offers, func(o Offer) bool { return o.ID == id })
	if k < 0 {
		return directory.Tenure{}, fault.NotFound.New("no appointment %q waits for you", id)
	}
	o := d.state.Offers[k]
	mine, err := sign.Sign(directory.KindTenure, o.Tenure, d.Keys.Person.In(""))
	if err != nil {
		return o.Tenure, err
	}
	both, err := sign.Join(o.Statement, mine)
	if err != nil {
		return o.Tenure, err
	}
	drop := func() error {
		d.state.Offers = slices.Delete(d.state.Offers, k, k+1)
		return d.save()
	}
	if slices.ContainsFunc(d.dir.Tenures(d.Person), func(h directory.Holding) bool { return h.ID == o.ID }) {
		return o.Tenure, drop() // an answer was lost
	}
	if _, err := d.dir.Clone().Add(custody.MaxSize, both); err != nil {
		return o.Tenure, fault.Permission.Wrap(err, "the directory would not take the seat %s of %s", o.Seat, o.Office).WithHint("ask the appointing authority for a new appointment")
	}
	if _, err := d.Client.Submit(ctx, post.Publish(both)); err != nil {
		return o.Tenure, err
	}
	return o.Tenure, drop()
}
