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
		slow  bool // too slow under the race detector, which has no part in it
	}{
		{table: "source", fault: halvedP},
		{table: "pairs", fault: noUnion, slow: true},
		{table: "innocents", fault: halvedP},
		{table: "innocents", fault: sharedDraws},
		{table: "innocents", fault: shortTail},
		{table: "family", fault: noUnion, slow: true},
		{table: "family", fault: sharedDraws, slow: true},
		{table: "anytime", fault: summedBets},
		{table: "anytime", fault: scoredTwice},
		{table: "pvalue", fault: halvedP},
		{table: "pvalue", fault: shortTail},
		{table: "align", fault: lostBits},
		{table: "posterior", fault: noUnion},
	}
	for _, tt := range tests {
		if tt.slow && raced {
			continue
		}
		t.Run(tt.table, func(t *testing.T) {
			table, err := Run(context.Background(), tt.table, Config{Scale: 0.02, fault: tt.fault})
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
