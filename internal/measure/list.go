package measure

import (
	"fmt"
	"math/rand/v2"

	"chancery/trace"
)

// clean returns what a reading without any doubt tells: the symbols y.
func clean(sizes, y []int) []trace.Observation {
	obs := make([]trace.Observation, len(sizes))
	for k, q := range sizes {
		w := make(trace.Weights, q)
		w[y[k]] = trace.One
		obs[k] = trace.Observation{Group: k, Weights: w}
	}
	return obs
}

// readersOf gives each codeword of one cable a reader.
func readersOf(words [][]int) []trace.Copies {
	out := make([]trace.Copies, len(words))
	for i, w := range words {
		out[i] = trace.Copies{Reader: readerName(i), Words: [][]int{w}}
	}
	return out
}

func readerName(i int) string { return fmt.Sprintf("r%05d", i) }

// combine returns the symbols that members with the given words print under
// an attack.
func combine(rng *rand.Rand, attack trace.Attack, members [][]int, sizes []int) []int {
	y, held := make([]int, len(sizes)), make([]int, len(members))
	for k, q := range sizes {
		for i, w := range members {
			held[i] = w[k]
		}
		y[k] = pick(rng, attack.Choose(held, q))
	}
	return y
}

// pick draws an index with the given probabilities.
func pick(rng *rand.Rand, p []float64) int {
	u, last := rng.Float64(), 0
	for i, x := range p {
		if x > 0 {
			last = i
			if u < x {
				return i
			}
			u -= x
		}
	}
	return last
}

// single returns the rule without its joint decoders.
func single() trace.Rule {
	r := trace.DefaultRule()
	r.PairDecoders, r.TripleDecoders = nil, nil
	return r
}
