package cli

import (
	"bytes"
	"cmp"
	"errors"
	"regexp"
	"slices"
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

// foreign is what is plainly neither a draft nor an article, by how it begins,
// and what to do about it.
var foreign = []struct {
	begins     *regexp.Regexp
	what, hint string
}{
	{regexp.MustCompile(`^%PDF-`), "a PDF, not a text", "take the text out of it first"},
	{regexp.MustCompile(`^PK\x03\x04`), "a packed document, not a text", "save it as plain text first"},
	{regexp.MustCompile(`^\{\\rtf`), "a document in RTF, not a text", "save it as plain text first"},
	{regexp.MustCompile(`^(age-encryption\.org/|-----BEGIN AGE )`), "a sealed file, not a text", "open it first, or name another file"},
	{regexp.MustCompile(`^\s*\{\s*"format"\s*:\s*"chancery-codebook-`), "a codebook, not a text", "name a codebook with --codebook, and the text here"},
	{regexp.MustCompile(`^\s*\{\s*"format"\s*:\s*"chancery-case-`), "a case, not a text", "name a case with --case, and the text here"},
}

// xmlRoot finds the first element, after a declaration or none.
var xmlRoot = regexp.MustCompile(`(?is)^\s*(<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*|<!doctype[^>]*>\s*)*<([a-z][\w:.-]*)`)

// pressRoots are those that package press reads, or refuses by name.
var pressRoots = []string{"html", "rss", "feed", "rdf:rdf"}

// refuseForeign refuses a file that is plainly not a text of any kind.
func refuseForeign(name string, data []byte) error {
	head := bytes.TrimPrefix(data[:min(len(data), 4<<10)], []byte("\ufeff"))
	for _, f := range foreign {
		if f.begins.Match(head) {
			return fault.Input.New("%s", f.what).At(label(name), 0, 0).WithHint("%s", f.hint)
		}
	}
	if m := xmlRoot.FindSubmatch(head); m != nil {
		root := strings.ToLower(string(m[2]))
		if root == "svg" || len(m[1]) > 0 && !slices.Contains(pressRoots, root) {
			return fault.Input.New("an XML document or picture, not a text").At(label(name), 0, 0).
				WithHint("save the text itself, as plain text or HTML")
		}
	}
	return nil
}

// refuseDraft refuses a draft in the place of an article. It holds every
// copy's words, and the look at it could not be taken back.
func refuseDraft(name string, data []byte) error {
	if d, err := cable.Parse(data); err != nil || len(d.Sites) == 0 {
		return nil
	}
	return fault.Input.New("a draft with its alternatives, not an article").At(label(name), 0, 0).
		WithHint("name the text that was printed")
}

// isAddress says that a page's address was given where its file is wanted.
func isAddress(name string) bool {
	return strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://")
}

// readLeak reads one leaked text.
func readLeak(s Streams, name string) (cable.Article, []byte, error) {
	if isAddress(name) {
		return cable.Article{}, nil, fault.Usage.New("%s is an address, and nothing is fetched here", name).
			WithHint("save the page first and name its file")
	}
	data, err := readInput(s, name, press.MaxBytes)
	if err != nil {
		return cable.Article{}, nil, err
	}
	if err := cmp.Or(refuseForeign(name, data), refuseDraft(name, data)); err != nil {
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
