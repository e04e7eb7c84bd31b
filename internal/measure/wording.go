package measure

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"chancery/cable"
	"chancery/internal/review"
	"chancery/internal/wording"
)

// keptAlternatives is the share of shown alternatives that a strict reader kept
// on cables not used for writing rules (docs/wording.md).
const keptAlternatives = 0.93

// articlesPer100 is what makes a cable prose: ordinary formal English has 8 or
// 9 of a, an and the in 100 words, telegraphic cables almost none.
const articlesPer100 = 7

// Wording measures what rules propose for real cables, and what a review of
// it takes.
func Wording(_ context.Context, c Config) (Table, error) {
	t := Table{Columns: []string{"class", "places /100 words", "wordings a place", "bits /100 words shown"},
		How: "Rules and moves alone on the prose of real cables, quoted matter and names included in the words. House style is counted apart."}
	var prose [][]string
	for _, paragraphs := range c.Cables {
		if isProse(paragraphs) {
			prose = append(prose, paragraphs)
		}
	}
	if len(prose) == 0 {
		t.note("No cables were named (--cables): nothing was measured.")
		return t, nil
	}
	w := wordingRun{quotes: map[int]*quoteCount{}, classes: map[string]*classCount{}, rng: random("wording", 0)}
	step := max(1, len(prose)/c.at(len(prose), 40))
	for i := 0; i < len(prose); i += step {
		if err := w.cable(prose[i]); err != nil {
			return t, err
		}
		if w.cables%100 == 0 {
			c.say("wording: %d cables", w.cables)
		}
	}
	w.write(&t)
	if c.Times {
		return t, wordingTimes(&t, prose)
	}
	return t, nil
}

// timedWords is the length of the cable whose times are judged.
const timedWords = 1500

// wordingTimes compares proposing for one cable, and what follows a key, with
// cutting and tagging the same words.
func wordingTimes(t *Table, prose [][]string) error {
	size := func(paragraphs []string) int { return len(strings.Fields(strings.Join(paragraphs, " "))) }
	best := prose[0]
	for _, p := range prose {
		if abs(size(p)-timedWords) < abs(size(best)-timedWords) {
			best = p
		}
	}
	draft := draftOf(best)
	s, err := review.New(draft, &wording.Learned{}, review.Quotables)
	if err != nil {
		return err
	}
	tag := fastest(func() { _, err = wording.TagOnly(draft) })
	propose := fastest(func() { _, err = wording.Propose(draft, nil) })
	key := fastest(func() {
		s.Press(review.Event{Key: review.KeyNext})
		s.Screen(80, true)
	})
	if err != nil {
		return err
	}
	t.note("A cable of %d words is proposed for in %.1f ms and shown again after a key in %.3f ms; cutting and tagging it takes %.1f ms.",
		size(best), propose, key, tag)
	t.atMost("time to propose over time to cut and tag", propose/tag, 5)
	t.atMost("time after a key over time to cut and tag", key/tag, 1)
	return nil
}

func abs(n int) int { return max(n, -n) }

func isProse(paragraphs []string) bool {
	words, articles := 0, 0
	for _, w := range cable.Words(strings.Join(paragraphs, "\n")) {
		words++
		if w == "a" || w == "an" || w == "the" {
			articles++
		}
	}
	return words > 0 && articles*100 >= articlesPer100*words
}

type wordingRun struct {
	cables, words int
	classes       map[string]*classCount
	shown, kept   float64 // bits, house style left out
	quotes        map[int]*quoteCount
	keys          []float64 // a cable
	quotable      quoteCount
	few           int // quotations of treated sentences that leave at most 2 of 50
	rng           *rand.Rand
}

type classCount struct {
	places, wordings int
	bits             float64
}

// A quoteCount counts quotations of one length.
type quoteCount struct {
	all, none, open, openNone int
	bits                      float64
}

// draftOf writes the paragraphs of a cable as a draft.
func draftOf(paragraphs []string) []byte {
	var b strings.Builder
	b.WriteString("Subject: measured\n")
	for _, p := range paragraphs {
		if p = strings.Join(strings.Fields(p), " "); p != "" {
			b.WriteString("\n" + cable.Escape(p) + "\n")
		}
	}
	return []byte(b.String())
}

func (w *wordingRun) cable(paragraphs []string) error {
	draft := draftOf(paragraphs)
	proposals, err := wording.Propose(draft, nil)
	var unreadable *cable.ParseError
	if errors.As(err, &unreadable) {
		return nil // a control character of the scan
	}
	if err != nil {
		return err
	}
	w.cables++
	for _, p := range proposals {
		k := w.classes[p.Class]
		if k == nil {
			k = &classCount{}
			w.classes[p.Class] = k
		}
		k.places++
		k.wordings += len(p.Alternatives)
		k.bits += p.Bits
		if !p.House() {
			w.shown += p.Bits
			w.kept += keptBits(len(p.Alternatives))
		}
	}
	w.quotations(draft, proposals)
	return w.review(draft)
}

// keptBits is the expected log2(1 + wordings) after each of n was struck with
// the measured chance.
func keptBits(n int) float64 {
	sum, chance := 0.0, math.Pow(1-keptAlternatives, float64(n))
	for k := 0; k <= n; k++ {
		sum += chance * math.Log2(1+float64(k))
		chance *= float64(n-k) / float64(k+1) * keptAlternatives / (1 - keptAlternatives)
	}
	return sum
}

// quotedLengths are the lengths of quotation that are counted, in words.
var quotedLengths = []int{10, 20, 50, 100}

// quotations looks at every quotation of a length inside one paragraph. Open
// ones hold no quotation marks or brackets, inside which nothing is varied.
func (w *wordingRun) quotations(draft []byte, proposals []wording.Proposal) {
	_, placed, err := cable.ParsePlaced(draft)
	if err != nil {
		return
	}
	at := 0
	for i := range placed {
		tokens := cable.Tokenize(placed[i].Text)
		w.words += len(tokens)
		var here []wording.Proposal
		for ; at < len(proposals) && proposals[at].Paragraph == i+1; at++ {
			if !proposals[at].House() {
				here = append(here, proposals[at])
			}
		}
		for _, n := range quotedLengths {
			w.quotationsOf(n, &placed[i], tokens, here)
		}
	}
}

func (w *wordingRun) quotationsOf(n int, p *cable.Placed, tokens []cable.Token, here []wording.Proposal) {
	q := w.quotes[n]
	if q == nil {
		q = &quoteCount{}
		w.quotes[n] = q
	}
	for a := 0; a+n <= len(tokens); a += 5 {
		from, to := tokens[a].Start, tokens[a+n-1].End
		bits := 0.0
		for _, x := range here {
			if x.Start >= p.From[from] && x.End <= p.To[to-1] {
				bits += x.Bits
			}
		}
		open := !strings.ContainsAny(p.Text[from:to], `"“”[]`)
		q.all++
		q.bits += bits
		if open {
			q.open++
		}
		if bits == 0 {
			q.none++
			if open {
				q.openNone++
			}
		}
	}
}

// review conducts a review as an author would who strikes what a strict
// reader strikes and answers every question with three wordings, and looks at
// quotations of the sentences so treated.
func (w *wordingRun) review(draft []byte) error {
	s, err := review.New(draft, &wording.Learned{}, review.Quotables)
	if err != nil {
		return err
	}
	for !s.Done() {
		for {
			words, asks := s.Asking()
			if !asks {
				break
			}
			s.Press(review.Event{Key: review.KeyTyped, Text: words + " one|" + words + " two|" + words + " three"})
		}
		for _, e := range s.Strikes(func() bool { return w.rng.Float64() >= keptAlternatives }) {
			s.Press(e)
		}
		s.Press(review.Event{Key: review.KeyAccept})
	}
	w.keys = append(w.keys, float64(s.Keys()))
	sites := s.Result()
	for _, u := range s.Asked() {
		w.treated(u, sites)
	}
	return nil
}

// listed is the number of readers for whom treated sentences are judged.
const listed = 50

// treated draws copies for fifty readers and counts those that agree with one
// about a quotation of 20 words of a sentence.
func (w *wordingRun) treated(u review.Unit, sites []wording.Site) {
	tokens := cable.Tokenize(u.Sentence)
	n := min(20, len(tokens))
	for range 4 {
		a := 0
		if len(tokens) > n {
			a = w.rng.IntN(len(tokens) - n + 1)
		}
		from, to := u.Start+tokens[a].Start, u.Start+tokens[a+n-1].End
		bits := 0.0
		for _, x := range sites {
			if x.Start >= from && x.End <= to {
				bits += x.Bits()
			}
		}
		left := 1
		for range listed - 1 {
			if w.rng.Float64() < math.Exp2(-bits) {
				left++
			}
		}
		w.quotable.all++
		w.quotable.bits += bits
		if left <= 2 {
			w.few++
		}
	}
}

func (w *wordingRun) write(t *Table) {
	names := make([]string, 0, len(w.classes))
	for name := range w.classes {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return int(math.Copysign(1, w.classes[b].bits-w.classes[a].bits)) })
	per := 100 / float64(w.words)
	for _, name := range names {
		k := w.classes[name]
		t.row(name, float64(k.places)*per, float64(k.wordings)/float64(k.places), k.bits*per)
	}
	t.note("%d cables, %d words. Rules and moves without house style: %.3f bit a word shown, %.3f after striking %.0f %% of the wordings.",
		w.cables, w.words, w.shown/float64(w.words), w.kept/float64(w.words), 100*(1-keptAlternatives))
	for _, n := range quotedLengths {
		q := w.quotes[n]
		t.note("Quotations of %d words: %.2f bits; %.1f %% carry no place, %.1f %% of those without quotation marks or brackets in them.",
			n, q.bits/float64(max(1, q.all)), 100*float64(q.none)/float64(max(1, q.all)), 100*float64(q.openNone)/float64(max(1, q.open)))
	}
	slices.Sort(w.keys)
	median := w.keys[len(w.keys)/2]
	t.note("Review: %.0f keys for the median cable, %.0f for nine in ten, typed wordings apart.", median, w.keys[len(w.keys)*9/10])
	few := float64(w.few) / float64(max(1, w.quotable.all))
	t.note("Quotations of 20 words of the %d sentences an author is asked about, three wordings typed at each place: %.1f bits.",
		review.Quotables, w.quotable.bits/float64(max(1, w.quotable.all)))
	t.atLeast("bits a word shown, house style left out", w.shown/float64(w.words), 0.13)
	t.atLeast("bits a word after striking", w.kept/float64(w.words), 0.11)
	q := w.quotes[20]
	t.atLeast("quotations of 20 words of ordinary prose with a place", 1-float64(q.openNone)/float64(max(1, q.open)), 0.75)
	t.atLeast("quotations of treated sentences that leave at most 2 of 50", few, 0.8)
	t.atMost("keys for the median cable", median, 90)
}
