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
	"chancery/internal/testworld"
	"chancery/trace"
)

const (
	cables    = 220
	leastWord = 200
	mostWords = 2500
	perWord   = 0.22 // bits a word, as of a draft that somebody went over
)

// epsilons are the bounds that every leak is traced at.
var epsilons = [2]float64{1e-3, 1e-6}

// A result is what tracing one scene gave.
type result struct {
	kind     string
	id       string
	bits     float64 // of the copy
	read     float64
	finding  [2]trace.Finding
	wrong    [2]int
	all, any [2]bool
	misread  tally // sites read as another word than the one printed
	kept     tally // sites that stand in the text and are read
	strays   []string
	numbered tally // passages with the right paragraph
	took     [3]time.Duration
}

func TestCables(t *testing.T) {
	began := time.Now()
	results := traceAll(t, telegrams(t, cables, leastWord, mostWords), append(slices.Clone(kinds), articleByArticle))
	byKind := map[string][]result{}
	for _, r := range results {
		byKind[r.kind] = append(byKind[r.kind], r)
	}
	for _, k := range append(slices.Clone(kinds), articleByArticle) {
		report(t, k.name, byKind[k.name])
	}
	t.Logf("%d traces in %v", len(results), time.Since(began).Round(time.Second))
}

func report(t *testing.T, name string, rs []result) {
	var wrong, all, any_ [2]tally
	out := [2]map[trace.Outcome]int{{}, {}}
	var kept, misread, numbered tally
	var took [3]time.Duration
	strays := 0
	bits, read := 0.0, 0.0
	for _, r := range rs {
		for i := range epsilons {
			wrong[i].add(r.wrong[i] > 0)
			all[i].add(r.all[i])
			any_[i].add(r.any[i])
			out[i][r.finding[i].Outcome]++
		}
		bits += r.bits
		read += r.read
		for i := range took {
			took[i] += r.took[i] / time.Duration(len(rs))
		}
		kept.hits += r.kept.hits
		kept.of += r.kept.of
		misread.hits += r.misread.hits
		misread.of += r.misread.of
		numbered.hits += r.numbered.hits
		numbered.of += r.numbered.of
		strays += len(r.strays)
	}
	t.Logf("%-26s all %v %v any %v wrong %v %v out %v %v bits %.0f read %.0f kept %v misread %v num %v strays %d  %v", name, all[0].share(), all[1].share(),
		any_[0].share(), wrong[0], wrong[1], out[0], out[1], bits/float64(len(rs)), read/float64(len(rs)), kept, misread, numbered, strays, took)
}

// traceAll lets every cable out in every way and traces it, on all cores.
func traceAll(t *testing.T, from []telegram, kinds []kind) []result {
	var (
		mu      sync.Mutex
		wg      sync.WaitGroup
		results []result
		next    = make(chan telegram)
	)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for c := range next {
				rs, err := traceCable(c, kinds)
				mu.Lock()
				if err != nil {
					t.Errorf("cable %s: %v", c.ID, err)
				}
				results = append(results, rs...)
				mu.Unlock()
			}
		})
	}
	for i, c := range from {
		if i > 0 && i%50 == 0 {
			t.Logf("%d of %d cables", i, len(from))
		}
		next <- c
	}
	close(next)
	wg.Wait()
	return results
}

func traceCable(c telegram, kinds []kind) ([]result, error) {
	text := testworld.Draft(c.ID, c.Body, perWord, testworld.Random(seed, "draft", c.ID))
	d, err := cable.Parse([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("its draft: %w", err)
	}
	g := trace.NewGraph(d.Lattice())
	var out []result
	for _, k := range kinds {
		t0 := time.Now()
		s, err := newScene(d, g, k, c.ID)
		if err != nil {
			return nil, err
		}
		r := result{kind: k.name, id: c.ID, bits: d.Bits()}
		r.took[0] = time.Since(t0)
		if k.name == articleByArticle.name {
			err = r.looks(s)
		} else {
			err = r.look(s)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.name, err)
		}
		out = append(out, r)
	}
	return out, nil
}

func (r *result) look(s *scene) error {
	articles, err := s.articles()
	if err != nil {
		return err
	}
	rule, graphs := s.book.Rule, []*trace.Graph{s.graph}
	t0 := time.Now()
	passages := trace.NewReader(graphs).Find(articles)
	observed := rule.Observe(graphs, passages, nil)
	r.took[1] = time.Since(t0)
	r.check(s, passages, observed)
	t0 = time.Now()
	for i, eps := range epsilons {
		if err := r.assess(s, i, trace.Evidence{Eps: eps, Readers: s.readers, First: observed}); err != nil {
			return err
		}
	}
	r.took[2] = time.Since(t0)
	return nil
}

func (r *result) assess(s *scene, i int, ev trace.Evidence) error {
	f, err := s.book.Rule.Assess(context.Background(), ev)
	if err != nil {
		return err
	}
	wrong, all, anyOne := s.judge(f.Named)
	r.finding[i], r.read = f, f.BitsRead
	r.wrong[i], r.all[i], r.any[i] = r.wrong[i]+wrong, r.all[i] || all, r.any[i] || anyOne
	return nil
}

// looks traces one article after the other under one case.
func (r *result) looks(s *scene) error {
	articles, err := s.articles()
	if err != nil {
		return err
	}
	rule, graphs := s.book.Rule, []*trace.Graph{s.graph}
	for i, eps := range epsilons {
		c := inquiry.New(eps, rule, []string{s.book.Commitment()})
		for k := range articles {
			passages := trace.NewReader(graphs).Find(articles[k : k+1])
			c.Add([]inquiry.Exhibit{{Name: s.files[k].name}}, rule.Observe(graphs, passages, c.Scored()))
			first, later, err := c.Observations([][]int{s.draft.Sizes()})
			if err != nil {
				return err
			}
			if err := r.assess(s, i, trace.Evidence{Eps: eps, Readers: s.readers, First: first, Later: later}); err != nil {
				return err
			}
		}
	}
	return nil
}

// check compares what was read with what was printed, where that is known.
func (r *result) check(s *scene, passages []trace.Passage, observed []trace.Observation) {
	for _, p := range passages {
		r.checkPassage(s, p)
	}
	if s.printed == nil {
		return
	}
	r.kept = tally{len(observed), s.sites}
	for _, o := range observed {
		r.misread.add(slices.Index(o.Weights, slices.Max(o.Weights)) != s.printed[o.Group])
	}
}

func (r *result) checkPassage(s *scene, p trace.Passage) {
	if s.printed != nil {
		text := s.draft.RenderParagraph(p.Paragraph-1, s.printed)
		ok := strings.Contains(" "+strings.Join(cable.Words(text), " ")+" ", " "+strings.Join(cable.Words(p.Text), " ")+" ")
		r.numbered.add(ok)
		if !ok {
			r.strays = append(r.strays, p.Text)
		}
	}
}
