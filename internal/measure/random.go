package measure

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"sync"
)

// seed is the first half of the seed of every generator here; the second is
// a digest of what the generator is for.
const seed = 0x6368616e63657279 // "chancery"

// random returns the generator for trial i of a named series. Its figures
// depend on nothing else, so trials may run in any order.
func random(series string, i int) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(series))
	return rand.New(rand.NewPCG(seed, h.Sum64()+uint64(i)*0x9e3779b97f4a7c15))
}

// trials runs n trials of a series, each with its own generator, on all
// cores, and returns their results in order.
func trials[T any](ctx context.Context, series string, n int, run func(i int, rng *rand.Rand) (T, error)) ([]T, error) {
	out, errs := make([]T, n), make([]error, n)
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				out[i], errs[i] = run(i, random(series, i))
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, ctx.Err()
}

// codeword draws a codeword for groups of the given sizes.
func codeword(rng *rand.Rand, sizes []int) []int {
	w := make([]int, len(sizes))
	for i, q := range sizes {
		w[i] = rng.IntN(q)
	}
	return w
}

func codewords(rng *rand.Rand, n int, sizes []int) [][]int {
	out := make([][]int, n)
	for i := range out {
		out[i] = codeword(rng, sizes)
	}
	return out
}

// sizesOf returns m group sizes, going round the given ones.
func sizesOf(m int, cycle ...int) []int {
	out := make([]int, m)
	for i := range out {
		out[i] = cycle[i%len(cycle)]
	}
	return out
}
