package cli

import "strings"

// bold returns a function that sets text in bold where colour is shown.
func bold(colour bool) func(string) string {
	return func(text string) string {
		if !colour {
			return text
		}
		return "\x1b[1m" + text + "\x1b[0m"
	}
}

// wrap breaks a text into lines of at most so many bytes.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		switch {
		case column == 0:
		case column+1+len(word) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
