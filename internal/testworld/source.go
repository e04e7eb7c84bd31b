package testworld

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Outsider returns a codeword that is nobody's copy: that of a reader who is
// on no list.
func Outsider(sizes []int, r *rand.Rand) []int {
	out := make([]int, len(sizes))
	for g, q := range sizes {
		out[g] = r.IntN(q)
	}
	return out
}

// Swap returns a codeword in which a share of the symbols is replaced by
// others: what a source prints who knows the alternatives, holds one copy,
// and wants the words to point elsewhere.
func Swap(codeword, sizes []int, share float64, r *rand.Rand) []int {
	out := slices.Clone(codeword)
	for g, q := range sizes {
		if r.Float64() < share {
			out[g] = (codeword[g] + 1 + r.IntN(q-1)) % q
		}
	}
	return out
}

// Sentences cuts a paragraph after full stops, question marks and exclamation
// marks that white space and a capital follow. Joined with single spaces, the
// sentences are the paragraph again.
func Sentences(paragraph string) []string {
	var out []string
	for start := 0; start < len(paragraph); {
		end := sentenceEnd(paragraph, start)
		out = append(out, paragraph[start:end])
		start = end + 1
	}
	return out
}

func sentenceEnd(text string, start int) int {
	for i := start; i+1 < len(text); i++ {
		if text[i] != ' ' || i == start || !strings.ContainsRune(".!?”", lastRune(text[start:i])) {
			continue
		}
		next, _ := utf8.DecodeRuneInString(strings.TrimLeft(text[i+1:], "“‘\"(["))
		if unicode.IsUpper(next) {
			return i
		}
	}
	return len(text)
}

func lastRune(s string) rune {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}

// Splice returns a text that takes each sentence from one of the copies, at
// random. Copies must be of one draft. A paragraph that does not have the
// same number of sentences in all of them is taken whole.
func Splice(copies []string, r *rand.Rand) string {
	var paragraphs [][]string
	for _, c := range copies {
		paragraphs = append(paragraphs, strings.Split(strings.TrimSpace(c), "\n\n"))
	}
	out := make([]string, len(paragraphs[0]))
	for i := range out {
		var versions [][]string
		for _, p := range paragraphs {
			versions = append(versions, Sentences(p[i]))
		}
		out[i] = spliceParagraph(versions, r)
	}
	return strings.Join(out, "\n\n") + "\n"
}

func spliceParagraph(versions [][]string, r *rand.Rand) string {
	for _, v := range versions {
		if len(v) != len(versions[0]) {
			return strings.Join(pick(r, versions), " ")
		}
	}
	out := make([]string, len(versions[0]))
	for k := range out {
		out[k] = pick(r, versions)[k]
	}
	return strings.Join(out, " ")
}

// Excerpt returns a contiguous share of a text, by words, beginning at random.
// Paragraphs stay apart.
func Excerpt(text string, share float64, r *rand.Rand) string {
	total := len(strings.Fields(text))
	n := max(1, int(share*float64(total)))
	from := r.IntN(total - n + 1)
	var out []string
	at := 0
	for p := range strings.SplitSeq(text, "\n\n") {
		words := strings.Fields(p)
		lo, hi := max(0, from-at), min(len(words), from+n-at)
		if lo < hi {
			out = append(out, strings.Join(words[lo:hi], " "))
		}
		at += len(words)
	}
	return strings.Join(out, "\n\n") + "\n"
}

// Fragments returns up to n stretches of a text of least to most words each,
// each within one paragraph and beginning at random. They may overlap.
func Fragments(text string, n, least, most int, r *rand.Rand) []string {
	var long [][]string
	for p := range strings.SplitSeq(text, "\n\n") {
		if words := strings.Fields(p); len(words) >= least {
			long = append(long, words)
		}
	}
	var out []string
	for range n {
		if len(long) == 0 {
			return out
		}
		words := pick(r, long)
		size := min(len(words), least+r.IntN(most-least+1))
		from := r.IntN(len(words) - size + 1)
		out = append(out, strings.TrimRight(strings.Join(words[from:from+size], " "), ".,;:"))
	}
	return out
}
