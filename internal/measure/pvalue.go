package measure

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"chancery/trace"
)

const (
	pvalueSites  = 200
	pvalueLowest = 1e-12
	pvalueRatio  = 1.05
	// farthest is how far the worst of 48 estimates may be: 99.9 %, two-sided.
	farthest = 4.26
)

// PValue is the table of proven bounds of p-values, their cost, and an
// independent estimate of each by tilted sampling.
func PValue(ctx context.Context, c Config) (Table, error) {
	t := Table{
		How: fmt.Sprintf("%d sites. Upper over lower bound: the largest at any score with a p-value of at least %g. Tilted sampling draws codewords "+
			"with odds exp(theta score), theta such that the mean is the score asked about, and weighs them back; it shares no code with the tracer's convolution.",
			pvalueSites, pvalueLowest),
		Columns: []string{"alternatives", "weights", "upper/lower", "time, ms", "bare convolution, ms", "ratio", "p asked about", "lower", "upper", "sampled", "z"},
	}
	worst, slowest := 1.0, 0.0
	far, squares, n := 0.0, 0.0, 0.0
	for _, p := range pvalueCases {
		c.say("pvalue: %v, %s", p.cycle, p.weights)
		scores := p.scores()
		tail := trace.NewTail(scores, math.MaxInt32-1)
		ratio := widest(tail)
		took, bare := p.times(scores)
		worst, slowest = max(worst, ratio), max(slowest, took)
		rows, err := p.sampled(ctx, c, scores, tail)
		if err != nil {
			return t, err
		}
		for i, r := range rows {
			head := []any{"", "", "", "", "", ""}
			if i == 0 {
				head = []any{fmt.Sprint(p.cycle), p.weights, fmt.Sprintf("1 + %.1e", ratio-1), took, bare, took / bare}
			}
			t.row(append(head, fmt.Sprintf("%.0e", r.target), fmt.Sprintf("%.6g", r.lower), fmt.Sprintf("%.6g", r.upper), fmt.Sprintf("%.4g +- %.1e", r.sampled, r.deviation), r.z())...)
			far, squares, n = max(far, math.Abs(r.z())), squares+r.z()*r.z(), n+1
		}
	}
	t.atMost("farthest p-value from tilted sampling, in standard errors", far, farthest)
	t.atMost("sum of their squares (chi-square, 99.9 %)", squares, chiSquareLimit(n))
	t.atMost("largest upper/lower bound down to 1e-12", worst, pvalueRatio)
	t.note("Slowest: %.3g ms for the distribution up to the mean of a random copy, from which every p-value under about a half is read off (the goal is 2 ms on one idle core).", slowest)
	return t, nil
}

// A pvalueCase is one kind of reading.
type pvalueCase struct {
	cycle   []int
	weights string
}

var pvalueCases = []pvalueCase{
	{[]int{2}, "clean"}, {[]int{3}, "clean"}, {[]int{4}, "clean"}, {[]int{2, 3, 4}, "clean"},
	{[]int{2}, "continuous"}, {[]int{4}, "continuous"}, {[]int{2, 3, 4}, "continuous"}, {[]int{4}, "two alike"},
}

// scores draws the readings and scores them.
func (p pvalueCase) scores() [][]int32 {
	rng := random(fmt.Sprint("pvalue", p.cycle, p.weights), 0)
	sizes := sizesOf(pvalueSites, p.cycle...)
	var out [][]int32
	for _, o := range clean(sizes, codeword(rng, sizes)) {
		switch p.weights {
		case "continuous":
			spread(rng, o.Weights)
		case "two alike":
			spread(rng, o.Weights)
			o.Weights[0], o.Weights[1] = (o.Weights[0]+o.Weights[1])/2, (o.Weights[0]+o.Weights[1]+1)/2
		}
		out = append(out, trace.DefaultRule().SingleScores(o.Weights))
	}
	return out
}

// spread draws weights at random, most of it on few alternatives.
func spread(rng *rand.Rand, w trace.Weights) {
	p, sum := make([]float64, len(w)), 0.0
	for x := range p {
		p[x] = math.Pow(rng.ExpFloat64(), 3) + 1e-6
		sum += p[x]
	}
	left := uint32(trace.One)
	for x := range w {
		w[x] = min(left, uint32(p[x]/sum*trace.One))
		left -= w[x]
	}
	w[0] += left
}

// widest returns the largest upper over lower bound of any score.
func widest(tail *trace.Tail) float64 {
	top, _ := tail.Threshold(pvalueLowest)
	worst := 1.0
	for s := top; ; s-- {
		p := tail.AtLeast(s)
		if p.Lower() >= pvalueLowest {
			worst = max(worst, p.Upper()/p.Lower())
		}
		if p.Upper() >= .999 {
			return worst
		}
	}
}

// times returns the best of a few runs of the tracer's distribution and of a
// convolution that does nothing else, in milliseconds.
func (p pvalueCase) times(scores [][]int32) (took, bare float64) {
	took, bare = math.Inf(1), math.Inf(1)
	for range 5 {
		start := time.Now()
		trace.NewTailToMean(scores)
		took = min(took, time.Since(start).Seconds()*1e3)
		start = time.Now()
		convolve(scores)
		bare = min(bare, time.Since(start).Seconds()*1e3)
	}
	return took, bare
}

// convolve is the plainest convolution of the same distributions, without
// bounds, scaling or equal scores taken together.
func convolve(scores [][]int32) []float64 {
	span := 0
	for _, s := range scores {
		span += int(slices.Max(s) - slices.Min(s))
	}
	cur, next := make([]float64, span+1), make([]float64, span+1)
	cur[0] = 1
	used := 1
	for _, s := range scores {
		best, reach := slices.Max(s), used+int(slices.Max(s)-slices.Min(s))
		clear(next[:reach])
		for _, x := range s {
			dst, weight := next[best-x:], 1/float64(len(s))
			for i, v := range cur[:used] {
				dst[i] += v * weight
			}
		}
		cur, next, used = next, cur, reach
	}
	return cur
}

// A sampling is one p-value and its estimate by tilted sampling.
type sampling struct {
	target, lower, upper float64
	sampled, deviation   float64
}

// z is the distance of the estimate from the proven interval's middle.
func (s sampling) z() float64 {
	return (s.sampled - (s.lower+s.upper)/2) / s.deviation
}

func (p pvalueCase) sampled(ctx context.Context, c Config, scores [][]int32, tail *trace.Tail) ([]sampling, error) {
	targets := []float64{1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12}
	read := tail
	if c.fault == shortTail {
		read = trace.NewTail(scores[:len(scores)-1], math.MaxInt32-1)
	}
	return trials(ctx, fmt.Sprint("tilted", p.cycle, p.weights), len(targets), func(i int, rng *rand.Rand) (sampling, error) {
		s, _ := tail.Threshold(targets[i])
		prob := read.AtLeast(s)
		out := sampling{target: targets[i], lower: prob.Lower(), upper: prob.Upper()}
		if c.fault == halvedP {
			out.lower, out.upper = out.lower/2, out.upper/2
		}
		m := tiltTo(scores, s).sample(rng, s, c.at(400000, 4000))
		out.sampled, out.deviation = m.value(), m.deviation()
		return out, nil
	})
}
