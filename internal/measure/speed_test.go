package measure

import (
	"context"
	"strings"
	"testing"
)

// Times are judged when asked for, and only then.
func TestSpeedJudgesNoTimesInTests(t *testing.T) {
	table, err := Run(context.Background(), "speed", Config{Scale: 0.001})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range table.Checks {
		if strings.Contains(c.Claim, "time") {
			t.Errorf("judged: %s", c.Claim)
		}
	}
	if len(table.Rows) != len(layouts) {
		t.Errorf("%d rows for %d layouts", len(table.Rows), len(layouts))
	}
}

func TestSpeedTableCanFail(t *testing.T) {
	table, err := Run(context.Background(), "speed", Config{Scale: 0.001, fault: unscored})
	if err != nil {
		t.Fatal(err)
	}
	if table.OK() {
		t.Error("the mistake went unnoticed")
	}
}

// The symbols that copies are made of are uniform and unlike each other.
func TestDrawnSymbols(t *testing.T) {
	for _, q := range []int{2, 3, 4} {
		const n = 50_000
		counts, same := make([]float64, q), share{}
		for i := range n {
			x := drawn(i, i%speedSites, q)
			counts[x]++
			same.add(x == drawn(i+1, i%speedSites, q))
		}
		square := 0.0
		for _, c := range counts {
			square += (c - n/float64(q)) * (c - n/float64(q)) / (n / float64(q))
		}
		if square > chiSquareLimit(float64(q-1)) {
			t.Errorf("%d alternatives: counts %v", q, counts)
		}
		if low, high := same.wilson(z99); low > 1/float64(q) || high < 1/float64(q) {
			t.Errorf("%d alternatives: copies agree at %v of sites", q, same)
		}
	}
}

// Bytes are what the layouts of package trace take.
func TestScannerBytes(t *testing.T) {
	for _, tt := range []struct {
		cycle []int
		bytes int
	}{{[]int{2}, 25}, {[]int{4}, 50}, {[]int{2, 3, 4}, 45}} {
		l := layout{"arbitrary", nil, tt.cycle}
		if got := l.scanner(noFault, 1).bytes; got != tt.bytes {
			t.Errorf("%v: %d bytes a copy, want %d", tt.cycle, got, tt.bytes)
		}
	}
}
