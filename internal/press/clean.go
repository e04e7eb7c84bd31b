package press

import (
	"strings"
	"unicode"
)

// cleanRune maps the many spaces of typesetting to one and says false for
// characters that print nothing, so that words read the same whichever
// program set them.
func cleanRune(r rune) (rune, bool) {
	switch {
	case r == '\n' || r == ' ':
		return r, true
	case r == '\u0085' || r == '\u2028' || r == '\u2029' || r == '\v' || r == '\f':
		return '\n', true
	case unicode.IsSpace(r) || unicode.Is(unicode.Zs, r):
		return ' ', true
	case r == 0 || r == '\u00AD' || r == '\u115F' || r == '\u180E' || unicode.Is(unicode.Cf, r):
		return 0, false
	case unicode.IsControl(r):
		return ' ', true
	}
	return r, true
}

// clean normalises line ends and spaces and drops what prints nothing.
func clean(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	return strings.Map(func(r rune) rune {
		if c, ok := cleanRune(r); ok {
			return c
		}
		return -1
	}, text)
}

// squeeze turns every run of white space into one space.
func squeeze(text string) string {
	return strings.Join(strings.Fields(text), " ")
}
