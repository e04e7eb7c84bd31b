package trace

import (
	"math"
)

// An Attack is a way in which readers who combine their copies may choose
// among the alternatives they hold.
type Attack string

// The attacks of the bank. A strategy outside it is still met by the single
// score; the bound holds against every strategy.
const (
	Interleave Attack = "interleave" // each word from a member drawn at random
	Majority   Attack = "majority"   // the alternative most members hold
	Minority   Attack = "minority"   // the alternative fewest members hold
	Coin       Attack = "coin"       // a fair draw among the different alternatives
	AllOne     Attack = "all-one"    // the lowest-numbered alternative any holds
)

// Attacks lists the attacks a decoder can be made for.
var Attacks = []Attack{Interleave, Majority, Minority, Coin, AllOne}

// Choose returns P(y | held): for each alternative of a group of size q, the
// probability that the attack prints it when the members hold the given ones.
// Ties are drawn fairly.
func (a Attack) Choose(held []int, q int) []float64 {
	counts := make([]float64, q)
	for _, x := range held {
		counts[x]++
	}
	p := make([]float64, q)
	switch a {
	case Interleave:
		copy(p, counts)
	case Majority:
		pickExtreme(p, counts, 1)
	case Minority:
		pickExtreme(p, counts, -1)
	case Coin:
		for x, n := range counts {
			p[x] = min(n, 1)
		}
	case AllOne:
		for x, n := range counts {
			if n > 0 {
				p[x] = 1
				break
			}
		}
	}
	sum := 0.0
	for _, x := range p {
		sum += x
	}
	for x := range p {
		p[x] /= sum
	}
	return p
}

// pickExtreme gives weight one to the held alternatives whose count, times
// sign, is largest.
func pickExtreme(p, counts []float64, sign float64) {
	best := math.Inf(-1)
	for _, n := range counts {
		if n > 0 {
			best = max(best, n*sign)
		}
	}
	for x, n := range counts {
		if n > 0 && n*sign == best {
			p[x] = 1
		}
	}
}

// jointStep is the resolution of joint scores, in parts of a nat.
const jointStep = 16

// jointTable returns the joint scores of one group for tuples of t members:
// round(16 ln L), L = (1-noise) q sum_y P(y | held) w(y) + noise. The entry of
// held alternatives x_1..x_t is at x_1 + q x_2 + q^2 x_3.
func (r Rule) jointTable(w Weights, attack Attack, t int) []int32 {
	q, noise := len(w), float64(r.NoisePermille)/1000
	size := 1
	for range t {
		size *= q
	}
	table, held := make([]int32, size), make([]int, t)
	for k := range table {
		for i, rest := 0, k; i < t; i++ {
			held[i], rest = rest%q, rest/q
		}
		l := 0.0
		for y, p := range attack.Choose(held, q) {
			l += p * w.ratio(y)
		}
		table[k] = int32(math.Round(jointStep * math.Log((1-noise)*l+noise)))
	}
	return table
}
