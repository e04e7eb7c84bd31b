package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"chancery/cable"
	"chancery/internal/codebook"
	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/inquiry"
	"chancery/trace"
)

// defaultEps is the bound on naming any copy wrongly, unless told otherwise.
const defaultEps = 1e-3

type traceOptions struct {
	Leaks      []string `arg:"" name:"leak" help:"Articles or texts, .txt or .html; - is standard input."`
	Codebook   []string `required:"" sep:"none" placeholder:"FILE" help:"Codebook of a cable that may be quoted; repeat for several."`
	Case       string   `placeholder:"FILE" help:"Remember this look, so that later articles can be added; made on first use."`
	Eps        float64  `default:"0.001" help:"Bound on the chance of naming any copy the words did not come from (${default})."`
	Commitment []string `sep:"none" placeholder:"HEX" help:"Check a codebook against a commitment that was published before sending."`
	Burnt      []string `sep:"none" placeholder:"ID" help:"A copy whose wording was disclosed before the leak; it is not named. Repeat for several."`
	ShowFit    bool     `help:"Print the ids of the copies that still fit; --json always holds them. They are not accused of anything."`
	Picture    string   `placeholder:"FILE" help:"Draw the finding as an SVG picture in a new file."`
	JSON       bool     `name:"json" help:"Print the finding as JSON."`
	keyOptions
}

// Help is shown by chancery trace --help.
func (traceOptions) Help() string {
	return `Reads the leaked words against the cables' texts first, without looking at any copy, and then scores
the copies. A copy is named only when the chance of naming any copy the words did not come from is at
most eps. Otherwise the finding says how many copies still fit and how many would by chance, or that
it cannot be told. Exit code 0 means that a finding was reached, whatever it is.

A look cannot be taken back: what a case has recorded counts in all its later findings, so make sure first
that the files are the articles.

    chancery trace --codebook marked/codebook.age --identity keeper.key --case leak.case article.html`
}

// Run traces the leaks.
func (o traceOptions) Run(ctx context.Context, s Streams) error {
	if !(o.Eps > 0 && o.Eps <= 0.5) {
		return fault.Usage.New("eps %v is not between 0 and 0.5", o.Eps)
	}
	if err := o.checkPicture(); err != nil {
		return err
	}
	if err := o.checkDigits(); err != nil {
		return err
	}
	t, err := o.load(s)
	if err != nil {
		return err
	}
	if err := t.look(ctx); err != nil {
		return err
	}
	if err := o.show(s, t); err != nil || o.Picture == "" {
		return err
	}
	return durable.CreateFile(o.Picture, t.picture())
}

func (o traceOptions) show(s Streams, t *tracing) error {
	if o.JSON {
		return writeJSON(s.Out, t.json())
	}
	t.print(s.Out, o)
	return nil
}

// checkPicture refuses a picture's name before anything is done for it.
func (o traceOptions) checkPicture() error {
	if o.Picture == "" {
		return nil
	}
	if _, err := os.Lstat(o.Picture); err == nil {
		return fault.Exists.New("a picture is not written over anything").At(o.Picture, 0, 0).WithHint("name a new file")
	}
	return nil
}

// checkDigits refuses what cannot be a commitment: a file named in its place
// must not be told as a codebook that does not match.
func (o traceOptions) checkDigits() error {
	for _, x := range o.Commitment {
		if raw, err := hex.DecodeString(strings.TrimSpace(x)); err != nil || len(raw) != sha256.Size {
			return fault.Usage.New("%q is not a commitment", x).
				WithHint("a commitment is 64 hexadecimal digits, the last line of commitment.txt")
		}
	}
	return nil
}

// A tracing is everything one look needs and finds.
type tracing struct {
	books    []*codebook.Book
	readers  []trace.Copies
	rule     trace.Rule
	articles []cable.Article
	exhibits []inquiry.Exhibit
	inquiry  *inquiry.Case
	file     caseFile
	eps      float64

	graphs   []*trace.Graph
	passages []trace.Passage
	earlier  []bool              // passages all of whose places an earlier look read
	observed []trace.Observation // all looks
	first    int                 // how many of them the first look read
	finding  trace.Finding
	median   *int
	p90      *int
	progress func(string)
	notes    []string // what a reader of the finding has to know
	// committed says that every codebook agrees with a commitment given.
	committed bool
}

func (o traceOptions) load(s Streams) (*tracing, error) {
	t := &tracing{eps: o.Eps, progress: s.progress("searching")}
	for i, name := range o.Codebook {
		b, _, err := o.readCodebook(s, name)
		if err != nil {
			return nil, err
		}
		if err := t.addBook(name, b, o.Codebook[:i]); err != nil {
			return nil, err
		}
	}
	if err := t.openCase(o.Case); err != nil {
		return nil, err
	}
	if err := t.checkCommitments(o.Commitment); err != nil {
		return nil, err
	}
	t.joinReaders()
	if err := t.burn(o.Burnt); err != nil {
		return nil, err
	}
	if err := t.readLeaks(s, o.Leaks); err != nil {
		return nil, err
	}
	return t, nil
}

// addBook takes a codebook that no codebook before it, named so, has in part.
func (t *tracing) addBook(name string, b *codebook.Book, before []string) error {
	for i, other := range t.books {
		_, newer := b.Covered(other.Commitment())
		_, older := other.Covered(b.Commitment())
		switch {
		case newer && older:
			return fault.Usage.New("the same codebook twice").At(name, 0, 0)
		case newer || older:
			return fault.Usage.New("the same codebook, before and after copies were added").At(name, 0, 0).
				WithHint("name only the newer one")
		case other.Batches[0].Commitment == b.Batches[0].Commitment:
			return fault.Usage.New("made from the same codebook as %s, each with copies added", before[i]).At(name, 0, 0).
				WithHint("trace with each alone: neither knows the readers added to the other, and their bounds add up")
		}
	}
	if len(t.books) > 0 && b.Rule.Text() != t.rule.Text() {
		return fault.Mismatch.New("its decision rule is not that of the codebook before it").At(name, 0, 0).
			WithHint("cables under different rules need separate findings")
	}
	if b.Released != nil {
		t.note("the draw of %s was restored from custodians' shares: %s", b.Reference, b.Released.Note)
	}
	t.rule, t.books = b.Rule, append(t.books, b)
	return nil
}

func (t *tracing) checkCommitments(given []string) error {
	agree := map[string]bool{}
	for _, digits := range given {
		found := false
		for _, b := range t.books {
			covered, ok := b.Covered(digits)
			found = found || ok
			switch all := len(b.Readers()); {
			case ok && covered < all:
				t.note("the commitment given covers %d of the %d copies of %s; the others were made later", covered, all, b.Reference)
			case ok:
				agree[b.Commitment()] = true
				t.note("the codebook of %s agrees with the commitment given (%d of %d copies)", b.Reference, covered, all)
			}
		}
		if !found {
			return fault.Mismatch.New("no codebook has the commitment %s", digits).
				WithHint("this is not the codebook that was committed to before sending")
		}
	}
	t.committed = len(agree) == len(t.books)
	return nil
}

// joinReaders makes the union of the readers of all cables: the same id is the
// same reader.
func (t *tracing) joinReaders() {
	at := map[string]int{}
	for k, b := range t.books {
		for _, r := range b.Readers() {
			key := strings.ToLower(r.ID)
			i, ok := at[key]
			if !ok {
				i = len(t.readers)
				at[key] = i
				t.readers = append(t.readers, trace.Copies{Reader: r.ID, Words: make([][]int, len(t.books))})
			}
			t.readers[i].Words[k] = b.Codeword(r)
		}
	}
}

func (t *tracing) burn(ids []string) error {
	for _, id := range ids {
		found := false
		for i := range t.readers {
			if strings.EqualFold(t.readers[i].Reader, id) {
				t.readers[i].Burnt, found = true, true
			}
		}
		if !found {
			return fault.Usage.New("no reader %q to leave out as burnt", id).WithHint("check the id against the readers of the codebook")
		}
	}
	return nil
}

// noteLook notes what a reader of the finding has to know beside it.
func (t *tracing) noteLook() {
	switch n := t.finding.BurntFit; {
	case n == 1:
		t.note("1 wording that was disclosed before the leak fits the words; whoever saw it could have passed them on")
	case n > 1:
		t.note("%d wordings that were disclosed before the leak fit the words; whoever saw one could have passed them on", n)
	}
	if t.file.name == "" {
		t.note("nothing was remembered: a second look at the same leak needs --case, or the bound no longer holds")
	}
}

func (t *tracing) readLeaks(s Streams, names []string) error {
	for _, name := range names {
		a, data, err := readLeak(s, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		t.articles = append(t.articles, a)
		t.exhibits = append(t.exhibits, inquiry.Exhibit{Name: a.Name, SHA256: hex.EncodeToString(sum[:])})
	}
	return nil
}

func (t *tracing) note(format string, args ...any) {
	t.notes = append(t.notes, fault.Escape(fmt.Sprintf(format, args...)))
}

// caseFile is the case on disk, as it was read.
type caseFile struct {
	name string
	old  []byte // nil when there was none
}

// commitments puts the codebooks into the order of a case's, and returns
// theirs: the order of the flags does not make it another case.
func (t *tracing) commitments(order []string) []string {
	slices.SortStableFunc(t.books, func(a, b *codebook.Book) int {
		return slices.Index(order, a.Commitment()) - slices.Index(order, b.Commitment())
	})
	out := make([]string, len(t.books))
	for i, b := range t.books {
		out[i] = b.Commitment()
	}
	return out
}

func (t *tracing) openCase(name string) error {
	fresh := inquiry.New(t.eps, t.rule, t.commitments(nil))
	if name == "" {
		t.inquiry = fresh
		return nil
	}
	data, err := durable.ReadFile(name, inquiry.MaxSize)
	switch {
	case errors.Is(err, fault.NotFound):
		t.inquiry = fresh
	case err != nil:
		return err
	default:
		if t.inquiry, err = inquiry.Parse(name, data); err != nil {
			return err
		}
		if err := t.inquiry.Match(t.eps, t.rule, t.commitments(t.inquiry.Cables)); err != nil {
			return fault.At(err, name, 0, 0)
		}
	}
	t.file = caseFile{name, data}
	return nil
}

// save writes the case with the new look, unless somebody else did meanwhile.
func (t *tracing) save() error {
	if t.file.name == "" {
		return nil
	}
	return durable.ReplaceFile(t.file.name, t.file.old, t.inquiry.Encode())
}

// look reads the leaks, scores the copies and records the look. The text is
// read to the end before any codeword is used.
func (t *tracing) look(ctx context.Context) error {
	var sizes [][]int
	for _, b := range t.books {
		t.graphs = append(t.graphs, trace.NewGraph(b.Draft.Lattice()))
		sizes = append(sizes, b.Draft.Sizes())
	}
	passages, err := waitFor(ctx, func() ([]trace.Passage, error) { return trace.NewReader(t.graphs).Find(t.articles), nil })
	if err != nil {
		return err
	}
	t.passages = passages
	scored := t.inquiry.Scored()
	t.findEarlier(scored)
	t.inquiry.Add(t.exhibits, t.rule.Observe(t.graphs, t.passages, scored))
	first, later, err := t.inquiry.Observations(sizes)
	if err != nil {
		return fault.At(err, t.file.name, 0, 0)
	}
	t.observed, t.first = slices.Concat(first, later), len(first)
	t.finding, err = t.rule.Assess(ctx, trace.Evidence{Eps: t.eps, Readers: t.readers, First: first, Later: later, Progress: t.progress})
	if err != nil {
		return fault.Interrupted.Wrap(err, "trace")
	}
	t.noteLook()
	if median, p90, ok := t.finding.WordsNeeded(t.graphs, t.observed, t.file.name != ""); ok && !t.burntFits() {
		t.median, t.p90 = &median, &p90
	}
	return t.save()
}

// burntFits says that a disclosed wording keeps a copy from being named: what
// it explains, further words of the same copy will not tell apart.
func (t *tracing) burntFits() bool {
	return t.finding.BurntFit > 0 && t.finding.Outcome != trace.CopyNamed
}

// findEarlier marks the passages that read something, and nothing new.
func (t *tracing) findEarlier(scored func(cable, group int) bool) {
	t.earlier = make([]bool, len(t.passages))
	for i, p := range t.passages {
		alone := []trace.Passage{p}
		t.earlier[i] = len(t.rule.Observe(t.graphs, alone, nil)) > 0 && len(t.rule.Observe(t.graphs, alone, scored)) == 0
	}
}
