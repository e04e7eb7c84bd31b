package press

import (
	"strings"
	"unicode/utf8"

	"chancery/cable"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// blockElements begin and end a paragraph.
var blockElements = map[atom.Atom]bool{}

// silent elements have no text that a reader sees.
var silent = map[atom.Atom]bool{
	atom.Head: true, atom.Script: true, atom.Style: true, atom.Template: true,
	atom.Noscript: true, atom.Title: true, atom.Iframe: true, atom.Textarea: true,
}

func init() {
	for _, a := range []atom.Atom{
		atom.Address, atom.Article, atom.Aside, atom.Blockquote, atom.Body, atom.Caption, atom.Center,
		atom.Dd, atom.Details, atom.Div, atom.Dl, atom.Dt, atom.Fieldset, atom.Figcaption, atom.Figure,
		atom.Footer, atom.Form, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Header, atom.Hr,
		atom.Li, atom.Main, atom.Nav, atom.Ol, atom.P, atom.Pre, atom.Section, atom.Summary, atom.Table,
		atom.Tbody, atom.Td, atom.Tfoot, atom.Th, atom.Thead, atom.Tr, atom.Ul,
	} {
		blockElements[a] = true
	}
}

// blocksOf returns the paragraphs of text under a node of a page.
func blocksOf(n *html.Node) []draft {
	f := &flow{open: -1}
	f.node(n)
	f.flush()
	return f.out
}

const paragraphSeparator = '\u2029'

// settleBreaks puts white space in the place of <br> elements, a paragraph
// separator where two follow each other: the extractor would drop them and
// run the words on either side together.
func settleBreaks(page *goquery.Document) {
	page.Find("br").Each(func(_ int, s *goquery.Selection) {
		n := s.Get(0)
		if s.ParentsFiltered("pre").Length() > 0 {
			return
		}
		text := "\n"
		for next := n.NextSibling; next != nil && (blank(next) || next.DataAtom == atom.Br); next = next.NextSibling {
			if next.DataAtom == atom.Br {
				text = string(paragraphSeparator)
				break
			}
		}
		n.Type, n.DataAtom, n.Data, n.Attr = html.TextNode, 0, text, nil
	})
}

// A flow gathers the running text of a page into paragraphs.
type flow struct {
	out    []draft
	buf    strings.Builder
	spans  []cable.Span
	space  bool // white space since the last text
	parted bool // a paragraph separator since the last text
	block  int  // depth of blockquote elements
	quote  int  // depth of q elements
	open   int  // where the outermost q began, or -1
}

func (f *flow) node(n *html.Node) {
	switch {
	case n.Type == html.TextNode:
		f.text(n.Data)
	case n.Type == html.ElementNode && (silent[n.DataAtom] || n.Namespace != ""):
	case n.DataAtom == atom.Pre:
		f.preformatted(n)
	case n.DataAtom == atom.Q:
		f.inQuote(n)
	case blockElements[n.DataAtom]:
		f.inBlock(n)
	default:
		f.children(n)
	}
}

func (f *flow) children(n *html.Node) {
	for c := range n.ChildNodes() {
		f.node(c)
	}
}

func (f *flow) inBlock(n *html.Node) {
	f.flush()
	if n.DataAtom == atom.Blockquote {
		f.block++
		defer func() { f.block-- }()
	}
	f.children(n)
	f.flush()
}

func (f *flow) inQuote(n *html.Node) {
	f.settle()
	if f.quote++; f.quote == 1 {
		f.open = f.buf.Len()
	}
	f.children(n)
	if f.quote--; f.quote == 0 {
		f.spans = append(f.spans, cable.Span{Start: f.open, End: f.buf.Len()})
		f.open = -1
	}
}

// preformatted reads a pre element as the plain text it is.
func (f *flow) preformatted(n *html.Node) {
	f.flush()
	var b strings.Builder
	for c := range n.Descendants() {
		switch {
		case c.Type == html.TextNode:
			b.WriteString(c.Data)
		case c.DataAtom == atom.Br:
			b.WriteByte('\n')
		}
	}
	for _, p := range paragraphs(b.String()) {
		f.text(p)
		f.flush()
	}
}

// text appends running text, white space squeezed as a browser does.
func (f *flow) text(s string) {
	for _, r := range s {
		c, ok := cleanRune(r)
		switch {
		case !ok:
		case r == paragraphSeparator:
			f.parted, f.space = true, true
		case c == ' ' || c == '\n' || r == '\r':
			f.space = true
		default:
			f.settle()
			f.buf.WriteRune(c)
		}
	}
}

// settle writes what the white space before a text comes to: a space or a new
// paragraph.
func (f *flow) settle() {
	if f.parted {
		f.flush()
	}
	if f.space && f.buf.Len() > 0 {
		f.buf.WriteByte(' ')
	}
	f.space, f.parted = false, false
}

// flush ends the paragraph.
func (f *flow) flush() {
	text := strings.TrimRight(f.buf.String(), " ")
	if f.open >= 0 {
		f.spans = append(f.spans, cable.Span{Start: f.open, End: len(text)})
		f.open = 0
	}
	if text != "" {
		f.out = append(f.out, draft{text, f.quoted(text)})
	}
	f.buf.Reset()
	f.spans, f.space, f.parted = nil, false, false
}

// quoted returns the quotations of a paragraph known from markup.
func (f *flow) quoted(text string) []cable.Span {
	if f.block > 0 && !isAttribution(text) {
		return []cable.Span{{Start: 0, End: len(text)}}
	}
	return f.spans
}

// isAttribution says whether a paragraph of a quotation names its speaker.
func isAttribution(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return classOf(first) == dash && utf8.RuneCountInString(text) <= maxLabel
}
