package mark

import (
	"crypto/rand"
	"math"
	"testing"
)

func TestSymbolIsUniform(t *testing.T) {
	d, err := NewDraw(rand.Reader, 4096)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{2, 3, 5, 7, 16} {
		counts := make([]float64, size)
		n := 0
		for s := 1; s <= 256; s++ {
			k := NewCopyKey(d.Slot(s), Hash{1}, "ref", Hash{2}, "id")
			for g := range 100 {
				counts[k.Symbol(g, size)]++
				n++
			}
		}
		chi, want := 0.0, float64(n)/float64(size)
		for _, c := range counts {
			chi += (c - want) * (c - want) / want
		}
		// Wilson-Hilferty at 1e-6.
		df := float64(size - 1)
		limit := df * math.Pow(1-2/(9*df)+4.75*math.Sqrt(2/(9*df)), 3)
		if chi > limit {
			t.Errorf("size %d: chi-square %.1f over %.1f", size, chi, limit)
		}
	}
}
