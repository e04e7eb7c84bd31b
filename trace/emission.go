package trace

import (
	_ "embed"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"sync"

	"chancery/cable"
)

// background.txt gives frequencies per million of the 2,500 commonest words
// that are not names, counted in 807,472 words of published diplomatic prose
// of 1954-81 (public domain; the prose part of the development corpus).
//
//go:embed background.txt
var backgroundText string

var background = sync.OnceValue(func() map[string]float64 {
	m := make(map[string]float64, 2600)
	for line := range strings.Lines(backgroundText) {
		word, count, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseFloat(count, 64); err == nil {
			m[word] = n / 1e6
		}
	}
	return m
})

// frequency returns the probability of a word in prose that has nothing to do
// with any cable. Words off the list get rarer with length.
func frequency(word string) float64 {
	if p, ok := background()[word]; ok {
		return p
	}
	switch n := len(word); {
	case n <= 4:
		return 4e-6
	case n <= 7:
		return 2e-6
	}
	return 1e-6
}

// topical is the least background probability of names and figures: whoever
// writes about the matter of a cable uses them, quoting or not.
const topical = 2e-3

func backgroundOf(t cable.Token) float64 {
	p := frequency(t.Word)
	if t.Capital {
		p = max(p, topical)
	}
	return p
}

// Emission model: the probability that a word of the draft is printed as a
// given word, relative to the background.
const (
	charKept      = 0.99  // a character comes through
	charWrong     = 0.004 // one particular slip of a character
	charConfused  = 0.02  // one particular slip between look-alikes
	garbleRarity  = 0.05  // a garbled word is rarer than a word off the list
	fixedFloor    = 1e-3  // some other word in place of a fixed one, ratio
	branchFloor   = 1e-6  // the same inside a site, where "other" is a branch
	maxEditLength = 40    // longer words are compared exactly only
)

// A wordShape lets most unequal words be told apart without comparing them.
type wordShape struct {
	text    string
	length  int
	letters uint64
}

func shapeOf(word string) wordShape {
	s := wordShape{text: word, length: len(word)}
	for i := 0; i < len(word); i++ {
		s.letters |= 1 << (word[i] & 63)
	}
	return s
}

// An emitter gives emission ratios of one leak's words against one lattice.
type emitter struct {
	vocabulary []wordShape
	leak       []wordShape
	exact      []int32   // vocabulary index of each leak word, or -1
	base       []float64 // background probability of each leak word
	memo       []float32 // ratio by leak word and vocabulary word, 0 = unknown
}

func newEmitter(vocabulary []wordShape, index map[string]int32, tokens []cable.Token) *emitter {
	e := &emitter{vocabulary: vocabulary, memo: make([]float32, len(tokens)*len(vocabulary))}
	for _, t := range tokens {
		id, ok := index[t.Word]
		if !ok {
			id = -1
		}
		e.exact = append(e.exact, id)
		e.leak = append(e.leak, shapeOf(t.Word))
		e.base = append(e.base, backgroundOf(t))
	}
	return e
}

// ratio returns P(leak word i | vocabulary word v) / P(leak word i), without
// the floor.
func (e *emitter) ratio(i int, v int32) float64 {
	m := &e.memo[i*len(e.vocabulary)+int(v)]
	if *m == 0 {
		*m = float32(max(e.compute(i, v), 1e-30))
	}
	return float64(*m)
}

func (e *emitter) compute(i int, v int32) float64 {
	a, b := &e.leak[i], &e.vocabulary[v]
	if e.exact[i] == v {
		return math.Pow(charKept, float64(b.length)) / e.base[i]
	}
	limit := editLimit(a.length, b.length)
	if d := a.length - b.length; d > limit || -d > limit || bits.OnesCount64(a.letters^b.letters) > 2*limit {
		return 0
	}
	cost := editCost(a.text, b.text, float64(limit)*-math.Log(charWrong)+1e-9)
	if math.IsInf(cost, 1) {
		return 0
	}
	base := e.base[i]
	if e.exact[i] < 0 {
		base *= garbleRarity
	}
	return math.Exp(-cost) / base
}

// editLimit is the number of slips up to which two words may be one: a third
// of the longer, at least one, and none for one-letter words.
func editLimit(a, b int) int {
	n := max(a, b)
	if n > maxEditLength || min(a, b) < 2 {
		return 0
	}
	return max(1, n/3)
}

// editCost returns -ln of the probability that b is printed as a, by the
// cheapest sequence of slips, or +Inf over the limit.
func editCost(a, b string, limit float64) float64 {
	kept, wrong, confused := -math.Log(charKept), -math.Log(charWrong), -math.Log(charConfused)
	var rows [3][maxEditLength + 1]float64
	prev, cur, older := rows[0][:len(b)+1], rows[1][:len(b)+1], rows[2][:len(b)+1]
	for j := range prev {
		prev[j] = float64(j) * wrong
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = float64(i) * wrong
		best := cur[0]
		for j := 1; j <= len(b); j++ {
			c := kept
			if x, y := a[i-1], b[j-1]; x != y {
				c = wrong
				if lookAlike(x, y) {
					c = confused
				}
			}
			c = min(prev[j-1]+c, prev[j]+wrong, cur[j-1]+wrong)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				c = min(c, older[j-2]+confused)
			}
			cur[j] = c
			best = min(best, c)
		}
		if best > limit+kept*float64(len(b)) {
			return math.Inf(1)
		}
		older, prev, cur = prev, cur, older
	}
	if prev[len(b)] > limit+kept*float64(len(b)) {
		return math.Inf(1)
	}
	return prev[len(b)]
}

// lookAlikes are pairs of letters easily taken for each other, by a reader of
// print or by a typist of either spelling.
const lookAlikes = "il l1 i1 o0 ce ec uv nh mn hb rn sz s5 b8 g9 oc ao tf ft vy dq"

var lookAlikeTable = func() (table [256][256]bool) {
	for _, pair := range strings.Fields(lookAlikes) {
		table[pair[0]][pair[1]], table[pair[1]][pair[0]] = true, true
	}
	return table
}()

func lookAlike(a, b byte) bool { return lookAlikeTable[a][b] }
