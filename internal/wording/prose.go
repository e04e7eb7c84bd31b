package wording

import (
	"slices"

	"chancery/cable"
)

// A Skipped paragraph is one for which rules made for English prose say
// nothing.
type Skipped struct {
	Paragraph int // 1-based
	Why       string
}

// Why a paragraph is skipped.
const (
	Telegraphic  = "in the style of telegrams"
	NotOfEnglish = "that is no English prose"
)

// SkippedOf lists the paragraphs of a draft that Propose says nothing about.
func SkippedOf(draft []byte) ([]Skipped, error) {
	_, pages, err := pagesOf(draft)
	if err != nil {
		return nil, err
	}
	var out []Skipped
	for i, p := range pages {
		if why := p.foreign(); why != "" {
			out = append(out, Skipped{i + 1, why})
		}
	}
	return out, nil
}

const (
	// English prose has at least one word in five of those that carry none of
	// its matter.
	plainShare = 5
	// articleShare of 100 words are a, an or the even in terse prose; a
	// telegram leaves them out.
	articleShare  = 1
	articlesFrom  = 45 // words of a paragraph, below which articles tell nothing
	capitalsShare = 2  // one letter in so many, in a text in capitals
)

// read cuts a paragraph into sentences of tagged words and masks what is not
// ours to vary. One in capitals is read as if it were not.
func read(placed *cable.Placed, open *opened) (*page, error) {
	p := &page{Placed: placed, capitals: inCapitals(placed.Text)}
	text := placed.Text
	if p.capitals {
		text = lowered(text)
	}
	var err error
	if p.sentences, err = split(text); err != nil {
		return nil, err
	}
	maskParagraph(placed, p.sentences, open)
	return p, nil
}

// inCapitals says whether a paragraph is written in capitals, as old telegrams
// are.
func inCapitals(text string) bool {
	letters, upper := 0, 0
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'A' && c <= 'Z':
			upper++
			letters++
		case c >= 'a' && c <= 'z':
			letters++
		}
	}
	return letters > 0 && capitalsShare*upper >= letters
}

// lowered is a text with small letters, byte for byte in the same places.
func lowered(text string) string {
	out := []byte(text)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return string(out)
}

// nameless are the classes of wordings that names hardly ever hold: what may be
// offered where capitals do not show which words are names.
var nameless = set("word.verb word.report word.connective word.adverb word.phrase word.light word.quantifier move.relative move.that")

// nameless leaves out what could reword a name.
func (c *candidate) nameless() {
	c.alts = slices.DeleteFunc(c.alts, func(a alternative) bool { return !nameless[a.class] })
}

// foreign says why rules do not apply to a paragraph, or nothing.
func (p *page) foreign() string {
	letters, words, plain, articles := 0, 0, 0, 0
	for i := range p.sentences {
		for _, w := range p.sentences[i].words {
			if w.tag == "CD" || markTag(w.lower) != "SYM" && len(w.lower) == 1 {
				continue
			}
			words++
			if plainWords[w.lower] {
				plain++
			}
			if w.lower == "a" || w.lower == "an" || w.lower == "the" {
				articles++
			}
			if r := w.text[0]; r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				letters++
			}
		}
	}
	switch {
	case words == 0 || letters == 0 || plain*plainShare < words:
		return NotOfEnglish
	case words >= articlesFrom && articles*100 < articleShare*words:
		return Telegraphic
	}
	return ""
}
