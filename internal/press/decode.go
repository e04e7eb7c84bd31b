package press

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"
)

// headBytes is how much of a file is looked at to tell what it is.
const headBytes = 4096

const byteOrderMark = "\uFEFF"

var (
	pageStart = regexp.MustCompile(`(?is)^\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|meta|title|article|main|section|header|div|p|h[1-6]|table|blockquote|span|ul|ol|script|style|link|br)\b`)
	feedStart = regexp.MustCompile(`(?is)^\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(rss|feed|rdf:rdf)\b`)
	metaLabel = regexp.MustCompile(`(?is)<(?:meta\b[^>]*?\bcharset|\?xml\b[^>]*?\bencoding)\s*=\s*["']?\s*([a-z0-9_:.-]+)`)
)

// head returns the beginning of data, without a byte order mark.
func head(data []byte) []byte {
	return bytes.TrimPrefix(data[:min(len(data), headBytes)], []byte(byteOrderMark))
}

// foreign refuses files that hold an article in a form read elsewhere.
func foreign(data []byte) *Error {
	start := head(data)
	switch {
	case len(bytes.TrimSpace(start)) == 0 && len(bytes.TrimSpace(data)) == 0:
		return &Error{Msg: "the file is empty"}
	case bytes.HasPrefix(start, []byte("%PDF-")):
		return &Error{Msg: "a PDF, not a text", Hint: "take the text out of it first"}
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return &Error{Msg: "a packed document, not a text", Hint: "save it as plain text first"}
	case feedStart.Match(start):
		return &Error{Msg: "a feed, not an article", Hint: "save the article itself"}
	}
	return nil
}

// fromUTF16 decodes data that opens with a UTF-16 byte order mark, as some
// editors save texts, and returns all other data as it is.
func fromUTF16(data []byte) ([]byte, *Error) {
	if !bytes.HasPrefix(data, []byte{0xFE, 0xFF}) && !bytes.HasPrefix(data, []byte{0xFF, 0xFE}) {
		return data, nil
	}
	out, err := unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM).NewDecoder().Bytes(data)
	if err != nil || bytes.ContainsRune(out, utf8.RuneError) {
		return nil, &Error{Msg: "not valid UTF-16", Hint: "save the file as UTF-8"}
	}
	return out, nil
}

// utf8Text returns data as a string, or the position of the first byte that
// is not UTF-8.
func utf8Text(data []byte) (string, *Error) {
	text := strings.TrimPrefix(string(data), byteOrderMark)
	if utf8.ValidString(text) {
		return text, nil
	}
	at := 0
	for {
		r, size := utf8.DecodeRuneInString(text[at:])
		if r == utf8.RuneError && size <= 1 {
			return "", errorAt(text[:at], "not valid UTF-8", "save the file as UTF-8")
		}
		at += size
	}
}

// noNUL refuses NUL bytes: no text has them, so the file is something else.
func noNUL(text string) *Error {
	if at := strings.IndexByte(text, 0); at >= 0 {
		return errorAt(text[:at], "a NUL byte, so this is not a text", "save the article as plain text or HTML")
	}
	return nil
}

// errorAt makes an error whose position is the end of before.
func errorAt(before, msg, hint string) *Error {
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return &Error{Line: line, Column: column, Msg: msg, Hint: hint}
}

// pageText decodes a web page. Bytes that are valid UTF-8 are taken as UTF-8
// whatever the page declares, because pages saved by browsers keep the old
// declaration; ISO-2022-JP, which is ASCII bytes with escapes, is the exception.
func pageText(data []byte) (string, *Error) {
	label := declared(data)
	if utf8.Valid(data) && !bytes.ContainsRune(data, 0x1B) {
		return strings.TrimPrefix(string(data), byteOrderMark), nil
	}
	enc, name := charset.Lookup(label)
	if enc == nil || name == "utf-8" || strings.HasPrefix(name, "utf-16") {
		return utf8Text(data)
	}
	out, err := enc.NewDecoder().Bytes(data)
	if err != nil || bytes.ContainsRune(out, utf8.RuneError) {
		return "", &Error{
			Msg:  fmt.Sprintf("not valid %s, which the page declares", name),
			Hint: "save the page as UTF-8",
		}
	}
	return string(out), nil
}

// declared returns the charset label that a page declares, or "".
func declared(data []byte) string {
	if m := metaLabel.FindSubmatch(head(data)); m != nil {
		return string(m[1])
	}
	return ""
}
