package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"chancery/cable"
	"chancery/internal/fault"
)

// streams are what a test gives a command.
func streams(in string) (s Streams, out, said *bytes.Buffer) {
	out, said = &bytes.Buffer{}, &bytes.Buffer{}
	return Streams{In: strings.NewReader(in), Out: out, Err: said}, out, said
}

func TestFlagsFirst(t *testing.T) {
	parser, err := kong.New(&verbs{}, kong.Vars{"desk": "desk"})
	if err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]string{
		"trace a --json b --codebook c d": "trace --json --codebook c -- a b d",
		"trace - --codebook=c -":          "trace --codebook=c -- - -",
		"trace --eps -1 a":                "trace --eps -1 -- a",
		"trace a --codebook":              "trace --codebook -- a",
		"trace --codebook c -- --json -":  "trace --codebook c -- --json -",
		"trace -- a --json":               "trace -- a --json",
		"mark d -o x --plain":             "mark -o x --plain -- d",
		"mark d -ox":                      "mark -ox -- d",
		"trace --unknown a --json":        "trace --unknown --json -- a",
		"trace --help":                    "trace --help",
		"frobnicate a --json":             "frobnicate a --json",
		"--help trace":                    "--help trace",
	} {
		if got := flagsFirst(parser.Model, strings.Fields(given)); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %q", given, got)
		}
	}
}

// TestEscapeJSON: what is printed says the same to a program and nothing to a
// terminal.
func TestEscapeJSON(t *testing.T) {
	texts := []string{"plain", "é–’日", "\u009b2J\u202e\u200b\ufeff\u00a0\x7f\u0085", "\U000e0001\U0001f600", "\x1b[2J\n\t\"\\", "\u2028\ufffd"}
	var out bytes.Buffer
	if err := writeJSON(&out, texts); err != nil {
		t.Fatal(err)
	}
	for _, r := range out.String() {
		if r != '\n' && fault.Escape(string(r)) != string(r) {
			t.Errorf("%U is printed as it is", r)
		}
	}
	var back []string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || !slices.Equal(back, texts) {
		t.Errorf("%q reads as %q, %v", texts, back, err)
	}
}

// TestCutLong: a long paragraph is read in parts that are together the whole,
// with every quotation in its place.
func TestCutLong(t *testing.T) {
	for name, piece := range map[string]string{"sentences": "It is so, they say. ", "words": "word ", "letters": "x", "wide": "日本–"} {
		text := strings.Repeat(piece, 5*maxParagraph/len(piece))
		block := cable.Block{Text: text, Quotes: []cable.Span{{Start: 0, End: len(piece)}, {Start: 100 * len(piece), End: len(text)}}}
		joined := ""
		quoted := [2]string{}
		parts := cutLong([]cable.Block{{Text: "short"}, block})
		for _, b := range parts[1:] {
			if len(b.Text) > maxParagraph || !utf8.ValidString(b.Text) || b.Text == "" {
				t.Fatalf("%s: a part of %d bytes", name, len(b.Text))
			}
			for _, q := range b.Quotes {
				from := len(joined) + q.Start
				i := 1
				if from < 100*len(piece) {
					i = 0
				}
				quoted[i] += b.Text[q.Start:q.End]
			}
			joined += b.Text
		}
		if joined != text || quoted[0] != piece || quoted[1] != text[100*len(piece):] {
			t.Errorf("%s: the parts are not the whole", name)
		}
	}
}

// TestReadLeakIsBounded: an article of 30 MB in the cable's own words took 23
// GB of memory. What reaches the tracer is bounded, whatever is printed.
func TestReadLeakIsBounded(t *testing.T) {
	s, _, _ := streams(strings.Repeat("The minister is tired. ", 20_000))
	a, _, err := readLeak(s, "-")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range a.Blocks {
		if len(b.Text) > maxParagraph {
			t.Errorf("a paragraph of %d bytes", len(b.Text))
		}
	}
	s, _, _ = streams(strings.Repeat("The minister is tired. ", maxLeakText/20))
	if _, _, err := readLeak(s, "-"); !errors.Is(err, fault.Input) || fault.HintOf(err) == "" {
		t.Errorf("read whole: %v", err)
	}
}

// endless is a reader that never answers.
type endless struct{}

func (endless) Read([]byte) (int, error) { select {} }

func TestInterruptible(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s, _, _ := streams("")
	s.In = endless{}
	s, _ = s.within(ctx)
	cancel()
	if _, err := readInput(s, "-", 10); !errors.Is(err, fault.Interrupted) {
		t.Errorf("reading went on: %v", err)
	}
}

func TestInterruptibleReadsAll(t *testing.T) {
	s, _, _ := streams(strings.Repeat("line\n", 10_000))
	s, _ = s.within(context.Background())
	if data, err := io.ReadAll(s.In); err != nil || len(data) != 50_000 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

// asked answers the questions of a terminal.
func asked(answers ...string) func(context.Context, string) (string, error) {
	return func(context.Context, string) (string, error) {
		if len(answers) == 0 {
			return "", io.EOF
		}
		a := answers[0]
		answers = answers[1:]
		return a, nil
	}
}

// TestAskNewPassphrase: on a terminal a passphrase is asked for, twice.
func TestAskNewPassphrase(t *testing.T) {
	for _, tt := range []struct {
		answers []string
		want    string
		says    string
	}{
		{[]string{"correct horse", "correct horse"}, "correct horse", ""},
		{[]string{"correct horse", "correct house"}, "", "differ"},
		{[]string{"", ""}, "", "empty"},
		{[]string{"correct horse"}, "", "the terminal"},
	} {
		s, _, _ := streams("")
		s.Terminal, s.Ask = true, asked(tt.answers...)
		s, _ = s.within(context.Background())
		l, err := markOptions{}.lock(s)
		switch {
		case tt.says == "" && (err != nil || l.passphrase != tt.want):
			t.Errorf("%q: %q, %v", tt.answers, l.passphrase, err)
		case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "horse")):
			t.Errorf("%q: %v", tt.answers, err)
		}
	}
}

// TestHelpOfEveryVerb: each verb explains itself, and says none of the words
// that judge.
func TestHelpOfEveryVerb(t *testing.T) {
	parser, err := kong.New(&verbs{}, kong.Vars{"desk": "desk"})
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range parser.Model.Children {
		s, out, said := streams("")
		if code := Main([]string{verb.Name, "--help"}, s); code != 0 || said.Len() > 0 {
			t.Errorf("%s --help ended with %d: %s", verb.Name, code, said)
		}
		if !strings.HasPrefix(out.String(), "Usage: chancery "+verb.Name) || len(out.String()) < 80 {
			t.Errorf("%s --help says %q", verb.Name, out)
		}
		for _, word := range []string{"guilty", "innocent", "leaker"} {
			if strings.Contains(strings.ToLower(out.String()), word) {
				t.Errorf("%s --help says %s", verb.Name, word)
			}
		}
	}
}
