// Package attend runs the parties that nobody sits at: a marking desk and a
// custodian. Each follows the log through a client that verifies it, does what the
// protocol asks of it, and remembers how far it came. It decides nothing that
// packages marking and share do not.
package attend

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
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
	"chancery/internal/sign"
)

// A Marking attends a marking desk.
type Marking struct {
	Name     string
	Key      *sign.Key
	Identity *seal.Identity
	Keeper   marking.Keeper
	Client   *client.Client
	Now      func() time.Time
	Logger   *slog.Logger
	// Stock is how many draws are kept ready.
	Stock int

	desk    *marking.Desk
	dir     *directory.Directory
	at      place              // how far letters were attended to
	behind  []letter           // to be tried again
	unsent  []marking.Prepared // draws that may not have left
	learned custody.Place      // how far open entries and the desk's own were read
	read    int64              // size of the log up to which all open entries were read
	notes   int64              // how often the desk said how far it is
	noted   int64              // size of the log that it said it read
	changed bool               // the directory, since then
	ready   int                // draws of which the desk said that they are ready
	making  *work              // nil while no draw is made
	voids   map[int][]byte     // of draws that custodians open, to be logged
	usable  atomic.Int64       // draws that could serve a cable
}

// Usable returns how many draws could serve a cable, of which authors know by now that
// there are any.
func (m *Marking) Usable() int { return int(m.usable.Load()) }

// place is the file that says how far a party came.
type place struct {
	Index  int64 `json:"index"`
	Part   int64 `json:"part"`
	Parcel int64 `json:"parcel"`
}

func (p place) place() custody.Place { return custody.Place{Index: p.Index, Part: p.Part} }

// Run attends until ctx ends. A registry that is away is waited for; a log that
// contradicts itself ends it.
func (m *Marking) Run(ctx context.Context) error {
	return attend(ctx, m.Logger, func() error {
		if err := m.start(ctx); err != nil {
			return err
		}
		return m.round(ctx, wait)
	})
}

// own is the party under which the desk sends its statements to itself, to be read
// again at each start: files older than the log are noticed.
func (m *Marking) own() string { return directory.OwnParty(m.Name) }

// self is the desk as the address of what it sends to itself.
func (m *Marking) self() post.Address {
	return post.Address{Party: m.own(), Recipient: m.Identity.Recipient().String()}
}

func (m *Marking) party() string { return directory.MarkingParty(m.Name) }

// start opens the desk with the directory as the log has it now.
func (m *Marking) start(ctx context.Context) error {
	if m.desk != nil {
		return nil
	}
	m.Key = m.Key.In(m.Client.Origin())
	m.dir, m.learned, m.voids = nil, custody.Place{}, map[int][]byte{}
	if err := load(m.Keeper, "place", &m.at); err != nil {
		return err
	}
	var later []marking.Seen
	for more := true; more; {
		came, err := courier.Fetch(ctx, m.Client, client.Wish{Parties: []string{directory.Everyone, directory.Draws, m.own()}, From: m.learned, Parcel: client.NoParcels}, m.Identity)
		if err != nil {
			return err
		}
		if more = came.More; !more {
			m.read = came.Tree.Size
		}
		for _, l := range came.Letters {
			m.learned = l.Place.Next()
			if l.Err != nil {
				m.Logger.Warn("passed over", "entry", l.Index, "why", fault.Escape(l.Err.Error()))
				continue
			}
			var taken bool
			if m.dir, taken = directory.Take(m.dir, l.Index, l.Entry.Statement); !taken {
				later = append(later, seen(l, came.Tree))
			}
			m.changed = m.changed || taken
		}
	}
	if m.dir == nil {
		return fault.System.New("the log holds no institution yet")
	}
	desk, err := marking.Open(marking.Config{Key: m.Key, Identity: m.Identity, Keeper: m.Keeper, View: m.Client.View, Directory: m.dir, Now: m.Now})
	if err != nil {
		return err
	}
	for _, s := range later {
		// Proofs of earlier answers: all were accepted, but the view remembers few.
		s.Tree, err = m.again(ctx, &s)
		if err != nil {
			return err
		}
		if err := m.openEntry(desk, s); err != nil {
			return err
		}
	}
	m.desk, m.unsent = desk, desk.Pending()
	return nil
}

// again proves an entry anew if its proof is older than the view remembers.
func (m *Marking) again(ctx context.Context, s *marking.Seen) (custody.Checkpoint, error) {
	if m.Client.View.Accepted(s.Tree) {
		return s.Tree, nil
	}
	p, err := m.Client.Prove(ctx, s.Index, s.Entry)
	if err != nil {
		return s.Tree, err
	}
	s.Proof = p.Path
	return m.Client.View.Parse(p.Checkpoint)
}

// seen is a letter as the desk takes it.
func seen(l courier.Letter, tree custody.Checkpoint) marking.Seen {
	return marking.Seen{Index: l.Index, Entry: l.Entry, Proof: l.Proof, Tree: tree}
}

// round waits for news and attends to it.
func (m *Marking) round(ctx context.Context, wait time.Duration) error {
	if err := m.stock(ctx); err != nil {
		return err
	}
	if err := m.note(ctx); err != nil {
		return err
	}
	for draw, void := range m.voids {
		if _, err := m.Client.Submit(ctx, post.Publish(void)); err != nil {
			return err
		}
		delete(m.voids, draw)
	}
	if len(m.behind) > 0 {
		wait = pause
	}
	came, err := m.fetch(ctx, client.Wish{Parties: []string{directory.Everyone, directory.Draws, m.own(), m.party()}, From: m.at.place(), Parcel: client.NoParcels, Wait: wait})
	if err != nil || came == nil {
		return err
	}
	if !came.More {
		m.read = came.Tree.Size
	}
	before := m.behind
	m.behind = nil
	for n, l := range before {
		if err := m.attend(ctx, l); err != nil {
			m.behind = append(m.behind, before[n:]...)
			return err
		}
	}
	for rest := came.Letters; len(rest) > 0; {
		n, err := m.some(ctx, rest, came.Tree)
		if err != nil {
			return err
		}
		last := rest[n-1]
		m.at.Index, m.at.Part = last.Index, last.Part+1
		rest = rest[n:]
	}
	if len(came.Letters)+len(before) == 0 {
		return nil
	}
	if err := m.desk.Flush(); err != nil {
		return err
	}
	return save(m.Keeper, "place", m.reached())
}

// reached is the place from which a restart goes on: that of the oldest letter that is
// to be tried again, or of what comes next.
func (m *Marking) reached() place {
	at := m.at
	for _, l := range m.behind {
		if l.Index < at.Index {
			at.Index, at.Part = l.Index, 0
		}
	}
	return at
}

// together is how many receipts are attended to at a time.
const together = 8

// some attends to the next entries of the feed and says to how many: to one, or to
// receipts that stand in a row, together. Readers of one cable come together.
func (m *Marking) some(ctx context.Context, rest []courier.Letter, tree custody.Checkpoint) (int, error) {
	n := 0
	for n < len(rest) && m.isReceipt(rest[n]) {
		n++
	}
	if n < 2 {
		return 1, m.entry(ctx, rest[0], tree)
	}
	results := make([]error, n)
	letters := make([]letter, n)
	var wait sync.WaitGroup
	places := make(chan struct{}, together)
	for i, l := range rest[:n] {
		letters[i] = letter{seen(l, tree), m.Now()}
		wait.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			if letters[i].Tree, results[i] = m.again(ctx, &letters[i].Seen); results[i] == nil {
				results[i] = m.receipt(ctx, letters[i])
			}
		})
	}
	wait.Wait()
	for i, err := range results {
		if err := m.outcome(ctx, letters[i], entries.KindReceipt, err); err != nil {
			return n, err
		}
	}
	return n, nil
}

// isReceipt says whether an entry is a receipt to this desk.
func (m *Marking) isReceipt(l courier.Letter) bool {
	if l.Err != nil || l.Party != m.party() {
		return false
	}
	kind, _, err := sign.Claims(l.Entry.Statement)
	return err == nil && kind == entries.KindReceipt
}

// entry attends to one entry of the feed.
func (m *Marking) entry(ctx context.Context, l courier.Letter, tree custody.Checkpoint) error {
	if l.Err != nil {
		m.Logger.Warn("passed over", "entry", l.Index, "why", fault.Escape(l.Err.Error()))
		return nil
	}
	if l.Party == m.party() {
		return m.attend(ctx, letter{seen(l, tree), m.Now()})
	}
	if l.Place.Compare(m.learned) < 0 {
		return nil
	}
	m.learned = l.Place.Next()
	return m.openEntry(m.desk, seen(l, tree))
}

// openEntry gives the desk what lies open, and its own statements.
func (m *Marking) openEntry(desk *marking.Desk, s marking.Seen) error {
	kind, signers, err := sign.Claims(s.Entry.Statement)
	if err != nil {
		return nil // somebody's noise
	}
	mine := signers[0] == m.Key.Public().ID()
	switch {
	case directory.Concerns(kind):
		if err = desk.Learn(s); err == nil {
			m.changed = true
		}
	case kind == entries.KindDraw && mine:
		err = desk.DrawLogged(s)
	case kind == entries.KindShareOK:
		err = desk.ShareOK(s)
	case kind == entries.KindAudit:
		var draw int
		var void []byte
		if draw, void, err = desk.Audit(s); err == nil {
			m.voids[draw] = void
		}
	case kind == entries.KindVoid && mine && m.voided(s):
	case kind == entries.KindNoted && mine:
		var n entries.Noted
		if sign.Open(s.Entry.Statement, kind, &n, m.Key.Public()) == nil {
			if n.Number > m.notes {
				m.notes, m.noted, m.ready = n.Number, n.Size, n.Ready
			}
		}
	case (kind == entries.KindIssue || kind == entries.KindVoid) && mine:
		if err := desk.Logged(s); err != nil {
			return err
		}
	}
	if err != nil {
		m.Logger.Warn("refused", "kind", kind, "entry", s.Index, "why", fault.Escape(err.Error()))
	}
	if errors.Is(err, fault.System) {
		return err
	}
	return nil
}

// voided takes the void of a draw, which is about no cable, from the log.
func (m *Marking) voided(s marking.Seen) bool {
	var v entries.Void
	if sign.Open(s.Entry.Statement, entries.KindVoid, &v, m.Key.Public()) != nil || v.Release >= 0 {
		return false
	}
	delete(m.voids, v.Draw)
	return true
}

// stock keeps draws ready. They are made beside the desk's other work, one at a time:
// nobody who waits for a cable or for keys waits for one.
func (m *Marking) stock(ctx context.Context) error {
	if m.making != nil {
		select {
		case <-m.making.done:
			m.unsent = append(m.unsent, m.making.draws...)
			err := m.making.err
			m.making = nil
			if err != nil {
				return err
			}
		default:
		}
	}
	if m.making == nil && m.desk.Usable()+len(m.desk.Pending()) < m.Stock {
		w := &work{done: make(chan struct{})}
		m.making = w
		go func() {
			defer close(w.done)
			w.draws, w.err = m.desk.Prepare(1)
		}()
	}
	return m.publish(ctx)
}

// work is a draw being made. What came of it may be read when done is closed.
type work struct {
	done  chan struct{}
	draws []marking.Prepared
	err   error
}

// fetch waits for news, or for a draw that is being made; nil means that it is made and
// nothing came.
func (m *Marking) fetch(ctx context.Context, w client.Wish) (*courier.Delivery, error) {
	if m.making == nil {
		return courier.Fetch(ctx, m.Client, w, m.Identity)
	}
	until, cancel := context.WithCancel(ctx)
	defer cancel()
	done := m.making.done
	go func() {
		select {
		case <-done:
			cancel()
		case <-until.Done():
		}
	}()
	came, err := courier.Fetch(until, m.Client, w, m.Identity)
	if err != nil && until.Err() != nil && ctx.Err() == nil {
		return nil, nil
	}
	return came, err
}

// publish logs draws and sends the custodians their shares. What fails is tried again:
// draws are used in order, so one that never came to the log would stop all behind it.
func (m *Marking) publish(ctx context.Context) error {
	for ; len(m.unsent) > 0; m.unsent = m.unsent[1:] {
		p := m.unsent[0]
		if _, err := m.Client.Submit(ctx, post.Publish(p.Statement)); err != nil {
			return err
		}
		for custodian, packet := range p.Packets {
			if err := m.Client.PutParcel(ctx, packet, []string{directory.CustodianParty(custodian)}); err != nil {
				return err
			}
		}
		m.Logger.Info("prepared", "draw", p.Number)
	}
	return nil
}

// note says in the log how far the desk has read the directory, and how many draws are
// ready, if that is not what it said last.
func (m *Marking) note(ctx context.Context) error {
	size := m.noted
	if m.changed && m.dir.Head(m.read) != m.dir.Head(m.noted) {
		size = m.read
	}
	if err := m.tell(ctx, size); err != nil {
		return err
	}
	m.changed = false
	m.usable.Store(int64(m.desk.Usable()))
	return nil
}

// tell says it, as of a size of the log up to which the directory was read whole. An
// author who sees an issue is to know whether the next cable finds a draw: it is said
// before.
func (m *Marking) tell(ctx context.Context, size int64) error {
	ready := m.desk.Ready()
	if size == m.noted && (ready == m.ready || ready < 2*m.ready && m.ready < 2*ready) {
		return nil
	}
	m.notes++ // also if the answer is lost: no two words have one number
	s, err := sign.Sign(entries.KindNoted, entries.Noted{Number: m.notes, Size: size, Register: m.dir.Head(size), Ready: ready}, m.Key)
	if err != nil {
		return err
	}
	if _, err := m.Client.Submit(ctx, post.Publish(s)); err != nil {
		return err
	}
	m.noted, m.ready = size, ready
	return nil
}
