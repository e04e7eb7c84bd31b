package desk

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"chancery/cable"
	"chancery/internal/fault"
)

// reference is how a draft quotes a paragraph of another cable: [[REF, 3]]. Every
// reader sees it in the words of their own copy, so that quoting spreads nobody's
// wording. As it is sent it names the cable by its id: [[REF #ID, 3]], and REF is what its
// author wrote there, never what somebody else called a cable.
var reference = regexp.MustCompile(`\[\[([^\[\],\n]*?)(?: ?#([0-9a-f]{8,32}))?, *([0-9]{1,4})\]\]`)

// Bounds on what is put into a text: a cable comes from somebody else.
const (
	maxCited    = 256     // references
	maxExpanded = 4 << 20 // bytes
)

// cited finds the cable and the paragraph, from 1, that a reference names. Of an extract
// nobody knows which paragraphs it has.
func (d *Desk) cited(m []string) (*Item, int, error) {
	n, _ := strconv.Atoi(m[3]) // digits
	find := d.find
	ref := strings.TrimSpace(m[1])
	if m[2] != "" {
		find, ref = d.byID, m[2]
	}
	i, err := find(ref)
	if err == nil && i.Extract {
		err = fault.Permission.New("an extract of the cable is here alone")
	}
	return i, n, err
}

// byID finds a cable by its id, or by a beginning that no other id has.
func (d *Desk) byID(id string) (*Item, error) {
	if i := d.items[id]; i != nil {
		return i, nil
	}
	var found *Item
	for other, i := range d.items {
		if strings.HasPrefix(other, id) {
			if found != nil {
				return nil, fault.Usage.New("several cables have ids that begin with %s", id)
			}
			found = i
		}
	}
	if found == nil {
		return nil, fault.NotFound.New("the desk holds no cable %s", id)
	}
	return found, nil
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
		return fmt.Sprintf("[[%s #%s, %d]]", strings.TrimSpace(m[1]), i.Cable, n)
	})
}

// paragraph is one of a cable's, from 1, in this desk's words. In a correction one that
// stays stands as it stood.
func (d *Desk) paragraph(i *Item, n, depth int) (string, bool) {
	body := paragraphs(i.words())
	if n < 1 || n > len(body) {
		return "", false
	}
	if text, ok := d.stayed(i, body[n-1], depth); ok {
		return text, true
	}
	return body[n-1], true
}

// stayed resolves a line of a correction that is a reference and nothing more, to a cable
// of the same office.
func (d *Desk) stayed(i *Item, line string, depth int) (string, bool) {
	m := reference.FindStringSubmatch(line)
	if i.Release.Previous == "" || m == nil || m[0] != line || depth > maxCorrections {
		return "", false
	}
	before, n, err := d.cited(m)
	if err != nil || before == i || before.Release.Office != i.Release.Office {
		return "", false
	}
	return d.paragraph(before, n, depth+1)
}

// maxCorrections is how long a chain of corrections is followed.
const maxCorrections = 16

// Reading is the text of a cable as its reader is to see it, with what it refers to, in the
// words of this desk's own copies. What the desk does not hold stays a citation.
func (d *Desk) Reading(item Item) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	left, room := maxCited, maxExpanded
	fits := func(text string) bool {
		left, room = left-1, room-len(text)
		return left >= 0 && room >= 0
	}
	lines := strings.Split(item.Text+item.Record, "\n")
	for k, line := range lines {
		if text, ok := d.stayed(&item, line, 0); ok && fits(text) {
			lines[k] = text
			continue
		}
		lines[k] = reference.ReplaceAllStringFunc(line, func(one string) string {
			if text := d.cite(one); fits(text) {
				return text
			}
			return one
		})
	}
	return strings.Join(lines, "\n")
}

// cite is a reference with the paragraph that it names.
func (d *Desk) cite(one string) string {
	m := reference.FindStringSubmatch(one)
	called := strings.TrimSpace(m[1])
	if called == "" {
		called = fmt.Sprintf("#%.8s", m[2])
	}
	i, n, err := d.cited(m)
	if err != nil {
		return fmt.Sprintf("[%s, paragraph %s: not in this desk]", called, m[3])
	}
	text, ok := d.paragraph(i, n, 0)
	if !ok {
		return fmt.Sprintf("[%s, paragraph %s: not read]", called, m[3])
	}
	return fmt.Sprintf("[%s, paragraph %d: \"%s\"]", called, n, text)
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
