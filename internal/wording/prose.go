package wording

// A Skipped paragraph is one for which rules made for English prose say
// nothing.
type Skipped struct {
	Paragraph int // 1-based
	Why       string
}

// Why a paragraph is skipped.
const (
	InCapitals   = "in capitals"
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
	articlesFrom  = 25 // words of a paragraph, below which articles tell nothing
	capitalsShare = 2  // one letter in so many, in a text in capitals
)

// foreign says why rules do not apply to a paragraph, or nothing.
func (p *page) foreign() string {
	letters, upper, words, plain, articles := 0, 0, 0, 0, 0
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
			for _, r := range w.text {
				switch {
				case r >= 'A' && r <= 'Z':
					upper++
					letters++
				case r >= 'a' && r <= 'z':
					letters++
				}
			}
		}
	}
	switch {
	case words == 0 || letters == 0 || capitalsShare*upper < letters && plain*plainShare < words:
		return NotOfEnglish
	case capitalsShare*upper >= letters:
		return InCapitals
	case words >= articlesFrom && articles*100 < articleShare*words:
		return Telegraphic
	}
	return ""
}
