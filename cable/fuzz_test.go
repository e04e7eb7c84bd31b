package cable

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// checkError holds a refusal to what is promised of one: what, where, and
// what to do about it.
func checkError(t failer, data []byte, err error) {
	t.Helper()
	var e *ParseError
	if !errors.As(err, &e) || e.Msg == "" || e.Hint == "" {
		t.Fatalf("error %#v", err)
	}
	if !utf8.ValidString(e.Msg) || strings.HasSuffix(e.Msg, ".") {
		t.Fatalf("message %q", e.Msg)
	}
	lines := strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n")
	if e.Line < 1 || e.Line > len(lines) {
		t.Fatalf("%v: the text has %d lines", e, len(lines))
	}
	if most := utf8.RuneCountInString(lines[e.Line-1]) + 1; e.Column < 1 || e.Column > most {
		t.Fatalf("%v: the line ends before column %d", e, most)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range refusals {
		f.Add([]byte(c.draft))
	}
	for _, c := range readings {
		f.Add([]byte(body(c.draft)))
	}
	vectors, err := filepath.Glob("../testdata/vectors/draft/*.txt")
	if err != nil || len(vectors) == 0 {
		f.Fatal("no vectors", err)
	}
	for _, name := range vectors {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse(data)
		if err != nil {
			checkError(t, data, err)
			return
		}
		choices := make([]int, len(d.Groups))
		for i, g := range d.Groups {
			choices[i] = (len(data) + i) % g.Size
		}
		checkDraft(t, d, choices)
	})
}

func FuzzTokenize(f *testing.F) {
	for _, c := range tokenCases {
		f.Add(c.text)
	}
	for _, c := range wordCases {
		f.Add(c.text)
	}
	f.Add("\xff a\xc0b \xed\xa0\x80")
	f.Fuzz(checkTokens)
}

// checkTokens holds the words of any text to what is promised of them.
func checkTokens(t *testing.T, text string) {
	end := 0
	for _, token := range Tokenize(text) {
		if token.Word == "" || token.Start < end || token.End <= token.Start || token.End > len(text) {
			t.Fatalf("%q: token %+v after offset %d", text, token, end)
		}
		end = token.End
		if alone := Words(text[token.Start:token.End]); !slices.Equal(alone, []string{token.Word}) {
			t.Fatalf("%q: the word %q alone reads as %q", text, token.Word, alone)
		}
		if again := Words(token.Word); !slices.Equal(again, []string{token.Word}) {
			t.Fatalf("%q: the normalised word %q reads as %q", text, token.Word, again)
		}
	}
	words := Words(text)
	if again := Words(strings.Join(words, " ")); !slices.Equal(again, words) {
		t.Fatalf("%q: the words %q read as %q", text, words, again)
	}
	// White space parts a text: what stands before cannot change what follows.
	for i := range text {
		if spaceFirst(text[i:]) {
			if parts := append(Words(text[:i]), Words(text[i:])...); !slices.Equal(parts, words) {
				t.Fatalf("%q: cut at %d, the words are %q, not %q", text, i, parts, words)
			}
			break
		}
	}
}
