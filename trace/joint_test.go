package trace

import (
	"context"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// hardReading reads symbols y without doubt.
func hardReading(sizes, y []int) []Observation {
	obs := make([]Observation, len(sizes))
	for g, q := range sizes {
		w := make(Weights, q)
		w[y[g]] = One
		obs[g] = Observation{0, g, w}
	}
	return obs
}

func randomWords(rng *rand.Rand, n int, sizes []int) [][]int {
	words := make([][]int, n)
	for i := range words {
		words[i] = make([]int, len(sizes))
		for g, q := range sizes {
			words[i][g] = rng.IntN(q)
		}
	}
	return words
}

func same(q, m int) []int {
	sizes := make([]int, m)
	for i := range sizes {
		sizes[i] = q
	}
	return sizes
}

// leakOf lets the first t readers combine their copies.
func leakOf(rng *rand.Rand, attack Attack, words [][]int, t int, sizes []int) []int {
	y := make([]int, len(sizes))
	for g, q := range sizes {
		held := make([]int, t)
		for i := range held {
			held[i] = words[i][g]
		}
		u := rng.Float64()
		for x, p := range attack.Choose(held, q) {
			if u -= p; u < 0 {
				y[g] = x
				break
			}
		}
	}
	return y
}

// The packed search must find exactly the tuples that a plain loop finds.
func TestScanFindsEveryTuple(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	sizes := []int{2, 3, 4, 2, 16, 5, 2, 2, 7, 3, 3, 2}
	for _, attack := range Attacks {
		for size := 2; size <= 3; size++ {
			words := randomWords(rng, 14, sizes)
			j := NewJoint(DefaultRule(), attack, size, 0.1, len(words), hardReading(sizes, leakOf(rng, attack, words, size, sizes)), words)
			j.pack()
			need := int32(20)
			j.standOut = math.Inf(-1)
			found, err := j.scan(context.Background(), need, make([]bool, len(words)))
			if err != nil {
				t.Fatal(err)
			}
			var got [][]int
			for _, h := range found {
				got = append(got, h.members)
			}
			slices.SortFunc(got, slices.Compare)
			if want := plainScan(j, need); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %d: found %d tuples, a plain loop %d", attack, size, len(got), len(want))
			}
		}
	}
}

// Passing over implausible tuples must not lose a name.
func TestPlausibleKeepsEveryName(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 4))
	for _, attack := range Attacks {
		for _, sizes := range [][]int{same(2, 90), same(4, 50), {2, 3, 4, 16, 2, 3, 4, 16, 2, 3, 4, 16, 5, 5, 5, 5, 2, 2, 2, 2, 9, 9, 9}} {
			words := randomWords(rng, 16, sizes)
			obs := hardReading(sizes, leakOf(rng, attack, words, 3, sizes))
			names := func(standOut float64) []bool {
				j := NewJoint(DefaultRule(), attack, 3, 0.1, len(words), obs, words)
				j.standOut += standOut
				named := make([]bool, len(words))
				if _, err := j.SearchExcept(context.Background(), named); err != nil {
					t.Fatal(err)
				}
				return named
			}
			if got, want := names(0), names(-1e9); !slices.Equal(got, want) {
				t.Errorf("%s: named %v, without passing over %v", attack, got, want)
			}
		}
	}
}

func plainScan(j *Joint, need int32) [][]int {
	var out [][]int
	add := func(members ...int) {
		sum := int32(0)
		for k, table := range j.tables {
			sum += table[j.at(members, k)]
		}
		if sum >= need {
			out = append(out, members)
		}
	}
	for a := range j.words {
		for b := a + 1; b < len(j.words); b++ {
			if j.t == 2 {
				add(a, b)
				continue
			}
			for c := b + 1; c < len(j.words); c++ {
				add(a, b, c)
			}
		}
	}
	return out
}

// Tables must not depend on the order of the members: the search relies on it.
func TestJointTablesAreSymmetric(t *testing.T) {
	w := newWeights([]float64{.1, .2, .3, .4})
	for _, attack := range Attacks {
		table := DefaultRule().jointTable(w, attack, 3)
		for a := range 4 {
			for b := range 4 {
				for c := range 4 {
					if table[a+4*b+16*c] != table[c+4*a+16*b] || table[a+4*b+16*c] != table[b+4*a+16*c] {
						t.Fatalf("%s: %d %d %d", attack, a, b, c)
					}
				}
			}
		}
	}
}

func TestPairIsNamed(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	sizes := same(4, 40)
	words := randomWords(rng, 60, sizes)
	for _, attack := range []Attack{Interleave, AllOne} {
		y := leakOf(rng, attack, words, 2, sizes)
		f := assess(t, sizes, words, y)
		if f.Outcome != CopyNamed {
			t.Fatalf("%s: %s", attack, f.Outcome)
		}
		for _, n := range f.Named {
			if n.Reader != "r0" && n.Reader != "r1" {
				t.Errorf("%s: %s was named", attack, n.Reader)
			}
		}
	}
}

func BenchmarkTriples1000(b *testing.B) {
	rng := rand.New(rand.NewPCG(7, 8))
	sizes := same(4, 75)
	words := randomWords(rng, 1000, sizes)
	r := DefaultRule()
	y := leakOf(rng, Interleave, words, 3, sizes)
	for b.Loop() {
		j := NewJoint(r, Interleave, 3, 1e-3, 1000, hardReading(sizes, y), words)
		if _, err := j.Search(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// The commonest case: one source, everything readable, a long list.
func BenchmarkAssessOneSource300(b *testing.B) {
	rng := rand.New(rand.NewPCG(7, 9))
	sizes := same(3, 100)
	words := randomWords(rng, 300, sizes)
	for b.Loop() {
		assess(b, sizes, words, words[17])
	}
}
