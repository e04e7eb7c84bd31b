// Package press reads a leaked text as the press prints it, plain or as a web
// page, and makes a [cable.Article] of it: the paragraphs of the report, and
// in each of them the stretches that stand in quotation marks.
//
// It keeps every word of the report, quoted or not, and leaves out what the
// page wraps around the report: menus, advertisements, headlines of other
// stories, captions. It never fetches anything, never looks at a draft or a
// codebook, and never mends a text it cannot read: it refuses it with an
// [Error] that says where.
package press

import (
	"bytes"
	"fmt"
	"strings"

	"chancery/cable"
)

// MaxBytes is the size of the largest leak that [Read] accepts.
const MaxBytes = 32 << 20

// Read turns the bytes of one leak into an article. The name labels the
// article and its errors. HTML is told from plain text by an extension .html,
// .htm or .xhtml of the name, or else by how the data begins, since standard
// input has no name. Every error is an [*Error].
func Read(name string, data []byte) (cable.Article, error) {
	a, err := read(name, data)
	if err != nil {
		err.Name = name
		return cable.Article{}, err
	}
	a.Name = name
	return a, nil
}

func read(name string, data []byte) (cable.Article, *Error) {
	if len(data) > MaxBytes {
		return cable.Article{}, &Error{
			Msg:  fmt.Sprintf("%d bytes are more than the limit of %d", len(data), MaxBytes),
			Hint: "cut the file down to the report itself",
		}
	}
	data, err := fromUTF16(data)
	if err != nil {
		return cable.Article{}, err
	}
	if err := foreign(data); err != nil {
		return cable.Article{}, err
	}
	var drafts []draft
	if isHTML(name, data) {
		drafts, err = readHTML(data)
	} else {
		drafts, err = readText(data)
	}
	if err != nil {
		return cable.Article{}, err
	}
	return article(drafts)
}

// readText splits a plain text into paragraphs.
func readText(data []byte) ([]draft, *Error) {
	text, err := utf8Text(data)
	if err != nil {
		return nil, err
	}
	if err := noNUL(text); err != nil {
		return nil, err
	}
	var drafts []draft
	for _, p := range paragraphs(text) {
		drafts = append(drafts, draft{text: p})
	}
	return drafts, nil
}

// A draft is one paragraph before its quotation marks are read. Its spans are
// the quotations known from markup alone.
type draft struct {
	text  string
	spans []cable.Span
}

// article drops the boilerplate and finds the quotations.
func article(drafts []draft) (cable.Article, *Error) {
	var kept []draft
	for _, d := range drafts {
		d.text = cutTeaser(d.text)
		if d.text != "" && !isLabel(d.text) {
			kept = append(kept, d)
		}
	}
	if len(kept) == 0 {
		return cable.Article{}, &Error{
			Msg:  "no text of a report in it",
			Hint: "check that the file is the article and not only its frame",
		}
	}
	var a cable.Article
	for i, d := range kept {
		next := ""
		if i+1 < len(kept) {
			next = kept[i+1].text
		}
		spans := merge(quotes(d.text, next), clip(d.text, d.spans))
		a.Blocks = append(a.Blocks, cable.Block{Text: d.text, Quotes: spans})
	}
	return a, nil
}

// isHTML says whether data is to be read as a web page.
func isHTML(name string, data []byte) bool {
	if bytes.IndexByte(data, '<') < 0 {
		return false
	}
	lower := strings.ToLower(name)
	for _, ext := range []string{".html", ".htm", ".xhtml"} {
		if strings.HasSuffix(lower, ext) {
			return true
		}
	}
	return pageStart.Match(head(data))
}
