package cli

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"

	"chancery/internal/fault"
	"chancery/trace"
)

// findingJSON is a finding as other programs read it. Lists are never null;
// probabilities are raw, per copy or tuple, before multiplicity.
type findingJSON struct {
	Outcome      trace.Outcome `json:"outcome"`
	Eps          float64       `json:"eps"`
	Readers      int           `json:"readers"`
	Named        []namedJSON   `json:"named"`
	Fit          []fitJSON     `json:"fit"`
	FitExpected  float64       `json:"fit_expected"`
	NoneOfThese  []float64     `json:"none_of_these"`
	BitsRead     float64       `json:"bits_read"`
	SitesRead    int           `json:"sites_read"`
	WordsMatched int           `json:"words_matched"`
	WordsNeeded  neededJSON    `json:"words_needed"`
	Passages     []passageJSON `json:"passages"`
	Look         int           `json:"look"`
	FitPercent   int           `json:"fit_percent"`
	CMax         int           `json:"c_max"`
	PriorsNone   []int         `json:"priors_none_percent"`
	Notes        []string      `json:"notes"`
}

type namedJSON struct {
	Reader      string   `json:"reader"`
	Cables      []string `json:"cables"`
	PLower      float64  `json:"p_lower"`
	PUpper      float64  `json:"p_upper"`
	PLimit      float64  `json:"p_limit"`
	Log10PUpper float64  `json:"log10_p_upper"`
	E           float64  `json:"e"`
	Log10E      float64  `json:"log10_e"`
	With        []string `json:"with"`
	By          []string `json:"by"`
	AssumesCMax bool     `json:"assumes_c_max"`
}

type fitJSON struct {
	Reader    string    `json:"reader"`
	Posterior []float64 `json:"posterior"`
}

type neededJSON struct {
	Median *int `json:"median"`
	P90    *int `json:"p90"`
}

type passageJSON struct {
	Leak      string `json:"leak"`
	Text      string `json:"text"`
	Cable     string `json:"cable"`
	Paragraph int    `json:"paragraph"`
	Quoted    bool   `json:"quoted"`
	Counted   bool   `json:"counted"`
}

// clamp keeps a positive figure within what every JSON reader can hold.
func clamp(x float64) float64 { return min(max(x, 1e-300), 1e300) }

// finite keeps a logarithm within the same.
func finite(x float64) float64 { return min(max(x, -1e15), 1e15) }

func (t *tracing) json() findingJSON {
	f := t.finding
	out := findingJSON{
		Outcome: f.Outcome, Eps: f.Eps, Readers: f.Readers, Named: []namedJSON{}, Fit: []fitJSON{},
		FitExpected: f.FitExpected, NoneOfThese: f.None, BitsRead: f.BitsRead, SitesRead: f.GroupsRead,
		WordsMatched: t.wordsMatched(), WordsNeeded: neededJSON{t.median, t.p90}, Passages: []passageJSON{},
		Look: len(t.inquiry.Looks), FitPercent: t.rule.FitPercent, CMax: t.rule.MaxContributors,
		PriorsNone: t.rule.NonePercent, Notes: append([]string{}, t.notes...),
	}
	for _, n := range f.Named {
		out.Named = append(out.Named, t.namedJSON(n))
	}
	for _, x := range f.Fit {
		out.Fit = append(out.Fit, fitJSON(x))
	}
	for _, p := range t.passages {
		out.Passages = append(out.Passages, passageJSON{p.Leak, p.Text, t.books[p.Cable].Reference, p.Paragraph,
			p.Quoted, !p.Repeats && !p.Ambiguous})
	}
	return out
}

func (t *tracing) namedJSON(n trace.Named) namedJSON {
	x := namedJSON{
		Reader: n.Reader, Cables: []string{}, PLower: clamp(n.P.Lower()), PUpper: clamp(n.P.Upper()), PLimit: n.Limit,
		Log10PUpper: finite(n.P.Log10Upper()), E: clamp(math.Exp(n.LogE)), Log10E: finite(n.LogE / math.Ln10),
		With: append([]string{}, n.With...), By: []string{}, AssumesCMax: n.AssumesCMax,
	}
	for _, k := range n.Cables {
		x.Cables = append(x.Cables, t.books[k].Reference)
	}
	if n.ByP && len(n.With) == 0 {
		x.By = append(x.By, "single")
	}
	if n.Attack != "" {
		x.By = append(x.By, "joint:"+string(n.Attack))
	}
	if n.ByE {
		x.By = append(x.By, "any-time")
	}
	return x
}

func (t *tracing) wordsMatched() int {
	n := 0
	for _, p := range t.passages {
		if !p.Repeats {
			n += p.Words
		}
	}
	return n
}

// print says the finding in words.
func (t *tracing) print(w io.Writer, o traceOptions) {
	t.printPassages(w)
	fmt.Fprintln(w)
	t.printOutcome(w, o.ShowFit)
	t.printFoot(w, o)
}

func (t *tracing) printOutcome(w io.Writer, showFit bool) {
	switch t.finding.Outcome {
	case trace.CopyNamed:
		t.printNamed(w)
	case trace.NoSingleCopy:
		t.printNoSingleCopy(w)
	case trace.SomeFit:
		t.printSomeFit(w, showFit)
	default:
		t.printCannotSay(w, showFit)
	}
}

func (t *tracing) printPassages(w io.Writer) {
	if len(t.passages) == 0 {
		fmt.Fprintf(w, "Read: no words of %s.\n", t.cables())
		return
	}
	fmt.Fprintf(w, "Read: %s of %s.\n", count(t.wordsMatched(), "word"), t.cables())
	for _, p := range t.passages {
		mark := " "
		if p.Repeats {
			mark = "="
		} else if p.Ambiguous {
			mark = "?"
		}
		fmt.Fprintf(w, " %s %s, paragraph %d of %s: %s\n", mark, fault.Escape(filepath.Base(p.Leak)), p.Paragraph,
			fault.Escape(t.books[p.Cable].Reference), shorten(p.Text, 100))
	}
	if t.anyPassage(func(p trace.Passage) bool { return p.Repeats }) {
		fmt.Fprintln(w, "   = repeats words read elsewhere and counts once")
	}
	if t.anyPassage(func(p trace.Passage) bool { return p.Ambiguous }) {
		fmt.Fprintln(w, "   ? fits two cables about as well and counts for neither")
	}
}

func (t *tracing) anyPassage(is func(trace.Passage) bool) bool {
	for _, p := range t.passages {
		if is(p) {
			return true
		}
	}
	return false
}

func (t *tracing) cables() string {
	if len(t.books) == 1 {
		return fault.Escape(t.books[0].Reference)
	}
	return fmt.Sprintf("%d cables", len(t.books))
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (t *tracing) printRead(w io.Writer) {
	fmt.Fprintf(w, "%s with alternatives could be read, %.1f bits in all; %s had a copy.\n",
		count(t.finding.GroupsRead, "place"), t.finding.BitsRead, count(t.finding.Readers, "reader"))
}

func (t *tracing) printNamed(w io.Writer) {
	for i, n := range t.finding.Named {
		if i == 0 {
			fmt.Fprintf(w, "COPY NAMED: the copy of %s\n", n.Reader)
		} else {
			fmt.Fprintf(w, "and the copy of %s\n", n.Reader)
		}
		t.printBound(w, n)
	}
	t.printRead(w)
	fmt.Fprintf(w, `
If the source of these words had nothing from copy X, the chance that this procedure would name X
or any other such copy is at most %s. It is not the probability that X's reader had no
part in this, and it does not say who passed the words on.
`, oneIn(t.finding.Eps))
}

func (t *tracing) printBound(w io.Writer, n trace.Named) {
	if len(n.With) > 0 {
		fmt.Fprintf(w, "  taken together with %s (decoder for %s)\n", strings.Join(n.With, " and "), n.Attack)
	}
	if n.ByP {
		fmt.Fprintf(w, "  a copy drawn afresh would agree so well with probability %s; the limit was %s\n",
			power(n.P.Log10Upper()), power(math.Log10(n.Limit)))
	}
	if n.ByE {
		fmt.Fprintf(w, "  any-time e-value %s; the limit was %s\n", power(n.LogE/math.Ln10),
			power(math.Log10(2*float64(t.finding.Readers)/t.finding.Eps)))
	}
	if n.AssumesCMax {
		fmt.Fprintf(w, "  this assumes that at most %d readers combined their copies\n", t.rule.MaxContributors)
	}
}

// power writes a number given by its decimal logarithm.
func power(log10 float64) string {
	e := math.Floor(log10)
	return fmt.Sprintf("%.1fe%+03.0f", math.Pow(10, log10-e), e)
}

// oneIn writes a probability as a person says it.
func oneIn(p float64) string {
	if n := 1 / p; n >= 2 && math.Abs(n-math.Round(n)) < 1e-6*n {
		return fmt.Sprintf("1 in %.0f", n)
	}
	return fmt.Sprintf("%g", p)
}

func (t *tracing) printNoSingleCopy(w io.Writer) {
	fmt.Fprintf(w, "NO SINGLE COPY explains the words with at most %d %% altered.\n", t.rule.FitPercent)
	t.printRead(w)
	fmt.Fprintln(w, "They may come from a draft, from several copies, from a retelling, or from somebody who is not on the list.")
}

func (t *tracing) printSomeFit(w io.Writer, show bool) {
	f := t.finding
	fmt.Fprintf(w, "SOME FIT: %d of %d copies still fit; %.1f would by chance, beside a source.\n", len(f.Fit), f.Readers, f.FitExpected)
	t.printRead(w)
	fmt.Fprintln(w, "Nobody is named: the words are too few. A copy that fits is not evidence against its reader.")
	t.printFit(w, show)
	t.printNeeded(w)
}

func (t *tracing) printCannotSay(w io.Writer, show bool) {
	fmt.Fprintln(w, "CANNOT SAY whose copy the words came from.")
	if len(t.passages) == 0 {
		fmt.Fprintln(w, "No words of the cable were found in what was read.")
		return
	}
	t.printRead(w)
	t.printFit(w, show)
	t.printNeeded(w)
}

func (t *tracing) printFit(w io.Writer, show bool) {
	if len(t.finding.Fit) == 0 {
		return
	}
	if !show {
		fmt.Fprintln(w, "Their ids are not shown; --show-fit prints them.")
		return
	}
	fmt.Fprintf(w, "Copies that fit, best first, with the chance under three assumptions (no copy of these: %s):\n",
		percents(t.rule.NonePercent))
	for _, x := range t.finding.Fit {
		fmt.Fprintf(w, "  %-30s", x.Reader)
		for _, p := range x.Posterior {
			fmt.Fprintf(w, " %5.1f%%", 100*p)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "  %-30s", "none of these")
	for _, p := range t.finding.None {
		fmt.Fprintf(w, " %5.1f%%", 100*p)
	}
	fmt.Fprintln(w)
}

func percents(figures []int) string {
	var out []string
	for _, p := range figures {
		out = append(out, fmt.Sprintf("%d %%", p))
	}
	return strings.Join(out, ", ")
}

func (t *tracing) printNeeded(w io.Writer) {
	if t.median == nil {
		fmt.Fprintln(w, "No number of further words of this cable would be enough to name one copy.")
		return
	}
	fmt.Fprintf(w, "About %s would be enough to name one source (%d in nine cases of ten).\n", count(*t.median, "further word"), *t.p90)
}

func (t *tracing) printFoot(w io.Writer, o traceOptions) {
	fmt.Fprintln(w)
	for _, n := range t.notes {
		fmt.Fprintln(w, "Note:", n)
	}
	fmt.Fprintln(w, "Whoever holds the codebook could have made any copy: this is intelligence, not evidence, unless the")
	fmt.Fprintln(w, "commitment was published before the copies left.")
	if o.Case == "" {
		return
	}
	fmt.Fprintf(w, "Look %d of the case was recorded in %s.\n", len(t.inquiry.Looks), fault.Escape(o.Case))
}
