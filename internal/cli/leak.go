package cli

import (
	"cmp"
	"errors"
	"strings"

	"chancery/cable"
	"chancery/internal/fault"
	"chancery/internal/press"
)

// Limits on the text of one leak. Reading takes time that grows with the
// square of a paragraph's length and memory that grows with it, and a leak is
// hostile: without limits, 30 MB of a cable's own words take all there is.
const (
	maxLeakText  = 8 << 20  // bytes of all paragraphs
	maxParagraph = 32 << 10 // bytes of one; longer ones are read in parts
)

// readLeak reads one leaked text.
func readLeak(s Streams, name string) (cable.Article, []byte, error) {
	data, err := readInput(s, name, press.MaxBytes)
	if err != nil {
		return cable.Article{}, nil, err
	}
	a, err := press.Read(label(name), data)
	var pe *press.Error
	if errors.As(err, &pe) {
		hint := cmp.Or(pe.Hint, "check that this is the file you meant")
		return a, nil, fault.Input.New("%s", pe.Msg).At(label(name), pe.Line, pe.Column).WithHint("%s", hint)
	}
	if err != nil {
		return a, nil, err
	}
	size := 0
	for _, b := range a.Blocks {
		size += len(b.Text)
	}
	if size > maxLeakText {
		return a, nil, fault.Input.New("%d bytes of text are more than the limit of %d", size, maxLeakText).At(label(name), 0, 0).
			WithHint("cut the file down to the report itself, or trace its parts as separate leaks")
	}
	a.Blocks = cutLong(a.Blocks)
	return a, data, nil
}

// cutLong cuts paragraphs that are too long to be read at once.
func cutLong(blocks []cable.Block) []cable.Block {
	var out []cable.Block
	for _, b := range blocks {
		for len(b.Text) > maxParagraph {
			var part cable.Block
			part, b = cutBlock(b, cutPlace(b.Text[:maxParagraph]))
			out = append(out, part)
		}
		out = append(out, b)
	}
	return out
}

// cutPlace returns where to cut: after the last sentence, or else the last
// word, or else the last whole character.
func cutPlace(text string) int {
	if at := strings.LastIndex(text, ". "); at > len(text)/2 {
		return at + 2
	}
	if at := strings.LastIndexByte(text, ' '); at > 0 {
		return at + 1
	}
	return len(strings.ToValidUTF8(text, ""))
}

// cutBlock cuts a paragraph in two; a quotation across the cut is in both.
func cutBlock(b cable.Block, at int) (before, after cable.Block) {
	before.Text, after.Text = b.Text[:at], b.Text[at:]
	for _, q := range b.Quotes {
		if q.Start < at {
			before.Quotes = append(before.Quotes, cable.Span{Start: q.Start, End: min(q.End, at)})
		}
		if q.End > at {
			after.Quotes = append(after.Quotes, cable.Span{Start: max(q.Start-at, 0), End: q.End - at})
		}
	}
	return before, after
}
