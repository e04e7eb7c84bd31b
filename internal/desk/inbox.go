package desk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"chancery/internal/custody"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/seal/kit"
	"chancery/internal/sign"
)

// fetch downloads the kits of cables that were not read, so that opening one needs
// little of the line.
func (d *Desk) fetch(ctx context.Context, i *Item) error {
	if i.Kit != nil || i.Copy == nil {
		return nil
	}
	err := d.Vault.Get(kitName(i.Cable), &i.Kit)
	if err == nil || !errors.Is(err, fault.NotFound) {
		return err
	}
	digest := i.Release.Kit
	if i.Release.Mode == entries.ModeAuthor {
		copy(digest[:], i.Parcel)
	}
	data, err := d.Client.Parcel(ctx, digest)
	if err != nil {
		return err
	}
	i.Kit = data
	return d.Vault.Put(kitName(i.Cable), data)
}

// kitName names the file of a kit: it is large, and does not change.
func kitName(cable string) string { return "kit-" + cable }

// keysTime is how long a reader waits for keys after the receipt.
const keysTime = 15 * time.Second

// Read opens a cable and returns its text. The first time it signs the receipt,
// waits for the keys, checks everything, and says in the log that it was opened; a
// cable that was opened is read without a line. Withheld keys are fault.Permission,
// a copy that is not what was committed to is fault.Mismatch and goes to the
// custodians as a dispute.
func (d *Desk) Read(ctx context.Context, ref string) (Item, error) {
	if err := d.awaitIssue(ctx, ref); err != nil {
		return Item{}, err
	}
	d.mu.Lock()
	i, err := d.find(ref)
	if err == nil && i.Text == "" {
		err = i.readable()
	}
	done := err == nil && i.Text != ""
	d.mu.Unlock()
	if err != nil {
		return Item{}, err
	}
	if !done {
		if err := d.open(ctx, i.Cable); err != nil {
			return Item{}, err
		}
	}
	return d.Find(i.Cable)
}

// awaitIssue waits a while for the issue of a cable that was released to this person,
// or of which they asked for a copy.
func (d *Desk) awaitIssue(ctx context.Context, ref string) error {
	for until := time.Now().Add(cmp.Or(d.Patience, keysTime)); ; {
		d.mu.Lock()
		i, err := d.find(ref)
		waits := err == nil && !i.issuedToMe() && i.Blind() && i.Void == "" && i.Refused == "" && i.Recall == "" && (i.Copy != nil || i.Asked)
		d.mu.Unlock()
		if err != nil || !waits || !time.Now().Before(until) {
			return err
		}
		if err := d.again(ctx, i.Index); err != nil {
			return err
		}
		d.mu.Lock()
		came := i.issuedToMe()
		d.mu.Unlock()
		if came {
			return nil
		}
		if err := d.pull(ctx, time.Until(until)); err != nil {
			return err
		}
	}
}

// issuedToMe says whether a copy was issued, and to this person: of what is found in an
// archive the issue to others may be here already.
func (i *Item) issuedToMe() bool { return i.Issue != nil && i.Copy != nil }

// readable says why a cable cannot be opened.
func (i *Item) readable() error {
	switch {
	case i.Mine:
		return nil
	case i.Void != "":
		return fault.Permission.New("the cable was not issued: %s", i.Void)
	case i.Disputed != "":
		return kit.ErrDisputed
	case i.Withheld != "":
		return fault.Permission.New("the keys are withheld: %s", i.Withheld)
	case i.Recall != "" && i.Receipt < 0:
		return fault.Permission.New("the cable was recalled: %s", i.Recall)
	case i.Copy == nil && i.Refused != "":
		return fault.Permission.New("you are given no copy: %s", i.Refused)
	case i.Copy == nil:
		return fault.Permission.New("you have no copy of this cable")
	case i.Issue == nil && i.Blind():
		return fault.NotFound.New("the cable was released and is not issued yet").WithHint("the marking desk draws the copies; try again in a moment")
	}
	return nil
}

// open receipts, waits for keys and opens.
func (d *Desk) open(ctx context.Context, id string) error {
	d.mu.Lock()
	i := d.items[id]
	if i.Mine {
		d.mu.Unlock()
		return nil
	}
	// The receipt is about a log in which the issue stands.
	behind := i.Receipt < 0 && i.Blind() && d.tree.Size <= i.Issued
	d.mu.Unlock()
	if behind {
		if err := d.pull(ctx, 0); err != nil {
			return err
		}
	}
	d.mu.Lock()
	err := d.fetch(ctx, i)
	if err == nil && (i.Receipt < 0 || i.Again) {
		err = d.receipt(ctx, i)
	}
	d.mu.Unlock()
	if err != nil {
		return err
	}
	if !i.Blind() {
		return d.unseal(ctx, i)
	}
	until := time.Now().Add(cmp.Or(d.Patience, keysTime))
	for {
		d.mu.Lock()
		delivered, withheld := i.Delivered != nil, i.Withheld != ""
		d.mu.Unlock()
		switch {
		case delivered:
			return d.unseal(ctx, i)
		case withheld:
			return i.readable()
		case !time.Now().Before(until):
			return d.noKeys(i)
		}
		if err := d.pull(ctx, max(time.Second, time.Until(until))); err != nil {
			return err
		}
	}
}

// noKeys remembers that a receipt was not answered. It stands; the next attempt signs
// another, about the log as it is seen then.
func (d *Desk) noKeys(i *Item) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	i.Again = true
	err := fault.System.New("the receipt is in the log, and no keys have come").WithHint("is the marking desk running? read the cable again later: the receipt stands")
	return errors.Join(err, d.saveItem(i))
}

// receipt signs what arrived and logs it.
func (d *Desk) receipt(ctx context.Context, i *Item) error {
	if i.Sending != nil {
		return d.finish(ctx, i)
	}
	body, err := i.receiptFor(d.tree, d.dir.Head(d.tree.Size), d.Keys.Device.Public().ID().String())
	if err != nil {
		return err
	}
	s, err := sign.Sign(entries.KindReceipt, body, d.Keys.Person, d.Keys.Device)
	if err != nil {
		return err
	}
	return d.state1(ctx, i, entries.KindReceipt, s, post.Parties(d.dir.Institution(), i.Release.Marking)...)
}

// receiptFor is what the reader signs before anything is opened.
func (i *Item) receiptFor(seen custody.Checkpoint, register entries.Digest, device string) (entries.Receipt, error) {
	if i.Blind() {
		return i.arrived().Receipt(seen, register, device, i.Copy.Tenure)
	}
	return entries.Receipt{Cable: i.Cable, Release: i.Index, Issue: -1, Copy: i.Copy.ID, Kit: sha256.Sum256(i.Kit), Size: seen.Size, Root: entries.Digest(seen.Root),
		Register: register, Device: device, Tenure: i.Copy.Tenure}, nil
}

// arrived is the item as it is opened.
func (i *Item) arrived() *Arrived {
	return &Arrived{Release: i.Release, ReleaseIndex: i.Index, Issue: *i.Issue, IssueIndex: i.Issued, Copy: i.Copy.ID, Kit: i.Kit, Key: i.Key}
}

// state1 logs a statement about a cable to addresses, its author and this person. It
// is kept before it leaves; one at a time is under way for a cable.
func (d *Desk) state1(ctx context.Context, i *Item, kind string, statement []byte, to ...post.Address) error {
	if i.Sending != nil {
		if err := d.finish(ctx, i); err != nil {
			return err
		}
	}
	to = append(to, d.persons(d.Person)...)
	if kind != entries.KindDispute { // a dispute must not tell the author what they learnt
		to = append(to, d.persons(i.Author)...)
	}
	_, note := d.Client.View.Last()
	submission, err := d.seal(post.About(statement, note, to...))
	if err != nil {
		return err
	}
	i.Sending = &pending{kind, submission}
	if err := d.saveItem(i); err != nil {
		return err
	}
	err = d.finish(ctx, i)
	if err != nil && fault.Passing(err) && kind != entries.KindReceipt {
		return fault.System.Wrap(err, "the %s of %s is kept, and is stated when there is a line", kind, i.Release.Reference).WithHint("nothing more is to be done: chancery status sends it")
	}
	return err
}

// finish logs a statement that was kept.
func (d *Desk) finish(ctx context.Context, i *Item) error {
	s := i.Sending.Submission
	at, err := d.submit(ctx, s)
	if err != nil {
		return err
	}
	if i.Sending.Kind == entries.KindReceipt {
		i.Receipt, i.Again = at, false
	}
	i.Sending = nil
	if err := d.saveItem(i); err != nil {
		return err
	}
	return d.dropParts(s)
}

// unseal opens the copy with its keys, and says so.
func (d *Desk) unseal(ctx context.Context, i *Item) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i.Text != "" {
		return nil
	}
	var text string
	var err error
	if i.Blind() {
		text, err = i.arrived().Read(i.Delivered, d.Keys.Identity)
	} else {
		text, err = i.openPlain(d.Keys.Identity)
	}
	if err == nil && i.Extract {
		i.Text = text
	} else if err == nil {
		err = i.detach(text)
	}
	opened := entries.Opened{Cable: i.Cable, Copy: i.Copy.ID, Issue: i.Issued}
	if errors.Is(err, kit.ErrDisputed) || errors.Is(err, fault.Mismatch) {
		opened.Code = "keys"
		i.Disputed = opened.Code
		s, signed := sign.Sign(entries.KindDispute, opened, d.Keys.Person)
		if signed != nil {
			return signed
		}
		return errors.Join(err, d.state1(ctx, i, entries.KindDispute, s, append(post.Custodians(d.dir.Institution()), post.Overseers(d.dir.Institution())...)...))
	}
	if err != nil {
		return err
	}
	s, err := sign.Sign(entries.KindOpened, opened, d.Keys.Person)
	if err != nil {
		return err
	}
	return d.state1(ctx, i, entries.KindOpened, s, post.Overseers(d.dir.Institution())...)
}

// persons returns the addresses of persons that the directory knows.
func (d *Desk) persons(ids ...string) []post.Address {
	var out []post.Address
	for _, id := range ids {
		if p, _, err := d.dir.Person(id); err == nil {
			out = append(out, post.To(p))
		}
	}
	return out
}

// Ack tells the originator that a cable was read.
func (d *Desk) Ack(ctx context.Context, ref string) (Item, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i, err := d.find(ref)
	if err != nil {
		return Item{}, err
	}
	if i.Text == "" || i.Copy == nil {
		return Item{}, fault.Usage.New("the cable was not read yet").WithHint("chancery read opens it")
	}
	s, err := sign.Sign(entries.KindAck, entries.Ack{Cable: i.Cable, Copy: i.Copy.ID}, d.Keys.Person)
	if err != nil {
		return Item{}, err
	}
	return *i, d.state1(ctx, i, entries.KindAck, s, post.Overseers(d.dir.Institution())...)
}

// Recall calls a cable back: keys that were not handed over yet stay with the marking
// desk. It returns how many copies were opened or receipted before, as far as this
// desk knows.
func (d *Desk) Recall(ctx context.Context, ref, reason string) (Item, int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i, err := d.find(ref)
	if err != nil {
		return Item{}, 0, err
	}
	if err := d.mayRecall(i); err != nil {
		return Item{}, 0, err
	}
	s, err := sign.Sign(entries.KindRecall, entries.Recall{Cable: i.Cable, Release: i.Index, Reason: reason}, d.Keys.Person)
	if err != nil {
		return Item{}, 0, err
	}
	to := post.Parties(d.dir.Institution(), i.Release.Marking)
	for _, c := range i.Copies {
		to = append(to, d.persons(c.Person)...)
	}
	if err := d.state1(ctx, i, entries.KindRecall, s, to...); err != nil {
		return Item{}, 0, err
	}
	before := map[string]bool{}
	for _, a := range i.Acts {
		ours := slices.ContainsFunc(i.Copies, func(c entries.Copy) bool { return c.ID == a.Copy })
		if ours && (a.Kind == entries.KindReceipt || a.Kind == entries.KindOpened) {
			before[a.Copy] = true
		}
	}
	return *i, len(before), nil
}

// mayRecall says whether this person may call a cable back: who sits in the office whose
// cable it is, and wrote it, or knows it from the office's archive.
func (d *Desk) mayRecall(i *Item) error {
	switch {
	case !i.Mine && !i.Ours:
		return fault.Permission.New("the cable is not yours to recall").WithHint("ask its originator, or somebody in their office")
	case !i.Mine && !i.Blind():
		return fault.Usage.New("the cable did not come through the marking desk: its author alone knows whom to ask").WithHint("ask %s", i.Author)
	}
	_, err := d.tenureIn(i.Release.Office)
	return err
}

// Prove returns a proof file for every act on a cable that this desk was told of, in
// the order of the log, each verified anew against the newest checkpoint.
func (d *Desk) Prove(ctx context.Context, ref string) (Item, []*custody.Proof, error) {
	i, err := d.Find(ref)
	if err != nil {
		return Item{}, nil, err
	}
	var out []*custody.Proof
	for _, a := range i.Acts {
		e, err := custody.ParseEntry(a.Entry)
		if err != nil {
			return Item{}, nil, err
		}
		p, err := d.Client.Prove(ctx, a.Index, e)
		if err != nil {
			return Item{}, nil, err
		}
		out = append(out, p)
	}
	return i, out, nil
}
