package cli

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"chancery/cable"
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
	if n.ByP && n.Attack == "" {
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
	words := "no words"
	if len(t.passages) > 0 {
		words = count(t.wordsMatched(), "word")
	}
	fmt.Fprintf(w, "Read%s: %s of %s.\n", t.inThisLook(), words, t.cables())
	seen := map[string]bool{}
	for i, p := range t.passages {
		mark := t.passageMark(i)
		seen[mark] = true
		fmt.Fprintf(w, " %s %s, paragraph %d of %s: %s\n", mark, fault.Escape(t.shortName(p.Leak)), p.Paragraph,
			fault.Escape(t.books[p.Cable].Reference), shorten(p.Text, 100))
	}
	for _, m := range passageMarks {
		if seen[m.mark] {
			fmt.Fprintf(w, "   %s %s\n", m.mark, m.meaning)
		}
	}
	if t.laterLook() && len(t.passages) > 0 && len(t.inquiry.Looks[len(t.inquiry.Looks)-1].Readings) == 0 {
		fmt.Fprintln(w, t.nothingNew())
	}
}

// passageMarks are what stands before a passage that adds nothing.
var passageMarks = []struct{ mark, meaning string }{
	{"=", "repeats words read elsewhere and counts once"},
	{"?", "fits two cables about as well and counts for neither"},
	{"-", "was read in an earlier look of the case and adds nothing"},
}

func (t *tracing) passageMark(i int) string {
	switch p := t.passages[i]; {
	case p.Repeats:
		return "="
	case p.Ambiguous:
		return "?"
	case t.earlier[i]:
		return "-"
	}
	return " "
}

// nothingNew says why a later look with passages read no group.
func (t *tracing) nothingNew() string {
	if slices.Contains(t.earlier, true) {
		return "Nothing new: every place was read in an earlier look."
	}
	return "Nothing new: no place with alternatives could be read in this look."
}

// laterLook says that the case had looks before this one.
func (t *tracing) laterLook() bool { return len(t.inquiry.Looks) > 1 }

func (t *tracing) inThisLook() string {
	if t.laterLook() {
		return " in this look"
	}
	return ""
}

// shortName is the end of a leak's path that tells it from the other leaks.
func (t *tracing) shortName(leak string) string {
	parts := strings.Split(filepath.ToSlash(leak), "/")
	for k := len(parts) - 1; k > 0; k-- {
		end := strings.Join(parts[k:], "/")
		if !slices.ContainsFunc(t.articles, func(a cable.Article) bool {
			return a.Name != leak && strings.HasSuffix("/"+filepath.ToSlash(a.Name), "/"+end)
		}) {
			return end
		}
	}
	return leak
}

func (t *tracing) cables() string {
	if len(t.books) == 1 {
		return fault.Escape(t.books[0].Reference)
	}
	return fmt.Sprintf("%d cables", len(t.books))
}

// count writes a number of things that are counted in the regular way.
func count(n int, noun string) string {
	stem, ok := strings.CutSuffix(noun, "y")
	switch {
	case n == 1:
		return "1 " + noun
	case ok:
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (t *tracing) printRead(w io.Writer) {
	looks := ""
	if t.laterLook() {
		looks = fmt.Sprintf(" in %d looks", len(t.inquiry.Looks))
	}
	fmt.Fprintf(w, "%s with alternatives could be read%s, %.1f bits in all; %s had a copy.\n",
		count(t.finding.GroupsRead, "place"), looks, t.finding.BitsRead, count(t.finding.Readers, "reader"))
}

func (t *tracing) printNamed(w io.Writer) {
	for i, n := range t.finding.Named {
		if i == 0 {
			fmt.Fprintf(w, "COPY NAMED: %s\n", t.copyOf(n))
		} else {
			fmt.Fprintf(w, "and %s\n", t.copyOf(n))
		}
		t.printBound(w, n)
	}
	t.printRead(w)
	fmt.Fprintf(w, `
If the source of these words had nothing from copy X, the chance that this procedure would name X
or any other such copy is at most %s. It is not the probability that X's reader had no
part in this, and it does not say who passed the words on.
`, oneIn(t.finding.Eps))
	if t.finding.Readers <= t.rule.PairReaders {
		fmt.Fprintf(w, "This takes it that the words read come from at most %d readers' copies.\n", t.rule.MaxContributors)
	}
	if len(t.books) > 1 {
		fmt.Fprintln(w, "Copies of several cables are judged together: of which of them the words are is not said. Trace one by itself for that.")
	}
}

// copyOf says whose copy was named. Of several cables only one copy need be
// behind the words.
func (t *tracing) copyOf(n trace.Named) string {
	if len(n.Cables) < 2 {
		return "the copy of " + n.Reader
	}
	var names []string
	for _, k := range n.Cables {
		names = append(names, fault.Escape(t.books[k].Reference))
	}
	return fmt.Sprintf("at least one of the copies of %s (%s)", n.Reader, strings.Join(names, "; "))
}

func (t *tracing) printBound(w io.Writer, n trace.Named) {
	if n.Attack != "" {
		others := slices.Clone(n.With)
		if n.Others > 0 {
			others = append(others, count(n.Others, "copy")+" not named")
		}
		fmt.Fprintf(w, "  taken together with %s (decoder for %s)\n", strings.Join(others, " and "), n.Attack)
	}
	if n.ByP {
		agree := "a copy drawn afresh would agree so well"
		if t.laterLook() {
			agree += " with the words of the first look"
		}
		fmt.Fprintf(w, "  %s with probability %s; the limit was %s\n    (1 in %s; 1 in %s was needed)\n", agree,
			power(n.P.Log10Upper()), power(math.Log10(n.Limit)), inWords(-n.P.Log10Upper()), inWords(-math.Log10(n.Limit)))
	}
	if n.ByE {
		fmt.Fprintf(w, "  any-time e-value %s; the limit was %s\n    (%s; %s was needed)\n", power(n.LogE/math.Ln10), power(t.needE()),
			inWords(n.LogE/math.Ln10), inWords(t.needE()))
	}
	if n.AssumesCMax {
		fmt.Fprintf(w, "  this assumes that at most %d readers combined their copies\n", t.rule.MaxContributors)
	}
}

// needE is the decimal logarithm of the e-value that names a copy.
func (t *tracing) needE() float64 {
	return math.Log10(2 * float64(t.finding.Readers) / t.finding.Eps)
}

// inWords writes a number of 1 or more, given by its decimal logarithm, as a
// person says it: two digits that count.
func inWords(log10 float64) string {
	if log10 >= 15 {
		return "more than 1000 trillion"
	}
	n, unit := math.Pow(10, max(0, log10)), ""
	step := math.Pow(10, max(0, math.Floor(math.Log10(n))-1))
	n = math.Round(n/step) * step
	for _, u := range []struct {
		size float64
		name string
	}{{1e12, " trillion"}, {1e9, " billion"}, {1e6, " million"}} {
		if n >= u.size {
			n, unit = n/u.size, u.name
			break
		}
	}
	text := strconv.FormatFloat(n, 'g', 6, 64)
	if n >= 1e4 {
		text = text[:len(text)-3] + "," + text[len(text)-3:]
	}
	return text + unit
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
	why := "the words are too few"
	if f.FitDisagrees {
		why += ", or some do not agree with any one copy"
	}
	fmt.Fprintf(w, "Nobody is named: %s.\nA copy that fits is not evidence against its reader.\n", why)
	t.printFit(w, show)
	t.printNeeded(w)
}

func (t *tracing) printCannotSay(w io.Writer, show bool) {
	fmt.Fprintln(w, "CANNOT SAY whose copy the words came from.")
	if len(t.passages) == 0 && t.finding.GroupsRead == 0 {
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
	if t.burntFits() {
		fmt.Fprintln(w, "A wording that was disclosed before the leak fits: further words cannot help while it does.")
		return
	}
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
	fmt.Fprintln(w, "Whoever holds the codebook could have made any copy, and released it: this is intelligence, not evidence.")
	if t.committed {
		fmt.Fprintln(w, "If the commitment given was published before the copies left, nothing was arranged afterwards.")
	} else {
		fmt.Fprintln(w, "A commitment published before the copies left would show at least that nothing was arranged afterwards.")
	}
	if o.Case == "" {
		return
	}
	fmt.Fprintf(w, "Look %d of the case was recorded in %s.\n", len(t.inquiry.Looks), fault.Escape(o.Case))
}
