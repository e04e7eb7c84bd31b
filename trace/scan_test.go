package trace

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBitMatrixScoresAsTheNaiveSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Words, then what is left over, so that every layout comes up.
		var classes []int
		for c := range Classes {
			size := 64*rapid.IntRange(0, 2).Draw(t, "words") + rapid.IntRange(0, 40).Draw(t, "left over")
			classes = append(classes, slices.Repeat([]int{c}, size)...)
		}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		rng.Shuffle(len(classes), func(i, j int) { classes[i], classes[j] = classes[j], classes[i] })
		copies := rapid.IntRange(0, 9).Draw(t, "copies")
		var weights [Classes]int32
		for c := range weights {
			weights[c] = rapid.Int32Range(-1<<20, 1<<20).Draw(t, "weight")
		}
		m, words := NewBitMatrix(classes, copies), make([][]int, copies)
		for i := range words {
			for k := range classes {
				bit := rng.IntN(2)
				m.Set(i, k, 1-bit) // what is set twice stands as set last
				m.Set(i, k, bit)
				words[i] = append(words[i], bit)
			}
		}
		read := make([]int, len(classes))
		for k := range read {
			read[k] = rng.IntN(3) + Unread
		}
		got := make([]int32, copies)
		m.Scores(read, weights, got)
		for i := range words {
			want := int32(0)
			for k, bit := range words[i] {
				if bit == read[k] {
					want += weights[classes[k]]
				}
			}
			if got[i] != want {
				t.Fatalf("copy %d scores %d, want %d", i, got[i], want)
			}
		}
	})
}

func TestBitMatrixLayouts(t *testing.T) {
	for _, c := range []struct {
		name  string
		sizes [Classes]int
		quads int
		mixed int // sites in the mixed word
	}{
		{"one class", [Classes]int{200, 0, 0}, 1, 0},
		{"a word each", [Classes]int{100, 60, 40}, 1, 0},
		{"a few left over", [Classes]int{67, 67, 66}, 1, 8},
		{"two left over", [Classes]int{85, 85, 30}, 1, 42},
		{"left over too many", [Classes]int{107, 107, 42}, 2, 0},
		{"three left over", [Classes]int{70, 70, 70}, 2, 0},
		{"two quads and a byte", [Classes]int{129, 193, 134}, 2, 8},
		{"no sites", [Classes]int{}, 0, 0},
	} {
		var classes []int
		for class, n := range c.sizes {
			classes = append(classes, slices.Repeat([]int{class}, n)...)
		}
		m := NewBitMatrix(classes, 1)
		if len(m.rows) != c.quads || len(m.mixed) != c.mixed {
			t.Errorf("%s: %d quads and %d sites mixed, want %d and %d", c.name, len(m.rows), len(m.mixed), c.quads, c.mixed)
		}
	}
}

func TestSymbolMatrixScoresAsTheNaiveSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(2, 16), 0, 40).Draw(t, "sizes")
		n := rapid.SampledFrom([]int{0, 1, 7, scanned, scanned + 3}).Draw(t, "copies")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		scores, words := make([][]int32, len(sizes)), make([][]int, n)
		for k, q := range sizes {
			for range q {
				scores[k] = append(scores[k], int32(rng.IntN(2000)-1000))
			}
		}
		for i := range words {
			for _, q := range sizes {
				words[i] = append(words[i], rng.IntN(q))
			}
		}
		got := make([]int32, n)
		NewSymbolMatrix(sizes, n, func(i, k int) int { return words[i][k] }).Scores(scores, got)
		for i, word := range words {
			want := int32(0)
			for k, x := range word {
				want += scores[k][x]
			}
			if got[i] != want {
				t.Fatalf("copy %d scores %d, want %d", i, got[i], want)
			}
		}
	})
}

// BenchmarkScan scores 1e6 copies at 200 binary sites and prints the best time
// of each layout of classes, with its ratio to reading the same bytes once.
func BenchmarkScan(b *testing.B) {
	const copies, sites = 1_000_000, 200
	out, rng := make([]int32, copies), rand.New(rand.NewPCG(1, 2))
	read := make([]int, sites)
	for k := range read {
		read[k] = rng.IntN(2)
	}
	for _, c := range []struct {
		name  string
		sizes [Classes]int
	}{
		{"one", [Classes]int{200, 0, 0}},
		{"pure", [Classes]int{100, 60, 40}},
		{"equal", [Classes]int{67, 67, 66}},
		{"worst", [Classes]int{94, 94, 12}},
	} {
		var classes []int
		for class, n := range c.sizes {
			classes = append(classes, slices.Repeat([]int{class}, n)...)
		}
		m := NewBitMatrix(classes, copies)
		for i := range m.rows[0] {
			m.rows[0][i] = quad{rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64()}
		}
		b.Run(c.name, func(b *testing.B) {
			compareTimes(b, func() uint64 { return sumQuads(m.rows[0]) }, func() { m.Scores(read, [Classes]int32{5, 3, 2}, out) })
		})
	}
	sizes, scores := make([]int, sites), make([][]int32, sites)
	for k := range sizes {
		sizes[k], scores[k] = 2, []int32{int32(rng.IntN(1000)), int32(rng.IntN(1000))}
	}
	m := NewSymbolMatrix(sizes, copies, func(int, int) int { return rng.IntN(2) })
	b.Run("arbitrary", func(b *testing.B) {
		compareTimes(b, func() (sum uint64) {
			for _, row := range m.packed.bytes {
				sum += sumBytes(row)
			}
			return sum
		}, func() { m.Scores(scores, out) })
	})
}

// compareTimes runs both in turn and reports the best time of each. The two
// alternate, so that a noisy neighbour meets both.
func compareTimes(b *testing.B, bound func() uint64, work func()) {
	best := [2]time.Duration{time.Hour, time.Hour}
	for b.Loop() {
		start := time.Now()
		sink += bound()
		best[0] = min(best[0], time.Since(start))
		start = time.Now()
		work()
		best[1] = min(best[1], time.Since(start))
	}
	b.ReportMetric(float64(best[0].Microseconds()), "µs-bound")
	b.ReportMetric(float64(best[1].Microseconds()), "µs-best")
	b.ReportMetric(float64(best[1])/float64(best[0]), "x-bound")
}

var sink uint64

// sumQuads reads every word once, in four independent chains.
func sumQuads(rows []quad) uint64 {
	var a, b, c, d uint64
	for len(rows) >= 2 {
		r := (*[2]quad)(rows)
		a += r[0][0] + r[1][0]
		b += r[0][1] + r[1][1]
		c += r[0][2] + r[1][2]
		d += r[0][3] + r[1][3]
		rows = rows[2:]
	}
	return a ^ b ^ c ^ d
}

// sumBytes reads every byte once, eight at a time.
func sumBytes(row []uint8) uint64 {
	var a, b, c, d uint64
	for len(row) >= 32 {
		r := (*[32]byte)(row)
		a += binary.LittleEndian.Uint64(r[0:])
		b += binary.LittleEndian.Uint64(r[8:])
		c += binary.LittleEndian.Uint64(r[16:])
		d += binary.LittleEndian.Uint64(r[24:])
		row = row[32:]
	}
	return a ^ b ^ c ^ d
}
