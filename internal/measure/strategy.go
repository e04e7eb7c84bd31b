package measure

import (
	"math/rand/v2"
	"strings"

	"chancery/trace"
)

// A strategy is what a source does with the copies of one to three readers
// before the words reach a newspaper. It returns the words to print.
type strategy struct {
	name    string
	members int
	leak    func(rng *rand.Rand, s *scene, copies [][]int) []word
}

// strategies are those of the table innocents.
var strategies = []strategy{
	{"one copy", 1, func(_ *rand.Rand, s *scene, copies [][]int) []word { return s.copyWords(copies[0]) }},
	{"interleave two", 2, attacking(trace.Interleave)},
	{"interleave three", 3, attacking(trace.Interleave)},
	{"majority of three", 3, attacking(trace.Majority)},
	{"minority of three", 3, attacking(trace.Minority)},
	{"coin-flip of three", 3, attacking(trace.Coin)},
	{"all-one of two", 2, attacking(trace.AllOne)},
	{"all-one of three", 3, attacking(trace.AllOne)},
	{"in turn, two", 2, inTurn},
	{"wording of nobody", 0, nobody},
	{"swaps to frame", 1, framing},
	{"knows the law: rarest seen", 3, rarest},
	{"knows the rule: best sites only", 1, bestSites},
	{"two wordings at once", 2, bothAtOnce},
	{"words of no alternative", 1, foreign},
}

func attacking(a trace.Attack) func(*rand.Rand, *scene, [][]int) []word {
	return func(rng *rand.Rand, s *scene, copies [][]int) []word {
		return s.copyWords(combine(rng, a, copies, s.sizes))
	}
}

func inTurn(_ *rand.Rand, s *scene, copies [][]int) []word {
	y := make([]int, len(s.sizes))
	for g := range y {
		y[g] = copies[g%len(copies)][g]
	}
	return s.copyWords(y)
}

func nobody(rng *rand.Rand, s *scene, _ [][]int) []word {
	return s.copyWords(codeword(rng, s.sizes))
}

// framing swaps a third of the words for others that the copy does not hold,
// in the hope that they are those of one chosen reader.
func framing(rng *rand.Rand, s *scene, copies [][]int) []word {
	y := append([]int(nil), copies[0]...)
	for g, q := range s.sizes {
		if rng.IntN(3) == 0 {
			y[g] = (y[g] + 1 + rng.IntN(q-1)) % q
		}
	}
	return s.copyWords(y)
}

// rarest prints, at every site, an alternative that the fewest of the copies
// hold, none of them if possible: the law of the draws is uniform, so that is
// all that knowing it gives.
func rarest(rng *rand.Rand, s *scene, copies [][]int) []word {
	y := make([]int, len(s.sizes))
	for g, q := range s.sizes {
		counts := make([]int, q)
		for _, c := range copies {
			counts[c[g]]++
		}
		y[g] = rng.IntN(q)
		for x := range counts {
			if counts[x] < counts[y[g]] {
				y[g] = x
			}
		}
	}
	return s.copyWords(y)
}

// bestSites leaves out the words of sites with two alternatives and keeps
// those where one agreement counts most.
func bestSites(_ *rand.Rand, s *scene, copies [][]int) []word {
	return s.words(func(site int) string {
		x := s.draft.Sites[site]
		if len(x.Alternatives) == 2 {
			return ""
		}
		return x.Alternatives[copies[0][x.Group]]
	})
}

// bothAtOnce prints the words of two copies side by side where they differ.
func bothAtOnce(_ *rand.Rand, s *scene, copies [][]int) []word {
	return s.words(func(site int) string {
		x := s.draft.Sites[site]
		a, b := copies[0][x.Group], copies[1][x.Group]
		if a == b {
			return x.Alternatives[a]
		}
		return x.Alternatives[a] + " " + x.Alternatives[b]
	})
}

// foreign breaks the marking assumption: half the sites print words that no
// copy has, some of them near misses of an alternative.
func foreign(rng *rand.Rand, s *scene, copies [][]int) []word {
	return s.words(func(site int) string {
		x := s.draft.Sites[site]
		mine := x.Alternatives[copies[0][x.Group]]
		switch rng.IntN(4) {
		case 0:
			return inserted[rng.IntN(len(inserted))]
		case 1:
			return strings.Replace(x.Alternatives[rng.IntN(len(x.Alternatives))], "e", "o", 1)
		}
		return mine
	})
}
