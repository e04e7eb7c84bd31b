package marking_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"chancery/cable"
	"chancery/internal/custody"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/keylist"
	"chancery/internal/seal"
	"chancery/internal/seal/kit"
	"chancery/internal/seal/share"
	"chancery/internal/sign"
	"chancery/mark"
)

// A post is a cable on its way, by the desks' own code.
type post struct {
	*desk.Composed
	draft   *cable.Draft
	arrived desk.Arrived // but for copy and key
}

func (w *town) cable(to ...string) (desk.Cable, *cable.Draft) {
	w.t.Helper()
	d, err := cable.Parse([]byte(draft))
	w.must(err)
	last, _ := w.view.Last()
	return desk.Cable{Author: desk.Author{Key: w.key("ada"), Person: "ada", Tenure: "t-ada", Office: "post.embassy"}, Draft: d, To: to,
		Precedence: "priority", Reference: "POST 18/30", Interchangeable: true, Directory: w.dir, Size: last.Size, Now: w.now}, d
}

// post composes, releases and issues a cable.
func (w *town) post(to ...string) *post {
	w.t.Helper()
	c, d := w.cable(to...)
	composed, err := desk.Compose(c)
	w.must(err)
	p := &post{Composed: composed, draft: d}
	release := w.logged(composed.Release)
	statement, err := w.desk.Release(release, composed.Order)
	w.must(err)
	w.must(sign.Open(statement, entries.KindIssue, &p.arrived.Issue, w.key("marking").Public()))
	issue := w.logged(statement)
	w.must(w.desk.Logged(issue))
	p.arrived.Release, p.arrived.ReleaseIndex, p.arrived.IssueIndex, p.arrived.Kit = composed.Body, release.Index, issue.Index, composed.Kit
	return p
}

// arrive is the cable at one reader's desk.
func (p *post) arrive(person string) desk.Arrived {
	a := p.arrived
	a.Key = p.Key
	for _, c := range p.Copies {
		if c.Person == person {
			a.Copy = c.ID
		}
	}
	return a
}

// receive signs the receipt of what arrived and returns what was delivered.
func (w *town) receive(a desk.Arrived, person string) []byte {
	w.t.Helper()
	seen, _ := w.view.Last()
	body, err := a.Receipt(seen, w.dir.Head(seen.Size), w.device(person).ID(), "t-"+person)
	w.must(err)
	r := w.receipt(&sent{}, person, func(b *entries.Receipt) { *b = body })
	out, err := w.desk.Deliver(r)
	w.must(err)
	if out.Sealed == nil {
		w.t.Fatal(out.Reason)
	}
	return out.Sealed
}

// TestWholeCable sends a cable by the desks' own code. Every reader reads exactly
// the copy that the draw gives, the custodians can show it, and the escrow holds
// the draft that was committed to.
func TestWholeCable(t *testing.T) {
	w := newTown(t)
	draws := w.ready(1)
	shares, vector := w.shares(draws[0])
	w.appoint(directory.KindEpoch, directory.Epoch{Office: "centre.desk", Number: 1, Recipient: w.id("centre.desk").Recipient().String()}, "authority", "bo")
	p := w.post("centre.desk", "post.embassy")
	if len(p.Copies) != 3 || p.Record != p.draft.RecordText() {
		t.Fatalf("%d copies", len(p.Copies))
	}
	secret, err := share.Recover(shares[:2], vector)
	if err != nil {
		t.Fatal(err)
	}
	d := mark.Draw{Secret: secret.Key("draw"), Slots: 16384}
	for i, c := range p.Copies {
		a := p.arrive(c.Person)
		text, err := a.Read(w.receive(a, c.Person), w.id(c.Person))
		if err != nil {
			t.Fatal(err)
		}
		key := mark.NewCopyKey(d.Slot(i+1), mark.Hash(p.Body.Nonce), p.Body.Cable, mark.Hash(p.Body.Root), c.ID)
		if want := p.draft.Render(key.Codeword(p.draft.Sizes())); text != want {
			t.Errorf("%s reads\n%s\nwhere the draw gives\n%s", c.Person, text, want)
		}
		if desk.Subject(text) != "The harbour" {
			t.Errorf("the subject is %q", desk.Subject(text))
		}
	}
	w.checkEscrow(p)
}

// checkEscrow does what a case will: k custodians open the escrow, and every shape
// in it is one that the kit commits to.
func (w *town) checkEscrow(p *post) {
	w.t.Helper()
	var shares []share.Share
	var vector *share.Vector
	for _, name := range custodians[1:] {
		packet, err := entries.ParseSharePacket(p.Shares[name])
		w.must(err)
		s, err := share.ParseShare(packet.Share)
		w.must(err)
		vector, err = share.ParseVector(packet.Vector)
		w.must(err)
		shares = append(shares, s)
	}
	secret, err := share.Recover(shares, vector)
	w.must(err)
	e, err := desk.OpenEscrow(p.Escrow, secret)
	w.must(err)
	if e.Draft != p.draft.Canonical() {
		w.t.Error("the escrow holds another draft")
	}
	if _, err := desk.OpenEscrow(p.Escrow, share.Generate()); !errors.Is(err, fault.Key) {
		w.t.Errorf("with another secret: %v", err)
	}
	ids, err := seal.ParseIdentities("escrow", []byte(e.Key))
	w.must(err)
	data, err := seal.Open(p.Kit, ids[0])
	w.must(err)
	k, err := kit.Parse(data)
	w.must(err)
	order, err := seal.Open(p.Order, w.id("marking"))
	w.must(err)
	o, err := entries.ParseOrder(order)
	w.must(err)
	env, err := keylist.ParseEnvelope(o.Envelope)
	w.must(err)
	for j, s := range env.Segments {
		if !k.VerifyShape(j, s, mark.Hash(e.Salts[j])) {
			w.t.Errorf("the shape of segment %d is not what the kit commits to", j)
		}
	}
}

// TestReaderIsNotDeceived: somebody on the way, or one of the desks, gives a reader
// something else. The reader's desk shows nothing.
func TestReaderIsNotDeceived(t *testing.T) {
	w := newTown(t)
	w.ready(2, custodians...)
	p := w.post("centre.desk")
	other := w.post("centre.desk")
	good := p.arrive("bo")
	keys := w.receive(good, "bo")
	if _, err := good.Read(keys, w.id("bo")); err != nil {
		t.Fatal(err)
	}
	cy := p.arrive("cy")
	for name, c := range map[string]struct {
		change func(a *desk.Arrived, keys *[]byte)
	}{
		"another kit":           {func(a *desk.Arrived, _ *[]byte) { a.Kit = other.Kit }},
		"a kit altered":         {func(a *desk.Arrived, _ *[]byte) { a.Kit = append(bytes.Clone(a.Kit), 0) }},
		"another cable's key":   {func(a *desk.Arrived, _ *[]byte) { a.Key = other.Key }},
		"another's keys":        {func(_ *desk.Arrived, k *[]byte) { *k = w.receive(cy, "cy") }},
		"another cable's keys":  {func(_ *desk.Arrived, k *[]byte) { *k = w.receive(other.arrive("bo"), "bo") }},
		"another copy":          {func(a *desk.Arrived, _ *[]byte) { a.Copy = cy.Copy }},
		"another issue":         {func(a *desk.Arrived, _ *[]byte) { a.Issue = other.arrived.Issue }},
		"an issue altered":      {func(a *desk.Arrived, _ *[]byte) { a.Issue.Lists[0] ^= 1 }},
		"a release altered":     {func(a *desk.Arrived, _ *[]byte) { a.Release.Root[0] ^= 1 }},
		"an issue before it":    {func(a *desk.Arrived, _ *[]byte) { a.IssueIndex = a.ReleaseIndex }},
		"no keys":               {func(_ *desk.Arrived, k *[]byte) { *k = nil }},
		"the release of others": {func(a *desk.Arrived, _ *[]byte) { a.Release = other.Body }},
	} {
		a, k := good, keys
		c.change(&a, &k)
		if text, err := a.Read(k, w.id("bo")); err == nil || text != "" {
			t.Errorf("%s: %.40q", name, text)
		}
	}
	if text, err := good.Read(keys, w.id("cy")); err == nil {
		t.Errorf("with another's key: %.40q", text)
	}
	bad := good
	bad.Kit = other.Kit
	if _, err := bad.Receipt(custody.Checkpoint{}, entries.Digest{}, "", ""); !errors.Is(err, fault.Mismatch) {
		t.Errorf("a receipt for another kit: %v", err)
	}
}

func TestComposeRefuses(t *testing.T) {
	w := newTown(t)
	for name, c := range map[string]struct {
		change func(*desk.Cable)
		want   fault.Kind
	}{
		"nobody":           {func(c *desk.Cable) { c.To = []string{"post.embassy"} }, fault.Usage},
		"no such office":   {func(c *desk.Cable) { c.To = []string{"nowhere"} }, fault.NotFound},
		"another's tenure": {func(c *desk.Cable) { c.Author.Tenure = "t-bo" }, fault.Permission},
		"another office":   {func(c *desk.Cable) { c.Author.Office = "centre.desk" }, fault.Permission},
		"before it began":  {func(c *desk.Cable) { c.Now = start.AddDate(0, 0, -1) }, fault.Permission},
		"not attested":     {func(c *desk.Cable) { c.Interchangeable = false }, fault.Input},
		"no precedence":    {func(c *desk.Cable) { c.Precedence = "" }, fault.Input},
		"no reference":     {func(c *desk.Cable) { c.Reference = "" }, fault.Input},
	} {
		one, _ := w.cable("centre.desk")
		c.change(&one)
		if _, err := desk.Compose(one); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEnvelopesTellNothing: what leaves the author's desk holds no word open.
func TestEnvelopesTellNothing(t *testing.T) {
	w := newTown(t)
	c, d := w.cable("centre.desk")
	p, err := desk.Compose(c)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]byte{"release": p.Release, "kit": p.Kit, "order": p.Order, "escrow": p.Escrow}
	var words []string
	for _, word := range strings.Fields(d.RecordText()) {
		if len(word) > 4 {
			words = append(words, word)
		}
	}
	found := func(data []byte) string {
		for _, word := range words {
			if bytes.Contains(data, []byte(word)) {
				return word
			}
		}
		return ""
	}
	for name, data := range parts {
		if word := found(data); word != "" {
			t.Errorf("%q stands open in the %s", word, name)
		}
	}
	if found([]byte(d.RecordText())) == "" {
		t.Error("the search finds nothing where it should")
	}
}
