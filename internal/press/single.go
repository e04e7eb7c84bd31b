package press

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// singles indexes the single marks of a paragraph. A single mark that closes
// looks like an apostrophe at a word's end, so closing marks are firm or weak,
// and an opening mark counts only when a closing one is in sight.
//
// Each list holds, for mark i, the index of the first such mark at or after i.
type singles struct {
	firm, weak, open []int32
	// doubles counts the double marks before mark i.
	doubles []int32
}

func newSingles(text string, marks []mark, sides []side) singles {
	n := len(marks)
	lists := make([]int32, 4*(n+1))
	s := singles{lists[:n+1], lists[n+1 : 2*n+2], lists[2*n+2 : 3*n+3], lists[3*n+3:]}
	s.firm[n], s.weak[n], s.open[n] = int32(n), int32(n), int32(n)
	for i := n - 1; i >= 0; i-- {
		s.firm[i], s.weak[i], s.open[i] = s.firm[i+1], s.weak[i+1], s.open[i+1]
		if marks[i].family() != single {
			continue
		}
		switch {
		case sides[i] == opens:
			s.open[i] = int32(i)
		case sides[i] == closes && mayBeApostrophe(text, marks[i]):
			s.weak[i] = int32(i)
		case sides[i] == closes:
			s.firm[i] = int32(i)
		}
	}
	for i, m := range marks {
		s.doubles[i+1] = s.doubles[i]
		if m.family() == double {
			s.doubles[i+1]++
		}
	}
	return s
}

// mayBeApostrophe says whether a mark at the end of a word may be the
// apostrophe of a plural (the ambassadors' car), of a dropped letter (o', an',
// talkin'), or a sign of feet: then another word follows it.
func mayBeApostrophe(text string, m mark) bool {
	rest := strings.TrimLeft(text[m.end:], " ")
	if next, _ := utf8.DecodeRuneInString(rest); !isWord(next) || len(rest) == len(text)-int(m.end) {
		return false
	}
	switch {
	case strings.ContainsRune("sSxXzZ", m.left), unicode.IsDigit(m.left):
		return true
	}
	return droppedEnd.MatchString(text[max(0, int(m.start)-24):m.start])
}

var (
	droppedEnd = regexp.MustCompile(`(?i)(?:\b(?:o|an|n|th|wi|ol)|[a-z]{2,}in)$`)
	// droppedStart is what follows an apostrophe at a word's beginning.
	droppedStart = regexp.MustCompile(`(?i)^(?:em|til|tis|twas|twere|cause|bout|round|neath|cos|n|\d\ds?)\b`)
)

// closeSingle is close for single marks.
func (p *pairing) closeSingle(i int) (end, after int, ok bool) {
	if p.sides[i] != opens {
		return 0, i + 1, false
	}
	m := p.marks[i]
	j := p.singleEnd(i)
	if j < len(p.marks) {
		return int(p.marks[j].start), j + 1, true
	}
	first := strings.TrimSpace(p.text[:m.start]) == ""
	runsOn := p.continues == single
	if p.isDropped(m) || m.shape == '\'' && !first && !runsOn {
		return 0, i + 1, false
	}
	limit := len(p.text)
	for k := i + 1; k < len(p.marks); k++ {
		if p.sides[k] == opens {
			limit = int(p.marks[k].start)
			break
		}
	}
	return p.runaway(i, limit, runsOn)
}

func (p *pairing) isDropped(m mark) bool {
	return droppedStart.MatchString(p.text[m.end:min(len(p.text), int(m.end)+16)])
}

// singleEnd returns the mark that closes the single mark i, or len(p.marks).
func (p *pairing) singleEnd(i int) int {
	none := len(p.marks)
	firm, weak := int(p.singles.firm[i+1]), int(p.singles.weak[i+1])
	if p.isDropped(p.marks[i]) {
		// ’em and ’19 open nothing unless a firm mark comes first.
		if firm < int(p.singles.open[i+1]) && !p.crosses(i, firm) {
			return firm
		}
		return none
	}
	if weak < firm {
		// The weak mark is an apostrophe if the quotation is closed later,
		// before another one opens.
		later := firm < none && int(p.singles.open[weak+1]) > firm
		if later && !p.crosses(i, firm) {
			return firm
		}
		firm = weak
	}
	if firm < none && !p.crosses(i, firm) {
		return firm
	}
	return none
}

// crosses says whether a double quotation begins but does not end between two
// marks, so that they are no pair.
func (p *pairing) crosses(i, j int) bool {
	return (p.singles.doubles[j]-p.singles.doubles[i])%2 == 1
}
