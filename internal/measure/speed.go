package measure

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"chancery/trace"
)

const (
	speedSites  = 200
	speedCopies = 1_000_000
	speedGoal   = 3 // times the memory bound
	speedRounds = 200
)

// Speed is the table of the time that scoring very many copies takes, beside
// reading their codewords from memory once.
func Speed(ctx context.Context, c Config) (Table, error) {
	t := Table{
		Columns: []string{"alternatives", "scores", "copies", "codewords, MB", "scored in, ms", "read in, ms", "ratio"},
	}
	copies, rounds := c.at(speedCopies, 1000), 3
	if c.Times {
		copies, rounds = speedCopies, speedRounds
	}
	t.How = fmt.Sprintf("Every copy is scored at %d sites on one core, and as many bytes as their codewords take are read from other memory. "+
		"The two alternate %d times; the best time of each counts. The goal, %d times the reading, is for sites of two alternatives whose scores fall into at most three classes.",
		speedSites, rounds, speedGoal)
	wrong, worst := 0, 0.0
	for _, l := range layouts {
		if ctx.Err() != nil {
			return t, ctx.Err()
		}
		c.say("speed: %s, %s", l.alternatives(), l.name)
		s := l.scanner(c.fault, copies)
		scored, read := s.race(rounds)
		wrong += s.wrong()
		t.row(l.alternatives(), l.name, copies, float64(s.bytes)/1e6, scored, read, scored/read)
		if l.classes != nil {
			worst = max(worst, scored/read)
		}
	}
	t.check(wrong == 0, "scores that are not the plain sum over sites", wrong, "exactly 0")
	if c.Times {
		t.atMost("time of at most three classes, beside reading the codewords once", worst, speedGoal)
	} else {
		t.note("Times are printed and not judged; fewer copies than %d may stay in a cache.", speedCopies)
	}
	return t, nil
}

// A layout is a kind of groups and scores.
type layout struct {
	name    string
	classes []int // number of sites of each class; nil for arbitrary scores
	cycle   []int // alternatives of the groups
}

var layouts = []layout{
	{"one class", []int{200}, []int{2}},
	{"three classes, 100 + 60 + 40 sites", []int{100, 60, 40}, []int{2}},
	{"three classes, 67 + 67 + 66 sites", []int{67, 67, 66}, []int{2}},
	{"three classes, 94 + 94 + 12 sites", []int{94, 94, 12}, []int{2}},
	{"arbitrary", nil, []int{2}},
	{"arbitrary", nil, []int{4}},
	{"arbitrary", nil, []int{2, 3, 4}},
}

func (l layout) alternatives() string { return fmt.Sprint(l.cycle) }

// A scanner scores copies; copy i has drawn(i, k, q) in group k, of q
// alternatives.
type scanner struct {
	sizes  []int
	scores [][]int32 // by group, then symbol
	bytes  int       // of the codewords
	run    func()    // scores every copy into out
	out    []int32
}

func (l layout) scanner(f fault, copies int) *scanner {
	rng := random(fmt.Sprint("speed", l.classes, l.cycle), 0)
	s := &scanner{sizes: sizesOf(speedSites, l.cycle...), out: make([]int32, copies)}
	if l.classes == nil {
		s.symbols(rng, f)
	} else {
		s.bits(rng, f, l.classes)
	}
	return s
}

// drawn is a symbol of one copy, without keeping it (the finaliser of
// splitmix64; Steele, Lea and Flood, OOPSLA 2014).
func drawn(i, k, q int) int {
	h := uint64(i*speedSites+k+1) * 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return int((h >> 32) * uint64(q) >> 32)
}

// bits lays out sites of two alternatives, so many in each class.
func (s *scanner) bits(rng *rand.Rand, f fault, sizes []int) {
	var classes []int
	for class, n := range sizes {
		classes = append(classes, slices.Repeat([]int{class}, n)...)
	}
	rng.Shuffle(len(classes), func(i, j int) { classes[i], classes[j] = classes[j], classes[i] })
	m := trace.NewBitMatrix(classes, len(s.out))
	for i := range s.out {
		for k := range classes {
			m.Set(i, k, drawn(i, k, 2))
		}
	}
	weights, read := [trace.Classes]int32{5, 3, 2}, codeword(rng, s.sizes)
	for k, y := range read {
		score := make([]int32, 2)
		score[y] = weights[classes[k]]
		s.scores = append(s.scores, score)
	}
	if f == unscored {
		read[len(read)-1] = trace.Unread
	}
	s.bytes = 32 * len(s.out)
	s.run = func() { m.Scores(read, weights, s.out) }
}

// symbols lays out groups of any size, each symbol with a score of its own.
func (s *scanner) symbols(rng *rand.Rand, f fault) {
	for _, q := range s.sizes {
		score := make([]int32, q)
		for x := range score {
			score[x] = rng.Int32N(2000) - 1000
		}
		s.scores = append(s.scores, score)
	}
	m := trace.NewSymbolMatrix(s.sizes, len(s.out), func(i, k int) int { return drawn(i, k, s.sizes[k]) })
	scores := slices.Clone(s.scores)
	if f == unscored {
		scores[len(scores)-1] = make([]int32, s.sizes[len(scores)-1])
	}
	joint := 257
	for _, q := range s.sizes {
		if joint *= q; joint > 256 {
			s.bytes, joint = s.bytes+len(s.out), q
		}
	}
	s.run = func() { m.Scores(scores, s.out) }
}

// race returns the best times of scoring every copy and of reading as many
// bytes, in milliseconds. The two alternate, so that a busy machine hinders
// both.
func (s *scanner) race(rounds int) (scored, read float64) {
	memory := make([]uint64, s.bytes/8)
	for i := range memory {
		memory[i] = uint64(i)
	}
	scored, read = math.Inf(1), math.Inf(1)
	for range rounds {
		start := time.Now()
		runtime.KeepAlive(sum(memory))
		read = min(read, time.Since(start).Seconds()*1e3)
		start = time.Now()
		s.run()
		scored = min(scored, time.Since(start).Seconds()*1e3)
	}
	return scored, read
}

// sum reads every word once, in chains that do not wait for each other.
func sum(words []uint64) uint64 {
	var a, b, c, d uint64
	for ; len(words) >= 8; words = words[8:] {
		w := (*[8]uint64)(words)
		a += w[0] + w[4]
		b += w[1] + w[5]
		c += w[2] + w[6]
		d += w[3] + w[7]
	}
	return a ^ b ^ c ^ d
}

// wrong counts copies whose score is not the sum over groups, among some.
func (s *scanner) wrong() int {
	wrong := 0
	for i := 0; i < len(s.out); i += 1 + len(s.out)/5000 {
		want := int32(0)
		for k, q := range s.sizes {
			want += s.scores[k][drawn(i, k, q)]
		}
		if s.out[i] != want {
			wrong++
		}
	}
	return wrong
}
