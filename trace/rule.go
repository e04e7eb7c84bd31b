package trace

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// A Rule is everything that decides a finding, but eps: it is fixed and
// committed to before any copy leaves. All figures are integers, so that a
// rule has one text and one digest.
type Rule struct {
	// Version names the reading and scoring procedures of this package.
	Version string `json:"version"`
	// ReadMillibits: a group is read when its weights carry at least this.
	ReadMillibits int `json:"read_millibits"`
	// FitPercent: a copy fits when it contradicts at most this share of the
	// read groups (d in docs/theory.md).
	FitPercent int `json:"fit_percent"`
	// Contributors is c in the universal score.
	Contributors int `json:"contributors"`
	// MaxContributors is c_max: pairs and triples assume at most so many
	// readers combined their copies.
	MaxContributors int `json:"max_contributors"`
	// PairDecoders and TripleDecoders are the attacks searched for.
	PairDecoders   []Attack `json:"pair_decoders"`
	TripleDecoders []Attack `json:"triple_decoders"`
	// PairReaders and TripleReaders are the longest lists for which pairs and
	// triples are searched: all tuples or none, fixed before anything is read.
	PairReaders   int `json:"pair_readers"`
	TripleReaders int `json:"triple_readers"`
	// NoisePermille is the share of readings a joint decoder takes for noise.
	NoisePermille int `json:"noise_permille"`
	// BetsPermille are the bets b of the e-value.
	BetsPermille []int `json:"bets_permille"`
	// NonePercent are the three prior probabilities, in percent, that the
	// words came from none of the copies.
	NonePercent []int `json:"none_percent"`
}

// Version is the version of the procedures in this package.
const Version = "chancery-trace-1"

// DefaultRule returns the rule of this version.
func DefaultRule() Rule {
	return Rule{
		Version: Version, ReadMillibits: 500, FitPercent: 10, Contributors: 3, MaxContributors: 3,
		PairDecoders:   []Attack{Interleave, AllOne},
		TripleDecoders: []Attack{Interleave, Majority, Minority, Coin, AllOne},
		PairReaders:    20000,
		TripleReaders:  1000,
		NoisePermille:  5,
		BetsPermille:   []int{1, 30, 100, 200, 350},
		NonePercent:    []int{10, 50, 90},
	}
}

// Check says whether the rule is one this version can apply.
func (r Rule) Check() error {
	switch {
	case r.Version != Version:
		return fmt.Errorf("rule version %q is not %q", r.Version, Version)
	case r.ReadMillibits < 1 || r.ReadMillibits > 4000:
		return fmt.Errorf("read_millibits %d is not in 1..4000", r.ReadMillibits)
	case r.FitPercent < 0 || r.FitPercent > 50:
		return fmt.Errorf("fit_percent %d is not in 0..50", r.FitPercent)
	case r.Contributors < 1 || r.Contributors > 16 || r.MaxContributors < 1 || r.MaxContributors > 16:
		return fmt.Errorf("contributors must be in 1..16")
	case r.PairReaders < 0 || r.PairReaders > 100000 || r.TripleReaders < 0 || r.TripleReaders > 5000:
		return fmt.Errorf("pair_readers must be in 0..100000 and triple_readers in 0..5000")
	case r.NoisePermille < 1 || r.NoisePermille > 500:
		return fmt.Errorf("noise_permille %d is not in 1..500", r.NoisePermille)
	case len(r.BetsPermille) == 0 || len(r.BetsPermille) > 16 || slices.Min(r.BetsPermille) < 1 || slices.Max(r.BetsPermille) > 999:
		return fmt.Errorf("bets_permille must be 1 to 16 figures in 1..999")
	case len(r.NonePercent) != 3 || slices.Min(r.NonePercent) < 1 || slices.Max(r.NonePercent) > 99:
		return fmt.Errorf("none_percent must be three figures in 1..99")
	}
	for _, a := range slices.Concat(r.PairDecoders, r.TripleDecoders) {
		if !slices.Contains(Attacks, a) {
			return fmt.Errorf("unknown decoder %q", a)
		}
	}
	return nil
}

// Text returns the rule's one text: JSON without white space, fields in order.
func (r Rule) Text() string {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // no field can fail
	}
	return string(b)
}

// shares splits eps between the parts of the procedure: the bounds on the
// chance that each part names any copy wrongly.
type shares struct {
	single, pair, triple float64 // first look; pair and triple per decoder
	later                float64 // e-values, at any look
}

func (r Rule) shares(eps float64) shares {
	return shares{
		single: eps / 4,
		pair:   eps / 8 / float64(max(1, len(r.PairDecoders))),
		triple: eps / 8 / float64(max(1, len(r.TripleDecoders))),
		later:  eps / 2,
	}
}

// NeededBits returns the bits a reading must carry, without contradiction, to
// name one of n copies at its first look: log2(4 n / eps).
func NeededBits(n int, eps float64) float64 {
	return math.Log2(4 * float64(n) / eps)
}
