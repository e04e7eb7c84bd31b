package desk

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"chancery/cable"
)

// reference is how a draft quotes a paragraph of another cable: [[REF, 3]]. Every
// reader sees it in the words of their own copy, so that quoting spreads nobody's
// wording.
var reference = regexp.MustCompile(`\[\[([^\[\],\n]+), *([0-9]{1,4})\]\]`)

// Expand puts the paragraphs that a text refers to into it, in the words of this
// desk's own copies. What the desk does not hold stays a citation.
func (d *Desk) Expand(text string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return reference.ReplaceAllStringFunc(text, func(cited string) string {
		m := reference.FindStringSubmatch(cited)
		ref := strings.TrimSpace(m[1])
		i, err := d.find(ref)
		if err != nil {
			return fmt.Sprintf("[%s, paragraph %s: not in this desk]", ref, m[2])
		}
		n, _ := strconv.Atoi(m[2]) // digits
		body := paragraphs(i.words())
		if n < 1 || n > len(body) {
			return fmt.Sprintf("[%s, paragraph %s: not read]", ref, m[2])
		}
		return fmt.Sprintf("[%s, paragraph %d: \"%s\"]", ref, n, body[n-1])
	})
}

// A Citation is a paragraph to which a text refers, and what stands in its way.
type Citation struct {
	Text string // as it was written
	Why  string
}

// Uncited returns the references of a text to paragraphs that this desk does not hold:
// of a cable that it does not know, or has not read, or that has fewer. Readers who hold
// the cable see the paragraph, the others the reference.
func (d *Desk) Uncited(text string) []Citation {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Citation
	for _, m := range reference.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[2]) // digits
		i, err := d.find(strings.TrimSpace(m[1]))
		switch {
		case err != nil:
			out = append(out, Citation{m[0], err.Error()})
		case i.words() == "":
			out = append(out, Citation{m[0], "the cable was not read here"})
		case n < 1 || n > len(paragraphs(i.words())):
			out = append(out, Citation{m[0], fmt.Sprintf("the cable has %d paragraphs", len(paragraphs(i.words())))})
		}
	}
	return out
}

// words is the text of a cable as this person knows it: their copy, or the record
// of their own.
func (i *Item) words() string {
	if i.Mine {
		return i.Record
	}
	return i.Text
}

// paragraphs returns those of a copy, header left out.
func paragraphs(text string) []string {
	_, body, _ := strings.Cut(text, "\n\n")
	var out []string
	for _, p := range strings.Split(body, "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// pastedWords is how many words in a row make a quotation.
const pastedWords = 6

// A Pasted run is words of a copy that stand in a draft.
type Pasted struct {
	Reference string `json:"reference"`
	Paragraph int    `json:"paragraph"`
	Words     string `json:"words"`
}

// Pasted finds words of cables that this person received in a draft: sent on as they
// are, they would spread this person's wording, and a leak of the answer would point
// to this copy.
func (d *Desk) Pasted(draft *cable.Draft) []Pasted {
	d.mu.Lock()
	defer d.mu.Unlock()
	runs := map[string]Pasted{}
	for _, i := range d.items {
		if i.Mine || i.Text == "" {
			continue
		}
		for n, p := range paragraphs(i.Text) {
			eachRun(cable.Words(p), func(run string) { runs[run] = Pasted{i.Release.Reference, n + 1, run} })
		}
	}
	var out []Pasted
	for _, p := range paragraphs(draft.RecordText()) {
		eachRun(cable.Words(p), func(run string) {
			found, ok := runs[run]
			if ok && !slices.ContainsFunc(out, func(o Pasted) bool { return o.Reference == found.Reference && o.Paragraph == found.Paragraph }) {
				out = append(out, found)
			}
		})
	}
	return out
}

func eachRun(words []string, take func(string)) {
	for k := 0; k+pastedWords <= len(words); k++ {
		take(strings.Join(words[k:k+pastedWords], " "))
	}
}
