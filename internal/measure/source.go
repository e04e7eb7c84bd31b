package measure

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"chancery/trace"
)

// Source is the table of sites that name the copy of one source, when every
// word is readable.
func Source(ctx context.Context, c Config) (Table, error) {
	t := Table{
		How: "Codewords are drawn, one is read without doubt site by site, and its p-value is computed by the tracer " +
			"until it is at most eps/N (whole eps on one look) or the whole rule names it (eps/4 for single copies).",
		Columns: []string{"alternatives", "N", "eps", "formula", "whole eps", "under the split", "formula, split"},
	}
	worst := 0
	for _, cycle := range [][]int{{2}, {3}, {4}, {2, 3, 4}} {
		for _, n := range []int{10, 50, 100, 1000, 10000} {
			if n > 1000 && !c.full() {
				continue // the whole rule takes long on so long a list
			}
			for _, eps := range []float64{1e-3, 1e-6} {
				s := sourceCase{random(fmt.Sprint("source", cycle, n, eps), 0), cycle, n, eps}
				got, want := s.sites(c.fault), sitesFor(cycle, math.Log2(float64(n)/eps))
				split, err := s.sitesBySplit(ctx, got)
				if err != nil {
					return t, err
				}
				t.row(fmt.Sprint(cycle), n, eps, want, got, split, sitesFor(cycle, trace.NeededBits(n, eps)))
				worst = max(worst, got-want, want-got)
			}
		}
	}
	t.check(worst == 0, "largest distance from ceil(log2(N/eps) / log2 q) sites", worst, "exactly 0")
	t.note("For mixed sizes the formula is the smallest number of sites whose bits reach log2(N/eps). " +
		"An e-value can name a copy a site before its p-value under the split does.")
	return t, nil
}

type sourceCase struct {
	rng   *rand.Rand
	cycle []int
	n     int
	eps   float64
}

// sitesFor returns the smallest number of sites that carry so many bits.
func sitesFor(cycle []int, bits float64) int {
	m := 0
	for sum := 0.0; sum < bits-1e-9; m++ {
		sum += math.Log2(float64(cycle[m%len(cycle)]))
	}
	return m
}

// sites returns the smallest number of sites at which the p-value of the
// source's copy is at most eps/N.
func (s sourceCase) sites(f fault) int {
	word := codeword(s.rng, sizesOf(200, s.cycle...))
	for m := 1; ; m++ {
		obs := clean(sizesOf(m, s.cycle...), word[:m])
		p := trace.DefaultRule().PValues(obs, readersOf([][]int{word}))[0].Upper()
		if f == halvedP {
			p /= 2
		}
		if p <= s.eps/float64(s.n) {
			return m
		}
	}
}

// sitesBySplit is the same for the whole rule without joint decoders, among
// all N readers.
func (s sourceCase) sitesBySplit(ctx context.Context, from int) (int, error) {
	words := codewords(s.rng, s.n, sizesOf(200, s.cycle...))
	for m := from; ; m++ {
		obs := clean(sizesOf(m, s.cycle...), words[0][:m])
		f, err := single().Assess(ctx, trace.Evidence{Eps: s.eps, Readers: readersOf(words), First: obs})
		if err != nil {
			return 0, err
		}
		if slices.ContainsFunc(f.Named, func(x trace.Named) bool { return x.Reader == readerName(0) }) {
			return m, nil
		}
	}
}
