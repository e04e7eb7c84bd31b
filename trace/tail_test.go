package trace

import (
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"testing"

	"pgregory.net/rapid"
)

// exactTail counts codewords with big integers.
func exactTail(scores [][]int32, s int) *big.Rat {
	counts := map[int]*big.Int{0: big.NewInt(1)}
	total := big.NewInt(1)
	for _, row := range scores {
		next := map[int]*big.Int{}
		for sum, n := range counts {
			for _, x := range row {
				k := sum + int(x)
				if next[k] == nil {
					next[k] = new(big.Int)
				}
				next[k].Add(next[k], n)
			}
		}
		counts = next
		total.Mul(total, big.NewInt(int64(len(row))))
	}
	hits := new(big.Int)
	for sum, n := range counts {
		if sum >= s {
			hits.Add(hits, n)
		}
	}
	return new(big.Rat).SetFrac(hits, total)
}

// checkBounds fails unless p encloses the exact probability, closely.
func checkBounds(t interface{ Fatalf(string, ...any) }, p Prob, exact *big.Rat) {
	bound := func(sign float64) *big.Float {
		f := new(big.Float).SetPrec(200).SetFloat64(p.Mantissa)
		f.Mul(f, new(big.Float).SetPrec(200).SetFloat64(1+sign*p.Err))
		return f.SetMantExp(f, p.Exp)
	}
	want := new(big.Float).SetPrec(200).SetRat(exact)
	if bound(-1).Cmp(want) > 0 || bound(1).Cmp(want) < 0 {
		t.Fatalf("%g (1 +- %g) * 2^%d does not enclose %s", p.Mantissa, p.Err, p.Exp, want.Text('g', 20))
	}
	if p.Err > 1e-9 {
		t.Fatalf("relative error %g is too large to be of use", p.Err)
	}
	if f, _ := exact.Float64(); f > 1e-300 && (p.Lower() > f*(1+1e-15) || p.Upper() < f*(1-1e-15) || p.Upper() > f*(1+1e-9)) {
		t.Fatalf("bounds %g..%g of %g", p.Lower(), p.Upper(), f)
	}
}

func TestTailIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "groups")
		scores, reach := make([][]int32, n), 0
		for i := range scores {
			scores[i] = rapid.SliceOfN(rapid.Int32Range(-40, 40), 2, 16).Draw(t, "scores")
			reach += 40
		}
		s := rapid.IntRange(-reach-3, reach+3).Draw(t, "score")
		tail := NewTail(scores, math.MaxInt32-1)
		checkBounds(t, tail.AtLeast(s), exactTail(scores, s))
	})
}

// Long cables make counts far beyond any float64.
func TestTailBeyondFloat64(t *testing.T) {
	if os.Getenv("CHANCERY_RACE") != "" {
		t.Skip("long work of one goroutine: make figures runs it, without the race detector")
	}
	rng := rand.New(rand.NewPCG(1, 1))
	scores := make([][]int32, 1500)
	for i := range scores {
		scores[i] = make([]int32, 2+rng.IntN(3))
		scores[i][0] = 3 + int32(rng.IntN(2))
	}
	tail := NewTail(scores, math.MaxInt32-1)
	for _, loss := range []int{0, 1, 5, 40, 800, 2000} {
		s := tail.best - loss
		checkBounds(t, tail.AtLeast(s), exactTail(scores, s))
	}
	if p := tail.AtLeast(tail.best); p.Upper() <= 0 || p.Log10Upper() > -400 {
		t.Errorf("the best score has p %g, log10 %g", p.Upper(), p.Log10Upper())
	}
}

// With whole bits readable, the p-value of a full match is exactly 1/q^m: no
// rounding may cost a site.
func TestFullMatchIsExact(t *testing.T) {
	for _, q := range []int{2, 4, 16} {
		for m := 1; m <= 250; m++ {
			scores := make([][]int32, m)
			for i := range scores {
				scores[i] = make([]int32, q)
				scores[i][0] = 7
			}
			p := NewTail(scores, math.MaxInt32-1).AtLeast(7 * m)
			if want := math.Pow(float64(q), -float64(m)); p.Upper() != want || p.Lower() != want {
				t.Fatalf("q=%d m=%d: %g..%g, not %g", q, m, p.Lower(), p.Upper(), want)
			}
		}
	}
}

// Up to the mean the short tail is the whole one; beyond, it encloses it.
func TestTailToMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 9).Draw(t, "groups")
		scores := make([][]int32, n)
		for i := range scores {
			scores[i] = rapid.SliceOfN(rapid.Int32Range(-30, 30), 2, 6).Draw(t, "scores")
		}
		short, whole := NewTailToMean(scores), NewTail(scores, math.MaxInt32-1)
		for loss := -1; loss <= whole.span+1; loss++ {
			got, want := short.AtLeast(short.best-loss), whole.AtLeast(whole.best-loss)
			if loss < len(short.count) && got != want {
				t.Fatalf("loss %d: %v, not %v", loss, got, want)
			}
			if got.Upper() < want.Lower() || got.Lower() > want.Upper() {
				t.Fatalf("loss %d: %g..%g does not enclose %g", loss, got.Lower(), got.Upper(), want.Upper())
			}
			if loss >= len(short.count) && want.Upper() < 0.05 {
				t.Fatalf("loss %d: p %g is not counted", loss, want.Upper())
			}
		}
	})
}

func TestThreshold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "groups")
		scores := make([][]int32, n)
		for i := range scores {
			scores[i] = rapid.SliceOfN(rapid.Int32Range(-9, 9), 2, 5).Draw(t, "scores")
		}
		limit := rapid.Float64Range(1e-6, 1).Draw(t, "limit")
		tail := NewTail(scores, math.MaxInt32-1)
		s, ok := tail.Threshold(limit)
		if !ok {
			if tail.AtLeast(tail.best).Upper() <= limit {
				t.Fatal("a threshold exists and was not found")
			}
			return
		}
		if tail.AtLeast(s).Upper() > limit {
			t.Fatalf("score %d has p %g over %g", s, tail.AtLeast(s).Upper(), limit)
		}
		if below := tail.AtLeast(s - 1).Upper(); s-1 > tail.best-len(tail.count) && below <= limit {
			t.Fatalf("score %d would do too: %g", s-1, below)
		}
	})
}

func BenchmarkPValue200(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	r := DefaultRule()
	scores := make([][]int32, 200)
	for i := range scores {
		p := make([]float64, 2+rng.IntN(3))
		for x := range p {
			p[x] = rng.ExpFloat64()
		}
		scores[i] = r.SingleScores(newWeights(p))
	}
	for b.Loop() {
		NewTail(scores, math.MaxInt32-1)
	}
}
