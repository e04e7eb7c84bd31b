package real

import (
	"fmt"
	"math"
	"testing"
)

// A tally counts how often something happened.
type tally struct{ hits, of int }

func (c *tally) add(hit bool) {
	c.of++
	if hit {
		c.hits++
	}
}

func (c tally) plus(d tally) tally { return tally{c.hits + d.hits, c.of + d.of} }

func (c tally) share() float64 { return float64(c.hits) / float64(max(1, c.of)) }

// interval returns the Clopper-Pearson interval of the rate, at the level
// 1 - 2 tail.
func (c tally) interval(tail float64) (low, high float64) {
	high = 1
	if c.hits > 0 {
		low = solve(func(p float64) float64 { return 1 - atMost(c.hits-1, c.of, p) }, tail)
	}
	if c.hits < c.of {
		high = solve(func(p float64) float64 { return 1 - atMost(c.hits, c.of, p) }, 1-tail)
	}
	return low, high
}

func (c tally) String() string {
	low, high := c.interval(0.025)
	return fmt.Sprintf("%d of %d (95 %%: %.5f to %.5f)", c.hits, c.of, low, high)
}

// atMost returns the binomial chance of at most k hits in n.
func atMost(k, n int, p float64) float64 {
	if p <= 0 || k >= n {
		return 1
	}
	sum := 0.0
	for i := 0; i <= k; i++ {
		sum += math.Exp(lnChoose(n, i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return min(sum, 1)
}

func lnChoose(n, k int) float64 {
	ln := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	return ln(n) - ln(k) - ln(n-k)
}

// solve returns the p at which a rising function is y.
func solve(rising func(p float64) float64, y float64) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		if mid := (low + high) / 2; rising(mid) < y {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// quantile returns the least k such that more than k hits in n have a chance
// of at most 1 - level.
func quantile(n int, p, level float64) int {
	k := 0
	for atMost(k, n, p) < level {
		k++
	}
	return k
}

func TestStatistics(t *testing.T) {
	for _, tt := range []struct {
		c         tally
		low, high float64
	}{
		{tally{0, 100}, 0, 0.03622},
		{tally{3, 100}, 0.00623, 0.08518},
		{tally{100, 100}, 0.96378, 1},
	} {
		if low, high := tt.c.interval(0.025); math.Abs(low-tt.low) > 1e-5 || math.Abs(high-tt.high) > 1e-5 {
			t.Errorf("%d of %d: %.5f to %.5f, want %.5f to %.5f", tt.c.hits, tt.c.of, low, high, tt.low, tt.high)
		}
	}
	for _, tt := range []struct {
		n    int
		p    float64
		want int
	}{{2000, 1e-3, 8}, {1, 1e-3, 0}, {1000, 0.5, 549}} {
		if got := quantile(tt.n, tt.p, 0.999); got != tt.want {
			t.Errorf("quantile of %d at %g: %d, want %d", tt.n, tt.p, got, tt.want)
		}
	}
}
