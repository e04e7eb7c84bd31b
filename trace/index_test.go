package trace

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"chancery/cable"

	"pgregory.net/rapid"
)

// Among 100,000 cables, and on real ones, the index is measured by package
// measure: chancery measure index.

// numbered returns cable k of a series: 100 words, each eighth a site.
func numbered(t testing.TB, k int) *cable.Draft {
	rng := rand.New(rand.NewPCG(uint64(k), 7))
	words := make([]string, 100)
	for i := range words {
		words[i] = someWord(rng)
		if i%8 == 4 {
			words[i] = fmt.Sprintf("{a%d|b%d c%d|}", i, i, i)
		}
	}
	return parsed(t, strings.Join(words, " "))
}

func someWord(rng *rand.Rand) string { return fmt.Sprint("w", rng.IntN(300)) }

func parsed(t testing.TB, body string) *cable.Draft {
	d, err := cable.Parse([]byte("Subject: x\n\n" + body + "\n"))
	if err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	return d
}

// indexOf indexes the first cables of the series.
func indexOf(t testing.TB, cables int) *Index {
	b := NewIndexBuilder()
	for k := range cables {
		b.Add(numbered(t, k).Lattice())
	}
	return b.Build()
}

// quoted returns n words of some copy of a draft, the given share altered.
func quoted(rng *rand.Rand, d *cable.Draft, n int, altered float64) []string {
	choices := make([]int, len(d.Groups))
	for i, g := range d.Groups {
		choices[i] = rng.IntN(g.Size)
	}
	words := cable.Words(d.RenderParagraph(0, choices))
	words = words[rng.IntN(len(words)-n+1):][:n]
	for i := range words {
		if rng.Float64() < altered {
			words[i] = someWord(rng)
		}
	}
	return words
}

// found returns how many of 200 quotations have their cable as first hit.
func found(t testing.TB, x *Index, cables, words int, altered float64) int {
	rng := rand.New(rand.NewPCG(uint64(words), 3))
	n := 0
	for range 200 {
		k := rng.IntN(cables)
		hits := x.Lookup(quoted(rng, numbered(t, k), words, altered), 1)
		if len(hits) > 0 && hits[0].Cable == k {
			n++
		}
	}
	return n
}

func TestIndexFindsQuotations(t *testing.T) {
	const cables = 150
	x := indexOf(t, cables)
	if got := found(t, x, cables, 25, 0.08); got < 196 {
		t.Errorf("found %d of 200 quotations of 25 words, 8 %% altered; want 196", got)
	}
	if got := found(t, x, cables, 4, 0); got < 190 {
		t.Errorf("found %d of 200 quotations of 4 words; want 190: a small archive is indexed whole", got)
	}
}

// Every path is known: each copy's every gram is found, empty alternatives
// and touching sites included.
func TestIndexKnowsEveryPath(t *testing.T) {
	word := rapid.StringMatching(`[a-e]{1,2}`)
	alternatives := rapid.SliceOfNDistinct(rapid.OneOf(word, rapid.Just(""), rapid.StringMatching(`[a-e] [a-e]`)), 1, 4, rapid.ID)
	rapid.Check(t, func(rt *rapid.T) {
		var spots []string
		for _, s := range rapid.SliceOfN(alternatives, 1, 12).Draw(rt, "spots") {
			if spots = append(spots, s[0]); len(s) > 1 {
				spots[len(spots)-1] = "{" + strings.Join(s, "|") + "}"
			}
		}
		text := "Subject: x\n\n" + strings.Join(spots, " ") + " end\n"
		d, err := cable.Parse([]byte(text))
		if err != nil {
			rt.Skip()
		}
		b := NewIndexBuilder()
		b.Add(d.Lattice())
		x := b.Build()
		choices := make([]int, len(d.Groups))
		for i := range choices {
			choices[i] = rapid.IntRange(0, d.Groups[i].Size-1).Draw(rt, "choice")
		}
		words := cable.Words(d.RenderParagraph(0, choices))
		for i := range len(words) - gramWords + 1 {
			if hits := x.Lookup(words[i:i+gramWords], 1); len(hits) != 1 || hits[0].Grams != 1 {
				rt.Fatalf("%q of %q gives %v", words[i:i+gramWords], text, hits)
			}
		}
	})
}

func TestIndexLeavesOutOtherWords(t *testing.T) {
	b := NewIndexBuilder()
	b.Add(parsed(t, "one two {three|four} five six").Lattice())
	x := b.Build()
	if hits := x.Lookup([]string{"one", "two", "five", "six"}, 1); hits != nil {
		t.Errorf("a site skipped over gives %v", hits)
	}
	if hits := x.Lookup([]string{"two", "four", "five", "six"}, 1); len(hits) != 1 {
		t.Errorf("a copy's own words give %v", hits)
	}
}

func TestIndexLeavesOutBoilerplate(t *testing.T) {
	for _, n := range []int{commonGram, commonGram + 1} {
		b := NewIndexBuilder()
		for k := range n {
			b.Add(parsed(t, fmt.Sprintf("we have the honour to report item%d end", k)).Lattice())
		}
		x := b.Build()
		if got, want := len(x.Lookup(cable.Words("we have the honour"), n)), n%(commonGram+1); got != want {
			t.Errorf("%d cables: boilerplate gives %d hits, want %d", n, got, want)
		}
		if hits := x.Lookup(cable.Words("have the honour to report item9"), n); len(hits) == 0 || hits[0].Cable != 9 {
			t.Errorf("%d cables: rare words give %v", n, hits)
		}
	}
}

func TestIndexIsDeterministic(t *testing.T) {
	x, y := indexOf(t, 50), indexOf(t, 50)
	if !slices.Equal(x.starts, y.starts) || !slices.Equal(x.postings, y.postings) {
		t.Error("two builds differ")
	}
	// A change of hash breaks nothing by itself, but must be meant.
	if got, want := [3]uint32{x.starts[1], x.postings[0], x.postings[1]}, ([3]uint32{8, 7702230, 976985048}); got != want {
		t.Errorf("the index begins with %d, want %d", got, want)
	}
	// Each gram is in one of the 50 cables: log2(51) is 91/16 bit.
	if got, want := x.Lookup(quoted(rand.New(rand.NewPCG(1, 1)), numbered(t, 7), 25, 0), 1), (Hit{Cable: 7, Grams: 22, Rarity: 22 * 91}); len(got) != 1 || got[0] != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The story: a draft is written to exhaust who indexes it. Sixteen sites in a
// row of sixteen alternatives each, one of them empty, have 16^16 wordings.
func TestIndexBoundsHostileDrafts(t *testing.T) {
	l := parsed(t, "first "+strings.Repeat("{a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|} ", 200)+"last").Lattice()
	b := NewIndexBuilder()
	b.Add(l)
	if most := pathSteps * l.WordCount; b.walk.steps < 0 || len(b.walk.grams) > most {
		t.Errorf("%d grams of %d words, want at most %d", len(b.walk.grams), l.WordCount, most)
	}
	if b.walk.budget != pathSteps && b.walk.budget*len(l.Nodes) > cableSteps {
		t.Errorf("%d steps a word for %d nodes", b.walk.budget, len(l.Nodes))
	}
	if hits := b.Build().Lookup(cable.Words("a a a a a a"), 1); len(hits) != 1 {
		t.Errorf("the first alternatives give %v", hits)
	}
}

func TestIndexThinsLargeArchives(t *testing.T) {
	const cables = 150
	whole, thin := NewIndexBuilder(), NewIndexBuilder()
	for k := range cables {
		l := numbered(t, k).Lattice()
		whole.Add(l)
		thin.Add(l)
		if k == cables/2 {
			thin.thin()
		}
	}
	share := float64(thin.grams) / float64(whole.grams)
	if want := keptOf256 / 256.0; share < want-0.02 || share > want+0.02 {
		t.Errorf("kept %.3f of the grams, want %.3f", share, want)
	}
	// Cables added before thinning and after are sampled alike.
	x := thin.Build()
	if x.Kept() != keptOf256/256.0 || whole.Build().Kept() != 1 {
		t.Errorf("a thinned index keeps %v", x.Kept())
	}
	if got := found(t, x, cables, 25, 0); got < 196 {
		t.Errorf("found %d of 200, want 196", got)
	}
}

// One allocation is the result; the race detector makes pools forget some of
// what they hold. Without its pool a look-up makes eight.
func TestLookupAllocatesLittle(t *testing.T) {
	x := indexOf(t, 20)
	words := quoted(rand.New(rand.NewPCG(1, 1)), numbered(t, 7), 25, 0)
	x.Lookup(words, 8)
	if got := testing.AllocsPerRun(100, func() { x.Lookup(words, 8) }); got > 4 {
		t.Errorf("%v allocations a look-up", got)
	}
}
