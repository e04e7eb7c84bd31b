package cable

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A cluster is a run of pieces that no certain white space parts: the sites
// in it may share words, so its wordings are read together.
type cluster struct {
	pieces []Piece
	groups []int // distinct, in order of first appearance
	combos int   // joint choices of the groups
}

// runs cuts pieces into clusters that hold sites and fixed text between
// them, in order: each run is either one fixed piece or one cluster. White
// space is certain in fixed text, and where every alternative of a site
// begins or ends with it.
func (d *Draft) runs(pieces []Piece) ([]cluster, error) {
	b := runBuilder{draft: d}
	b.close()
	for _, p := range pieces {
		if p.Site < 0 {
			b.text(p.Text)
		} else if err := b.site(p); err != nil {
			return nil, err
		}
	}
	b.close()
	return b.out, nil
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

func (b *runBuilder) site(p Piece) error {
	s := b.draft.Sites[p.Site]
	if !slices.ContainsFunc(s.Alternatives, func(a string) bool { return !spaceFirst(a) }) {
		b.close()
	}
	if !slices.Contains(b.open.groups, s.Group) {
		b.open.groups = append(b.open.groups, s.Group)
		b.open.combos *= b.draft.Groups[s.Group].Size
	}
	if b.open.combos > MaxTouching {
		return &ParseError{s.Line, s.Column,
			fmt.Sprintf("the sites that touch here make more than %d wordings", MaxTouching),
			"put white space between some of them, or write them as one site"}
	}
	b.open.pieces = append(b.open.pieces, p)
	if !slices.ContainsFunc(s.Alternatives, func(a string) bool { return !spaceLast(a) }) {
		b.close()
	}
	return nil
}

func (b *runBuilder) close() {
	if len(b.open.pieces) > 0 {
		b.out = append(b.out, b.open)
	}
	b.open = cluster{combos: 1}
}

func spaceFirst(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return unicode.IsSpace(r)
}

func spaceLast(text string) bool {
	r, _ := utf8.DecodeLastRuneInString(text)
	return unicode.IsSpace(r)
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

// renderCombo returns pieces under the k-th joint choice of their groups.
func (d *Draft) renderCombo(pieces []Piece, groups []int, k int) string {
	choice := d.digits(groups, k)
	return d.renderPieces(pieces, func(group int) int { return choice[slices.Index(groups, group)] })
}

// distinct refuses alternatives that the tracer could not tell apart: every
// cluster and every segment must have as many word sequences as choices.
func (d *Draft) distinct() error {
	budget := budget{wordings: MaxWordings, bytes: MaxDraft}
	for i := range d.Paragraphs {
		clusters, err := d.runs(d.Paragraphs[i])
		if err != nil {
			return err
		}
		for _, c := range clusters {
			if err := budget.spend(d, c); err != nil {
				return err
			}
			if err := d.distinctPieces(c.pieces, c.groups); err != nil {
				return err
			}
		}
	}
	for _, s := range d.Segments() {
		if err := d.distinctPieces(s.Pieces, s.Groups); err != nil {
			return err
		}
	}
	return nil
}

// A budget bounds the wordings of all clusters, which linked sites could
// otherwise multiply without end.
type budget struct{ wordings, bytes int }

func (b *budget) spend(d *Draft, c cluster) error {
	if len(c.groups) == 0 {
		return nil
	}
	b.wordings -= c.combos
	for _, p := range c.pieces {
		if p.Site < 0 {
			b.bytes -= c.combos * len(p.Text)
			continue
		}
		for _, a := range d.Sites[p.Site].Alternatives {
			b.bytes -= c.combos / len(d.Sites[p.Site].Alternatives) * len(a)
		}
	}
	if b.wordings >= 0 && b.bytes >= 0 {
		return nil
	}
	s := d.firstSite(c.pieces)
	return &ParseError{s.Line, s.Column,
		fmt.Sprintf("the wordings of all sites up to here are more than %d, or more than %d bytes", MaxWordings, MaxDraft),
		"put white space between sites that touch, or use fewer sites"}
}

func (d *Draft) distinctPieces(pieces []Piece, groups []int) error {
	if len(groups) == 0 {
		return nil
	}
	seen := map[string]int{}
	for k := range d.combos(groups) {
		text := d.renderCombo(pieces, groups, k)
		key := strings.Join(Words(text), " ")
		if other, again := seen[key]; again {
			return d.equalError(pieces, d.renderCombo(pieces, groups, other), text)
		}
		seen[key] = k
	}
	return nil
}

func (d *Draft) equalError(pieces []Piece, a, b string) error {
	s := d.firstSite(pieces)
	return &ParseError{s.Line, s.Column,
		fmt.Sprintf("two choices read the same to the tracer: %q and %q", clip(a), clip(b)),
		"alternatives must differ in more than case, accents, hyphens, apostrophes and punctuation"}
}

// firstSite returns the first site among pieces that hold one.
func (d *Draft) firstSite(pieces []Piece) Site {
	i := slices.IndexFunc(pieces, func(p Piece) bool { return p.Site >= 0 })
	return d.Sites[pieces[i].Site]
}

// clip keeps a text short enough for a message.
func clip(text string) string {
	const most = 200 // characters
	n := 0
	for i := range text {
		if n == most {
			return text[:i] + "…"
		}
		n++
	}
	return text
}
