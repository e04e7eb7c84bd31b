package marking_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chancery/cable"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/keylist"
	"chancery/internal/marking"
	"chancery/internal/seal"
	"chancery/internal/seal/kit"
	"chancery/internal/seal/share"
	"chancery/internal/sign"
	"chancery/internal/store/storetest"
)

// A town is an institution with a log, a marking desk, three custodians and four
// people: everything real but the network.
type town struct {
	t      testing.TB
	store  *storetest.Memory
	log    *custody.Log
	policy *custody.Policy
	view   *custody.View
	dir    *directory.Directory
	keys   map[string]*sign.Key
	ids    map[string]*seal.Identity
	files  *files
	desk   *marking.Desk
	now    time.Time
}

// files is a keeper in memory that fails on demand.
type files struct {
	mu   sync.Mutex
	held map[string][]byte
	fail bool
}

func (f *files) Write(name string, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail {
		return fault.System.New("the disk is full")
	}
	f.held[name] = bytes.Clone(data)
	return nil
}

func (f *files) Read(name string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if data, ok := f.held[name]; ok {
		return bytes.Clone(data), nil
	}
	return nil, fault.NotFound.New("no file %s", name)
}

func (f *files) Names(prefix string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, name := range slices.Sorted(maps.Keys(f.held)) {
		if strings.HasPrefix(name, prefix) {
			out = append(out, name)
		}
	}
	return out, nil
}

func (w *town) key(name string) *sign.Key {
	if w.keys[name] == nil {
		w.keys[name] = sign.Generate()
	}
	return w.keys[name]
}

func (w *town) id(name string) *seal.Identity {
	if w.ids[name] == nil {
		id, err := seal.GenerateIdentity()
		if err != nil {
			w.t.Fatal(err)
		}
		w.ids[name] = id
	}
	return w.ids[name]
}

func (w *town) party(name string) directory.Party {
	return directory.Party{Name: name, Sign: w.key(name).Public(), Recipient: w.id(name).Recipient().String()}
}

var custodians = []string{"auditor", "clerk", "judge"}

var start = time.Date(2030, 5, 1, 9, 0, 0, 0, time.UTC)

func newTown(t testing.TB) *town {
	t.Helper()
	w := &town{t: t, store: &storetest.Memory{}, keys: map[string]*sign.Key{}, ids: map[string]*seal.Identity{},
		files: &files{held: map[string][]byte{}}, now: start.AddDate(0, 0, 10)}
	logKey, err := sign.GenerateNoteKey("registry.example/log")
	w.must(err)
	w.must(custody.Create(t.Context(), w.store, logKey))
	w.log, err = custody.Open(t.Context(), w.store, logKey)
	w.must(err)
	t.Cleanup(w.log.Close)
	w.policy, err = custody.ParsePolicy("policy", []byte("log "+strings.Join(logKey.LogVKeys(), "\nlog ")+"\nquorum none\n"))
	w.must(err)
	w.view, err = custody.NewView(w.policy, nil)
	w.must(err)
	w.found()
	w.reopen()
	return w
}

func (w *town) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// found writes the directory: an embassy with one seat, a desk at the centre with
// three, four people in them.
func (w *town) found() {
	in := directory.Institution{Name: "Ministry", Operator: w.key("operator").Public(), Threshold: 2,
		Authorities: []*sign.Public{w.key("authority").Public(), w.key("deputy").Public()}, Marking: []directory.Party{w.party("marking")}}
	for _, c := range custodians {
		in.Custodians = append(in.Custodians, w.party(c))
	}
	s := w.log1(directory.KindInstitution, in, "authority", "deputy")
	var err error
	w.dir, err = directory.New(s.Index, s.Entry.Statement)
	w.must(err)
	w.appoint(directory.KindOffice, directory.Office{Office: "post.embassy", Title: "Embassy"}, "authority")
	w.appoint(directory.KindOffice, directory.Office{Office: "centre.desk", Title: "Desk"}, "authority")
	for _, s := range [][2]string{{"post.embassy", "head"}, {"centre.desk", "head"}, {"centre.desk", "deputy"}, {"centre.desk", "third"}} {
		w.appoint(directory.KindSeat, directory.Seat{Office: s[0], Seat: s[1], Title: "Seat"}, "authority")
	}
	for _, p := range []struct{ name, office, seat string }{{"ada", "post.embassy", "head"}, {"bo", "centre.desk", "head"}, {"cy", "centre.desk", "deputy"}, {"di", "centre.desk", "third"}} {
		person := directory.Person{ID: p.name, Name: "Person " + p.name, Sign: w.key(p.name).Public(), Recipient: w.id(p.name).Recipient().String()}
		w.appoint(directory.KindPerson, person, "authority", p.name)
		w.appoint(directory.KindDevice, w.device(p.name), p.name, "device of "+p.name)
		w.appoint(directory.KindTenure, directory.Tenure{ID: "t-" + p.name, Office: p.office, Seat: p.seat, Person: p.name, From: directory.At(start)}, "authority", p.name)
	}
}

func (w *town) device(person string) directory.Device {
	return directory.Device{Person: person, Sign: w.key("device of " + person).Public(), Name: "desk"}
}

// log1 signs a statement and logs it; the desk's view follows.
func (w *town) log1(kind string, body any, by ...string) marking.Seen {
	w.t.Helper()
	var keys []*sign.Key
	for _, name := range by {
		keys = append(keys, w.key(name))
	}
	statement, err := sign.Sign(kind, body, keys...)
	w.must(err)
	return w.logged(statement)
}

func (w *town) logged(statement []byte) marking.Seen {
	w.t.Helper()
	e := custody.NewEntry(statement)
	at, err := w.log.Append(w.t.Context(), custody.Submission{Commitment: e.Commitment()})
	w.must(err)
	w.follow()
	return w.seen(at[0], e)
}

// follow lets the desk's view see the newest checkpoint.
func (w *town) follow() {
	w.t.Helper()
	head, err := w.store.Head(w.t.Context())
	w.must(err)
	last, note := w.view.Last()
	from := last.Size
	if note == nil {
		from = 0
	}
	proof, err := custody.ProveConsistency(w.t.Context(), w.store, from, head.Size)
	w.must(err)
	_, err = w.view.Advance(head.Checkpoint, proof)
	w.must(err)
}

func (w *town) seen(index int64, e custody.Entry) marking.Seen {
	w.t.Helper()
	last, _ := w.view.Last()
	proof, err := custody.ProveInclusion(w.t.Context(), w.store, last.Size, index)
	w.must(err)
	return marking.Seen{Index: index, Entry: e, Proof: proof}
}

// again is an entry with a proof for the newest checkpoint.
func (w *town) again(s marking.Seen) marking.Seen { return w.seen(s.Index, s.Entry) }

func (w *town) appoint(kind string, body any, by ...string) {
	w.t.Helper()
	s := w.log1(kind, body, by...)
	if w.desk != nil {
		w.must(w.desk.Learn(s))
		return
	}
	_, err := w.dir.Add(s.Index, s.Entry.Statement)
	w.must(err)
}

// reopen starts the desk from its files.
func (w *town) reopen() {
	w.t.Helper()
	var err error
	w.desk, err = marking.Open(w.config())
	w.must(err)
}

func (w *town) config() marking.Config {
	return marking.Config{Key: w.key("marking"), Identity: w.id("marking"), Keeper: w.files, View: w.view, Directory: w.dir,
		Now: func() time.Time { return w.now }}
}

// ready prepares draws, and lets custodians check their shares and say so.
func (w *town) ready(n int, who ...string) []marking.Prepared {
	w.t.Helper()
	draws, err := w.desk.Prepare(n)
	w.must(err)
	for _, p := range draws {
		w.must(w.desk.DrawLogged(w.logged(p.Statement)))
		for _, c := range who {
			w.shareOK(p, c)
		}
	}
	return draws
}

// drawRoot is the root that a draw's statement commits to.
func (w *town) drawRoot(p marking.Prepared) entries.Digest {
	w.t.Helper()
	var body entries.Draw
	w.must(sign.Open(p.Statement, entries.KindDraw, &body, w.key("marking").Public()))
	return body.Root
}

// shares lets every custodian answer for a draw, and returns what they hold.
func (w *town) shares(p marking.Prepared) (shares []share.Share, vector *share.Vector) {
	w.t.Helper()
	for _, name := range custodians {
		s, v := w.shareOK(p, name)
		shares, vector = append(shares, s), v
	}
	return shares, vector
}

// shareOK does what a custodian's desk will.
func (w *town) shareOK(p marking.Prepared, custodian string) (share.Share, *share.Vector) {
	w.t.Helper()
	s, v := w.packet(p, custodian)
	w.must(s.Verify(v, slices.Index(custodians, custodian)+1, 2))
	w.must(w.desk.ShareOK(w.log1(entries.KindShareOK, entries.ShareOK{Draw: p.Number, Root: w.drawRoot(p), Vector: v.Digest()}, custodian)))
	return s, v
}

// packet opens what a custodian was sent of a draw.
func (w *town) packet(p marking.Prepared, custodian string) (share.Share, *share.Vector) {
	w.t.Helper()
	data, err := seal.Open(p.Packets[custodian], w.id(custodian))
	w.must(err)
	packet, err := entries.ParseSharePacket(data)
	w.must(err)
	s, err := share.ParseShare(packet.Share)
	w.must(err)
	v, err := share.ParseVector(packet.Vector)
	w.must(err)
	return s, v
}

const draft = `Subject: The harbour

1. {The Minister|The Secretary} has come to {resemble|look like} a host at whose party {nobody|no guest} will
dance. [a]{He|The man} was {inept|clumsy|out of his depth} with friends, and the harbour stayed shut for eleven days.

2. We expect that [a]{he|the man} will {go|leave} before {long|the year is out}. Nothing in the papers that we were
shown says otherwise, and nobody whom we asked would put a name to what comes after him in that house.
`

// A sent cable, with all that its author's desk made.
type sent struct {
	built    *kit.Built
	segments []kit.Segment
	body     entries.Release
	copies   []entries.Copy
	order    []byte
	seen     marking.Seen
	issue    marking.Seen
	issued   entries.Issue
}

// compose does what an author's desk will: the kit, the order, the release.
func (w *town) compose(to ...string) *sent {
	w.t.Helper()
	d, err := cable.Parse([]byte(draft))
	w.must(err)
	c := &sent{}
	for _, s := range d.Segments() {
		var seg kit.Segment
		for _, g := range s.Groups {
			seg.Groups = append(seg.Groups, keylist.Group{Number: g, Size: d.Groups[g].Size})
		}
		for _, r := range d.Renderings(s) {
			seg.Renderings = append(seg.Renderings, []byte(r))
		}
		c.segments = append(c.segments, seg)
	}
	c.body = entries.Release{Cable: randomID(), Reference: "POST 17/30", DTG: directory.At(w.now), Precedence: "immediate", Mode: entries.ModeBlind,
		Office: "post.embassy", Tenure: "t-ada", Directory: 1, Register: w.dir.Head(1), Interchangeable: true, Key: "age1pq1x", Marking: w.key("marking").Public().ID().String()}
	rand.Read(c.body.Nonce[:])
	c.built, err = kit.Build(c.body.Cable, c.segments)
	w.must(err)
	for _, p := range to {
		h := w.dir.Tenures(p)[0]
		one := entries.Copy{ID: randomID(), Person: p, Tenure: h.ID, Office: h.Office, Seat: h.Seat}
		rand.Read(one.Salt[:])
		c.copies = append(c.copies, one)
	}
	c.body.Root, c.body.Kit, c.body.N = entries.Digest(c.built.Envelope.Root), sha256.Sum256(c.built.Kit), len(to)
	c.body.Copies, err = entries.CopiesRoot(c.copies)
	w.must(err)
	w.seal(c)
	return c
}

// seal seals the order and names it in the release.
func (w *town) seal(c *sent) {
	w.t.Helper()
	o := entries.Order{Copies: c.copies, Envelope: c.built.Envelope.Encode()}
	var err error
	c.order, err = seal.Seal(o.Encode(), w.id("marking").Recipient())
	w.must(err)
	c.body.Envelope = sha256.Sum256(c.order)
}

// send releases a cable and lets the desk issue it.
func (w *town) send(to ...string) *sent {
	w.t.Helper()
	c := w.compose(to...)
	c.seen = w.log1(entries.KindRelease, c.body, "ada")
	statement, err := w.desk.Release(c.seen, c.order)
	w.must(err)
	w.must(sign.Open(statement, entries.KindIssue, &c.issued, w.key("marking").Public()))
	c.issue = w.logged(statement)
	w.must(w.desk.Logged(c.issue))
	return c
}

// receipt signs and logs what a reader's desk will, on the device that the
// receipt names.
func (w *town) receipt(c *sent, person string, change ...func(*entries.Receipt)) marking.Receipt {
	w.t.Helper()
	last, _ := w.view.Last()
	body := entries.Receipt{Cable: c.body.Cable, Release: c.seen.Index, Issue: c.issue.Index, Kit: c.body.Kit, Size: last.Size, Root: entries.Digest(last.Root),
		Device: w.device(person).ID(), Tenure: "t-" + person, Register: w.dir.Head(last.Size)}
	for _, one := range c.copies {
		if one.Person == person {
			body.Copy = one.ID
		}
	}
	for _, f := range change {
		f(&body)
	}
	by := "device of " + person
	for _, other := range []string{"ada", "bo", "cy", "di"} {
		if w.device(other).ID() == body.Device {
			by = "device of " + other
		}
	}
	s := w.log1(entries.KindReceipt, body, person, by)
	now, _ := w.view.Last()
	proof, err := custody.ProveConsistency(w.t.Context(), w.store, min(body.Size, now.Size), now.Size)
	w.must(err)
	return marking.Receipt{Seen: s, Consistency: proof}
}

// read opens what the desk delivered, as a reader's desk will.
func (w *town) read(c *sent, person string, sealed []byte) string {
	w.t.Helper()
	data, err := seal.Open(sealed, w.id(person))
	w.must(err)
	d, err := entries.ParseDelivery(data)
	w.must(err)
	list, err := keylist.ParseList(d.List)
	w.must(err)
	i := slices.IndexFunc(c.copies, func(one entries.Copy) bool { return one.Person == person })
	if !d.Verify(&c.issued, c.copies[i].ID, list.Root()) {
		w.t.Fatalf("the keys of %s are not what was issued", person)
	}
	k, err := kit.Parse(c.built.Kit)
	w.must(err)
	texts, err := k.Open(list)
	w.must(err)
	return string(bytes.Join(texts, nil))
}

func randomID() string {
	var id [16]byte
	rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

func sum(text string) [32]byte { return sha256.Sum256([]byte(text)) }

func sqrt(x float64) float64 { return math.Sqrt(x) }

func abs(x float64) float64 { return math.Abs(x) }
