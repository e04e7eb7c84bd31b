package trace

import (
	"fmt"
	"math"
)

// One is the sum of the weights of a group: weights are integers, so that a
// recorded reading is exact and sums to one.
const One = 1 << 20

// Weights are the posterior probabilities of a group's alternatives given
// the leaked words alone, in units of 1/One, under a uniform prior.
type Weights []uint32

// Information returns log2(q) minus the entropy of the weights, in bits: how
// much the words tell about the group's choice.
func (w Weights) Information() float64 {
	bits := math.Log2(float64(len(w)))
	for _, x := range w {
		if x > 0 {
			p := float64(x) / One
			bits += p * math.Log2(p)
		}
	}
	return max(0, bits)
}

// ratio returns q w(x): the likelihood ratio of alternative x to the average.
func (w Weights) ratio(x int) float64 {
	return float64(w[x]) * float64(len(w)) / One
}

// contradicts says whether the words speak against alternative x: they make
// it less than half as likely as before.
func (w Weights) contradicts(x int) bool {
	return 2*uint64(w[x])*uint64(len(w)) < One
}

// Check says whether w can be weights of a group of the given size.
func (w Weights) Check(size int) error {
	sum := uint64(0)
	for _, x := range w {
		sum += uint64(x)
	}
	if len(w) != size || sum != One {
		return fmt.Errorf("weights must be %d figures that sum to %d", size, One)
	}
	return nil
}

// newWeights rounds probabilities to weights that sum to One exactly; the
// largest takes up the difference.
func newWeights(p []float64) Weights {
	sum, best := 0.0, 0
	for i, x := range p {
		sum += x
		if x > p[best] {
			best = i
		}
	}
	w, left := make(Weights, len(p)), uint32(One)
	for i, x := range p {
		if i != best {
			w[i] = min(uint32(x/sum*One), left)
			left -= w[i]
		}
	}
	w[best] = left
	return w
}

// A Observation is what the words of one look tell about one group.
type Observation struct {
	Cable   int
	Group   int
	Weights Weights
}

// Observe multiplies what all passages of one look tell, group by group, and
// returns the groups that are read, in order of cable and group. Repeated
// and ambiguous passages do not count. The skip function leaves out groups
// that were scored in an earlier look.
func (r Rule) Observe(graphs []*Graph, passages []Passage, skip func(cable, group int) bool) []Observation {
	var out []Observation
	for k, g := range graphs {
		logs := map[int][]float64{}
		for _, p := range passages {
			if p.Cable == k && !p.Repeats && !p.Ambiguous {
				g.addLogs(logs, p.branches)
			}
		}
		for group, size := range g.Lattice.Sizes {
			if logs[group] == nil || skip != nil && skip(k, group) {
				continue
			}
			w := fromLogs(logs[group])
			if len(w) == size && w.Information()*1000 >= float64(r.ReadMillibits) {
				out = append(out, Observation{k, group, w})
			}
		}
	}
	return out
}

// addLogs adds, for each group a passage touches, ln of q times the posterior
// of each alternative.
func (g *Graph) addLogs(logs map[int][]float64, branches map[int32][]float64) {
	for k := range int32(len(g.Lattice.Clusters)) {
		post := branches[k]
		if post == nil {
			continue
		}
		c := &g.Lattice.Clusters[k]
		rest := 1.0
		for _, p := range post {
			rest -= p
		}
		rest = max(0, rest) / float64(len(post))
		for i, group := range c.Groups {
			p := make([]float64, g.Lattice.Sizes[group])
			for b, branch := range c.Branches {
				p[branch.Choices[i]] += post[b] + rest
			}
			if logs[group] == nil {
				logs[group] = make([]float64, len(p))
			}
			for x := range p {
				logs[group][x] += math.Log(max(p[x], minWeight) * float64(len(p)))
			}
		}
	}
}

// minWeight keeps one passage from ruling an alternative out for good.
const minWeight = 1e-6

func fromLogs(logs []float64) Weights {
	top := math.Inf(-1)
	for _, l := range logs {
		top = max(top, l)
	}
	p := make([]float64, len(logs))
	for i, l := range logs {
		p[i] = math.Exp(l - top)
	}
	return newWeights(p)
}
