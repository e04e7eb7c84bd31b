package cli

import (
	"cmp"
	"fmt"
	"slices"

	"chancery/internal/picture"
	"chancery/trace"
)

// picture draws the finding.
func (t *tracing) picture() []byte {
	f := t.finding
	c := t.chart()
	c.Title = fmt.Sprintf("%s: %s read%s, %s", t.cables(), count(t.wordsMatched(), "word"), t.inThisLook(), count(f.Readers, "reader"))
	switch f.Outcome {
	case trace.CopyNamed:
		c.Verdict = fmt.Sprintf("Copy named. Chance of naming any copy the words did not come from: at most %s.", oneIn(f.Eps))
	case trace.NoSingleCopy:
		c.Verdict = fmt.Sprintf("No single copy explains the words with at most %d %% altered.", t.rule.FitPercent)
	case trace.SomeFit:
		c.Verdict = fmt.Sprintf("%d of %d copies still fit; %.1f would by chance, beside a source. Nobody is named.", len(f.Fit), f.Readers, f.FitExpected)
	default:
		c.Verdict = "It cannot be said whose copy the words came from."
	}
	return c.SVG()
}

// chart is the picture without its words. Once later looks have read
// anything, only the e-values are about all of it; but what a copy was named
// by is what is shown of it.
func (t *tracing) chart() picture.Chart {
	f := t.finding
	var byP, byE []trace.Named
	for _, n := range f.Named {
		if n.ByP && n.Attack == "" {
			byP = append(byP, n)
		}
		if n.ByE {
			byE = append(byE, n)
		}
	}
	later := len(t.observed) > t.first
	useE := later
	if (len(byE) > 0) != (len(byP) > 0) {
		useE = len(byE) > 0
	}
	if useE {
		slices.SortStableFunc(byE, func(a, b trace.Named) int { return cmp.Compare(b.LogE, a.LogE) })
		return picture.Chart{Axis: "any-time e-value over all looks, 1 or less at the left; of a copy drawn afresh it is 1 on average",
			Strengths: f.EStrengths, Need: t.needE(), Named: readersOf(byE)}
	}
	axis := "how often a copy drawn afresh would agree so well with the printed words"
	if later {
		axis += " of the first look"
	}
	return picture.Chart{Axis: axis, Tick: "1 in ", Strengths: f.Strengths, Need: f.NeedStrength, Named: readersOf(byP)}
}

func readersOf(named []trace.Named) []string {
	var out []string
	for _, n := range named {
		out = append(out, n.Reader)
	}
	return out
}
