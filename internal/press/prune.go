package press

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// never are the elements that hold no text of a report.
const never = "script, style, noscript, template, iframe, object, embed, svg, math, canvas, audio, video, " +
	"button, input, select, textarea, nav, aside, footer, figcaption, menu, dialog, address, " +
	"[hidden], [rel=author], [itemprop=author], [role=navigation], [role=complementary], [role=contentinfo], " +
	"[role=search], [role=dialog], [role=menu], .sr-only, .visually-hidden, .screen-reader-text, " +
	"#comments, #disqus_thread, .comments, .comment-list, .comments-area, .comments-section"

// furniture are the words of class names and ids that mark what a page wraps
// around a report. A whole article can stand in a box named by one of them
// ("article-with-ads"), so such a box goes only if little of the page is in it.
var furniture = map[string]bool{}

func init() {
	for name := range strings.FieldsSeq(`ad ads advert advertisement advertising sponsor sponsored promo promotion
		newsletter subscribe subscription signup share sharing shares social related recommended recommendations
		recirculation caption captions credit credits byline bylines author authors comment comments disqus
		cookie cookies consent paywall breadcrumb breadcrumbs tags taglist trending popular outbrain taboola
		teaser teasers menu navbar toolbar sidebar copyright dateline timestamp`) {
		furniture[name] = true
	}
}

// prune takes out of a page what is not the report.
func prune(page *goquery.Document) {
	doc := page.Get(0)
	found := measureAll(doc)
	page.Find(never).Each(func(_ int, s *goquery.Selection) {
		if n := s.Get(0); !isFrame(n) && !found[n].headline {
			s.Remove()
		}
	})
	found = measureAll(doc)
	page.Find("form, [class], [id]").Each(func(_ int, s *goquery.Selection) {
		n := s.Get(0)
		boxed := n.DataAtom == atom.Form || isFurniture(n)
		if m := found[n]; boxed && !m.headline && m.smallPart(found[doc]) {
			s.Remove()
		}
	})
	page.Find("ul, ol").Each(func(_ int, s *goquery.Selection) {
		if found[s.Get(0)].mostlyLinks() {
			s.Remove()
		}
	})
	page.Find("p, li, div, section, h2, h3, h4, h5, h6, td, span, strong").Each(func(_ int, s *goquery.Selection) {
		n := s.Get(0)
		if m := found[n]; m.text > 0 && m.text <= 4*maxLabel && isLeaf(n) && isClutter(s, m) {
			s.Remove()
		}
	})
}

// isFrame says whether an element is too large to go by its class alone.
func isFrame(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Html, atom.Body, atom.Main, atom.H1:
		return true
	}
	return false
}

func isFurniture(n *html.Node) bool {
	if isFrame(n) {
		return false
	}
	for _, a := range n.Attr {
		if a.Key != "class" && a.Key != "id" {
			continue
		}
		for name := range strings.FieldsFuncSeq(splitCamel(a.Val), notLetter) {
			if furniture[name] {
				return true
			}
		}
	}
	return false
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) }

var camel = regexp.MustCompile(`(\p{Ll})(\p{Lu})`)

func splitCamel(s string) string {
	return strings.ToLower(camel.ReplaceAllString(s, "$1 $2"))
}

// isLeaf says whether an element has no block element in it.
func isLeaf(n *html.Node) bool {
	for c := range n.Descendants() {
		if c.Type == html.ElementNode && blockElements[c.DataAtom] {
			return false
		}
	}
	return true
}

var (
	// lead are the words that a line pointing away from the report opens with.
	lead = regexp.MustCompile(`(?i)^\W*(?:also read|read also|also see|see also|read more|must read|related|more on this|` +
		`you may also like|recommended|don['’]t miss|advertisement|sponsored|subscribe|sign up|share this|follow us|newsletter)\b\s*(\W?)`)
	byline = regexp.MustCompile(`^(?:By|BY|Written by|Reported by) (?:\p{Lu}[\pL'’.-]*(?:,| and| in| for| at| of| the)? ?){1,14}$`)
)

// isClutter says whether a leaf of the page is a label, a link to another
// story or a byline.
func isClutter(s *goquery.Selection, m measure) bool {
	text := squeeze(clean(s.Text()))
	if utf8.RuneCountInString(text) > maxLabel {
		return false
	}
	inline := s.Is("span, strong")
	if isLabel(text) || byline.MatchString(text) {
		return !inline || isLone(s.Get(0))
	}
	if inline {
		return false
	}
	if !s.Is("td") && 10*m.links >= 9*m.text {
		return true
	}
	sign := lead.FindStringSubmatch(text)
	return sign != nil && (m.links > 0 || sign[1] != "" && strings.Contains(":-–—|", sign[1]) || !endsSentence(text))
}

// isLone says whether an element has no text or element beside it.
func isLone(n *html.Node) bool {
	return n.Parent != nil && blank(n.PrevSibling) && blank(n.NextSibling) &&
		(n.PrevSibling == nil || n.PrevSibling.PrevSibling == nil) &&
		(n.NextSibling == nil || n.NextSibling.NextSibling == nil)
}

func blank(n *html.Node) bool {
	return n == nil || n.Type == html.TextNode && squeeze(n.Data) == ""
}
