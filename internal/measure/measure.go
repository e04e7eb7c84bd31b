// Package measure produces the figures that the documents quote: how many
// sites name a copy, how often the procedure names a copy that did not reach
// the source, what noise costs. Each table runs the real code of packages
// cable, mark and trace from fixed seeds, so that anyone gets the same
// figures; only times differ.
//
// Every claim of a table is a Check, judged against a limit with the sampling
// error of the run. The package reads no file, flag or environment.
package measure

import (
	"context"
	"fmt"
	"io"
	"math"
)

// Config says how much to run, and on what.
type Config struct {
	// Scale is the share of the full run: 1 is what the documents quote, 0.05
	// what every check of the repository runs.
	Scale float64
	// Draft is a draft to read leaks of, beside those made up from the seed;
	// empty for none.
	Draft []byte
	// Cables are real cables, each its paragraphs, to mix into the archive of
	// the table "index"; empty for none.
	Cables [][]string
	// Times says to judge times as well, each by its ratio to a limit measured
	// in the same run. Tests do not: a busy machine is no fault of the code.
	Times bool
	// Progress receives one line a step; nil for none.
	Progress io.Writer

	fault fault // what a test breaks, to see the checks fail
}

// A fault is a mistake in the procedure, as somebody could make it. Tests put
// them in, to show that the tables would notice.
type fault int

const (
	noFault     fault = iota
	halvedP           // p-values are half of what they should be
	noUnion           // the number of readers is left out of the bound
	summedBets        // the e-value adds its bets up in place of averaging
	scoredTwice       // what a look tells is multiplied in twice
	sharedDraws       // one reader's draws are partly another's
	lostBits          // the reading is sure of alternatives it did not see
	shortTail         // the tail leaves out its last groups
	oneWording        // the index knows the record text alone
	unscored          // scores leave out the last site
)

// at returns n, scaled, but at least low.
func (c Config) at(n, low int) int {
	return max(low, int(math.Round(float64(n)*c.Scale)))
}

// full says whether the claims are judged by their values alone, and what is
// too slow for every day is run.
func (c Config) full() bool { return c.Scale >= 1 }

func (c Config) say(format string, args ...any) {
	if c.Progress != nil {
		fmt.Fprintf(c.Progress, format+"\n", args...)
	}
}

// An Entry is a table that can be asked for by name.
type Entry struct {
	Name  string
	Title string
	run   func(context.Context, Config) (Table, error)
}

// Tables lists every table, in the order of the documents.
var Tables = []Entry{
	{"source", "One source: sites needed to name one copy", Source},
	{"pairs", "Two readers who combined their copies", Pairs},
	{"triples", "Three readers who combined their copies", Triples},
	{"innocents", "Copies that did not reach the source: p-values against their nominal level", Innocents},
	{"family", "The whole rule: how often it names any copy that did not reach the source", Family},
	{"anytime", "Thirty looks: how often a copy that did not reach the source is ever named", Anytime},
	{"pvalue", "P-values: proven bounds, independent check, time", PValue},
	{"align", "Reading noisy quotations: bits kept", Align},
	{"posterior", "Posterior and p-value when the words came from none of the copies", Posterior},
	{"index", "The right cable among 100,000, by the words of a quotation", Index},
	{"wording", "What rules propose for real cables, and what a review takes", Wording},
	{"speed", "Scoring a million copies, beside reading them from memory once", Speed},
}

// Run makes the table of that name. An unknown name is an error; a claim that
// does not hold is not, but a Check that says so.
func Run(ctx context.Context, name string, c Config) (Table, error) {
	for _, e := range Tables {
		if e.Name == name {
			if c.Scale <= 0 {
				return Table{}, fmt.Errorf("measure: scale %g is not positive", c.Scale)
			}
			t, err := e.run(ctx, c)
			t.Name, t.Title = e.Name, e.Title
			return t, err
		}
	}
	return Table{}, fmt.Errorf("measure: no table %q", name)
}
