package measure

import (
	"context"
	"fmt"
	"math/rand/v2"

	"chancery/trace"
)

const (
	posteriorEps   = 1e-3
	posteriorLevel = 0.999
)

// Posterior is the table of leaks that came from none of the copies: how
// often a posterior that takes one of the readers for granted points to
// somebody all the same, and how often a p-value does.
func Posterior(ctx context.Context, c Config) (Table, error) {
	t := Table{
		How: fmt.Sprintf("Words of nobody on the list, q = 2, 3 %% of the sites misread. Closed world: some reader's posterior reaches %g "+
			"when one of them is taken for the source. With none: the same when \"none of these\" has prior 50 %%. p-value: some copy's is at most eps/N, eps = %g.",
			posteriorLevel, posteriorEps),
		Columns: []string{"N", "sites", "leaks", "closed world", "with none", "p-value"},
	}
	var all, closed share
	for _, n := range []int{5, 10, 20, 50} {
		for _, m := range []int{12, 17, 22} {
			row, err := posteriorRow(ctx, c, n, m)
			if err != nil {
				return t, err
			}
			t.row(n, m, row[0].trials, row[0].String(), row[1].String(), row[2].String())
			closed.hits, closed.trials = closed.hits+row[0].hits, closed.trials+row[0].trials
			all.hits, all.trials = all.hits+row[2].hits, all.trials+row[2].trials
		}
	}
	t.within("leaks of nobody in which a p-value named somebody", all, posteriorEps)
	t.atLeast("share of leaks of nobody that the closed-world posterior lays at one reader's door", closed.rate(), 10*posteriorEps)
	return t, nil
}

func posteriorRow(ctx context.Context, c Config, n, m int) (sum [3]share, err error) {
	all, err := trials(ctx, fmt.Sprint("posterior", n, m), c.at(4000, 60), func(_ int, rng *rand.Rand) ([3]bool, error) {
		return posteriorTrial(ctx, c.fault, rng, n, sizesOf(m, 2))
	})
	for _, hits := range all {
		for k, hit := range hits {
			sum[k].add(hit)
		}
	}
	return sum, err
}

func posteriorTrial(ctx context.Context, f fault, rng *rand.Rand, n int, sizes []int) (hit [3]bool, err error) {
	// Nobody is named at this eps and every copy fits, so that the finding
	// holds the posterior of each.
	rule := single()
	rule.FitPercent = 100
	readers := readersOf(codewords(rng, n, sizes))
	y := codeword(rng, sizes)
	obs := clean(sizes, y)
	for k := range obs {
		misread(rng, obs[k].Weights, y[k])
	}
	finding, err := rule.Assess(ctx, trace.Evidence{Eps: 1e-300, Readers: readers, First: obs})
	if err != nil {
		return hit, err
	}
	for _, fit := range finding.Fit {
		hit[0] = hit[0] || fit.Posterior[1]/(1-finding.None[1]) >= posteriorLevel
		hit[1] = hit[1] || fit.Posterior[1] >= posteriorLevel
	}
	limit := posteriorEps / float64(n)
	if f == noUnion {
		limit = posteriorEps
	}
	for _, p := range rule.PValues(obs, readers) {
		hit[2] = hit[2] || p.Upper() <= limit
	}
	return hit, nil
}

// misread makes weights as sure as a light noise leaves them, of the wrong
// symbol in 3 % of the sites.
func misread(rng *rand.Rand, w trace.Weights, y int) {
	const doubt = trace.One / 32
	if rng.Float64() < 0.03 {
		w[y], y = 0, (y+1)%len(w)
	}
	for x := range w {
		w[x] = doubt / uint32(len(w))
	}
	w[y] += trace.One - doubt/uint32(len(w))*uint32(len(w))
}
