package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"chancery/cable"
	"chancery/internal/fault"
	"chancery/internal/strength"
	"chancery/internal/wording"
	"chancery/trace"
)

type checkOptions struct {
	Draft string `arg:"" help:"The draft; - is standard input."`
	JSON  bool   `name:"json" help:"Print the result as JSON."`
}

// Help is shown by chancery check --help.
func (checkOptions) Help() string {
	return `Shows what a quotation of the draft would tell before it is sent: for windows of 10, 20, 50 and 100
words and for every sentence, how many of 10, 50 and 200 readers would still fit. A reader who still
fits is not named: for that, the others must be all but ruled out. The weakest paragraphs stand first:
alternatives there help most.`
}

// Run looks over a draft.
func (o checkOptions) Run(s Streams) error {
	d, err := readDraft(s, o.Draft)
	if err != nil {
		return err
	}
	r := strength.Of(d.Draft)
	quotables, err := wording.Quotables(d.data)
	if err != nil {
		return err
	}
	if o.JSON {
		return writeJSON(s.Out, checkJSON(d.warnings(), r, quotables))
	}
	printStrength(s.Out, d.warnings(), r, o.Draft)
	if r.Sites > 0 {
		printQuotables(s.Out, quotables, r)
	}
	return nil
}

type stillFit struct {
	Readers int     `json:"readers"`
	Fit     float64 `json:"fit"`
}

type windowJSON struct {
	Words    int        `json:"words"`
	Bits     float64    `json:"bits_median"`
	Worst    float64    `json:"bits_worst"`
	StillFit []stillFit `json:"still_fit"`
}

type phraseJSON struct {
	Paragraph int        `json:"paragraph"`
	Text      string     `json:"text"`
	Words     int        `json:"words"`
	Bits      float64    `json:"bits"`
	StillFit  []stillFit `json:"still_fit"`
}

type paragraphJSON struct {
	Paragraph   int     `json:"paragraph"`
	Words       int     `json:"words"`
	Sites       int     `json:"sites"`
	Bits        float64 `json:"bits"`
	BitsPerWord float64 `json:"bits_per_word"`
}

type warningJSON struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

func fits(bits float64) []stillFit {
	var out []stillFit
	for _, n := range strength.Lists {
		out = append(out, stillFit{n, strength.StillFit(n, bits)})
	}
	return out
}

type quotableJSON struct {
	Rank      int        `json:"rank"`
	Paragraph int        `json:"paragraph"`
	Text      string     `json:"text"`
	Score     float64    `json:"score"`
	Kinds     []string   `json:"kinds"`
	Phrases   []string   `json:"phrases"`
	Bits      float64    `json:"bits"`
	StillFit  []stillFit `json:"still_fit"`
}

func checkJSON(warnings []cable.Warning, r strength.Report, quotables []wording.Quotable) any {
	out := struct {
		Words      int             `json:"words"`
		Sites      int             `json:"sites"`
		Groups     int             `json:"groups"`
		Bits       float64         `json:"bits"`
		Warnings   []warningJSON   `json:"warnings"`
		Windows    []windowJSON    `json:"windows"`
		Paragraphs []paragraphJSON `json:"paragraphs"`
		Phrases    []phraseJSON    `json:"phrases"`
		Quotable   []quotableJSON  `json:"quotable"`
	}{r.Words, r.Sites, r.Groups, r.Bits, []warningJSON{}, []windowJSON{}, []paragraphJSON{}, []phraseJSON{}, []quotableJSON{}}
	for i, q := range quotables {
		bits := r.BitsAt(q.Paragraph, q.First, q.Words)
		out.Quotable = append(out.Quotable, quotableJSON{i + 1, q.Paragraph + 1, q.Text, q.Score,
			append([]string{}, q.Kinds...), append([]string{}, q.Phrases...), bits, fits(bits)})
	}
	for _, w := range warnings {
		out.Warnings = append(out.Warnings, warningJSON{w.Line, w.Column, w.Msg})
	}
	for _, w := range r.Windows {
		out.Windows = append(out.Windows, windowJSON{w.Words, w.Median, w.Worst, fits(w.Median)})
	}
	for _, p := range r.Paragraphs {
		out.Paragraphs = append(out.Paragraphs, paragraphJSON{p.Number, p.Words, p.Sites, p.Bits, p.BitsPerWord})
	}
	for _, p := range r.Phrases {
		out.Phrases = append(out.Phrases, phraseJSON{p.Paragraph, p.Text, p.Words, p.Bits, fits(p.Bits)})
	}
	return out
}

// shownPhrases is how many of the weakest sentences the terminal shows.
const shownPhrases = 8

func printStrength(w io.Writer, warnings []cable.Warning, r strength.Report, name string) {
	if r.Sites == 0 {
		fmt.Fprintf(w, "%s and no alternatives: every copy would read the same, and no quotation would tell anything\n", count(r.Words, "word"))
	} else {
		fmt.Fprintf(w, "%s, %s in %s, %.1f bits\n", count(r.Words, "word"), count(r.Sites, "site"), count(r.Groups, "group"), r.Bits)
		for _, n := range strength.Lists {
			fmt.Fprintf(w, "naming one of %d readers takes %.1f bits at 1 in 1000\n", n, trace.NeededBits(n, defaultEps))
		}
	}
	for _, x := range warnings {
		fmt.Fprintf(w, "%s:%d:%d: %s\n", fault.Escape(label(name)), x.Line, x.Column, fault.Escape(x.Msg))
	}
	if r.Sites > 0 {
		printWindows(w, r.Windows)
		printParagraphs(w, r.Paragraphs)
		printPhrases(w, r.Phrases)
	}
}

func printWindows(w io.Writer, windows []strength.Window) {
	fmt.Fprintln(w, "\nWhat a quotation would tell: readers who would still fit, the source among them.")
	fmt.Fprintln(w, "To fit is not to be named: one source is named at the bits above.")
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "quoted\tbits: median (worst)\tof 10\tof 50\tof 200\t")
	last := 0
	for _, x := range windows {
		if x.Words == last {
			break // the draft is shorter than the window, and was shown whole
		}
		last = x.Words
		fmt.Fprintf(tw, "%s\t%.1f (%.1f)%s\t\n", count(x.Words, "word"), x.Median, x.Worst, fitCells(x.Median))
	}
	tw.Flush()
}

func printParagraphs(w io.Writer, paragraphs []strength.Paragraph) {
	fmt.Fprintln(w, "\nParagraphs, weakest first")
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "paragraph\twords\tsites\tbits\tbits a word\t")
	for _, p := range paragraphs {
		fmt.Fprintf(tw, "%d\t%d\t%d\t%.1f\t%.2f\t\n", p.Number, p.Words, p.Sites, p.Bits, p.BitsPerWord)
	}
	tw.Flush()
}

// shownQuotables is how many of the most quotable sentences the terminal shows.
const shownQuotables = 5

// printQuotables shows what newspapers would print first: alternatives there
// help most, and are hardest to find.
func printQuotables(w io.Writer, quotables []wording.Quotable, r strength.Report) {
	fmt.Fprintln(w, "\nWhat a newspaper would quote first: readers who would still fit, and the paragraph")
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "bits\tof 10\tof 50\tof 200\t")
	for _, q := range quotables[:min(shownQuotables, len(quotables))] {
		bits := r.BitsAt(q.Paragraph, q.First, q.Words)
		fmt.Fprintf(tw, "%.1f%s\t%d. %s\n", bits, fitCells(bits), q.Paragraph, shorten(strings.Join(strings.Fields(q.Text), " "), 84))
	}
	tw.Flush()
}

func printPhrases(w io.Writer, phrases []strength.Phrase) {
	fmt.Fprintln(w, "\nSentences, weakest first: readers who would still fit, and the paragraph")
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "bits a word\tbits\tof 10\tof 50\tof 200\t")
	for i, p := range phrases {
		if i == shownPhrases {
			fmt.Fprintf(tw, "and %d more; --json lists all\n", len(phrases)-i)
			break
		}
		fmt.Fprintf(tw, "%.2f\t%.1f%s\t%d. %s\n", p.Bits/float64(p.Words), p.Bits, fitCells(p.Bits), p.Paragraph, shorten(p.Text, 70))
	}
	tw.Flush()
}

func fitCells(bits float64) string {
	out := ""
	for _, n := range strength.Lists {
		out += fmt.Sprintf("\t%.1f", strength.StillFit(n, bits))
	}
	return out
}

// shorten cuts a text to so many characters, on one line.
func shorten(text string, n int) string {
	r := []rune(fault.Escape(text))
	if len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return string(r)
}
