package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"chancery/cable"
	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/model"
	"chancery/internal/review"
	"chancery/internal/wording"
)

type proposeOptions struct {
	Draft     string `arg:"" help:"The draft; - is standard input, not for a review."`
	Out       string `short:"o" placeholder:"FILE" help:"The draft with its sites, a new file (DRAFT-worded.txt)."`
	AcceptAll bool   `help:"Take every proposal unseen; the result is labelled so, and mark refuses it unless told."`
	Quotable  int    `default:"5" help:"How many sentences that the press would quote to ask other wordings for (${default})."`
	Journal   string `placeholder:"FILE" help:"Where the review is kept key by key (DRAFT.review)."`
	Restart   bool   `help:"Forget an unfinished review of this draft."`
	Taste     string `placeholder:"FILE" help:"What you took and struck so far (chancery/wording.json in your configuration folder)."`
	Forget    bool   `help:"Neither use nor keep what you took and struck."`
	ModelURL  string `name:"model-url" placeholder:"URL" help:"Ask a language model on this machine as well (http://127.0.0.1:…/v1); off by default."`
	Model     string `placeholder:"NAME" default:"default" help:"Name of the model to ask."`
	JSON      bool   `name:"json" help:"Print the proposals as JSON."`
}

// Help is shown by chancery propose --help.
func (proposeOptions) Help() string {
	return `Offers other wordings for the words of a draft. On a terminal it is a review: first the sentences that
a newspaper would quote, for which it asks your own wordings, then the rest sentence by sentence, one key
for most. Every key is kept, so a review can be left and gone on with. Rules are right about nine times
in ten: that a wording says the same is for you to decide. What you take and strike is counted on this
machine alone, and sets the order of what is offered next time.`
}

// Run proposes, or conducts a review.
func (o proposeOptions) Run(s Streams) error {
	if err := o.check(); err != nil {
		return err
	}
	draft, err := readDraft(s, o.Draft)
	if err != nil {
		return err
	}
	if o.JSON || o.AcceptAll || !s.Terminal {
		return o.list(s, draft.data)
	}
	return o.review(s, draft.data)
}

func (o proposeOptions) check() error {
	switch {
	case o.AcceptAll && o.Out == "":
		return fault.Usage.New("--accept-all needs a file to write").WithHint("name it with --out FILE")
	case o.Quotable < 0 || o.Quotable > 100:
		return fault.Usage.New("--quotable %d is not between 0 and 100", o.Quotable)
	}
	if o.Out != "" {
		if _, err := os.Lstat(o.Out); err == nil {
			return fault.Exists.New("a draft is not written over anything").At(o.Out, 0, 0).WithHint("name a new file")
		}
	}
	return nil
}

// list prints the proposals, or takes all of them.
func (o proposeOptions) list(s Streams, draft []byte) error {
	taste, _, err := o.taste()
	if err != nil {
		return err
	}
	others, err := o.suggestions(s, draft)
	if err != nil {
		return err
	}
	proposals, err := wording.Propose(draft, taste, others...)
	if err != nil {
		return err
	}
	if o.AcceptAll {
		if err := o.acceptAll(s, draft, proposals); err != nil || !o.JSON {
			return err
		}
	}
	if o.JSON {
		return writeJSON(s.Out, append([]wording.Proposal{}, proposals...)) // never null
	}
	printProposals(s.Out, draft, proposals)
	return printSkipped(s.Out, draft)
}

// printSkipped says for which paragraphs rules have nothing to say.
func printSkipped(w io.Writer, draft []byte) error {
	skipped, err := wording.SkippedOf(draft)
	if err != nil {
		return err
	}
	why := map[string][]string{}
	for _, s := range skipped {
		why[s.Why] = append(why[s.Why], strconv.Itoa(s.Paragraph))
	}
	for _, reason := range slices.Sorted(maps.Keys(why)) {
		fmt.Fprintf(w, "Nothing is offered for text %s: paragraph %s.\n", reason, strings.Join(why[reason], ", "))
	}
	return nil
}

// suggestions asks a model, if one was named, about every paragraph.
func (o proposeOptions) suggestions(s Streams, draft []byte) ([]wording.Suggestion, error) {
	if o.ModelURL == "" {
		return nil, nil
	}
	c, err := model.New(o.ModelURL, o.Model)
	if err != nil {
		return nil, err
	}
	paragraphs, err := wording.Paragraphs(draft)
	if err != nil {
		return nil, err
	}
	progress := s.progress("asking the model about")
	var out []wording.Suggestion
	for i, text := range paragraphs {
		if progress != nil {
			progress(fmt.Sprintf("paragraph %d of %d", i+1, len(paragraphs)))
		}
		some, err := c.Suggest(s.ctx, i, text)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

const nothingOffered = "No rule applies here: they are made for English prose, and leave quotations, names, figures and orders alone."

// printProposals lists proposals for people without a terminal to review on.
func printProposals(w io.Writer, draft []byte, proposals []wording.Proposal) {
	words, bits, house := 0, 0.0, 0.0
	if d, err := cable.Parse(draft); err == nil {
		for i := range d.Paragraphs {
			words += len(cable.Words(d.RenderParagraph(i, make([]int, len(d.Groups)))))
		}
	}
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "paragraph\twords\tother wordings\tbits\tby")
	for _, p := range proposals {
		if p.House() {
			house += p.Bits
		} else {
			bits += p.Bits
		}
		fmt.Fprintf(tw, "%d\t%s\t%s\t%.1f\t%s\n", p.Paragraph, shorten(p.Original, 40), shorten(strings.Join(p.Alternatives, " | "), 60), p.Bits, p.ID)
	}
	tw.Flush()
	if len(proposals) == 0 {
		fmt.Fprintln(w, nothingOffered)
		return
	}
	fmt.Fprintf(w, "\n%s, %.1f bits in %s", count(len(proposals), "place"), bits, count(words, "word"))
	if house > 0 {
		fmt.Fprintf(w, ", and %.1f of house style, which editors change", house)
	}
	fmt.Fprintln(w, ".\nRun it on a terminal to review them, or with --accept-all --out FILE.")
}

// A draft whose wordings nobody saw says so in its header, and mark refuses it.
const (
	reviewHeader = "Review"
	unreviewed   = "unreviewed"
)

func (o proposeOptions) acceptAll(s Streams, draft []byte, proposals []wording.Proposal) error {
	worded, err := wording.Apply(draft, wording.Sites(proposals))
	if err != nil {
		return err
	}
	if err := durable.CreateFile(o.Out, wording.WithHeader(worded, reviewHeader, unreviewed)); err != nil {
		return err
	}
	if !o.JSON {
		fmt.Fprintf(s.Out, "%s taken unseen; the draft is in %s.\n", count(len(proposals), "proposal"), fault.Escape(o.Out))
		fmt.Fprintln(s.Out, "About three wordings in a hundred read badly or change a shade of the sense: review it before it is sent.")
	}
	return nil
}

// taste reads what the author took and struck, and says where it is kept.
func (o proposeOptions) taste() (*wording.Learned, string, error) {
	if o.Forget {
		return &wording.Learned{}, "", nil
	}
	name := o.Taste
	if name == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return &wording.Learned{}, "", nil // a machine without a place for it
		}
		name = filepath.Join(dir, "chancery", "wording.json")
	}
	data, err := durable.ReadFile(name, 16<<20)
	if errors.Is(err, fault.NotFound) {
		return &wording.Learned{}, name, nil
	}
	if err != nil {
		return nil, "", err
	}
	l, err := wording.ParseLearned(data)
	if err != nil {
		return nil, "", fault.Input.New("%v", err).At(name, 0, 0).WithHint("move the file away to begin anew, or run with --forget")
	}
	return l, name, nil
}

// saveTaste adds what one review took and struck.
func (o proposeOptions) saveTaste(r *review.Session) error {
	taste, name, err := o.taste()
	if err != nil || name == "" {
		return err
	}
	r.Learn(taste)
	if err := durable.MakeFolders(filepath.Dir(name)); err != nil {
		return err
	}
	return durable.WriteFile(name, taste.Encode())
}

// review conducts a review on the terminal.
func (o proposeOptions) review(s Streams, draft []byte) error {
	if o.Draft == "-" {
		return fault.Usage.New("a review needs the draft in a file").WithHint("save it, or use --json")
	}
	if o.Out == "" {
		o.Out = strings.TrimSuffix(o.Draft, filepath.Ext(o.Draft)) + "-worded.txt"
		if err := o.check(); err != nil {
			return err
		}
	}
	if o.Journal == "" {
		o.Journal = o.Draft + ".review"
	}
	if err := o.distinct(); err != nil {
		return err
	}
	r, log, err := o.open(s, draft)
	if err != nil {
		return err
	}
	defer log.Close()
	if all, _ := r.Units(); all == 0 {
		fmt.Fprintln(s.Err, nothingOffered)
		return durable.Remove(o.Journal)
	}
	finished, err := conduct(s, r, log)
	if err != nil || !finished {
		if err == nil || errors.Is(err, fault.Interrupted) {
			fmt.Fprintf(s.Err, "The review is kept in %s; the same command goes on with it.\n", fault.Escape(o.Journal))
		}
		return err
	}
	return o.finish(s, draft, r)
}

// distinct refuses one file in two parts.
func (o proposeOptions) distinct() error {
	seen := map[string]bool{}
	for _, name := range []string{o.Draft, o.Out, o.Journal, o.Taste} {
		if name == "" {
			continue
		}
		if name = filepath.Clean(name); seen[name] {
			return fault.Usage.New("one file cannot be two of draft, --out, --journal and --taste").At(name, 0, 0)
		}
		seen[name] = true
	}
	return nil
}

// open begins a review or goes on with one.
func (o proposeOptions) open(s Streams, draft []byte) (*review.Session, *durable.Log, error) {
	journal, err := durable.ReadFile(o.Journal, 256<<20)
	switch {
	case errors.Is(err, fault.NotFound):
		return o.begin(s, draft)
	case err != nil:
		return nil, nil, err
	case !review.IsJournal(journal):
		return nil, nil, fault.Exists.New("%v", review.ErrNoJournal).At(o.Journal, 0, 0).WithHint("name another file with --journal")
	case o.Restart:
		if err := durable.Remove(o.Journal); err != nil {
			return nil, nil, err
		}
		return o.begin(s, draft)
	}
	r, size, err := review.Resume(draft, journal)
	if err != nil {
		return nil, nil, fault.Mismatch.New("%v", err).At(o.Journal, 0, 0).
			WithHint("put back what was changed, or forget the unfinished review with --restart")
	}
	log, err := durable.OpenLog(o.Journal, int64(size))
	return r, log, err
}

func (o proposeOptions) begin(s Streams, draft []byte) (*review.Session, *durable.Log, error) {
	taste, _, err := o.taste()
	if err != nil {
		return nil, nil, err
	}
	others, err := o.suggestions(s, draft)
	if err != nil {
		return nil, nil, err
	}
	r, err := review.New(draft, taste, o.Quotable, others...)
	if err != nil {
		return nil, nil, err
	}
	log, err := durable.CreateLog(o.Journal, r.Begin())
	return r, log, err
}

// finish writes the draft and what was learnt; then the journal is not needed
// any more.
func (o proposeOptions) finish(s Streams, draft []byte, r *review.Session) error {
	if now, err := durable.ReadFile(o.Draft, cable.MaxDraft); err != nil || !bytes.Equal(now, draft) {
		return fault.Mismatch.New("the draft was changed while it was reviewed").At(o.Draft, 0, 0).
			WithHint("put it back and run the command again, or begin anew with --restart")
	}
	worded, err := wording.Apply(draft, r.Result())
	if err != nil {
		return err
	}
	if err := durable.CreateFile(o.Out, worded); err != nil {
		return err
	}
	if err := o.saveTaste(r); err != nil {
		s.warn("what you took and struck was not kept: %v", err)
	}
	if err := durable.Remove(o.Journal); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "The draft with %s is in %s.\n", count(len(r.Result()), "site"), fault.Escape(o.Out))
	fmt.Fprintf(s.Out, "chancery check %s shows what a quotation of it would tell.\n", fault.Escape(o.Out))
	return nil
}

// conduct shows screens and reads keys until the review is done or left.
func conduct(s Streams, r *review.Session, log *durable.Log) (finished bool, err error) {
	keys, done, err := s.Keys(s.ctx)
	if err != nil {
		return false, err
	}
	defer done()
	for {
		e, act, err := nextEvent(s, keys, r)
		switch {
		case err != nil:
			return false, err
		case act == actLeave:
			return false, nil
		case act == actFinish:
			return true, nil
		case act == actNone || !r.Press(e):
			continue
		}
		if err := log.Append(e.Line()); err != nil {
			return false, err
		}
	}
}

type act int

const (
	actNone act = iota
	actPress
	actLeave
	actFinish
)

// nextEvent shows the screen and reads one key, or one line where wordings are
// asked for.
func nextEvent(s Streams, keys *keyReader, r *review.Session) (review.Event, act, error) {
	keys.show(r.Screen(keys.width(), s.Colour), r.Help())
	if _, asks := r.Asking(); asks {
		return typedEvent(keys, r.Prompt())
	}
	k, err := keys.key()
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(err, io.EOF) || k == "q" || k == "\x03" || k == "\x04":
		return review.Event{}, actLeave, nil
	case err != nil:
		return review.Event{}, actNone, err
	case r.Done() && (k == "\r" || k == "\n"):
		return review.Event{}, actFinish, nil
	case k == review.KeyEdit && !r.Done():
		return typedEvent(keys, "words = other | other: ")
	}
	return review.Event{Key: k}, actPress, nil
}

// typedEvent reads a line.
func typedEvent(keys *keyReader, prompt string) (review.Event, act, error) {
	line, end, err := keys.line(prompt)
	switch {
	case end == "\x03" || end == "\x04" || errors.Is(err, io.EOF) || errors.Is(err, context.Canceled):
		return review.Event{}, actLeave, nil
	case err != nil:
		return review.Event{}, actNone, err
	case end == "\x1b":
		return review.Event{Key: review.KeyEnough}, actPress, nil
	}
	return review.Event{Key: review.KeyTyped, Text: line}, actPress, nil
}
