// Package strength says, before a cable is sent, what a quotation of it would
// tell: for windows of words, for each sentence and for each paragraph, how
// many bits stand in it and how many readers would still fit. It knows the
// draft alone; no copy has to exist.
package strength

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"chancery/cable"
)

// Windows are the lengths of quotation that are reported, in words.
var Windows = []int{10, 20, 50, 100}

// Lists are the numbers of readers that are reported.
var Lists = []int{10, 50, 200}

// StillFit returns the expected number of n readers whose copies agree with a
// quotation of so many bits, its source among them: 1 + (n-1)/2^bits.
func StillFit(n int, bits float64) float64 {
	return 1 + float64(n-1)*math.Exp2(-bits)
}

// A Window is what quotations of one length tell, over all places where they
// may begin.
type Window struct {
	Words               int
	Median, Worst, Best float64 // bits
}

// A Phrase is one sentence of the record text.
type Phrase struct {
	Paragraph int // 1-based
	Text      string
	Words     int
	Bits      float64
}

// A Paragraph is one paragraph of the draft.
type Paragraph struct {
	Number      int // 1-based
	Words       int
	Bits        float64
	Sites       int
	BitsPerWord float64
}

// A Report is the strength of a draft.
type Report struct {
	Words      int
	Sites      int
	Groups     int
	Bits       float64
	Windows    []Window
	Paragraphs []Paragraph // weakest first
	Phrases    []Phrase    // weakest first

	bits   []float64 // of each word
	starts []int     // first word of each paragraph
}

// BitsAt returns the bits of n words of a paragraph (1-based), from its word
// first (0-based) on.
func (r Report) BitsAt(paragraph, first, n int) float64 {
	at := r.starts[paragraph-1] + first
	return sum(r.bits, at, at+n)
}

// Of computes the strength of a draft.
func Of(d *cable.Draft) Report {
	bits := d.Lattice().BitsByWord(func(int) bool { return false })
	r := Report{Words: len(bits), Sites: len(d.Sites), Groups: len(d.Groups), Bits: d.Bits(), bits: bits}
	for _, n := range Windows {
		r.Windows = append(r.Windows, window(bits, n))
	}
	at := 0
	for i := range d.Paragraphs {
		r.starts = append(r.starts, at)
		// Line ends inside a paragraph are only white space here: a sentence may
		// end at one.
		text := strings.Join(strings.Fields(d.RenderParagraph(i, make([]int, len(d.Groups)))), " ")
		p := Paragraph{Number: i + 1, Words: len(cable.Words(text))}
		for _, s := range d.Sites {
			if s.Paragraph == i {
				p.Sites++
			}
		}
		p.Bits = sum(bits, at, at+p.Words)
		p.BitsPerWord = p.Bits / float64(max(1, p.Words))
		r.Paragraphs = append(r.Paragraphs, p)
		r.Phrases = append(r.Phrases, phrases(text, i+1, bits, at)...)
		at += p.Words
	}
	slices.SortStableFunc(r.Paragraphs, func(a, b Paragraph) int { return cmp.Compare(a.BitsPerWord, b.BitsPerWord) })
	slices.SortStableFunc(r.Phrases, func(a, b Phrase) int {
		return cmp.Compare(a.Bits/float64(a.Words), b.Bits/float64(b.Words))
	})
	return r
}

func window(bits []float64, n int) Window {
	n = min(n, len(bits))
	var sums []float64
	for i := 0; i+n <= len(bits); i++ {
		sums = append(sums, sum(bits, i, i+n))
	}
	slices.Sort(sums)
	return Window{n, sums[len(sums)/2], sums[0], sums[len(sums)-1]}
}

func sum(bits []float64, from, to int) float64 {
	total := 0.0
	for _, b := range bits[min(from, len(bits)):min(to, len(bits))] {
		total += b
	}
	return total
}

// minPhrase is the number of words below which a sentence is not reported.
const minPhrase = 4

func phrases(text string, paragraph int, bits []float64, at int) []Phrase {
	var out []Phrase
	for _, s := range sentences(text) {
		n := len(cable.Words(s))
		if n >= minPhrase {
			out = append(out, Phrase{paragraph, s, n, sum(bits, at, at+n)})
		}
		at += n
	}
	return out
}

// sentences cuts a text after . ! ? and ; that white space and a capital
// letter, a digit or a quotation mark follow.
func sentences(text string) []string {
	var out []string
	start := 0
	runes := []rune(text)
	for i := 0; i+2 < len(runes); i++ {
		if !strings.ContainsRune(".!?;", runes[i]) {
			continue
		}
		j := i + 1
		for j < len(runes) && strings.ContainsRune("\"'”’)", runes[j]) {
			j++
		}
		if j+1 < len(runes) && runes[j] == ' ' && (runes[i] == ';' || startsSentence(runes[j+1])) {
			out = append(out, strings.TrimSpace(string(runes[start:j])))
			start = j
		}
	}
	return append(out, strings.TrimSpace(string(runes[start:])))
}

func startsSentence(r rune) bool {
	return 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("\"'“‘(", r)
}
