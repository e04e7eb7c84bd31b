package press

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"chancery/cable"
)

// maxRunaway is the greatest length in bytes of a quotation that is opened,
// never closed, and not taken up by the next paragraph. Its opening mark may
// be a slip, and a slip must not make a quotation of a long text.
const maxRunaway = 1500

// quotes returns the quoted stretches of a paragraph: outermost marks only,
// without the marks. The next paragraph tells whether an open quotation runs
// on: then it begins with an opening mark again.
func quotes(text, next string) []cable.Span {
	marks := scan(text)
	if len(marks) == 0 {
		return nil
	}
	p := newPairing(text, marks, openingFamily(next))
	var spans []cable.Span
	for i := 0; i < len(marks); {
		end, after, ok := p.close(i)
		if ok {
			if s := trim(text, cable.Span{Start: int(marks[i].end), End: end}); s.Start < s.End {
				spans = append(spans, s)
			}
		}
		i = after
	}
	return spans
}

// openingFamily returns the family of the mark that a paragraph opens with.
func openingFamily(text string) family {
	text = strings.TrimLeft(text, " ")
	shape, _ := shapeAt(text)
	if shape == '”' || shape == '’' {
		return noFamily
	}
	return families[shape]
}

// A pairing finds the closing mark to an opening one.
type pairing struct {
	text  string
	marks []mark
	// sides says what each mark does where no quotation is open.
	sides []side
	// after holds, for each mark, the index of the next of its family.
	after     []int32
	balanced  [corner + 1]bool
	continues family
	singles   singles
}

type side uint8

const (
	neither side = iota
	opens
	closes
	either
)

func newPairing(text string, marks []mark, continues family) *pairing {
	p := &pairing{text: text, marks: marks, continues: continues}
	p.sides = sidesOf(marks)
	p.after = make([]int32, len(marks))
	var nextOf [corner + 1]int32
	var open [corner + 1]int
	for f := range nextOf {
		nextOf[f] = int32(len(marks))
	}
	for i := len(marks) - 1; i >= 0; i-- {
		f := marks[i].family()
		p.after[i], nextOf[f] = nextOf[f], int32(i)
		switch p.sides[i] {
		case opens:
			open[f]++
		case closes:
			open[f]--
		}
	}
	for f := range open {
		p.balanced[f] = open[f] == 0 || open[f] == 1 && family(f) == continues
	}
	p.singles = newSingles(text, marks, p.sides)
	return p
}

// close returns where the quotation opened by mark i ends and the mark to go
// on with; ok is false when mark i opens none.
func (p *pairing) close(i int) (end, after int, ok bool) {
	switch {
	case p.marks[i].family() == single:
		return p.closeSingle(i)
	case !p.begins(i):
		return 0, i + 1, false
	}
	f, depth := p.marks[i].family(), 0
	for j := i + 1; j < len(p.marks); j++ {
		if p.marks[j].family() != f || p.isInch(j) {
			continue
		}
		switch s := p.sides[j]; {
		case s == opens && !p.shuts(i, j) && p.balanced[f]:
			depth++
		case s == opens && !p.shuts(i, j):
			return p.runaway(i, int(p.marks[j].start), false)
		case depth > 0:
			depth--
		default:
			return int(p.marks[j].start), j + 1, true
		}
	}
	return p.runaway(i, len(p.text), f == p.continues)
}

// begins says whether mark i, with no quotation open, opens one.
func (p *pairing) begins(i int) bool {
	m := p.marks[i]
	next := int(p.after[i])
	switch p.sides[i] {
	case opens:
		return true
	case closes:
		// “ set the wrong side of a space: the mark that follows shows it.
		return m.shape == '“' && next < len(p.marks) && p.marks[next].shape == '”'
	case either:
		return !unicode.IsDigit(m.left) && !p.afterNumber(m) &&
			next < len(p.marks) && p.sides[next] != opens
	}
	return false
}

// afterNumber says whether m follows a number and a space, as in 12 ".
func (p *pairing) afterNumber(m mark) bool {
	before := strings.TrimRight(p.text[:m.start], " ")
	r, _ := utf8.DecodeLastRuneInString(before)
	return unicode.IsDigit(r)
}

// shuts says whether mark j closes the quotation opened by mark i in spite of
// its shape, as in ”so”.
func (p *pairing) shuts(i, j int) bool {
	return p.marks[i].shape == p.marks[j].shape && p.marks[i].shape == '”'
}

// isInch says whether mark j inside a quotation is a sign of inches: a digit
// stands before it, and the next mark of its kind closes something.
func (p *pairing) isInch(j int) bool {
	m, next := p.marks[j], int(p.after[j])
	return m.shape == '"' && unicode.IsDigit(m.left) &&
		next < len(p.marks) && p.sides[next] == closes
}

// runaway ends a quotation without a closing mark at limit, or sooner.
func (p *pairing) runaway(i, limit int, continues bool) (end, after int, ok bool) {
	start := int(p.marks[i].end)
	if !continues && limit-start > maxRunaway {
		limit = lastSpace(p.text, start, start+maxRunaway)
	}
	after = i + 1
	for after < len(p.marks) && int(p.marks[after].start) < limit {
		after++
	}
	return limit, after, true
}

// lastSpace returns the last space of text between start and end, or failing
// that the last start of a character.
func lastSpace(text string, start, end int) int {
	if at := strings.LastIndexByte(text[start:end], ' '); at > 0 {
		return start + at
	}
	for end > start && !utf8.RuneStart(text[end]) {
		end--
	}
	return end
}

// trim takes spaces off both ends of a span, and empties a span that holds
// no letter or digit.
func trim(text string, s cable.Span) cable.Span {
	body := text[s.Start:s.End]
	if strings.IndexFunc(body, isWord) < 0 {
		return cable.Span{Start: s.Start, End: s.Start}
	}
	s.Start += len(body) - len(strings.TrimLeft(body, " "))
	s.End -= len(body) - len(strings.TrimRight(body, " "))
	return s
}

// clip fits spans into a text and drops the empty ones.
func clip(text string, spans []cable.Span) []cable.Span {
	var out []cable.Span
	for _, s := range spans {
		s.Start, s.End = min(s.Start, len(text)), min(s.End, len(text))
		if s = trim(text, unmark(text, s)); s.Start < s.End {
			out = append(out, s)
		}
	}
	return out
}

// unmark takes the marks off a span that markup has given, if one pair holds
// all of it, or if half a pair stands at one of its ends.
func unmark(text string, s cable.Span) cable.Span {
	s = trim(text, s)
	body := text[s.Start:s.End]
	found := quotes(body, "")
	_, first := shapeAt(body)
	last := 0
	if r, size := utf8.DecodeLastRuneInString(body); families[r] != noFamily {
		last = size
	}
	switch {
	case len(found) == 1 && first > 0 && found[0].Start <= first+1 && found[0].End >= len(body)-last-1:
		return cable.Span{Start: s.Start + found[0].Start, End: s.Start + found[0].End}
	case len(found) == 0 && strings.HasSuffix(body, "”"):
		s.End -= last
	}
	return s
}

// merge unites two lists of spans into one, sorted and not overlapping.
func merge(a, b []cable.Span) []cable.Span {
	if len(b) == 0 {
		return a
	}
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y cable.Span) int { return x.Start - y.Start })
	out := all[:1]
	for _, s := range all[1:] {
		last := &out[len(out)-1]
		if s.Start >= last.End {
			out = append(out, s)
			continue
		}
		last.End = max(last.End, s.End)
	}
	return out
}
