package measure

import (
	"context"
	"testing"
)

// TestTablesCanFail makes one mistake at a time, as somebody could, and
// expects the table to notice. A harness that cannot fail shows nothing.
func TestTablesCanFail(t *testing.T) {
	if raced {
		t.Skip("TestTables runs the same code: make figures runs this, without the race detector")
	}
	tests := []struct {
		table string
		fault fault
	}{
		{table: "source", fault: halvedP},
		{table: "pairs", fault: noUnion},
		{table: "innocents", fault: halvedP},
		{table: "innocents", fault: sharedDraws},
		{table: "innocents", fault: shortTail},
		{table: "family", fault: noUnion},
		{table: "family", fault: sharedDraws},
		{table: "anytime", fault: summedBets},
		{table: "anytime", fault: scoredTwice},
		{table: "pvalue", fault: halvedP},
		{table: "pvalue", fault: shortTail},
		{table: "align", fault: lostBits},
		{table: "posterior", fault: noUnion},
	}
	for _, tt := range tests {
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
