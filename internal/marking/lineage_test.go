package marking_test

import (
	"crypto/sha256"
	"errors"
	"slices"
	"testing"

	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/keylist"
	"chancery/internal/seal"
	"chancery/internal/seal/kit"
	"chancery/internal/sign"
)

// correct composes a cable that corrects another; kept says which choice of that each is,
// from 1.
func (w *town) correct(before *sent, kept func(g keylist.Group) int, to ...string) *sent {
	w.t.Helper()
	c := w.compose(to...)
	for j := range c.segments {
		for i, g := range c.segments[j].Groups {
			c.segments[j].Groups[i].Kept = kept(g)
		}
	}
	var err error
	c.built, err = kit.Build(c.body.Cable, c.segments)
	w.must(err)
	c.body.Previous = before.body.Cable
	c.body.Root, c.body.Kit = entries.Digest(c.built.Envelope.Root), sha256.Sum256(c.built.Kit)
	w.seal(c)
	return c
}

// all keeps every choice.
func all(g keylist.Group) int { return g.Number + 1 }

// but keeps every choice but one.
func but(changed int) func(keylist.Group) int {
	return func(g keylist.Group) int {
		if g.Number == changed {
			return 0
		}
		return g.Number + 1
	}
}

// issueIt releases a cable that was composed and lets the desk issue it.
func (w *town) issueIt(c *sent) *sent {
	w.t.Helper()
	c.seen = w.log1(entries.KindRelease, c.body, "ada")
	statement, err := w.desk.Release(c.seen, c.order)
	w.must(err)
	w.must(sign.Open(statement, entries.KindIssue, &c.issued, w.key("marking").Public()))
	c.issue = w.logged(statement)
	w.must(w.desk.Logged(c.issue))
	return c
}

// choices returns what a reader's copy of a cable has in each group, from the boxes that
// their keys open.
func (w *town) choices(c *sent, person string) []int {
	w.t.Helper()
	out, err := w.desk.Deliver(w.receipt(c, person))
	w.must(err)
	w.read(c, person, out.Sealed) // the keys are what was issued, and open the kit
	data, err := seal.Open(out.Sealed, w.id(person))
	w.must(err)
	d, err := entries.ParseDelivery(data)
	w.must(err)
	list, err := keylist.ParseList(d.List)
	w.must(err)
	return chosen(c, list)
}

// chosen reads the choices from the boxes of a key list.
func chosen(c *sent, list keylist.List) []int {
	word := make([]int, len(c.built.Envelope.Sizes()))
	for j, s := range c.built.Envelope.Segments {
		k := slices.Index(s.Order[:], list[j].Box)
		for _, g := range s.Groups {
			word[g.Number], k = k%g.Size, k/g.Size
		}
	}
	return word
}

// archived asks for a copy of a cable from the archive and returns its choices.
func (w *town) archived(c *sent, person string, restart func(*town)) []int {
	w.t.Helper()
	ask := w.log1(entries.KindArchive, entries.Archive{Cable: c.body.Cable, Release: c.seen.Index, Office: "centre.desk", Tenure: "t-" + person}, person)
	late, err := w.desk.Archive(ask)
	w.must(err)
	at := w.logged(late.Statement)
	w.must(w.desk.Logged(at))
	restart(w)
	out, err := w.desk.Deliver(w.receipt(c, person, func(r *entries.Receipt) { r.Copy, r.Issue = late.Copy.ID, at.Index }))
	w.must(err)
	data, err := seal.Open(out.Sealed, w.id(person))
	w.must(err)
	d, err := entries.ParseDelivery(data)
	w.must(err)
	list, err := keylist.ParseList(d.List)
	w.must(err)
	var issue entries.Issue
	w.must(sign.Open(late.Statement, entries.KindIssue, &issue, w.key("marking").Public()))
	if !d.Verify(&issue, late.Copy.ID, list.Root()) {
		w.t.Errorf("the keys of %s's late copy are not what was issued", person)
	}
	return chosen(c, list)
}

func without(word []int, g int) []int { return slices.Delete(slices.Clone(word), g, g+1) }

// TestLineage: whoever reads a cable and what corrects it reads what was not corrected in
// one wording, whatever came between and in whatever order they got the copies; the rest
// is drawn anew.
func TestLineage(t *testing.T) {
	for name, restart := range map[string]func(*town){"running": func(*town) {}, "restarted": (*town).reopen} {
		t.Run(name, func(t *testing.T) { lineage(t, restart) })
	}
}

func lineage(t *testing.T, restart func(*town)) {
	const changed = 2
	w := newTown(t)
	w.ready(4, custodians...)
	same := func(what string, a, b []int) {
		t.Helper()
		if !slices.Equal(a, b) {
			t.Errorf("%s: %v, and %v", what, a, b)
		}
	}
	first := w.send("bo", "cy")
	bo, cy := w.choices(first, "bo"), w.choices(first, "cy")
	restart(w)
	second := w.issueIt(w.correct(first, but(changed), "bo"))
	bo2 := w.choices(second, "bo")
	same("bo's correction", without(bo, changed), without(bo2, changed))
	same("bo's first again", bo, w.choices(first, "bo"))
	third := w.issueIt(w.correct(second, all, "bo", "cy", "di"))
	same("bo's third", bo2, w.choices(third, "bo"))
	di3 := w.choices(third, "di")
	cy3 := w.choices(third, "cy")
	same("cy's third, who did not get the second", without(cy, changed), without(cy3, changed))
	same("di's late first", without(di3, changed), without(w.archived(first, "di", restart), changed))
	same("cy's late second", cy3, w.archived(second, "cy", restart))
	fourth := w.issueIt(w.correct(first, all, "bo", "cy", "di"))
	restart(w)
	same("bo's other correction", bo, w.choices(fourth, "bo"))
	same("cy's other correction", cy, w.choices(fourth, "cy"))
	same("bo's third again", bo2, w.choices(third, "bo"))
}

// TestLineageDrawsAnew: what a correction changes is drawn anew for everybody, and what it
// keeps is drawn for who did not have it, independently of what others have.
func TestLineageDrawsAnew(t *testing.T) {
	const changed, rounds = 2, 40
	w := newTown(t)
	w.ready(2*rounds, custodians...)
	var again int
	var agree, sizes []int
	for range rounds {
		first := w.send("bo")
		second := w.issueIt(w.correct(first, but(changed), "bo", "di"))
		bo, bo2, di := w.choices(first, "bo"), w.choices(second, "bo"), w.choices(second, "di")
		if sizes = second.built.Envelope.Sizes(); agree == nil {
			agree = make([]int, len(sizes))
		}
		for g := range sizes {
			if bo2[g] == di[g] {
				agree[g]++
			}
		}
		if bo[changed] == bo2[changed] {
			again++
		}
	}
	chance := func(what string, n, size int) {
		t.Helper()
		p := 1 / float64(size)
		if abs(float64(n)-rounds*p) > 5*sqrt(rounds*p*(1-p)) {
			t.Errorf("%s agree %d times of %d", what, n, rounds)
		}
	}
	chance("bo's old and new choice", again, sizes[changed])
	for g, n := range agree {
		chance("bo and di", n, sizes[g])
	}
}

// TestLineageRefused: corrections of what was not issued, of another office's, and orders
// that keep what is not there.
func TestLineageRefused(t *testing.T) {
	w := newTown(t)
	w.ready(3, custodians...)
	first := w.send("bo", "cy")
	for name, tt := range map[string]struct {
		change func(*entries.Release)
		want   fault.Kind
	}{
		"of nothing":          {func(r *entries.Release) { r.Previous = randomID() }, fault.NotFound},
		"of itself":           {func(r *entries.Release) { r.Previous = r.Cable }, fault.Input},
		"of what is no cable": {func(r *entries.Release) { r.Previous = "x" }, fault.Input},
	} {
		c := w.correct(first, all, "bo")
		tt.change(&c.body)
		if _, err := w.desk.Release(w.log1(entries.KindRelease, c.body, "ada"), c.order); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := w.correct(first, all, "cy")
	other.body.Office, other.body.Tenure = "centre.desk", "t-bo"
	if _, err := w.desk.Release(w.log1(entries.KindRelease, other.body, "bo"), other.order); !errors.Is(err, fault.Permission) {
		t.Errorf("by another office: %v", err)
	}
	if w.desk.Usable() != 2 {
		t.Fatal("a refused release spent a draw")
	}
	void := func(name string, c *sent) {
		t.Helper()
		statement, err := w.desk.Release(w.log1(entries.KindRelease, c.body, "ada"), c.order)
		w.must(err)
		var body entries.Void
		if err := sign.Open(statement, entries.KindVoid, &body, w.key("marking").Public()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		w.reopen()
	}
	void("choices that are not there", w.correct(first, func(g keylist.Group) int { return g.Number + 100 }, "bo"))
	shifted := w.correct(first, func(g keylist.Group) int { return (g.Number+1)%len(first.built.Envelope.Sizes()) + 1 }, "bo")
	void("choices of another size", shifted)
}
