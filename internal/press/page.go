package press

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	readability "codeberg.org/readeck/go-readability"
	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

const (
	// maxDepth bounds how deep the elements of a page may be nested. The
	// parser has the same bound for elements left open; pages people read
	// stay under 100.
	maxDepth = 512
	// maxNodes bounds how many elements and texts a page may come to.
	maxNodes = 500_000
	// maxScored is how many elements the extractor is asked to weigh; larger
	// pages are taken whole, because its time grows faster than the page.
	maxScored = 20_000
	// maxWeighed is how many bytes of text it may weigh, each counted once for
	// every element around it, because it reads them once for every element.
	maxWeighed = 64 << 20
)

// readHTML takes the text of the report out of a web page.
func readHTML(data []byte) ([]draft, *Error) {
	text, refused := pageText(data)
	if refused != nil {
		return nil, refused
	}
	if refused := tooComplex(text); refused != nil {
		return nil, refused
	}
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		// The parser's only failure on a string is its bound on depth.
		return nil, tooDeep()
	}
	if depth(doc) > maxDepth {
		return nil, tooDeep()
	}
	page := goquery.NewDocumentFromNode(doc)
	prune(page)
	settleBreaks(page)
	return report(page), nil
}

func tooDeep() *Error {
	return &Error{
		Msg:  fmt.Sprintf("elements nested deeper than %d", maxDepth),
		Hint: "save the text of the article as plain text",
	}
}

// formatting elements left open are opened again in every paragraph that
// follows, so that a short page can grow into a very large one.
var formatting = map[atom.Atom]bool{
	atom.A: true, atom.B: true, atom.Big: true, atom.Code: true, atom.Em: true,
	atom.Font: true, atom.I: true, atom.Nobr: true, atom.S: true, atom.Small: true,
	atom.Strike: true, atom.Strong: true, atom.Tt: true, atom.U: true,
}

// tooComplex estimates, before anything is built, how many nodes the page
// comes to: every tag may open again the formatting elements still open.
func tooComplex(text string) *Error {
	z := html.NewTokenizer(strings.NewReader(text))
	var open [2]int // formatting elements; template elements, which nest unseen
	nodes := 0
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return nil
		}
		nodes += 1 + open[0]
		if nodes > maxNodes || open[1] > maxDepth {
			return &Error{
				Msg:  fmt.Sprintf("a page of more than %d elements", maxNodes),
				Hint: "save the text of the article as plain text",
			}
		}
		if kind != html.StartTagToken && kind != html.EndTagToken {
			continue
		}
		name, _ := z.TagName()
		a := atom.Lookup(name)
		i := 0
		switch {
		case a == atom.Template:
			i = 1
		case !formatting[a]:
			continue
		}
		if kind == html.StartTagToken {
			open[i]++
		} else {
			open[i] = max(0, open[i]-1)
		}
	}
}

// depth measures the tree without recursion.
func depth(doc *html.Node) int {
	deepest, level := 0, 0
	for n := doc; n != nil; {
		deepest = max(deepest, level)
		if n.FirstChild != nil {
			n, level = n.FirstChild, level+1
			continue
		}
		for n != nil && n.NextSibling == nil {
			n, level = n.Parent, level-1
		}
		if n != nil {
			n = n.NextSibling
		}
	}
	return deepest
}

// report returns the paragraphs of the report on a pruned page: what the
// extractor takes for it, or the whole page where that is far too little.
func report(page *goquery.Document) []draft {
	body := page.Find("body").First()
	if body.Length() == 0 {
		return nil
	}
	whole := likelyProse(blocksOf(body.Get(0)))
	title := headline(page)
	main := extract(page)
	if 5*prose(main) < 2*prose(whole) || len(main) == 0 {
		return whole
	}
	if title != "" && !slices.ContainsFunc(main, func(d draft) bool { return d.text == title }) {
		main = append([]draft{{text: title}}, main...)
	}
	return main
}

// headline returns the headline of the report. It is kept because the press
// quotes in headlines too, and the extractor drops it.
func headline(page *goquery.Document) string {
	h := page.Find("h1")
	if h.Length() != 1 {
		return ""
	}
	drafts := blocksOf(h.Get(0))
	if len(drafts) != 1 {
		return ""
	}
	return drafts[0].text
}

// extract changes the page: it must be the last to use it.
func extract(page *goquery.Document) []draft {
	if measureAll(page.Get(0)).weight() > maxWeighed {
		return nil
	}
	parser := readability.NewParser()
	parser.DisableJSONLD = true
	parser.MaxElemsToParse = maxScored
	found, err := parser.ParseAndMutate(page.Get(0), &url.URL{})
	if err != nil || found.Node == nil {
		return nil
	}
	return blocksOf(found.Node)
}

// prose counts the characters that stand in sentences.
func prose(drafts []draft) int {
	n := 0
	for _, d := range drafts {
		if endsSentence(d.text) || len(d.spans) > 0 {
			n += utf8.RuneCountInString(d.text)
		}
	}
	return n
}

// likelyProse drops scraps of menus from a page taken whole, unless there is
// nothing else.
func likelyProse(drafts []draft) []draft {
	var out []draft
	for _, d := range drafts {
		if endsSentence(d.text) || len(d.spans) > 0 || len(scan(d.text)) > 0 || utf8.RuneCountInString(d.text) >= 40 {
			out = append(out, d)
		}
	}
	if len(out) == 0 {
		return drafts
	}
	return out
}
