package press

import (
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// A measure says what stands under one node of a page, in bytes of text with
// white space squeezed.
type measure struct {
	text, links, paragraphs int
	headline                bool
}

// measures holds the measure of every element. It is taken in one pass,
// because asking element by element takes too long on a page made for that.
type measures map[*html.Node]measure

func measureAll(doc *html.Node) measures {
	m := measures{}
	m.add(doc, false, false)
	return m
}

func (m measures) add(n *html.Node, inLink, inParagraph bool) measure {
	var sum measure
	if n.Type == html.TextNode {
		sum.text = len(squeeze(n.Data))
		if inLink {
			sum.links = sum.text
		}
		if inParagraph {
			sum.paragraphs = sum.text
		}
		return sum
	}
	inLink = inLink || n.DataAtom == atom.A
	inParagraph = inParagraph || n.DataAtom == atom.P
	sum.headline = n.DataAtom == atom.H1
	for _, a := range n.Attr {
		if a.Key == "itemprop" && a.Val == "articleBody" {
			sum.headline = true
		}
	}
	for c := range n.ChildNodes() {
		part := m.add(c, inLink, inParagraph)
		sum.text += part.text
		sum.links += part.links
		sum.paragraphs += part.paragraphs
		sum.headline = sum.headline || part.headline
	}
	m[n] = sum
	return sum
}

// weight is the text of all elements, each with the text of those in it.
func (m measures) weight() int {
	sum := 0
	for _, one := range m {
		sum += one.text
	}
	return sum
}

// mostlyLinks says whether almost all the text is links, as in a list of
// other stories.
func (m measure) mostlyLinks() bool { return m.text > 0 && 5*m.links >= 4*m.text }

// smallPart says whether so little of the page is here that the report is not.
func (m measure) smallPart(page measure) bool {
	if page.paragraphs == 0 {
		return 5*m.text < page.text
	}
	return 5*m.paragraphs < 2*page.paragraphs
}
