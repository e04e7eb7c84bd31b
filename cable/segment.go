package cable

import (
	"slices"
	"strings"
	"unicode"
)

const (
	segmentWords    = 10 // fixed text is cut at about this many words
	maxSegmentCombo = 16 // wordings a segment may have
)

// A Segment is a stretch of a paragraph of about ten words with at most 16
// wordings; no site is cut. Segments are the leaves of the draft root, so
// that a part of a cable can be opened without the rest.
type Segment struct {
	Paragraph int
	Pieces    []Piece
	Groups    []int // distinct, in order of first appearance
}

// Segments cuts the draft into segments, in reading order.
func (d *Draft) Segments() []Segment { return d.CutSegments(func() int { return segmentWords }) }

// CutSegments is Segments with another length, in words, for each segment: the
// length at which fixed text is cut. With lengths drawn at random a reader who
// sees where segments end learns next to nothing of where sites are.
func (d *Draft) CutSegments(length func() int) []Segment {
	var out []Segment
	for i, p := range d.Paragraphs {
		b := segmentBuilder{draft: d, length: length, most: length(), open: Segment{Paragraph: i}}
		for _, piece := range p {
			if piece.Site < 0 {
				b.text(piece.Text)
			} else {
				b.site(piece)
			}
		}
		b.close()
		out = append(out, b.out...)
	}
	return out
}

// Renderings returns the wordings of a segment: the k-th is that of the
// mixed-radix number k of its groups' choices, the first group least
// significant.
func (d *Draft) Renderings(s Segment) []string {
	out := make([]string, d.combos(s.Groups))
	for k := range out {
		out[k] = d.renderCombo(s.Pieces, s.Groups, k)
	}
	return out
}

type segmentBuilder struct {
	draft *Draft
	out   []Segment
	open  Segment
	words int

	length func() int
	most   int // words at which the open segment is cut
}

func (b *segmentBuilder) close() {
	if len(b.open.Pieces) > 0 {
		b.out = append(b.out, b.open)
	}
	b.open, b.words, b.most = Segment{Paragraph: b.open.Paragraph}, 0, b.length()
}

func (b *segmentBuilder) site(p Piece) {
	s := b.draft.Sites[p.Site]
	if !slices.Contains(b.open.Groups, s.Group) {
		if b.draft.combos(b.open.Groups)*b.draft.Groups[s.Group].Size > maxSegmentCombo {
			b.close()
		}
		b.open.Groups = append(b.open.Groups, s.Group)
	}
	b.open.Pieces = append(b.open.Pieces, p)
	b.words += len(strings.Fields(s.Alternatives[0]))
}

// text adds fixed text word by word, cutting after white space.
func (b *segmentBuilder) text(text string) {
	for text != "" {
		cut := wordAndSpace(text)
		b.addText(text[:cut])
		if strings.TrimSpace(text[:cut]) != "" {
			b.words++
		}
		text = text[cut:]
		if b.words >= b.most && endsInSpace(b.open) {
			b.close()
		}
	}
}

func (b *segmentBuilder) addText(text string) {
	pieces := b.open.Pieces
	if n := len(pieces); n > 0 && pieces[n-1].Site < 0 {
		pieces[n-1].Text += text
		return
	}
	b.open.Pieces = append(pieces, Piece{text, -1})
}

// wordAndSpace returns the length of the first word and the white space
// after it.
func wordAndSpace(text string) int {
	i := strings.IndexFunc(text, unicode.IsSpace)
	if i < 0 {
		return len(text)
	}
	j := strings.IndexFunc(text[i:], func(r rune) bool { return !unicode.IsSpace(r) })
	if j < 0 {
		return len(text)
	}
	return i + j
}

func endsInSpace(s Segment) bool {
	return spaceLast(s.Pieces[len(s.Pieces)-1].Text)
}
