package testworld

import (
	"math"
	"slices"
	"strings"
	"testing"

	"chancery/cable"
	"chancery/internal/press"
)

var prose = []string{
	`The ambassador said that he was prepared to continue the talks, but he doubted whether an important decision could be ` +
		`reached before the end of the week. “This is a serious problem,” the minister replied, “and we must begin at once.”`,
	`2. I believe that the minister is right. However, it is clear that several well-known officials [less than 1 line not ` +
		`declassified] wanted to avoid a large meeting, and a serious effort to help them would be useful. A brace { and a ` +
		`bar | stand here.`,
	`I think we should try to meet the Minister again; a number of questions remain. He said "in fact, an important one" twice.`,
}

func draftOf(t *testing.T, perWord float64, seed uint64) *cable.Draft {
	t.Helper()
	text := Draft("X 1", prose, perWord, Random(seed, "draft"))
	d, err := cable.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return d
}

// The record text is the prose itself, whatever was put in.
func TestDraftKeepsRecord(t *testing.T) {
	for seed := range uint64(50) {
		d := draftOf(t, 1, seed)
		for i := range d.Paragraphs {
			if got := d.RenderParagraph(i, make([]int, len(d.Groups))); got != prose[i] {
				t.Errorf("seed %d: paragraph %d became %q", seed, i+1, got)
			}
		}
	}
}

func TestDraftLeavesAlone(t *testing.T) {
	for seed := range uint64(50) {
		d := draftOf(t, 1, seed)
		if len(d.Sites) < 8 {
			t.Errorf("seed %d: %d sites", seed, len(d.Sites))
		}
		for _, w := range d.Warnings() {
			t.Errorf("seed %d: %d:%d: %s", seed, w.Line, w.Column, w.Msg)
		}
		for _, s := range d.Sites {
			if first := s.Alternatives[0]; slices.Contains([]string{"problem", "begin", "at once", "in fact", "known", "Minister"}, first) {
				t.Errorf("seed %d: a site at %q", seed, first)
			}
		}
	}
}

func TestDraftBits(t *testing.T) {
	words := 0
	for _, p := range prose {
		words += len(wordPattern.FindAllString(p, -1))
	}
	for _, perWord := range []float64{0.05, 0.1, 0.2} {
		want := perWord * float64(words)
		if got := draftOf(t, perWord, 1).Bits(); got < want || got > want+2 {
			t.Errorf("%.2f bits for %d words, want %.2f and at most one site more", got, words, want)
		}
	}
}

func TestDraftCapitals(t *testing.T) {
	text := Draft("X 1", []string{"However, there I believe it. Obviously not."}, 9, Random(1))
	for _, want := range []string{"{However|Nonetheless|Even so}", "{I believe|I think|I am convinced}", "{Obviously|Self-evidently|Apparently}"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

// Every set must be told apart by the tracer, and hold what a site may hold.
func TestTable(t *testing.T) {
	sets, words := 0, map[string]bool{}
	for line := range strings.Lines(alternativesText) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		sets++
		set := strings.Split(strings.TrimPrefix(line, ">"), "|")
		if len(set) < 2 || len(set) > 4 {
			t.Errorf("%q has %d members", line, len(set))
		}
		seen := map[string]bool{}
		for _, s := range set {
			key := strings.Join(cable.Words(s), " ")
			if key == "" || seen[key] || s != strings.TrimSpace(s) || s != strings.ToLower(s) {
				t.Errorf("%q in %q", s, line)
			}
			if n := len(strings.Fields(s)); n > maxPhrase && s == set[0] {
				t.Errorf("%q has %d words and would never be found", s, n)
			}
			seen[key] = true
			words[s] = true
		}
	}
	if sets < 300 {
		t.Errorf("%d sets", sets)
	}
	for key, set := range table() {
		if set[0] != key {
			t.Errorf("%q has %q first", key, set[0])
		}
	}
}

func TestSourceIsFixed(t *testing.T) {
	if Random(1, "a").Uint64() != Random(1, "a").Uint64() {
		t.Error("one name, two streams")
	}
	if Random(1, "a").Uint64() == Random(1, "b").Uint64() || Random(1, "a", "b").Uint64() == Random(1, "ab").Uint64() {
		t.Error("two names, one stream")
	}
}

func TestRetype(t *testing.T) {
	text := strings.Repeat("the quick brown fox jumps over the lazy dog, 1914. ", 400)
	if got := Retype(text, 0, Random(1)); got != text {
		t.Error("slips where there should be none")
	}
	got := Retype(text, 0.01, Random(1))
	changed := 0
	for i, w := range strings.Fields(text) {
		if strings.Fields(got)[i] != w {
			changed++
		}
	}
	letters := 35 * 400
	if expected := 0.01 * float64(letters); math.Abs(float64(changed)-expected) > 5*math.Sqrt(expected) {
		t.Errorf("%d words changed, expected about %.0f", changed, expected)
	}
	if len(strings.Fields(got)) != len(strings.Fields(text)) || strings.Count(got, "1914") != 400 {
		t.Error("words were lost, or figures mistyped")
	}
}

func TestHouses(t *testing.T) {
	for _, tt := range []struct{ house, in, want string }{
		{"British", "Mr. Hart favored an organized program toward defense, trade, and aid.", "Mr Hart favoured an organised programme towards defence, trade and aid."},
		{"British", "“We recognize it,” he said; 5 men — 30 percent — came.", "‘We recognise it,’ he said; five men – 30 per cent – came."},
		{"British", "A vigorous analysis, with emphasis on percentages.", "A vigorous analysis, with emphasis on percentages."},
		{"American", "The centre’s labour, trade and defence.", "The center's labor, trade, and defense."},
		{"American", "“Three of them recognised the emphasis of the analysis towards ten per cent.”", `"3 of them recognized the emphasis of the analysis toward 10 percent."`},
		{"American", "He organizes the center.", "He organizes the center."},
	} {
		house := British
		if tt.house == "American" {
			house = American
		}
		if got := house.Edit(tt.in); got != tt.want {
			t.Errorf("%s: %q\n became %q\n   want %q", tt.house, tt.in, got, tt.want)
		}
	}
}

func TestSwap(t *testing.T) {
	sizes := []int{2, 3, 4, 2, 16}
	word, changed, r := make([]int, 5), 0, Random(1, "swap")
	for range 2000 {
		for g, x := range Swap(word, sizes, 0.25, r) {
			if x < 0 || x >= sizes[g] {
				t.Fatalf("symbol %d of %d", x, sizes[g])
			}
			if x != word[g] {
				changed++
			}
		}
	}
	if math.Abs(float64(changed)-2500) > 5*math.Sqrt(10000*.25*.75) {
		t.Errorf("%d symbols of 10000 changed, expected 2500", changed)
	}
	for g, x := range Outsider(sizes, Random(1)) {
		if x < 0 || x >= sizes[g] {
			t.Errorf("symbol %d of %d", x, sizes[g])
		}
	}
}

func TestSentences(t *testing.T) {
	p := "He came. “Did he?” Yes! 2. Nobody saw it at 3.15 p.m. today. So be it."
	got := Sentences(p)
	want := []string{"He came.", "“Did he?”", "Yes! 2.", "Nobody saw it at 3.15 p.m. today.", "So be it."}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if strings.Join(got, " ") != p {
		t.Error("sentences do not make up their paragraph")
	}
}

func TestSplice(t *testing.T) {
	a := strings.Repeat("It is large. He is glad.\n\n", 100)
	b := strings.Repeat("It is big. He is pleased.\n\n", 100)
	got := Splice([]string{a, b}, Random(1))
	count := func(s string) int { return strings.Count(got, s) }
	if count("large")+count("big") != 100 || count("glad")+count("pleased") != 100 {
		t.Error("sentences were lost")
	}
	for _, mixed := range []string{"large. He is pleased", "big. He is glad", "large. He is glad", "big. He is pleased"} {
		if n := count(mixed); n < 10 || n > 40 {
			t.Errorf("%q stands %d times of 100", mixed, n)
		}
	}
}

func TestExcerpt(t *testing.T) {
	text := "a b c d e\n\nf g h i j\n\nk l m n o p q r s t\n"
	for seed := range uint64(40) {
		got := Excerpt(text, 0.35, Random(seed))
		words := strings.Fields(got)
		if len(words) != 7 || !strings.Contains(strings.Join(strings.Fields(text), " "), strings.Join(words, " ")) {
			t.Errorf("seed %d: %q", seed, got)
		}
		if strings.Contains(got, "e f") || strings.Contains(got, "j k") {
			t.Errorf("seed %d: paragraphs run together in %q", seed, got)
		}
	}
	if got := Excerpt(text, 1, Random(1)); got != text {
		t.Errorf("the whole is %q", got)
	}
}

// What papers print of a cable is read back as it was, between other words.
func TestReports(t *testing.T) {
	body := strings.Join(prose, "\n\n")
	for paper := Wire; paper <= Site; paper++ {
		for seed := range uint64(20) {
			r := Random(seed, "report")
			fragments := Fragments(body, 5, 6, 14, r)
			a, err := press.Read(paper.Name(1), paper.Report(fragments, r))
			if err != nil {
				t.Fatal(err)
			}
			quoted := "|"
			for _, b := range a.Blocks {
				for _, q := range b.Quotes {
					quoted += strings.Join(cable.Words(b.Text[q.Start:q.End]), " ") + "|"
				}
				for _, clutter := range []string{"gardens", "Sport", "rights reserved"} {
					if strings.Contains(b.Text, clutter) {
						t.Errorf("%s: %q is left", paper.Name(1), b.Text)
					}
				}
			}
			for _, f := range fragments {
				words := strings.Join(cable.Words(f), " ")
				if !balanced(f) || strings.Contains(quoted, "|"+words+"|") {
					continue // half of a quotation within is read as it can be
				}
				t.Errorf("%s: no quotation %q in %q", paper.Name(1), words, quoted)
			}
		}
	}
}

// balanced says whether a fragment holds no mark of a quotation within it.
func balanced(f string) bool { return !strings.ContainsAny(f, "“”\"") }
