package measure

import (
	"fmt"
	"math"
)

// confidence is how sure a check is not to fail by chance when the claim
// holds: one run in a thousand would, were the seeds not fixed.
const confidence = 0.999

// z99 is the two-sided 99 % quantile of the normal distribution, of the
// intervals that tables print.
const z99 = 2.5758

// A share is a count out of a number of trials.
type share struct{ hits, trials int }

func (s share) rate() float64 {
	if s.trials == 0 {
		return 0
	}
	return float64(s.hits) / float64(s.trials)
}

func (s *share) add(hit bool) {
	s.trials++
	if hit {
		s.hits++
	}
}

func (s share) any() bool { return s.hits > 0 }

// wilson returns the score interval of the rate (E. B. Wilson, JASA 22, 1927)
// at z standard errors.
func (s share) wilson(z float64) (low, high float64) {
	n := float64(s.trials)
	if n == 0 {
		return 0, 1
	}
	p := s.rate()
	mid := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(0, mid-half), min(1, mid+half)
}

// String prints the rate with its 99 % interval.
func (s share) String() string {
	low, high := s.wilson(z99)
	return fmt.Sprintf("%.3g (%.3g-%.3g)", s.rate(), low, high)
}

// poissonLimit returns the smallest count k with P(X > k) <= tail when X is
// Poisson with the given mean. A sum of independent indicators with that mean
// is over k no more often, once k is at least the mean (Hoeffding 1956).
func poissonLimit(mean, tail float64) int {
	if mean <= 0 {
		return 0
	}
	below := 0.0
	for k := 0; ; k++ {
		lg, _ := math.Lgamma(float64(k) + 1)
		below += math.Exp(float64(k)*math.Log(mean) - mean - lg)
		if 1-below <= tail || float64(k) > mean+40*math.Sqrt(mean)+100 {
			return max(k, int(math.Ceil(mean)))
		}
	}
}

// binomialLimit returns the smallest count k with P(X > k) <= tail when X is
// binomial.
func binomialLimit(n int, p, tail float64) int {
	if p >= 1 {
		return n
	}
	lgN, _ := math.Lgamma(float64(n) + 1)
	below := 0.0
	for k := range n {
		lgK, _ := math.Lgamma(float64(k) + 1)
		lgR, _ := math.Lgamma(float64(n-k) + 1)
		below += math.Exp(lgN - lgK - lgR + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
		if 1-below <= tail {
			return k
		}
	}
	return n
}

// chiSquareLimit returns the 99.9 % quantile of chi-square with n degrees of
// freedom (Wilson and Hilferty, PNAS 17, 1931).
func chiSquareLimit(n float64) float64 {
	const z = 3.0902
	return n * math.Pow(1-2/(9*n)+z*math.Sqrt(2/(9*n)), 3)
}

// within adds the check that a rate is within a bound: no more hits than
// the 99.9 % quantile of trials that hit at exactly the bound.
func (t *Table) within(claim string, s share, bound float64) {
	limit := binomialLimit(s.trials, bound, 1-confidence)
	t.check(s.hits <= limit, claim, fmt.Sprintf("%d of %d", s.hits, s.trials),
		fmt.Sprintf("at most %d, for %.3g", limit, bound))
}

// reaches adds the check that a rate is at least a goal: at the full run by
// its value, in a shorter run unless the goal is outside the 99.9 % interval.
func (t *Table) reaches(claim string, s share, goal float64, full bool) {
	_, high := s.wilson(3.2905)
	ok := s.rate() >= goal || !full && high >= goal
	t.check(ok, claim, s.String(), fmt.Sprintf("at least %.3g", goal))
}

// mean accumulates values.
type mean struct{ n, sum, squares float64 }

func (m *mean) add(x float64) {
	m.n++
	m.sum += x
	m.squares += x * x
}

func (m *mean) merge(o mean) {
	m.n += o.n
	m.sum += o.sum
	m.squares += o.squares
}

func (m mean) value() float64 {
	if m.n == 0 {
		return 0
	}
	return m.sum / m.n
}

// deviation is the standard error of the mean.
func (m mean) deviation() float64 {
	if m.n < 2 {
		return math.Inf(1)
	}
	v := (m.squares - m.sum*m.sum/m.n) / (m.n - 1)
	return math.Sqrt(max(0, v) / m.n)
}

// ahead is the mean plus three standard errors.
func (m mean) ahead() float64 { return m.value() + 3*m.deviation() }
