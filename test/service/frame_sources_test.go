package service

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"

	"chancery/internal/attend"
	"chancery/internal/entries"
	"chancery/internal/keylist"
	"chancery/mark"
)

// A source is something that an attacker knows, read as a guess at every symbol of a
// copy: of guesses g[k], each below the size of group k.
type source struct {
	name string
	of   func(c *sent, slot int) []int // slots count from 0 here
}

// once remembers what a source says.
func once(s source) source {
	type at struct {
		c    *sent
		slot int
	}
	said := map[at][]int{}
	return source{s.name, func(c *sent, slot int) []int {
		k := at{c, slot}
		if said[k] == nil {
			said[k] = s.of(c, slot)
		}
		return said[k]
	}}
}

// rawly reads bytes as guesses, one after the other.
func rawly(name string, data func(c *sent, slot int) []byte) source {
	return source{name, func(c *sent, slot int) []int {
		b := data(c, slot)
		out := make([]int, len(c.sizes))
		for k, size := range c.sizes {
			out[k] = int(b[k%len(b)]) % size
		}
		return out
	}}
}

// derived tries 32 bytes in the place of the draw's secret, and in the place of the
// slot's randomness.
func derived(name string, value func(c *sent, slot int) mark.Hash) []source {
	as := func(what string, randomness func(h mark.Hash, slot int) mark.Hash) source {
		return source{name + " as " + what, func(c *sent, slot int) []int { return c.codeword(randomness(value(c, slot), slot), slot) }}
	}
	return []source{
		as("randomness", func(h mark.Hash, _ int) mark.Hash { return h }),
		as("the draw", func(h mark.Hash, slot int) mark.Hash {
			return mark.Draw{Secret: h, Slots: attend.Slots}.Slot(slot + 1)
		}),
	}
}

// codeword is the one that a slot's randomness would give.
func (c *sent) codeword(randomness mark.Hash, slot int) []int {
	r := c.item.Release
	return mark.NewCopyKey(randomness, mark.Hash(r.Nonce), r.Cable, mark.Hash(r.Root), c.item.Copies[slot].ID).Codeword(c.sizes)
}

// bySegment reads a number of each segment as guesses for the groups that first stand
// in it.
func bySegment(name string, number func(c *sent, j int, s keylist.Segment) int) source {
	return source{name, func(c *sent, _ int) []int {
		out := make([]int, len(c.sizes))
		next := 0
		for j, s := range c.env.Segments {
			n := number(c, j, s)
			for _, g := range s.Groups {
				if g.Number == next {
					out[next] = n % g.Size
					next++
				}
				n /= g.Size
			}
		}
		return out
	}}
}

// authorKnows is every source of bits that an author's desk has: what it chose, and
// what it saw.
func authorKnows() []source {
	id := func(c *sent, slot int) []byte {
		b, _ := hex.DecodeString(c.item.Copies[slot].ID)
		return b
	}
	out := []source{
		bySegment("the first box", func(_ *sent, _ int, s keylist.Segment) int { return least(s.Order[:s.Width()]) }),
		bySegment("the last box", func(_ *sent, _ int, s keylist.Segment) int {
			return slices.Index(s.Order[:s.Width()], slices.Max(s.Order[:s.Width()]))
		}),
		bySegment("the box of the first wording", func(_ *sent, _ int, s keylist.Segment) int { return int(s.Order[0]) }),
		bySegment("the last dummy", func(_ *sent, _ int, s keylist.Segment) int { return int(s.Order[keylist.Boxes-1]) }),
		bySegment("the number of the segment", func(_ *sent, j int, _ keylist.Segment) int { return j }),
		bySegment("words in the segment", func(c *sent, j int, _ keylist.Segment) int { return len(strings.Fields(c.texts[j])) }),
		bySegment("bytes in the segment", func(c *sent, j int, _ keylist.Segment) int { return len(c.texts[j]) }),
		{"the order of copies", dealt},
		{"the reader", constant},
		rawly("the copy's id", id),
		rawly("the copy's salt", func(c *sent, slot int) []byte { return c.item.Copies[slot].Salt[:] }),
		rawly("the nonce", func(c *sent, _ int) []byte { return c.item.Release.Nonce[:] }),
		rawly("t", func(c *sent, _ int) []byte { return c.env.Secret[:] }),
		rawly("the sum of nonce and id", func(c *sent, slot int) []byte {
			b := bytes.Clone(c.item.Release.Nonce[:])
			for k, x := range id(c, slot) {
				b[k] += x
			}
			return b
		}),
	}
	digest := func(name string, d func(c *sent) entries.Digest) {
		out = append(out, derived(name, func(c *sent, _ int) mark.Hash { return mark.Hash(d(c)) })...)
	}
	digest("the nonce", func(c *sent) entries.Digest { return c.item.Release.Nonce })
	digest("t", func(c *sent) entries.Digest { return entries.Digest(c.env.Secret) })
	digest("the root of the kit", func(c *sent) entries.Digest { return c.item.Release.Root })
	digest("the digest of the kit", func(c *sent) entries.Digest { return c.item.Release.Kit })
	digest("the root of the copies", func(c *sent) entries.Digest { return c.item.Release.Copies })
	digest("the directory", func(c *sent) entries.Digest { return c.item.Release.Register })
	digest("the salt of a shape", func(c *sent) entries.Digest { return c.escrow.Salts[0] })
	digest("the root of the draw", func(c *sent) entries.Digest { return c.drawn.Root })
	digest("the vector of the draw", func(c *sent) entries.Digest { return c.drawn.Vector })
	digest("the root of the lists", func(c *sent) entries.Digest { return c.item.Issue.Lists })
	out = append(out, derived("the copy's salt", func(c *sent, slot int) mark.Hash { return mark.Hash(c.item.Copies[slot].Salt) })...)
	for i, s := range out {
		out[i] = once(s)
	}
	return out
}

func least(order []byte) int { return slices.Index(order, slices.Min(order)) }

// dealt is how wordings would be dealt out evenly.
func dealt(c *sent, slot int) []int {
	out := make([]int, len(c.sizes))
	for k, size := range c.sizes {
		out[k] = (slot + k) % size
	}
	return out
}

func constant(c *sent, slot int) []int {
	out := make([]int, len(c.sizes))
	for k, size := range c.sizes {
		out[k] = slot % size
	}
	return out
}

// readerKnows is what the first reader adds: their own copies.
func readerKnows(truth drawn) source {
	return source{"the first reader's copy", func(c *sent, _ int) []int { return truth(c, 0) }}
}

// custodianKnows is what one custodian's share adds.
func (w *framed) custodianKnows(custodian string) []source {
	return derived("the share", func(c *sent, _ int) mark.Hash {
		value := w.kept(custodian, attend.DrawName(c.item.Issue.Draw)).Share
		return mark.Derive(mark.Hash(value[len(value)-32:]), "shared", []byte("draw"))
	})
}

// drawn says what codeword a slot has: the truth, or what a bad marking desk would
// have drawn.
type drawn func(c *sent, slot int) []int

func truly(c *sent, slot int) []int { return c.words[slot] }

// A tally counts how often a symbol followed a guess, by size of the group.
type tally [maxSize + 1][maxSize][maxSize]int

const maxSize = 4

func (t *tally) add(c *sent, guess, word []int) {
	for k, size := range c.sizes {
		t[size][guess[k]][word[k]]++
	}
}

// A dependence is a source after one of whose guesses a symbol is too frequent or too
// rare.
type dependence struct {
	source             string
	size, guess, drawn int
	hits, of           int
	p                  float64
}

func (d dependence) String() string {
	return fmt.Sprintf("%s: of %d symbols of %d, guessed %d, %d were %d (p < %.1e)", d.source, d.of, d.size, d.guess, d.hits, d.drawn, d.p)
}

// alarm is the chance that a test of this kind fails although nothing depends on
// anything.
const alarm = 1e-6

// depends tests every source against what was drawn. Given all that the attacker
// knows, the symbols of an honest draw are independent and uniform: so after each
// guess each symbol is as frequent as a binomial variable, exactly. The chance that
// anything at all is found in an honest draw is at most alarm (Bonferroni). skip
// leaves out slots.
func (w *framed) depends(sources []source, draw drawn, skip int) (found []dependence, cells int) {
	cells = len(sources) * (2*2 + 3*3 + 4*4)
	for _, s := range sources {
		var t tally
		for _, c := range w.cables {
			for slot := skip; slot < len(c.words); slot++ {
				t.add(c, s.of(c, slot), draw(c, slot))
			}
		}
		for size := 2; size <= maxSize; size++ {
			for a, row := range t[size][:size] {
				of := 0
				for _, n := range row {
					of += n
				}
				for b, hits := range row[:size] {
					if p := twoSided(of, hits, 1/float64(size)); p < alarm/float64(cells) {
						found = append(found, dependence{s.name, size, a, b, hits, of, p})
					}
				}
			}
		}
	}
	slices.SortFunc(found, func(x, y dependence) int { return cmp.Compare(x.p, y.p) })
	return found, cells
}

// twoSided is twice the smaller exact tail of Binomial(n, q) at k, at most 1.
func twoSided(n, k int, q float64) float64 {
	return min(1, 2*min(upper(n, k, q), upper(n, n-k, 1-q)))
}

// upper is P(Binomial(n, q) >= k).
func upper(n, k int, q float64) float64 {
	sum := 0.0
	for i := max(k, 0); i <= n; i++ {
		term := math.Exp(logChoose(n, i) + float64(i)*math.Log(q) + float64(n-i)*math.Log1p(-q))
		sum += term
		if float64(i) > float64(n)*q && term < sum*1e-18 {
			break
		}
	}
	return min(1, sum)
}

func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// A learner guesses from all sources at once: it has seen the truth for some cables, and
// weighs each source by how it did there.
type learner struct {
	sources []source
	weights []tally
}

// learn shows it the codewords of some cables.
func learn(sources []source, draw drawn, from []*sent) *learner {
	l := &learner{sources, make([]tally, len(sources))}
	for i, s := range sources {
		for _, c := range from {
			for slot := range c.words {
				l.weights[i].add(c, s.of(c, slot), draw(c, slot))
			}
		}
	}
	return l
}

// guess is its best guess of a copy: for each group the symbol b for which the sum over
// sources of ln P(b | what the source says) / P(b) is greatest.
func (l *learner) guess(c *sent, slot int) []int {
	scores := make([][maxSize]float64, len(c.sizes))
	for i, s := range l.sources {
		logs := l.weights[i].logs()
		for k, a := range s.of(c, slot) {
			for b := range c.sizes[k] {
				scores[k][b] += logs[c.sizes[k]][a][b]
			}
		}
	}
	out := make([]int, len(c.sizes))
	for k, size := range c.sizes {
		for b := range size {
			if scores[k][b] > scores[k][out[k]] {
				out[k] = b
			}
		}
	}
	return out
}

// logs turns counts into ln P(b | a) / P(b), each count being one more than it is.
func (t *tally) logs() (out [maxSize + 1][maxSize][maxSize]float64) {
	for size := 2; size <= maxSize; size++ {
		var after, drawn [maxSize]float64
		all := 0.0
		for a, row := range t[size][:size] {
			for b, n := range row[:size] {
				after[a], drawn[b], all = after[a]+float64(n+1), drawn[b]+float64(n+1), all+float64(n+1)
			}
		}
		for a, row := range t[size][:size] {
			for b, n := range row[:size] {
				out[size][a][b] = math.Log(float64(n+1) * all / after[a] / drawn[b])
			}
		}
	}
	return out
}

// agreement is how many of the groups of some cables a guess gets right, by size.
func agreement(guess, draw drawn, on []*sent) (hits, of [maxSize + 1]int) {
	for _, c := range on {
		for slot := range c.words {
			g, x := guess(c, slot), draw(c, slot)
			for k, size := range c.sizes {
				of[size]++
				if g[k] == x[k] {
					hits[size]++
				}
			}
		}
	}
	return hits, of
}

// byChance says whether that much agreement is chance: for no size is it so great that
// its chance is below a third of alarm.
func byChance(hits, of [maxSize + 1]int) bool {
	for size := 2; size <= maxSize; size++ {
		if upper(of[size], hits[size], 1/float64(size)) < alarm/3 {
			return false
		}
	}
	return true
}
