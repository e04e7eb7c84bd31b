// Package service attacks a whole institution in one process: what one party has, or
// somebody who stole it, is tried on the others.
package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chancery/cable"
	"chancery/internal/attend"
	"chancery/internal/courier"
	"chancery/internal/desk"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/keylist"
	"chancery/internal/post"
	"chancery/internal/seal"
	"chancery/internal/sign"
	"chancery/mark"
	"chancery/trace"
)

// TestNobodyAloneCanFrame gives an attacker everything that one party has, and all
// that the registry ever carried, and looks at what they can build: a leak that points
// at a chosen reader is what nobody may build alone. docs/kit.md says who can do what.
func TestNobodyAloneCanFrame(t *testing.T) {
	if os.Getenv("CHANCERY_RACE") != "" {
		t.Skip("statistics of one goroutine: make figures runs it, without the race detector")
	}
	w := frame(t)
	run := func(name string, f func(*framed)) {
		t.Run(name, func(t *testing.T) {
			inside := *w
			inside.T = t
			f(&inside)
		})
	}
	run("the author's desk words any copy", (*framed).authorBuilds)
	run("the author's desk does not know who has which", (*framed).authorGuesses)
	run("a marking desk that can be foreseen is found", (*framed).planted)
	run("the marking desk has codewords and no word", (*framed).markingAlone)
	run("the registry has nothing", (*framed).registryAlone)
	run("the registry states nothing", (*framed).registryStates)
	run("one custodian has nothing", (*framed).custodianAlone)
	run("words at random name nobody", (*framed).forgedAtRandom)
	run("the marking desk and a reader can frame", (*framed).markingAndReader)
}

// authorBuilds: the author's desk has the text, the keys of all boxes and the kit, and
// makes a copy with whatever codeword it likes.
func (w *framed) authorBuilds() {
	rng := mathrand.New(mathrand.NewPCG(1, 2))
	for _, c := range w.cables {
		word := random(rng, c.sizes)
		opened, err := w.kit(c, c.escrow.Key).Open(c.env.Deck().Deal(word))
		w.must(err)
		var text strings.Builder
		for _, one := range opened {
			text.Write(one)
		}
		if text.String() != c.draft.Render(word) {
			w.Errorf("%s: the boxes hold another text than the draft", c.item.Release.Reference)
		}
	}
	ids := []*seal.Identity{w.author.Keys.Identity}
	for _, c := range w.cables {
		ids = append(ids, ok(seal.ParseIdentities("kit", []byte(c.escrow.Key)))(w)...)
	}
	if n := w.opens(ids...).deliveries(); n != 0 {
		w.Errorf("the author's desk opens %d deliveries of keys to readers", n)
	}
}

// authorGuesses: from nothing that the author's desk chose or saw does anything follow
// for the codeword of any reader.
func (w *framed) authorGuesses() {
	sources := w.sources
	symbols := 0
	for _, c := range w.cables {
		symbols += len(c.words) * len(c.sizes)
	}
	found, cells := w.depends(sources, truly, 0)
	for _, d := range found[:min(len(found), 5)] {
		w.Errorf("the draw depends on %s", d)
	}
	// With a reader's help, too: what one reader has says nothing of the others'.
	if found, _ := w.depends([]source{readerKnows(truly)}, truly, 1); len(found) > 0 {
		w.Errorf("a copy depends on another: %s", found[0])
	}
	half := len(w.cables) / 2
	l := learn(w.sources, truly, w.cables[:half])
	hits, of := agreement(l.guess, truly, w.cables[half:])
	if !byChance(hits, of) {
		w.Errorf("the best guess is right for %v of %v symbols", hits[2:], of[2:])
	}
	w.Logf("%d symbols, %d sources, %d cells: nothing found; least p that is found %.1e", symbols, len(sources), cells, alarm/float64(cells))
	w.Logf("best guess, by size 2, 3, 4: %v of %v right", hits[2:], of[2:])
	w.power(cells)
}

// power holds the test to what it promises: a source after whose guess one of two
// wordings has the chance 0.57 instead of 0.5 is found, but for once in a thousand.
func (w *framed) power(cells int) {
	const leaky = 0.57
	n := 0 // of groups of two, after one of two guesses that are equally frequent
	for _, c := range w.cables {
		for _, size := range c.sizes {
			if size == 2 {
				n += len(c.words)
			}
		}
	}
	n /= 2
	k := n / 2
	for twoSided(n, k, 0.5) >= alarm/float64(cells) {
		k++
	}
	// Either guess gives it away; one is enough.
	if missed := 1 - upper(n, k, leaky); missed*missed > 1e-3 {
		w.Errorf("a source that gives one of two the chance %.2f would be missed with probability %.1e: the test is too weak", leaky, missed*missed)
	}
	w.Logf("of %d groups of two after one guess, %d or more would be found", n, k)
}

// source is what a source of the author's says.
func (w *framed) source(name string) drawn {
	return w.sources[slices.IndexFunc(w.sources, func(s source) bool { return s.name == name })].of
}

// planted: marking desks that draw what could be foreseen are found by the same test,
// and by the same guessing.
func (w *framed) planted() {
	rng := mathrand.New(mathrand.NewPCG(3, 4))
	boxes := w.source("the first box")
	for _, p := range []struct {
		name string
		draw drawn
	}{
		{"the author's nonce taken for randomness", func(c *sent, slot int) []int { return c.codeword(mark.Hash(c.item.Release.Nonce), slot) }},
		{"the public root of the draw taken for its secret", func(c *sent, slot int) []int {
			return c.codeword(mark.Draw{Secret: mark.Hash(c.drawn.Root), Slots: attend.Slots}.Slot(slot+1), slot)
		}},
		{"the order of boxes copied", boxes},
		{"the order of boxes copied in one group of six", func(c *sent, slot int) []int {
			word := slices.Clone(truly(c, slot))
			for k, x := range boxes(c, slot) {
				if rng.IntN(6) == 0 {
					word[k] = x
				}
			}
			return word
		}},
		{"wordings dealt out evenly", dealt},
		{"the id of the copy copied", w.source("the copy's id")},
	} {
		found, _ := w.depends(w.sources, p.draw, 0)
		if len(found) == 0 {
			w.Errorf("%s: not found", p.name)
			continue
		}
		half := len(w.cables) / 2
		hits, of := agreement(learn(w.sources, p.draw, w.cables[:half]).guess, p.draw, w.cables[half:])
		if byChance(hits, of) {
			w.Errorf("%s: the best guess is right for %v of %v symbols and that is taken for chance", p.name, hits[2:], of[2:])
		}
		w.Logf("%s: found, %s; best guess %v of %v", p.name, found[0], hits[2:], of[2:])
	}
	same := func(c *sent, slot int) []int { return truly(c, 0) }
	if found, _ := w.depends([]source{readerKnows(truly)}, same, 1); len(found) == 0 {
		w.Error("two readers with one copy: not found")
	}
}

// markingAlone: every codeword, from its files and its key; and of all that the
// registry ever carried not a word of text.
func (w *framed) markingAlone() {
	known := w.markingKnows()
	for _, c := range w.cables {
		if fmt.Sprint(known[c.item.Cable]) != fmt.Sprint(c.words) {
			w.Errorf("%s: the marking desk's files give other codewords than the custodians' shares", c.item.Release.Reference)
		}
	}
	h := w.opens(w.Marking.Identity)
	orders := 0
	for _, data := range h.opened {
		if _, err := entries.ParseOrder(data); err == nil {
			orders++
		}
	}
	for _, prefix := range []string{"draw-", "cable-"} {
		w.markingFiles(prefix, func(data []byte) { h.opened = append(h.opened, data) })
	}
	if n := w.reads(h); orders != len(w.cables) || n != 0 {
		w.Errorf("the marking desk opens %d orders and reads %d words", orders, n)
	}
	// The same search finds words where there are some: with a kit's key, which a
	// reader has, the marking desk reads.
	ids, err := seal.ParseIdentities("kit", []byte(w.cables[1].escrow.Key))
	w.must(err)
	if n := w.reads(w.opens(w.Marking.Identity, ids[0])); n < moreGroups {
		w.Errorf("the search finds %d words where a cable is read: it would find none anywhere", n)
	}
	w.Logf("%d files and letters opened, %d orders, no word", len(h.opened), orders)
}

// registryAlone: the database holds no word and no key, and one length for all who
// opened the cable.
func (w *framed) registryAlone() {
	if h := w.opens(); len(h.opened) != 0 {
		w.Errorf("the registry opens %d letters", len(h.opened))
	}
	files, err := filepath.Glob(filepath.Join(w.Folder, "registry", "*"))
	w.must(err)
	words, size := 0, 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		w.must(err)
		size += len(data)
		words += len(w.known(invent.FindAllString(string(data), -1)))
		if key := secretKey.Find(data); key != nil {
			w.Errorf("%s holds a key that opens", filepath.Base(name))
		}
	}
	if words != 0 || size < 1<<20 {
		w.Errorf("%d bytes of the registry hold %d words of cables", size, words)
	}
	lengths := map[int]int{}
	for _, d := range w.readers {
		for _, p := range ok(w.Registry.Store.Parcels(context.Background(), "person:"+d.Person, 0, 100))(w) {
			data := w.parcel(p.Digest, "person:"+d.Person)
			plain := ok(seal.Open(data, d.Keys.Identity))(w)
			if _, err := entries.ParseDelivery(plain); err == nil {
				lengths[len(data)]++
			}
		}
	}
	if len(lengths) != 1 {
		w.Errorf("deliveries of one cable have the lengths %v", lengths)
	}
	w.Logf("%d bytes of the registry's folder, no word; deliveries by length: %v", size, lengths)
}

// known returns the words that stand in a cable.
func (w *framed) known(words []string) (out []string) {
	all := map[string]bool{}
	for _, c := range w.cables {
		for _, word := range invent.FindAllString(c.escrow.Draft, -1) {
			all[word] = true
		}
	}
	for _, word := range words {
		if all[word] {
			out = append(out, word)
		}
	}
	return out
}

// registryStates: what the operator signs in the name of others is taken by nobody.
func (w *framed) registryStates() {
	text, err := os.ReadFile(filepath.Join(w.Folder, "registry", "operator.key"))
	w.must(err)
	operator, err := sign.ParseKey(string(text))
	w.must(err)
	c, err := w.Dial(operator, w.TempDir())
	w.must(err)
	defer c.Close()
	first, victim := w.cables[0].item, w.readers[2]
	w.must(victim.Sync(w.Context(), 0))
	before := ok(victim.Find(first.Cable))(w)
	alarms := len(victim.Alarms())
	forged := first.Release
	forged.Cable = strings.Repeat("0", 32)
	states := []struct {
		kind string
		body any
	}{
		{entries.KindRelease, forged},
		{entries.KindIssue, *first.Issue},
		{entries.KindRecall, entries.Recall{Cable: first.Cable, Release: first.Index}},
		{entries.KindWithheld, entries.Withheld{Cable: first.Cable, Copy: before.Copy.ID, Reason: "forged"}},
		{entries.KindOpened, entries.Opened{Cable: first.Cable, Copy: before.Copy.ID, Issue: first.Issued}},
	}
	to := post.Address{Party: "person:" + victim.Person, Recipient: victim.Keys.Identity.Recipient().String()}
	for _, s := range states {
		statement, err := sign.Sign(s.kind, s.body, operator.In(c.Origin()))
		w.must(err)
		ok(courier.Send(w.Context(), c, post.About(statement, nil, to)))(w)
	}
	w.must(victim.Sync(w.Context(), 0))
	after := ok(victim.Find(first.Cable))(w)
	if fmt.Sprint(as(w, before)) != fmt.Sprint(as(w, after)) {
		w.Error("what the operator stated changed a cable at its reader's desk")
	}
	if _, err := victim.Find(forged.Cable); !errors.Is(err, fault.NotFound) {
		w.Errorf("a cable that the operator made up came: %v", err)
	}
	if n := len(victim.Alarms()) - alarms; n != len(states) {
		w.Errorf("%d alarms at %d forged statements", n, len(states))
	}
	w.must(victim.ClearAlarms())
}

func as(w *framed, i desk.Item) string {
	data, err := json.Marshal(i)
	w.must(err)
	return string(data)
}

// custodianAlone: one of three has a share that by itself restores nothing, says
// nothing of the draw, and reads nothing. Two restore it: that is what they are for.
func (w *framed) custodianAlone() {
	const name = "clerk"
	for _, c := range w.cables {
		for _, what := range []string{attend.DrawName(c.item.Issue.Draw), attend.EscrowName(c.item.Cable)} {
			if _, err := w.restore(what, name); !errors.Is(err, fault.Permission) {
				w.Errorf("one custodian restores %s: %v", what, err)
			}
		}
	}
	sources := append(slices.Clone(w.sources), w.custodianKnows(name)...)
	if found, _ := w.depends(sources, truly, 0); len(found) > 0 {
		w.Errorf("the draw depends on %s", found[0])
	}
	h := w.opens(w.Keepers[name].Identity)
	if n := w.reads(h); n != 0 || h.deliveries() != 0 {
		w.Errorf("one custodian reads %d words and has %d lists of keys", n, h.deliveries())
	}
	two := source{"two shares", func(c *sent, slot int) []int {
		secret, err := w.restore(attend.DrawName(c.item.Issue.Draw), name, "auditor")
		w.must(err)
		return c.codeword(mark.Draw{Secret: secret.Key("draw"), Slots: attend.Slots}.Slot(slot+1), slot)
	}}
	found, _ := w.depends([]source{two}, truly, 0)
	if len(found) == 0 {
		w.Error("two custodians' shares say nothing of the draw: the test would find nothing anywhere")
	}
}

// A scorer traces words to the copies of the first cable, with the codebook that the
// custodians' shares gave.
type scorer struct {
	graphs []*trace.Graph
	reader *trace.Reader
	copies []trace.Copies
	rule   trace.Rule
}

func (w *framed) scorer() *scorer {
	c := w.cables[0]
	s := &scorer{graphs: []*trace.Graph{trace.NewGraph(c.draft.Lattice())}, rule: c.book.Rule}
	s.reader = trace.NewReader(s.graphs)
	for i, r := range c.readers {
		s.copies = append(s.copies, trace.Copies{Reader: r.ID, Words: [][]int{c.words[i]}})
	}
	return s
}

// eps is the bound of a finding.
const eps = 1e-3

// named reads paragraphs as an article would print them, and returns whose copies are
// named.
func (s *scorer) named(w *framed, paragraphs ...string) (names []string, groups int) {
	a := cable.Article{Name: "article"}
	for _, p := range paragraphs {
		a.Blocks = append(a.Blocks, cable.Block{Text: p})
	}
	seen := s.rule.Observe(s.graphs, s.reader.Find([]cable.Article{a}), nil)
	f, err := s.rule.Assess(context.Background(), trace.Evidence{Eps: eps, Readers: s.copies, First: seen})
	w.must(err)
	for _, n := range f.Named {
		names = append(names, n.Reader)
	}
	return names, f.GroupsRead
}

// forgedAtRandom: words of the first cable that the author composes, at random or by
// the best guess of a reader's copy, name nobody; nor do words that a registry makes
// up. Each finding names anybody with a chance of at most eps, so that of 200 six or
// more do with a chance of less than 1e-7.
func (w *framed) forgedAtRandom() {
	const tries, most = 200, 5
	if p := upper(tries, most+1, eps); p > alarm {
		w.Fatalf("more than %d of %d findings are named with probability %.1e", most, tries, p)
	}
	rng := mathrand.New(mathrand.NewPCG(5, 6))
	c, s := w.cables[0], w.scorer()
	l := learn(w.sources, truly, w.cables[1:])
	wrong, least := 0, math.MaxInt
	for i := range tries {
		word := random(rng, c.sizes)
		if i%2 == 1 {
			// Aimed at a reader: the best guess, but for some groups, lest all tries be one.
			for k, x := range l.guess(c, i%len(c.words)) {
				if rng.IntN(4) > 0 {
					word[k] = x
				}
			}
		}
		names, groups := s.named(w, someParagraphs(rng, c, word)...)
		least = min(least, groups)
		if len(names) > 0 {
			wrong++
		}
	}
	if wrong > most || least < 24 {
		w.Errorf("%d of %d compositions name somebody; at least %d groups were read", wrong, tries, least)
	}
	for range 10 {
		var words []string
		for range 60 {
			words = append(words, invented(rng.IntN(1<<20)))
		}
		if names, groups := s.named(w, strings.Join(words, " ")); len(names) > 0 || groups > 2 {
			w.Errorf("words that the registry made up: %d groups, %v", groups, names)
		}
	}
	w.Logf("%d of %d compositions named somebody; %d groups or more were read", wrong, tries, least)
}

// someParagraphs renders three paragraphs of a copy.
func someParagraphs(rng *mathrand.Rand, c *sent, word []int) []string {
	var out []string
	for _, p := range rng.Perm(len(c.draft.Paragraphs))[:3] {
		out = append(out, c.draft.RenderParagraph(p, word))
	}
	return out
}

// markingAndReader: the two together make anybody's copy of that cable, and its words
// name them. So they can with the author, whose desk has the text as well. Every
// finding says so; no procedure here prevents it. Beside the victim a finding names
// somebody else with a chance of at most eps: that two of three do, with 3e-6.
func (w *framed) markingAndReader() {
	c, s := w.cables[0], w.scorer()
	helper := ok(w.readers[1].Find(reference(0)))(w)
	known := w.markingKnows()[c.item.Cable]
	rng := mathrand.New(mathrand.NewPCG(7, 8))
	beside := 0
	for _, victim := range []int{0, 3, framedReaders} {
		list := c.env.Deck().Deal(known[victim])
		text := w.openWith(c, helper.Key, list)
		if text != c.book.Copy(c.readers[victim]) {
			w.Errorf("the two made another text than the copy of %s", c.readers[victim].ID)
		}
		names, _ := s.named(w, someParagraphs(rng, c, known[victim])...)
		if !slices.Contains(names, c.readers[victim].ID) {
			w.Errorf("words that two made up to frame %s name %v", c.readers[victim].ID, names)
		}
		if len(names) > 1 {
			beside++
		}
	}
	if beside > 1 {
		w.Errorf("%d of 3 findings name somebody beside the victim", beside)
	}
	// The helper alone opens no box but their own.
	h := w.opens(w.readers[1].Keys.Identity)
	if n := h.deliveries(); n != 1 {
		w.Errorf("a reader opens %d lists of keys", n)
	}
}

// openWith opens a kit with a reader's key of it and a list of keys.
func (w *framed) openWith(c *sent, key string, list keylist.List) string {
	opened, err := w.kit(c, key).Open(list)
	w.must(err)
	var text strings.Builder
	for _, one := range opened {
		text.Write(one)
	}
	return text.String()
}

func random(rng *mathrand.Rand, sizes []int) []int {
	out := make([]int, len(sizes))
	for k, size := range sizes {
		out[k] = rng.IntN(size)
	}
	return out
}
