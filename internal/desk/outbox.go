package desk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"chancery/cable"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/post"
)

// An Outgoing cable waits to be sent, or is on its way. What was composed is kept
// before anything of it leaves: after a crash the very same is sent on.
type Outgoing struct {
	ID         string    `json:"id"` // of the file; the cable gets another
	Queued     time.Time `json:"queued"`
	Draft      string    `json:"draft"`
	From       string    `json:"from"` // office
	To         []string  `json:"to"`
	Precedence string    `json:"precedence"`
	Reference  string    `json:"reference"`
	ReplyTo    string    `json:"reply_to"`
	Corrects   string    `json:"corrects"` // the cable that it corrects, or empty
	Attested   bool      `json:"attested"`
	Onward     int       `json:"onward"` // standing leave
	Mode       string    `json:"mode"`
	Files      []File    `json:"files"`
	// People are whom it reached when its author was shown whom, as [Reach.Shown] names
	// them; it goes to nobody else. Empty: to whomever it reaches when it leaves.
	People []string `json:"people"`

	Ready *ready `json:"ready"`
	Tried bool   `json:"tried"` // its release may be in the log
	Why   string `json:"why"`   // what stopped it last
}

// ready is a composed cable.
type ready struct {
	Body       entries.Release    `json:"body"`
	Kit        []byte             `json:"kit"`
	Order      []byte             `json:"order"`
	Escrow     []byte             `json:"escrow"`
	Readers    []string           `json:"readers"` // parties that may fetch the kit
	Submission custody.Submission `json:"submission"`
	Circle     []byte             `json:"circle"`
	Copies     []entries.Copy     `json:"copies"`
	Record     string             `json:"record"`
	Attached   [][]byte           `json:"attached"`
	Authored   [][]byte           `json:"authored"`
	Varies     Sent               `json:"varies"`
}

// A Reach says whom a cable would reach, before it is sent.
type Reach struct {
	People []directory.Addressee
	Empty  []string // offices in which nobody sits
	// Fresh are people whose keys came into the directory less than a day ago, as
	// far as this desk has seen: a substituted key would be one of these.
	Fresh []string
}

// Shown names the people with the keys that they have.
func (r Reach) Shown() []string {
	var out []string
	for _, p := range r.People {
		out = append(out, shown(p))
	}
	return out
}

func shown(p directory.Addressee) string { return fmt.Sprintf("%s@%d", p.ID, p.Since) }

// sameReach refuses a cable that has come to reach somebody whom its author was not shown,
// or who has other keys.
func (d *Desk) sameReach(o *Outgoing) error {
	if len(o.People) == 0 || d.dir == nil {
		return nil
	}
	people, _, err := d.dir.Expand(o.To, d.Now())
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.ID != d.Person && !slices.Contains(o.People, shown(p)) {
			return fault.Permission.New("%s reaches %q too by now, or %q has new keys", o.Reference, p.ID, p.ID).WithHint("chancery recall takes it out of the outbox; send it again")
		}
	}
	return nil
}

// freshKey is how long a key is new.
const freshKey = 24 * time.Hour

// Reach expands offices and lists.
func (d *Desk) Reach(to []string) (Reach, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.knows(); err != nil {
		return Reach{}, err
	}
	people, empty, err := d.dir.Expand(to, d.Now())
	if err != nil {
		return Reach{}, err
	}
	people = slices.DeleteFunc(people, func(a directory.Addressee) bool { return a.ID == d.Person })
	r := Reach{People: people, Empty: empty}
	for _, p := range people {
		if seen, ok := d.seen[p.Since]; ok && d.Now().Sub(seen) < freshKey {
			r.Fresh = append(r.Fresh, p.ID)
		}
	}
	return r, nil
}

// Queue keeps a cable to be sent, and returns the name of its file. It is durable
// then; nothing has left yet.
func (d *Desk) Queue(o Outgoing) (string, error) {
	if err := checkFiles(o.Files); err != nil {
		return "", err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	o.ID, o.Queued = randomID(), d.Now().UTC().Truncate(time.Second)
	if err := d.Vault.Put("out-"+o.ID, o); err != nil {
		return "", err
	}
	d.out[o.ID] = &o
	return o.ID, nil
}

// Outbox returns what waits to be sent, in the order in which it leaves.
func (d *Desk) Outbox() []Outgoing {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Outgoing
	for _, o := range d.out {
		out = append(out, *o)
	}
	slices.SortFunc(out, compareOutgoing)
	return out
}

// compareOutgoing puts the more urgent first, then the older.
func compareOutgoing(a, b Outgoing) int {
	urgent := func(o Outgoing) int { return slices.Index(entries.Precedences, o.Precedence) }
	return cmp.Or(cmp.Compare(urgent(a), urgent(b)), a.Queued.Compare(b.Queued), cmp.Compare(a.ID, b.ID))
}

// Drop takes a cable out of the outbox of which nothing has left yet.
func (d *Desk) Drop(id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := d.out[id]
	if o == nil {
		return fault.NotFound.New("nothing of that name is in the outbox")
	}
	if o.Tried {
		return fault.Permission.New("the cable is on its way").WithHint("recall it")
	}
	if err := d.Vault.Remove("out-" + id); err != nil {
		return err
	}
	delete(d.out, id)
	if o.Ready != nil {
		return d.dropParts(o.Ready.Submission)
	}
	return nil
}

// flush sends what waits, and statements whose fate is unknown.
func (d *Desk) flush(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(d.items)) {
		if i := d.items[id]; i.Sending != nil {
			if err := d.finish(ctx, i); err != nil {
				return err
			}
		}
	}
	failed := &Unsent{}
	waiting := slices.SortedFunc(maps.Values(d.out), func(a, b *Outgoing) int { return compareOutgoing(*a, *b) })
	for _, o := range waiting {
		if err := d.send(ctx, o); err != nil {
			if errors.Is(err, errNoDraw) {
				o.Why = err.Error()
				continue
			}
			if fault.Passing(err) {
				return err
			}
			o.Why = err.Error()
			failed.IDs, failed.Err = append(failed.IDs, o.ID), errors.Join(failed.Err, err, d.Vault.Put("out-"+o.ID, o))
		}
	}
	if failed.Err == nil {
		return nil
	}
	return failed
}

// Unsent says why cables in the outbox were not sent. Everything else was done.
type Unsent struct {
	IDs []string
	Err error
}

func (u *Unsent) Error() string { return u.Err.Error() }
func (u *Unsent) Unwrap() error { return u.Err }

// errNoDraw stops a cable for as long as the marking desk would refuse it, for good.
var errNoDraw = fault.System.New("the marking desk has no draw ready")

// underWay is how long an answer of the marking desk is waited for before the next cable.
const underWay = 15 * time.Minute

// waits says whether a cable is to wait for a draw. Half as many may be ready as were
// said to be, so half as many cables of this desk are under way at a time, or one.
func (d *Desk) waits(o *Outgoing) bool {
	if o.Tried || o.Mode != "" && o.Mode != entries.ModeBlind || d.dir == nil {
		return false
	}
	marking := d.dir.Institution().Marking[0].Sign.ID().String()
	noted, told := d.state.Noted[marking]
	ready := noted.Ready
	if !told || ready == 0 {
		return told
	}
	for _, i := range d.items {
		if i.Mine && i.Blind() && i.Release.Marking == marking && i.Issue == nil && i.Void == "" && d.Now().Sub(i.Arrived) < underWay {
			ready -= 2
		}
	}
	return ready <= 0
}

// send brings one cable as far as its release in the log.
func (d *Desk) send(ctx context.Context, o *Outgoing) error {
	if d.waits(o) {
		return errNoDraw
	}
	if !o.Tried {
		if err := d.sameReach(o); err != nil {
			return err
		}
	}
	if o.Ready == nil {
		r, err := d.ready(o)
		if err != nil {
			return err
		}
		if err := d.kept(o, func(o *Outgoing) { o.Ready, o.Why = r, "" }); err != nil {
			return err
		}
	}
	r := o.Ready
	in := d.dir.Institution()
	if err := d.upload(ctx, r, in); err != nil {
		return err
	}
	if !o.Tried {
		if err := d.kept(o, func(o *Outgoing) { o.Tried = true }); err != nil {
			return err
		}
	}
	at, err := d.submit(ctx, r.Submission)
	if err != nil {
		return err
	}
	i := d.items[r.Body.Cable]
	if i == nil {
		i = &Item{Cable: r.Body.Cable, Receipt: -1}
	}
	i.Release, i.Index, i.Author, i.Mine, i.Copies, i.Record, i.Varies, i.Arrived = r.Body, at, d.Person, true, r.Copies, r.Record, r.Varies, d.Now().UTC().Truncate(time.Second)
	if err := d.saveItem(i); err != nil {
		return err
	}
	d.items[i.Cable] = i
	delete(d.out, o.ID)
	if err := d.Vault.Remove("out-" + o.ID); err != nil {
		return err
	}
	return d.dropParts(r.Submission)
}

// kept changes a cable in the outbox once the change is on the disk: what was not kept is
// not sent.
func (d *Desk) kept(o *Outgoing, change func(*Outgoing)) error {
	changed := *o
	change(&changed)
	if err := d.Vault.Put("out-"+o.ID, &changed); err != nil {
		return err
	}
	*o = changed
	return nil
}

// upload puts what goes beside the release where its readers find it.
func (d *Desk) upload(ctx context.Context, r *ready, in directory.Institution) error {
	type parcel struct {
		data []byte
		to   []string
	}
	all := []parcel{{r.Kit, r.Readers}, {r.Order, post.Names(post.Marking(in, r.Body.Marking))}, {r.Escrow, post.Names(post.Custodians(in))},
		{r.Circle, post.Names(post.Overseers(in))}}
	for _, a := range r.Attached {
		all = append(all, parcel{a, r.Readers})
	}
	for i, a := range r.Authored {
		all = append(all, parcel{a, []string{directory.PartyOf(r.Copies[i].Person)}})
	}
	for _, p := range all {
		if len(p.data) == 0 {
			continue
		}
		if err := d.Client.PutQuiet(ctx, p.data, p.to); err != nil {
			return err
		}
	}
	return nil
}

// ready composes a cable and seals its letters.
func (d *Desk) ready(o *Outgoing) (*ready, error) {
	if d.dir == nil {
		return nil, fault.System.New("the desk has not read the directory yet")
	}
	draft, err := cable.Parse([]byte(o.Draft))
	if err != nil {
		return nil, fault.Input.Wrap(err, "the draft")
	}
	h, err := d.tenureIn(o.From)
	if err != nil {
		return nil, err
	}
	one := Cable{Author: Author{Key: d.Keys.Person, Person: d.Person, Tenure: h.ID, Office: h.Office}, Draft: draft, To: o.To, Precedence: o.Precedence,
		Reference: o.Reference, ReplyTo: o.ReplyTo, Previous: o.Corrects, Interchangeable: o.Attested, Onward: o.Onward, Mode: o.Mode, Attachments: o.Files,
		Directory: d.dir, Size: d.tree.Size, Now: d.Now()}
	c, err := Compose(one)
	if err != nil {
		return nil, err
	}
	r := &ready{Body: c.Body, Kit: c.Kit, Order: c.Order, Escrow: c.Escrow, Copies: c.Copies, Record: c.Record, Circle: c.Circle, Attached: c.Attached, Authored: c.Authored, Varies: d.names(draft)}
	return r, d.letters(c, r)
}

// letters seals the release to everyone it concerns: readers with their copy and
// the kit's key, their offices' archives with the key alone, custodians with a share,
// the marking desk, overseers, this person and the archive of their office with nothing more. All are of one length.
func (d *Desk) letters(c *Composed, r *ready) error {
	_, note := d.Client.View.Last()
	mail := post.NewMailing(c.Release, note)
	in := d.dir.Institution()
	archives := map[string]bool{}
	for i, one := range c.Copies {
		p, _, err := d.dir.Person(one.Person)
		if err != nil {
			return err
		}
		l := post.Letter{Copy: &one, Key: c.Key}
		c.authoredLetter(i, &l)
		mail.Add(post.To(p), l)
		r.Readers = append(r.Readers, p.Party())
		if archive, ok := d.archive(one.Office); ok && !archives[one.Office] {
			archives[one.Office] = true
			mail.Add(archive, post.Letter{Key: c.Key})
			r.Readers = append(r.Readers, archive.Party)
		}
	}
	// Those who sit in the author's office may recall the cable, and cannot read it.
	if ours, ok := d.archive(c.Body.Office); ok && !archives[c.Body.Office] {
		mail.Add(ours, post.Letter{})
	}
	for i, a := range post.Custodians(in) {
		mail.Add(a, post.Letter{Share: c.Shares[in.Custodians[i].Name]})
	}
	for _, a := range post.Overseers(in) {
		circle := sha256.Sum256(c.Circle)
		mail.Add(a, post.Letter{Parcel: circle[:]})
	}
	for _, a := range post.Marking(in, c.Body.Marking) {
		mail.Add(a, post.Letter{})
	}
	me, _, err := d.dir.Person(d.Person)
	if err != nil {
		return err
	}
	mail.Add(post.To(me), post.Letter{})
	r.Submission, err = d.seal(mail)
	return err
}

// archive is the address of an office's archive, if it has one.
func (d *Desk) archive(office string) (post.Address, bool) {
	epochs, err := d.dir.Epochs(office)
	if err != nil || len(epochs) == 0 {
		return post.Address{}, false
	}
	return post.Address{Party: directory.OfficeParty(office), Recipient: epochs[len(epochs)-1].Recipient}, true
}

// Sent finds the item that an outgoing cable became: the one composed from it.
func (d *Desk) Sent(reference string) (Item, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var last *Item
	for _, i := range d.items {
		if i.Mine && i.Release.Reference == reference && (last == nil || i.Index > last.Index) {
			last = i
		}
	}
	if last == nil {
		return Item{}, fault.NotFound.New("the cable %q has not left the outbox", reference)
	}
	return *last, nil
}
