package fault

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// program is the name that opens each message.
const program = "chancery"

// maxPrinted is how much of one message is printed, in bytes: content we
// quote is hostile and may be long.
const maxPrinted = 4096

// Print writes err in the form of the house,
//
//	chancery: error: draft.txt:3:17: this site has no second alternative
//	hint: write {one|other}
//
// and nothing for nil. Errors joined by [errors.Join] are written one by one.
// What cannot be printed safely on a terminal is escaped. Print is for
// standard error: a failure to write there is not reported.
func Print(w io.Writer, err error) {
	if err == nil {
		return
	}
	for _, e := range split(err) {
		fmt.Fprintf(w, "%s: error: %s\n", program, Escape(e.Error()))
		if hint := HintOf(e); hint != "" {
			fmt.Fprintf(w, "hint: %s\n", Escape(hint))
		}
	}
}

// split returns the parts of an error made by errors.Join, which adds no text
// of its own, and otherwise err alone.
func split(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	parts := joined.Unwrap()
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = p.Error()
	}
	if len(parts) == 0 || strings.Join(texts, "\n") != err.Error() {
		return []error{err}
	}
	return parts
}

// Clip returns the start of a text that is too long to be quoted whole in a
// message: at most so many bytes, and "...".
func Clip(text string, most int) string {
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

// Escape makes s safe to print on one line of a terminal: control characters,
// bytes that are not UTF-8, marks that reverse or hide text, and other
// characters without a shape of their own are written as Go escapes. A text
// of more than 4096 bytes is cut and ends in "...".
func Escape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		if i >= maxPrinted {
			b.WriteString("...")
			break
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
		i += size
	}
	return b.String()
}
