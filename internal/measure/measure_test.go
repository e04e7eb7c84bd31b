package measure

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// scale is that of the tests: a twentieth, less under the race detector,
// which makes them ten times as slow, or all in `make soak`.
func scale() float64 {
	switch {
	case os.Getenv("CHANCERY_SOAK") != "":
		return 1
	case raced:
		return 0.004
	}
	return 0.05
}

// draft is the draft of the demo, so that the tables read leaks of it as well.
func draft(t *testing.T) []byte {
	data, err := os.ReadFile("../demo/scene/draft.txt")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTables(t *testing.T) {
	for _, e := range Tables {
		t.Run(e.Name, func(t *testing.T) {
			start := time.Now()
			table, err := Run(context.Background(), e.Name, Config{Scale: scale(), Draft: draft(t)})
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			if err := table.WriteText(&b); err != nil {
				t.Fatal(err)
			}
			t.Logf("%v\n%s", time.Since(start), b.String())
			for _, c := range table.Checks {
				if !c.OK {
					t.Errorf("%s: got %s, %s", c.Claim, c.Got, c.Limit)
				}
			}
		})
	}
}
