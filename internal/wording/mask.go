package wording

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"chancery/cable"
)

// opened is what one paragraph leaves open for the next.
type opened struct {
	quoted bool // a quotation goes on if the next paragraph opens it again
	agreed bool // the next paragraph is a text that was announced
	read   bool // between "quote" and "unquote", "begin text" and "end text"
	ends   int  // how often such a text still ends: one that never does is none
}

// openedIn returns what is open before the first paragraph of a draft.
func openedIn(placed []cable.Placed) *opened {
	o := &opened{}
	for i := range placed {
		text := strings.ToLower(placed[i].Text)
		for _, end := range []string{"unquote", "end text", "end quote"} {
			o.ends += strings.Count(text, end)
		}
	}
	return o
}

// maskParagraph marks the words that are not ours to vary: what stands in
// quotation marks or brackets, announced texts, sites the author wrote, names
// and figures.
func maskParagraph(p *cable.Placed, sentences []sentence, open *opened) {
	m := masker{quoted: open.quoted && startsWithQuote(sentences), agreed: open.agreed, read: open.read, ends: open.ends}
	for i := range sentences {
		s := &sentences[i]
		for j := range s.words {
			m.word(p, s.words, j)
		}
		s.instruction, s.agreed = instructs(s.words), slices.ContainsFunc(s.words, func(w word) bool { return ofTreaties[w.lower] })
	}
	*open = opened{quoted: m.quoted && m.marks, agreed: announces(sentences), read: m.read, ends: m.ends}
}

func startsWithQuote(sentences []sentence) bool {
	return len(sentences) > 0 && len(sentences[0].words) > 0 && sentences[0].words[0].lower == `"`
}

// announces says whether a paragraph ends by announcing the words of a text:
// "... the following text:".
func announces(sentences []sentence) bool {
	if len(sentences) == 0 {
		return false
	}
	words := sentences[len(sentences)-1].words
	last := len(words) - 1
	if words[last].lower != ":" {
		return false
	}
	for i := max(0, last-8); i < last; i++ {
		if in(words, i, announced) || in(words, i, spoken) && in(words, last-1, follows) {
			return true
		}
	}
	return false
}

// announced are texts; spoken may be told in our words, unless they follow
// themselves: "This statement follows:".
var (
	announced = set("text texts wording communique communiqué transcript")
	spoken    = set("statement statements message letter note reply answer remarks declaration")
	follows   = set("follows follow reads read")
)

type masker struct {
	quoted, marks bool
	agreed, read  bool
	ends          int
	single        bool // inside ‘ and ’, in this paragraph
	depth         int  // of brackets
}

func (m *masker) word(p *cable.Placed, words []word, i int) {
	w := &words[i]
	switch w.text {
	case "“", "«", "„":
		m.quoted, m.marks = true, true
	case "”", "»":
		m.quoted = false
	case `"`:
		m.quoted, m.marks = !m.quoted, true
	case "‘":
		m.single = true
	case "’":
		m.single = false
	case "[":
		m.depth++
	case "]":
		m.depth = max(0, m.depth-1)
	}
	switch {
	case p.Text[w.start:w.end] == "QUOTE" || w.lower == "begin" && is(words, i+1, "text", "quote"):
		m.read = m.ends > 0
	case w.lower == "unquote" || w.lower == "end" && is(words, i+1, "text", "quote"):
		m.read = false
		m.ends--
	}
	w.quoted = m.quoted || m.single || m.agreed || m.read || m.depth > 0 || touchesSite(p, *w)
	w.fixed = w.quoted || properName(words, i) || w.tag == "CD" || inSlash(p.Text, *w)
}

// touchesSite says whether a word stands in a site of the author, or beside one
// with nothing between.
func touchesSite(p *cable.Placed, w word) bool {
	for i := max(0, w.start-1); i < min(w.end+1, len(p.Site)); i++ {
		if p.Site[i] {
			return true
		}
	}
	return false
}

// inSlash says whether a word is part of "and/or" and the like.
func inSlash(text string, w word) bool {
	return w.start > 0 && text[w.start-1] == '/' || w.end < len(text) && text[w.end] == '/'
}

// properName says whether word i is, or belongs to, a name: it has a capital
// that its place does not explain.
func properName(words []word, i int) bool {
	w := words[i]
	r, size := utf8.DecodeRuneInString(w.text)
	if !unicode.IsUpper(r) {
		return false
	}
	if w.lower == "i" {
		return false
	}
	rest := w.text[size:]
	if rest != "" && strings.ToLower(rest) != rest {
		return true // USG, McNeil
	}
	if !opensAt(words, i) {
		return true
	}
	return strings.HasPrefix(w.tag, "NNP") && !commonOpeners[w.lower] && i+1 < len(words) && isName(words[i+1].text)
}

// commonOpeners are words that begin sentences before a name without being
// part of it.
var commonOpeners = set(`the a an this that these those he she it they we i you his her its their our in on at as if when while although
	though however but and there such for with to from by of both after before since because until under during despite regarding
	concerning according like unlike unless once also perhaps meanwhile moreover nevertheless therefore thus yet still
	believe hope understand recent present former many some several all most`)

// opensAt says whether word i is the first of its sentence, or of what follows a
// colon: only marks and the number or letter of a paragraph stand before it.
func opensAt(words []word, i int) bool {
	for j := i - 1; j >= 0; j-- {
		switch {
		case words[j].lower == ":":
			return true
		case !isLabel(words, j):
			return false
		}
	}
	return true
}

// isLabel says whether a word is a mark, a figure, or a letter with its full
// stop or bracket, as paragraphs are numbered.
func isLabel(words []word, j int) bool {
	w := words[j].lower
	r, _ := utf8.DecodeRuneInString(w)
	switch {
	case !unicode.IsLetter(r):
		return true
	case len(w) == 2 && w[1] == '.':
		return true
	}
	return len(w) == 1 && is(words, j+1, ".", ")")
}

// ofTreaties are words by which the text of one is known.
var ofTreaties = set("shall hereby treaty treaties article articles protocol governments parties undertake undertakes")

// instructs says whether a sentence tells the addressee what to do: there only
// rules of register "any" apply, because every word may bind him.
func instructs(words []word) bool {
	for i, w := range words {
		next := ""
		if i+1 < len(words) {
			next = words[i+1].lower
		}
		switch {
		case w.lower == "please" || w.lower == "hereby":
			return true
		case w.lower == "shall":
			if i == 0 || words[i-1].lower != "i" && words[i-1].lower != "we" {
				return true
			}
		case addressees[w.lower] && binding[next]:
			return true
		case (w.lower == "i" || w.lower == "we") && (next == "request" || next == "instruct" || next == "authorize"):
			return true
		}
	}
	return opensWithOrder(words)
}

// addressees, followed by a binding word, are told what to do.
var (
	addressees = set("you embassy department ambassador mission addressees posts post consulate")
	binding    = set("are is should must may shall will need")
)

// opensWithOrder says whether the sentence begins with a bare verb, as an
// order does: "Inform the Minister that ...".
func opensWithOrder(words []word) bool {
	for i, w := range words {
		r, _ := utf8.DecodeRuneInString(w.text)
		if !unicode.IsLetter(r) || !opensAt(words, i) {
			continue
		}
		return w.tag == "VB" || orderVerbs[w.lower] && i+1 < len(words) && words[i+1].tag != "VBD"
	}
	return false
}

// orderVerbs begin orders, and the tagger often takes them for names.
var orderVerbs = set(`inform tell advise report seek convey emphasize stress make take ask urge point express assure deliver
	explain note reiterate remind raise provide transmit submit confirm continue avoid obtain ensure insist support oppose
	vote abstain instruct repeat consult arrange prepare keep say state draw`)
