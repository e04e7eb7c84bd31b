package measure

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"chancery/cable"
)

// Real text may hold what drafts give a meaning to, repeat itself, or be too
// short for any quotation.
func TestArchiveReadsAnyText(t *testing.T) {
	cables := [][]string{
		{"We {do|don't} \\ know.", "Nor did 1,000 others -- or so; they said."},
		{"the the the the the the the the the the the the"},
		{"Comment:"},
		{"", "..."}, // no words: left out
		slices.Repeat([]string{"Café owners in the old town expect a quiet season, and the ministry does not contradict them."}, 30),
	}
	a := newArchive(100, cables)
	if len(a.real) != 4 {
		t.Fatalf("%d real cables, want 4", len(a.real))
	}
	for k := range a.size {
		p, err := a.prepare(noFault, k)
		if err != nil {
			t.Fatal(err)
		}
		if p.lattice.WordCount == 0 {
			t.Errorf("cable %d has no words", k)
		}
	}
	if q := a.quote(random("test", 0), 2, 25, 0); q != nil {
		t.Errorf("a cable of one word is quoted as %q", q)
	}
}

func TestArchiveTakesHalfFromRealCables(t *testing.T) {
	a := newArchive(10, slices.Repeat([][]string{{"one two"}}, 20))
	if len(a.real) != 5 {
		t.Errorf("%d real cables of 10, want 5", len(a.real))
	}
}

// Every wording of a cable can be quoted, and what is quoted is one.
func TestArchiveQuotesCopies(t *testing.T) {
	a := newArchive(3, nil)
	spots := a.cable(1)
	if !reflect.DeepEqual(spots, a.cable(1)) {
		t.Fatal("a cable is not the same twice")
	}
	d, err := cable.Parse(draftText(spots))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(d.Groups); n < madeWords/siteEvery/2 || n > 2*madeWords/siteEvery {
		t.Errorf("%d sites in %d words", n, madeWords)
	}
	empty, two := false, false
	for _, s := range d.Sites {
		for _, w := range s.Alternatives {
			empty, two = empty || w == "", two || strings.Contains(w, " ")
		}
	}
	if !empty || !two {
		t.Errorf("alternatives of no word: %v, of two: %v; want both", empty, two)
	}
	known := map[string]bool{}
	for _, s := range spots {
		for x := range s.wordings() {
			for _, w := range s.append(nil, x) {
				known[w] = true
			}
		}
	}
	rng, altered := random("test", 0), 0
	for range 200 {
		for _, w := range a.quote(rng, 1, 25, 0) {
			if !known[w] {
				t.Fatalf("%q is in no copy", w)
			}
		}
		for _, w := range a.quote(rng, 1, 25, alteredGoal) {
			if !known[w] {
				altered++
			}
		}
	}
	// A word drawn in another's place may be one of the cable's, and often is.
	if share := float64(altered) / (200 * 25); share < alteredGoal/4 || share > alteredGoal {
		t.Errorf("%.3f of the words are of no copy; about %g were altered", share, alteredGoal)
	}
}

// TestIndexTableWithRealCables judges both parts; the texts are the demo's.
func TestIndexTableWithRealCables(t *testing.T) {
	var cables [][]string
	for _, p := range strings.Split(string(draft(t)), "\n\n")[1:] {
		cables = append(cables, []string{strings.Repeat(p+" ", 3)})
	}
	table, err := Run(context.Background(), "index", Config{Scale: 0.004, Cables: cables})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, row := range table.Rows {
		names[row[0]] = true
	}
	if !names["real"] || !names["made up"] || len(table.Checks) != 3 {
		t.Errorf("parts %v and %d checks; want two, and three checks", names, len(table.Checks))
	}
}

func TestIndexTableSaysWhatItLeavesOut(t *testing.T) {
	table, err := Run(context.Background(), "index", Config{Scale: 0.004})
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(table.Notes, "\n")
	for _, want := range []string{"No real cables were given", "its size is not judged here"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note says %q:\n%s", want, notes)
		}
	}
}

// An index that knows the record text alone misses quotations of other copies.
func TestIndexTableCanFail(t *testing.T) {
	table, err := Run(context.Background(), "index", Config{Scale: 0.004, fault: oneWording})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(table.Checks)
	if table.OK() {
		t.Error("the mistake went unnoticed")
	}
}
