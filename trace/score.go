package trace

import "math"

// scoreStep is the resolution of single scores, in parts of a nat.
const scoreStep = 32

// SingleScores returns the universal score of each alternative of a group:
// round(32 ln(1 - 1/c + q w(x)/c)). For weights that are all 0 or 1 it is
// Laarhoven's score for the interleaving attack of c readers (EURASIP J. on
// Information Security 2016:3), and serves one reader as well.
func (r Rule) SingleScores(w Weights) []int32 {
	c := float64(r.Contributors)
	out := make([]int32, len(w))
	for x := range out {
		out[x] = int32(math.Round(scoreStep * math.Log(1-1/c+w.ratio(x)/c+1e-9)))
	}
	return out
}

// A Copies is what one reader holds: a codeword for each cable, nil where
// they hold no copy of it.
type Copies struct {
	Reader string
	Words  [][]int
	// Burnt says that the wording was disclosed before the leak, so that it
	// no longer points to anybody; a burnt copy is not named.
	Burnt bool
}

func (c Copies) holds(o Observation) bool { return c.Words[o.Cable] != nil }

// PValues returns the exact p-value of every reader: the chance that a copy
// drawn afresh scores as high. It is 1 for readers who hold no cable that was
// read. Readers who hold the same cables share one distribution.
func (r Rule) PValues(obs []Observation, readers []Copies) []Prob {
	scores := make([][]int32, len(obs))
	for i, o := range obs {
		scores[i] = r.SingleScores(o.Weights)
	}
	tails := map[string]*Tail{}
	out := make([]Prob, len(readers))
	for i, c := range readers {
		key, sum := make([]byte, len(c.Words)), 0
		var mine [][]int32
		for k, o := range obs {
			if c.holds(o) {
				key[o.Cable] = 1
				sum += int(scores[k][c.Words[o.Cable][o.Group]])
				mine = append(mine, scores[k])
			}
		}
		if len(mine) == 0 {
			out[i] = Prob{Mantissa: 1}
			continue
		}
		t := tails[string(key)]
		if t == nil {
			t = NewTailToMean(mine)
			tails[string(key)] = t
		}
		out[i] = t.AtLeast(sum)
	}
	return out
}

// LogE returns ln of the reader's e-value: the mean over bets b of the
// product over groups of (1-b) q w(x) + b. Its expectation is at most 1 for a
// copy that did not reach the source, at every look, because each group is
// scored once and its weights average to one.
func (r Rule) LogE(obs []Observation, c Copies) float64 {
	logs := make([]float64, len(r.BetsPermille))
	for _, o := range obs {
		if !c.holds(o) {
			continue
		}
		ratio := o.Weights.ratio(c.Words[o.Cable][o.Group])
		for i, permille := range r.BetsPermille {
			b := float64(permille) / 1000
			logs[i] += math.Log((1-b)*ratio + b)
		}
	}
	// The margin covers the rounding of at most 1e6 groups.
	return logSum(logs) - math.Log(float64(len(logs))) - 1e-9
}

func logSum(logs []float64) float64 {
	top := math.Inf(-1)
	for _, l := range logs {
		top = max(top, l)
	}
	if math.IsInf(top, -1) {
		return top
	}
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l - top)
	}
	return top + math.Log(sum)
}

// posteriorNoise is the share of readings taken for noise in the posterior.
const posteriorNoise = 0.02

// posteriors returns, for each stated prior of "none of these", each reader's
// posterior probability of being the one source, and that of none.
func (r Rule) posteriors(obs []Observation, readers []Copies) (each [][]float64, none []float64) {
	logs := make([]float64, len(readers))
	for i, c := range readers {
		for _, o := range obs {
			ratio := 0.0 // of a cable the reader does not hold: not from this reader
			if c.holds(o) {
				ratio = o.Weights.ratio(c.Words[o.Cable][o.Group])
			}
			logs[i] += math.Log((1-posteriorNoise)*ratio + posteriorNoise)
		}
	}
	each = make([][]float64, len(readers))
	for _, percent := range r.NonePercent {
		prior := float64(percent) / 100
		all := append([]float64{math.Log(prior)}, logs...)
		for i := range logs {
			all[i+1] += math.Log((1 - prior) / float64(len(logs)))
		}
		total := logSum(all)
		none = append(none, math.Exp(all[0]-total))
		for i := range readers {
			each[i] = append(each[i], math.Exp(all[i+1]-total))
		}
	}
	return each, none
}

// contradictions returns how many of the observed groups speak against the
// reader as the one source, and how many there are. Those of a cable the
// reader does not hold do.
func contradictions(obs []Observation, c Copies) (against, of int) {
	for _, o := range obs {
		if !c.holds(o) || o.Weights.contradicts(c.Words[o.Cable][o.Group]) {
			against++
		}
	}
	return against, len(obs)
}

// fits says whether the copy contradicts at most the rule's share.
func (r Rule) fits(against, of int) bool {
	return of > 0 && against*100 <= r.FitPercent*of
}

// fitChance returns the probability that a copy drawn afresh fits: the
// Poisson-binomial chance of at most so many contradictions.
func (r Rule) fitChance(obs []Observation, c Copies) float64 {
	dist := []float64{1}
	for _, o := range obs {
		bad := 0.0
		for x := range o.Weights {
			if !c.holds(o) || o.Weights.contradicts(x) {
				bad += 1 / float64(len(o.Weights))
			}
		}
		next := make([]float64, len(dist)+1)
		for k, p := range dist {
			next[k] += p * (1 - bad)
			next[k+1] += p * bad
		}
		dist = next
	}
	chance := 0.0
	for k, p := range dist {
		if r.fits(k, len(obs)) {
			chance += p
		}
	}
	return chance
}
