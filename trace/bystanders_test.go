package trace

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// The attack: two readers combine their copies; a third copy, which had no
// part in it, happens to look well beside one of them. The bound is on being
// named, so a copy that is not named must not stand beside one that is.
func TestBystandersAreNotPrinted(t *testing.T) {
	if os.Getenv("CHANCERY_RACE") != "" {
		t.Skip("long work of one goroutine: make figures runs it, without the race detector")
	}
	rng := rand.New(rand.NewPCG(5, 60))
	others, named := 0, 0
	for range 150 {
		sizes := same(2, 60)
		words := randomWords(rng, 60, sizes)
		y := make([]int, len(sizes))
		for g := range y {
			y[g] = words[rng.IntN(2)][g]
		}
		f := assess(t, sizes, words, y)
		for _, x := range f.Named {
			named++
			others += x.Others
			for _, id := range x.With {
				if !contains(f.Named, id) {
					t.Fatalf("%s stands beside %s and is not named", id, x.Reader)
				}
			}
		}
	}
	if named == 0 || others == 0 {
		t.Errorf("%d named, %d partners left out: the test shows nothing", named, others)
	}
}

// A reader who never held most of what was quoted cannot be its one source.
func TestReaderOfOneCableIsNoSourceOfTwo(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	small, large := same(4, 1), same(4, 40)
	var readers []Copies
	for range 12 {
		readers = append(readers, Copies{Reader: "both" + string(rune('a'+len(readers))),
			Words: [][]int{randomWords(rng, 1, small)[0], randomWords(rng, 1, large)[0]}})
	}
	readers = append(readers, Copies{Reader: "one", Words: [][]int{{2}, nil}})
	obs := hardReading(small, []int{2})
	for _, o := range hardReading(large, randomWords(rng, 1, large)[0]) {
		o.Cable = 1
		obs = append(obs, o)
	}
	f, err := DefaultRule().Assess(context.Background(), Evidence{Eps: 1e-3, Readers: readers, First: obs})
	if err != nil {
		t.Fatal(err)
	}
	if f.Outcome != NoSingleCopy || slices.ContainsFunc(f.Fit, func(x Fit) bool { return x.Reader == "one" }) {
		t.Errorf("%s, fitting %v: words of nobody's copies", f.Outcome, f.Fit)
	}
}
