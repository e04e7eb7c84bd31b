package measure

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"chancery/cable"
	"chancery/trace"
)

// keptGoals are the shares of readable bits to be kept, by noise.
var keptGoals = map[string]float64{"light": .98, "medium": .97, "heavy": .94}

// quoteLengths are in words; the last stands for the whole cable.
var quoteLengths = []int{10, 20, 50, 100, 200, math.MaxInt}

// keptFloor is what one site counts at least: a reading that is sure of the
// wrong alternative costs no more bits than this.
const keptFloor = -10

// Align is the table of bits that reading a noisy quotation keeps.
func Align(ctx context.Context, c Config) (Table, error) {
	t := Table{
		How: fmt.Sprintf("A quotation of so many words of a copy, noise, and the tracer's reading. Kept: the mean over readable sites of log2(q w(x)) / log2 q, "+
			"x the copy's own alternative and no site under %d bits. A site is readable if a word of it is still in the text. With the rule: groups it does not count as read keep nothing. "+
			"All sites: readable or not.", keptFloor),
		Columns: []string{"noise", "words", "quotations", "sites", "kept, %", "s.e.", "with the rule, %", "all sites, %", "wrong one ahead, %"},
	}
	all, err := scenes(c, "align", 12)
	if err != nil {
		return t, err
	}
	var lost confusions
	for _, n := range noises {
		var level, worst keptCount
		for _, length := range quoteLengths {
			c.say("align: %s, %d words", n.name, length)
			k, err := keptCell(ctx, c, all, n, length)
			if err != nil {
				return t, err
			}
			t.row(k.row(n.name, lengthName(length))...)
			level.merge(k)
			if worst.kept.n == 0 || k.kept.ahead() < worst.kept.ahead() {
				worst = k
			}
		}
		t.row(level.row(n.name, "all lengths")...)
		if goal, ok := keptGoals[n.name]; ok {
			t.checkKept(n.name+" noise, all lengths", level, goal)
			t.checkKept(n.name+" noise, the worst length", worst, goal)
		}
		lost.merge(level.lost)
	}
	t.note("What lost the most bits (true alternative, as printed, alternative preferred): %s.", lost.worst(12))
	quoteTimes(&t, all)
	return t, nil
}

// checkKept judges a mean by its value plus three standard errors.
func (t *Table) checkKept(name string, k keptCount, goal float64) {
	got := k.kept.ahead()
	t.check(got >= goal, fmt.Sprintf("bits kept at %s, plus three standard errors", name), fmt.Sprintf("%.4f", got), fmt.Sprintf("at least %g", goal))
}

func lengthName(n int) string {
	if n == math.MaxInt {
		return "whole"
	}
	return fmt.Sprint(n)
}

// keptCount sums over quotations of one kind.
type keptCount struct {
	quotations       int
	kept, ruled, all mean
	wrong            share // sites read with the wrong alternative ahead
	lost             confusions
}

func (k *keptCount) merge(o keptCount) {
	k.quotations += o.quotations
	k.kept.merge(o.kept)
	k.ruled.merge(o.ruled)
	k.all.merge(o.all)
	k.wrong.hits, k.wrong.trials = k.wrong.hits+o.wrong.hits, k.wrong.trials+o.wrong.trials
	k.lost.merge(o.lost)
}

func (k keptCount) row(noise, words string) []any {
	percent := func(x float64) string { return fmt.Sprintf("%.2f", 100*x) }
	return []any{noise, words, k.quotations, int(k.kept.n), percent(k.kept.value()), percent(k.kept.deviation()),
		percent(k.ruled.value()), percent(k.all.value()), percent(k.wrong.rate())}
}

func keptCell(ctx context.Context, c Config, all []*scene, n noise, length int) (keptCount, error) {
	quotations := c.at(keptQuotations(length), 6)
	counts, err := trials(ctx, fmt.Sprint("align", n.name, length), quotations, func(i int, rng *rand.Rand) (keptCount, error) {
		return all[i%len(all)].kept(rng, c.fault, n, length), nil
	})
	var sum keptCount
	for _, x := range counts {
		sum.merge(x)
	}
	return sum, err
}

// keptQuotations makes the rows hold about equally many sites.
func keptQuotations(length int) int {
	return max(200, 40000/min(length, 200))
}

// kept reads one quotation.
func (s *scene) kept(rng *rand.Rand, f fault, n noise, length int) keptCount {
	k := keptCount{quotations: 1}
	choices := codeword(rng, s.sizes)
	words := window(rng, s.copyWords(choices), length)
	text, printed := n.apply(rng, words)
	rule := trace.DefaultRule()
	needed := float64(rule.ReadMillibits) / 1000
	rule.ReadMillibits = 0
	weights := map[int]trace.Weights{}
	for _, o := range s.read(rule, text) {
		weights[o.Group] = o.Weights
	}
	seen, readable := inText(words, printed)
	for _, g := range slices.Sorted(maps.Keys(seen)) {
		w, x, q := weights[g], choices[g], float64(s.sizes[g])
		if f == lostBits {
			x = (x + rng.IntN(2)) % s.sizes[g]
		}
		bits := 0.0
		if w != nil {
			bits = max(keptFloor, math.Log2(q*float64(w[x])/trace.One))
		}
		share := bits / math.Log2(q)
		k.all.add(share)
		if !readable[g] {
			continue
		}
		k.kept.add(share)
		if w == nil || w.Information() < needed {
			k.ruled.add(0)
		} else {
			k.ruled.add(share)
		}
		k.wrong.add(w != nil && slices.Max(w) > w[x])
		k.lost.add(s.confusion(g, x, w, words, printed), math.Log2(q)-bits)
	}
	return k
}

// inText returns the groups that words of the quotation belong to, and those
// of which a word is still there.
func inText(words []word, printed []string) (seen, readable map[int]bool) {
	seen, readable = map[int]bool{}, map[int]bool{}
	for i, w := range words {
		for _, g := range w.groups {
			seen[g] = true
			readable[g] = readable[g] || printed[i] != ""
		}
	}
	return seen, readable
}

// confusion tells what became of a group: what it was, how it was printed,
// what the reading prefers.
func (s *scene) confusion(g, x int, w trace.Weights, words []word, printed []string) string {
	site := s.draft.Sites[s.draft.Groups[g].Sites[0]]
	var out []string
	for i, p := range printed {
		if slices.Contains(words[i].groups, g) {
			out = append(out, cmp.Or(p, "-"))
		}
	}
	preferred := "not read"
	if w != nil {
		best := 0
		for y := range w {
			if w[y] > w[best] {
				best = y
			}
		}
		preferred = site.Alternatives[best]
	}
	return fmt.Sprintf("%q as %q for %q", site.Alternatives[x], strings.Join(out, " "), preferred)
}

// confusions sums lost bits by what was taken for what.
type confusions map[string]float64

func (c *confusions) add(what string, bits float64) {
	if bits < 1 {
		return
	}
	if *c == nil {
		*c = confusions{}
	}
	(*c)[what] += bits
}

func (c *confusions) merge(o confusions) {
	for what, bits := range o {
		c.add(what, bits)
	}
}

func (c confusions) worst(n int) string {
	keys := slices.SortedFunc(maps.Keys(c), func(a, b string) int {
		return cmp.Or(cmp.Compare(c[b], c[a]), strings.Compare(a, b))
	})
	for i, k := range keys {
		keys[i] = fmt.Sprintf("%s %.0f bits", k, c[k])
	}
	return strings.Join(keys[:min(n, len(keys))], "; ")
}

// quoteTimes notes how long a quotation of 100 words takes, beside tokenising
// the same text.
func quoteTimes(t *Table, all []*scene) {
	rng := random("align times", 0)
	for _, n := range []noise{noises[0], noises[2]} {
		var reading, tokens []float64
		for i := range 60 {
			s := all[i%len(all)]
			words, _ := n.apply(rng, window(rng, s.copyWords(codeword(rng, s.sizes)), 100))
			text := strings.Join(words, " ")
			reading = append(reading, fastest(func() { s.read(trace.DefaultRule(), words) }))
			tokens = append(tokens, fastest(func() { cable.Tokenize(text) }))
		}
		slices.Sort(reading)
		slices.Sort(tokens)
		t.note("100 words, %s: %.3g ms to read (median; 90 %% %.3g ms), %.3g times tokenising them; the goal is 1 ms on one idle core.",
			n.name, reading[30], reading[54], reading[30]/tokens[30])
	}
}

// fastest returns the shortest of three runs, in milliseconds.
func fastest(run func()) float64 {
	best := math.Inf(1)
	for range 3 {
		start := time.Now()
		run()
		best = min(best, time.Since(start).Seconds()*1e3)
	}
	return best
}
