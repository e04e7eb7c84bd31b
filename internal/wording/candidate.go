package wording

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"chancery/cable"
)

// A candidate is a place in a paragraph with the wordings that rules and moves
// find for it, before they are tried in their sentence.
type candidate struct {
	from, to int // byte offsets in the paragraph
	sentence int // index in the paragraph
	alts     []alternative
	link     string
}

type alternative struct {
	text   string
	id     string  // of the rule or move
	class  string  // such as "word.verb"
	accept float64 // the chance that the author takes it
}

// worth is what the candidate is expected to bring: wordings that may be
// struck count less, and house style, which editors undo, least.
func (c *candidate) worth() float64 {
	sum := 0.0
	for _, a := range c.alts {
		if isHouse(a.class) {
			sum += a.accept / 16
		} else {
			sum += a.accept
		}
	}
	return math.Log2(1 + sum)
}

func isHouse(class string) bool { return strings.HasPrefix(class, "house.") }

// maxOffered is how many alternatives one place shows at most: more than an
// author reads at a glance are no help.
const maxOffered = 6

// merge puts candidates of the same words together, the likeliest wordings
// first.
func merge(cands []candidate) []candidate {
	slices.SortStableFunc(cands, func(a, b candidate) int { return cmp.Or(a.from-b.from, a.to-b.to) })
	var out []candidate
	for _, c := range cands {
		if n := len(out); n > 0 && out[n-1].from == c.from && out[n-1].to == c.to && out[n-1].link == c.link {
			out[n-1].add(c.alts)
			continue
		}
		out = append(out, candidate{from: c.from, to: c.to, sentence: c.sentence, link: c.link})
		out[len(out)-1].add(c.alts)
	}
	for i := range out {
		slices.SortStableFunc(out[i].alts, func(a, b alternative) int { return cmp.Compare(b.accept, a.accept) })
	}
	return out
}

// add takes over alternatives that are not there yet.
func (c *candidate) add(alts []alternative) {
	for _, a := range alts {
		if !slices.ContainsFunc(c.alts, func(b alternative) bool { return sameWords(a.text, b.text) }) {
			c.alts = append(c.alts, a)
		}
	}
}

// sameWords says whether two texts are one to the tracer.
func sameWords(a, b string) bool {
	return a == b || sameLetters(a, b) && slices.Equal(cable.Words(a), cable.Words(b))
}

// sameLetters says whether two texts have the same letters and figures in the
// same order; texts beyond ASCII may. It spares most texts a closer look.
func sameLetters(a, b string) bool {
	i, j := 0, 0
	for {
		x, y := letterAt(a, &i), letterAt(b, &j)
		switch {
		case x >= utf8.RuneSelf || y >= utf8.RuneSelf:
			return true
		case x != y:
			return false
		case x == 0:
			return true
		}
	}
}

// letterAt returns the next letter or figure in lower case and steps over it,
// 0 at the end.
func letterAt(text string, i *int) byte {
	for *i < len(text) {
		c := text[*i]
		*i++
		switch {
		case 'A' <= c && c <= 'Z':
			return c + 'a' - 'A'
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c >= utf8.RuneSelf:
			return c
		}
	}
	return 0
}

// schedule keeps, of candidates that overlap, those that are worth most
// together (weighted interval scheduling). Places that touch count as
// overlapping: a word must stay between two sites.
func schedule(cands []candidate) []candidate {
	slices.SortStableFunc(cands, func(a, b candidate) int { return a.to - b.to })
	best := make([]float64, len(cands)+1) // best[i]: of the first i
	for i := range cands {
		best[i+1] = max(best[i], best[compatible(cands, i)]+cands[i].worth())
	}
	var out []candidate
	for i := len(cands); i > 0; {
		if best[i] == best[i-1] {
			i--
			continue
		}
		out = append(out, cands[i-1])
		i = compatible(cands, i-1)
	}
	slices.Reverse(out)
	return out
}

// compatible returns how many candidates end before candidate i begins.
func compatible(cands []candidate, i int) int {
	n, _ := slices.BinarySearchFunc(cands[:i], cands[i].from, func(c candidate, from int) int {
		if c.to < from {
			return -1
		}
		return 1
	})
	return n
}
