package real

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chancery/internal/testworld"
)

// The commands themselves, as a user gives them: check, mark and trace. What
// mark draws is fresh each time, so that this test asks only for what holds
// but once in a hundred thousand runs.
func TestCommands(t *testing.T) {
	const few = 6
	for _, c := range drafts(t, folder(t, "CHANCERY_CABLES"), few, 400, 700) {
		t.Run(strings.ReplaceAll(c.id, "/", "-"), func(t *testing.T) {
			t.Parallel()
			marked := markByCommand(t, c)
			r := testworld.Random(seed, "commands", c.id)
			text, err := os.ReadFile(filepath.Join(marked, "copies", "reader-7.txt"))
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			typed := write(t, dir, "typed.txt", []byte(testworld.Retype(string(text), 0.01, r)))
			f := traceJSON(t, typed, "--eps", "1e-6", "--codebook", filepath.Join(marked, "codebook.json"))
			checkOnly(t, f, "reader-7")
			if f.WordsMatched < 9*len(strings.Fields(bodyOf(string(text))))/10 {
				t.Errorf("%d words matched of %d", f.WordsMatched, len(strings.Fields(bodyOf(string(text)))))
			}
			traceLooks(t, r, dir, filepath.Join(marked, "codebook.json"), bodyOf(string(text)))
		})
	}
}

// markByCommand writes the draft and the readers, looks it over and marks it.
func markByCommand(t *testing.T, c original) (dir string) {
	t.Helper()
	in := t.TempDir()
	draft := write(t, in, "draft.txt", []byte(c.source))
	var list strings.Builder
	for _, r := range readers(listSize) {
		list.WriteString(r.ID + "\n")
	}
	names := write(t, in, "readers.txt", []byte(list.String()))
	chancery(t, "check", draft)
	dir = filepath.Join(in, "marked")
	chancery(t, "mark", draft, "--readers", names, "--out", dir, "--plain", "--json")
	return dir
}

func checkOnly(t *testing.T, f finding, reader string) {
	t.Helper()
	if f.Outcome != "copy-named" || len(f.Named) != 1 || f.Named[0].Reader != reader {
		t.Fatalf("%s, named %+v, %.1f bits read; the words are of %s", f.Outcome, f.Named, f.BitsRead, reader)
	}
	if n := f.Named[0]; n.PUpper > n.PLimit {
		t.Errorf("p %g over its limit %g", n.PUpper, n.PLimit)
	}
}

// traceLooks adds reports to a case, one at a time: nobody but the source is
// named at any look, and the second look counts as one.
func traceLooks(t *testing.T, r interface{ Uint64() uint64 }, dir, codebook, body string) {
	t.Helper()
	for look, paper := range []testworld.Paper{testworld.Broadsheet, testworld.Site} {
		fragments := testworld.Fragments(body, 5, 10, 30, testworld.Random(r.Uint64(), "looks"))
		report := write(t, dir, paper.Name(look), paper.Report(fragments, testworld.Random(r.Uint64(), "report")))
		f := traceJSON(t, "--case", filepath.Join(dir, "leak.case"), report, "--eps", "1e-6", "--codebook", codebook)
		for _, n := range f.Named {
			if n.Reader != "reader-7" {
				t.Errorf("look %d: %s is named", look+1, n.Reader)
			}
		}
		if f.Look != look+1 {
			t.Errorf("look %d is counted as %d", look+1, f.Look)
		}
	}
}

// The longest cable there is goes through whole.
func TestLongCable(t *testing.T) {
	c := drafts(t, folder(t, "CHANCERY_CABLES"), 1, 5000, 7000)[0]
	marked := markByCommand(t, c)
	f := traceJSON(t, filepath.Join(marked, "copies", "reader-7.txt"), "--codebook", filepath.Join(marked, "codebook.json"))
	checkOnly(t, f, "reader-7")
	if f.SitesRead < 98*len(c.draft.Groups)/100 {
		t.Errorf("%d sites read of %d", f.SitesRead, len(c.draft.Groups))
	}
}
