package trace

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
)

// A Tuple is readers taken together, by index, with what makes it pass.
type Tuple struct {
	Members []int // indices of the codewords given to NewJoint
	Attack  Attack
	Named   []Member
}

// A Member is one member that the rule names, with the test that was
// hardest to meet.
type Member struct {
	Index int
	P     Prob
	Limit float64
	// AssumesCMax says that the name would not stand without the assumption that
	// at most c_max readers combined their copies.
	AssumesCMax bool
}

// A Joint searches all tuples of t readers under one attack.
//
// A member j is named when for every S with j in S, S within the tuple A,
//
//	p_S <= (eps/t) / (C(N,s) C(cmax, t-s)),   s = |S|,
//
// where p_S is the chance that the tuple's score is as high when the words of
// S are drawn afresh and the others stay. Proof in docs/theory.md.
type Joint struct {
	rule     Rule
	attack   Attack
	t        int
	eps      float64
	n        int // readers in all, for the union bound
	words    [][]int
	sizes    []int
	tables   [][]int32
	packed   *packed
	rows     []uint8        // the packed bytes, copy by copy
	standOut float64        // standard deviations from which a member is plausible
	fresh    *Tail          // scores of a tuple all drawn afresh; nil until asked for
	alone    map[[2]int]int // what reaches computed, by the other members
}

// NewJoint prepares a search for tuples of t (2 or 3) readers. eps bounds the
// chance that this search names any copy wrongly; n is the number of readers
// the union bound counts, at least len(words); words[i][k] is reader i's
// symbol in observation k.
func NewJoint(r Rule, attack Attack, t int, eps float64, n int, obs []Observation, words [][]int) *Joint {
	j := &Joint{rule: r, attack: attack, t: t, eps: eps, n: n, words: words}
	j.standOut = plausibleShare * math.Sqrt2 * math.Erfcinv(2*min(0.5, j.limit(1)))
	for _, o := range obs {
		j.sizes = append(j.sizes, len(o.Weights))
		j.tables = append(j.tables, r.jointTable(o.Weights, attack, t))
	}
	return j
}

// limit returns the bound that p_S has to meet for |S| = s.
func (j *Joint) limit(s int) float64 {
	return j.eps / float64(j.t) / (choose(j.n, s) * choose(j.rule.MaxContributors, j.t-s))
}

func choose(n, k int) float64 {
	if k > n {
		return 1 // no such set; the term of the bound is not used
	}
	c := 1.0
	for i := range k {
		c = c * float64(n-i) / float64(i+1)
	}
	return math.Round(c)
}

// Search returns the tuples that name somebody, best score first.
func (j *Joint) Search(ctx context.Context) ([]Tuple, error) {
	return j.SearchExcept(ctx, make([]bool, len(j.words)))
}

// SearchExcept is Search for the sake of readers not yet named: a tuple that
// could only name readers marked in named is passed over. Readers it names
// are marked.
func (j *Joint) SearchExcept(ctx context.Context, named []bool) ([]Tuple, error) {
	if len(j.words) < j.t || j.bestPossible() > j.limit(j.t) {
		return nil, nil
	}
	need, ok := j.all().Threshold(j.limit(j.t))
	if !ok {
		return nil, nil
	}
	j.pack()
	hits, err := j.scan(ctx, int32(need), named)
	if err != nil {
		return nil, err
	}
	var out []Tuple
	for _, h := range hits {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !j.anyNew(h.members, named) {
			continue
		}
		if t := j.Test(h.members); len(t.Named) > 0 {
			out = append(out, t)
			for _, m := range t.Named {
				named[m.Index] = true
			}
		}
	}
	return out, nil
}

// anyNew says whether some member who is not yet named could be.
func (j *Joint) anyNew(members []int, named []bool) bool {
	for p, m := range members {
		if !named[m] && j.plausible(members, p) {
			return true
		}
	}
	return false
}

// plausibleShare is the share of the normal quantile of the bound that a
// member's own score must reach before the exact test is worth its time.
const plausibleShare = 0.6

// plausible says whether member p of a tuple stands out enough, given the
// others, for the bound on it alone to be met perhaps. Passing over a tuple
// can only name fewer.
func (j *Joint) plausible(members []int, p int) bool {
	score, mean, variance := 0.0, 0.0, 0.0
	for k, q := range j.sizes {
		at, step := j.at(members, k), 1
		for range p {
			step *= q
		}
		base := at - j.words[members[p]][k]*step
		sum, squares := 0.0, 0.0
		for x := range q {
			s := float64(j.tables[k][base+x*step])
			sum += s
			squares += s * s
		}
		sum /= float64(q)
		score += float64(j.tables[k][at])
		mean += sum
		variance += squares/float64(q) - sum*sum
	}
	return score-mean >= j.standOut*math.Sqrt(max(0, variance))
}

// all returns the distribution of the score of a tuple drawn afresh.
func (j *Joint) all() *Tail {
	if j.fresh == nil {
		j.fresh = NewTail(j.tables, math.MaxInt32-1)
	}
	return j.fresh
}

// bestPossible is a lower bound of the chance of any one score.
func (j *Joint) bestPossible() float64 {
	bits := 0.0
	for _, q := range j.sizes {
		bits += float64(j.t) * math.Log2(float64(q))
	}
	return math.Exp2(-bits)
}

// pack packs the codewords for the search.
func (j *Joint) pack() {
	j.packed = packInto(tupleValues, j.sizes, len(j.words), func(i, k int) int { return j.words[i][k] })
	for i := range j.words {
		for b := range j.packed.blocks {
			j.rows = append(j.rows, j.packed.bytes[b][i])
		}
	}
}

// A hit is a tuple whose score is high enough.
type hit struct {
	members []int
	score   int32
}

// scan returns the tuples that score at least need and could name somebody
// new, best score first.
func (j *Joint) scan(ctx context.Context, need int32, named []bool) ([]hit, error) {
	var (
		mu   sync.Mutex
		hits []hit // guarded by mu
		wg   sync.WaitGroup
		next = make(chan int)
	)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			s := newScanner(j, need, named)
			for i := range next {
				found := s.from(i)
				mu.Lock()
				hits = append(hits, found...)
				mu.Unlock()
			}
		})
	}
	for i := range j.words {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.score, a.score), slices.Compare(a.members, b.members))
	})
	return hits, ctx.Err()
}

// tupleValues is the number of values packed into a byte for the search: few
// enough that the tables of all pairs with one first member stay in cache.
const tupleValues = 64

// A scanner looks through the tuples whose first member is given.
type scanner struct {
	j      *Joint
	need   int32
	named  []bool        // read only while scanning
	tables []*blockTable // one a byte, for the members fixed now
	rest   []int32       // best score of the bytes from b on
	// Tables for one first member and every value of the second's byte, made
	// when first asked for; made[b][v] is the first member + 1 they are for.
	cache [][]blockTable
	best  [][]int32
	made  [][]int
}

func newScanner(j *Joint, need int32, named []bool) *scanner {
	n := len(j.packed.blocks)
	s := &scanner{j: j, need: need, named: named, tables: make([]*blockTable, n), rest: make([]int32, n+1)}
	for range n {
		s.cache = append(s.cache, make([]blockTable, tupleValues))
		s.best = append(s.best, make([]int32, tupleValues))
		s.made = append(s.made, make([]int, tupleValues))
	}
	return s
}

func (s *scanner) from(i int) []hit {
	j := s.j
	if j.t == 2 {
		s.fix(i, -1)
		return s.last(i+1, []int{i}, nil)
	}
	var out []hit
	for m := i + 1; m < len(j.words); m++ {
		s.fix(i, m)
		out = s.last(m+1, []int{i, m}, out)
	}
	return out
}

// row returns the scores of group k over the symbols of one more member, when
// the others' symbols make the number held. Tables are symmetric in the
// members, so the free one may be taken as the first.
func (j *Joint) row(k, held int) []int32 {
	q := j.sizes[k]
	return j.tables[k][q*held : q*held+q]
}

// fix makes the tables for the first member i and the second m, if there is
// one.
func (s *scanner) fix(i, m int) {
	for b := len(s.tables) - 1; b >= 0; b-- {
		v := 0
		if m >= 0 {
			v = int(s.j.packed.bytes[b][m])
		}
		t := &s.cache[b][v]
		if s.made[b][v] != i+1 {
			s.made[b][v] = i + 1
			s.best[b][v] = s.j.packed.fill(b, t, func(k int) []int32 { return s.j.row(k, s.held(i, m, k)) })
		}
		s.tables[b] = t
		s.rest[b] = s.rest[b+1] + s.best[b][v]
	}
}

// held numbers the symbols of the fixed members in group k.
func (s *scanner) held(i, m, k int) int {
	held := s.j.words[i][k]
	if m >= 0 {
		held += s.j.sizes[k] * s.j.words[m][k]
	}
	return held
}

// last adds the tuples of the fixed members and one more from start on.
func (s *scanner) last(start int, fixed []int, out []hit) []hit {
	if s.rest[0] < s.need {
		return out
	}
	n, half := len(s.tables), (len(s.tables)+1)/2
	rest := s.need - s.rest[half]
	for i := start; i < s.j.packed.n; i++ {
		row := s.j.rows[i*n : i*n+n]
		sum := sumTables(s.tables[:half], row[:half])
		if sum < rest {
			continue
		}
		if sum += sumTables(s.tables[half:], row[half:]); sum >= s.need {
			if members := append(slices.Clone(fixed), i); s.j.anyNew(members, s.named) {
				out = append(out, hit{members, sum})
			}
		}
	}
	return out
}

func sumTables(tables []*blockTable, row []uint8) int32 {
	sum := int32(0)
	tables = tables[:len(row)]
	for b, v := range row {
		sum += tables[b][v]
	}
	return sum
}

// Test applies the whole rule to one tuple of t indices.
func (j *Joint) Test(members []int) Tuple {
	out := Tuple{Members: members, Attack: j.attack}
	score := 0
	for k, table := range j.tables {
		score += int(table[j.at(members, k)])
	}
	p := make([]Prob, 1<<j.t)
	for m, reader := range members {
		if !j.reaches(members, m, score) {
			continue
		}
		j.fill(p, members, m, score)
		if n, ok := j.name(m, p); ok {
			n.Index = reader
			out.Named = append(out.Named, n)
		}
	}
	return out
}

// reaches says whether the score meets the bound for the set of member m
// alone. It is what most tuples around one source fail, and what they share.
func (j *Joint) reaches(members []int, m, score int) bool {
	others := [2]int{-1, -1}
	for i, at := 0, 0; i < len(members); i++ {
		if i != m {
			others[at] = members[i]
			at++
		}
	}
	need, ok := j.alone[others]
	if !ok {
		scores := make([][]int32, len(j.tables))
		for k := range scores {
			scores[k] = j.free(members, 1<<m, k)
		}
		need = math.MaxInt
		if s, some := NewTail(scores, math.MaxInt32-1).Threshold(j.limit(1)); some {
			need = s
		}
		if j.alone == nil {
			j.alone = map[[2]int]int{}
		}
		j.alone[others] = need
	}
	return score >= need
}

// fill computes p_S for every set S that holds member m, unless it is known.
func (j *Joint) fill(p []Prob, members []int, m, score int) {
	for set := range p {
		switch {
		case set&(1<<m) == 0 || p[set] != Prob{}:
		case set == len(p)-1:
			p[set] = j.all().AtLeast(score)
		default:
			p[set] = j.conditional(members, set, score)
		}
	}
}

// name says whether member m of a tuple meets every bound, and gives the one
// it meets most narrowly.
func (j *Joint) name(m int, p []Prob) (Member, bool) {
	var worst Member
	ratio, assumes := -1.0, false
	for set := range p {
		if set&(1<<m) == 0 {
			continue
		}
		limit := j.limit(popcount(set))
		if p[set].Upper() > limit {
			return worst, false
		}
		if r := p[set].Upper() / limit; r > ratio {
			ratio, worst = r, Member{P: p[set], Limit: limit}
		}
		s := popcount(set)
		assumes = assumes || p[set].Upper() > j.eps/float64(j.t)/(choose(j.n, s)*choose(j.n, j.t-s))
	}
	worst.AssumesCMax = assumes
	return worst, true
}

func popcount(set int) int {
	n := 0
	for ; set > 0; set &= set - 1 {
		n++
	}
	return n
}

// at returns the table index of the members' symbols in group k.
func (j *Joint) at(members []int, k int) int {
	at, radix := 0, 1
	for _, m := range members {
		at += j.words[m][k] * radix
		radix *= j.sizes[k]
	}
	return at
}

// conditional returns the chance of such a score when the members in the set
// are drawn afresh.
func (j *Joint) conditional(members []int, set, score int) Prob {
	scores := make([][]int32, len(j.tables))
	best := 0
	for k := range j.tables {
		scores[k] = j.free(members, set, k)
		top := scores[k][0]
		for _, s := range scores[k] {
			top = max(top, s)
		}
		best += int(top)
	}
	return NewTail(scores, best-score).AtLeast(score)
}

// free lists the scores of group k over all symbols of the members in set.
func (j *Joint) free(members []int, set, k int) []int32 {
	q, combos := j.sizes[k], 1
	for m := range members {
		if set&(1<<m) != 0 {
			combos *= q
		}
	}
	out := make([]int32, combos)
	for c := range out {
		at, radix, rest := 0, 1, c
		for m, member := range members {
			x := j.words[member][k]
			if set&(1<<m) != 0 {
				x, rest = rest%q, rest/q
			}
			at += x * radix
			radix *= q
		}
		out[c] = j.tables[k][at]
	}
	return out
}
