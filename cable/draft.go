package cable

import (
	"fmt"
	"math"
	"strings"
)

// Limits of a draft. They bound the work any draft can ask for.
const (
	MaxDraft        = 4 << 20 // bytes
	MaxAlternatives = 16      // alternatives a site
	MaxGroups       = 1 << 14 // groups a draft
	MaxHeaderFields = 1000    // lines of the header block, continuations apart
	MaxTouching     = 256     // wordings of sites that no white space parts
	MaxWordings     = 1 << 18 // of all sites, those that touch taken together
)

// A Field is one header line with its continuation lines.
type Field struct {
	Name  string
	Value string   // continuation lines joined with single spaces
	Lines []string // as written, trailing white space removed
}

// A Site is a place where the draft offers alternatives.
type Site struct {
	Group        int // index into Draft.Groups
	Alternatives []string
	Paragraph    int // 0-based
	Line, Column int // of the opening brace, 1-based, columns in characters
}

// A Group is a set of linked sites that share one choice; most hold one site.
type Group struct {
	Label string // empty for a site that is not linked
	Size  int    // number of alternatives, 2 to MaxAlternatives
	Sites []int  // indices into Draft.Sites
}

// A Piece is a stretch of fixed text (Site < 0) or one site.
type Piece struct {
	Text string
	Site int
}

// A Paragraph is its pieces in order; a copy prints them end to end.
type Paragraph []Piece

// A Draft is the source of a cable, with alternatives in its text. Parse
// makes drafts; a Draft is not changed afterwards.
type Draft struct {
	Header     []Field
	Paragraphs []Paragraph
	Sites      []Site
	Groups     []Group
}

// A ParseError says what is wrong with a draft, and where.
type ParseError struct {
	Line, Column int // 1-based; columns count characters
	Msg, Hint    string
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Msg)
}

// Get returns the value of the first header field of that name, without
// regard to case, or the empty string.
func (d *Draft) Get(name string) string {
	for _, f := range d.Header {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Sizes returns the number of alternatives of each group.
func (d *Draft) Sizes() []int {
	sizes := make([]int, len(d.Groups))
	for i, g := range d.Groups {
		sizes[i] = g.Size
	}
	return sizes
}

// Bits returns the sum over groups of log2 of their sizes: what a copy read
// whole and without error tells.
func (d *Draft) Bits() float64 {
	bits := 0.0
	for _, g := range d.Groups {
		bits += math.Log2(float64(g.Size))
	}
	return bits
}

// Render returns the copy with the given choice for each group: the header
// lines, a blank line, the paragraphs separated by blank lines, and a final
// line feed. It panics when choices do not fit the draft's groups.
func (d *Draft) Render(choices []int) string {
	var b strings.Builder
	d.writeHeader(&b)
	for i := range d.Paragraphs {
		b.WriteByte('\n')
		b.WriteString(d.RenderParagraph(i, choices))
		b.WriteByte('\n')
	}
	return b.String()
}

// RenderParagraph returns the text of one paragraph under the given choices.
func (d *Draft) RenderParagraph(i int, choices []int) string {
	return d.renderPieces(d.Paragraphs[i], func(group int) int { return choices[group] })
}

func (d *Draft) renderPieces(pieces []Piece, choice func(group int) int) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.Site < 0 {
			b.WriteString(p.Text)
			continue
		}
		s := d.Sites[p.Site]
		b.WriteString(s.Alternatives[choice(s.Group)])
	}
	return b.String()
}

// RecordText returns the copy with the first alternative everywhere: the text
// that history keeps.
func (d *Draft) RecordText() string {
	return d.Render(make([]int, len(d.Groups)))
}

func (d *Draft) writeHeader(b *strings.Builder) {
	for _, f := range d.Header {
		for _, line := range f.Lines {
			b.WriteString(line)
			b.WriteByte('\n')
		}
	}
}

// Canonical returns the draft in its one canonical form: what Parse reads
// back to an equal draft, and what commitments are made over.
func (d *Draft) Canonical() string {
	var b strings.Builder
	d.writeHeader(&b)
	for _, p := range d.Paragraphs {
		b.WriteByte('\n')
		for _, piece := range p {
			d.writePiece(&b, piece)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (d *Draft) writePiece(b *strings.Builder, p Piece) {
	if p.Site < 0 {
		b.WriteString(escaper.Replace(p.Text))
		return
	}
	s := d.Sites[p.Site]
	b.WriteByte('{')
	if label := d.Groups[s.Group].Label; label != "" {
		b.WriteString(`\` + label + ": ")
	}
	for i, a := range s.Alternatives {
		if i > 0 {
			b.WriteByte('|')
		}
		b.WriteString(escaper.Replace(a))
	}
	b.WriteByte('}')
}

var escaper = strings.NewReplacer(`\`, `\\`, `{`, `\{`, `|`, `\|`, `}`, `\}`)
