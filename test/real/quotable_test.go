package real

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chancery/internal/wording"
)

// TestReportedPhrasesAreQuotable ranks the sentences of a draft that holds the
// words reported in three newspapers: what was quoted must stand high.
func TestReportedPhrasesAreQuotable(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "press-draft.txt"))
	if err != nil {
		t.Fatal(err)
	}
	ranked, err := wording.Quotables(data)
	if err != nil {
		t.Fatal(err)
	}
	phrases := []string{"inept", "clumsy", "insecure", "incompetent", "career could end in disgrace", "knife fights", "the worst cannot be ruled out"}
	high := 0
	for _, phrase := range phrases {
		for rank, q := range ranked {
			if strings.Contains(q.Text, phrase) {
				t.Logf("%q is in sentence %d of %d", phrase, rank+1, len(ranked))
				if 3*(rank+1) <= len(ranked) {
					high++
				}
				break
			}
		}
	}
	if high < 4 {
		t.Errorf("%d of %d reported phrases stand in the top third", high, len(phrases))
	}
}
