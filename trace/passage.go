package trace

import (
	"cmp"
	"slices"
	"strings"

	"chancery/cable"
)

// A Passage is a stretch of a leak that matches a cable.
type Passage struct {
	Leak      string // name of the article
	Text      string // as printed
	Cable     int    // index of the graph it was read against
	Paragraph int    // of the cable, 1-based
	Quoted    bool   // it stands in quotation marks
	Words     int    // words of it that are words of the cable
	LogRatio  float64
	// Repeats says that the same words were already read elsewhere in this
	// look; a repeated passage carries no further evidence.
	Repeats bool
	// Ambiguous says that the words fit another cable about as well; they are
	// evidence for neither.
	Ambiguous bool

	words    []string
	branches map[int32][]float64 // by cluster: posterior of each branch
}

// Thresholds on ln of the likelihood ratio against the background, above
// which words count as a passage of a cable. They weigh missed evidence
// against clutter; no bound depends on them.
const (
	quotedThreshold  = 2.5 // where most of a quotation is in the match
	partThreshold    = 10  // where it is a part of a quotation
	partWords        = 4
	runningThreshold = 16 // outside quotation marks
	runningWords     = 5
	ambiguityMargin  = 3 // nats by which the best cable must lead
)

// enough says whether a match of so many words of the cable, among so many
// words examined, counts as a passage.
func enough(ratio float64, quoted bool, words, matched, of int) bool {
	switch {
	case !quoted:
		return ratio >= runningThreshold && words >= runningWords
	case 3*matched >= 2*of:
		return ratio >= quotedThreshold
	}
	return ratio >= partThreshold && words >= partWords
}

// A Reader finds passages of known cables in articles and reads them.
type Reader struct {
	graphs []*Graph
	index  *Index
}

// NewReader makes a reader of the given cables.
func NewReader(graphs []*Graph) *Reader {
	r := &Reader{graphs: graphs}
	if len(graphs) > indexFrom {
		b := NewIndexBuilder()
		for _, g := range graphs {
			b.Add(g.Lattice)
		}
		r.index = b.Build()
	}
	return r
}

// indexFrom is the number of cables above which the index picks candidates
// for long stretches of words; below it every cable is tried.
const indexFrom = 4

// Up to fewCables every cable is tried for short stretches of words, and up to
// manyCables where the index finds none.
const (
	fewCables  = 64
	manyCables = 1000
)

// Find returns the passages of all articles, in order, with repeats and
// ambiguous ones marked.
func (r *Reader) Find(articles []cable.Article) []Passage {
	var out []Passage
	for _, article := range articles {
		for _, block := range article.Blocks {
			for _, p := range r.block(block) {
				p.Leak = article.Name
				out = append(out, p)
			}
		}
	}
	markRepeats(out)
	return out
}

// A stretch is a range of a block's words under examination.
type stretch struct {
	block    cable.Block
	tokens   []cable.Token
	edges    []bool // a quotation mark stands before the word
	emitters map[int]*emitter
	graphs   []*Graph
}

func (s *stretch) emitter(k int) *emitter {
	e := s.emitters[k]
	if e == nil {
		g := s.graphs[k]
		e = newEmitter(g.shapes, g.Lattice.Index, s.tokens)
		s.emitters[k] = e
	}
	return e
}

func (r *Reader) block(b cable.Block) []Passage {
	s := &stretch{block: b, tokens: cable.Tokenize(b.Text), emitters: map[int]*emitter{}, graphs: r.graphs}
	s.edges = make([]bool, len(s.tokens)+1)
	for _, q := range b.Quotes {
		from, to := tokenRange(s.tokens, q)
		s.edges[from], s.edges[to] = true, true
	}
	found := r.search(s, 0, len(s.tokens), false)
	for _, q := range b.Quotes {
		from, to := tokenRange(s.tokens, q)
		for _, free := range uncovered(found, s.tokens, from, to) {
			found = append(found, r.search(s, free[0], free[1], true)...)
		}
	}
	slices.SortFunc(found, func(a, b located) int { return cmp.Compare(a.from, b.from) })
	out := make([]Passage, len(found))
	for i, f := range found {
		out[i] = f.Passage
	}
	return out
}

// located is a passage with its range of the block's words.
type located struct {
	Passage
	from, to int
}

// search finds the passages among words from..to: the best match first, then
// on either side of it.
func (r *Reader) search(s *stretch, from, to int, quoted bool) []located {
	if from >= to {
		return nil
	}
	best, ok := r.best(s, from, to, quoted)
	if !ok {
		return nil
	}
	out := r.search(s, from, best.from, quoted)
	out = append(out, best)
	return append(out, r.search(s, best.to, to, quoted)...)
}

// best aligns words from..to to each candidate cable and returns the best
// passage over the threshold.
func (r *Reader) best(s *stretch, from, to int, quoted bool) (located, bool) {
	var best, second located
	for _, k := range r.candidates(s.tokens[from:to]) {
		l, ok := r.match(s, from, to, k, quoted)
		switch {
		case !ok:
		case best.branches == nil || l.LogRatio > best.LogRatio:
			best, second = l, best
		case second.branches == nil || l.LogRatio > second.LogRatio:
			second = l
		}
	}
	best.Ambiguous = second.branches != nil && best.LogRatio-second.LogRatio < ambiguityMargin
	return best, best.branches != nil
}

func (r *Reader) candidates(tokens []cable.Token) []int {
	all := make([]int, len(r.graphs))
	for i := range all {
		all[i] = i
	}
	if r.index == nil || len(tokens) < 2*gramWords && len(all) <= fewCables {
		return all
	}
	words := make([]string, len(tokens))
	for i, t := range tokens {
		words[i] = t.Word
	}
	hits := r.index.Lookup(words, 8)
	if len(hits) == 0 && len(tokens) < 3*gramWords && len(all) <= manyCables {
		return all // short quotations often hold no gram that is kept
	}
	out := make([]int, len(hits))
	for i, h := range hits {
		out[i] = h.Cable
	}
	return out
}

func (r *Reader) match(s *stretch, from, to, k int, quoted bool) (located, bool) {
	a := align(r.graphs[k], s.tokens[from:to], s.edges[from:to+1], s.emitter(k), from)
	ratio := a.logRatio()
	if ratio < quotedThreshold {
		return located{}, false
	}
	first, last, words, paragraph := a.extent()
	if last < first || !enough(ratio, quoted, words, last-first+1, to-from) {
		return located{}, false
	}
	l := located{from: from + first, to: from + last + 1}
	l.Passage = Passage{
		Text:  s.block.Text[s.tokens[l.from].Start:s.tokens[l.to-1].End],
		Cable: k, Paragraph: paragraph + 1, Quoted: quoted || r.inQuotes(s, l), Words: words, LogRatio: ratio,
		branches: a.branches(),
	}
	for _, t := range s.tokens[l.from:l.to] {
		l.words = append(l.words, t.Word)
	}
	return l, true
}

func (r *Reader) inQuotes(s *stretch, l located) bool {
	for _, q := range s.block.Quotes {
		if from, to := tokenRange(s.tokens, q); from <= l.from && l.to <= to {
			return true
		}
	}
	return false
}

func tokenRange(tokens []cable.Token, span cable.Span) (from, to int) {
	from, _ = slices.BinarySearchFunc(tokens, span.Start, func(t cable.Token, at int) int { return cmp.Compare(t.Start, at) })
	to, _ = slices.BinarySearchFunc(tokens, span.End, func(t cable.Token, at int) int { return cmp.Compare(t.Start, at) })
	return from, to
}

// uncovered returns the parts of from..to that no found passage covers.
func uncovered(found []located, tokens []cable.Token, from, to int) [][2]int {
	taken := make([]bool, to-from)
	for _, f := range found {
		for i := max(from, f.from); i < min(to, f.to); i++ {
			taken[i-from] = true
		}
	}
	var out [][2]int
	for i := 0; i < len(taken); i++ {
		j := i
		for j < len(taken) && !taken[j] {
			j++
		}
		if j > i {
			out = append(out, [2]int{from + i, from + j})
		}
		i = j
	}
	return out
}

// markRepeats marks passages whose words stand, in a row, in another passage
// of the same cable: papers that print one quotation are one observation.
func markRepeats(passages []Passage) {
	order := make([]int, len(passages))
	keys := make([]string, len(passages))
	for i, p := range passages {
		order[i] = i
		keys[i] = " " + strings.Join(p.words, " ") + " "
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(keys[b]), len(keys[a])) })
	seen := map[int][]string{}
	for _, i := range order {
		c := passages[i].Cable
		passages[i].Repeats = slices.ContainsFunc(seen[c], func(k string) bool { return strings.Contains(k, keys[i]) })
		seen[c] = append(seen[c], keys[i])
	}
}

// extent returns the first and last word that are in the match with
// probability over one half, the number of words that are words of the cable,
// and the paragraph that most of them are in.
func (a *alignment) extent() (first, last, words, paragraph int) {
	first, last = len(a.tokens), -1
	paragraphs := map[int32]float64{}
	for i := 1; i < len(a.steps); i++ {
		matched, covered := 0.0, 0.0
		for _, c := range a.steps[i] {
			m := c.match * c.backMatch
			if a.g.word[c.node] == cable.Silent {
				m = 0
			}
			matched += m
			covered += m
			if a.g.word[c.node] != cable.Silent || a.g.other[c.node] {
				covered += c.insert * c.backInsert
			}
			paragraphs[a.g.Lattice.Nodes[c.node].Paragraph] += m / a.after
		}
		if covered > a.after/2 {
			first, last = min(first, i-1), i-1
		}
		if matched > a.after/2 {
			words++
		}
	}
	best := -1.0
	for p, m := range paragraphs {
		if m > best || m == best && int(p) < paragraph {
			best, paragraph = m, int(p)
		}
	}
	return first, last, words, paragraph
}

// branches returns, for each cluster the match passes with some probability,
// the posterior probability of each branch. They sum to at most 1; the rest
// is for other words and for not passing.
func (a *alignment) branches() map[int32][]float64 {
	out := map[int32][]float64{}
	heads := a.heads()
	add := func(head int32, mass float64) {
		if mass < 1e-9*a.after {
			return
		}
		h := heads[head]
		c := a.g.Lattice.Nodes[head].Cluster
		if out[c] == nil {
			out[c] = make([]float64, len(a.g.Lattice.Clusters[c].Branches))
		}
		out[c][h] += mass / a.after
	}
	for i := 1; i < len(a.steps); i++ {
		for _, c := range a.steps[i] {
			node := &a.g.Lattice.Nodes[c.node]
			if node.Cluster < 0 || a.g.other[c.node] {
				continue
			}
			if node.Word == cable.Silent {
				add(c.node, c.fresh*c.backMatch+c.gap*c.backInsert)
				continue
			}
			if a.emit.exact[a.from+i-1] == node.Word {
				head := c.node
				for a.g.word[head] != cable.Silent {
					head = a.g.prev[a.g.prevStart[head]]
				}
				add(head, a.start(i-1)*a.before[i-1]*a.g.start[c.node]*c.emission*c.backMatch/a.scale[i])
			}
		}
	}
	return out
}

func (a *alignment) heads() map[int32]int {
	heads := map[int32]int{}
	seen := map[int32]bool{}
	for _, cells := range a.steps {
		for _, c := range cells {
			k := a.g.Lattice.Nodes[c.node].Cluster
			if k < 0 || seen[k] {
				continue
			}
			seen[k] = true
			for b, branch := range a.g.Lattice.Clusters[k].Branches {
				heads[branch.Head] = b
			}
		}
	}
	return heads
}
