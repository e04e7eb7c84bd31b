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
// wording. As it is sent it names the cable by its id too: [[REF #1a2b3c4d, 3]].
var reference = regexp.MustCompile(`\[\[([^\[\],\n]+?)( #[0-9a-f]{8,32})?, *([0-9]{1,4})\]\]`)

// cited finds the cable and the paragraph, from 1, that a reference names.
func (d *Desk) cited(m []string) (*Item, int, error) {
	n, _ := strconv.Atoi(m[3]) // digits
	if m[2] != "" {
		i, err := d.find(m[2][2:])
		return i, n, err
	}
	i, err := d.find(strings.TrimSpace(m[1]))
	return i, n, err
}

// Pin names the cables to which a draft refers by their ids: a reference means the last of
// several that correct each other, and a quotation what it meant when it was written.
func (d *Desk) Pin(text string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return reference.ReplaceAllStringFunc(text, func(one string) string {
		m := reference.FindStringSubmatch(one)
		i, n, err := d.cited(m)
		if err != nil || m[2] != "" {
			return one
		}
		return cite(i, n)
	})
}

// expand puts the paragraphs that a text refers to into it, in the words of this
// desk's own copies. What the desk does not hold stays a citation.
func (d *Desk) expand(text string) string {
	return reference.ReplaceAllStringFunc(text, func(one string) string {
		m := reference.FindStringSubmatch(one)
		i, n, err := d.cited(m)
		if err != nil {
			return fmt.Sprintf("[%s%s, paragraph %s: not in this desk]", m[1], m[2], m[3])
		}
		body := paragraphs(i.words())
		if n < 1 || n > len(body) {
			return fmt.Sprintf("[%s%s, paragraph %s: not read]", m[1], m[2], m[3])
		}
		return fmt.Sprintf("[%s, paragraph %d: \"%s\"]", i.Release.Reference, n, body[n-1])
	})
}

// Reading is the text of a cable as its reader is to see it, with what it refers to. In a
// correction the paragraphs that stay stand as they stood.
func (d *Desk) Reading(item Item) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	text := item.Text + item.Record
	if item.Release.Previous == "" {
		return d.expand(text)
	}
	lines := strings.Split(text, "\n")
	for k, line := range lines {
		m := reference.FindStringSubmatch(line)
		if m == nil || m[0] != line {
			continue
		}
		i, n, err := d.cited(m)
		if err != nil || i.Release.Office != item.Release.Office {
			continue
		}
		if body := paragraphs(i.words()); n >= 1 && n <= len(body) {
			lines[k] = body[n-1]
		}
	}
	return d.expand(strings.Join(lines, "\n"))
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
		i, n, err := d.cited(m)
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
