package cli

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"

	"chancery/cable"
	"chancery/internal/codebook"
	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/seal"
)

// standardInput is what messages call it.
const standardInput = "standard input"

// label is how messages call an input.
func label(name string) string {
	if name == "-" {
		return standardInput
	}
	return name
}

// A draftFile is a draft as it was read.
type draftFile struct {
	*cable.Draft
	data []byte
}

// readDraft reads and parses a draft; - is standard input.
func readDraft(s Streams, name string) (draftFile, error) {
	data, err := readInput(s, name, cable.MaxDraft)
	if err != nil {
		return draftFile{}, err
	}
	if err := refuseForeign(name, data); err != nil {
		return draftFile{}, err
	}
	d, err := cable.Parse(data)
	if err != nil {
		return draftFile{}, draftError(name, err)
	}
	return draftFile{d, data}, nil
}

// warnings returns what the author of a draft should look at, in order.
func (d draftFile) warnings() []cable.Warning {
	out := append(d.Warnings(), cable.StrayBars(d.data)...)
	slices.SortStableFunc(out, func(a, b cable.Warning) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return out
}

// draftError says what cable.Parse found wrong, and where.
func draftError(name string, err error) error {
	var pe *cable.ParseError
	if errors.As(err, &pe) {
		return fault.Input.New("%s", pe.Msg).At(label(name), pe.Line, pe.Column).WithHint("%s", pe.Hint)
	}
	return err
}

// readInput reads a whole file, or standard input when the name is -.
func readInput(s Streams, name string, limit int64) ([]byte, error) {
	if name != "-" {
		return durable.ReadFile(name, limit)
	}
	data, err := io.ReadAll(io.LimitReader(s.In, limit+1))
	switch {
	case errors.Is(err, fault.Interrupted):
		return nil, err
	case err != nil:
		return nil, fault.System.Wrap(err, "").At(standardInput, 0, 0)
	case int64(len(data)) > limit:
		return nil, fault.Input.New("more than %d bytes, the most that is read here", limit).At(standardInput, 0, 0).
			WithHint("check that this is what you meant to read")
	}
	return data, nil
}

// keyOptions are the ways to open a sealed codebook.
type keyOptions struct {
	Identity       string `placeholder:"FILE" help:"Key file that opens a sealed codebook."`
	PassphraseFile string `placeholder:"FILE" help:"File whose first line is the passphrase."`
}

func (k keyOptions) passphrase(s Streams, prompt string) (string, error) {
	if k.PassphraseFile != "" {
		return readPassphrase(s, k.PassphraseFile)
	}
	if !s.Terminal {
		return "", fault.Key.New("the codebook is sealed with a passphrase, and nobody is here to ask").
			WithHint("name a file that holds it with --passphrase-file")
	}
	return s.ask(prompt)
}

// readPassphrase returns the first line of a file.
func readPassphrase(s Streams, name string) (string, error) {
	data, err := readInput(s, name, 1<<16)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(data), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" {
		return "", fault.Key.New("the passphrase is empty").At(label(name), 1, 1).
			WithHint("the passphrase is the first line of the file")
	}
	return line, nil
}

// lock is how a codebook was sealed, so that a changed one can be sealed the
// same way.
type lock struct {
	plain      bool
	passphrase string
	recipients []*seal.Recipient
}

func (l lock) close(data []byte) (name string, sealed []byte, err error) {
	switch {
	case l.plain:
		return "codebook.json", data, nil
	case l.passphrase != "":
		sealed, err = seal.SealPassphrase(data, l.passphrase)
	default:
		sealed, err = seal.Seal(data, l.recipients...)
	}
	return "codebook.age", sealed, err
}

// readCodebook reads, opens and verifies a codebook.
func (k keyOptions) readCodebook(s Streams, name string) (*codebook.Book, lock, error) {
	data, err := durable.ReadFile(name, codebook.MaxSize)
	if err != nil {
		return nil, lock{}, err
	}
	data, l, err := k.open(s, name, data)
	if err != nil {
		return nil, l, fault.At(err, name, 0, 0)
	}
	b, err := codebook.Parse(name, data)
	return b, l, err
}

func (k keyOptions) open(s Streams, name string, data []byte) ([]byte, lock, error) {
	if !seal.IsSealed(data) {
		return data, lock{plain: true}, nil
	}
	byPassphrase, err := seal.NeedsPassphrase(data)
	if err != nil {
		return nil, lock{}, err
	}
	if byPassphrase {
		p, err := k.passphrase(s, "Passphrase of "+name+": ")
		if err != nil {
			return nil, lock{}, err
		}
		data, err = seal.OpenPassphrase(data, p)
		return data, lock{passphrase: p}, err
	}
	if k.Identity == "" {
		return nil, lock{}, fault.Key.New("the codebook is sealed to a key").WithHint("name the key file with --identity")
	}
	text, err := durable.ReadFile(k.Identity, seal.MaxIdentityFile)
	if err != nil {
		return nil, lock{}, err
	}
	ids, err := seal.ParseIdentities(k.Identity, text)
	if err != nil {
		return nil, lock{}, err
	}
	var l lock
	for _, id := range ids {
		l.recipients = append(l.recipients, id.Recipient())
	}
	data, err = seal.Open(data, ids...)
	return data, l, err
}
