package press

import (
	"unicode"
	"unicode/utf8"
)

// maxMarks bounds the work on one paragraph. No printed paragraph has as many
// quotation marks; those beyond are read as plain characters.
const maxMarks = 1 << 16

// A mark is one quotation mark, or an apostrophe that could be one.
type mark struct {
	start, end  int32
	shape       rune // one of the keys of families
	left, right rune // the characters around a run of marks; 0 at the edge
}

// A family is a set of marks that open and close each other.
type family uint8

const (
	noFamily family = iota
	double
	single
	angle
	smallAngle
	corner
)

var families = map[rune]family{
	'"': double, '“': double, '”': double, '„': double,
	'\'': single, '‘': single, '’': single, '‚': single, '`': single,
	'«': angle, '»': angle,
	'‹': smallAngle, '›': smallAngle,
	'「': corner, '」': corner,
}

func (m mark) family() family { return families[m.shape] }

// shapeAt returns the mark at the start of s and its length, or length 0.
// Typists' pairs of single marks are double marks.
func shapeAt(s string) (rune, int) {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case r == '`' && len(s) > 1 && s[1] == '`':
		return '“', 2
	case r == '\'' && len(s) > 1 && s[1] == '\'':
		return '"', 2
	case r == '＂':
		return '"', size
	case r == '‟':
		return '“', size
	case r == '‛':
		return '‘', size
	case families[r] != noFamily:
		return r, size
	}
	return 0, 0
}

// scan finds the marks of a paragraph. Apostrophes within a word are none.
func scan(text string) []mark {
	var marks []mark
	group := 0 // index of the first mark of the current run
	var left rune
	for at := 0; at < len(text) && len(marks) < maxMarks; {
		shape, size := shapeAt(text[at:])
		if size == 0 {
			left, size = utf8.DecodeRuneInString(text[at:])
			at += size
			closeGroup(marks[group:], left)
			group = len(marks)
			continue
		}
		end := at + size
		if families[shape] == single && inWord(left, text[end:]) && group == len(marks) {
			at = end
			continue
		}
		marks = append(marks, mark{int32(at), int32(end), shape, left, 0})
		at = end
	}
	return marks
}

// closeGroup notes the character that follows a run of marks.
func closeGroup(run []mark, right rune) {
	for i := range run {
		run[i].right = right
	}
}

func inWord(left rune, rest string) bool {
	right, _ := utf8.DecodeRuneInString(rest)
	return isWord(left) && isWord(right) && rest != ""
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

// A class is what a character beside a mark tells about it.
type class uint8

const (
	edge    class = iota // start, end or space
	bracket              // opening bracket
	dash
	stop // punctuation after a word, closing bracket
	word
	other
)

func classOf(r rune) class {
	switch {
	case r == 0 || unicode.IsSpace(r):
		return edge
	case isWord(r):
		return word
	case r == '/' || unicode.Is(unicode.Pd, r):
		return dash
	case unicode.In(r, unicode.Ps, unicode.Pi):
		return bracket
	case r == '.' || r == ',' || r == ';' || r == ':' || r == '!' || r == '?' || r == '…' || unicode.In(r, unicode.Pe, unicode.Pf):
		return stop
	}
	return other
}

// canOpen says whether a quotation may begin at m: nothing of a word before
// it, something of a word after it.
func (m mark) canOpen() bool {
	l, r := classOf(m.left), classOf(m.right)
	free := l == edge || l == bracket || l == dash || l == other
	return free && (r != edge && r != stop || m.right == '…' || m.right == '.')
}

// canClose says whether a quotation may end at m.
func (m mark) canClose() bool {
	l, r := classOf(m.left), classOf(m.right)
	return l != edge && l != bracket && r != word
}
