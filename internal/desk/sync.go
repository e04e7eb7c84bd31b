package desk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// Sync reads what came, waiting for it at most so long, and sends what waits. It
// stops when everything up to the newest checkpoint has been read.
func (d *Desk) Sync(ctx context.Context, wait time.Duration) error {
	if err := d.pull(ctx, wait); err != nil {
		return err
	}
	return d.flush(ctx)
}

// pull reads what came.
func (d *Desk) pull(ctx context.Context, wait time.Duration) error {
	for {
		d.mu.Lock()
		wish := client.Wish{Parties: []string{directory.Everyone, directory.PartyOf(d.Person)}, From: d.state.At, Parcel: d.state.Parcel, Wait: wait}
		d.mu.Unlock()
		came, err := courier.Fetch(ctx, d.Client, wish, d.Keys.Identity)
		if err != nil {
			d.mu.Lock()
			d.goal = courier.Goal{}
			d.mu.Unlock()
			return d.notice(err)
		}
		if err := d.take(ctx, came); err != nil {
			return err
		}
		if !came.More {
			return nil
		}
		wait = 0
	}
}

// again reads once more what the marking desk said since a release: a registry that kept
// it back and does so no longer has sent later letters meanwhile, and the desk has gone on.
func (d *Desk) again(ctx context.Context, release int64) error {
	wish := client.Wish{Parties: []string{directory.PartyOf(d.Person)}, From: custody.Place{Index: release}, Parcel: client.NoParcels}
	came, err := courier.Fetch(ctx, d.Client, wish, d.Keys.Identity)
	if err != nil {
		return d.notice(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range came.Letters {
		if l.Err != nil {
			continue
		}
		kind, _, err := sign.Claims(l.Entry.Statement)
		if err == nil && (kind == entries.KindIssue || kind == entries.KindRefused || kind == entries.KindVoid) {
			if err := d.letter(ctx, l); err != nil {
				return err
			}
		}
	}
	return d.save()
}

// notice remembers a log that contradicts itself: it is the one failure that must
// not be forgotten when the next attempt succeeds.
func (d *Desk) notice(err error) error {
	var fork *custody.Fork
	if !errors.As(err, &fork) {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.alarm(-1, "the registry showed a log that contradicts what it showed before: %v", fork)
	return errors.Join(fault.Mismatch.Wrap(fork, "the registry").WithHint("do not go on; both checkpoints are kept, tell an overseer"),
		d.Vault.Put(fmt.Sprintf("fork-%d", d.Now().Unix()), fork), d.save())
}

// take keeps one answer of the feed.
func (d *Desk) take(ctx context.Context, came *courier.Delivery) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range came.Letters {
		if err := d.received(ctx, l); err != nil {
			return errors.Join(err, d.save())
		}
		d.state.At = l.Place.Next()
	}
	if !came.More {
		d.tree = came.Tree
	}
	due, _ := came.Due(&d.goal)
	if err := d.parcels(ctx, due); err != nil {
		return errors.Join(err, d.save())
	}
	if len(came.Letters)+len(came.Parcels)+len(d.fresh)+len(d.touched) == 0 && d.state.Tree.Size == d.tree.Size {
		return nil
	}
	return d.save()
}

// received takes one entry. An error is one for which it is to come again.
func (d *Desk) received(ctx context.Context, l courier.Letter) error {
	if errors.Is(l.Err, entries.ErrForeign) {
		return nil // anybody can log such a thing, again and again
	}
	if l.Err != nil {
		if !d.before(l.Index) {
			d.alarm(l.Index, "an entry that came cannot be used: %v", l.Err)
		}
		return nil
	}
	if l.Party == directory.Everyone {
		return d.openEntry(l.Index, l.Entry)
	}
	if err := d.letter(ctx, l); err != nil {
		return err
	}
	if err := d.compare(ctx, l.Mail.Checkpoint); err != nil {
		d.alarm(l.Index, "%v", err)
	}
	return nil
}

// openEntry keeps a statement of the directory, and alarms at one about this person
// that this person did not sign.
func (d *Desk) openEntry(index int64, e custody.Entry) error {
	if index == 0 && !bytes.Equal(e.Bytes(), d.Account.Institution) {
		return fault.Mismatch.New("the log begins with another institution than the one that invited you").WithHint("this is not the registry that the invitation named; do not go on")
	}
	if _, known := d.seen[index]; known {
		return nil
	}
	if kind, signers, err := sign.Claims(e.Statement); err == nil && kind == entries.KindNoted && d.dir != nil {
		d.noted(signers[0].String(), e.Statement)
		return nil
	}
	dir, taken := directory.Take(d.dir, index, e.Statement)
	if !taken {
		d.dir = dir
		return nil
	}
	now := d.Now()
	d.dir, d.seen[index], d.fresh = dir, now, append(d.fresh, statement{index, e.Bytes(), now})
	return d.aboutMe(index)
}

// aboutMe alarms at a statement about this person that is not this desk's doing.
func (d *Desk) aboutMe(index int64) error {
	if d.before(index) {
		return nil
	}
	me := d.Keys.Person.Public()
	for _, event := range d.dir.About(d.Person) {
		if event.Index != index {
			continue
		}
		mine := false
		for _, s := range event.Signers {
			mine = mine || s == me.ID()
		}
		if !mine {
			d.alarm(index, "a statement about you that you did not sign: %s%s", event.Kind, d.ofSeat(event))
		}
		// Whoever copied the person's key can enrol a device with it.
		if v, ok := event.Body.(directory.Device); ok && event.Kind == directory.KindDevice && !d.knownDevice(v.ID()) {
			d.alarm(index, "a device that is not this one was enrolled for you: %q", v.Name)
		}
	}
	return nil
}

// before says whether an entry is of the time of other keys of this person, before these.
func (d *Desk) before(index int64) bool {
	return d.Again && (d.dir == nil || !d.dir.HadAt(d.Keys.Person.Public(), index+1))
}

// ofSeat says which seat the end of a tenure is about.
func (d *Desk) ofSeat(event directory.Event) string {
	end, ok := event.Body.(directory.TenureEnd)
	if !ok {
		return ""
	}
	for _, h := range d.dir.Tenures(d.Person) {
		if h.ID == end.Tenure {
			return fmt.Sprintf(", of the seat %s of %s until %s, by two authorities", h.Seat, h.Office, end.Until.UTC().Format("2006-01-02 15:04Z"))
		}
	}
	return ""
}

// noted takes a marking desk's word how many draws are ready.
func (d *Desk) noted(marking string, statement []byte) {
	var n entries.Noted
	if _, err := d.byMarking(statement, entries.KindNoted, &n); err != nil {
		return // somebody's noise
	}
	if d.state.Noted == nil {
		d.state.Noted = map[string]entries.Noted{}
	}
	if n.Number > d.state.Noted[marking].Number {
		d.state.Noted[marking] = n
	}
}

// compare verifies that the log which a correspondent saw is the one that we see.
func (d *Desk) compare(ctx context.Context, note []byte) error {
	if len(note) == 0 || d.gossip[string(note)] {
		return nil
	}
	p, err := d.Client.View.Parse(note)
	if err != nil {
		return err
	}
	err = d.Client.Compare(ctx, p)
	if err == nil {
		d.gossip[string(note)] = true
	}
	if errors.Is(err, fault.Mismatch) {
		return err
	}
	return nil
}

// parcels takes keys that the marking desk sent.
func (d *Desk) parcels(ctx context.Context, all []client.Listed) error {
	for _, p := range all {
		data, err := d.Client.Parcel(ctx, p.Digest)
		if err != nil {
			return err
		}
		if err := d.parcel(data); err != nil {
			return err
		}
		d.state.Parcel = p.Seq
	}
	return nil
}

// parcel takes one parcel. What it is not, or not for us, is somebody's noise.
func (d *Desk) parcel(data []byte) error {
	plain, err := seal.Open(data, d.Keys.Identity)
	if err != nil || d.offered(plain) {
		return nil
	}
	if done, err := d.handed(plain); done || err != nil {
		return err
	}
	delivery, err := entries.ParseDelivery(plain)
	if err != nil {
		return nil
	}
	if i := d.items[delivery.Cable]; i != nil && i.takes(delivery) {
		i.Delivered, i.Disputed = data, ""
		d.touched[i.Cable] = i
	}
	return nil
}

// letter takes a letter about a cable. One that says what cannot be changes nothing and
// alarms; an error is one for which it is to come again.
func (d *Desk) letter(ctx context.Context, l courier.Letter) error {
	i, err := d.read(ctx, l)
	if err != nil && fault.Passing(err) {
		return err
	}
	if err != nil && !(errors.Is(err, errUnknown) && d.ofOtherDevice(l)) {
		d.alarm(l.Index, "a letter that came says what cannot be: %v", err)
	}
	if i != nil {
		d.touched[i.Cable] = i
	}
	return nil
}

// actOf is an entry as an act on a cable, not verified yet.
func (d *Desk) actOf(index int64, kind string, e custody.Entry) Act {
	return Act{Index: index, Kind: kind, Entry: e.Bytes(), Seen: d.Now().UTC().Truncate(time.Second)}
}

// errUnknown is of a letter about a cable that is none of this desk's; of another one of
// this person's, perhaps, which found it in an archive.
var errUnknown = errors.New("about a cable that this desk does not know")

// ofOtherDevice says whether another device of this person's, or keys that were lost,
// explain a letter about a cable that this one does not know. The issue of a cable's first copies comes to whom the release
// came to.
func (d *Desk) ofOtherDevice(l courier.Letter) bool {
	if !d.Again && len(d.dir.Devices(d.Person)) < 2 {
		return false
	}
	var b entries.Issue
	kind, _, err := sign.Claims(l.Entry.Statement)
	return err == nil && (kind != entries.KindIssue || sign.Peek(l.Entry.Statement, kind, &b) == nil && b.Ask >= 0)
}

// read verifies a letter and does what it says. It returns the cable that changed, if
// one did.
func (d *Desk) read(ctx context.Context, l courier.Letter) (*Item, error) {
	if d.dir == nil {
		return nil, fault.Mismatch.New("a letter before the institution")
	}
	kind, _, err := sign.Claims(l.Entry.Statement)
	if err != nil {
		return nil, err
	}
	a := d.actOf(l.Index, kind, l.Entry)
	switch {
	case kind == entries.KindRelease:
		return d.released(a, l.Entry, l.Mail)
	case kind == entries.KindHandover:
		return nil, d.tookOver(l.Index, l.Entry.Statement)
	case kind == entries.KindRecovery:
		return nil, nil // the log shows it; the share came as a parcel
	case kind == entries.KindOnward && len(l.Mail.Release) > 0:
		if err := d.passedOn(ctx, l); err != nil {
			return nil, err
		}
	}
	cable, apply, err := d.about(&a, l.Mail, l.Entry.Statement)
	if err != nil {
		return nil, err
	}
	i := d.items[cable]
	if i == nil {
		return nil, fault.NotFound.Wrap(errUnknown, "a letter of kind %q", kind)
	}
	if err := apply(i); err != nil {
		return nil, err
	}
	i.act(a)
	return i, nil
}

// released takes a release: of a cable to me, or of one of mine.
func (d *Desk) released(a Act, e custody.Entry, l *post.Letter) (*Item, error) {
	var body entries.Release
	author, err := d.signedBy(a.Index, e.Statement, entries.KindRelease, &body)
	if err != nil {
		return nil, err
	}
	if err := body.Check(); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(d.dir.Tenures(author), func(h directory.Holding) bool { return h.ID == body.Tenure && h.Office == body.Office }) {
		return nil, fault.Mismatch.New("a release of %q by %q, who does not sit there", body.Office, author)
	}
	i := d.items[body.Cable]
	if i == nil {
		i = &Item{Cable: body.Cable, Receipt: -1}
		d.items[body.Cable] = i
	}
	if i.Index != 0 && i.Index != a.Index {
		return nil, fault.Exists.New("the cable %.8s was released at entry %d already", body.Cable, i.Index)
	}
	i.Release, i.Index, i.Author, i.Arrived = body, a.Index, author, a.Seen
	i.Mine = author == d.Person
	if l.Copy != nil && l.Copy.Person == d.Person {
		i.Copy, i.Key = l.Copy, l.Key
		if err := i.checkParcel(l); err != nil {
			return nil, err
		}
	}
	a.Who = author
	i.act(a)
	return i, nil
}

// signedBy verifies a statement that one person signed.
func (d *Desk) signedBy(index int64, statement []byte, kind string, body any) (string, error) {
	_, signers, err := sign.Claims(statement)
	if err != nil {
		return "", err
	}
	p, err := d.dir.SignerAt(signers[0], index)
	if err != nil {
		return "", err
	}
	keys := []*sign.Public{p.Sign}
	for _, s := range signers[1:] {
		device, err := d.dir.DeviceKey(s.String())
		if err != nil {
			return "", err
		}
		keys = append(keys, device)
	}
	return p.ID, sign.Open(statement, kind, body, keys...)
}
