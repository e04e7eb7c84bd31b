package cli

import (
	"math"
	"slices"
	"strings"
	"testing"

	"chancery/cable"
	"chancery/internal/codebook"
	"chancery/internal/inquiry"
	"chancery/trace"
)

// found is a tracing that has come to a finding at its last look.
func found(f trace.Finding, looks int) *tracing {
	t := &tracing{books: []*codebook.Book{{Reference: "Vale 1"}}, rule: trace.DefaultRule(), finding: f, inquiry: &inquiry.Case{}}
	t.inquiry.Looks = make([]inquiry.Look, looks)
	return t
}

// TestChart: the picture shows what a copy was named by. On a later look it
// had shown the first look's p-values, with a name and no dot beyond the line.
func TestChart(t *testing.T) {
	p := trace.Named{Reader: "p", ByP: true, LogE: 1}
	e := trace.Named{Reader: "e", ByE: true, LogE: 20}
	more := trace.Named{Reader: "more", ByE: true, LogE: 30}
	joint := trace.Named{Reader: "joint", ByP: true, Attack: trace.AllOne}
	for _, tt := range []struct {
		name  string
		named []trace.Named
		later bool
		byE   bool
		want  string
	}{
		{"nobody, first look", nil, false, false, ""},
		{"nobody, later look", nil, true, true, ""},
		{"by p", []trace.Named{p}, false, false, "p"},
		{"by p, seen again later", []trace.Named{p}, true, false, "p"},
		{"by e at a later look", []trace.Named{e, more}, true, true, "more e"},
		{"by e alone at the first", []trace.Named{e}, false, true, "e"},
		{"by both at the first", []trace.Named{p, e}, false, false, "p"},
		{"by both, later", []trace.Named{p, e}, true, true, "e"},
		{"together", []trace.Named{joint}, false, false, ""},
	} {
		f := trace.Finding{Readers: 12, Eps: 1e-3, Named: tt.named, Strengths: []float64{1}, EStrengths: []float64{2}, NeedStrength: 4}
		x := found(f, 1)
		x.observed = make([]trace.Observation, 2)
		if x.first = 2; tt.later {
			x.first = 1
		}
		c := x.chart()
		if got := strings.Join(c.Named, " "); got != tt.want || (c.Strengths[0] == 2) != tt.byE {
			t.Errorf("%s: %q, %q of %v", tt.name, got, c.Axis, c.Strengths)
		}
		if want := math.Log10(24000); tt.byE && math.Abs(c.Need-want) > 1e-9 {
			t.Errorf("%s: the line is at %g, not %g", tt.name, c.Need, want)
		}
		if tt.later && !tt.byE && !strings.HasSuffix(c.Axis, "of the first look") {
			t.Errorf("%s: %q", tt.name, c.Axis)
		}
	}
}

// TestSomeFitSaysWhy: that the words are too few is said alone only when every
// copy that fits agrees with all of them.
func TestSomeFitSaysWhy(t *testing.T) {
	for _, tt := range []struct {
		weights trace.Weights // of the last of ten places read; the others agree
		want    string
	}{
		{trace.Weights{trace.One, 0}, "Nobody is named: the words are too few.\n"},
		{trace.Weights{0, trace.One}, "Nobody is named: the words are too few, or some do not agree with any one copy.\n"},
	} {
		readers := []trace.Copies{{Reader: "a", Words: [][]int{slices.Repeat([]int{1}, 10)}}, {Reader: "b", Words: [][]int{make([]int, 10)}}}
		var obs []trace.Observation
		for g := range 10 {
			obs = append(obs, trace.Observation{Group: g, Weights: trace.Weights{trace.One, 0}})
		}
		obs[9].Weights = tt.weights
		f, err := trace.DefaultRule().Assess(t.Context(), trace.Evidence{Eps: defaultEps, Readers: readers, First: obs})
		if err != nil || f.Outcome != trace.SomeFit || len(f.Fit) != 1 || f.Fit[0].Reader != "b" {
			t.Fatalf("%v: %+v, %v", tt.weights, f, err)
		}
		var out strings.Builder
		found(f, 1).printOutcome(&out, false)
		if !strings.Contains(out.String(), tt.want) {
			t.Errorf("%v: %s", tt.weights, &out)
		}
	}
}

// TestNamedTogether: partners that are not named are counted, not called.
func TestNamedTogether(t *testing.T) {
	x := found(trace.Finding{}, 1)
	var out strings.Builder
	x.printBound(&out, trace.Named{Reader: "a", With: []string{"b"}, Others: 1, Attack: trace.AllOne})
	if want := "taken together with b and 1 copy not named (decoder for all-one)"; !strings.Contains(out.String(), want) {
		t.Errorf("%s", &out)
	}
	if by := x.namedJSON(trace.Named{Others: 1, ByP: true, Attack: trace.AllOne}).By; len(by) != 1 {
		t.Errorf("by %q", by)
	}
}

func TestInWords(t *testing.T) {
	for x, want := range map[float64]string{
		1: "1", 7.4: "7", 48_000: "48,000", 1234: "1200", 9_960: "10,000", 150_400: "150,000", 999_600: "1 million",
		29_411_764: "29 million", 2.74e12: "2.7 trillion", 3e9: "3 billion", 2e15: "more than 1000 trillion", 1e300: "more than 1000 trillion",
	} {
		if got := inWords(math.Log10(x)); got != want {
			t.Errorf("%g is %q, not %q", x, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for want, got := range map[string]string{
		"1 copy": count(1, "copy"), "2 copies": count(2, "copy"), "0 sites": count(0, "site"), "1 site": count(1, "site"),
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func TestShortName(t *testing.T) {
	x := &tracing{}
	for _, name := range []string{"a/x.txt", "b/x.txt", "/c/b/x.txt", "y.txt", "d/y.txt", "z.txt", "z.txt"} {
		x.articles = append(x.articles, cable.Article{Name: name})
	}
	for name, want := range map[string]string{
		"a/x.txt": "a/x.txt", "b/x.txt": "b/x.txt", "/c/b/x.txt": "c/b/x.txt", "y.txt": "y.txt", "d/y.txt": "d/y.txt", "z.txt": "z.txt",
	} {
		if got := x.shortName(name); got != want {
			t.Errorf("%s is called %s", name, got)
		}
	}
}
