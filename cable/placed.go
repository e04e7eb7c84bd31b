package cable

import (
	"bytes"
	"strings"
)

// A Placed paragraph is the record text of a paragraph, each byte of which
// knows where in the file it was written. It is what an editor needs to put
// sites into a draft without touching anything else.
type Placed struct {
	Text string
	// From and To are the byte offsets in the file, first and past the last,
	// of what Text[i] was written as; an escape takes two bytes there.
	From, To []int
	// Site says that Text[i] stands in a site; its From is the opening brace.
	Site []bool
}

// ParsePlaced is Parse, and says where the words of each paragraph stand.
func ParsePlaced(data []byte) (*Draft, []Placed, error) {
	places := &placer{}
	d, err := parse(data, places)
	if err != nil {
		return nil, nil, err
	}
	return d, places.out, nil
}

// Escape writes text so that a draft reads it as it is.
func Escape(text string) string { return escaper.Replace(text) }

// A placer notes where the characters of paragraphs stand. All its methods do
// nothing on a nil placer.
type placer struct {
	lines []int // where each line begins in the file
	text  strings.Builder
	open  Placed
	out   []Placed
}

func (p *placer) findLines(data []byte) {
	if p == nil {
		return
	}
	start := 0
	if bytes.HasPrefix(data, []byte("\ufeff")) {
		start = len("\ufeff")
	}
	p.lines = append(p.lines, start)
	for i := start; i < len(data); i++ {
		if data[i] == '\n' {
			p.lines = append(p.lines, i+1)
		}
	}
}

// add notes a character written as bytes i to j of a line.
func (p *placer) add(c byte, line, i, j int) {
	if p != nil {
		p.put(c, p.lines[line]+i, p.lines[line]+j, false)
	}
}

func (p *placer) put(c byte, from, to int, site bool) {
	p.text.WriteByte(c)
	p.open.From = append(p.open.From, from)
	p.open.To = append(p.open.To, to)
	p.open.Site = append(p.open.Site, site)
}

// lineEnd notes the end of a line that goes on: from the last character that
// is not white space to the beginning of the next line.
func (p *placer) lineEnd(line, length int) {
	if p != nil {
		p.put('\n', p.lines[line]+length, p.lines[line+1], false)
	}
}

// site notes the first alternative of a site whose brace stands at offset i of
// a line. An empty one still parts the words around it.
func (p *placer) site(first string, line, i int) {
	if p == nil {
		return
	}
	at := p.lines[line] + i
	if first == "" {
		first = " "
	}
	for j := range len(first) {
		p.put(first[j], at, at+1, true)
	}
}

func (p *placer) paragraphEnd() {
	if p == nil {
		return
	}
	p.open.Text = p.text.String()
	p.out = append(p.out, p.open)
	p.open = Placed{}
	p.text.Reset()
}
