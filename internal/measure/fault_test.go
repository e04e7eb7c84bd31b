package measure

import (
	"context"
	"testing"
)

// TestTablesCanFail makes one mistake at a time, as somebody could, and
// expects the table to notice. A harness that cannot fail shows nothing.
func TestTablesCanFail(t *testing.T) {
	tests := []struct {
		table string
		fault fault
	}{
		{"source", halvedP},
		{"pairs", noUnion},
		{"innocents", halvedP},
		{"innocents", sharedDraws},
		{"innocents", shortTail},
		{"family", noUnion},
		{"family", sharedDraws},
		{"anytime", summedBets},
		{"anytime", scoredTwice},
		{"pvalue", halvedP},
		{"pvalue", shortTail},
		{"align", lostBits},
		{"posterior", noUnion},
	}
	for _, tt := range tests {
		t.Run(tt.table, func(t *testing.T) {
			table, err := Run(context.Background(), tt.table, Config{Scale: min(scale(), 0.02), fault: tt.fault})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range table.Checks {
				if !c.OK {
					t.Logf("noticed: %s: got %s, %s", c.Claim, c.Got, c.Limit)
				}
			}
			if table.OK() {
				t.Error("the mistake went unnoticed")
			}
		})
	}
}
