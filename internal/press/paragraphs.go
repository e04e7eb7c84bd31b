package press

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxColumns is the longest line that a hard-wrapped text may have. Lines
// beyond it were not broken by anybody, so each is a paragraph.
const maxColumns = 100

// A line is one line of a plain text; lengths are in characters.
type line struct {
	text   string
	length int
	indent int
}

// paragraphs splits a plain text. Blank lines always divide. The lines between
// two of them are paragraphs of their own, or one text broken at a margin; the
// margin of the whole file decides which.
func paragraphs(text string) []string {
	lines := splitLines(clean(text))
	margin := wrapMargin(lines)
	var out []string
	var current []string
	flush := func() {
		if len(current) > 0 {
			out = append(out, squeeze(joinLines(current)))
		}
		current = nil
	}
	for i, l := range lines {
		if l.length == 0 {
			flush()
			continue
		}
		if i > 0 && len(current) > 0 && divides(lines[i-1], l, margin) {
			flush()
		}
		current = append(current, l.text)
	}
	flush()
	return out
}

func splitLines(text string) []line {
	var lines []line
	for raw := range strings.SplitSeq(text, "\n") {
		body := strings.TrimLeft(raw, " ")
		indent := len(raw) - len(body)
		body = strings.TrimRight(body, " ")
		lines = append(lines, line{body, utf8.RuneCountInString(body), indent})
	}
	return lines
}

// wrapMargin returns the column at which the text was broken into lines, or 0
// when every line is a paragraph: most of the text stands on lines too long to
// have been broken, or there is no blank line and every line ends a sentence.
func wrapMargin(lines []line) int {
	total, long, margin, filled, blank := 0, 0, 0, 0, 0
	sentences := 0
	for _, l := range trimBlank(lines) {
		total += l.length
		switch {
		case l.length == 0:
			blank++
			continue
		case l.length > maxColumns:
			long += l.length
		default:
			margin = max(margin, l.length)
		}
		filled++
		if endsSentence(l.text) {
			sentences++
		}
	}
	if 2*long > total || blank == 0 && filled == sentences {
		return 0
	}
	return margin
}

func trimBlank(lines []line) []line {
	for len(lines) > 0 && lines[0].length == 0 {
		lines = lines[1:]
	}
	for len(lines) > 0 && lines[len(lines)-1].length == 0 {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// divides says whether a paragraph ends between two neighbouring lines. A line
// broken at a margin is full: the next word would not have fitted.
func divides(l, next line, margin int) bool {
	if margin == 0 || l.length > maxColumns || next.length > maxColumns {
		return true
	}
	if next.indent >= l.indent+2 {
		return true
	}
	word, _, _ := strings.Cut(next.text, " ")
	if l.length+1+utf8.RuneCountInString(word) > margin {
		return false
	}
	return endsSentence(l.text) || 2*l.length < margin && startsUpper(next.text)
}

// endsSentence says whether the text ends with a full stop, a question mark,
// an exclamation mark or an ellipsis, closing marks and brackets aside.
func endsSentence(text string) bool {
	text = strings.TrimRight(text, `"'”’»“‘)] `)
	r, _ := utf8.DecodeLastRuneInString(text)
	return strings.ContainsRune(".!?…", r) && text != ""
}

func startsUpper(text string) bool {
	text = strings.TrimLeft(text, `"'“‘«„(`)
	r, _ := utf8.DecodeRuneInString(text)
	return unicode.IsUpper(r)
}

// joinLines joins hard-wrapped lines. A hyphen between two letters at a line's
// end stays and takes no space after it: "well-" and "known" are one word.
func joinLines(lines []string) string {
	var b strings.Builder
	for i, l := range lines {
		if i > 0 && !hyphenated(lines[i-1], l) {
			b.WriteByte(' ')
		}
		b.WriteString(l)
	}
	return b.String()
}

func hyphenated(l, next string) bool {
	body, ok := strings.CutSuffix(l, "-")
	if !ok {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(body)
	after, _ := utf8.DecodeRuneInString(next)
	word, _, _ := strings.Cut(next, " ")
	// "two- and three-day" is not one word.
	return unicode.IsLetter(before) && unicode.IsLower(after) &&
		word != "and" && word != "or" && word != "to"
}
