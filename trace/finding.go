package trace

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// An Outcome is one of the four things a finding can say.
type Outcome string

// The outcomes. Only CopyNamed names anybody.
const (
	CopyNamed    Outcome = "copy-named"     // a bound is met
	NoSingleCopy Outcome = "no-single-copy" // words were read, and every copy contradicts too many
	SomeFit      Outcome = "some-fit"       // at least one bit read, and not every copy fits
	CannotSay    Outcome = "cannot-say"     // everything else
)

// Evidence is all that a finding depends on.
type Evidence struct {
	Eps     float64       // bound on the chance of naming any copy wrongly
	Readers []Copies      // the union of the readers of all cables
	First   []Observation // groups read at the first look
	Later   []Observation // groups first read at later looks
	// Progress, if set, is told what is being searched when that takes long.
	Progress func(what string)
}

// A Named is a copy that met a bound.
type Named struct {
	Reader string
	With   []string // the other copies of the tuple that are named as well
	Others int      // how many of the tuple are not
	Attack Attack   // the joint decoder, if one
	Cables []int    // cables of the reader's whose words were read
	P      Prob     // chance of such a score for one copy or tuple drawn afresh
	Limit  float64  // what the upper bound of P had to meet
	LogE   float64  // natural logarithm of the e-value
	// ByE says that the any-time bound was met; ByP that a first-look bound was.
	ByE, ByP bool
	// AssumesCMax says that the name rests on at most c_max readers having
	// combined their copies.
	AssumesCMax bool
}

// A Fit is a copy that contradicts at most the rule's share of what was read.
type Fit struct {
	Reader    string
	Posterior []float64 // for each stated prior
}

// A Finding is the result of a look. Named is empty unless the outcome is
// CopyNamed, and Fit is empty where it is.
type Finding struct {
	Outcome  Outcome
	Eps      float64
	Readers  int
	Named    []Named
	Fit      []Fit
	BurntFit int // burnt copies that fit; they are not in Fit
	// FitDisagrees says that a copy in Fit contradicts some group read.
	FitDisagrees bool
	FitExpected  float64   // readers expected to fit by chance, beside a source
	None         []float64 // posterior of "none of these", for each stated prior
	BitsRead     float64
	GroupsRead   int
	// BestBits is -log2 of the p-value of the best single score.
	BestBits float64
	// BestEBits is log2 of the best any-time e-value, over all looks.
	BestEBits float64
	// Strengths are -log10 of the single p-values of all copies that are not
	// burnt, largest first
	// and without their readers: a picture of the list, not of anybody on it.
	Strengths []float64
	// EStrengths are log10 of the any-time e-values of the same copies, over
	// all looks, largest first; 2N/eps names one.
	EStrengths []float64
	// NeedStrength is the strength a single score had to reach.
	NeedStrength float64
}

// Assess applies the rule to the evidence.
func (r Rule) Assess(ctx context.Context, ev Evidence) (Finding, error) {
	all := slices.Concat(ev.First, ev.Later)
	f := Finding{Outcome: CannotSay, Eps: ev.Eps, Readers: len(ev.Readers), GroupsRead: len(all)}
	for _, o := range all {
		f.BitsRead += o.Weights.Information()
	}
	if err := r.name(ctx, ev, all, &f); err != nil {
		return f, err
	}
	f.Fit, f.FitDisagrees, f.FitExpected = r.fit(all, ev.Readers)
	f.BurntFit = r.burntFit(all, ev.Readers)
	posteriors, none := r.posteriors(all, ev.Readers)
	f.None = none
	f.rank(ev.Readers, posteriors)
	switch {
	case len(f.Named) > 0:
		f.Outcome, f.Fit = CopyNamed, nil
	case len(f.Fit) == 0 && f.BurntFit > 0:
		// A disclosed wording explains the words: they point at nobody.
	case len(all) > 0 && len(f.Fit) == 0:
		f.Outcome = NoSingleCopy
	case f.BitsRead >= 1 && len(f.Fit) < len(ev.Readers):
		f.Outcome = SomeFit
	}
	return f, nil
}

// rank fills in posteriors of the fitting copies and sorts them, best first.
func (f *Finding) rank(readers []Copies, posteriors [][]float64) {
	for i := range f.Fit {
		k := slices.IndexFunc(readers, func(c Copies) bool { return c.Reader == f.Fit[i].Reader })
		f.Fit[i].Posterior = posteriors[k]
	}
	slices.SortStableFunc(f.Fit, func(a, b Fit) int {
		return cmp.Or(cmp.Compare(b.Posterior[1], a.Posterior[1]), strings.Compare(a.Reader, b.Reader))
	})
}

func (r Rule) fit(obs []Observation, readers []Copies) (fit []Fit, disagrees bool, expected float64) {
	if len(obs) == 0 {
		return nil, false, 0
	}
	n := 0.0
	for _, c := range readers {
		if c.Burnt {
			continue
		}
		against, of := contradictions(obs, c)
		if r.fits(against, of) {
			fit = append(fit, Fit{Reader: c.Reader})
			disagrees = disagrees || against > 0
		}
		expected += r.fitChance(obs, c)
		n++
	}
	return fit, disagrees, expected * max(0, n-1) / max(1, n)
}

// burntFit counts the burnt copies that fit. Whoever read the disclosed
// wording could have passed these words on.
func (r Rule) burntFit(obs []Observation, readers []Copies) int {
	n := 0
	for _, c := range readers {
		if c.Burnt && r.fits(contradictions(obs, c)) {
			n++
		}
	}
	return n
}

// name applies every bound of the rule and fills in the copies named and the
// strengths.
func (r Rule) name(ctx context.Context, ev Evidence, all []Observation, f *Finding) error {
	n := float64(len(ev.Readers))
	share := r.shares(ev.Eps)
	f.NeedStrength = -math.Log10(share.single / n)
	var out []Named
	for i, p := range r.PValues(ev.First, ev.Readers) {
		c := ev.Readers[i]
		x := Named{Reader: c.Reader, P: p, Limit: share.single / n, LogE: r.LogE(all, c), Cables: cablesOf(all, c)}
		if !c.Burnt {
			f.Strengths = append(f.Strengths, -p.Log10Upper())
			f.EStrengths = append(f.EStrengths, x.LogE/math.Ln10)
		}
		x.ByP = p.Upper() <= x.Limit
		x.ByE = x.LogE >= math.Log(n/share.later)
		if (x.ByP || x.ByE) && !c.Burnt {
			out = append(out, x)
		}
	}
	for _, s := range [][]float64{f.Strengths, f.EStrengths} {
		slices.SortFunc(s, func(a, b float64) int { return cmp.Compare(b, a) })
	}
	if len(f.Strengths) > 0 {
		f.BestBits = max(0, f.Strengths[0]/math.Log10(2))
		f.BestEBits = f.EStrengths[0] / math.Log10(2)
	}
	joint, err := r.nameTuples(ctx, ev, share, out)
	if err != nil {
		return err
	}
	for _, x := range joint {
		if !contains(out, x.Reader) {
			k := slices.IndexFunc(ev.Readers, func(c Copies) bool { return c.Reader == x.Reader })
			x.LogE, x.Cables = r.LogE(all, ev.Readers[k]), cablesOf(all, ev.Readers[k])
			out = append(out, x)
		}
	}
	keepNamed(out)
	slices.SortStableFunc(out, func(a, b Named) int {
		return cmp.Or(cmp.Compare(len(a.With)+a.Others, len(b.With)+b.Others), cmp.Compare(a.P.Log10Upper(), b.P.Log10Upper()))
	})
	f.Named = out
	return nil
}

// keepNamed takes out of each With the copies that are not named themselves:
// the bound is on being named, and nobody stands beside a name without it.
func keepNamed(named []Named) {
	for i := range named {
		all := len(named[i].With)
		named[i].With = slices.DeleteFunc(named[i].With, func(id string) bool { return !contains(named, id) })
		named[i].Others += all - len(named[i].With)
	}
}

func cablesOf(obs []Observation, c Copies) []int {
	var out []int
	for _, o := range obs {
		if c.holds(o) && !slices.Contains(out, o.Cable) {
			out = append(out, o.Cable)
		}
	}
	return out
}

// slowReaders is the number of readers from which joint decoding takes long
// enough to be worth a word.
const slowReaders = 400

// nameTuples runs the bank of joint decoders over the readers who hold every
// cable that was read. Tuples are not asked about readers named already.
func (r Rule) nameTuples(ctx context.Context, ev Evidence, share shares, already []Named) ([]Named, error) {
	if len(ev.First) == 0 {
		return nil, nil
	}
	var who []int
	var words [][]int
	var named []bool
	for i, c := range ev.Readers {
		if !c.Burnt && holdsAll(ev.First, c) {
			who, words = append(who, i), append(words, wordsOf(ev.First, c))
			named = append(named, contains(already, c.Reader))
		}
	}
	var out []Named
	for _, part := range []struct {
		t, most int
		eps     float64
		attack  []Attack
	}{{2, r.PairReaders, share.pair, r.PairDecoders}, {3, r.TripleReaders, share.triple, r.TripleDecoders}} {
		if len(ev.Readers) > part.most {
			continue
		}
		for _, attack := range part.attack {
			if ev.Progress != nil && len(words) >= slowReaders {
				ev.Progress(fmt.Sprintf("%d copies in groups of %d, %s", len(words), part.t, attack))
			}
			j := NewJoint(r, attack, part.t, part.eps, len(ev.Readers), ev.First, words)
			tuples, err := j.SearchExcept(ctx, named)
			if err != nil {
				return nil, err
			}
			for _, t := range tuples {
				out = addTuple(out, t, who, ev.Readers)
			}
		}
	}
	return out, nil
}

func contains(named []Named, reader string) bool {
	return slices.ContainsFunc(named, func(x Named) bool { return x.Reader == reader })
}

func holdsAll(obs []Observation, c Copies) bool {
	for _, o := range obs {
		if !c.holds(o) {
			return false
		}
	}
	return true
}

func wordsOf(obs []Observation, c Copies) []int {
	out := make([]int, len(obs))
	for k, o := range obs {
		out[k] = c.Words[o.Cable][o.Group]
	}
	return out
}

// addTuple adds the members a tuple names, keeping for each reader the tuple
// with the smallest p.
func addTuple(out []Named, t Tuple, who []int, readers []Copies) []Named {
	for _, m := range t.Named {
		x := Named{Reader: readers[who[m.Index]].Reader, Attack: t.Attack, P: m.P, Limit: m.Limit, ByP: true, AssumesCMax: m.AssumesCMax}
		for _, other := range t.Members {
			if other != m.Index {
				x.With = append(x.With, readers[who[other]].Reader)
			}
		}
		k := slices.IndexFunc(out, func(y Named) bool { return y.Reader == x.Reader })
		switch {
		case k < 0:
			out = append(out, x)
		case x.P.Log10Upper()-math.Log10(x.Limit) < out[k].P.Log10Upper()-math.Log10(out[k].Limit):
			out[k] = x
		}
	}
	return out
}

// WordsNeeded forecasts how many further words of the cables quoted so far
// would be enough to name one source: the median and the 90 % quantile over
// where a quotation might begin. In a case the next look goes by the e-value;
// otherwise all words would be read afresh, in a first look. ok is false when
// the rest of the cables does not hold enough.
func (f Finding) WordsNeeded(graphs []*Graph, obs []Observation, inCase bool) (median, p90 int, ok bool) {
	if f.Outcome == CopyNamed {
		return 0, 0, true
	}
	need := NeededBits(f.Readers, f.Eps) - f.BestBits
	if inCase {
		need = math.Log2(2*float64(f.Readers)/f.Eps) - f.BestEBits
	}
	read := map[[2]int]bool{}
	quoted := map[int]bool{}
	for _, o := range obs {
		read[[2]int{o.Cable, o.Group}], quoted[o.Cable] = true, true
	}
	var lengths []int
	for k, g := range graphs {
		if quoted[k] || len(quoted) == 0 {
			bits := g.Lattice.BitsByWord(func(group int) bool { return read[[2]int{k, group}] })
			lengths = append(lengths, windows(bits, need)...)
		}
	}
	if len(lengths) == 0 {
		return 0, 0, false
	}
	slices.Sort(lengths)
	return lengths[len(lengths)/2], lengths[len(lengths)*9/10], true
}

// windows returns, for every start, the shortest run of words that holds the
// needed bits, going round at the end of the cable; nothing when all of it
// does not.
func windows(bits []float64, need float64) []int {
	total := 0.0
	for _, b := range bits {
		total += b
	}
	if total < need || len(bits) == 0 {
		return nil
	}
	out := make([]int, len(bits))
	end, sum := 0, 0.0
	for start := range bits {
		for end < start+len(bits) && (sum < need || end == start) {
			sum += bits[end%len(bits)]
			end++
		}
		out[start] = end - start
		sum -= bits[start]
	}
	return out
}
