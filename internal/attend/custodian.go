package attend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"chancery/internal/client"
	"chancery/internal/courier"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/marking"
	"chancery/internal/post"
	"chancery/internal/seal"
	"chancery/internal/seal/share"
	"chancery/internal/sign"
	"chancery/internal/vault"
)

// A Custodian keeps shares: of draws, which it checks before they are used, and of
// escrows. It hands none out; that is for cases.
type Custodian struct {
	Name     string
	Key      *sign.Key
	Identity *seal.Identity
	Vault    *vault.Vault
	Client   *client.Client
	Now      func() time.Time
	Logger   *slog.Logger

	at      place
	goal    courier.Goal // how far the log is to be read before parcels are
	dir     *directory.Directory
	draws   map[int]*drawn
	chosen  map[int]*drawn                // to be opened, by block
	opening []*drawn                      // those to be opened of which we said nothing yet
	waiting map[int64]entries.SharePacket // by parcel; their draw has not been seen
	number  int
	bad     error // the marking desk's draws are not what it commits to: it gets no more answers
}

// A Share is what a custodian's vault holds of a draw or an escrow.
type Share struct {
	Draw   int    `json:"draw,omitempty"`
	Cable  string `json:"cable,omitempty"`
	Share  []byte `json:"share"`
	Vector []byte `json:"vector"`
	Word   []byte `json:"word,omitempty"` // the entry that says the share is good, or that the draw is to be opened
}

// maxWaiting is how many shares may wait for draws that are not in the log yet: a marking
// desk sends them together.
const maxWaiting = 10_000

// Slots is how many copies a draw serves.
const Slots = marking.Slots

// DrawName and EscrowName are the names of shares in the vault.
func DrawName(draw int) string       { return fmt.Sprintf("draw-%08d", draw) }
func EscrowName(cable string) string { return "escrow-" + cable }

// Run attends until ctx ends; a registry that is away is waited for.
func (c *Custodian) Run(ctx context.Context) error {
	c.forget()
	return attend(ctx, c.Logger, func() error { return c.Round(ctx, wait) })
}

// key signs for this log alone.
func (c *Custodian) key() *sign.Key { return c.Key.In(c.Client.Origin()) }

// forget begins anew: the log tells everything again.
func (c *Custodian) forget() {
	c.at, c.goal = place{}, courier.Goal{}
	c.draws, c.chosen, c.opening, c.waiting = map[int]*drawn{}, map[int]*drawn{}, nil, map[int64]entries.SharePacket{}
}

// Round attends to what came, and waits for it at most so long. It reads the open
// part of the log from its start: that is where draws stand.
func (c *Custodian) Round(ctx context.Context, wait time.Duration) error {
	_, err := c.round(ctx, wait)
	return err
}

// catchUp reads all that there is, for one who is asked to do something now.
func (c *Custodian) catchUp(ctx context.Context) error {
	c.forget()
	for more := true; more; {
		var err error
		if more, err = c.round(ctx, 0); err != nil {
			return err
		}
	}
	return nil
}

// round is Round, and says whether there is more.
func (c *Custodian) round(ctx context.Context, wait time.Duration) (more bool, err error) {
	came, err := courier.Fetch(ctx, c.Client, client.Wish{Parties: []string{directory.Everyone, directory.Draws, directory.CustodianParty(c.Name)}, From: c.at.place(), Parcel: c.at.Parcel, Wait: wait}, c.Identity)
	if err != nil {
		c.goal = courier.Goal{}
		return false, err
	}
	for _, l := range came.Letters {
		c.at.Index, c.at.Part = l.Index, l.Part+1
		if l.Err != nil {
			c.Logger.Warn("passed over", "entry", l.Index, "why", fault.Escape(l.Err.Error()))
			continue
		}
		if err := c.entry(l.Index, l.Party, l.Entry.Statement, l.Mail); err != nil {
			return false, err
		}
	}
	due, now := came.Due(&c.goal)
	if !now {
		return true, nil
	}
	for _, p := range due {
		if err := c.parcel(ctx, p); err != nil {
			return false, err
		}
		c.at.Parcel = p.Seq
	}
	if err := c.check(ctx); err != nil {
		return false, err
	}
	return came.More, c.audit(ctx)
}

// entry takes an entry: of the directory, a draw, or a release with a share.
func (c *Custodian) entry(index int64, party string, statement []byte, l *post.Letter) error {
	if directory.LiesOpen(party) {
		c.dir, _ = directory.Take(c.dir, index, statement)
		c.open(statement)
		return nil
	}
	if err := c.dispute(index, statement); err == nil {
		return nil
	}
	if c.dir == nil || len(l.Share) == 0 {
		return nil
	}
	var body entries.Release
	_, signers, err := sign.Claims(statement)
	if err != nil {
		return nil
	}
	// Only the author's own release counts: else anybody could put another share in the
	// place of a cable's.
	author, err := c.dir.SignerAt(signers[0], index)
	if err == nil {
		err = sign.Open(statement, entries.KindRelease, &body, author.Sign)
	}
	if err == nil {
		err = body.Check()
	}
	if err != nil {
		c.Logger.Warn("refused", "entry", index, "why", fault.Escape(err.Error()))
		return nil
	}
	var kept Share
	if err := c.Vault.Get(EscrowName(body.Cable), &kept); !errors.Is(err, fault.NotFound) {
		return err // the first release of a cable is the one that counts
	}
	p, err := entries.ParseSharePacket(l.Share)
	if err == nil {
		err = c.verify(p, body.Vector)
	}
	if err != nil {
		c.Logger.Error("a bad share of an escrow: no case about this cable could be opened with it", "entry", index, "why", fault.Escape(err.Error()))
		return nil
	}
	return c.Vault.Put(EscrowName(body.Cable), Share{Cable: body.Cable, Share: p.Share, Vector: p.Vector})
}

// dispute tells of a reader who was handed what was not issued, if a statement says so.
func (c *Custodian) dispute(index int64, statement []byte) error {
	var body entries.Opened
	_, signers, err := sign.Claims(statement)
	if err != nil || c.dir == nil {
		return fault.Mismatch.New("no dispute")
	}
	p, err := c.dir.SignerAt(signers[0], index)
	if err != nil {
		return err
	}
	if err := sign.Open(statement, entries.KindDispute, &body, p.Sign); err != nil {
		return err
	}
	c.Logger.Error("a reader was handed keys that are not what was issued", "reader", p.ID, "cable", body.Cable, "copy", body.Copy, "entry", index)
	return nil
}

// verify checks a share: that it is ours, of the agreed threshold, and of what was
// committed to.
func (c *Custodian) verify(p entries.SharePacket, vector entries.Digest) error {
	if c.dir == nil || c.number == 0 {
		return fault.Mismatch.New("%q is no custodian of this institution", c.Name)
	}
	s, err := share.ParseShare(p.Share)
	if err != nil {
		return err
	}
	v, err := share.ParseVector(p.Vector)
	if err != nil {
		return err
	}
	if v.Digest() != vector {
		return fault.Mismatch.New("the share is of another secret than was committed to")
	}
	return s.Verify(v, c.number, c.dir.Institution().Threshold)
}

// parcel takes a share of a draw.
func (c *Custodian) parcel(ctx context.Context, p client.Listed) error {
	data, err := c.Client.Parcel(ctx, p.Digest)
	if err != nil {
		return err
	}
	plain, err := seal.Open(data, c.Identity)
	if err != nil {
		c.Logger.Warn("passed over", "parcel", p.Seq, "why", fault.Escape(err.Error()))
		return nil
	}
	if h, ok := post.ParseHanded(plain); ok {
		if len(h.Statement) > 0 {
			return c.absence(h)
		}
		return c.epoch(h)
	}
	packet, err := entries.ParseSharePacket(plain)
	if err != nil {
		c.Logger.Warn("passed over", "parcel", p.Seq, "why", fault.Escape(err.Error()))
		return nil
	}
	if len(c.waiting) >= maxWaiting {
		delete(c.waiting, slices.Min(slices.Collect(maps.Keys(c.waiting)))) // the one that has waited longest
	}
	c.waiting[p.Seq] = packet
	return nil
}

// epoch keeps a share of an office's archive key.
func (c *Custodian) epoch(h post.Handed) error {
	s, err := share.ParseShare(h.Share)
	if err == nil {
		var v *share.Vector
		if v, err = share.ParseVector(h.Vector); err == nil && c.dir != nil {
			err = s.Verify(v, c.number, c.dir.Institution().Threshold)
		}
	}
	if err != nil {
		c.Logger.Error("a bad share of an archive key: it could not be recovered with it", "office", fault.Escape(h.Office), "why", fault.Escape(err.Error()))
		return nil
	}
	if c.dir == nil {
		return nil
	}
	if _, err := c.dir.Epochs(h.Office); err != nil {
		c.Logger.Warn("passed over", "why", fault.Escape(err.Error()))
		return nil
	}
	return c.Vault.Put(post.EpochName(h.Office, h.Number, h.Vector), h.OfShare())
}

// Recover gives this custodian's shares of an office's archive keys to one who sits
// there, and says so in the log. It returns how many there were.
func (c *Custodian) Recover(ctx context.Context, office, person string) (int, error) {
	if err := c.catchUp(ctx); err != nil {
		return 0, err
	}
	sits, err := c.dir.Sits(person, office, c.Now())
	if err != nil {
		return 0, err
	}
	if !sits {
		return 0, fault.Permission.New("%q does not sit in %q", person, office)
	}
	p, _, err := c.dir.Person(person)
	if err != nil {
		return 0, err
	}
	names, err := c.Vault.Names(post.EpochPrefix(office))
	if err != nil {
		return 0, err
	}
	n := 0
	for _, name := range names {
		var h post.Handed
		if err := c.Vault.Get(name, &h); err != nil {
			return n, err
		}
		if h.Office != office {
			continue // an office whose name begins so
		}
		if err := c.give(ctx, h, p); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// give logs that a share is given, and then gives it.
func (c *Custodian) give(ctx context.Context, h post.Handed, p directory.Person) error {
	s, err := sign.Sign(entries.KindRecovery, entries.Recovery{Office: h.Office, Epoch: h.Number, Person: p.ID}, c.key())
	if err != nil {
		return err
	}
	_, note := c.Client.View.Last()
	if _, err := courier.Send(ctx, c.Client, post.About(s, note, append(post.Overseers(c.dir.Institution()), post.To(p))...)); err != nil {
		return err
	}
	h.By = c.Name
	sealed, err := h.Seal(p.Recipient)
	if err != nil {
		return err
	}
	return c.Client.PutParcel(ctx, sealed, []string{p.Party()})
}

// check verifies the shares whose draws are in the log, keeps them, and says so.
func (c *Custodian) check(ctx context.Context) error {
	for seq, p := range c.waiting {
		d := c.draws[p.Draw]
		if d == nil || c.chosen[entries.Block(p.Draw)] != d && c.unsettled() {
			continue
		}
		if d.answered || c.bad != nil {
			delete(c.waiting, seq)
			continue
		}
		word, err := c.word(p, d.Draw)
		if errors.Is(err, fault.Mismatch) || errors.Is(err, fault.Input) {
			c.Logger.Error("a bad share: the draw must not be used", "draw", p.Draw, "why", fault.Escape(err.Error()))
			delete(c.waiting, seq)
			continue
		}
		if err != nil {
			return err
		}
		if _, err := c.Client.Submit(ctx, word); err != nil {
			return err
		}
		delete(c.waiting, seq)
		d.answered = true
		c.Logger.Info("checked", "draw", p.Draw)
	}
	return nil
}

// word verifies a share and keeps it, with what is said of it, before it is said:
// after a crash the same is said again.
func (c *Custodian) word(p entries.SharePacket, d entries.Draw) (custody.Submission, error) {
	var kept Share
	err := c.Vault.Get(DrawName(p.Draw), &kept)
	if errors.Is(err, fault.NotFound) {
		if err := c.verify(p, d.Vector); err != nil {
			return custody.Submission{}, err
		}
		kind := entries.KindShareOK
		if c.chooses(p.Draw) {
			kind = entries.KindAudit
		}
		s, err := sign.Sign(kind, entries.ShareOK{Draw: p.Draw, Root: d.Root, Vector: d.Vector}, c.key())
		if err != nil {
			return custody.Submission{}, err
		}
		kept = Share{Draw: p.Draw, Share: p.Share, Vector: p.Vector, Word: custody.NewEntry(s).Bytes()}
		err = c.Vault.Put(DrawName(p.Draw), kept)
		if err != nil {
			return custody.Submission{}, err
		}
	} else if err != nil {
		return custody.Submission{}, err
	}
	return post.PublishEntry(kept.Word)
}
