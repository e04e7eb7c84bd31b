package real

import (
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"chancery/cable"
	"chancery/internal/codebook"
	"chancery/internal/testworld"
	"chancery/trace"
)

// The draft is an invented embassy's. At the words that the three reports
// attribute to an ambassador it offers alternatives, the reported ones first.

// reported lists what each report quotes from the cables, in its order.
var reported = map[string][]string{
	"000_": {"inept", "clumsy", "career could end in disgrace", "knife fights"},
	"001_": {"inept", "clumsy", "inept", "insecure", "incompetent", "end in disgrace", "the worst cannot be ruled out"},
	"002_": {"insecure", "incompetent"},
}

// somebodyElse lists words of other people in the same reports, or of the
// ambassador elsewhere than in a cable.
var somebodyElse = []string{
	"great regret", "debt of gratitude", "full and frank", "Good government", "public servants", "values and principles",
	"particularly when", "profoundly", "outrageous", "under the bus", // a head of government, two ministers
	"no longer deal", "wacky", "foisted", "stupid guy", "pompous fool", "thrilled", // a president
	"get by very easily", "having to meet", // a former ambassador
	"deeply worrying", "national confusion", "drama of how", // a committee's chairman
	"official documents", "speculation", "my role", "deeply touched", "friendship", "grateful", // a letter of resignation
	"personal regret", "professionalism", "doing your job", "utmost dedication", "unswerving", "diplomacy", "beyond unfair",
	"whole house", "Also Read", "Big Tech", "Snaps at", "Electoral College",
}

// reportedWords are the reported words at sites of the draft.
var reportedWords = []string{"clumsy", "inept", "insecure", "incompetent", "knife fights", "career", "could", "disgrace", "ruled out"}

// pressSeed is the first seed from which exactly one of the twelve copies carries
// every reported word; found by counting up from 0.
const pressSeed = 648

const pressReaders = 12

// A pressLeak is the marked draft and the three reports, on disk.
type pressLeak struct {
	book     *codebook.Book
	source   string   // the one copy that carries every reported word
	codebook string   // file
	reports  []string // files, as they are
}

func newPressLeak(t *testing.T) pressLeak {
	t.Helper()
	dir := folder(t, "CHANCERY_PRESS")
	text, err := os.ReadFile(filepath.Join("testdata", "press-draft.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var l pressLeak
	l.book, l.source = markUntilReported(t, parse(t, string(text)))
	l.codebook = write(t, t.TempDir(), "codebook.json", l.book.Encode())
	for _, prefix := range slices.Sorted(maps.Keys(reported)) {
		files, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("reports %s*: %v, %v", prefix, files, err)
		}
		l.reports = append(l.reports, files[0])
	}
	return l
}

// markUntilReported marks the draft for twelve readers, from one seed after
// the other, until exactly one copy carries all the reported words. The choice
// is made to have a story, and says nothing about how often readers are named.
func markUntilReported(t *testing.T, d *cable.Draft) (*codebook.Book, string) {
	t.Helper()
	for try := uint64(pressSeed); try < pressSeed+20000; try++ {
		book, err := codebook.New(d, trace.DefaultRule(), readers(pressReaders), testworld.Source(try, "press"))
		if err != nil {
			t.Fatal(err)
		}
		var carry []string
		for _, r := range book.Readers() {
			if carriesReported(d, book.Codeword(r)) {
				carry = append(carry, r.ID)
			}
		}
		if len(carry) == 1 {
			if try != pressSeed {
				t.Logf("seed %d: set pressSeed to it to save time", try)
			}
			return book, carry[0]
		}
	}
	t.Fatal("no seed gives a copy with the reported words")
	return nil, ""
}

func readers(n int) []codebook.Reader {
	out := make([]codebook.Reader, n)
	for i := range out {
		out[i].ID = "reader-" + strconv.Itoa(i+1)
	}
	return out
}

func carriesReported(d *cable.Draft, codeword []int) bool {
	for _, g := range reportedGroups(d) {
		if codeword[g] != 0 {
			return false
		}
	}
	return true
}

// reportedGroups returns the groups whose record text is a reported word.
func reportedGroups(d *cable.Draft) []int {
	var out []int
	for _, s := range d.Sites {
		if slices.Contains(reportedWords, s.Alternatives[0]) {
			out = append(out, s.Group)
		}
	}
	return out
}

func TestPressDraft(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "press-draft.txt"))
	if err != nil {
		t.Fatal(err)
	}
	d := parse(t, string(text))
	if got := len(reportedGroups(d)); got != len(reportedWords) {
		t.Errorf("%d sites at reported words, want %d", got, len(reportedWords))
	}
	if words := len(cable.Words(d.RecordText())); words < 250 || words > 420 {
		t.Errorf("the draft has %d words", words)
	}
	for _, w := range d.Warnings() {
		t.Errorf("draft %d:%d: %s", w.Line, w.Column, w.Msg)
	}
}

// Three reports as they were printed, and a codebook: some copies fit, too
// few words to name one.
func TestPress(t *testing.T) {
	l := newPressLeak(t)
	f := traceJSON(t, append([]string{"--codebook", l.codebook}, l.reports...)...)
	checkReported(t, f)
	checkNobodyElse(t, f)
	checkSomeFit(t, l, f)
}

// checkReported fails unless each report's passages are the reported phrases
// of the cables, each of them, and no other words.
func checkReported(t *testing.T, f finding) {
	t.Helper()
	found := map[string]string{}
	for _, p := range f.Passages {
		name := filepath.Base(p.Leak)
		found[name[:4]] += " / " + strings.Join(cable.Words(p.Text), " ")
		if p.Paragraph != paragraphOf(p.Text) {
			t.Errorf("%q is said to be of paragraph %d", p.Text, p.Paragraph)
		}
	}
	for prefix, phrases := range reported {
		rest := found[prefix]
		for _, phrase := range phrases {
			at := strings.Index(rest, phrase)
			if at < 0 {
				t.Errorf("report %s: %q is not among its passages %q", prefix, phrase, found[prefix])
				continue
			}
			rest = rest[:at] + rest[at+len(phrase):]
		}
		for _, word := range strings.Fields(rest) {
			if !slices.Contains([]string{"/", "and", "career", "could"}, word) {
				t.Errorf("report %s: the passages %q hold more than the reported words: %q", prefix, found[prefix], word)
			}
		}
	}
}

// paragraphOf returns the paragraph of the draft that a passage is from.
func paragraphOf(text string) int {
	for word, paragraph := range map[string]int{"inept": 2, "clumsy": 2, "insecure": 3, "incompetent": 3, "knife": 4, "disgrace": 5, "worst": 5} {
		if strings.Contains(text, word) {
			return paragraph
		}
	}
	return 0
}

func checkNobodyElse(t *testing.T, f finding) {
	t.Helper()
	for _, p := range f.Passages {
		words := " " + strings.Join(cable.Words(p.Text), " ") + " "
		for _, other := range somebodyElse {
			if strings.Contains(words, " "+strings.Join(cable.Words(other), " ")+" ") {
				t.Errorf("%s: %q is not of the cables", filepath.Base(p.Leak), p.Text)
			}
		}
	}
}

// checkSomeFit fails unless the finding is the honest one for so few words.
func checkSomeFit(t *testing.T, l pressLeak, f finding) {
	t.Helper()
	sites := reportedGroups(l.book.Draft)
	if f.Outcome != string(trace.SomeFit) || len(f.Named) != 0 || f.Named == nil || f.Readers != pressReaders {
		t.Errorf("outcome %s, named %v, %d readers", f.Outcome, f.Named, f.Readers)
	}
	if f.SitesRead != len(sites) {
		t.Errorf("%d sites read, want %d", f.SitesRead, len(sites))
	}
	if len(f.Fit) == 0 || f.Fit[0].Reader != l.source {
		t.Errorf("%v fit; %s carries the reported words", f.Fit, l.source)
	}
	// By hand: with fewer than ten sites read, a copy fits that contradicts
	// none, so each of the eleven others fits with the chance that it has the
	// same word at every site.
	expected, bits := float64(pressReaders-1), 0.0
	for _, g := range sites {
		expected /= float64(l.book.Draft.Groups[g].Size)
		bits += math.Log2(float64(l.book.Draft.Groups[g].Size))
	}
	if math.Abs(f.FitExpected/expected-1) > 1e-9 {
		t.Errorf("%g expected to fit by chance, by hand %g", f.FitExpected, expected)
	}
	if f.BitsRead > bits || f.BitsRead < 0.97*bits {
		t.Errorf("%.2f bits read of %.2f", f.BitsRead, bits)
	}
	if m, p := f.WordsNeeded.Median, f.WordsNeeded.P90; m == nil || p == nil || *m < 1 || *p < *m {
		t.Errorf("words needed: %v, %v", m, p)
	}
	if len(f.NoneOfThese) != 3 || slices.Min(f.NoneOfThese) <= 0 || slices.Max(f.NoneOfThese) >= 1 {
		t.Errorf("none of these: %v", f.NoneOfThese)
	}
}

// The terminal gives numbers; ids of copies that fit only when asked.
func TestPressInWords(t *testing.T) {
	l := newPressLeak(t)
	args := append([]string{"trace", "--codebook", l.codebook}, l.reports...)
	said := chancery(t, args...)
	for _, want := range []string{"SOME FIT: 1 of 12 copies still fit; 0.0 would by chance", "Nobody is named", "further words would be enough",
		"9 places with alternatives"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	if strings.Contains(said, "reader-") {
		t.Errorf("an id without --show-fit:\n%s", said)
	}
	if shown := chancery(t, append(args, "--show-fit")...); !strings.Contains(shown, l.source+" ") {
		t.Errorf("no %s with --show-fit:\n%s", l.source, shown)
	}
}

// One report at a time: two words of it say little, and the tool says so.
func TestPressOneByOne(t *testing.T) {
	l := newPressLeak(t)
	for _, report := range l.reports {
		f := traceJSON(t, "--codebook", l.codebook, report)
		if f.Outcome != string(trace.SomeFit) || !slices.ContainsFunc(f.Fit, func(x fitting) bool { return x.Reader == l.source }) {
			t.Errorf("%s: outcome %s, fit %v", filepath.Base(report), f.Outcome, f.Fit)
		}
	}
}
