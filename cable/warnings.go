package cable

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Warning is something an author should look at; it stops nothing.
type Warning struct {
	Line, Column int
	Msg          string
}

// Warnings looks over the sites of a draft: those in quotation marks, on
// names or figures, that touch a word, that leave white space doubled, or that
// need another article before them. [StrayBars] looks at what Parse drops.
func (d *Draft) Warnings() []Warning {
	var out []Warning
	for _, p := range d.Paragraphs {
		quoted := inQuotes(p)
		for i, piece := range p {
			if piece.Site < 0 {
				continue
			}
			before, after := neighbours(p, i)
			s := d.Sites[piece.Site]
			for _, msg := range d.siteWarnings(s, before, after) {
				out = append(out, Warning{s.Line, s.Column, msg})
			}
			if quoted[i] {
				out = append(out, Warning{s.Line, s.Column, "the site stands in quotation marks; quoted words are not ours to vary"})
			}
		}
	}
	return out
}

// neighbours returns the fixed text before and after piece i, up to the next
// site.
func neighbours(p Paragraph, i int) (before, after string) {
	if i > 0 && p[i-1].Site < 0 {
		before = p[i-1].Text
	}
	if i+1 < len(p) && p[i+1].Site < 0 {
		after = p[i+1].Text
	}
	return before, after
}

// StrayBars warns of bars outside sites, once a line: most often of
// alternatives in other brackets than braces. data is a draft that Parse
// reads; an escaped bar was meant.
func StrayBars(data []byte) []Warning {
	var out []Warning
	body, inSite := false, false
	for i, line := range strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n") {
		if !body {
			body = strings.TrimSpace(line) == ""
			continue
		}
		escaped, told := false, false
		column := 0
		for _, r := range line {
			column++
			switch {
			case escaped:
				escaped = false
			case r == '\\':
				escaped = true
			case r == '{', r == '}':
				inSite = r == '{'
			case r == '|' && !inSite && !told:
				out = append(out, Warning{i + 1, column, "a bar outside braces is printed as it is; a site is written {a|b}"})
				told = true
			}
		}
	}
	return out
}

func (d *Draft) siteWarnings(s Site, before, after string) []string {
	var out []string
	last, _ := utf8.DecodeLastRuneInString(before)
	first, _ := utf8.DecodeRuneInString(after)
	if slices.ContainsFunc(s.Alternatives, func(a string) bool { return splitsWord(last, a, first) }) {
		out = append(out, "the site touches a letter, a hyphen or an apostrophe; the whole word is read as one")
	}
	if name, ok := nameIn(s.Alternatives, before); ok {
		out = append(out, fmt.Sprintf("%q looks like a name; names are better left alone", name))
	}
	empty := false
	for _, a := range s.Alternatives {
		if strings.ContainsFunc(a, unicode.IsDigit) {
			out = append(out, fmt.Sprintf("%q holds a figure; figures are better left alone", a))
			break
		}
		empty = empty || strings.TrimSpace(a) == ""
	}
	if empty && unicode.IsSpace(last) && unicode.IsSpace(first) {
		out = append(out, "an empty alternative leaves two spaces; write {word |} with the space inside")
	}
	if a, ok := doublesSpace(last, s.Alternatives, first); ok {
		out = append(out, fmt.Sprintf("%q begins or ends with a space next to a space; its copies would have two", a))
	}
	if article(before) && mixedVowels(s.Alternatives) {
		out = append(out, "some alternatives need 'a' and some 'an' before them; put the article inside")
	}
	return out
}

// doublesSpace returns an alternative of more than white space that begins
// with a space after one, or ends with a space before one.
func doublesSpace(before rune, alternatives []string, after rune) (string, bool) {
	for _, a := range alternatives {
		first, _ := utf8.DecodeRuneInString(a)
		last, _ := utf8.DecodeLastRuneInString(a)
		if strings.TrimSpace(a) != "" && (unicode.IsSpace(before) && unicode.IsSpace(first) || unicode.IsSpace(last) && unicode.IsSpace(after)) {
			return a, true
		}
	}
	return "", false
}

// splitsWord says whether an alternative shares a word with a character before
// it or after it.
func splitsWord(before rune, alternative string, after rune) bool {
	if alternative == "" {
		return touches(before) && touches(after)
	}
	first, _ := utf8.DecodeRuneInString(alternative)
	last, _ := utf8.DecodeLastRuneInString(alternative)
	return touches(before) && touches(first) || touches(last) && touches(after)
}

func touches(r rune) bool {
	return r != utf8.RuneError && (isWordRune(r) || isJoiner(r))
}

// nameIn returns an alternative with a capital where no sentence begins.
func nameIn(alternatives []string, before string) (string, bool) {
	before = strings.TrimRightFunc(before, unicode.IsSpace)
	if before == "" || strings.ContainsAny(before[len(before)-1:], ".!?:") {
		return "", false
	}
	for _, a := range alternatives {
		for _, w := range strings.Fields(a) {
			if r, _ := utf8.DecodeRuneInString(w); unicode.IsUpper(r) && w != "I" {
				return a, true
			}
		}
	}
	return "", false
}

func article(before string) bool {
	words := strings.Fields(before)
	if len(words) == 0 || !strings.HasSuffix(before, " ") {
		return false
	}
	last := strings.ToLower(words[len(words)-1])
	return last == "a" || last == "an"
}

func mixedVowels(alternatives []string) bool {
	vowels, others := 0, 0
	for _, a := range alternatives {
		switch {
		case a == "":
		case strings.ContainsRune("aeiouAEIOU", rune(a[0])):
			vowels++
		default:
			others++
		}
	}
	return vowels > 0 && others > 0
}

// inQuotes says of each piece of a paragraph whether it stands in double
// quotation marks, by counting those of the fixed text before it.
func inQuotes(p Paragraph) []bool {
	depth, straight := 0, false
	quoted := make([]bool, len(p))
	for i, piece := range p {
		quoted[i] = depth > 0 || straight
		for _, r := range piece.Text {
			switch r {
			case '“', '«':
				depth++
			case '”', '»':
				depth = max(0, depth-1)
			case '"':
				straight = !straight
			}
		}
	}
	return quoted
}
