package cli

import (
	"fmt"
	"io"
	"text/tabwriter"

	"chancery/cable"
	"chancery/internal/fault"
	"chancery/internal/strength"
	"chancery/trace"
)

type checkOptions struct {
	Draft string `arg:"" help:"The draft; - is standard input."`
	JSON  bool   `name:"json" help:"Print the result as JSON."`
}

// Help is shown by chancery check --help.
func (checkOptions) Help() string {
	return `Shows what a quotation of the draft would tell before it is sent: for windows of 10, 20, 50 and 100
words and for every sentence, how many of 10, 50 and 200 readers would still fit. The weakest
paragraphs stand first: alternatives there help most.`
}

// Run looks over a draft.
func (o checkOptions) Run(s Streams) error {
	d, err := readDraft(s, o.Draft)
	if err != nil {
		return err
	}
	r := strength.Of(d)
	if o.JSON {
		return writeJSON(s.Out, checkJSON(d, r))
	}
	printStrength(s.Out, d, r, o.Draft)
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

func checkJSON(d *cable.Draft, r strength.Report) any {
	out := struct {
		Words      int             `json:"words"`
		Sites      int             `json:"sites"`
		Groups     int             `json:"groups"`
		Bits       float64         `json:"bits"`
		Warnings   []warningJSON   `json:"warnings"`
		Windows    []windowJSON    `json:"windows"`
		Paragraphs []paragraphJSON `json:"paragraphs"`
		Phrases    []phraseJSON    `json:"phrases"`
	}{r.Words, r.Sites, r.Groups, r.Bits, []warningJSON{}, []windowJSON{}, []paragraphJSON{}, []phraseJSON{}}
	for _, w := range d.Warnings() {
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

func printStrength(w io.Writer, d *cable.Draft, r strength.Report, name string) {
	fmt.Fprintf(w, "%d words, %d sites in %d groups, %.1f bits\n", r.Words, r.Sites, r.Groups, r.Bits)
	for _, n := range strength.Lists {
		fmt.Fprintf(w, "naming one of %d readers takes %.1f bits at 1 in 1000\n", n, trace.NeededBits(n, defaultEps))
	}
	for _, x := range d.Warnings() {
		fmt.Fprintf(w, "%s:%d:%d: %s\n", fault.Escape(label(name)), x.Line, x.Column, fault.Escape(x.Msg))
	}
	fmt.Fprintln(w, "\nWhat a quotation would tell: readers who would still fit, the source among them")
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "quoted\tbits (worst)\tof 10\tof 50\tof 200\t")
	for _, x := range r.Windows {
		fmt.Fprintf(tw, "%d words\t%.1f (%.1f)%s\t\n", x.Words, x.Median, x.Worst, fitCells(x.Median))
	}
	tw.Flush()
	fmt.Fprintln(w, "\nParagraphs, weakest first")
	tw = tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "paragraph\twords\tsites\tbits\tbits a word\t")
	for _, p := range r.Paragraphs {
		fmt.Fprintf(tw, "%d\t%d\t%d\t%.1f\t%.2f\t\n", p.Number, p.Words, p.Sites, p.Bits, p.BitsPerWord)
	}
	tw.Flush()
	fmt.Fprintln(w, "\nSentences, weakest first")
	tw = tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "bits\tof 10\tof 50\tof 200\t")
	for i, p := range r.Phrases {
		if i == shownPhrases {
			fmt.Fprintf(tw, "and %d more; --json lists all\n", len(r.Phrases)-i)
			break
		}
		fmt.Fprintf(tw, "%.1f%s\t%d. %s\n", p.Bits, fitCells(p.Bits), p.Paragraph, shorten(p.Text, 70))
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
