package measure

import (
	"context"
	"fmt"
	"math/rand/v2"

	"chancery/trace"
)

// familyReaders is the length of the list in the table family.
const familyReaders = 50

var familyEps = []float64{0.1, 1e-3}

// Family is the table of how often the whole rule, single copies, pairs,
// triples and e-values together, names any copy outside the leak.
func Family(ctx context.Context, c Config) (Table, error) {
	t := Table{
		How: fmt.Sprintf("%d readers. Each leak has its own list, its own number of sources and its own strategy; in one leak of two, "+
			"a third of the sites comes at a later look. The whole rule is applied as it stands, at 0.001 only where 0.1 names a copy outside: what is named at less is named at more.", familyReaders),
		Columns: []string{"q", "sites", "sources", "leaks", "outside named at 0.1", "at 0.001", "a source named at 0.1"},
	}
	totals := make([]familyCount, 5) // by number of sources
	for _, s := range familySites {
		if s.m > 50 && !c.full() {
			continue
		}
		for sources := 1; sources <= 4; sources++ {
			count, err := familyRow(ctx, c, s.m, s.cycle, sources)
			if err != nil {
				return t, err
			}
			t.row(fmt.Sprint(s.cycle), s.m, sources, count.wrong[0].trials, count.wrong[0].String(), count.wrong[1].String(), count.caught.String())
			totals[0].merge(count)
			totals[sources].merge(count)
		}
	}
	for k, eps := range familyEps {
		for sources := 1; sources <= 3; sources++ {
			t.within(fmt.Sprintf("leaks of %d sources in which a copy outside was named, eps = %g", sources, eps), totals[sources].wrong[k], eps)
		}
		t.within(fmt.Sprintf("leaks of 4 sources, one over c_max, eps = %g", eps), totals[4].wrong[k], eps*beyondCMax)
	}
	t.note("Over all rows a copy outside the leak was named in %s of the leaks at eps = 0.1 and in %s at 0.001.", totals[0].wrong[0], totals[0].wrong[1])
	t.note("With four sources the bounds of pairs and triples grow by at most C(4,1)/C(3,1) and C(4,2)/C(3,2), so the whole by %.4g.", beyondCMax)
	return t, nil
}

// beyondCMax is how much the bound can grow when four readers combined their
// copies and the rule assumes three: 3/4 of eps does not assume anything, 1/8
// grows by 4/3, 1/8 by 2.
const beyondCMax = 0.75 + 0.125*4/3 + 0.125*2

// familySites are the cables of the table; the long ones are for full runs.
var familySites = []struct {
	m     int
	cycle []int
}{
	{22, []int{2}}, {44, []int{2}}, {66, []int{2}}, {12, []int{4}}, {22, []int{4}}, {44, []int{4}}, {66, []int{4}}, {30, []int{2, 3, 4}},
}

type familyCount struct {
	wrong  [2]share // for each eps
	caught share
}

func (f *familyCount) merge(o familyCount) {
	for k := range f.wrong {
		f.wrong[k].hits += o.wrong[k].hits
		f.wrong[k].trials += o.wrong[k].trials
	}
	f.caught.hits += o.caught.hits
	f.caught.trials += o.caught.trials
}

func familyRow(ctx context.Context, c Config, m int, cycle []int, sources int) (familyCount, error) {
	var sum familyCount
	n := c.at(600, 2)
	c.say("family: q = %v, %d sites, %d sources, %d leaks", cycle, m, sources, n)
	all, err := trials(ctx, fmt.Sprint("family", m, cycle, sources), n, func(i int, rng *rand.Rand) (familyCount, error) {
		return familyTrial(ctx, c.fault, rng, sizesOf(m, cycle...), sources, i)
	})
	for _, x := range all {
		sum.merge(x)
	}
	return sum, err
}

// familyTrial leaks once. The sources are readers 0, 1, ...
func familyTrial(ctx context.Context, f fault, rng *rand.Rand, sizes []int, sources, i int) (out familyCount, err error) {
	words := codewords(rng, familyReaders, sizes)
	if f == sharedDraws {
		for k := range sizes {
			if rng.IntN(2) == 0 {
				words[sources][k] = words[0][k]
			}
		}
	}
	y := familyLeak(rng, words[:sources], sizes, i)
	obs := clean(sizes, y)
	later := len(obs)
	if i%2 == 1 {
		later = len(obs) * 2 / 3
	}
	for k, eps := range familyEps {
		if k > 0 && !out.wrong[0].any() {
			out.wrong[k].add(false) // the limits are in proportion to eps: fewer are named
			continue
		}
		ev := trace.Evidence{Eps: eps, Readers: readersOf(words), First: obs[:later], Later: obs[later:]}
		if f == noUnion {
			ev.Eps *= familyReaders
		}
		finding, err := trace.DefaultRule().Assess(ctx, ev)
		if err != nil {
			return out, err
		}
		named := namedIn(finding)
		out.wrong[k].add(anyFrom(named, sources))
		if k == 0 {
			out.caught.add(anyBelow(named, sources))
		}
	}
	return out, nil
}

// familyLeak goes through the attacks of the bank and three others: one copy
// with a quarter of its words swapped, copies in turn, and words of nobody.
func familyLeak(rng *rand.Rand, members [][]int, sizes []int, i int) []int {
	kinds := len(trace.Attacks) + 3
	switch k := i / 2 % kinds; k {
	case kinds - 3:
		y := append([]int(nil), members[0]...)
		for g, q := range sizes {
			if rng.IntN(4) == 0 {
				y[g] = (y[g] + 1 + rng.IntN(q-1)) % q
			}
		}
		return y
	case kinds - 2:
		y := make([]int, len(sizes))
		for g := range y {
			y[g] = members[g%len(members)][g]
		}
		return y
	case kinds - 1:
		return codeword(rng, sizes)
	default:
		return combine(rng, trace.Attacks[k], members, sizes)
	}
}
