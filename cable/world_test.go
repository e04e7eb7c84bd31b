package cable

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func mustParse(t failer, text string) *Draft {
	t.Helper()
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return d
}

// body puts a header block before a text.
func body(text string) string { return "Subject: x\n\n" + text }

// A draft is written from parts that meet in every order: letters of several
// scripts, figures and what may stand inside them, joiners, marks that go
// with the character before them, white space, escapes, sites.
var (
	letters = []string{"a", "b", "Able", "baker", "1", "20", "é", "e\u0301", "ﬁn", "İ", "я", "й", "م", "٣", "ς", "한"}
	marks   = []string{"-", "’", "'", ".", ",", "...", "…", "[", "]", "\u200b", "\u00ad", "\u0301", "\u200f", "“", "”", ";", "–",
		"½", "\ufffd", "Comment: ", `\{`, `\|`, `|`, `\}`, `\\`}
	spaces = []string{" ", " ", " ", "\t", "\u00a0", "  ", "\n", "\n ", " \r\n"}
	breaks = []string{"\n\n", "\n\n\n", "\n \n", "\r\n\r\n"}
)

var someParts = rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(letters), rapid.SampledFrom(letters), rapid.SampledFrom(marks),
	rapid.SampledFrom(spaces)), 0, 4)

// newSite writes a site, linked to one of three labels now and then. One in
// five alternatives is empty, the others begin with words of their own.
func newSite(t *rapid.T, labels map[string]int) string {
	label := rapid.SampledFrom([]string{"", "", "", "x", "y", "z-1"}).Draw(t, "label")
	size := rapid.SampledFrom([]int{2, 2, 2, 3, 4, 16}).Draw(t, "size")
	if labels[label] != 0 && rapid.Bool().Draw(t, "short") {
		return `{\` + label + `}`
	}
	if labels[label] != 0 {
		size = labels[label]
	}
	start := ""
	if label != "" {
		labels[label] = size
		start = `\` + label + ":" + rapid.SampledFrom([]string{"", " ", "  "}).Draw(t, "gap")
	}
	all := make([]string, size)
	empty := rapid.IntRange(0, 5*size).Draw(t, "empty")
	for i := range all {
		if i != empty {
			parts := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(letters), rapid.SampledFrom(marks[:20]), rapid.SampledFrom(spaces)), 0, 2)
			all[i] = string(rune('c'+i)) + strings.ReplaceAll(strings.Join(parts.Draw(t, "words"), ""), "|", "")
			if rapid.IntRange(0, 3).Draw(t, "joined") == 0 {
				all[i] = rapid.SampledFrom([]string{"-", "’", ".", "\u0301", " ", "9"}).Draw(t, "joiner") + all[i]
			}
		}
	}
	return "{" + start + strings.Join(all, "|") + "}"
}

// someDraft writes drafts; most can be read.
var someDraft = rapid.Custom(func(t *rapid.T) string {
	var b strings.Builder
	b.WriteString("Subject: {a|b}\n more\nX-Other: 1\nX-Other: 2\n\n")
	labels := map[string]int{}
	for range rapid.IntRange(1, 3).Draw(t, "paragraphs") {
		b.WriteString("p" + strings.Join(someParts.Draw(t, "words"), ""))
		for range rapid.IntRange(0, 6).Draw(t, "sites") {
			b.WriteString(newSite(t, labels))
			if rapid.IntRange(0, 2).Draw(t, "apart") > 0 {
				b.WriteString(" " + strings.Join(someParts.Draw(t, "words"), ""))
			}
		}
		b.WriteString(rapid.SampledFrom(breaks).Draw(t, "break"))
	}
	return b.String()
})

// someChoices draws a choice for each group of a draft.
func someChoices(t *rapid.T, d *Draft) []int {
	choices := make([]int, len(d.Groups))
	for i, g := range d.Groups {
		choices[i] = rapid.IntRange(0, g.Size-1).Draw(t, "choice")
	}
	return choices
}

// checkDraft holds a draft and one copy of it to everything the package
// promises.
func checkDraft(t failer, d *Draft, choices []int) {
	t.Helper()
	checkCanonical(t, d)
	checkCopy(t, d, choices)
	checkSegments(t, d, choices)
	l := d.Lattice()
	checkLattice(t, d, l)
	checkPath(t, d, l, choices)
}

// withoutPlaces writes out all of a draft but where its sites stood.
func withoutPlaces(d *Draft) string {
	sites := slices.Clone(d.Sites)
	for i := range sites {
		sites[i].Line, sites[i].Column = 0, 0
	}
	return fmt.Sprintf("%#v %#v %#v %#v", d.Header, d.Paragraphs, sites, d.Groups)
}

func checkCanonical(t failer, d *Draft) {
	t.Helper()
	canonical := d.Canonical()
	again, err := Parse([]byte(canonical))
	if err != nil {
		t.Fatalf("canonical form %q: %v", canonical, err)
	}
	if a, b := withoutPlaces(d), withoutPlaces(again); a != b {
		t.Fatalf("canonical form %q reads as\n%s, not\n%s", canonical, b, a)
	}
	if again.Canonical() != canonical {
		t.Fatalf("canonical form %q is written as %q", canonical, again.Canonical())
	}
}

// checkCopy writes the copy another way: a copy is a draft without sites.
func checkCopy(t failer, d *Draft, choices []int) {
	t.Helper()
	var paragraphs []string
	for i := range d.Paragraphs {
		paragraphs = append(paragraphs, d.RenderParagraph(i, choices))
	}
	var header []string
	for _, f := range d.Header {
		header = append(header, f.Lines...)
	}
	want := strings.Join(header, "\n") + "\n\n" + strings.Join(paragraphs, "\n\n") + "\n"
	if got := d.Render(choices); got != want {
		t.Fatalf("copy %q, want %q", got, want)
	}
	plain, err := Parse([]byte(strings.Join(header, "\n") + "\n\n" + escaper.Replace(strings.Join(paragraphs, "\n\n"))))
	if err != nil || len(plain.Paragraphs) != len(d.Paragraphs) {
		t.Fatalf("the copy %q does not read as %d paragraphs: %v", want, len(d.Paragraphs), err)
	}
	if d.RecordText() != d.Render(make([]int, len(d.Groups))) {
		t.Fatalf("record text %q", d.RecordText())
	}
}

func checkSegments(t failer, d *Draft, choices []int) {
	t.Helper()
	text := make([]string, len(d.Paragraphs))
	var sites []int
	segments := d.Segments()
	for i, s := range segments {
		if i+1 < len(segments) {
			checkCut(t, d, s, segments[i+1])
		}
		renderings := d.Renderings(s)
		k, radix := 0, 1
		for _, g := range s.Groups {
			k, radix = k+radix*choices[g], radix*d.Groups[g].Size
		}
		if len(renderings) != radix || radix > 16 {
			t.Fatalf("segment %v: %d renderings, %d choices", s, len(renderings), radix)
		}
		text[s.Paragraph] += renderings[k]
		seen := map[string]bool{}
		for _, r := range renderings {
			seen[strings.Join(Words(r), " ")] = true
		}
		if len(seen) != radix {
			t.Fatalf("segment %v: %d wordings for %d choices", s, len(seen), radix)
		}
		for _, p := range s.Pieces {
			if p.Site >= 0 {
				sites = append(sites, p.Site)
			}
		}
	}
	for i, site := range sites {
		if site != i {
			t.Fatalf("segments hold the sites %v", sites)
		}
	}
	if len(sites) != len(d.Sites) {
		t.Fatalf("segments hold %d sites of %d", len(sites), len(d.Sites))
	}
	for i := range text {
		if want := d.RenderParagraph(i, choices); text[i] != want {
			t.Fatalf("segments make %q of paragraph %q", text[i], want)
		}
	}
}

// checkCut: inside a paragraph, a segment ends with white space and ten words
// or more, or else before a site that would give it over 16 wordings.
func checkCut(t failer, d *Draft, s, next Segment) {
	t.Helper()
	if s.Paragraph != next.Paragraph {
		return
	}
	words := 0
	for _, p := range s.Pieces {
		if p.Site >= 0 {
			p.Text = d.Sites[p.Site].Alternatives[0]
		}
		words += len(strings.Fields(p.Text))
	}
	last, first := s.Pieces[len(s.Pieces)-1], next.Pieces[0]
	if last.Site < 0 && spaceLast(last.Text) && words >= segmentWords {
		return
	}
	if first.Site < 0 || len(d.Renderings(s))*d.Groups[d.Sites[first.Site].Group].Size <= maxSegmentCombo {
		t.Fatalf("a segment is cut after %v, before %v", s.Pieces, next.Pieces)
	}
}

func checkLattice(t failer, d *Draft, l *Lattice) {
	t.Helper()
	words := 0
	for i, n := range l.Nodes {
		if (len(n.Prev) == 0) != (i == 0) {
			t.Fatalf("node %d has %d predecessors", i, len(n.Prev))
		}
		for _, p := range n.Prev {
			if p >= int32(i) {
				t.Fatalf("node %d follows node %d", i, p)
			}
		}
		if n.Word != Silent {
			words++
			if w := l.Vocabulary[n.Word]; w == "" || l.Index[w] != n.Word {
				t.Fatalf("word %d is %q, found as %d", n.Word, w, l.Index[w])
			}
		}
	}
	if words != l.WordCount || len(l.Index) != len(l.Vocabulary) {
		t.Fatalf("%d words, said to be %d", words, l.WordCount)
	}
	before := 0 // words of the record text
	for i, c := range l.Clusters {
		checkCluster(t, l, int32(i), c)
		fixed := 0
		for _, n := range l.Nodes[:c.Other] {
			if n.Cluster < 0 && n.Word != Silent {
				fixed++
			}
		}
		if c.FirstWord != fixed+before {
			t.Fatalf("cluster %d: said to begin at word %d, begins at %d", i, c.FirstWord, fixed+before)
		}
		before += c.Branches[0].Words
	}
	checkBits(t, d, l)
}

func checkCluster(t failer, l *Lattice, id int32, c Cluster) {
	t.Helper()
	fork := l.Nodes[c.Other].Prev
	entry, combos := l.Nodes[c.Other].Entry, 1
	for _, g := range c.Groups {
		combos *= l.Sizes[g]
	}
	if len(c.Branches) != combos || len(l.Nodes[c.Join].Prev) != combos+1 {
		t.Fatalf("cluster %d: %d branches, %d choices", id, len(c.Branches), combos)
	}
	for k, b := range c.Branches {
		entry += l.Nodes[b.Head].Entry
		if !slices.Equal(l.Nodes[b.Head].Prev, fork) {
			t.Fatalf("cluster %d: branch %d leaves from elsewhere", id, k)
		}
		gap := 0.0
		for n := b.Head; n <= b.Head+int32(b.Words); n++ {
			gap += l.Nodes[n].Gap
			if l.Nodes[n].Cluster != id {
				t.Fatalf("cluster %d: node %d belongs to %d", id, n, l.Nodes[n].Cluster)
			}
		}
		if math.Abs(gap-l.Nodes[c.Other].Gap) > 1e-9 {
			t.Fatalf("cluster %d: branch %d costs %g to leave out, others %g", id, k, gap, l.Nodes[c.Other].Gap)
		}
		if l.Nodes[c.Join].Prev[k] != b.Head+int32(b.Words) {
			t.Fatalf("cluster %d: branch %d does not join", id, k)
		}
	}
	if math.Abs(entry-1) > 1e-12 {
		t.Fatalf("cluster %d: the priors sum to %g", id, entry)
	}
}

func checkBits(t failer, d *Draft, l *Lattice) {
	t.Helper()
	bits, sum := l.BitsByWord(func(int) bool { return false }), 0.0
	for _, b := range bits {
		sum += b
	}
	if len(bits) > 0 && math.Abs(sum-d.Bits()) > 1e-9 {
		t.Fatalf("bits by word sum to %g, the draft has %g", sum, d.Bits())
	}
	n := 0
	for i := range d.Paragraphs {
		n += len(Words(d.RenderParagraph(i, make([]int, len(d.Groups)))))
	}
	if len(bits) != n {
		t.Fatalf("bits for %d words, the record text has %d", len(bits), n)
	}
}

// checkPath finds the words of a copy along the path of its choices.
func checkPath(t failer, d *Draft, l *Lattice, choices []int) {
	t.Helper()
	taken := map[int32]bool{}
	for _, c := range l.Clusters {
		for _, b := range c.Branches {
			same := true
			for i, g := range c.Groups {
				same = same && b.Choices[i] == choices[g]
			}
			if same {
				for n := b.Head; n <= b.Head+int32(b.Words); n++ {
					taken[n] = true
				}
			}
		}
	}
	var got, want []string
	last := int32(-1)
	for i, n := range l.Nodes {
		if n.Cluster >= 0 && !taken[int32(i)] {
			continue
		}
		if last >= 0 && !slices.Contains(n.Prev, last) {
			t.Fatalf("node %d does not follow node %d", i, last)
		}
		last = int32(i)
		if n.Word != Silent {
			got = append(got, fmt.Sprint(n.Paragraph, " ", l.Vocabulary[n.Word]))
		}
	}
	for i := range d.Paragraphs {
		for _, w := range Words(d.RenderParagraph(i, choices)) {
			want = append(want, fmt.Sprint(i, " ", w))
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("the copy has the words\n%q, the lattice\n%q", want, got)
	}
}

func TestDraftsKeepTheirPromises(t *testing.T) {
	read, all := 0, 0
	refused := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		text := someDraft.Draw(t, "draft")
		all++
		d, err := Parse([]byte(text))
		if err != nil {
			refused[strings.SplitN(err.(*ParseError).Msg, ":", 2)[0]]++
			checkError(t, []byte(text), err)
			return
		}
		read++
		checkDraft(t, d, someChoices(t, d))
	})
	t.Logf("%d of %d drafts read, the others refused: %v", read, all, refused)
	if !t.Failed() && read*3 < all {
		t.Errorf("only %d of %d drafts were read", read, all)
	}
}
