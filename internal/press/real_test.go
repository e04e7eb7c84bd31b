package press

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chancery/cable"
)

// The reports this project is built from are not ours to print, so this test
// reads them from a folder and names short phrases of them only.
func TestRealReports(t *testing.T) {
	dir := os.Getenv("CHANCERY_PRESS")
	if dir == "" {
		t.Skip("SKIP: CHANCERY_PRESS does not name the folder of the reports")
	}
	want := map[string][]string{
		"000_": {"inept", "clumsy", "under the bus", "career could end in disgrace,", "knife fights.",
			"matter of great regret", "enormous debt of gratitude.", "profoundly", "outrageous leak"},
		"001_": {"inept", "clumsy.", "inept,", "insecure,", "incompetent.", "end in disgrace",
			"the worst cannot be ruled out.", "we will no longer deal with him"},
		"002_": {"insecure", "incompetent.", "deep personal regret,", "dignity, professionalism and class.",
			"You were simply doing your job,", "beyond unfair and wrong."},
	}
	paragraphs := map[string]int{"000_": 11, "001_": 7, "002_": 13}
	for prefix, phrases := range want {
		a := readReal(t, dir, prefix)
		if len(a.Blocks) != paragraphs[prefix] {
			t.Errorf("%s: %d paragraphs, want %d", prefix, len(a.Blocks), paragraphs[prefix])
		}
		spans := quoted(a)
		for _, p := range phrases {
			if !slices.Contains(spans, p) {
				t.Errorf("%s: no quotation %q in %q", prefix, p, spans)
			}
		}
		for _, b := range a.Blocks {
			for _, cut := range []string{"Also Read", "Big Tech", "Snaps at", "Electoral College"} {
				if strings.Contains(b.Text, cut) {
					t.Errorf("%s: headline of another story left: %q", prefix, cut)
				}
			}
		}
	}
}

// A quotation of two paragraphs has its second mark at the end of the second.
func TestRealRunsOn(t *testing.T) {
	dir := os.Getenv("CHANCERY_PRESS")
	if dir == "" {
		t.Skip("SKIP: CHANCERY_PRESS does not name the folder of the reports")
	}
	a := readReal(t, dir, "002_")
	for _, b := range a.Blocks[9:11] {
		last := b.Quotes[len(b.Quotes)-1]
		if tail := b.Text[last.End:]; tail != "" && tail != "”" {
			t.Errorf("quotation ends early, before %q", tail)
		}
	}
	if n := len(a.Blocks[10].Quotes); n != 1 {
		t.Errorf("%d quotations, want 1", n)
	}
}

func readReal(t *testing.T, dir, prefix string) cable.Article {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("reports %s*: %v, %v", prefix, files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	a, err := Read(filepath.Base(files[0]), data)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// quoted returns the words of all quotations.
func quoted(a cable.Article) []string {
	var out []string
	for _, b := range a.Blocks {
		for _, s := range b.Quotes {
			out = append(out, b.Text[s.Start:s.End])
		}
	}
	return out
}
