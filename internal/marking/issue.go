package marking

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"regexp"
	"slices"

	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/keylist"
	"chancery/internal/seal"
	"chancery/internal/sign"
	"chancery/mark"
)

// cable is what the desk knows of one: never a word. The order lies in a file of its own,
// as it came, sealed to the desk: it is large, and read when keys are asked for.
type cable struct {
	Cable     string              `json:"cable"`
	Author    string              `json:"author"` // the person
	Release   int64               `json:"release"`
	Digest    entries.Digest      `json:"digest"` // of the release's statement
	Body      entries.Release     `json:"body"`
	Draw      int                 `json:"draw"`
	Salts     []entries.Digest    `json:"salts"` // of the list leaves, by slot
	Statement []byte              `json:"statement"`
	Void      bool                `json:"void"`
	Issues    []int64             `json:"issues"` // indexes in the log at which the issue stands
	Recalled  bool                `json:"recalled"`
	Delivered map[string]receipts `json:"-"`    // receipts by copy; in files of their own
	Asks      map[int64]ask       `json:"asks"` // onward copies asked for, by index in the log
	Late      []*late             `json:"late"` // copies issued later, in the order of their slots
}

func (d *Desk) loadCable(name string, data []byte) error {
	var c cable
	if err := decode(data, &c); err != nil {
		return err
	}
	if name != cableName(c.Cable) || c.Body.Cable != c.Cable || !c.Void && len(c.Salts) != c.Body.N {
		return fault.Mismatch.New("a cable of the marking desk was altered")
	}
	c.Delivered = map[string]receipts{}
	d.cables[c.Cable] = &c
	return nil
}

// Release takes a release from the log, with the order that was sealed to the
// desk, draws the copies and returns the statement to log: an issue, or a void if
// what the order says is not what was released - the draw is spent then, so that
// nobody tries draws until one pleases. The same release gives the same statement
// for ever. Refused, and spending nothing, are: bytes that are not the order which
// the release names, which are the carrier's doing; a release that is not signed by
// one who holds the office; one for another desk.
func (d *Desk) Release(s Seen, order []byte) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	author, body, err := d.releasedBy(s)
	if err != nil {
		return nil, err
	}
	if known := d.cables[body.Cable]; known != nil {
		if known.Release != s.Index && known.Digest != sha256.Sum256(s.Entry.Statement) {
			return nil, fault.Exists.New("the cable %s was released at entry %d already", body.Cable, known.Release)
		}
		return known.Statement, nil
	}
	if err := d.mayRelease(s, author, &body); err != nil {
		return nil, err
	}
	if sha256.Sum256(order) != body.Envelope {
		return nil, fault.Input.New("that is not the order which the release names").WithHint("send the order once more")
	}
	w, err := d.next(s.Index)
	if err != nil {
		return nil, err
	}
	c := &cable{Cable: body.Cable, Author: author.ID, Release: s.Index, Digest: sha256.Sum256(s.Entry.Statement), Body: body, Draw: w.Number,
		Recalled: d.recalls[body.Cable], Delivered: map[string]receipts{}}
	if err := d.decide(c, order, w); err != nil {
		return nil, err
	}
	if !c.Void {
		if err := d.Keeper.Write(orderName(c.Cable), order); err != nil {
			return nil, err
		}
	}
	if err := d.save(cableName(c.Cable), c); err != nil {
		return nil, err
	}
	d.cables[c.Cable], w.spent = c, true
	return c.Statement, nil
}

// releasedBy verifies that a release stands in the log, and who signed it.
func (d *Desk) releasedBy(s Seen) (author directory.Person, body entries.Release, err error) {
	if _, err := d.verify(s); err != nil {
		return author, body, err
	}
	author, err = d.byPerson(s, entries.KindRelease, &body)
	return author, body, err
}

// MayRelease verifies a release as far as that takes nothing but the log: before anything
// is asked for that it names.
func (d *Desk) MayRelease(s Seen) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	author, body, err := d.releasedBy(s)
	if err != nil || d.cables[body.Cable] != nil {
		return err
	}
	return d.mayRelease(s, author, &body)
}

// mayRelease says whether a release is by one who holds the office now, and for
// this desk.
func (d *Desk) mayRelease(s Seen, author directory.Person, body *entries.Release) error {
	if err := body.Check(); err != nil {
		return err
	}
	switch {
	case body.Mode != entries.ModeBlind:
		return fault.Usage.New("a release in mode %s needs no marking desk", body.Mode)
	case body.Marking != d.Key.Public().ID().String():
		return fault.Usage.New("the release is for another marking desk")
	case body.Directory > s.Index:
		return fault.Input.New("a release at entry %d after a directory of %d", s.Index, body.Directory)
	}
	if err := d.sameDirectory(body.Directory, body.Register); err != nil {
		return err
	}
	if err := d.current(author); err != nil {
		return err
	}
	h, err := d.Directory.Held(author.ID, body.Tenure, d.Now())
	if err != nil {
		return err
	}
	if h.Office == body.Office {
		return nil
	}
	return fault.Permission.New("%q does not hold the office %q in the tenure %q", author.ID, body.Office, body.Tenure)
}

// Persons returns who is to hear of the issue of a cable, or of its void: its
// author, and the readers if it was issued.
func (d *Desk) Persons(id string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.cables[id]
	if c == nil {
		return nil, fault.NotFound.New("the desk knows no cable %.32s", id)
	}
	out := []string{c.Author}
	if c.Void {
		return out, nil
	}
	o, err := d.open(c)
	if err != nil {
		return nil, err
	}
	for _, one := range o.copies {
		out = append(out, one.Person)
	}
	return out, nil
}

// decide issues a cable, or voids the attempt if that is the author's doing.
func (d *Desk) decide(c *cable, order []byte, w *draw) error {
	err := d.issue(c, order, w)
	if err == nil || !errors.Is(err, fault.Input) && !errors.Is(err, fault.Mismatch) && !errors.Is(err, fault.Key) {
		return err
	}
	c.Void, c.Salts = true, nil
	void := entries.Void{Cable: c.Cable, Release: c.Release, Draw: w.Number, Reason: err.Error()}
	c.Statement, err = d.state(entries.KindVoid, void)
	return err
}

// issue draws the copies of a cable. Its errors of kind Input, Mismatch and Key
// are the author's, and make the attempt void.
func (d *Desk) issue(c *cable, sealed []byte, w *draw) error {
	o, err := d.read(c, sealed, w)
	if err != nil {
		return err
	}
	if err := d.addressees(o.copies); err != nil {
		return err
	}
	for range o.copies {
		var salt entries.Digest
		rand.Read(salt[:])
		c.Salts = append(c.Salts, salt)
	}
	o.commit(c)
	body := entries.Issue{Cable: c.Cable, Release: c.Release, Draw: w.Number, Drawn: w.Logged, N: c.Body.N, First: 1, Ask: -1, Lists: entries.Digest(o.tree.Root())}
	c.Statement, err = d.state(entries.KindIssue, body)
	return err
}

// opened is an order while the desk deals from it.
type opened struct {
	copies []entries.Copy
	sizes  []int // of the groups
	deck   *keylist.Deck
	draw   mark.Draw
	tree   mark.Tree // over the key lists, by slot
}

// read opens the order of a cable and checks it against the release.
func (d *Desk) read(c *cable, sealed []byte, w *draw) (*opened, error) {
	data, err := seal.Open(sealed, d.Identity)
	if err != nil {
		return nil, fault.Mismatch.Wrap(err, "the order")
	}
	order, err := entries.ParseOrder(data)
	if err != nil {
		return nil, err
	}
	env, err := keylist.ParseEnvelope(order.Envelope)
	if err != nil {
		return nil, err
	}
	root, err := entries.CopiesRoot(order.Copies)
	if err != nil {
		return nil, err
	}
	if root != c.Body.Copies || len(order.Copies) != c.Body.N || entries.Digest(env.Root) != c.Body.Root {
		return nil, fault.Mismatch.New("the order is not what was released: its copies or its draft are others")
	}
	if len(order.Copies)*len(env.Segments) > maxWork {
		return nil, fault.Input.New("%d copies of %d segments are too many for one cable", len(order.Copies), len(env.Segments))
	}
	copies := order.Copies
	for _, l := range c.Late {
		if !l.Again {
			copies = append(copies, l.Copy)
		}
	}
	return &opened{copies: copies, sizes: env.Sizes(), deck: env.Deck(), draw: w.randomness()}, nil
}

// list computes the key list of a slot. It is a function of the draw, the release
// and the order alone, so it is computed when it is needed and never kept.
func (o *opened) list(c *cable, slot int) keylist.List {
	key := mark.NewCopyKey(o.draw.Slot(slot+1), mark.Hash(c.Body.Nonce), c.Cable, mark.Hash(c.Body.Root), o.copies[slot].ID)
	return o.deck.Deal(key.Codeword(o.sizes))
}

// commit computes the tree over all key lists.
func (o *opened) commit(c *cable) {
	leaves := make([]mark.Hash, c.Body.N)
	for i := range leaves {
		leaves[i] = entries.ListLeaf(o.copies[i].ID, i+1, o.list(c, i).Root(), mark.Hash(c.Salts[i]))
	}
	o.tree = mark.NewTree(leaves)
}

// maxWork bounds copies times segments of a cable: seconds of work.
const maxWork = 1 << 24

// maxOpen is how many orders stay open: readers of one cable come together.
const maxOpen = 64

// open returns the order of an issued cable, read and committed to.
func (d *Desk) open(c *cable) (*opened, error) {
	if o := d.hot[c.Cable]; o != nil {
		return o, nil
	}
	order, err := d.Keeper.Read(orderName(c.Cable))
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(order) != c.Body.Envelope {
		return nil, fault.Mismatch.New("the order of a cable is not the one that was released").At(orderName(c.Cable), 0, 0).WithHint("restore it from a backup, or from the registry: its digest stands in the release")
	}
	o, err := d.read(c, order, d.draws[c.Draw])
	if err != nil {
		return nil, err
	}
	o.commit(c)
	if len(d.hot) >= maxOpen {
		clear(d.hot)
	}
	d.hot[c.Cable] = o
	return o, nil
}

// addressees checks that every copy is a person's who holds that seat, as the
// directory stands.
func (d *Desk) addressees(copies []entries.Copy) error {
	if len(copies) > Slots {
		return fault.Input.New("%d copies: a draw serves %d", len(copies), Slots)
	}
	for _, c := range copies {
		if !d.sits(c) {
			return fault.Mismatch.New("the copy %.8s is for somebody who does not hold that seat", c.ID)
		}
	}
	return nil
}

func (d *Desk) sits(c entries.Copy) bool {
	h, err := d.Directory.Held(c.Person, c.Tenure, d.Now())
	return err == nil && h.Office == c.Office && h.Seat == c.Seat
}

// Logged takes one of the desk's own issues or voids from the log: receipts name
// the index of the issue. A statement of the desk's that its files do not hold
// means that they are older than the log; then it must not go on, and the error is
// fault.Mismatch. At its start a desk is given all of them.
func (d *Desk) Logged(s Seen) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.verify(s); err != nil {
		return err
	}
	id, err := d.own(s.Entry.Statement)
	if err != nil {
		return err
	}
	c := d.cables[id]
	if c != nil {
		if done, err := d.lateLogged(c, s); done || err != nil {
			return err
		}
	}
	if c == nil || string(c.Statement) != string(s.Entry.Statement) {
		return fault.Mismatch.New("a statement of this marking desk that its files do not hold").
			WithHint("its files are older than the log: restore newer ones, or found a new desk")
	}
	if slices.Contains(c.Issues, s.Index) {
		return nil
	}
	before := c.Issues
	c.Issues = append(slices.Clone(before), s.Index)
	if err := d.save(cableName(c.Cable), c); err != nil {
		c.Issues = before
		return err
	}
	return nil
}

// own verifies an issue or a void of the desk's and returns its cable.
func (d *Desk) own(statement []byte) (string, error) {
	var issue entries.Issue
	err := sign.Open(statement, entries.KindIssue, &issue, d.Key.Public())
	if err == nil {
		return issue.Cable, nil
	}
	var void entries.Void
	if sign.Open(statement, entries.KindVoid, &void, d.Key.Public()) == nil {
		return void.Cable, nil
	}
	return "", err
}

// recall is the file of a recall, which may come before its release does.
type recall struct {
	Cable string `json:"cable"`
}

func recallName(id string) string { return "recall-" + id }

func (d *Desk) loadRecall(name string, data []byte) error {
	var r recall
	if err := decode(data, &r); err != nil {
		return err
	}
	if name != recallName(r.Cable) {
		return fault.Mismatch.New("a recall of the marking desk was altered")
	}
	d.recalls[r.Cable] = true
	return nil
}

// Recall takes an originator's recall from the log: keys not handed over yet stay
// here, provably. It says how many copies were opened before. A recall of a cable
// that the desk has not seen is kept for when it comes, and one that could not be
// written holds as long as the desk runs.
func (d *Desk) Recall(s Seen) (delivered int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.verify(s); err != nil {
		return 0, err
	}
	var body entries.Recall
	p, err := d.byPerson(s, entries.KindRecall, &body)
	if err != nil {
		return 0, err
	}
	if err := d.current(p); err != nil {
		return 0, err
	}
	if !cableID.MatchString(body.Cable) {
		return 0, fault.Input.New("%.40q is not the id of a cable", body.Cable)
	}
	// What was handed over before is known, after a restart too, before the recall is.
	if err := d.flush(); err != nil {
		return 0, err
	}
	c := d.cables[body.Cable]
	if c != nil && (c.Release != body.Release || !d.holdsOffice(p, c.Body.Office)) {
		return 0, fault.Permission.New("%q does not hold the office whose cable that is, or means another", p.ID)
	}
	if c != nil {
		c.Recalled = true
		delivered = len(c.Delivered)
	}
	d.recalls[body.Cable] = true
	return delivered, d.save(recallName(body.Cable), recall{body.Cable})
}

var cableID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func (d *Desk) holdsOffice(p directory.Person, office string) bool {
	return slices.ContainsFunc(d.Directory.Tenures(p.ID), func(h directory.Holding) bool { return h.Office == office && h.Runs(d.Now()) })
}
