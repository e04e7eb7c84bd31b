package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"chancery/cable"
	"chancery/internal/codebook"
	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/seal"
	"chancery/internal/wording"
	"chancery/trace"
)

type markOptions struct {
	Draft      string `arg:"" optional:"" help:"The draft; - is standard input."`
	Readers    string `placeholder:"FILE" help:"Readers, one id a line, each with an age recipient if its copy is to be sealed."`
	Out        string `short:"o" required:"" placeholder:"DIR" help:"New or empty folder for the copies and the codebook."`
	Plain      bool   `help:"Leave the codebook unsealed. Whoever reads it can make any copy."`
	Keeper     string `placeholder:"age1pq…" help:"Seal the codebook to this recipient (see chancery keygen). Without it a passphrase is asked for."`
	Unmarked   bool   `help:"Accept a draft without alternatives: every copy reads the same."`
	Unreviewed bool   `help:"Accept a draft whose wordings nobody reviewed (chancery propose --accept-all)."`
	Add        string `placeholder:"FILE" help:"Make copies for further readers of an existing codebook."`
	Codebook   string `placeholder:"FILE" help:"The existing codebook, with --add."`
	JSON       bool   `name:"json" help:"Print the result as JSON."`
	keyOptions
}

// Help is shown by chancery mark --help.
func (markOptions) Help() string {
	return `Writes copies/ID.txt for every reader (copies/ID.age alone for a reader with a recipient),
record.txt (the first alternative everywhere), codebook.age or codebook.json, and commitment.txt.
Publish or timestamp the commitment before any copy leaves: it shows later that the copies were not
arranged after the fact, and it tells nothing about the cable.

    chancery keygen -o keeper.key > keeper.pub
    chancery mark draft.txt --readers readers.txt --out marked --keeper "$(cat keeper.pub)"
    chancery mark --add more.txt --codebook marked/codebook.age --identity keeper.key --out marked-2`
}

// Run marks a draft, or adds readers to a codebook.
func (o markOptions) Run(ctx context.Context, s Streams) error {
	if o.Add != "" || o.Codebook != "" {
		return o.runAdd(ctx, s)
	}
	switch {
	case o.Draft == "":
		return fault.Usage.New("no draft was named").WithHint("chancery mark DRAFT --readers FILE --out DIR")
	case o.Readers == "":
		return fault.Usage.New("no readers were named").WithHint("name the file of readers with --readers")
	}
	draft, err := readDraft(s, o.Draft)
	if err != nil {
		return err
	}
	if draft, err = reviewed(draft, o.Draft, o.Unreviewed); err != nil {
		return err
	}
	readers, err := readReaders(s, o.Readers)
	if err != nil {
		return err
	}
	if len(draft.Groups) == 0 && !o.Unmarked {
		return fault.Input.New("the draft offers no alternatives, so every copy would read the same").At(label(o.Draft), 0, 0).
			WithHint("put alternatives in braces, {inept|clumsy}, or say --unmarked")
	}
	l, err := o.lock(s)
	if err != nil {
		return err
	}
	o.warnWeak(s, draft, len(readers))
	book, err := waitFor(ctx, func() (*codebook.Book, error) {
		b, err := codebook.New(draft.Draft, trace.DefaultRule(), readers, rand.Reader)
		return b, fault.At(err, label(o.Readers), 0, 0)
	})
	if err != nil {
		return err
	}
	if err := writeMarked(ctx, o.Out, book, book.Readers(), l); err != nil {
		return err
	}
	return o.report(s, book, book.Readers(), l)
}

// reviewed refuses a draft whose wordings nobody saw, unless that is meant. The
// header that says so is for the author: it does not travel with the copies.
func reviewed(d draftFile, name string, anyway bool) (draftFile, error) {
	if !strings.EqualFold(d.Get(reviewHeader), unreviewed) {
		return d, nil
	}
	if !anyway {
		return d, fault.Input.New("nobody has reviewed the wordings of this draft").At(label(name), 0, 0).
			WithHint("review it and take out the header line Review, or say --unreviewed")
	}
	data := wording.WithoutHeader(d.data, reviewHeader)
	without, err := cable.Parse(data)
	if err != nil {
		return d, draftError(name, err)
	}
	return draftFile{without, data}, nil
}

func (o markOptions) runAdd(ctx context.Context, s Streams) error {
	switch {
	case o.Add == "" || o.Codebook == "":
		return fault.Usage.New("--add and --codebook go together").
			WithHint("chancery mark --add FILE --codebook FILE --out DIR")
	case o.Draft != "" || o.Readers != "":
		return fault.Usage.New("with --add, the draft and the readers so far come from the codebook").
			WithHint("leave out the draft and --readers")
	}
	if err := refuseSuperseded(o.Codebook); err != nil {
		return err
	}
	readers, err := readReaders(s, o.Add)
	if err != nil {
		return err
	}
	book, l, err := o.readCodebook(s, o.Codebook)
	if err != nil {
		return err
	}
	if o.Plain {
		l = lock{plain: true}
	}
	if o.Keeper != "" {
		if l, err = o.lock(s); err != nil {
			return err
		}
	}
	if err := book.Add(readers); err != nil {
		return fault.At(err, label(o.Add), 0, 0)
	}
	added := book.Batches[len(book.Batches)-1].Readers
	if err := writeMarked(ctx, o.Out, book, added, l); err != nil {
		return err
	}
	newer := filepath.Join(o.Out, l.fileName())
	if err := supersede(o.Codebook, newer); err != nil {
		s.warn("add no more readers to %s: its next slots are taken, which could not be noted beside it: %v", o.Codebook, err)
	}
	if err := o.report(s, book, added, l); err != nil || o.JSON {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "from now on trace with and add to %s; the older codebook does not know the new readers\n", fault.Escape(newer))
	return err
}

// superseded is the file that says which codebook came of adding to one.
func superseded(codebook string) string { return codebook + ".superseded" }

// supersede leaves word beside a codebook that a newer one goes on from it.
// Another add at the same moment leaves its word first; then this fails.
func supersede(codebook, newer string) error {
	path, err := filepath.Abs(newer)
	if err != nil {
		return err
	}
	return durable.CreateFile(superseded(codebook), []byte(path+"\n"))
}

// refuseSuperseded refuses to add to one codebook twice: the same slots would
// be given to different readers, and no codebook would know them all.
func refuseSuperseded(codebook string) error {
	name := superseded(codebook)
	newer, err := durable.ReadFile(name, 64<<10)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return fault.Exists.New("readers were added to this codebook already").At(codebook, 0, 0).
		WithHint("add to %s; if that add was abandoned and none of its copies was sent, delete %s", strings.TrimSpace(string(newer)), name)
}

// lock says how the codebook is to be sealed, asking for a passphrase when
// nothing was said.
func (o markOptions) lock(s Streams) (lock, error) {
	given := 0
	for _, yes := range []bool{o.Plain, o.Keeper != "", o.PassphraseFile != ""} {
		if yes {
			given++
		}
	}
	switch {
	case given > 1:
		return lock{}, fault.Usage.New("--plain, --keeper and --passphrase-file exclude each other")
	case o.Plain:
		return lock{plain: true}, nil
	case o.Keeper != "":
		r, err := parseKeeper(o.Keeper)
		return lock{recipients: []*seal.Recipient{r}}, err
	case o.PassphraseFile != "":
		p, err := readPassphrase(s, o.PassphraseFile)
		return lock{passphrase: p}, err
	case !s.Terminal:
		return lock{}, fault.Usage.New("how the codebook is to be sealed was not said").
			WithHint("give --keeper age1pq… or --passphrase-file FILE, or --plain to leave it unsealed")
	}
	return askNewPassphrase(s)
}

func askNewPassphrase(s Streams) (lock, error) {
	first, err := s.ask("Passphrase for the codebook: ")
	if err != nil {
		return lock{}, noAnswer(err)
	}
	again, err := s.ask("The same again: ")
	if err != nil {
		return lock{}, noAnswer(err)
	}
	switch {
	case first == "":
		return lock{}, fault.Key.New("the passphrase is empty")
	case first != again:
		return lock{}, fault.Key.New("the two passphrases differ")
	}
	return lock{passphrase: first}, nil
}

// noAnswer is the error of a question to the terminal.
func noAnswer(err error) error {
	if errors.Is(err, fault.Interrupted) {
		return err
	}
	return fault.System.Wrap(err, "the terminal")
}

// readReaders reads the readers' file and checks every recipient in it.
func readReaders(s Streams, name string) ([]codebook.Reader, error) {
	data, err := readInput(s, name, 64<<20)
	if err != nil {
		return nil, err
	}
	readers, err := codebook.ParseReaders(label(name), data)
	if err != nil {
		return nil, err
	}
	for _, r := range readers {
		if r.Recipient == "" {
			continue
		}
		if _, err := seal.ParseRecipient(r.Recipient); err != nil {
			line, column := placeOf(data, r)
			if !looksLikeKey(r.Recipient) {
				err = fault.Key.Wrap(err, "").WithHint("ids hold no spaces; after the id stands a recipient, age1pq1…, or nothing")
			}
			return nil, fault.At(err, label(name), line, column)
		}
	}
	return readers, nil
}

// parseKeeper reads the recipient that a codebook is sealed to.
func parseKeeper(text string) (*seal.Recipient, error) {
	if info, err := os.Stat(text); err == nil && info.Mode().IsRegular() {
		return nil, fault.Key.New("%s is a file, not a recipient", text).
			WithHint("give the public key line in that file, age1pq1…")
	}
	return seal.ParseRecipient(text)
}

// looksLikeKey says that a word was meant to be a key of some kind.
func looksLikeKey(word string) bool {
	lower := strings.ToLower(word)
	return slices.ContainsFunc([]string{"age1", "age-", "ssh-", "ecdsa-", "sk-"}, func(start string) bool { return strings.HasPrefix(lower, start) })
}

// placeOf returns where a reader's recipient stands in a list, 1-based.
func placeOf(data []byte, r codebook.Reader) (line, column int) {
	for i, text := range strings.Split(string(data), "\n") {
		if f := strings.Fields(text); len(f) > 1 && strings.TrimPrefix(f[0], "\ufeff") == r.ID {
			after := strings.Index(text, r.ID) + len(r.ID)
			at := after + strings.Index(text[after:], r.Recipient)
			return i + 1, utf8.RuneCountInString(text[:at]) + 1
		}
	}
	return 0, 0
}

// warnWeak warns of a draft that could not name one reader even if all of it
// were printed.
func (o markOptions) warnWeak(s Streams, d draftFile, readers int) {
	need := trace.NeededBits(readers, defaultEps)
	if bits := d.Bits(); bits < need {
		s.warn("the whole text holds %.1f bits; naming one of %d readers takes %.1f (see chancery check)", bits, readers, need)
	}
	if n := len(d.warnings()); n > 0 {
		s.warn("%s worth a look: chancery check %s", count(n, "place"), o.Draft)
	}
}

// writeMarked writes all that mark makes, or nothing.
func writeMarked(ctx context.Context, dir string, book *codebook.Book, readers []codebook.Reader, l lock) error {
	text := book.Encode()
	if len(text) > codebook.MaxSize {
		return fault.Input.New("the codebook would have %d bytes; one of more than %d cannot be read again", len(text), codebook.MaxSize).
			WithHint("mark the draft for several shorter lists")
	}
	name, sealed, err := l.close(text)
	if err != nil {
		return err
	}
	return durable.CreateFolder(dir, func(f *durable.Folder) error {
		if err := f.WriteFile("commitment.txt", commitmentText(book)); err != nil {
			return err
		}
		if err := f.WriteFile(name, sealed); err != nil {
			return err
		}
		if err := f.WriteFile("record.txt", []byte(book.Draft.RecordText())); err != nil {
			return err
		}
		size := longestCopy(book.Draft)
		for _, r := range readers {
			if err := stopped(ctx); err != nil {
				return err
			}
			if err := writeCopy(f, book, r, size); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeCopy(f *durable.Folder, book *codebook.Book, r codebook.Reader, size int) error {
	text := []byte(book.Copy(r))
	if r.Recipient == "" {
		return f.WriteFile("copies/"+r.ID+".txt", text)
	}
	to, err := seal.ParseRecipient(r.Recipient)
	if err != nil {
		return err
	}
	sealed, err := seal.SealPadded(text, size, to)
	if err != nil {
		return err
	}
	return f.WriteFile("copies/"+r.ID+".age", sealed)
}

// longestCopy bounds the length of any copy, rounded up to 4 KiB: sealed
// copies are all of this length, since length alone would tell several bits
// of a reader's wording.
func longestCopy(d *cable.Draft) int {
	n := len(d.RecordText())
	for _, s := range d.Sites {
		longest := 0
		for _, a := range s.Alternatives {
			longest = max(longest, len(a))
		}
		n += longest - len(s.Alternatives[0])
	}
	const page = 4 << 10
	return (n + page - 1) / page * page
}

func commitmentText(book *codebook.Book) []byte {
	return []byte(`Chancery commitment. It fixes a text, its copies and a decision rule, and tells nothing
about them. Publish or timestamp it before the copies leave.

` + book.Commitment() + "\n")
}

// fileName is how the codebook is called in its folder.
func (l lock) fileName() string {
	if l.plain {
		return "codebook.json"
	}
	return "codebook.age"
}

func (o markOptions) report(s Streams, book *codebook.Book, made []codebook.Reader, l lock) error {
	path := filepath.Join(o.Out, l.fileName())
	if o.JSON {
		return writeJSON(s.Out, struct {
			Reference  string  `json:"reference"`
			Copies     int     `json:"copies"`
			Readers    int     `json:"readers"`
			Sites      int     `json:"sites"`
			Groups     int     `json:"groups"`
			Bits       float64 `json:"bits"`
			Commitment string  `json:"commitment"`
			Codebook   string  `json:"codebook"`
		}{book.Reference, len(made), len(book.Readers()), len(book.Draft.Sites), len(book.Draft.Groups),
			book.Draft.Bits(), book.Commitment(), path})
	}
	fmt.Fprintf(s.Out, "%s: %s in %s, %.1f bits each\n", fault.Escape(book.Reference), count(len(made), "copy"),
		fault.Escape(filepath.Join(o.Out, "copies")), book.Draft.Bits())
	fmt.Fprintf(s.Out, "commitment %s\n", book.Commitment())
	fmt.Fprintf(s.Out, "Publish or timestamp the commitment before the copies leave; keep %s where no reader can see it.\n",
		fault.Escape(path))
	return nil
}
