package wording

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// formsOf returns every form of a verb, those of be whole.
func formsOf(lemma string) []string {
	v := conjugate(lemma)
	f := v[:]
	if lemma == "be" {
		f = append(f, "am", "are", "were", "'re", "'m")
	}
	return f
}

// A table is a set of rules, indexed by the first words of what they find.
type table struct {
	rules []*Rule
	one   map[string][]entry    // patterns of one word
	more  map[[2]string][]entry // longer ones, by their first two words
}

type entry struct {
	rule    *Rule
	pattern int
}

func newTable(rules []*Rule) *table {
	t := &table{rules: rules, one: map[string][]entry{}, more: map[[2]string][]entry{}}
	for _, r := range rules {
		for i, p := range r.find {
			t.index(entry{r, i}, p)
		}
	}
	return t
}

func (t *table) index(e entry, p pattern) {
	for _, first := range p[0].surfaces() {
		if len(p) == 1 {
			t.one[first] = append(t.one[first], e)
			continue
		}
		for _, second := range p[1].surfaces() {
			key := [2]string{first, second}
			t.more[key] = append(t.more[key], e)
		}
	}
}

// at returns the patterns that may begin at word i: those of one word, and the
// longer ones.
func (t *table) at(words []word, i int) (one, more []entry) {
	if i+1 < len(words) {
		more = t.more[[2]string{words[i].lower, words[i+1].lower}]
	}
	return t.one[words[i].lower], more
}

// surfaces returns the spellings an element can match.
func (e element) surfaces() []string {
	switch e.tag {
	case "V", "VB", "VBZ", "VBD", "VBN", "VBG", "VBP":
		return distinct(formsOf(e.lower)...)
	case "N", "NNS":
		return distinct(e.lower, e.many)
	}
	return []string{e.lower}
}

// distinct returns words without repetitions, sorted.
func distinct(words ...string) []string {
	return slices.Compact(slices.Sorted(slices.Values(words)))
}

// found is a match: the words [from, to) of a sentence.
type found struct {
	from, to int
	verb     string // form of the verb found: a Penn tag, or am, is, are, was, were
	plural   bool   // a noun was found in the plural
}

// match tries a pattern at word i.
func (p pattern) match(words []word, i int) (found, bool) {
	f := found{from: i, to: i + len(p)}
	if f.to > len(words) {
		return f, false
	}
	for k, e := range p {
		w := words[i+k]
		if w.fixed || !f.element(words, i+k, e) {
			return f, false
		}
	}
	return f, true
}

// element matches one word and notes its form.
func (f *found) element(words []word, i int, e element) bool {
	w := words[i]
	switch e.tag {
	case "":
		return w.lower == e.lower
	case "V", "VB", "VBZ", "VBD", "VBN", "VBG", "VBP":
		return f.verbForm(words, i, e)
	case "N", "NN", "NNS":
		return f.nounForm(w, e)
	case "J":
		return w.lower == e.word && (strings.HasPrefix(w.tag, "JJ") || w.tag == "VBN" || w.tag == "VBG")
	case "A", "P", "D":
		return w.lower == e.word && hasTag(w, e.tag)
	}
	return w.lower == e.word && w.tag == e.tag
}

func (f *found) nounForm(w word, e element) bool {
	if !strings.HasPrefix(w.tag, "NN") {
		return false
	}
	switch {
	case e.tag == "NNS" && w.lower == e.word && w.tag == "NNS": // written in the plural
		f.plural = true
	case w.lower == e.word && e.tag != "NNS":
		f.plural = e.many == e.word && w.tag == "NNS"
	case w.lower == e.many && e.tag != "NN":
		f.plural = true
	default:
		return false
	}
	return true
}

// beForms are kept as they are where the other verb is be as well; for any
// other they stand for a form of every verb.
var beForms = map[string]string{"am": "VBP", "is": "VBZ", "are": "VBP", "was": "VBD", "were": "VBD"}

func (f *found) verbForm(words []word, i int, e element) bool {
	w := words[i]
	if !strings.HasPrefix(w.tag, "VB") {
		return false
	}
	form := formOf(words, i, e.verb, e.word)
	if form == "" || e.tag != "V" && e.tag != form && !(e.tag == "VBP" && form == "VB") && !(e.tag == "VB" && form == "VBP") {
		return false
	}
	f.verb = form
	if e.word == "be" && beForms[w.lower] != "" {
		f.verb = w.lower
	}
	return true
}

// formOf says which form of a verb a word is: a Penn tag, or "" if none.
func formOf(words []word, i int, v [formsOfVerb]string, lemma string) string {
	w := words[i]
	if tag := beForms[w.lower]; lemma == "be" && tag != "" {
		return tag
	}
	switch w.lower {
	case v[formThird]:
		return "VBZ"
	case v[formGerund]:
		return "VBG"
	case v[formPast], v[formPart]:
		if v[formBase] == w.lower && (w.tag == "VB" || w.tag == "VBP") {
			return w.tag
		}
		if v[formPast] != v[formPart] {
			if w.lower == v[formPast] {
				return "VBD"
			}
			return "VBN"
		}
		if w.tag == "VBN" || afterAuxiliary(words, i) {
			return "VBN"
		}
		return "VBD"
	case v[formBase]:
		if w.tag == "VB" || w.tag == "VBP" {
			return w.tag
		}
		return "VB"
	}
	return ""
}

// holds checks every guard of a rule around a match.
func (r *Rule) holds(s *sentence, f found) bool {
	for _, g := range r.guard {
		if g.met(s.words, f) == g.not {
			return false
		}
	}
	return true
}

func (g guard) met(words []word, f found) bool {
	for _, chain := range g.items {
		switch g.where {
		case "prev":
			if chainAt(words, f.from-len(chain), chain) {
				return true
			}
		case "next":
			if chainAt(words, f.to, chain) {
				return true
			}
		default:
			for i := range words {
				if (i+len(chain) <= f.from || i >= f.to) && chainAt(words, i, chain) {
					return true
				}
			}
		}
	}
	return false
}

func chainAt(words []word, i int, chain []condition) bool {
	for k := range chain {
		c := &chain[k]
		var w *word
		j := i + k
		if c.word != "" { // most of them
			if j < 0 || j >= len(words) || words[j].lower != c.word {
				return false
			}
			continue
		}
		if j >= 0 && j < len(words) {
			w = &words[j]
		}
		if c.tag == "START" && w != nil {
			if !opensAt(words, j+1) { // the number of a paragraph is not its beginning
				return false
			}
			continue
		}
		if !c.holds(w, j < 0, j >= len(words)) {
			return false
		}
	}
	return true
}

// fill writes a template for a match: "" and true drops the words. It fails
// where a form cannot be known.
func (t template) fill(words []word, f found) (string, bool) {
	if t.fixed {
		return t.text, true
	}
	var b strings.Builder
	for i := range t.elements {
		e := &t.elements[i]
		w := e.word
		switch {
		case strings.HasPrefix(e.tag, "V"):
			var ok bool
			if w, ok = inflect(words, f, e); !ok {
				return "", false
			}
		case e.tag == "N" && f.plural || e.tag == "NNS":
			w = e.many
		}
		if b.Len() > 0 && w != "," {
			b.WriteByte(' ')
		}
		b.WriteString(w)
	}
	return b.String(), true
}

// inflect puts a verb into the form of the one found.
func inflect(words []word, f found, e *element) (string, bool) {
	v, lemma := &e.verb, e.word
	form := f.verb
	if tag := beForms[form]; tag != "" {
		if lemma == "be" {
			return form, true
		}
		form = tag
	}
	if lemma == "be" && (form == "VBP" || form == "VBD") {
		return beFor(words, f.from, form)
	}
	switch form {
	case "VB", "VBP":
		return v[formBase], true
	case "VBZ":
		return v[formThird], true
	case "VBD":
		return v[formPast], true
	case "VBN":
		return v[formPart], true
	case "VBG":
		return v[formGerund], true
	}
	return "", false
}

// beFor chooses the form of be by the word before, if that is its subject.
func beFor(words []word, from int, form string) (string, bool) {
	if from == 0 {
		return "", false
	}
	many := false
	switch subject := words[from-1]; {
	case subject.lower == "i":
		if form == "VBP" {
			return "am", true
		}
	case subject.lower == "we" || subject.lower == "they" || subject.lower == "you":
		many = true
	case subject.lower == "he" || subject.lower == "she" || subject.lower == "it":
	default:
		return "", false
	}
	switch {
	case form == "VBP":
		return "are", true
	case many:
		return "were", true
	}
	return "was", true
}

// capitalize gives text the capital that its place in a sentence asks for.
func capitalize(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[size:]
}
