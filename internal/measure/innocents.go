package measure

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"chancery/mark"
	"chancery/trace"
)

// levels are the nominal levels at which p-values are counted.
var levels = [...]float64{1e-2, 1e-3, 1e-4, 1e-5, 1e-6}

// Innocents is the table of p-values of copies that did not reach the source,
// by strategy of the source and by noise.
func Innocents(ctx context.Context, c Config) (Table, error) {
	t := Table{
		How: "A text is composed from the copies a source has, noise is applied, it is read by the tracer without any codeword, and " +
			"copies drawn afresh are scored: how many have a p-value (its upper bound) of at most each level, as a multiple of the level. " +
			"Half the texts are whole cables, half 200 words.",
		Columns: []string{"strategy", "noise", "texts", "sites read", "copies", "at 1e-2", "1e-3", "1e-4", "1e-5", "1e-6"},
	}
	all, err := scenes(c, "innocents", 12)
	if err != nil {
		return t, err
	}
	var pooled, drawn nullCount
	worst := worstCell{tail: (1 - confidence) / float64(len(strategies)*len(noises)*len(levels))}
	for _, s := range strategies {
		for _, n := range noises {
			c.say("innocents: %s, %s", s.name, n.name)
			cell, err := innocentCell(ctx, c, all, s, n)
			if err != nil {
				return t, err
			}
			row := []any{s.name, n.name, cell.texts, cell.sites / float64(max(1, cell.texts)), cell.copies}
			for k := range levels {
				row = append(row, cell.ratio(k))
			}
			t.row(row...)
			worst.add(s.name+", "+n.name, cell)
			pooled.merge(cell)
			drawn.merge(cell.byMark())
		}
	}
	innocentChecks(&t, c, pooled, drawn, worst)
	return t, nil
}

func innocentChecks(t *Table, c Config, pooled, drawn nullCount, worst worstCell) {
	row := []any{"all", "all", pooled.texts, pooled.sites / float64(pooled.texts), pooled.copies}
	for k := range levels {
		row = append(row, pooled.ratio(k))
	}
	t.row(row...)
	t.atLeast("copies in all", float64(pooled.copies), 3e7*math.Min(1, c.Scale))
	t.atLeast("copies in the smallest cell", float64(worst.smallest), 7e5*math.Min(1, c.Scale))
	for k, level := range levels {
		limit := poissonLimit(level*float64(pooled.copies), 1-confidence)
		t.check(pooled.hits[k] <= limit, fmt.Sprintf("p-values of at most %g, all cells", level), pooled.hits[k],
			fmt.Sprintf("at most %d, for %.4g expected of a uniform p-value", limit, level*float64(pooled.copies)))
	}
	t.check(len(worst.over) == 0, "cells and levels over their 99.9 % limit (for all together)", fmt.Sprint(worst.over), "none")
	for k, level := range levels {
		z := (float64(pooled.hits[k]) - pooled.exact[k]) / math.Sqrt(max(1, pooled.exact[k]))
		t.check(math.Abs(z) < 4 || pooled.exact[k] < 10, fmt.Sprintf("hits at %g against the exact chance given each reading, in standard errors", level), z, "within 4")
	}
	limit := poissonLimit(levels[0]*float64(drawn.copies), 1-confidence)
	t.check(drawn.hits[0] <= limit, "copies drawn by package mark with a p-value of at most 0.01", drawn.hits[0], fmt.Sprintf("at most %d of %d", limit, drawn.copies))
	t.note("A ratio under 1 is the price of whole sites: a score takes few values, and the level lies between two of them. " +
		"The limit of a cell is the 99.9 %% quantile of a Poisson count at the nominal level, shared among all cells and levels.")
}

// nullCount counts copies that did not reach the source, by level.
type nullCount struct {
	texts, copies int
	sites         float64
	hits          [len(levels)]int
	exact         [len(levels)]float64 // expected given the readings
	markCopies    int                  // of the copies: drawn by package mark
	markHits      [len(levels)]int
}

func (n *nullCount) merge(o nullCount) {
	n.texts += o.texts
	n.copies += o.copies
	n.sites += o.sites
	n.markCopies += o.markCopies
	for k := range levels {
		n.hits[k] += o.hits[k]
		n.exact[k] += o.exact[k]
		n.markHits[k] += o.markHits[k]
	}
}

func (n nullCount) ratio(k int) float64 {
	return float64(n.hits[k]) / float64(n.copies) / levels[k]
}

func (n nullCount) byMark() nullCount {
	return nullCount{copies: n.markCopies, hits: n.markHits}
}

// worstCell collects cells that are over their limit.
type worstCell struct {
	tail     float64
	smallest int
	over     []string
}

func (w *worstCell) add(name string, n nullCount) {
	if w.smallest == 0 || n.copies < w.smallest {
		w.smallest = n.copies
	}
	for k, level := range levels {
		if limit := poissonLimit(level*float64(n.copies), w.tail); n.hits[k] > limit {
			w.over = append(w.over, fmt.Sprintf("%s at %g: %d over %d", name, level, n.hits[k], limit))
		}
	}
}

const (
	cellTexts  = 48
	cellCopies = 16000 // for each text
	cellMarked = 40    // of them, drawn by package mark
)

func innocentCell(ctx context.Context, c Config, all []*scene, s strategy, n noise) (nullCount, error) {
	// At a small scale fewer texts are read, and as many copies of each scored.
	texts := c.at(cellTexts, 2)
	copies := int(math.Ceil(cellCopies * cellTexts * c.Scale / float64(texts)))
	counts, err := trials(ctx, "innocents "+s.name+n.name, texts, func(i int, rng *rand.Rand) (nullCount, error) {
		sc := all[i%len(all)]
		members := codewords(rng, s.members, sc.sizes)
		words := s.leak(rng, sc, members)
		if i%2 == 1 {
			words = window(rng, words, 200)
		}
		printed, _ := n.apply(rng, words)
		obs := sc.read(trace.DefaultRule(), printed)
		return innocentText(rng, c.fault, obs, sc.sizes, members, copies), nil
	})
	var sum nullCount
	for _, x := range counts {
		sum.merge(x)
	}
	return sum, err
}

// innocentText scores copies drawn afresh against one reading.
func innocentText(rng *rand.Rand, f fault, obs []trace.Observation, sizes []int, members [][]int, copies int) nullCount {
	n := nullCount{texts: 1, copies: copies, sites: float64(len(obs)), markCopies: min(cellMarked, copies)}
	rule := trace.DefaultRule()
	scores := make([][]int32, len(obs))
	for i, o := range obs {
		scores[i] = rule.SingleScores(o.Weights)
	}
	if len(obs) == 0 {
		return n // every p-value is 1
	}
	cut := cutsOf(scores, f)
	for k := range levels {
		n.exact[k] = cut.exact[k] * float64(copies)
	}
	d := newDraws(scores)
	if f == sharedDraws && len(members) > 0 {
		d.share(obs, scores, members[0])
	}
	for i := range copies {
		sum := int32(0)
		if i < n.markCopies {
			sum = markScore(rng, obs, scores, sizes)
		} else {
			sum = d.score(rng)
		}
		for k, at := range cut.score {
			if sum >= at {
				n.hits[k]++
				if i < n.markCopies {
					n.markHits[k]++
				}
			}
		}
	}
	return n
}

// cuts are the scores from which p-values are within each level, and the
// exact chance of such a score.
type cuts struct {
	score [len(levels)]int32
	exact [len(levels)]float64
}

// cutsOf finds the cuts in the tracer's own distribution.
func cutsOf(scores [][]int32, f fault) (c cuts) {
	if f == shortTail {
		scores = scores[:len(scores)*9/10]
	}
	tail := trace.NewTail(scores, math.MaxInt32-1)
	for k, level := range levels {
		if f == halvedP {
			level *= 2
		}
		s, ok := tail.Threshold(level)
		if !ok {
			c.score[k] = math.MaxInt32
			continue
		}
		c.score[k], c.exact[k] = int32(s), tail.AtLeast(s).Upper()
	}
	return c
}

// draws scores uniform codewords quickly: one table look-up for several
// groups.
type draws struct {
	tables [][]int32
}

// maxTable bounds the joint choices of the groups in one table.
const maxTable = 1 << 12

func newDraws(scores [][]int32) *draws {
	d := &draws{}
	for _, s := range scores {
		if n := len(d.tables); n > 0 && len(d.tables[n-1])*len(s) <= maxTable {
			d.tables[n-1] = sums(d.tables[n-1], s)
		} else {
			d.tables = append(d.tables, slices.Clone(s))
		}
	}
	return d
}

// sums returns the scores of all choices of two independent groups.
func sums(a, b []int32) []int32 {
	out := make([]int32, 0, len(a)*len(b))
	for _, y := range b {
		for _, x := range a {
			out = append(out, x+y)
		}
	}
	return out
}

func (d *draws) score(rng *rand.Rand) int32 {
	sum := int32(0)
	for _, t := range d.tables {
		sum += t[rng.Uint32N(uint32(len(t)))]
	}
	return sum
}

// share is a fault: a fifth of the sites show what the member holds.
func (d *draws) share(obs []trace.Observation, scores [][]int32, member []int) {
	d.tables = nil
	for k, s := range scores {
		if k%5 == 0 {
			s = []int32{s[member[obs[k].Group]]}
		}
		d.tables = append(d.tables, s)
	}
}

// markScore scores a codeword that package mark draws for a new copy.
func markScore(rng *rand.Rand, obs []trace.Observation, scores [][]int32, sizes []int) int32 {
	var slot mark.Hash
	for i := 0; i < len(slot); i += 8 {
		binary.LittleEndian.PutUint64(slot[i:], rng.Uint64())
	}
	key := mark.NewCopyKey(slot, mark.Hash{1}, "measure", mark.Hash{2}, "copy")
	sum := int32(0)
	for k, o := range obs {
		sum += scores[k][key.Symbol(o.Group, sizes[o.Group])]
	}
	return sum
}
