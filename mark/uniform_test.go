package mark

import (
	"math"
	"os"
	"slices"
	"testing"
)

// The fairness proof needs symbols that are uniform, and independent across
// groups and copies. The tests below look at every tuple of neighbours: 4
// symbols of size 2, 2 symbols of other sizes, in neighbouring groups of one
// copy and in one group of neighbouring copies. Keys are fixed, so that a
// test passes always or never; its level, 1e-6, is the chance that a sound
// generator would have failed when the keys were chosen.
//
// The power is over 0.999 against symbols of which one in 13 hangs on its
// neighbour. For size 2 that is a correlation r = 1/13 at 3 places of 40,000
// tuples, a noncentrality of 3 n r^2 = 710 where the limit is 57; for size 3
// it is (q-1) n r^2 = 940 of 80,000 pairs where the limit is 44, and more for
// larger sizes. TestPower shows that it is so.

const (
	someCopies = 400 // copies drawn
	someGroups = 400 // groups of each
)

// codewords returns the codewords of some copies in groups of one size, with
// some of the symbols replaced.
func codewords(size int, replace func(words [][]int, copy, group int) int) [][]int {
	words := made(size)
	for c := range words {
		words[c] = slices.Clone(words[c])
		for g := range words[c] {
			if replace != nil && c > 0 && g > 0 && (7*g+c)%13 == 0 {
				words[c][g] = replace(words, c, g)
			}
		}
	}
	return words
}

// drawn keeps the codewords of each size once made.
var drawn [17][][]int

func made(size int) [][]int {
	if drawn[size] != nil {
		return slices.Clone(drawn[size])
	}
	d := Draw{Secret: Hash{byte(size), 0x5e, 0xed}, Slots: someCopies}
	words := make([][]int, someCopies)
	sizes := slices.Repeat([]int{size}, someGroups)
	for i := range words {
		words[i] = NewCopyKey(d.Slot(i+1), Hash{1}, "cable", Hash{2}, "copy").Codeword(sizes)
	}
	drawn[size] = words
	return slices.Clone(words)
}

// tuples counts the values of tuples that do not overlap, taken along rows.
func tuples(rows [][]int, size, length int) []int {
	cells := 1
	for range length {
		cells *= size
	}
	counts := make([]int, cells)
	for _, row := range rows {
		for i := 0; i+length <= len(row); i += length {
			cell := 0
			for _, x := range row[i : i+length] {
				cell = cell*size + x
			}
			counts[cell]++
		}
	}
	return counts
}

func transposed(rows [][]int) [][]int {
	out := make([][]int, len(rows[0]))
	for i := range out {
		for _, row := range rows {
			out[i] = append(out[i], row[i])
		}
	}
	return out
}

// chiSquare returns the statistic for equal chances, and what it exceeds once
// in a million times (Wilson and Hilferty).
func chiSquare(counts []int) (chi, limit float64) {
	n := 0
	for _, c := range counts {
		n += c
	}
	want := float64(n) / float64(len(counts))
	for _, c := range counts {
		chi += (float64(c) - want) * (float64(c) - want) / want
	}
	df := float64(len(counts) - 1)
	return chi, df * math.Pow(1-2/(9*df)+4.7534*math.Sqrt(2/(9*df)), 3)
}

// length is how many neighbours are looked at together.
func length(size int) int {
	if size == 2 {
		return 4
	}
	return 2
}

func TestSymbolsAreUniformAndIndependent(t *testing.T) {
	sizes := []int{2, 3, 4, 7, 16}
	if os.Getenv("CHANCERY_SOAK") != "" {
		sizes = []int{2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	}
	for _, size := range sizes {
		words := codewords(size, nil)
		for name, counts := range map[string][]int{
			"symbols":            tuples(words, size, 1),
			"neighbouring group": tuples(words, size, length(size)),
			"neighbouring copy":  tuples(transposed(words), size, length(size)),
		} {
			if chi, limit := chiSquare(counts); chi > limit {
				t.Errorf("size %d, %s: chi-square %.1f over %.1f", size, name, chi, limit)
			}
		}
	}
}

// TestPower shows that the statistics see symbols that are not uniform, that
// repeat others, or that somebody evened out.
func TestPower(t *testing.T) {
	group := func(w [][]int, size int) []int { return tuples(w, size, length(size)) }
	for _, c := range []struct {
		name    string
		replace func(w [][]int, c, g, size int) int
		count   func(w [][]int, size int) []int
	}{
		{"set to 0", func(w [][]int, c, g, size int) int { return 0 },
			func(w [][]int, size int) []int { return tuples(w, size, 1) }},
		{"repeated from the group before", func(w [][]int, c, g, size int) int { return w[c][g-1] }, group},
		{"other than in the group before", func(w [][]int, c, g, size int) int { return (w[c][g-1] + 1) % size }, group},
		{"repeated from the copy before", func(w [][]int, c, g, size int) int { return w[c-1][g] },
			func(w [][]int, size int) []int { return group(transposed(w), size) }},
		{"other than in the copy before", func(w [][]int, c, g, size int) int { return (w[c-1][g] + 1) % size },
			func(w [][]int, size int) []int { return group(transposed(w), size) }},
	} {
		for _, size := range []int{2, 3, 16} {
			words := codewords(size, func(w [][]int, copy, group int) int { return c.replace(w, copy, group, size) })
			if chi, limit := chiSquare(c.count(words, size)); chi <= limit {
				t.Errorf("size %d: symbols %s pass with %.1f under %.1f", size, c.name, chi, limit)
			}
		}
	}
}

// TestEverythingTellsCopiesApart: codewords that differ in one input of the
// key agree as often as chance lets them, within 4.9 standard deviations
// (level 1e-6, two-sided).
func TestEverythingTellsCopiesApart(t *testing.T) {
	const groups = 20_000
	sizes := slices.Repeat([]int{4}, groups)
	d := Draw{Secret: Hash{0xa}, Slots: 2}
	word := NewCopyKey(d.Slot(1), Hash{1}, "cable", Hash{2}, "copy").Codeword(sizes)
	for name, k := range map[string]CopyKey{
		"slot":  NewCopyKey(d.Slot(2), Hash{1}, "cable", Hash{2}, "copy"),
		"nonce": NewCopyKey(d.Slot(1), Hash{3}, "cable", Hash{2}, "copy"),
		"cable": NewCopyKey(d.Slot(1), Hash{1}, "cables", Hash{2}, "copy"),
		"root":  NewCopyKey(d.Slot(1), Hash{1}, "cable", Hash{3}, "copy"),
		"copy":  NewCopyKey(d.Slot(1), Hash{1}, "cable", Hash{2}, "copies"),
	} {
		same := 0
		for g, x := range k.Codeword(sizes) {
			if x == word[g] {
				same++
			}
		}
		if z := (float64(same) - groups/4.0) / math.Sqrt(groups*3.0/16); math.Abs(z) > 4.9 {
			t.Errorf("another %s: %d of %d symbols agree, %.1f standard deviations off", name, same, groups, z)
		}
	}
}
