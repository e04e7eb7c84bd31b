package trace

import (
	"math"
)

// Scores are integers, so the chance that a random codeword scores at least
// so much is a count of codewords over the number of all codewords. The
// count is a convolution; it is exact below 2^53 and carries a proven
// relative error above.

// A Prob is a probability with proven bounds: the true value lies in
// [Mantissa (1-Err), Mantissa (1+Err)] * 2^Exp.
type Prob struct {
	Mantissa float64
	Exp      int
	Err      float64
}

// Upper returns an upper bound of the probability, at least 5e-324.
func (p Prob) Upper() float64 {
	u := p.Mantissa
	if p.Err > 0 {
		u = math.Nextafter(u*(1+p.Err), math.Inf(1))
	}
	f := math.Ldexp(u, p.Exp)
	if f < minNormal {
		return math.Nextafter(f, 1)
	}
	return min(f, 1)
}

// Lower returns a lower bound of the probability.
func (p Prob) Lower() float64 {
	l := p.Mantissa
	if p.Err > 0 {
		l = math.Nextafter(l*(1-p.Err), math.Inf(-1))
	}
	f := math.Ldexp(l, p.Exp)
	if f < minNormal {
		return 0
	}
	return min(f, 1)
}

// Log10Upper returns log10 of an upper bound, also where Upper is too small
// for a float64.
func (p Prob) Log10Upper() float64 {
	if p.Mantissa == 0 {
		return math.Inf(-1)
	}
	l := math.Log10(p.Mantissa) + math.Log10(1+p.Err) + float64(p.Exp)*math.Log10(2)
	return min(0, l+1e-12*math.Abs(l))
}

const (
	minNormal = 0x1p-1022
	ulp       = 0x1p-53
)

// A term is one outcome of one group: a loss against the group's best score
// and the number of symbols that have it.
type term struct {
	loss  int
	count float64
}

// A Tail is the distribution of the loss of a random codeword: the best
// possible score minus its score.
type Tail struct {
	scores [][]int32
	best   int       // the best possible score
	span   int       // the largest possible loss
	count  []float64 // count[d]: codewords with loss at most d, over 2^shift
	shift  int
	size   Prob    // number of all codewords
	odd    float64 // bounds the odd part of size
	err    float64
}

// NewTailToMean is NewTail up to the mean loss of a random codeword: all that
// telling copies from chance needs, at a half to a quarter of the work.
func NewTailToMean(scores [][]int32) *Tail {
	mean := 0.0
	for _, s := range scores {
		terms, _ := terms(s)
		for _, t := range terms {
			mean += float64(t.loss) * t.count / float64(len(s))
		}
	}
	return NewTail(scores, int(mean)+1)
}

// NewTail convolves the scores of independent uniform symbols, one slice of
// scores for each group, up to the given loss. Of larger losses it only says
// that their probability lies between the last one counted and 1.
func NewTail(scores [][]int32, maxLoss int) *Tail {
	t := &Tail{scores: scores, size: Prob{Mantissa: 1}, odd: 1}
	var groups [][]term
	roundings := 0
	for _, s := range scores {
		terms, best := terms(s)
		t.best += best
		t.grow(len(s))
		groups = append(groups, terms)
		roundings += 2*len(terms) + 1
		t.span += terms[len(terms)-1].loss
	}
	n := min(maxLoss, t.span) + 1
	if n < 1 {
		n = 0
	}
	t.convolve(groups, n)
	for d := 1; d < n; d++ {
		t.count[d] += t.count[d-1]
	}
	// Every number is a sum of products of positive terms; none met more
	// roundings than 2 a term of each group and n in the running sums.
	t.err = float64(roundings+n+8) * ulp * 1.01
	return t
}

// grow multiplies the number of codewords by q. Powers of two go into the
// exponent; the odd part is exact while it fits into a float64.
func (t *Tail) grow(q int) {
	if q&(q-1) != 0 {
		if t.odd *= float64(q); t.odd >= 1/ulp {
			t.size.Err += 1.01 * ulp
		}
	}
	f, e := math.Frexp(t.size.Mantissa * float64(q))
	t.size.Mantissa, t.size.Exp = f, t.size.Exp+e
}

func (t *Tail) convolve(groups [][]term, n int) {
	cur, next := make([]float64, n), make([]float64, n)
	if n == 0 {
		return
	}
	cur[0] = 1
	used, bits := 1, 0.0 // losses below used may be non-zero; no count is over 2^bits
	for _, terms := range groups {
		reach := min(n, used+terms[len(terms)-1].loss)
		addTerms(next[:reach], cur[:used], terms)
		for _, tm := range terms {
			bits += math.Log2(1 + tm.count) // at least the group's share
		}
		if bits > 500 {
			bits = t.rescale(next[:reach])
		}
		cur, next, used = next, cur, reach
	}
	t.count = cur
}

// addTerms sets dst to the sum over terms of count times src shifted by the
// loss. The first loss is 0.
func addTerms(dst, src []float64, terms []term) {
	first := terms[0].count
	for i, x := range src {
		dst[i] = x * first
	}
	clear(dst[len(src):])
	for _, tm := range terms[1:] {
		if tm.loss >= len(dst) {
			break
		}
		to := dst[tm.loss:]
		from := src[:min(len(src), len(to))]
		to = to[:len(from)]
		if tm.count == 1 {
			for i, x := range from {
				to[i] += x
			}
			continue
		}
		for i, x := range from {
			to[i] += x * tm.count
		}
	}
}

// rescale brings counts over 2^500 down by powers of two and returns the
// logarithm of the largest.
func (t *Tail) rescale(counts []float64) float64 {
	top := 1.0
	for _, x := range counts {
		top = max(top, x)
	}
	for top > 0x1p250 {
		for i := range counts {
			counts[i] *= 0x1p-250
		}
		t.shift += 250
		top *= 0x1p-250
	}
	return math.Log2(top)
}

// terms sorts a group's scores into losses, smallest first.
func terms(scores []int32) ([]term, int) {
	best := scores[0]
	for _, s := range scores {
		best = max(best, s)
	}
	var out []term
	for _, s := range scores {
		out = addTerm(out, int(best-s))
	}
	return out, int(best)
}

func addTerm(terms []term, loss int) []term {
	i := 0
	for i < len(terms) && terms[i].loss < loss {
		i++
	}
	if i < len(terms) && terms[i].loss == loss {
		terms[i].count++
		return terms
	}
	terms = append(terms, term{})
	copy(terms[i+1:], terms[i:])
	terms[i] = term{loss, 1}
	return terms
}

// AtLeast returns the probability that a random codeword scores at least s.
func (t *Tail) AtLeast(s int) Prob {
	loss := t.best - s
	if loss < 0 || len(t.count) == 0 {
		return Prob{}
	}
	if loss >= len(t.count) && len(t.count) <= t.span {
		return Prob{Mantissa: 1, Err: 1 - t.AtLeast(t.best-len(t.count)+1).Lower()}
	}
	c := t.count[min(loss, len(t.count)-1)]
	if t.shift > 0 && c < 0x1p-400 {
		// Too far under the largest number to be exact: count again, up to here.
		return NewTail(t.scores, loss).AtLeast(s)
	}
	p := Prob{Mantissa: c / t.size.Mantissa, Exp: t.shift - t.size.Exp, Err: t.size.Err}
	if math.Ldexp(c, t.shift) >= 1/ulp {
		p.Err += t.err // below 2^53, no sum that led here was rounded
	}
	if t.odd > 1 {
		p.Err += 2 * ulp
	}
	return p
}

// Threshold returns the smallest score whose upper probability is at most
// limit, and whether there is one.
func (t *Tail) Threshold(limit float64) (int, bool) {
	found := -1
	for lo, hi := 0, len(t.count)-1; lo <= hi; {
		mid := (lo + hi) / 2
		if t.AtLeast(t.best-mid).Upper() <= limit {
			found, lo = mid, mid+1
		} else {
			hi = mid - 1
		}
	}
	return t.best - found, found >= 0
}
