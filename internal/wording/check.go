package wording

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"chancery/cable"
)

// A page is a paragraph under consideration.
type page struct {
	*cable.Placed
	sentences []sentence
	pointed   [][]string // see pointedAfter
	capitals  bool       // all of it is in capitals: nothing shows which words are names
}

// fit tries every alternative of a candidate in its whole sentence, mends what
// follows from it (the article before it, the capital) and strikes what does
// not read: a word twice, no change.
func (p *page) fit(c candidate) (candidate, bool) {
	s := &p.sentences[c.sentence]
	first, last := wordsIn(s.words, c.from, c.to)
	if first < 0 {
		return c, false
	}
	original := p.Text[c.from:c.to]
	opens := opensAt(s.words, first)
	kept := c.alts[:0:0]
	for _, a := range c.alts {
		if opens && a.text == "" {
			continue // the word after it has no capital
		}
		if !sameWords(a.text, original) && !doubled(s.words, first, last, a.text) && !repeats(s.words, first, last, original, a.text) &&
			!p.takenUp(c.sentence, original, a.text) && !(attributive(s.words, first, last) && begins(a.text)) {
			kept = append(kept, a)
		}
	}
	c.alts = kept
	p.mendCapitals(&c, opens)
	p.widenForDrop(&c)
	p.widenForArticle(&c, s.words, first)
	if p.capitals && strings.ToUpper(p.Text[c.from:c.to]) == p.Text[c.from:c.to] {
		for i, a := range c.alts {
			c.alts[i].text = strings.ToUpper(a.text)
		}
	}
	return c, len(kept) > 0
}

// wordsIn returns the first and last word that stand in the bytes [from, to).
func wordsIn(words []word, from, to int) (first, last int) {
	first, last = -1, -1
	for i, w := range words {
		if w.start >= from && w.end <= to {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	return first, last
}

// mendCapitals gives the alternatives the capital that a sentence begins with.
func (p *page) mendCapitals(c *candidate, opens bool) {
	if !opens || !isName(p.Text[c.from:c.to]) {
		return
	}
	for i, a := range c.alts {
		if a.text != "" {
			c.alts[i].text = capitalize(a.text)
		}
	}
}

// widenForDrop takes in the space after the words where an alternative drops
// them.
func (p *page) widenForDrop(c *candidate) {
	drops := false
	for _, a := range c.alts {
		drops = drops || a.text == ""
	}
	if !drops || c.to >= len(p.Text) || p.Text[c.to] != ' ' {
		return
	}
	c.to++
	for i, a := range c.alts {
		if a.text != "" {
			c.alts[i].text += " "
		}
	}
}

// widenForArticle takes in the article before the words where an alternative
// asks for the other one.
func (p *page) widenForArticle(c *candidate, words []word, first int) {
	if first == 0 {
		return
	}
	article := words[first-1]
	if article.lower != "a" && article.lower != "an" || article.fixed {
		return
	}
	change := false
	for _, a := range c.alts {
		change = change || takesAn(firstWord(a.text)) != (article.lower == "an")
	}
	if !change {
		return
	}
	between := p.Text[article.end:c.from]
	for i, a := range c.alts {
		right := "a"
		if takesAn(firstWord(a.text)) {
			right = "an"
		}
		if isName(article.text) {
			right = capitalize(right)
		}
		c.alts[i].text = right + between + a.text
	}
	c.from = article.start
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}

// doubled says whether the alternative ends or begins with the word that
// stands beside it.
func doubled(words []word, first, last int, text string) bool {
	alt := strings.Fields(strings.ToLower(text))
	if len(alt) == 0 {
		return first > 0 && last+1 < len(words) && words[first-1].lower == words[last+1].lower
	}
	return first > 0 && words[first-1].lower == alt[0] || last+1 < len(words) && words[last+1].lower == alt[len(alt)-1]
}

// repeats says whether the alternative brings in a word of substance that the
// sentence already has.
func repeats(words []word, first, last int, original, text string) bool {
	fresh := without(stems(text), original)
	if len(fresh) == 0 {
		return false
	}
	for i, w := range words {
		if (i < first || i > last) && substantial(w.lower) && slices.Contains(fresh, stemOf(w.lower)) {
			return true
		}
	}
	return false
}

// attributive says whether the words stand between an article and the adjective
// or noun it belongs to: "a generally accepted view".
func attributive(words []word, first, last int) bool {
	return tagged(words, first-1, "D") && tagged(words, last, "A") && tagged(words, last+1, "J", "N", "VBN", "VBG")
}

// begins says whether a wording begins with a preposition, and so cannot stand
// there.
func begins(text string) bool {
	first := firstWord(strings.ToLower(text))
	return first != text && prepositions[first]
}

var prepositions = set("in by on at to for with of from without")

// takenUp says whether one of the next two sentences takes up a word that the
// alternative lets go: "a proposal ... This proposal".
func (p *page) takenUp(n int, original, text string) bool {
	pointed := p.pointedAfter(n)
	if len(pointed) == 0 {
		return false
	}
	for _, stem := range without(stems(original), text) {
		if slices.Contains(pointed, stem) {
			return true
		}
	}
	return false
}

// pointedAfter returns the stems of the words that the two sentences after a
// sentence point at. They are looked up once.
func (p *page) pointedAfter(n int) []string {
	if p.pointed == nil {
		p.pointed = make([][]string, len(p.sentences))
		for k, s := range p.sentences {
			for i := 1; i < len(s.words); i++ {
				if in(s.words, i-1, pointers) {
					p.pointed[k] = append(p.pointed[k], stemOf(s.words[i].lower))
				}
			}
		}
	}
	var out []string
	for _, stems := range p.pointed[n+1 : min(n+3, len(p.sentences))] {
		out = append(out, stems...)
	}
	return out
}

// without leaves out the stems that stand in a text.
func without(fresh []string, text string) []string {
	if len(fresh) == 0 {
		return nil
	}
	gone := stems(text)
	return slices.DeleteFunc(fresh, func(stem string) bool { return slices.Contains(gone, stem) })
}

// pointers take up a thing by its word.
var pointers = set("this these that those such said same latter former")

// stems returns the words of substance of a text, cut to their stems.
func stems(text string) []string {
	var out []string
	for w := range strings.FieldsSeq(strings.ToLower(text)) {
		w = strings.Trim(w, ",.;:")
		if substantial(w) {
			out = append(out, stemOf(w))
		}
	}
	return out
}

// plainWords may stand twice in a sentence without being heard.
var plainWords = set(`a an the this that these those he she it they we i you his her its their our my your of in on at to for from by with
	as and or but not no nor be is are was were been being am has have had having do does did will would shall should can could may might
	must if when while which who whom whose what where there than then so such any some all each both more most much many other into upon
	about over under between among through during before after since until up out off too also very only own same`)

func substantial(lower string) bool { return len(lower) > 2 && !plainWords[lower] }

// stemOf cuts a word to the letters its relatives share.
func stemOf(w string) string {
	for _, end := range []string{"ing", "edly", "ed", "ies", "es", "s", "ly", "e"} {
		if strings.HasSuffix(w, end) && len(w)-len(end) >= 4 {
			w = w[:len(w)-len(end)]
			break
		}
	}
	if utf8.RuneCountInString(w) > 6 {
		return w[:6]
	}
	return w
}

// separate strikes alternatives that would put one word of substance into a
// sentence twice, if both of two places took them, and those beyond what a
// place shows. Places with fewer wordings choose first: they lose more.
func separate(cands []candidate) []candidate {
	order := make([]*candidate, len(cands))
	for i := range cands {
		order[i] = &cands[i]
	}
	slices.SortStableFunc(order, func(a, b *candidate) int { return cmp.Or(a.sentence-b.sentence, len(a.alts)-len(b.alts)) })
	used := map[string]bool{}
	for i, c := range order {
		if i > 0 && order[i-1].sentence != c.sentence {
			clear(used)
		}
		kept := c.alts[:0:0]
		for _, a := range c.alts {
			if !anyUsed(used, a.text) && len(kept) < maxOffered {
				kept = append(kept, a)
			}
		}
		for _, a := range kept {
			for _, stem := range stems(a.text) {
				used[stem] = true
			}
		}
		c.alts = kept
	}
	return slices.DeleteFunc(cands, func(c candidate) bool { return len(c.alts) == 0 })
}

func anyUsed(used map[string]bool, text string) bool {
	for _, stem := range stems(text) {
		if used[stem] {
			return true
		}
	}
	return false
}
