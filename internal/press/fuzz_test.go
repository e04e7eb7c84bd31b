package press

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"chancery/cable"
)

func FuzzReadText(f *testing.F) {
	for _, s := range []string{
		"He was “inept,” “insecure,” and ‘clumsy’.\n\n“One\n\n“Two”", `"You said 'no' to me," he said. 6'2" 5"x7"`,
		"« a » „b“ »c« ‚d‘ ``e'' 「f」 ”g”", "a Also Read - “B” | C\r\nd-\ne\u2029\ufefff", "'\"'\"“‘”’'\" x '\"'",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := Read("a.txt", data)
		check(t, a, err)
		if err == nil && !isHTML("", data) {
			again, err := Read("a.txt", []byte(strings.Join(texts(a), "\n\n")))
			check(t, again, err)
		}
	})
}

func FuzzReadHTML(f *testing.F) {
	pages, err := filepath.Glob("testdata/*.html")
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range pages {
		data, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("<blockquote>“a” <q>b<br><br>c</q><pre>d\n\ne</pre><table><a><table><a><p>f"))
	f.Add([]byte("<meta charset=shift_jis><p>\x81u\x96\xb3\x94\\\x81v<svg><p>x</svg><template><p>y"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := Read("a.html", data)
		check(t, a, err)
	})
}

// check holds an article to what package cable promises of it.
func check(t *testing.T, a cable.Article, err error) {
	t.Helper()
	if err != nil {
		var e *Error
		if !errors.As(err, &e) || e.Msg == "" || (e.Line == 0) != (e.Column == 0) {
			t.Fatalf("error %#v", err)
		}
		return
	}
	if len(a.Blocks) == 0 {
		t.Fatal("no paragraphs and no error")
	}
	for _, b := range a.Blocks {
		if b.Text == "" || !utf8.ValidString(b.Text) || strings.TrimSpace(b.Text) != b.Text || strings.Contains(b.Text, "\n") {
			t.Fatalf("paragraph %q", b.Text)
		}
		last := 0
		for _, s := range b.Quotes {
			if s.Start < last || s.End <= s.Start || s.End > len(b.Text) {
				t.Fatalf("span %v after %d in %d bytes %q", s, last, len(b.Text), b.Text)
			}
			if !utf8.ValidString(b.Text[s.Start:s.End]) || !utf8.ValidString(b.Text[:s.Start]) {
				t.Fatalf("span %v splits a character of %q", s, b.Text)
			}
			last = s.End
		}
	}
}
