package desk

import (
	"context"
	"slices"
	"strconv"

	"chancery/internal/courier"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/sign"
)

// Forward asks for copies of a cable for people to whom it was not addressed: those
// who sit in an office, or one person. They get wordings of their own when the
// originator allows it, or at once under a standing leave. With paragraphs, from 1, they
// get an extract of these alone. It returns for whom.
func (d *Desk) Forward(ctx context.Context, ref, to, reason string, paragraphs ...int) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i, err := d.find(ref)
	if err != nil {
		return nil, err
	}
	if !i.Blind() {
		return nil, fault.Usage.New("the cable did not come through the marking desk: nobody can draw another copy").WithHint("ask its originator to send it")
	}
	if i.Extract {
		return nil, fault.Permission.New("you have an extract, and cannot pass the cable on")
	}
	if i.Text == "" || i.Copy == nil {
		return nil, fault.Usage.New("the cable was not read yet").WithHint("chancery read opens it")
	}
	people, err := d.seated(to)
	if err != nil {
		return nil, err
	}
	if err := d.fetch(ctx, i); err != nil {
		return nil, err
	}
	var segments []int
	if len(paragraphs) > 0 {
		if segments, err = i.arrived().segmentsOf(i.Delivered, d.Keys.Identity, paragraphs); err != nil {
			return nil, err
		}
	}
	var out []string
	for _, h := range people {
		if err := d.forward(ctx, i, h, reason, segments); err != nil {
			return out, err
		}
		out = append(out, h.Person)
	}
	return out, nil
}

// seated returns the running tenures in an office, or a person's first.
func (d *Desk) seated(to string) ([]directory.Holding, error) {
	holders, err := d.dir.Holders(to, d.Now())
	if err != nil {
		for _, h := range d.dir.Tenures(to) {
			if h.Runs(d.Now()) {
				return []directory.Holding{h}, nil
			}
		}
		return nil, fault.NotFound.New("there is no office %q in which somebody sits, and no person who sits somewhere", to)
	}
	holders = slices.DeleteFunc(holders, func(h directory.Holding) bool { return h.Person == d.Person })
	if len(holders) == 0 {
		return nil, fault.NotFound.New("nobody sits in %q", to)
	}
	return holders, nil
}

// forward asks for one person's copy. The kit's key goes to them at once: without a
// copy's keys it opens nothing that can be read.
func (d *Desk) forward(ctx context.Context, i *Item, h directory.Holding, reason string, segments []int) error {
	p, _, err := d.dir.Person(h.Person)
	if err != nil {
		return err
	}
	release := i.release()
	if release == nil {
		return fault.Internal.New("the release of %s is not among its acts", i.Cable)
	}
	if err := d.Client.PutQuiet(ctx, i.Kit, []string{p.Party()}); err != nil {
		return err
	}
	for _, a := range i.Release.Attachments {
		if len(segments) > 0 {
			break // an extract is of the text alone
		}
		data, err := d.Client.Parcel(ctx, a)
		if err != nil {
			return err
		}
		if err := d.Client.PutQuiet(ctx, data, []string{p.Party()}); err != nil {
			return err
		}
	}
	s, err := sign.Sign(entries.KindOnward, entries.Onward{Cable: i.Cable, Release: i.Index, Copy: i.Copy.ID, Person: p.ID, Tenure: h.ID, Reason: reason, Segments: segments}, d.Keys.Person)
	if err != nil {
		return err
	}
	_, note := d.Client.View.Last()
	mail := post.NewMailing(s, note)
	mail.Add(post.To(p), post.Letter{Key: i.Key, Release: release.Entry, ReleaseAt: release.Index})
	for _, a := range append(post.Parties(d.dir.Institution(), i.Release.Marking), d.persons(i.Author, d.Person)...) {
		mail.Add(a, post.Letter{})
	}
	_, err = courier.Send(ctx, d.Client, mail)
	return err
}

// release returns the entry of the release.
func (i *Item) release() *Act {
	for k := range i.Acts {
		if i.Acts[k].Kind == entries.KindRelease {
			return &i.Acts[k]
		}
	}
	return nil
}

// asked takes a request for an onward copy.
func (i *Item) asked(a *Act, b entries.Onward) error {
	if b.Release != i.Index {
		return fault.Mismatch.New("a request about another release")
	}
	if i.Mine && !slices.ContainsFunc(i.Asks, func(one Ask) bool { return one.Index == a.Index }) {
		if len(b.Segments) > 0 {
			b.Reason = "an extract: " + b.Reason
		}
		i.Asks = append(i.Asks, Ask{Index: a.Index, By: a.Who, Person: b.Person, Reason: b.Reason, Given: len(i.Asks) < i.Release.Onward})
	}
	return nil
}

// Allow gives leave for an onward copy that was asked for: the first one for a person, or
// the one that stands at an entry of the log.
func (d *Desk) Allow(ctx context.Context, ref, person string) (Ask, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i, err := d.find(ref)
	if err != nil {
		return Ask{}, err
	}
	if !i.Mine {
		return Ask{}, fault.Permission.New("leave is the originator's to give")
	}
	k := slices.IndexFunc(i.Asks, func(a Ask) bool { return !a.Given && (a.Person == person || strconv.FormatInt(a.Index, 10) == person) })
	if k < 0 {
		return Ask{}, fault.NotFound.New("nobody asked for a copy of this cable for %q", person).WithHint("chancery whohas %q lists what was asked for", ref)
	}
	ask := i.Asks[k]
	s, err := sign.Sign(entries.KindLeave, entries.Leave{Cable: i.Cable, Ask: ask.Index}, d.Keys.Person)
	if err != nil {
		return ask, err
	}
	to := post.Parties(d.dir.Institution(), i.Release.Marking)
	to = append(to, d.persons(ask.By)...)
	if err := d.state1(ctx, i, entries.KindLeave, s, to...); err != nil {
		return ask, err
	}
	i.Asks[k].Given = true
	return ask, d.saveItem(i)
}

// passedOn takes a cable that a reader asked to pass on to this person. The release
// came with the request, and is verified to stand in the log.
func (d *Desk) passedOn(ctx context.Context, l courier.Letter) error {
	var ask entries.Onward
	if _, err := d.signedBy(l.Index, l.Entry.Statement, entries.KindOnward, &ask); err != nil {
		return err
	}
	release, err := custody.ParseEntry(l.Mail.Release)
	if err == nil {
		err = entries.Belongs(release.Statement, d.Client.Origin())
	}
	if err != nil {
		return err
	}
	var body entries.Release
	if err := sign.Peek(release.Statement, entries.KindRelease, &body); err != nil {
		return err
	}
	if ask.Person != d.Person || ask.Release != l.Mail.ReleaseAt || ask.Cable != body.Cable {
		return fault.Mismatch.New("a cable that is passed on to somebody else, or another than came")
	}
	if i := d.items[ask.Cable]; i != nil && i.Key != "" {
		return nil
	}
	if _, err := d.Client.Prove(ctx, l.Mail.ReleaseAt, release); err != nil {
		return err
	}
	i, err := d.released(d.actOf(l.Mail.ReleaseAt, entries.KindRelease, release), release, &post.Letter{})
	if err != nil {
		return err
	}
	i.Key, i.Extract = l.Mail.Key, len(ask.Segments) > 0
	d.touched[i.Cable] = i
	return nil
}
