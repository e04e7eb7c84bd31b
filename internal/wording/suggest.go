package wording

import (
	"slices"
	"strings"
	"unicode"

	"chancery/cable"
)

// A Suggestion is a wording that somebody else proposes for some words of a
// draft: a language model, which is not trusted to have read the draft with
// care. It goes before the author only if Propose finds that it leaves alone
// what must be left alone.
type Suggestion struct {
	Paragraph   int    `json:"paragraph"` // 0-based
	Original    string `json:"original"`  // words of the paragraph
	Alternative string `json:"alternative"`
}

// Limits of a suggestion, in bytes: a longer one is not another wording.
const (
	maxSuggestion = 200
	maxGrowth     = 40
)

// Paragraphs returns the text of each paragraph of a draft, for others to
// suggest wordings for.
func Paragraphs(draft []byte) ([]string, error) {
	_, placed, err := cable.ParsePlaced(draft)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(placed))
	for i := range placed {
		out[i] = placed[i].Text
	}
	return out, nil
}

// suggested turns suggestions into candidates, those that can be trusted to
// change words and nothing else.
func (p *page) suggested(suggestions []Suggestion) []candidate {
	var out []candidate
	for _, s := range suggestions {
		from := strings.Index(p.Text, s.Original)
		if s.Original == "" || from < 0 {
			continue
		}
		c := candidate{from: from, to: from + len(s.Original), sentence: p.sentenceAt(from)}
		if c.sentence < 0 || !p.harmless(c, s.Alternative) {
			continue
		}
		c.alts = []alternative{{text: s.Alternative, id: "model", class: "word.model"}}
		out = append(out, c)
	}
	return out
}

// sentenceAt returns the index of the sentence that holds a byte, or -1.
func (p *page) sentenceAt(at int) int {
	return slices.IndexFunc(p.sentences, func(s sentence) bool { return s.start <= at && at < s.end })
}

// harmless says whether an alternative from outside keeps to its words: the
// place is made of whole words of one sentence, all ours to vary and not an
// order, and the alternative has the same figures, names, negations and modal
// verbs, no marks of its own and about the same length.
func (p *page) harmless(c candidate, alternative string) bool {
	s := p.sentences[c.sentence]
	first, last := wordsIn(s.words, c.from, c.to)
	if first < 0 || s.instruction || s.words[first].start != c.from || s.words[last].end != c.to {
		return false
	}
	for _, w := range s.words[first : last+1] {
		if w.fixed {
			return false
		}
	}
	if len(alternative) > maxSuggestion || len(alternative) > 2*(c.to-c.from)+maxGrowth || strings.TrimSpace(alternative) != alternative {
		return false
	}
	if strings.ContainsFunc(alternative, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" ,'’-", r)
	}) {
		return false
	}
	return slices.Equal(bound(p.Text[c.from:c.to], first == 0), bound(alternative, first == 0))
}

// boundWords must be the same in both wordings: negations, modal verbs and what
// says how many or how sure.
var boundWords = set(`not no never nor neither none nobody nothing nowhere n't cannot without hardly scarcely barely
	can could may might must shall should will would ought need dare
	all some any every each few many several most both half only first last more less least
	if unless until always sometimes often perhaps maybe probably possibly certainly`)

// bound returns what a wording must keep: figures, names and bound words, in
// order.
func bound(text string, opens bool) []string {
	var out []string
	for i, w := range cut(text) {
		name := isName(w.text) && !(opens && i == 0) && w.lower != "i"
		figure := strings.ContainsFunc(w.text, unicode.IsDigit) || slices.Contains(numberWords, w.lower)
		if name || figure || boundWords[w.lower] {
			out = append(out, w.lower)
		}
	}
	return out
}
