package real

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chancery/cable"
	"chancery/internal/inquiry"
	"chancery/trace"
)

const (
	// cables is how many real cables are let out, each in every way.
	cables     = 205
	leastWords = 180
	mostWords  = 460
)

// shortest is the number of words below which a paragraph by itself is not
// read, so that a greeting does not count as a quotation.
const shortest = 5

// epsilons are the bounds that every leak is traced at.
var epsilons = [2]float64{1e-3, 1e-6}

// A floor is a power the tracer must reach: of the leaks of a kind of which at
// least so many bits were read, the share at which the source, or of several
// some one, is named at epsilons[eps]. Rates are some way under what was
// measured when this test was written; seeds are fixed.
type floor struct {
	kind  string
	eps   int
	bits  float64
	share float64
}

var floors = []floor{
	{"retyped whole, 1 % slips", 0, 24, 0.95},
	{"retyped whole, 1 % slips", 1, 34, 0.95},
	{"one word put in first", 0, 20, 0.99},
	{"one word put in first", 1, 30, 0.99},
	{"35 % excerpt", 0, 20, 0.97},
	{"35 % excerpt", 1, 28, 0.97},
	{"three articles pooled", 0, 20, 0.97},
	{"three articles pooled", 1, 28, 0.97},
	{"house style changed", 0, 24, 0.95},
	{"house style changed", 1, 34, 0.95},
	{"two copies spliced", 0, 50, 0.97},
	{"two copies spliced", 1, 60, 0.75},
	{"15 % of wordings swapped", 0, 50, 0.97},
	{articleByArticle.name, 0, 22, 0.97},
	{articleByArticle.name, 1, 28, 0.97},
}

// exact are the kinds of which every word that is read is read for certain:
// nobody can be named there with fewer bits than the bound costs.
var exact = []string{"one word put in first", "35 % excerpt", "three articles pooled", articleByArticle.name}

// A result is what tracing one scene gave.
type result struct {
	kind      string
	id        string
	finding   [2]trace.Finding
	wrong     [2]bool // somebody was named who gave nothing, at any look
	all, some [2]bool // all sources, or any, were named at any look
	byP, byE  [2]bool // one was, by its own p-value, or by its e-value
	read      tally   // sites of paragraphs that are long enough, that were read
	misread   tally   // sites read that speak against the word printed
	passages  tally   // passages that are where and what they are said to be
	stray     string  // one that is not
	found     int     // passages of any kind
}

// Real cables are marked, let out in every way, and traced. Nobody who gave
// nothing may be named more often than the bound allows, and the sources must
// be named where the words are enough.
func TestCables(t *testing.T) {
	began := time.Now()
	results := traceAll(t, drafts(t, folder(t, "CHANCERY_CABLES"), cables, leastWords, mostWords))
	t.Logf("%d cables, %d leaks traced at %v and %v in %v", cables, len(results), epsilons[0], epsilons[1],
		time.Since(began).Round(time.Second))
	for _, k := range kinds {
		logKind(t, k, results)
	}
	checkNames(t, results)
	checkReading(t, results)
	checkForeign(t, results)
	checkPrice(t, results)
	checkParts(t, results)
	for _, f := range floors {
		f.check(t, results)
	}
}

// checkNames holds the names to the bound, over all leaks together.
func checkNames(t *testing.T, results []result) {
	t.Helper()
	var wrong [2]tally
	for _, r := range results {
		for i := range epsilons {
			wrong[i].add(r.wrong[i])
			if r.wrong[i] {
				t.Logf("cable %s, %s: named at %v: %+v", r.id, r.kind, epsilons[i], r.finding[i].Named)
			}
		}
	}
	limit := quantile(wrong[0].of, epsilons[0], 0.999)
	t.Logf("named at %v who gave nothing: %v, 99.9 %% quantile of the bound %d", epsilons[0], wrong[0], limit)
	t.Logf("named at %v who gave nothing: %v", epsilons[1], wrong[1])
	if wrong[0].hits > limit {
		t.Errorf("at %v somebody who gave nothing is named in %v leaks, more than %d", epsilons[0], wrong[0], limit)
	}
	if wrong[1].hits > 0 {
		t.Errorf("at %v somebody who gave nothing is named in %v leaks", epsilons[1], wrong[1])
	}
}

// checkPrice fails if a name was had for fewer bits than it costs.
func checkPrice(t *testing.T, results []result) {
	t.Helper()
	close := 0
	for _, r := range results {
		for i, eps := range epsilons {
			short := trace.NeededBits(listSize, eps) - r.finding[i].BitsRead
			if !slices.Contains(exact, r.kind) || short < slack {
				continue
			}
			if short < 1 {
				close++
			}
			if len(r.finding[i].Named) > 0 {
				t.Errorf("cable %s, %s: a name at %v for %.2f bits, %.2f too few", r.id, r.kind, eps, r.finding[i].BitsRead, short)
			}
		}
	}
	if close < 5 {
		t.Errorf("%d leaks fall short by less than a bit: too few to notice a p-value that is half of what it should be", close)
	}
}

// checkParts holds the single score and the e-value each to what it must reach
// alone, since either would hide a fault of the other, on copies printed whole.
func checkParts(t *testing.T, results []result) {
	t.Helper()
	var byP, byE tally
	for _, r := range results {
		for i, eps := range epsilons {
			spare := r.finding[i].BitsRead - trace.NeededBits(listSize, eps)
			if r.kind != "one word put in first" || spare < 8 {
				continue
			}
			byP.add(r.byP[i])
			byE.add(r.byE[i])
		}
	}
	t.Logf("copies printed whole that are named by their p-value: %v, by their e-value: %v", byP, byE)
	if byP.of < 40 || byP.share() < 0.99 || byE.share() < 0.99 {
		t.Errorf("of copies printed whole the p-value names %v, the e-value %v", byP, byE)
	}
}

// slack is what a name may fall short by, in bits: letters that could be
// slips take that much from what is read.
const slack = 0.2

// checkReading holds the reading of faultless text to what was printed.
func checkReading(t *testing.T, results []result) {
	t.Helper()
	var read, misread, passages tally
	for _, r := range results {
		read, misread, passages = read.plus(r.read), misread.plus(r.misread), passages.plus(r.passages)
		if r.stray != "" {
			t.Logf("cable %s, %s: not what was printed: %q", r.id, r.kind, r.stray)
		}
	}
	t.Logf("sites read %v, misread %v; passages where they are said to be %v", read, misread, passages)
	if read.share() < 0.999 || misread.share() > 0.001 || passages.share() < 0.99 {
		t.Errorf("sites read %v, misread %v, passages in place %v", read, misread, passages)
	}
}

// checkForeign fails if another cable is often taken for this one. Letters of
// the same people share greetings and turns of phrase, so now and then it is.
func checkForeign(t *testing.T, results []result) {
	t.Helper()
	var taken tally
	for _, r := range results {
		if r.kind == foreign.name {
			taken.add(r.found > 0)
		}
	}
	t.Logf("another cable has words that are taken for this one's: %v", taken)
	if taken.share() > 0.025 {
		t.Errorf("another cable has words that are taken for this one's: %v", taken)
	}
}

func (f floor) check(t *testing.T, results []result) {
	t.Helper()
	var named tally
	for _, r := range results {
		if r.kind == f.kind && r.finding[f.eps].BitsRead >= f.bits {
			named.add(r.some[f.eps])
		}
	}
	if named.of < 40 || named.share() < f.share {
		t.Errorf("%s, %.0f bits or more, at %v: a source is named in %v, want %.3f", f.kind, f.bits, epsilons[f.eps], named, f.share)
	}
}

// logKind prints one line a bound: who was named, and what was said else.
func logKind(t *testing.T, k kind, results []result) {
	t.Helper()
	for i, eps := range epsilons {
		var all, some, wrong tally
		other := map[trace.Outcome]int{}
		bits := 0.0
		for _, r := range results {
			if r.kind != k.name {
				continue
			}
			all.add(r.all[i])
			some.add(r.some[i])
			wrong.add(r.wrong[i])
			bits += r.finding[i].BitsRead
			if o := r.finding[i].Outcome; o != trace.CopyNamed {
				other[o]++
			}
		}
		t.Logf("%-28s %.0e  %5.1f bits read; of %d: source named %d, of several some %d, wrong %d; else %v",
			k.name, eps, bits/float64(all.of), all.of, all.hits, some.hits, wrong.hits, other)
	}
}

// traceAll lets every cable out in every way and traces it, on all cores.
func traceAll(t *testing.T, from []original) []result {
	t.Helper()
	var (
		mu      sync.Mutex // guards results
		results []result
		wg      sync.WaitGroup
		next    = make(chan int)
	)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				rs, err := traceCable(from[i], from[(i+1)%len(from)].text)
				if err != nil {
					t.Errorf("cable %s: %v", from[i].id, err)
				}
				mu.Lock()
				results = append(results, rs...)
				mu.Unlock()
			}
		})
	}
	for i := range from {
		if i > 0 && i%50 == 0 {
			t.Logf("%d of %d cables", i, len(from))
		}
		next <- i
	}
	close(next)
	wg.Wait()
	slices.SortFunc(results, func(a, b result) int { return strings.Compare(a.id+a.kind, b.id+b.kind) })
	return results
}

func traceCable(c original, other string) ([]result, error) {
	m, err := newMarked(c.draft, c.id, other)
	if err != nil {
		return nil, err
	}
	var out []result
	for k := range kinds {
		r := result{kind: kinds[k].name, id: c.id}
		if err := r.trace(newScene(m, k, c.id)); err != nil {
			return nil, fmt.Errorf("%s: %w", r.kind, err)
		}
		out = append(out, r)
	}
	return out, nil
}

// trace reads the files as one look, or one by one as many.
func (r *result) trace(s *scene) error {
	articles, err := s.articles()
	if err != nil {
		return err
	}
	looks := [][]cable.Article{articles}
	if r.kind == articleByArticle.name {
		looks = slices.Collect(slices.Chunk(articles, 1))
	}
	graphs, none := []*trace.Graph{s.graph}, []inquiry.Exhibit{}
	var cases [2]*inquiry.Case
	for i, eps := range epsilons {
		cases[i] = inquiry.New(eps, s.book.Rule, []string{s.book.Commitment()})
	}
	for k, look := range looks {
		passages := trace.NewReader(graphs).Find(look)
		observed := s.book.Rule.Observe(graphs, passages, cases[0].Scored())
		r.check(s, passages, observed)
		for i := range cases {
			cases[i].Add(none, observed)
			if cases[i], err = inquiry.Parse("case", cases[i].Encode()); err != nil {
				return fmt.Errorf("look %d: %w", k+1, err)
			}
			if err := r.assess(s, i, cases[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *result) assess(s *scene, i int, c *inquiry.Case) error {
	first, later, err := c.Observations([][]int{s.draft.Sizes()})
	if err != nil {
		return err
	}
	ev := trace.Evidence{Eps: epsilons[i], Readers: s.readers, First: first, Later: later}
	r.finding[i], err = s.book.Rule.Assess(context.Background(), ev)
	if err != nil {
		return err
	}
	wrong, all, some := s.judge(r.finding[i].Named)
	r.wrong[i], r.all[i], r.some[i] = r.wrong[i] || wrong > 0, r.all[i] || all, r.some[i] || some
	for _, n := range r.finding[i].Named {
		if s.gave(n.Reader) {
			r.byP[i], r.byE[i] = r.byP[i] || n.ByP && len(n.With) == 0, r.byE[i] || n.ByE
		}
	}
	return nil
}

// check compares what was read with what was printed, where that is known.
func (r *result) check(s *scene, passages []trace.Passage, observed []trace.Observation) {
	r.found = len(passages)
	if s.printed == nil {
		return
	}
	for _, p := range passages {
		ok := s.printedBy(p)
		r.passages.add(ok)
		if !ok {
			r.stray = p.Text
		}
	}
	read := map[int]bool{}
	for _, o := range observed {
		read[o.Group] = true
		against := 2*int(o.Weights[s.printed[o.Group]])*len(o.Weights) < trace.One
		r.misread.add(against)
	}
	for _, site := range s.draft.Sites {
		if s.whole && len(cable.Words(s.draft.RenderParagraph(site.Paragraph, s.printed))) >= shortest {
			r.read.add(read[site.Group])
		}
	}
}
