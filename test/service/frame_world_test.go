package service

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"chancery/cable"
	"chancery/internal/attend"
	"chancery/internal/codebook"
	"chancery/internal/custody"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/keylist"
	"chancery/internal/seal"
	"chancery/internal/seal/kit"
	"chancery/internal/seal/share"
	"chancery/internal/sign"
	"chancery/internal/town"
	"chancery/internal/vault"
	"chancery/mark"
	"chancery/trace"
)

// How much the attackers are given to learn from.
const (
	framedCables  = 6
	framedReaders = 6
	// framedGroups is how many the first cable has, of which words are traced, and
	// moreGroups the others.
	framedGroups = 240
	moreGroups   = 640
)

// framed is an institution some weeks after its founding: cables were sent, some
// were read, one was passed on.
type framed struct {
	*testing.T
	*town.Town
	author  *desk.Desk
	readers []*desk.Desk // by slot; the last has a late copy of the first cable
	cables  []*sent
	sources []source // what the author's desk knows
}

// sent is a cable with all that anybody ever knew of it.
type sent struct {
	item    desk.Item
	draft   *cable.Draft
	sizes   []int
	escrow  *desk.Escrow
	order   *entries.Order
	env     *keylist.Envelope
	drawn   entries.Draw
	book    *codebook.Book // of the draw that two custodians restored
	readers []codebook.Reader
	words   [][]int  // the true codewords, by slot
	texts   []string // of the segments in the record, as they were cut
}

func (w *framed) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func ok[T any](v T, err error) func(*framed) T {
	return func(w *framed) T {
		w.Helper()
		w.must(err)
		return v
	}
}

// frame founds the institution and plays its weeks.
func frame(t *testing.T) *framed {
	t.Helper()
	w := &framed{T: t}
	var err error
	w.Town, err = town.Found(t.Context(), town.Config{Folder: t.TempDir(), Name: "Ministry", Custodians: []string{"auditor", "clerk", "judge"}, Threshold: 2,
		Overseers: []string{"inspector"}, Stock: framedCables})
	w.must(err)
	t.Cleanup(func() { w.must(w.Close()) })
	seat := func(id, office string) *desk.Desk {
		d := ok(w.Enrol(t.Context(), id, "Person "+id))(w)
		w.must(w.Seat(t.Context(), d, office, id))
		return d
	}
	w.author = seat("ada", "post.embassy")
	for i := range framedReaders {
		w.readers = append(w.readers, seat(fmt.Sprintf("reader-%d", i+1), "centre.desk"))
	}
	w.readers = append(w.readers, seat("late", "centre.library"))
	w.stocked()
	w.send()
	w.read()
	for _, c := range w.cables {
		w.open(c)
	}
	w.sources = authorKnows()
	return w
}

// reference is the name of cable n.
func reference(n int) string { return fmt.Sprintf("POST %d/30", n+1) }

// stocked waits until all custodians have answered for as many draws as cables: a
// release that comes before is refused.
func (w *framed) stocked() {
	w.Helper()
	for until := time.Now().Add(time.Minute); ; {
		n := 0
		for _, e := range w.open0() {
			if kind, _, _ := sign.Claims(e.Statement); kind == entries.KindShareOK {
				n++
			}
		}
		if n >= 3*framedCables {
			return
		}
		if time.Now().After(until) {
			w.Fatalf("%d shares are good", n)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// open0 returns the entries that lie open.
func (w *framed) open0() []custody.Entry {
	var out []custody.Entry
	for _, data := range append(w.bodies(directory.Everyone), w.bodies(directory.Draws)...) {
		out = append(out, ok(custody.ParseEntry(data))(w))
	}
	return out
}

// bodies returns what the registry keeps for a party.
func (w *framed) bodies(party string) [][]byte {
	var out [][]byte
	for from := (custody.Place{}); ; {
		some := ok(w.Registry.Store.Log().Bodies(context.Background(), party, from, 256))(w)
		for _, b := range some {
			out, from = append(out, b.Data), b.Place.Next()
		}
		if len(some) < 256 {
			return out
		}
	}
}

// send sends all cables at once and waits for their issues.
func (w *framed) send() {
	w.Helper()
	w.must(w.author.Sync(w.Context(), 0))
	for n := range framedCables {
		onward := 0
		if n == 0 {
			onward = 1
		}
		ok(w.author.Queue(desk.Outgoing{Draft: draftOf(n), To: []string{"centre.desk"}, Precedence: "priority", Reference: reference(n), Attested: true, Onward: onward}))(w)
	}
	for until := time.Now().Add(time.Minute); len(w.cables) < framedCables; {
		w.must(w.author.Sync(w.Context(), time.Second))
		w.cables = nil
		for n := range framedCables {
			i, err := w.author.Find(reference(n))
			if err == nil && i.Void != "" {
				w.Fatal(i.Void)
			}
			if err == nil && i.Issue != nil {
				w.cables = append(w.cables, &sent{item: i})
			}
		}
		if time.Now().After(until) {
			w.Fatal("not all cables were issued")
		}
	}
}

// read has two people read the first cable, and the first pass it on.
func (w *framed) read() {
	w.Helper()
	first, second, late := w.readers[0], w.readers[1], w.readers[framedReaders]
	for _, d := range []*desk.Desk{first, second} {
		w.must(d.Sync(w.Context(), 0))
		ok(d.Read(w.Context(), reference(0)))(w)
	}
	ok(first.Forward(w.Context(), reference(0), "late", "for the files"))(w)
	for until := time.Now().Add(time.Minute); ; {
		w.must(late.Sync(w.Context(), time.Second))
		if i, err := late.Find(reference(0)); err == nil && i.Copy != nil && i.Issue != nil {
			break
		}
		if time.Now().After(until) {
			w.Fatal("the late copy did not come")
		}
	}
	ok(late.Read(w.Context(), reference(0)))(w)
	w.must(w.author.Sync(w.Context(), 0))
	w.cables[0].item = ok(w.author.Find(reference(0)))(w)
}

// restore restores a secret from two custodians' shares.
func (w *framed) restore(name string, who ...string) (share.Secret, error) {
	var shares []share.Share
	var vector *share.Vector
	for _, one := range who {
		kept := w.kept(one, name)
		shares = append(shares, ok(share.ParseShare(kept.Share))(w))
		vector = ok(share.ParseVector(kept.Vector))(w)
	}
	return share.Recover(shares, vector)
}

// kept is what a custodian's folder holds of a draw or an escrow.
func (w *framed) kept(custodian, name string) (kept attend.Share) {
	k := w.Keepers[custodian]
	w.must(vault.New(filepath.Join(w.Folder, "custodians", custodian, "files"), k.Sign.Derive("custodian files")).Get(name, &kept))
	return kept
}

// parcel is a sealed file, out of the registry's database.
func (w *framed) parcel(digest entries.Digest, party string) []byte {
	return ok(w.Registry.Store.Parcel(context.Background(), digest, []string{party}))(w)
}

// open finds out the truth about a cable: two custodians restore its draw and its
// escrow.
func (w *framed) open(c *sent) {
	w.Helper()
	rho := ok(w.restore(attend.DrawName(c.item.Issue.Draw), "auditor", "judge"))(w)
	c.escrow = ok(desk.OpenEscrow(w.parcel(c.item.Release.Escrow, "custodian:judge"), ok(w.restore(attend.EscrowName(c.item.Cable), "clerk", "judge"))(w)))(w)
	c.draft = ok(cable.Parse([]byte(c.escrow.Draft)))(w)
	c.sizes = c.draft.Sizes()
	for _, one := range c.item.Copies {
		c.readers = append(c.readers, codebook.Reader{ID: one.Person, Copy: one.ID})
	}
	var err error
	c.book, err = codebook.FromRelease(c.draft, trace.DefaultRule(), mark.Draw{Secret: rho.Key("draw"), Slots: attend.Slots}, mark.Hash(c.item.Release.Nonce),
		codebook.NewRelease(c.item.Cable, mark.Hash(c.item.Release.Root), "test"), c.readers, rand.Reader)
	w.must(err)
	c.readers = c.book.Readers()
	for i, r := range c.readers {
		c.words = append(c.words, c.book.Codeword(r))
		if read, err := w.readers[i].Find(reference(0)); c == w.cables[0] && err == nil && read.Text != "" && read.Text != c.book.Copy(r) {
			w.Errorf("the shares give %s another copy than was read", r.ID)
		}
	}
	c.order = ok(entries.ParseOrder(ok(seal.Open(w.parcel(c.item.Release.Envelope, "marking:marking"), w.Marking.Identity))(w)))(w)
	c.env = ok(keylist.ParseEnvelope(c.order.Envelope))(w)
	for _, text := range ok(w.kit(c, c.escrow.Key).Open(c.env.Deck().Deal(make([]int, len(c.sizes)))))(w) {
		c.texts = append(c.texts, string(text))
	}
	for _, e := range w.open0() {
		var d entries.Draw
		if sign.Peek(e.Statement, entries.KindDraw, &d) == nil && d.Draw == c.item.Issue.Draw {
			c.drawn = d
		}
	}
}

// kit opens the kit of a cable with its key. Its boxes are still closed.
func (w *framed) kit(c *sent, key string) *kit.Kit {
	w.Helper()
	ids := ok(seal.ParseIdentities("kit", []byte(key)))(w)
	return ok(kit.Parse(ok(seal.Open(w.parcel(c.item.Release.Kit, "person:reader-1"), ids...))(w)))(w)
}

// draftOf makes a cable of words that nobody uses, each once, so that none is found
// anywhere by accident.
func draftOf(n int) string {
	rng := mathrand.New(mathrand.NewPCG(uint64(n), 1))
	next := n * 20000
	word := func() string { next++; return invented(next) }
	var b strings.Builder
	fmt.Fprintf(&b, "Reference: %s\nDate: 2030-05-11\nFrom: Embassy\nTo: Centre\nPrecedence: PRIORITY\nSubject: %s\n", reference(n), word())
	groups := moreGroups
	if n == 0 {
		groups = framedGroups
	}
	for g := range groups {
		if g%12 == 0 {
			b.WriteString("\n" + strings.ToUpper(word()[:1]) + word())
		}
		for range 2 + rng.IntN(4) {
			b.WriteString(" " + word())
		}
		alternatives := []string{word(), word(), word(), word()}[:2+g%3]
		b.WriteString(" {" + strings.Join(alternatives, "|") + "} " + word())
		if g%12 == 11 {
			b.WriteString(".\n")
		}
	}
	return b.String()
}

// invented is a word of four syllables.
func invented(n int) string {
	const consonants, vowels = "bdfgklmnprstvz", "aeiou"
	var b strings.Builder
	for range 4 {
		b.WriteByte(consonants[n%len(consonants)])
		n /= len(consonants)
		b.WriteByte(vowels[n%len(vowels)])
		n /= len(vowels)
	}
	return b.String()
}

// A hand is all that somebody can open with some identities, if they have everything
// that the registry ever carried.
type hand struct {
	ids    []*seal.Identity
	opened [][]byte
}

var secretKey = regexp.MustCompile(`AGE-SECRET-KEY-PQ-1[A-Z0-9]+`)

// opens opens what can be opened, looks for further keys in it, and goes on with
// these.
func (w *framed) opens(ids ...*seal.Identity) *hand {
	w.Helper()
	h := &hand{ids: ids}
	closed := w.everything()
	seen := map[string]bool{}
	for fresh := ids; len(fresh) > 0; {
		var more []*seal.Identity
		var rest [][]byte
		for _, data := range closed {
			plain, err := seal.Open(data, fresh...)
			if err != nil {
				rest = append(rest, data)
				continue
			}
			h.opened = append(h.opened, plain)
			for _, key := range secretKey.FindAllString(string(plain), -1) {
				if !seen[key] {
					seen[key] = true
					more = append(more, ok(seal.ParseIdentities("found", []byte(key+"\n")))(w)...)
				}
			}
		}
		h.ids, closed, fresh = append(h.ids, more...), rest, more
	}
	return h
}

// everything is all sealed files and letters in the registry's database.
func (w *framed) everything() [][]byte {
	parties := []string{"authority", "operator", "marking:marking", "own:marking", "overseer:inspector", "office:centre.desk", "person:ada"}
	for name := range w.Keepers {
		parties = append(parties, directory.CustodianParty(name))
	}
	for _, d := range w.readers {
		parties = append(parties, directory.PartyOf(d.Person))
	}
	var out [][]byte
	for _, p := range parties {
		out = append(out, w.bodies(p)...)
		for _, l := range ok(w.Registry.Store.Parcels(context.Background(), p, 0, 10000))(w) {
			out = append(out, w.parcel(l.Digest, p))
		}
	}
	for _, c := range w.cables {
		out = append(out, w.parcel(c.item.Release.Kit, "person:reader-1"), w.parcel(c.item.Release.Envelope, "marking:marking"), w.parcel(c.item.Release.Escrow, "custodian:judge"))
	}
	return out
}

// reads returns the words of cables that somebody can read: in what they opened, and
// in kits whose boxes they have the keys of.
func (w *framed) reads(h *hand) (words int) {
	texts := bytes.Join(h.opened, []byte("\n"))
	for _, data := range h.opened {
		k, err := kit.Parse(data)
		if err != nil {
			continue
		}
		for _, other := range h.opened {
			for _, list := range w.lists(k, other) {
				if opened, err := k.Open(list); err == nil {
					texts = append(texts, bytes.Join(opened, nil)...)
				}
			}
		}
	}
	known := map[string]bool{}
	for _, word := range invent.FindAllString(string(texts), -1) {
		known[word] = true
	}
	for _, c := range w.cables {
		for _, word := range invent.FindAllString(c.escrow.Draft, -1) {
			if known[word] {
				words++
			}
		}
	}
	return words
}

var invent = regexp.MustCompile(`\b([bdfgklmnprstvz][aeiou]){4}\b`)

// lists returns the key lists that what was opened gives for a kit: one that was
// delivered, or all of an order.
func (w *framed) lists(k *kit.Kit, opened []byte) []keylist.List {
	if d, err := entries.ParseDelivery(opened); err == nil && d.Cable == k.Cable {
		return []keylist.List{ok(keylist.ParseList(d.List))(w)}
	}
	o, err := entries.ParseOrder(opened)
	if err != nil {
		return nil
	}
	env := ok(keylist.ParseEnvelope(o.Envelope))(w)
	if env.Root != k.Root() {
		return nil
	}
	return []keylist.List{env.Deck().Deal(make([]int, len(env.Sizes())))}
}

// deliveries counts the key lists in a hand.
func (h *hand) deliveries() int {
	n := 0
	for _, data := range h.opened {
		if _, err := entries.ParseDelivery(data); err == nil {
			n++
		}
	}
	return n
}

// markingFiles opens the marking desk's own files with its key.
func (w *framed) markingFiles(prefix string, take func([]byte)) {
	w.Helper()
	files := vault.Folder(filepath.Join(w.Folder, "marking", "files"))
	for _, name := range ok(files.Names(prefix))(w) {
		plain := ok(seal.Open(ok(files.Read(name))(w), w.Marking.Identity))(w)
		take(plain[32:]) // behind its own authentication
	}
}

// markingKnows returns the codewords that the marking desk's files give.
func (w *framed) markingKnows() map[string][][]int {
	w.Helper()
	rho := map[int]mark.Hash{}
	w.markingFiles("draw-", func(data []byte) {
		var d struct {
			Number int
			Rho    []byte
		}
		w.must(json.Unmarshal(data, &d))
		rho[d.Number] = mark.Hash(d.Rho)
	})
	out := map[string][][]int{}
	w.markingFiles("cable-", func(data []byte) {
		var c struct {
			Draw int
			Body entries.Release
			Late []struct{ Copy entries.Copy }
		}
		w.must(json.Unmarshal(data, &c))
		sealed := ok(vault.Folder(filepath.Join(w.Folder, "marking", "files")).Read("order-" + c.Body.Cable))(w)
		o := ok(entries.ParseOrder(ok(seal.Open(sealed, w.Marking.Identity))(w)))(w)
		env := ok(keylist.ParseEnvelope(o.Envelope))(w)
		copies := o.Copies
		for _, l := range c.Late {
			copies = append(copies, l.Copy)
		}
		for i, one := range copies {
			slot := mark.Draw{Secret: rho[c.Draw], Slots: attend.Slots}.Slot(i + 1)
			out[c.Body.Cable] = append(out[c.Body.Cable], mark.NewCopyKey(slot, mark.Hash(c.Body.Nonce), c.Body.Cable, mark.Hash(c.Body.Root), one.ID).Codeword(env.Sizes()))
		}
	})
	return out
}
