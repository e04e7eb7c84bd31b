package measure

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"chancery/cable"
)

// An archive is a series of drafts for the index, those of real cables first
// and made-up ones after them. Draft k is the same whenever it is asked for,
// so that none is kept.
type archive struct {
	size int
	real [][]string // words of the real cables
	made []string   // words of the others, the most frequent first
}

const (
	madeWords      = 600    // of a made-up cable
	madeVocabulary = 60_000 // of all of them together
	siteEvery      = 8      // one word in so many has alternatives, if words near it let it
	siteApart      = 12     // a site shares no word with so many words on each side of it
)

// newArchive makes an archive, at most half of it from the cables.
func newArchive(size int, cables [][]string) *archive {
	a := &archive{size: size}
	for _, paragraphs := range cables {
		if words := cable.Words(strings.Join(paragraphs, "\n")); len(words) > 0 && len(a.real) < size/2 {
			a.real = append(a.real, words)
		}
	}
	rng := random("archive words", 0)
	for range madeVocabulary {
		word := make([]byte, 2+rng.IntN(4)+rng.IntN(4))
		for i := range word {
			word[i] = "aaabcdeeeeefghiiijklmnnooopqrrssttuuvwxyz"[rng.IntN(41)]
		}
		a.made = append(a.made, string(word))
	}
	return a
}

// word draws a word: from the real cables for one of them, else by Zipf's law,
// by which the chance of a word falls as 1/rank.
func (a *archive) word(rng *rand.Rand, k int) string {
	if k < len(a.real) {
		words := a.real[rng.IntN(len(a.real))]
		return words[rng.IntN(len(words))]
	}
	return a.made[int(math.Pow(float64(len(a.made)), rng.Float64()))-1]
}

// A spot is a word of the record text, with its alternatives if it is a site.
type spot struct {
	word   string
	others [][]string // each of no word, one or two
}

func (s spot) has(word string) bool {
	return s.word == word || slices.ContainsFunc(s.others, func(o []string) bool { return slices.Contains(o, word) })
}

// wordings returns the number of wordings; number 0 is that of the record text.
func (s spot) wordings() int { return 1 + len(s.others) }

func (s spot) append(words []string, wording int) []string {
	if wording == 0 {
		return append(words, s.word)
	}
	return append(words, s.others[wording-1]...)
}

// cable returns the words and sites of cable k. The first word is no site.
func (a *archive) cable(k int) []spot {
	rng := random("archive", k)
	var spots []spot
	if k < len(a.real) {
		for _, w := range a.real[k] {
			spots = append(spots, spot{word: w})
		}
	} else {
		for range madeWords {
			spots = append(spots, spot{word: a.word(rng, k)})
		}
	}
	for i := 1; i < len(spots); i++ {
		if rng.IntN(siteEvery) == 0 {
			a.makeSite(rng, k, spots, i)
		}
	}
	return spots
}

// makeSite gives a word alternatives. No word of a site stands anywhere else
// near it, so that no two choices read the same, which drafts may not.
func (a *archive) makeSite(rng *rand.Rand, k int, spots []spot, i int) {
	before, after := spots[max(0, i-siteApart):i], spots[i+1:min(len(spots), i+1+siteApart)]
	near := func(word string) bool {
		has := func(s spot) bool { return s.has(word) }
		return slices.ContainsFunc(before, has) || slices.ContainsFunc(after, has)
	}
	s, empty := &spots[i], false
	if near(s.word) {
		return
	}
	size := 1 + rng.IntN(2)*rng.IntN(3)
	for tries := 0; tries < 8*size && len(s.others) < size; tries++ {
		wording := a.wording(rng, k)
		if len(wording) == 0 && empty || slices.ContainsFunc(wording, near) || slices.ContainsFunc(wording, s.has) {
			continue
		}
		empty = empty || len(wording) == 0
		s.others = append(s.others, wording)
	}
}

// wording draws an alternative.
func (a *archive) wording(rng *rand.Rand, k int) []string {
	switch rng.IntN(10) {
	case 0:
		return nil
	case 1, 2:
		return []string{a.word(rng, k), a.word(rng, k)}
	}
	return []string{a.word(rng, k)}
}

// draftText writes a cable as a draft.
func draftText(spots []spot) []byte {
	b := []byte("Subject: made up for measuring\n\n")
	for i, s := range spots {
		if i > 0 {
			b = append(b, ' ')
		}
		if len(s.others) == 0 {
			b = append(b, s.word...)
			continue
		}
		b = append(append(b, '{'), s.word...)
		for _, o := range s.others {
			b = append(append(b, '|'), strings.Join(o, " ")...)
		}
		b = append(b, '}')
	}
	return append(b, '\n')
}

// recordBytes is the length of the record text, header apart.
func recordBytes(spots []spot) int {
	n := 0
	for _, s := range spots {
		n += len(s.word) + 1
	}
	return n
}

// quote returns n words in a row of one copy of cable k, which touch at
// least two sites unless they are few, each word altered with the given
// probability. It returns nil if the cable is too short, or has too few sites.
func (a *archive) quote(rng *rand.Rand, k, n int, altered float64) []string {
	spots := a.cable(k)
	for range 20 {
		var words []string
		sites := 0
		for i := rng.IntN(len(spots)); i < len(spots) && len(words) < n; i++ {
			words = spots[i].append(words, rng.IntN(spots[i].wordings()))
			if spots[i].wordings() > 1 {
				sites++
			}
		}
		if len(words) < n || sites < min(2, n/siteEvery) {
			continue
		}
		words = words[:n]
		for i := range words {
			if rng.Float64() < altered {
				words[i] = a.word(rng, k)
			}
		}
		return words
	}
	return nil
}
