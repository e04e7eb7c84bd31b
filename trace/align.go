package trace

import (
	"math"

	"chancery/cable"
)

// Transition model of a quotation against the lattice. Figures are odds
// against going on word by word; they were set by hand and are part of the
// rule. No error in them can break a bound: see package comment.
const (
	goOn           = 0.96
	insertOpen     = 0.01 // the printer puts in a word of his own
	insertBracket  = 0.8  // the same inside [brackets]
	insertExtend   = 0.3
	slipOpen       = 0.02 // a word is left out without notice
	slipExtend     = 0.3
	ellipsisOpen   = 0.7 // words are left out where dots stand
	ellipsisExtend = 0.9
	leave          = 0.01 // the match ends before the quotation does
	whole          = 0.5  // it ends with it, or begins with it
	crossMark      = 0.05 // the match goes on across a quotation mark
	otherWord      = 0.2  // a word of somebody else's wording at a site

	slipReach     = 6
	ellipsisReach = 40

	beam = 1e-7 // cells below this share of the best are dropped
)

// cell is the forward state of one node after some words of the leak: its
// masses in the match, insert and skip states, and what flows on from it to
// a match (fresh) or a skip (gap).
type cell struct {
	node                  int32
	match, insert, skip   float64
	fresh, gap            float64
	emission              float64
	backMatch, backInsert float64
}

// An alignment is one forward-backward run of a stretch of words against a
// graph. It allows one contiguous match with free flanks: words before and
// after it count as background, at ratio 1.
type alignment struct {
	g      *Graph
	tokens []cable.Token
	emit   *emitter
	from   int    // index of tokens[0] in the emitter
	edges  []bool // edges[i]: a quotation mark stands before word i

	arena  []cell    // what steps are cut from
	steps  [][]cell  // active cells after 0..n words
	scale  []float64 // divisor applied at each step
	log    float64   // ln of the product of all divisors
	before []float64 // scaled mass of not having started after i words
	after  float64   // scaled mass of having ended

	// dense working arrays over nodes
	fresh, gap         []float64
	insert, match      []float64
	backFresh, backGap []float64
	backNext           []float64
	backInsert         []float64
}

// align runs forward and backward over tokens, the first of which is word
// number from of the emitter's leak. edges[i] says that a quotation mark
// parts words i-1 and i; it has one entry more than there are words.
func align(g *Graph, tokens []cable.Token, edges []bool, emit *emitter, from int) *alignment {
	n := len(g.word)
	a := &alignment{g: g, tokens: tokens, edges: edges, emit: emit, from: from}
	work := make([]float64, 8*n)
	for i, p := range []*[]float64{&a.fresh, &a.gap, &a.insert, &a.match, &a.backFresh, &a.backGap, &a.backNext, &a.backInsert} {
		*p = work[i*n : (i+1)*n]
	}
	a.arena = make([]cell, 0, 48*len(tokens)+256)
	a.forward()
	a.backward()
	return a
}

// logRatio returns ln of the likelihood ratio of the words, with a match
// somewhere, to no match at all.
func (a *alignment) logRatio() float64 {
	if a.after == 0 {
		return math.Inf(-1)
	}
	return math.Log(a.after) + a.log
}

func (a *alignment) forward() {
	n := len(a.tokens)
	a.steps, a.scale, a.before = make([][]cell, n+1), make([]float64, n+1), make([]float64, n+1)
	a.scale[0], a.before[0] = 1, 1
	for i := range n {
		base := len(a.arena)
		a.finish(i+1, a.advance(i))
		a.arena = a.arena[:base+len(a.steps[i+1])]
	}
}

// start returns the prior probability that the match begins with word i at
// one given node.
func (a *alignment) start(i int) float64 {
	p := (1 - whole) / float64(len(a.tokens))
	if i == 0 || a.edges[i] {
		p += whole
	}
	return p / float64(max(1, a.g.Lattice.WordCount))
}

// ending returns the prior probability that the match ends after i words.
func (a *alignment) ending(i int) float64 {
	if i == len(a.tokens) || a.edges[i] {
		return whole
	}
	return leave
}

// cross returns what going on from word i-1 to word i costs.
func (a *alignment) cross(i int) float64 {
	if a.edges[i] {
		return crossMark
	}
	return 1
}

// mode is 1 where dots of omission stand before word i.
func (a *alignment) mode(i int) int {
	if i < len(a.tokens) && a.tokens[i].Ellipsis {
		return 1
	}
	return 0
}

func (a *alignment) open(i int) float64 {
	if a.mode(i) == 1 {
		return ellipsisOpen / ellipsisExtend
	}
	return slipOpen / slipExtend
}

func (a *alignment) insertOpen(i int) float64 {
	if a.tokens[i].Bracketed {
		return insertBracket
	}
	return insertOpen
}

// advance computes the cells after word i from those before it.
func (a *alignment) advance(i int) []cell {
	g, mode := a.g, a.mode(i+1)
	prev, cross := a.steps[i], a.cross(i)
	for k := range prev {
		c := &prev[k]
		a.fresh[c.node], a.insert[c.node], a.match[c.node] = c.fresh*cross, c.insert*cross, c.match*cross
	}
	open, insert := a.open(i+1), a.insertOpen(i)
	base := len(a.arena)
	starts := a.starts(i)
	gap, fresh := a.gap, a.backNext // backNext doubles as the new fresh mass
	it := merged{cells: prev, reach: g.reach[mode], starts: starts}
	for v, ok := it.next(); ok; v, ok = it.next() {
		c := cell{node: v}
		preds := g.prev[g.prevStart[v]:g.prevStart[v+1]]
		if g.word[v] == cable.Silent {
			for _, u := range preds {
				c.fresh += fresh[u]
				c.gap += gap[u]
			}
			c.fresh *= g.entry[v]
			c.gap *= g.entry[v] * g.skip[mode][v]
			if g.other[v] {
				came := 0.0
				for _, u := range preds {
					came += a.fresh[u]
				}
				c.insert = otherWord * (came*g.entry[v] + a.insert[v])
				c.fresh += c.insert
			}
		} else {
			in, skip := 0.0, 0.0
			for _, u := range preds {
				in += a.fresh[u]
				skip += gap[u]
			}
			if a.emit.exact[a.from+i] == g.word[v] {
				in += a.start(i) * a.before[i] * g.start[v]
			}
			if in > 0 {
				c.emission = a.emit.ratio(a.from+i, g.word[v]) + g.floor[v]
				c.match = c.emission * in
			}
			c.insert = a.match[v]*insert + a.insert[v]*insertExtend
			c.skip = skip * g.skip[mode][v]
			c.fresh = c.match*goOn + c.insert*(1-insertExtend) + c.skip
			c.gap = c.match*open + c.skip
		}
		if c.fresh+c.gap+c.match > 0 {
			fresh[v], gap[v] = c.fresh, c.gap
			a.arena = append(a.arena, c)
		}
	}
	next := a.arena[base:]
	for _, c := range prev {
		a.fresh[c.node], a.insert[c.node], a.match[c.node] = 0, 0, 0
	}
	for _, c := range next {
		fresh[c.node], gap[c.node] = 0, 0
	}
	return next
}

// starts returns the nodes where a match may begin with word i: those that
// carry the word, unless a match under way leaves a new one no chance.
func (a *alignment) starts(i int) []int32 {
	id := a.emit.exact[a.from+i]
	if id < 0 || a.start(i)*a.before[i]*a.emit.ratio(a.from+i, id) < beam {
		return nil
	}
	return a.g.byWord[id]
}

// finish drops cells under the beam, adds the mass that ends, and rescales.
func (a *alignment) finish(i int, cells []cell) {
	best, ended, before := a.after, a.after, a.before[i-1]
	for k := range cells {
		c := &cells[k]
		best = max(best, c.match, c.insert, c.skip, c.fresh)
		ended += c.match * a.ending(i)
	}
	best = max(best, before)
	kept := cells[:0]
	for _, c := range cells {
		if max(c.match, c.insert, c.fresh, c.gap) >= best*beam {
			kept = append(kept, c)
		}
	}
	down := 1 / best
	for k := range kept {
		c := &kept[k]
		c.match *= down
		c.insert *= down
		c.skip *= down
		c.fresh *= down
		c.gap *= down
	}
	a.steps[i], a.scale[i] = kept, best
	a.log += math.Log(best)
	a.before[i], a.after = before/best, ended/best
}

// backward fills in the backward masses of every active cell.
func (a *alignment) backward() {
	n := len(a.tokens)
	backAfter := 1.0
	for i := n; i >= 0; i-- {
		a.retreat(i, backAfter)
		backAfter /= a.scale[i]
	}
}

// retreat computes backward masses of step i, given those of step i+1, which
// stand in backNext (times emission, for matches) and backInsert.
func (a *alignment) retreat(i int, backAfter float64) {
	g, mode, cells := a.g, a.mode(i), a.steps[i]
	if i == 0 {
		return
	}
	open, insert := a.open(i), 0.0
	if i < len(a.tokens) {
		insert = a.insertOpen(i)
	}
	for k := len(cells) - 1; k >= 0; k-- {
		c := &cells[k]
		v := c.node
		preds := g.prev[g.prevStart[v]:g.prevStart[v+1]]
		bf, bg := a.backFresh[v], a.backGap[v]
		if g.word[v] == cable.Silent {
			c.backMatch, c.backInsert = bf, bg // of the fresh and the gap mass
			if g.other[v] {
				c.backInsert = bf + a.backInsert[v]*otherWord
			}
			for _, u := range preds {
				a.backFresh[u] += g.entry[v] * bf
				a.backGap[u] += g.entry[v] * g.skip[mode][v] * bg
			}
			continue
		}
		skip := bf + bg
		c.backMatch = bf*goOn + bg*open + a.backInsert[v]*insert + a.ending(i)*backAfter
		c.backInsert = bf*(1-insertExtend) + a.backInsert[v]*insertExtend
		for _, u := range preds {
			a.backGap[u] += g.skip[mode][v] * skip
		}
	}
	a.push(i, cells)
}

// push clears the work arrays of step i and loads them with what flows back
// from its cells to step i-1.
func (a *alignment) push(i int, cells []cell) {
	g, s := a.g, a.cross(i-1)/a.scale[i]
	a.clear(cells)
	if i < len(a.tokens) {
		a.clear(a.steps[i+1])
	}
	for k := range cells {
		c := &cells[k]
		v := c.node
		preds := g.prev[g.prevStart[v]:g.prevStart[v+1]]
		switch {
		case g.word[v] != cable.Silent:
			a.backInsert[v] = c.backInsert * s
			for _, u := range preds {
				a.backFresh[u] += c.emission * c.backMatch * s
			}
		case g.other[v]:
			a.backInsert[v] = c.backInsert * s
			for _, u := range preds {
				a.backFresh[u] += otherWord * g.entry[v] * c.backInsert * s
			}
		}
	}
}

func (a *alignment) clear(cells []cell) {
	for k := range cells {
		v := cells[k].node
		a.backFresh[v], a.backGap[v], a.backInsert[v] = 0, 0, 0
		for _, u := range a.g.prev[a.g.prevStart[v]:a.g.prevStart[v+1]] {
			a.backFresh[u], a.backGap[u], a.backInsert[u] = 0, 0, 0
		}
	}
}

// merged walks, in increasing order, the nodes that the cells can reach and
// the nodes where a match can start.
type merged struct {
	cells  []cell
	reach  []int32
	starts []int32
	at     int32 // next node of the current interval
	end    int32 // last node of the current interval
	open   bool
}

func (m *merged) next() (int32, bool) {
	for !m.open || m.at > m.end {
		m.open = false
		switch {
		case len(m.cells) > 0 && (len(m.starts) == 0 || m.cells[0].node <= m.starts[0]):
			v := m.cells[0].node
			m.cells = m.cells[1:]
			m.widen(v, m.reach[v])
		case len(m.starts) > 0:
			v := m.starts[0]
			m.starts = m.starts[1:]
			m.widen(v, m.reach[v])
		default:
			return 0, false
		}
	}
	// Take in every interval that begins inside this one.
	for len(m.cells) > 0 && m.cells[0].node <= m.end+1 {
		m.end = max(m.end, m.reach[m.cells[0].node])
		m.cells = m.cells[1:]
	}
	for len(m.starts) > 0 && m.starts[0] <= m.end+1 {
		m.end = max(m.end, m.reach[m.starts[0]])
		m.starts = m.starts[1:]
	}
	v := m.at
	m.at++
	return v, true
}

// widen opens the interval from v to end, without going back over nodes
// already walked.
func (m *merged) widen(v, end int32) {
	m.at, m.open = max(m.at, v), true
	m.end = max(m.end, end)
}
