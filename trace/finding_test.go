package trace

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func copiesOf(words [][]int) []Copies {
	out := make([]Copies, len(words))
	for i, w := range words {
		out[i] = Copies{Reader: fmt.Sprintf("r%d", i), Words: [][]int{w}}
	}
	return out
}

func assess(t testing.TB, sizes []int, words [][]int, y []int) Finding {
	f, err := DefaultRule().Assess(context.Background(),
		Evidence{Eps: 1e-3, Readers: copiesOf(words), First: hardReading(sizes, y)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestOutcomes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	sizes := same(3, 20)
	words := randomWords(rng, 30, sizes)
	stranger := randomWords(rng, 1, sizes)[0]
	tests := []struct {
		name string
		m    int // groups read
		y    []int
		want Outcome
	}{
		{"a whole copy", 20, words[4], CopyNamed},
		{"eleven sites are enough", 11, words[4], CopyNamed}, // 3^11 > 4*30/1e-3
		{"ten are not", 10, words[4], SomeFit},
		{"one site", 1, words[4], SomeFit},
		{"nothing", 0, words[4], CannotSay},
		{"a wording of nobody", 20, stranger, NoSingleCopy},
	}
	for _, tt := range tests {
		f := assess(t, sizes[:tt.m], words, tt.y)
		if f.Outcome != tt.want {
			t.Errorf("%s: %s, not %s", tt.name, f.Outcome, tt.want)
		}
		if (f.Outcome == CopyNamed) != (len(f.Named) > 0) || f.Outcome == CopyNamed && len(f.Fit) > 0 {
			t.Errorf("%s: %d named, %d fit", tt.name, len(f.Named), len(f.Fit))
		}
		if tt.want == CopyNamed && (len(f.Named) != 1 || f.Named[0].Reader != "r4") {
			t.Errorf("%s: named %v", tt.name, f.Named)
		}
		if tt.want == SomeFit && f.Fit[0].Reader != "r4" && tt.m > 4 {
			t.Errorf("%s: %s fits best", tt.name, f.Fit[0].Reader)
		}
	}
}

// A burnt copy is not named, whatever the words say, and nobody else is
// named for it.
func TestBurntCopyIsNotNamed(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 9))
	sizes := same(4, 30)
	words := randomWords(rng, 20, sizes)
	readers := copiesOf(words)
	readers[3].Burnt = true
	f, err := DefaultRule().Assess(context.Background(), Evidence{Eps: 1e-3, Readers: readers, First: hardReading(sizes, words[3])})
	if err != nil || len(f.Named) > 0 || len(f.Fit) > 0 || f.BurntFit != 1 || f.Outcome != CannotSay {
		t.Errorf("%s: named %v, fit %v, %d burnt fit, %v", f.Outcome, f.Named, f.Fit, f.BurntFit, err)
	}
}

// A reader who holds two cables is scored over both; one who holds one, over
// that one alone.
func TestPoolingCables(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 9))
	sizes := same(4, 5)
	a, b := randomWords(rng, 10, sizes), randomWords(rng, 10, sizes)
	var readers []Copies
	for i := range a {
		readers = append(readers, Copies{Reader: fmt.Sprintf("r%d", i), Words: [][]int{a[i], b[i]}})
	}
	readers[9].Words[1] = nil
	obs := hardReading(sizes, a[2])
	for _, o := range hardReading(sizes, b[2]) {
		o.Cable = 1
		obs = append(obs, o)
	}
	p := DefaultRule().PValues(obs, readers)
	if want := math.Pow(4, -10); p[2].Upper() != want {
		t.Errorf("two cables: p %g, not %g", p[2].Upper(), want)
	}
	f, err := DefaultRule().Assess(context.Background(), Evidence{Eps: 1e-3, Readers: readers, First: obs})
	if err != nil || f.Outcome != CopyNamed || f.Named[0].Reader != "r2" || len(f.Named[0].Cables) != 2 {
		t.Errorf("%s %v %v", f.Outcome, f.Named, err)
	}
}

// The e-value of a fresh copy has expectation at most one, exactly: the mean
// over all codewords of a small draft.
func TestEValueExpectation(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 9))
	r := DefaultRule()
	sizes := []int{2, 3, 4, 2, 3}
	obs := make([]Observation, len(sizes))
	for g, q := range sizes {
		p := make([]float64, q)
		for x := range p {
			p[x] = rng.ExpFloat64() * rng.ExpFloat64()
		}
		obs[g] = Observation{0, g, newWeights(p)}
	}
	sum, n := 0.0, 0
	var walk func(word []int)
	walk = func(word []int) {
		if len(word) == len(sizes) {
			sum += math.Exp(r.LogE(obs, Copies{Words: [][]int{word}}))
			n++
			return
		}
		for x := range sizes[len(word)] {
			walk(append(slices.Clone(word), x))
		}
	}
	walk(nil)
	if mean := sum / float64(n); mean > 1 || mean < 1-1e-6 {
		t.Errorf("the e-value's expectation is %.9f", mean)
	}
}

// A later look names by the e-value and keeps what the first look named.
func TestLaterLooks(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 9))
	sizes := same(3, 24)
	words := randomWords(rng, 20, sizes)
	obs := hardReading(sizes, words[7])
	look := func(first, later []Observation) Finding {
		f, err := DefaultRule().Assess(context.Background(), Evidence{Eps: 1e-3, Readers: copiesOf(words), First: first, Later: later})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if f := look(obs[:5], nil); f.Outcome != SomeFit {
		t.Fatalf("first look: %s", f.Outcome)
	}
	f := look(obs[:5], obs[5:])
	if f.Outcome != CopyNamed || !f.Named[0].ByE || f.Named[0].ByP {
		t.Errorf("later look: %s %+v", f.Outcome, f.Named)
	}
	if f := look(obs[:14], obs[14:15]); f.Outcome != CopyNamed || !f.Named[0].ByP {
		t.Errorf("named at the first look, then: %s", f.Outcome)
	}
}

func TestWeightsSumToOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 9))
	for range 10000 {
		p := make([]float64, 2+rng.IntN(15))
		for x := range p {
			p[x] = math.Exp(20 * rng.NormFloat64())
		}
		w := newWeights(p)
		if err := w.Check(len(p)); err != nil {
			t.Fatal(err, p)
		}
	}
}

func TestWindows(t *testing.T) {
	bits := []float64{0, 2, 0, 0, 1, 0}
	got := windows(bits, 2)
	if want := []int{2, 1, 6, 5, 4, 3}; !slices.Equal(got, want) {
		t.Errorf("windows %v, not %v", got, want)
	}
	if windows(bits, 3.1) != nil {
		t.Error("a cable of 3 bits cannot give 3.1")
	}
}
