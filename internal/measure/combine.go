package measure

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"chancery/trace"
)

// A coalition is one row of the tables pairs and triples: readers who combine
// their copies in one way.
type coalition struct {
	q, sites int
	attack   trace.Attack
	members  int
	bar      float64 // what the catch rate must reach; 0 for none
	trials   int
	searched int // trials in which every tuple is searched
	ruled    int // trials in which the whole rule is applied too
	among    int // readers whose tuples are searched; the bound counts all
}

const (
	combineReaders = 1000
	combineEps     = 1e-3
)

// Pairs is the table of two readers who combined their copies.
func Pairs(ctx context.Context, c Config) (Table, error) {
	var rows []coalition
	n := c.at(400, 4)
	for _, r := range []struct {
		q, sites int
		bar      float64
	}{{2, 60, 0}, {2, 65, 0}, {2, 70, .9}, {4, 26, 0}, {4, 28, 0}, {4, 30, .9}} {
		if r.bar == 0 && !c.full() {
			continue
		}
		for _, a := range []trace.Attack{trace.Interleave, trace.AllOne} {
			row := coalition{q: r.q, sites: r.sites, attack: a, members: 2, bar: r.bar, trials: n, searched: n, among: combineReaders}
			if r.bar > 0 && c.full() {
				row.ruled = 24
			}
			rows = append(rows, row)
		}
	}
	t, err := coalitions(ctx, c, rows)
	t.note("Of two copies, majority, minority and coin-flip print what interleaving prints: where the two differ, either word with equal chance.")
	return t, err
}

// Triples is the table of three readers who combined their copies.
func Triples(ctx context.Context, c Config) (Table, error) {
	var rows []coalition
	for _, m := range []int{50, 75} {
		if m < 75 && !c.full() {
			continue
		}
		for _, a := range trace.Attacks {
			row := coalition{q: 4, sites: m, attack: a, members: 3, trials: c.at(400, 4), searched: c.at(20, 1), among: 200}
			if c.full() {
				row.among = combineReaders
			}
			if m == 75 {
				row.bar, row.searched = .9, c.at(80, 1)
			}
			if m == 75 && c.full() {
				row.ruled = 12
			}
			rows = append(rows, row)
		}
	}
	t, err := coalitions(ctx, c, rows)
	if !c.full() {
		t.note("In a run this short, triples are searched among 200 of the readers, and the whole rule is left out.")
	}
	t.note("In the trials that are not searched in full, the true triple alone is tested: what is caught so is caught by the search as well.")
	return t, err
}

// coalitions runs the rows and checks their bars.
func coalitions(ctx context.Context, c Config, rows []coalition) (Table, error) {
	t := Table{
		How: fmt.Sprintf("%d readers; the members' words are combined and every word is readable. Whole eps = %g on the joint decoder "+
			"that matches the attack; all tuples searched. Caught: at least one true member is named. Intervals are 99 %%.", combineReaders, combineEps),
		Columns: []string{"q", "sites", "attack", "trials", "searched", "caught, c_max = 3", "c_max = members",
			"others named in", "whole rule, split eps", "its trials"},
	}
	var sum caught
	for _, row := range rows {
		r, err := row.run(ctx, c)
		if err != nil {
			return t, err
		}
		rule := "-"
		if r.rule.trials > 0 {
			rule = r.rule.String()
		}
		t.row(row.q, row.sites, string(row.attack), row.trials, row.searched, r.three.String(), r.own.String(),
			fmt.Sprintf("%d of %d", r.wrong.hits, r.wrong.trials), rule, r.rule.trials)
		if row.bar > 0 {
			t.reaches(fmt.Sprintf("caught, q = %d, %d sites, %s", row.q, row.sites, row.attack), r.three, row.bar, c.full())
		}
		sum.merge(r)
	}
	t.within("trials in which the matching decoder named a copy outside the coalition", sum.wrong, combineEps)
	if sum.ruleWrong.trials > 0 {
		t.within("trials in which the whole rule did", sum.ruleWrong, combineEps)
	}
	return t, nil
}

// caught is what one trial, or all trials of a row, found.
type caught struct {
	three, own, rule share // under c_max 3, under c_max = members, by the whole rule
	// somebody outside the coalition was named: by the matching decoder under
	// c_max 3, by the whole rule
	wrong, ruleWrong share
}

func (c *caught) merge(o caught) {
	for _, p := range [][2]*share{{&c.three, &o.three}, {&c.own, &o.own}, {&c.rule, &o.rule}, {&c.wrong, &o.wrong}, {&c.ruleWrong, &o.ruleWrong}} {
		p[0].hits += p[1].hits
		p[0].trials += p[1].trials
	}
}

func (row coalition) run(ctx context.Context, c Config) (caught, error) {
	series := fmt.Sprint("coalition", row.members, row.q, row.sites, row.attack)
	all, err := trials(ctx, series, row.trials, func(i int, rng *rand.Rand) (caught, error) {
		if i%100 == 0 {
			c.say("%d readers, q = %d, %d sites, %s: trial %d of %d", row.members, row.q, row.sites, row.attack, i, row.trials)
		}
		return row.trial(ctx, c.fault, i, rng)
	})
	var sum caught
	for _, x := range all {
		sum.merge(x)
	}
	return sum, err
}

// trial draws a list, leaks and searches. The members are readers 0, 1, ...
func (row coalition) trial(ctx context.Context, f fault, i int, rng *rand.Rand) (out caught, err error) {
	sizes := sizesOf(row.sites, row.q)
	words := codewords(rng, combineReaders, sizes)
	obs := clean(sizes, combine(rng, row.attack, words[:row.members], sizes))
	for _, at := range []struct {
		cmax  int
		count *share
	}{{3, &out.three}, {row.members, &out.own}} {
		named, err := row.decode(ctx, f, at.cmax, i < row.searched, obs, words[:row.among])
		if err != nil {
			return out, err
		}
		at.count.add(anyBelow(named, row.members))
		if i < row.searched && at.count == &out.three {
			out.wrong.add(anyFrom(named, row.members))
		}
		if row.members == 3 {
			out.own = out.three // one and the same
			break
		}
	}
	if i >= row.ruled {
		return out, nil
	}
	finding, err := trace.DefaultRule().Assess(ctx, trace.Evidence{Eps: combineEps, Readers: readersOf(words), First: obs})
	named := namedIn(finding)
	out.rule.add(anyBelow(named, row.members))
	out.ruleWrong.add(anyFrom(named, row.members))
	return out, err
}

// decode returns the readers that the joint decoder names, searching all
// tuples or testing the true one alone.
func (row coalition) decode(ctx context.Context, f fault, cmax int, search bool, obs []trace.Observation, words [][]int) ([]int, error) {
	rule := trace.DefaultRule()
	rule.MaxContributors = cmax
	n := combineReaders
	if f == noUnion {
		n /= 30
	}
	j := trace.NewJoint(rule, row.attack, row.members, combineEps, n, obs, words)
	var tuples []trace.Tuple
	if search {
		var err error
		if tuples, err = j.Search(ctx); err != nil {
			return nil, err
		}
	} else {
		tuples = append(tuples, j.Test([]int{0, 1, 2}[:row.members]))
	}
	var named []int
	for _, t := range tuples {
		for _, m := range t.Named {
			named = append(named, m.Index)
		}
	}
	return named, nil
}

// namedIn returns the numbers of the readers that a finding names.
func namedIn(f trace.Finding) []int {
	var out []int
	for _, x := range f.Named {
		var i int
		fmt.Sscanf(strings.TrimPrefix(x.Reader, "r"), "%d", &i)
		out = append(out, i)
	}
	return out
}

func anyBelow(named []int, members int) bool {
	for _, i := range named {
		if i < members {
			return true
		}
	}
	return false
}

func anyFrom(named []int, members int) bool {
	for _, i := range named {
		if i >= members {
			return true
		}
	}
	return false
}
