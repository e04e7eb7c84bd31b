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
	noted   int64              // size of the log that the desk said it read
	changed bool               // the directory, since then
	making  *work              // nil while no draw is made
	usable  atomic.Int64       // draws that could serve a cable
}

// Usable returns how many draws could serve a cable now.
func (m *Marking) Usable() int { return int(m.usable.Load()) }

// place is the file that says how far a party came.
type place struct {
	Index  int64 `json:"index"`
	Part   int64 `json:"part"`
	Parcel int64 `json:"parcel"`
}

func (p place) place() custody.Place { return custody.Place{Index: p.Index, Part: p.Part} }

// wait is how long a party waits for news at a time, and pause how long it rests
// after a failure.
const (
	wait  = 20 * time.Second
	pause = time.Second
)

// Run attends until ctx ends. A registry that is away is waited for; a log that
// contradicts itself ends it.
func (m *Marking) Run(ctx context.Context) error {
	for {
		err := m.start(ctx)
		for err == nil {
			err = m.round(ctx, wait)
		}
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, fault.Mismatch) {
			return err
		}
		m.Logger.Warn("waits", "why", fault.Escape(err.Error()))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// passing says whether a failure may be over in a while.
func passing(err error) bool {
	return errors.Is(err, fault.System) || errors.Is(err, fault.Interrupted)
}

// own is the party under which the desk sends its statements to itself, to be read
// again at each start: files older than the log are noticed.
func (m *Marking) own() string { return directory.OwnParty(m.Name) }

func (m *Marking) party() string { return directory.MarkingParty(m.Name) }

// start opens the desk with the directory as the log has it now.
func (m *Marking) start(ctx context.Context) error {
	if m.desk != nil {
		return nil
	}
	m.dir, m.learned = nil, custody.Place{}
	if err := load(m.Keeper, "place", &m.at); err != nil {
		return err
	}
	var later []marking.Seen
	for more := true; more; {
		opened := map[custody.Place]custody.Entry{}
		feed, err := m.Client.Feed(ctx, client.Wish{Parties: []string{directory.Everyone, directory.Draws, m.own()}, From: m.learned, Parcel: 1 << 62}, m.opener(opened))
		if err != nil {
			return err
		}
		if more = feed.More; !more {
			m.read = feed.Tree.Size
		}
		for _, e := range feed.Entries {
			m.learned = e.Place.Next()
			if e.Err != nil {
				m.Logger.Warn("passed over", "entry", e.Index, "why", fault.Escape(e.Err.Error()))
				continue
			}
			entry := opened[e.Place]
			var taken bool
			if m.dir, taken = directory.Take(m.dir, e.Index, entry.Statement); !taken {
				later = append(later, marking.Seen{Index: e.Index, Entry: entry, Proof: e.Proof, Tree: feed.Tree})
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

// opener opens what a feed holds and keeps the entries.
func (m *Marking) opener(into map[custody.Place]custody.Entry) func(client.Received) (custody.Commitment, error) {
	return func(r client.Received) (custody.Commitment, error) {
		_, e, err := post.Open(r.Party, r.Data, m.Identity)
		into[r.Place] = e
		return e.Commitment(), err
	}
}

// round waits for news and attends to it.
func (m *Marking) round(ctx context.Context, wait time.Duration) error {
	if err := m.stock(ctx); err != nil {
		return err
	}
	if err := m.note(ctx); err != nil {
		return err
	}
	if len(m.behind) > 0 {
		wait = pause
	}
	opened := map[custody.Place]custody.Entry{}
	from := m.at.place()
	feed, err := m.feed(ctx, client.Wish{Parties: []string{directory.Everyone, directory.Draws, m.own(), m.party()}, From: from, Parcel: 1 << 62, Wait: wait}, m.opener(opened))
	if err != nil || feed == nil {
		return err
	}
	if !feed.More {
		m.read = feed.Tree.Size
	}
	before := m.behind
	m.behind = nil
	for n, l := range before {
		if err := m.attend(ctx, l); err != nil {
			m.behind = append(m.behind, before[n:]...)
			return err
		}
	}
	for rest := feed.Entries; len(rest) > 0; {
		n, err := m.some(ctx, rest, feed.Tree, opened)
		if err != nil {
			return err
		}
		last := rest[n-1]
		m.at.Index, m.at.Part = last.Index, last.Part+1
		rest = rest[n:]
	}
	m.usable.Store(int64(m.desk.Usable()))
	if len(feed.Entries) == 0 || len(m.behind) > 0 {
		return nil
	}
	if err := m.desk.Flush(); err != nil {
		return err
	}
	return save(m.Keeper, "place", m.at)
}

// together is how many receipts are attended to at a time.
const together = 8

// some attends to the next entries of the feed and says to how many: to one, or to
// receipts that stand in a row, together. Readers of one cable come together.
func (m *Marking) some(ctx context.Context, rest []client.Received, tree custody.Checkpoint, opened map[custody.Place]custody.Entry) (int, error) {
	n := 0
	for n < len(rest) && m.isReceipt(rest[n], opened[rest[n].Place]) {
		n++
	}
	if n < 2 {
		return 1, m.entry(ctx, rest[0], tree, opened[rest[0].Place])
	}
	results := make([]error, n)
	letters := make([]letter, n)
	var wait sync.WaitGroup
	places := make(chan struct{}, together)
	for i, e := range rest[:n] {
		letters[i] = letter{marking.Seen{Index: e.Index, Entry: opened[e.Place], Proof: e.Proof, Tree: tree}}
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
func (m *Marking) isReceipt(e client.Received, entry custody.Entry) bool {
	if e.Err != nil || e.Party != m.party() {
		return false
	}
	kind, _, err := sign.Claims(entry.Statement)
	return err == nil && kind == entries.KindReceipt
}

// entry attends to one entry of the feed.
func (m *Marking) entry(ctx context.Context, e client.Received, tree custody.Checkpoint, entry custody.Entry) error {
	if e.Err != nil {
		m.Logger.Warn("passed over", "entry", e.Index, "why", fault.Escape(e.Err.Error()))
		return nil
	}
	if e.Party == m.party() {
		return m.attend(ctx, letter{marking.Seen{Index: e.Index, Entry: entry, Proof: e.Proof, Tree: tree}})
	}
	if e.Place.Compare(m.learned) < 0 {
		return nil
	}
	m.learned = e.Place.Next()
	return m.openEntry(m.desk, marking.Seen{Index: e.Index, Entry: entry, Proof: e.Proof, Tree: tree})
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
	case kind == entries.KindNoted && mine:
		var n entries.Noted
		if sign.Open(s.Entry.Statement, kind, &n, m.Key.Public()) == nil {
			m.noted = max(m.noted, n.Size)
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

// feed waits for news, or for a draw that is being made; nil means that it is made and
// nothing came.
func (m *Marking) feed(ctx context.Context, w client.Wish, open func(client.Received) (custody.Commitment, error)) (*client.Feed, error) {
	if m.making == nil {
		return m.Client.Feed(ctx, w, open)
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
	feed, err := m.Client.Feed(until, w, open)
	if err != nil && until.Err() != nil && ctx.Err() == nil {
		return nil, nil
	}
	return feed, err
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

// note says in the log how far the desk has read the directory.
func (m *Marking) note(ctx context.Context) error {
	if !m.changed || m.dir.Head(m.read) == m.dir.Head(m.noted) {
		m.changed = false
		return nil
	}
	s, err := sign.Sign(entries.KindNoted, entries.Noted{Size: m.read, Register: m.dir.Head(m.read)}, m.Key)
	if err != nil {
		return err
	}
	if _, err := m.Client.Submit(ctx, post.Publish(s)); err != nil {
		return err
	}
	m.noted, m.changed = m.read, false
	return nil
}
