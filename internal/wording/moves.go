package wording

import (
	"slices"
	"strings"
)

// A move is a proposal that takes code: it looks at the shape of a sentence
// around word i and returns what it would write for the words [from, to).
type move struct {
	id, class string
	link      string // joins all its places in a cable, if not empty
	any       bool   // holds in instructions too
	owner     bool   // may take in a name, which it leaves as it is
	find      func(words []word, i int) (from, to int, alts []string)
}

// allMoves lists the moves; the order does not matter.
var allMoves = slices.Concat(relativeMoves, adverbMoves, phraseMoves, genitiveMoves, orderMoves, houseMoves)

// moves finds what code offers in one sentence.
func moves(p *page, n int) []candidate {
	s := &p.sentences[n]
	var out []candidate
	for i := range s.words {
		if s.words[i].quoted {
			continue
		}
		for k := range allMoves {
			m := &allMoves[k]
			if s.instruction && !m.any {
				continue
			}
			if c, ok := m.candidate(p, n, i); ok {
				out = append(out, c)
			}
		}
	}
	return out
}

// houseWord says whether a word that is fixed otherwise is open to house style:
// figures and months, written in another way.
func houseWord(w word) bool { return (w.tag == "CD" || months[w.lower]) && !w.quoted }

// candidate tries a move at one word.
func (m *move) candidate(p *page, n, i int) (candidate, bool) {
	words := p.sentences[n].words
	from, to, alts := m.find(words, i)
	if len(alts) == 0 || from < 0 || to > len(words) {
		return candidate{}, false
	}
	for _, w := range words[from:to] {
		if w.quoted || w.fixed && !m.owner && !(isHouse(m.class) && houseWord(w)) {
			return candidate{}, false
		}
	}
	c := candidate{from: words[from].start, to: words[to-1].end, sentence: n, link: m.link}
	for _, a := range alts {
		c.alts = append(c.alts, alternative{text: a, id: m.id, class: m.class})
	}
	return c, true
}

// text joins the words [from, to) as they stand, single spaces between.
func text(words []word, from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		if i > from && words[i].start > words[i-1].end {
			b.WriteByte(' ')
		}
		b.WriteString(words[i].text)
	}
	return b.String()
}

// low is text with its first letter small, unless it is "I".
func low(words []word, from, to int) string {
	t := text(words, from, to)
	if t == "" || words[from].lower == "i" {
		return t
	}
	return strings.ToLower(t[:1]) + t[1:]
}

// is says whether word i exists and is one of those named.
func is(words []word, i int, names ...string) bool {
	return i >= 0 && i < len(words) && slices.Contains(names, words[i].lower)
}

// in says whether word i exists and belongs to a set.
func in(words []word, i int, names map[string]bool) bool {
	return i >= 0 && i < len(words) && names[words[i].lower]
}

// tagged says whether word i exists and has one of the classes named.
func tagged(words []word, i int, classes ...string) bool {
	if i < 0 || i >= len(words) {
		return false
	}
	for _, c := range classes {
		if hasTag(words[i], c) {
			return true
		}
	}
	return false
}

// ends says whether the sentence, or a clause that a mark closes, ends at i.
func ends(words []word, i int) bool { return i >= len(words) || tagged(words, i, "PUNCT") }
