package wording

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Slot is a place in a quotable sentence where the author is asked for other
// wordings of his own.
type Slot struct {
	Start  int    `json:"start"` // byte offsets in the file
	End    int    `json:"end"`
	Text   string `json:"text"`   // what stands there
	Offset int    `json:"offset"` // where it begins in the sentence, in bytes
}

const (
	// slotEvery is the number of words for each slot: at least three then fall into
	// any twenty words, about 6 bits with four wordings each.
	slotEvery = 6.0
	minSlots  = 3
	slotWords = 3 // a slot has at most so many words
)

// slots chooses where the author is asked: about one place in six words, the
// words that draw the eye before others, none that is not ours to vary.
func (p *page) slots(s sentence) []Slot {
	free := freeWords(s.words)
	n := max(minSlots, int(math.Ceil(float64(len(s.words))/slotEvery)))
	var out []Slot
	last := 0 // words before it are taken
	for k := range n {
		from, to := max(last, k*len(s.words)/n), (k+1)*len(s.words)/n
		a, b := bestSpan(s.words, free, from, to)
		if a < 0 {
			continue
		}
		start, end := s.words[a].start, s.words[b-1].end
		out = append(out, Slot{p.From[start], p.To[end-1], p.Text[start:end], start - s.start})
		last = b + 1
	}
	return out
}

// freeWords says which words an author may reword: no names, figures, quoted
// words and marks.
func freeWords(words []word) []bool {
	free := make([]bool, len(words))
	for i, w := range words {
		r, _ := utf8.DecodeRuneInString(w.text)
		free[i] = !w.fixed && unicode.IsLetter(r) && w.lower != "not" && w.lower != "never"
	}
	return free
}

// bestSpan returns the words in [from, to) that are most worth rewording.
func bestSpan(words []word, free []bool, from, to int) (int, int) {
	best, a, b := 0.0, -1, -1
	for i := from; i < to; i++ {
		for j := i + 1; j <= min(to, i+slotWords) && free[j-1]; j++ {
			if v := spanValue(words, i, j); v > best {
				best, a, b = v, i, j
			}
		}
	}
	return a, b
}

// spanValue weighs a span by its words: those that draw the eye, then
// adjectives, verbs, nouns and adverbs. It begins and ends with such a word.
func spanValue(words []word, from, to int) float64 {
	if wordValue(words, from) == 0 || wordValue(words, to-1) == 0 {
		return 0
	}
	sum := 0.0
	for i := from; i < to; i++ {
		sum += wordValue(words, i)
	}
	return sum / math.Sqrt(float64(to-from))
}

func wordValue(words []word, i int) float64 {
	w := words[i]
	for _, c := range cues[cueKey(w.lower)] {
		if len(c.words) == 1 && c.match(words, i) > 0 && weights[c.kind] >= 1.5 {
			return 4
		}
	}
	switch {
	case plainWords[w.lower] || auxiliary[w.lower]:
		return 0
	case strings.HasPrefix(w.tag, "JJ"):
		return 3
	case strings.HasPrefix(w.tag, "VB"):
		return 2.5
	case w.tag == "NN" || w.tag == "NNS":
		return 2
	case strings.HasPrefix(w.tag, "RB"):
		return 1.5
	}
	return 0
}
