package measure

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"chancery/trace"
)

const (
	looks          = 30
	anytimeNominal = 2e-5 // as in redteam.md
)

// eNominals are the levels at which e-values are counted.
var eNominals = [...]float64{1e-2, 1e-3, anytimeNominal}

// Anytime is the table of thirty looks at three to six new sites each: how
// often a copy that did not reach the source crosses the e-value's bound at
// any look, and how often a p-value computed anew at every look would.
func Anytime(ctx context.Context, c Config) (Table, error) {
	t := Table{
		How: fmt.Sprintf("%d looks of 3 to 6 new sites. For each sequence of readings, copies drawn afresh are followed through all looks; "+
			"crossed means e-value at least 1/nominal, or p-value at most nominal, at some look so far. Figures are crossings over nominal, for p-values %g.", looks, anytimeNominal),
		Columns: []string{"alternatives", "readings", "source", "copies", "e-value, at 1e-2", "1e-3", "2e-5", "99 %", "p-value, last look", "at any of 10", "20", "30 looks", "99 %"},
	}
	var repeated []share
	off := 0.0
	for _, s := range anytimeCases {
		c.say("anytime: %s", s.name())
		n, err := s.run(ctx, c)
		if err != nil {
			return t, err
		}
		p := share{n.p[2], n.copies}
		row := []any{s.cycleName(), s.reading(), s.behaviour(), n.copies}
		for k, nominal := range eNominals {
			row = append(row, float64(n.e[k])/float64(n.copies)/nominal)
			limit := poissonLimit(nominal*float64(n.copies), 1-confidence)
			t.check(n.e[k] <= limit, fmt.Sprintf("copies whose e-value ever crosses at %g, %s", nominal, s.name()), n.e[k], fmt.Sprintf("at most %d of %d", limit, n.copies))
		}
		row = append(row, multiples(share{n.e[len(eNominals)-1], n.copies}), float64(n.fixed)/float64(n.copies)/anytimeNominal)
		for _, hits := range n.p {
			row = append(row, float64(hits)/float64(n.copies)/anytimeNominal)
		}
		t.row(append(row, multiples(p))...)
		off = max(off, n.off)
		if s.known() {
			repeated = append(repeated, p)
		}
	}
	t.atMost("largest distance of an e-value here from the tracer's, in nats", off, 1e-6)
	checkRepeated(&t, repeated)
	return t, nil
}

// checkRepeated holds the misuse to the factor it is known to cost.
func checkRepeated(t *Table, repeated []share) {
	var all share
	for _, s := range repeated {
		all.hits, all.trials = all.hits+s.hits, all.trials+s.trials
	}
	low, high := all.wilson(3.2905)
	t.check(low > anytimeNominal, "one p-value computed anew at every look breaks its level: crossings over nominal, lower end of 99.9 %",
		low/anytimeNominal, "over 1")
	t.check(high >= 5*anytimeNominal && low <= 7*anytimeNominal, "and by 5 to 7 times after 30 looks, one size and clean (99.9 % interval)",
		fmt.Sprintf("%.3g (%.3g-%.3g)", all.rate()/anytimeNominal, low/anytimeNominal, high/anytimeNominal), "meets 5-7")
}

// multiples prints the 99 % interval of a rate over nominal.
func multiples(s share) string {
	low, high := s.wilson(z99)
	return fmt.Sprintf("%.3g-%.3g", low/anytimeNominal, high/anytimeNominal)
}

// An anytimeCase is one row: the sites, how sure the readings are, and whether
// the source reacts to how near to the bound a copy is.
type anytimeCase struct {
	cycle    []int
	noisy    bool
	reacting bool
}

var anytimeCases = []anytimeCase{
	{cycle: []int{2}},
	{cycle: []int{3}},
	{cycle: []int{2, 3, 4}},
	{cycle: []int{2, 3, 4}, noisy: true},
	{cycle: []int{2, 4}, reacting: true},
}

// known says whether the factor was known beforehand (redteam.md): all sites
// of one size and clean. Elsewhere it is printed alone.
func (a anytimeCase) known() bool { return len(a.cycle) == 1 && !a.noisy && !a.reacting }

func (a anytimeCase) cycleName() string { return fmt.Sprint(a.cycle) }
func (a anytimeCase) name() string {
	return fmt.Sprintf("%v, %s, %s", a.cycle, a.reading(), a.behaviour())
}

func (a anytimeCase) reading() string {
	if a.noisy {
		return "doubtful"
	}
	return "clean"
}

func (a anytimeCase) behaviour() string {
	if a.reacting {
		return "reacts to the findings"
	}
	return "does not react"
}

// anytimeCount counts copies that crossed.
type anytimeCount struct {
	copies, fixed int
	e             [len(eNominals)]int
	p             [3]int // by the 10th, 20th and 30th look
	off           float64
}

// copiesPerPath are followed through each sequence of readings.
const copiesPerPath = 50000

func (a anytimeCase) run(ctx context.Context, c Config) (anytimeCount, error) {
	var sum anytimeCount
	all, err := trials(ctx, "anytime "+a.name(), c.at(200, 2), func(_ int, rng *rand.Rand) (anytimeCount, error) {
		return a.path(rng, c.fault), nil
	})
	for _, n := range all {
		sum.copies += n.copies
		for k := range n.e {
			sum.e[k] += n.e[k]
		}
		sum.fixed += n.fixed
		sum.off = max(sum.off, n.off)
		for k := range n.p {
			sum.p[k] += n.p[k]
		}
	}
	return sum, err
}

// A look is one look of a path: the readings, and tables over the joint
// choices of its groups.
type look struct {
	obs    []trace.Observation
	single []int32     // the universal score
	bets   [][]float64 // by bet: the factor of the e-value
	need   int32       // score at which the p-value of all looks so far is within nominal
}

// path follows copies through one sequence of readings. A source that reacts
// has two texts for every look, and prints the bold one (the most
// alternatives) while a copy's e-value is under 1, the timid one after.
func (a anytimeCase) path(rng *rand.Rand, f fault) anytimeCount {
	plans := [][]look{a.plan(rng)}
	if a.reacting {
		plans = [][]look{anytimeCase{cycle: a.cycle[1:]}.plan(rng), anytimeCase{cycle: a.cycle[:1]}.plan(rng)}
	}
	n := anytimeCount{copies: copiesPerPath}
	for i := range copiesPerPath {
		w := follow(rng, plans, f)
		for k, nominal := range eNominals {
			if w.most >= 1/nominal {
				n.e[k]++
			}
		}
		if w.last {
			n.fixed++
		}
		for k := range n.p {
			if w.first <= 10*(k+1) {
				n.p[k]++
			}
		}
		if i < 20 && f == noFault {
			n.off = max(n.off, w.off(trace.DefaultRule(), plans))
		}
	}
	return n
}

// plan draws the looks and what is read at each.
func (a anytimeCase) plan(rng *rand.Rand) []look {
	out := make([]look, looks)
	var scores [][]int32
	rule := trace.DefaultRule()
	group := 0
	for i := range out {
		sizes := sizesOf(3+rng.IntN(4), a.cycle...)
		obs := clean(sizes, codeword(rng, sizes))
		for k := range obs {
			obs[k].Group, group = group, group+1
			if a.noisy {
				blur(rng, obs[k].Weights)
			}
			scores = append(scores, rule.SingleScores(obs[k].Weights))
		}
		out[i] = newLook(rule, obs)
		out[i].need = math.MaxInt32
		if s, ok := trace.NewTail(scores, math.MaxInt32-1).Threshold(anytimeNominal); ok {
			out[i].need = int32(s)
		}
	}
	return out
}

// blur moves some weight from the alternative read to the others.
func blur(rng *rand.Rand, w trace.Weights) {
	doubt := rng.Float64() * .6
	each := uint32(doubt * trace.One / float64(len(w)))
	for x := range w {
		if w[x] > 0 {
			w[x] -= each * uint32(len(w)-1)
		} else {
			w[x] = each
		}
	}
}

// newLook tabulates scores and bets over the joint choices of the groups, the
// bets by the tracer's own e-value with one bet and one group.
func newLook(rule trace.Rule, obs []trace.Observation) look {
	l := look{obs: obs, single: []int32{0}}
	for _, o := range obs {
		l.single = sums(l.single, rule.SingleScores(o.Weights))
	}
	for _, bet := range rule.BetsPermille {
		one := rule
		one.BetsPermille = []int{bet}
		table := []float64{1}
		for _, o := range obs {
			q := len(o.Weights)
			next := make([]float64, 0, len(table)*q)
			for x := range q {
				alone := o
				alone.Group = 0
				factor := math.Exp(one.LogE([]trace.Observation{alone}, trace.Copies{Words: [][]int{{x}}}))
				for _, v := range table {
					next = append(next, v*factor)
				}
			}
			table = next
		}
		l.bets = append(l.bets, table)
	}
	return l
}

// A walk is one copy's way through the looks.
type walk struct {
	most  float64 // the largest e-value at any look
	first int     // look at which the p-value first crossed, from 1; 99 for never
	last  bool    // the p-value of the last look alone is within nominal
	e     float64
	path  [looks][2]uint32 // which plan, and the joint choice held
}

// follow draws a copy's symbols look by look.
func follow(rng *rand.Rand, plans [][]look, f fault) walk {
	w := walk{first: 99, e: 1}
	capital := [8]float64{1, 1, 1, 1, 1, 1, 1, 1}
	sum := int32(0)
	bets := len(plans[0][0].bets)
	for i := range looks {
		at := 0
		if len(plans) > 1 && w.e >= 1 {
			at = 1
		}
		l := &plans[at][i]
		x := rng.Uint32N(uint32(len(l.single)))
		w.path[i] = [2]uint32{uint32(at), x}
		sum += l.single[x]
		total := 0.0
		for k := range bets {
			capital[k] *= l.bets[k][x]
			if f == scoredTwice {
				capital[k] *= l.bets[k][x]
			}
			total += capital[k]
		}
		if f != summedBets {
			total /= float64(bets)
		}
		w.e = total
		w.most = max(w.most, total)
		if sum >= l.need {
			w.first = min(w.first, i+1)
			w.last = i == looks-1
		}
	}
	return w
}

// off returns how far the walk's e-value is from the tracer's, in nats.
func (w walk) off(rule trace.Rule, plans [][]look) float64 {
	var obs []trace.Observation
	var word []int
	for i, step := range w.path {
		x := int(step[1])
		for _, o := range plans[step[0]][i].obs {
			q := len(o.Weights)
			o.Group = len(word)
			obs, word = append(obs, o), append(word, x%q)
			x /= q
		}
	}
	return math.Abs(rule.LogE(obs, trace.Copies{Words: [][]int{word}}) - math.Log(w.e))
}
