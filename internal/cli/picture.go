package cli

import (
	"fmt"

	"chancery/internal/picture"
	"chancery/trace"
)

// picture draws the finding.
func (t *tracing) picture() []byte {
	f := t.finding
	c := picture.Chart{
		Title:     fmt.Sprintf("%s: %s read, %d readers", t.cables(), count(t.wordsMatched(), "word"), f.Readers),
		Strengths: f.Strengths, Need: f.NeedStrength,
	}
	for _, n := range f.Named {
		if n.ByP && len(n.With) == 0 {
			c.Named = append(c.Named, n.Reader)
		}
	}
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
