package marking

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"

	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/keylist"
	"chancery/internal/seal"
	"chancery/internal/sign"
	"chancery/mark"
)

// cable is what the desk knows of one: never a word. The order is kept as it
// came, sealed to the desk.
type cable struct {
	Cable     string           `json:"cable"`
	Release   int64            `json:"release"`
	Body      entries.Release  `json:"body"`
	Draw      int              `json:"draw"`
	Order     []byte           `json:"order"` // sealed; nil if void
	Salts     []entries.Digest `json:"salts"` // of the list leaves, by slot
	Statement []byte           `json:"statement"`
	Void      bool             `json:"void"`
	Issue     int64            `json:"issue"` // index in the log, or -1
	Recalled  bool             `json:"recalled"`
	Delivered map[string]int64 `json:"delivered"` // receipt by copy
}

func (d *Desk) loadCable(data []byte) error {
	var c cable
	if err := decode(data, &c); err != nil {
		return err
	}
	d.cables[c.Cable] = &c
	return nil
}

// Release takes a release from the log, with the order that was sealed to the
// desk, draws the copies and returns the statement to log: an issue, or a void if
// the order is not what was released - the draw is spent then. The same release
// gives the same statement again. A release that is not signed by one who held the
// office, or that is not for this desk, is refused and spends nothing.
func (d *Desk) Release(s Seen, order []byte) ([]byte, error) {
	body, err := d.released(s)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if known := d.cables[body.Cable]; known != nil {
		if known.Release != s.Index {
			return nil, fault.Exists.New("the cable %s was released at entry %d already", body.Cable, known.Release)
		}
		return known.Statement, nil
	}
	w, err := d.next()
	if err != nil {
		return nil, err
	}
	c := &cable{Cable: body.Cable, Release: s.Index, Body: *body, Draw: w.Number, Issue: -1, Delivered: map[string]int64{}}
	if err := d.issue(c, w, order); err != nil {
		if !errors.Is(err, fault.Input) && !errors.Is(err, fault.Mismatch) && !errors.Is(err, fault.Key) {
			return nil, err
		}
		c.Void, c.Order, c.Salts = true, nil, nil
		void := entries.Void{Cable: c.Cable, Release: c.Release, Draw: w.Number, Reason: err.Error()}
		if c.Statement, err = d.state(entries.KindVoid, void); err != nil {
			return nil, err
		}
	}
	if err := d.save(cableName(c.Cable), c); err != nil {
		return nil, err
	}
	d.cables[c.Cable], w.spent = c, true
	return c.Statement, nil
}

// released verifies a release: in the log, signed by the person who holds the
// tenure that it names.
func (d *Desk) released(s Seen) (*entries.Release, error) {
	var body entries.Release
	p, err := d.byPerson(s, entries.KindRelease, &body)
	if err != nil {
		return nil, err
	}
	if err := body.Check(); err != nil {
		return nil, err
	}
	if body.Mode != entries.ModeBlind {
		return nil, fault.Usage.New("a release in mode %s needs no marking desk", body.Mode)
	}
	if err := d.held(p.ID, body.Tenure); err != nil {
		return nil, err
	}
	for _, h := range d.Directory.Tenures(p.ID) {
		if h.ID == body.Tenure && h.Office == body.Office {
			return &body, nil
		}
	}
	return nil, fault.Permission.New("%q does not hold the office %q in the tenure %q", p.ID, body.Office, body.Tenure)
}

// issue draws the copies of a cable. Its errors of kind Input, Mismatch and Key
// are the author's, and make the attempt void.
func (d *Desk) issue(c *cable, w *draw, sealed []byte) error {
	if sha256.Sum256(sealed) != c.Body.Envelope {
		return fault.Mismatch.New("the order is not the one that the release names")
	}
	c.Order = sealed
	o, err := d.read(c, w)
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
	body := entries.Issue{Cable: c.Cable, Release: c.Release, Draw: w.Number, N: len(o.leaves), Lists: entries.Digest(mark.Root(o.leaves))}
	c.Statement, err = d.state(entries.KindIssue, body)
	return err
}

// opened is an order while the desk deals from it.
type opened struct {
	copies []entries.Copy
	sizes  []int // of the groups
	deck   *keylist.Deck
	draw   mark.Draw
	leaves []mark.Hash // of the key lists, by slot
}

// read opens the order of a cable and checks it against the release.
func (d *Desk) read(c *cable, w *draw) (*opened, error) {
	data, err := seal.Open(c.Order, d.Identity)
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
	return &opened{copies: order.Copies, sizes: env.Sizes(), deck: env.Deck(), draw: w.randomness()}, nil
}

// list computes the key list of a slot. It is a function of the draw, the release
// and the order alone, so it is computed when it is needed and never kept.
func (o *opened) list(c *cable, slot int) keylist.List {
	key := mark.NewCopyKey(o.draw.Slot(slot+1), mark.Hash(c.Body.Nonce), c.Cable, mark.Hash(c.Body.Root), o.copies[slot].ID)
	return o.deck.Deal(key.Codeword(o.sizes))
}

// commit computes the leaves of all key lists.
func (o *opened) commit(c *cable) {
	o.leaves = make([]mark.Hash, len(o.copies))
	for i := range o.copies {
		o.leaves[i] = entries.ListLeaf(o.copies[i].ID, i+1, o.list(c, i).Root(), mark.Hash(c.Salts[i]))
	}
}

// maxOpen is how many orders stay open: readers of one cable come together.
const maxOpen = 16

// open returns the order of an issued cable, read and committed to.
func (d *Desk) open(c *cable) (*opened, error) {
	if o := d.hot[c.Cable]; o != nil {
		return o, nil
	}
	o, err := d.read(c, d.draws[c.Draw])
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
	for _, h := range d.Directory.Tenures(c.Person) {
		if h.ID == c.Tenure && h.Office == c.Office && h.Seat == c.Seat {
			return true
		}
	}
	return false
}

// Logged takes the desk's own issue from the log: receipts name its index.
func (d *Desk) Logged(s Seen) error {
	if err := d.verify(s); err != nil {
		return err
	}
	var body entries.Issue
	if err := sign.Open(s.Entry.Statement, entries.KindIssue, &body, d.Key.Public()); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.cables[body.Cable]
	if c == nil || c.Void || string(c.Statement) != string(s.Entry.Statement) {
		return fault.Mismatch.New("an issue that this desk did not make")
	}
	if c.Issue >= 0 {
		return nil
	}
	c.Issue = s.Index
	if err := d.save(cableName(c.Cable), c); err != nil {
		c.Issue = -1
		return err
	}
	return nil
}

// Recall takes an originator's recall from the log: keys not handed over yet stay
// here, provably. It says how many copies were opened before.
func (d *Desk) Recall(s Seen) (delivered int, err error) {
	var body entries.Recall
	p, err := d.byPerson(s, entries.KindRecall, &body)
	if err != nil {
		return 0, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.cables[body.Cable]
	if c == nil || c.Release != body.Release {
		return 0, fault.NotFound.New("the desk knows no such cable")
	}
	if !d.holdsOffice(p, c.Body.Office) {
		return 0, fault.Permission.New("%q does not hold the office %q, whose cable it is", p.ID, c.Body.Office)
	}
	before := c.Recalled
	c.Recalled = true
	if err := d.save(cableName(c.Cable), c); err != nil {
		c.Recalled = before
		return 0, err
	}
	return len(c.Delivered), nil
}

func (d *Desk) holdsOffice(p directory.Person, office string) bool {
	for _, h := range d.Directory.Tenures(p.ID) {
		if h.Office == office && d.held(p.ID, h.ID) == nil {
			return true
		}
	}
	return false
}
