package cable

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxCombos bounds the wordings of one cluster that are written out. Where
// more sites touch than that, the word is cut between them.
const maxCombos = 256

// A cluster is a run of pieces that no white space of fixed text parts: the
// sites in it may share words, so its wordings are read together.
type cluster struct {
	pieces []Piece
	groups []int // distinct, in order of first appearance
}

// runs cuts pieces into clusters that hold sites and fixed text between
// them, in order: each run is either one fixed piece or one cluster.
func (d *Draft) runs(pieces []Piece) []cluster {
	b := runBuilder{draft: d}
	for _, p := range pieces {
		if p.Site < 0 {
			b.text(p.Text)
		} else {
			b.site(p)
		}
	}
	b.close()
	return b.out
}

type runBuilder struct {
	draft *Draft
	out   []cluster
	open  cluster // pieces not yet parted from what follows
}

func (b *runBuilder) text(text string) {
	first := strings.IndexFunc(text, unicode.IsSpace)
	if first < 0 {
		b.add(text)
		return
	}
	if len(b.open.groups) > 0 {
		b.add(text[:first])
		b.close()
		text = text[first:]
	}
	last := strings.LastIndexFunc(text, unicode.IsSpace)
	_, size := utf8.DecodeRuneInString(text[last:])
	b.add(text[:last+size])
	b.close()
	b.add(text[last+size:])
}

func (b *runBuilder) add(text string) {
	if text != "" {
		b.open.pieces = append(b.open.pieces, Piece{text, -1})
	}
}

func (b *runBuilder) site(p Piece) {
	g := b.draft.Sites[p.Site].Group
	if !slices.Contains(b.open.groups, g) {
		if b.draft.combos(b.open.groups)*b.draft.Groups[g].Size > maxCombos {
			b.close()
		}
		b.open.groups = append(b.open.groups, g)
	}
	b.open.pieces = append(b.open.pieces, p)
}

func (b *runBuilder) close() {
	if len(b.open.pieces) > 0 {
		b.out = append(b.out, b.open)
	}
	b.open = cluster{}
}

// combos returns the number of joint choices of the groups.
func (d *Draft) combos(groups []int) int {
	n := 1
	for _, g := range groups {
		n *= d.Groups[g].Size
	}
	return n
}

// digits returns the k-th joint choice of the groups: the digits of a
// mixed-radix number, the first group's least significant.
func (d *Draft) digits(groups []int, k int) []int {
	out := make([]int, len(groups))
	for i, g := range groups {
		out[i] = k % d.Groups[g].Size
		k /= d.Groups[g].Size
	}
	return out
}

// setCombo writes the k-th joint choice of the groups into choices.
func (d *Draft) setCombo(choices []int, groups []int, k int) {
	for i, x := range d.digits(groups, k) {
		choices[groups[i]] = x
	}
}

// distinct refuses alternatives that the tracer could not tell apart: every
// cluster and every segment must have as many word sequences as choices.
func (d *Draft) distinct() error {
	choices := make([]int, len(d.Groups))
	for i := range d.Paragraphs {
		for _, c := range d.runs(d.Paragraphs[i]) {
			if err := d.distinctPieces(c.pieces, c.groups, choices); err != nil {
				return err
			}
		}
	}
	for _, s := range d.Segments() {
		if err := d.distinctPieces(s.Pieces, s.Groups, choices); err != nil {
			return err
		}
	}
	return nil
}

func (d *Draft) distinctPieces(pieces []Piece, groups, choices []int) error {
	seen := map[string]string{}
	for k := range d.combos(groups) {
		d.setCombo(choices, groups, k)
		text := d.renderPieces(pieces, choices)
		key := strings.Join(Words(text), " ")
		if other, again := seen[key]; again && len(groups) > 0 {
			return d.equalError(pieces, other, text)
		}
		seen[key] = text
	}
	return nil
}

func (d *Draft) equalError(pieces []Piece, a, b string) error {
	i := slices.IndexFunc(pieces, func(p Piece) bool { return p.Site >= 0 })
	s := d.Sites[pieces[i].Site]
	return &ParseError{s.Line, s.Column,
		fmt.Sprintf("two choices read the same to the tracer: %q and %q", a, b),
		"alternatives must differ in more than case, accents, hyphens, apostrophes and punctuation"}
}
