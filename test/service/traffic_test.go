package service

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chancery/internal/appoint"
	"chancery/internal/client"
	"chancery/internal/custody"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/sign"
	"chancery/internal/store"
)

// A traffic is people at work, and programs that write as fast as they can. It
// notes what was acknowledged.
type traffic struct {
	h    *house
	work context.Context // ends when no more is to be begun
	ctx  context.Context // ends when all is to end
	wait sync.WaitGroup
	open openPart // for compose

	mu      sync.Mutex
	entries []custody.Commitment // guarded by mu, as all below
	parcels [][sha256.Size]byte
	offices []string
	tenures []string
	cables  []string // references, queued
	slowest time.Duration
	away    int // calls that found no server, or lost it
}

// nobody is a party that no desk reads.
const nobody = "own:nobody"

// sender, readersAtWork and appointee are who is at work.
const (
	sender    = "ada"
	appointee = "eve"
)

var readersAtWork = []string{"bo", "cy"}

// attended enrols the people, each with the server of their own.
func attended(ctx context.Context, h *house, addresses []string) {
	h.t.Helper()
	for i, p := range []struct{ id, office string }{{sender, "post.embassy"}, {"bo", "centre.desk"}, {"cy", "centre.private-office"}, {appointee, "centre.registry"}} {
		h.account.URL = "https://" + addresses[i%len(addresses)]
		h.enrol(ctx, p.id, p.office, "head")
	}
	for _, d := range h.desks {
		must(h.t, d.Sync(ctx, 0))
	}
}

// begin lets everybody work until enough is called.
func begin(ctx context.Context, h *house, database string) (tr *traffic, enough func()) {
	work, enough := context.WithCancel(ctx)
	tr = &traffic{h: h, work: work, ctx: ctx, open: openPart{database: database, party: directory.Draws}}
	until(h.t, "draws", time.Minute, func() bool { return tr.draws() > 2*spareDraws })
	ada := h.desks[sender]
	tr.forever(func() error { return tr.append(ada.Client) })
	tr.forever(func() error { return tr.append(h.desks["bo"].Client) })
	tr.forever(func() error { return tr.put(h.desks["cy"].Client) })
	tr.forever(tr.appoint)
	tr.forever(tr.compose)
	tr.wait.Go(func() { tr.again(ctx, func() error { return ada.Sync(ctx, time.Second) }) })
	for _, id := range readersAtWork {
		tr.wait.Go(func() { tr.again(ctx, func() error { return tr.read(h.desks[id]) }) })
	}
	return tr, enough
}

// forever does something until enough is called.
func (tr *traffic) forever(f func() error) {
	tr.wait.Go(func() { tr.again(tr.work, f) })
}

// again does something until ctx ends. Without a server it is tried again; any other
// failure is one of the test.
func (tr *traffic) again(ctx context.Context, f func() error) {
	for ctx.Err() == nil {
		err := f()
		switch {
		case err == nil:
		case errors.Is(err, fault.System) || errors.Is(err, fault.Interrupted):
			tr.note(func() { tr.away++ })
			time.Sleep(5 * time.Millisecond)
		default:
			tr.h.t.Errorf("%v", err)
			time.Sleep(100 * time.Millisecond)
		}
	}
}

func (tr *traffic) note(f func()) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	f()
}

// append logs a batch of entries for nobody.
func (tr *traffic) append(c *client.Client) error {
	var all []custody.Submission
	for range 3 {
		s := custody.Submission{Bodies: []custody.Body{{Party: nobody, Data: make([]byte, 900)}}}
		rand.Read(s.Commitment[:])
		all = append(all, s)
	}
	if _, err := c.Submit(tr.ctx, all...); err != nil {
		return err
	}
	tr.note(func() {
		for _, s := range all {
			tr.entries = append(tr.entries, s.Commitment)
		}
	})
	return nil
}

// put hands over a parcel for nobody.
func (tr *traffic) put(c *client.Client) error {
	data := make([]byte, 4000)
	rand.Read(data[:16])
	if err := c.PutParcel(tr.ctx, data, []string{nobody}); err != nil {
		return err
	}
	tr.note(func() { tr.parcels = append(tr.parcels, sha256.Sum256(data)) })
	return nil
}

// appoint makes an office and a seat and seats eve there: three acknowledged
// statements. Whether one that failed is logged is not known, so it is stated again.
func (tr *traffic) appoint() error {
	var b [6]byte
	rand.Read(b[:])
	office, a := fmt.Sprintf("centre.o%x", b), tr.h.authority
	err := tr.persist(func() error {
		_, err := a.Office(tr.ctx, office, "An office")
		return err
	})
	if err != nil {
		return err
	}
	tr.note(func() { tr.offices = append(tr.offices, office) })
	err = tr.persist(func() error {
		_, err := a.Seat(tr.ctx, office, "head", "Head")
		return err
	})
	if err != nil {
		return err
	}
	var tenure directory.Tenure
	err = tr.persist(func() (err error) {
		tenure, err = a.Appoint(tr.ctx, appointee, office, "head", time.Now().Add(-time.Second))
		return err
	})
	if err != nil {
		return err
	}
	err = tr.accept(tr.h.desks[appointee], tenure.ID)
	if err == nil && tr.ctx.Err() == nil {
		tr.note(func() { tr.tenures = append(tr.tenures, tenure.ID) })
	}
	pause(tr.work, 30*time.Millisecond)
	return err
}

// persist does one thing until it is done or all is to end.
func (tr *traffic) persist(f func() error) error {
	for {
		err := f()
		switch {
		case err == nil, errors.Is(err, fault.Exists), tr.ctx.Err() != nil:
			return nil
		case !errors.Is(err, fault.System) && !errors.Is(err, fault.Interrupted):
			return err
		}
		tr.note(func() { tr.away++ })
		time.Sleep(5 * time.Millisecond)
	}
}

// accept takes an appointment, whose offer was acknowledged, so that it comes.
func (tr *traffic) accept(d *desk.Desk, id string) error {
	came := func() bool { return slices.ContainsFunc(d.Offers(), func(o desk.Offer) bool { return o.ID == id }) }
	for end := time.Now().Add(time.Minute); !came(); {
		if time.Now().After(end) {
			return fault.Internal.New("the appointment %s, acknowledged, never came", id)
		}
		if err := tr.persist(func() error { return d.Sync(tr.ctx, time.Second) }); err != nil || tr.ctx.Err() != nil {
			return err
		}
	}
	return tr.persist(func() error {
		_, err := d.Accept(tr.ctx, id)
		return err
	})
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// cabled is a cable; each has a reference of its own.
const cabled = `Reference: %s
Date: 2030-05-11
From: post.embassy
To: centre
Precedence: PRIORITY
Subject: The harbour

The minister was {evasive|guarded|unforthcoming} about the harbour and {left early|did not stay}. We {think|believe} that the {plan|scheme} will {fail|come to nothing}.
`

// compose queues a cable. It is durable then, whatever becomes of the server. There is
// always a draw for it: without one the marking desk refuses a cable, as it must.
func (tr *traffic) compose() error {
	if tr.draws() < len(tr.cables)+spareDraws {
		pause(tr.work, 20*time.Millisecond)
		return nil
	}
	ref := fmt.Sprintf("POST %d/30", len(tr.cables)+1)
	ada := tr.h.desks[sender]
	_, err := ada.Queue(desk.Outgoing{Draft: fmt.Sprintf(cabled, ref), To: []string{"centre.desk", "centre.private-office"}, Precedence: "priority", Reference: ref, Attested: true})
	if err != nil {
		return err
	}
	tr.note(func() { tr.cables = append(tr.cables, ref) })
	pause(tr.work, 60*time.Millisecond)
	return nil
}

// spareDraws is how many draws are left when a cable is queued.
const spareDraws = 2

// draws counts, in the database, those that all custodians vouched for, without gaps but
// for those that custodians chose to open.
func (tr *traffic) draws() (n int) {
	words, opened := map[int]int{}, map[int]bool{}
	for _, statement := range tr.open.read(tr.h.t, tr.ctx) {
		var ok entries.ShareOK
		if sign.Peek(statement, entries.KindShareOK, &ok) == nil {
			words[ok.Draw]++
		}
		if sign.Peek(statement, entries.KindAudit, &ok) == nil {
			opened[ok.Draw] = true
		}
	}
	for draw := 1; opened[draw] || words[draw] >= len(custodians); draw++ {
		if !opened[draw] {
			n++
		}
	}
	return n
}

// An openPart is what of the log lies open, read from the database as it grows.
type openPart struct {
	database   string
	party      string
	from       custody.Place
	statements [][]byte
}

// read returns the statements so far; of a database that is away, those before.
func (o *openPart) read(t testing.TB, ctx context.Context) [][]byte {
	s, err := store.Open(ctx, o.database)
	if err != nil {
		return o.statements
	}
	defer s.Close()
	for {
		bodies, err := s.Log().Bodies(ctx, o.party, o.from, 100)
		if err != nil || len(bodies) == 0 {
			return o.statements
		}
		for _, b := range bodies {
			e, err := custody.ParseEntry(b.Data)
			if err != nil {
				t.Error(err)
			}
			o.statements, o.from = append(o.statements, e.Statement), b.Place.Next()
		}
	}
}

// read opens what came and says so.
func (tr *traffic) read(d *desk.Desk) error {
	if err := d.Sync(tr.ctx, time.Second); err != nil {
		return err
	}
	for _, i := range d.Items() {
		if i.Text != "" || i.Issue == nil || i.Copy == nil {
			continue
		}
		begun := time.Now()
		if _, err := d.Read(tr.ctx, i.Cable); err != nil {
			return err
		}
		tr.note(func() { tr.slowest = max(tr.slowest, time.Since(begun)) })
		if _, err := d.Ack(tr.ctx, i.Cable); err != nil {
			return err
		}
	}
	return nil
}

// check says whether all that was acknowledged so far is in the database, and
// whether the log is whole.
func (tr *traffic) check(database string) string {
	t := tr.h.t
	t.Helper()
	tr.mu.Lock()
	entries, parcels, offices, tenures := slices.Clone(tr.entries), slices.Clone(tr.parcels), slices.Clone(tr.offices), slices.Clone(tr.tenures)
	tr.mu.Unlock()
	s, err := store.Open(t.Context(), database)
	must(t, err)
	defer s.Close()
	policy, err := custody.ParsePolicy("policy", []byte(tr.h.account.Policy))
	must(t, err)
	whole, err := custody.Check(t.Context(), s.Log(), policy, nil)
	if err != nil {
		t.Fatalf("the log is not whole: %v", err)
	}
	at, err := s.Log().Find(t.Context(), entries)
	if err != nil || len(at) != len(entries) {
		t.Fatalf("%d of %d acknowledged entries are in the log, %v", len(at), len(entries), err)
	}
	kept := map[[sha256.Size]byte]bool{}
	for last := int64(0); ; {
		page, err := s.Parcels(t.Context(), nobody, last, 1000)
		must(t, err)
		if len(page) == 0 {
			break
		}
		for _, p := range page {
			kept[p.Digest], last = true, p.Seq
		}
	}
	for _, p := range parcels {
		if !kept[p] {
			t.Fatalf("an acknowledged parcel, of %d, is not there", len(parcels))
		}
	}
	dir := tr.directoryOf(database)
	have := map[string]bool{}
	for _, one := range dir.Tenures(appointee) {
		have[one.ID] = true
	}
	for _, id := range tenures {
		if !have[id] {
			t.Fatalf("the acknowledged tenure %s is not in the log", id)
		}
	}
	for _, office := range offices {
		if _, err := dir.Holders(office, time.Now()); err != nil {
			t.Fatalf("the acknowledged office %s: %v", office, err)
		}
	}
	return fmt.Sprintf("%d entries, %d parcels, %d offices, %d tenures acknowledged and there; %d in the log, which is whole", len(entries), len(parcels), len(offices), len(tenures), whole.Size)
}

// directoryOf is the directory as the database has it.
func (tr *traffic) directoryOf(database string) (d *directory.Directory) {
	all := openPart{database: database, party: directory.Everyone}
	for i, statement := range all.read(tr.h.t, tr.h.t.Context()) {
		d, _ = directory.Take(d, int64(i), statement)
	}
	return d
}

// settle waits until every cable that was queued has been read by every reader, and
// shows that each came once.
func (tr *traffic) settle(wait time.Duration) {
	t := tr.h.t
	t.Helper()
	ada := tr.h.desks[sender]
	missing := func() string {
		for _, ref := range tr.cables {
			for _, id := range readersAtWork {
				if i, err := tr.h.desks[id].Find(ref); err != nil {
					return fmt.Sprintf("%s at %s: %v", ref, id, err)
				} else if i.State() != desk.StateRead {
					return fmt.Sprintf("%s at %s: %s", ref, id, i.State())
				}
			}
		}
		for _, o := range ada.Outbox() {
			return fmt.Sprintf("%s waits in the outbox: %s", o.Reference, o.Why)
		}
		return ""
	}
	for end := time.Now().Add(wait); missing() != ""; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("a cable that was queued did not arrive: %s", missing())
		}
	}
	for _, id := range append([]string{sender}, readersAtWork...) {
		seen := map[string]int{}
		for _, i := range tr.h.desks[id].Items() {
			seen[i.Release.Reference]++
			if id != sender && !strings.Contains(i.Text, "about the harbour") {
				t.Errorf("%s read %q", id, i.Text)
			}
		}
		for _, ref := range tr.cables {
			if seen[ref] != 1 {
				t.Errorf("%s has %s %d times", id, ref, seen[ref])
			}
		}
	}
}

// end ends the traffic after everything arrived, and checks all of it once more.
func (tr *traffic) end(stop context.CancelFunc, database string, least int) {
	tr.h.t.Helper()
	tr.settle(time.Minute)
	stop()
	tr.wait.Wait()
	said := tr.check(database)
	tr.h.calm()
	if tr.acknowledged() < least || len(tr.entries) == 0 || len(tr.parcels) == 0 || len(tr.cables) < 2 || len(tr.tenures) < 1 {
		tr.h.t.Errorf("too little was acknowledged: %s", said)
	}
	tr.h.t.Logf("%s; %d cables, each read once by %d readers (the slowest waited %v); %d calls found no server", said, len(tr.cables), len(readersAtWork), tr.slowest.Round(time.Millisecond), tr.away)
	tr.another()
}

// another shows that a party that remembers what it saw last goes on from there.
func (tr *traffic) another() {
	t := tr.h.t
	t.Helper()
	again := &appoint.Authority{Keys: tr.h.authority.Keys, Now: time.Now}
	var err error
	again.Client, err = tr.h.account.DialFrom(tr.h.authority.Keys[0], filepath.Join(tr.h.dir, "ministry", "authority-1"), time.Now)
	must(t, err)
	_, err = again.Directory(t.Context())
	must(t, err)
}
