package cable

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// refusals are drafts that are not read, with the place and the beginning of
// what is said.
var refusals = []struct {
	name, draft  string
	line, column int
	msg          string
}{
	{"nothing", "", 1, 1, "the draft has no header block"},
	{"only blank lines", "\n\n", 1, 1, "the draft has no header block"},
	{"blank line first", "\nSubject: x\n\nbody", 1, 1, "the draft has no header block"},
	{"white space first", " \t\nSubject: x\n\nbody", 1, 1, "the draft has no header block"},
	{"no text", "Subject: x\n", 2, 1, "the draft has no text"},
	{"no text, no line feed", "Subject: x", 1, 1, "the draft has no text"},
	{"no text after blank lines", "Subject: x\n\n \n", 4, 1, "the draft has no text"},
	{"text for a header", "Sir,\n\nbody", 1, 1, "not a header line"},
	{"text after a header", "To: x\nSir,\n\nbody", 2, 1, "not a header line"},
	{"space before the colon", "Subject : x\n\nbody", 1, 1, "not a header line"},
	{"empty name", ": x\n\nbody", 1, 1, "not a header line"},
	{"name with an accent", "Été: x\n\nbody", 1, 1, "not a header line"},
	{"name after a no-break space", "To: a\n\u00a0b: c\n\nbody", 2, 1, "not a header line"},
	{"continuation first", " x\n\nbody", 1, 1, "a continuation line with no header line"},
	{"tab first", "\tTo: x\n\nbody", 1, 1, "a continuation line with no header line"},
	{"name twice", "To: a\nX: b\nTO: c\n\nbody", 3, 1, "TO stands twice; first on line 1"},
	{"two references", "Reference: a\nReference: a\n\nbody", 2, 1, "Reference stands twice"},
	{"precedence", "Precedence: soon\n\nbody", 1, 13, `unknown precedence "soon"`},
	{"precedence after spaces", "To: x\nprecedence:\t é\n\nbody", 2, 14, `unknown precedence "é"`},
	{"precedence on the next line", "Precedence:\n soon\n\nbody", 1, 12, `unknown precedence "soon"`},
	{"precedence with more", "Precedence: Flash\n please\n\nbody", 1, 13, `unknown precedence "Flash please"`},

	{"closing brace", body("a\nb} c"), 4, 2, "a closing brace with no opening one"},
	{"closing brace after accents", body("ééé} c"), 3, 4, "a closing brace with no opening one"},
	{"two closing braces", body("{a|b}} c"), 3, 6, "a closing brace with no opening one"},
	{"open brace", body("one {a|b"), 3, 5, "this brace is not closed in its paragraph"},
	{"open brace, next paragraph", body("{a|b\n\nc}"), 3, 1, "this brace is not closed in its paragraph"},
	{"open brace, white space between", body("{a|b\n \u00a0\nc}"), 3, 1, "this brace is not closed in its paragraph"},
	{"nested", body("x {a|{b|c}}"), 3, 6, "a site inside a site"},
	{"nested on the next line", body("x {a|\n é{b|c}}"), 4, 3, "a site inside a site"},
	{"escape", body(`a\n`), 3, 2, "unknown escape"},
	{"escape at the end of a line", body("a\\\nb"), 3, 2, "unknown escape"},
	{"escape before white space", body("a\\ \nb"), 3, 2, "unknown escape"},
	{"escape in a site", body(`{a|b\c}`), 3, 5, "unknown escape"},
	{"escape at the end of a line of a site", body("{a|\nb\\\n|c}"), 4, 2, "unknown escape"},
	{"one alternative", body("see {a} x"), 3, 5, "a site needs at least two alternatives"},
	{"no alternative", body("see {} x"), 3, 5, "a site needs at least two alternatives"},
	{"17 alternatives", body("{a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q}"), 3, 1, "a site has at most 16 alternatives; this one has 17"},

	{"label without alternatives", body(`x {\a}`), 3, 3, `nothing is linked under "a" yet`},
	{"label, colon, nothing", body(`x {\a: }`), 3, 3, `nothing is linked under "a" yet`},
	{"label in other case", body(`{\a: b|c} {\A}`), 3, 11, `nothing is linked under "A" yet`},
	{"label with one alternative", body(`{\a: b}`), 3, 1, "a site needs at least two alternatives"},
	{"label without colon", body(`{\a b|c}`), 3, 1, "a link label without its colon"},
	{"label with other characters", body(`{\a_b: b|c}`), 3, 1, "a link label without its colon"},
	{"label alone on its line", body("{\\a\n: b|c}"), 3, 1, "a link label without its colon"},
	{"label and escape", body(`{\a\|b|c}`), 3, 1, "a link label without its colon"},
	{"label of other size", body("{\\a: b|c}\n{\\a: b|c|d}"), 4, 1, `3 alternatives here, 2 where "a" first stands`},
	{"label that is no label", body(`{\é: b|c}`), 3, 2, "unknown escape"},

	{"equal", body("one {big|big} two"), 3, 5, `two choices read the same to the tracer: "big" and "big"`},
	{"equal but for case", body("{big|Big}"), 3, 1, `two choices read the same to the tracer: "big" and "Big"`},
	{"equal but for accents", body("{cafe|café}"), 3, 1, "two choices read the same"},
	{"equal but for hyphens", body("{so-called|socalled}"), 3, 1, "two choices read the same"},
	{"equal but for quotation marks", body("{“big”|big}"), 3, 1, "two choices read the same"},
	{"equal but for punctuation", body("x{,|;} y"), 3, 2, `"x," and "x;"`},
	{"equal but for width", body("{a b|a\u200b b}"), 3, 1, "two choices read the same"},
	{"equal but for white space", body("{a b|a\u00a0b}"), 3, 1, "two choices read the same"},
	{"equal, not the first two", body("{a|b|c|A}"), 3, 1, `"a" and "A"`},
	{"equal third", body("{a|}x {b|c} {d|D}"), 3, 13, `"d" and "D"`},
	{"equal in the word", body("3{.|,|}5"), 3, 2, `"3,5" and "35"`},
	{"equal across touching sites", body("{a|ab}{bc|c}"), 3, 1, `"abc" and "abc"`},
	{"equal across a word", body("{a|ab}-{bc|c}"), 3, 1, `"a-bc" and "ab-c"`},
	{"equal across sites that space parts", body("{a|a b} {b c|c} and"), 3, 1, `"a b c and" and "a b c and"`},
	{"equal in a linked site", body(`{\n: is|are} {\n: sheep|Sheep}`), 3, 14, `"sheep" and "Sheep"`},
	{"equal across linked sites", body(`{\n: a|a b}{\n:  b|}c`), 3, 1, `"a bc" and "a bc"`},
	{"equal on the fourth line", body("x\n{a|A}"), 4, 1, `"a" and "A"`},

	{"blank line", body("{a|} "), 3, 1, "a choice would leave this line blank"},
	{"blank second line", body("one\n  {a|}\n{|b}\nfour"), 4, 3, "a choice would leave this line blank"},
	{"blank last line", body("one\n{ |b}"), 4, 1, "a choice would leave this line blank"},
	{"blank line of linked sites", body(`{\a: b|}{\a: |c}`), 3, 9, "a choice would leave this line blank"},

	{"broken UTF-8", body("é\xffx"), 3, 2, "not valid UTF-8"},
	{"broken UTF-8 at the end", body("one\n\u00e9 tw\xc3"), 4, 5, "not valid UTF-8"},
	{"overlong UTF-8", body("x\xc0\xaf"), 3, 2, "not valid UTF-8"},
	{"half a surrogate", body("x\xed\xa0\x80"), 3, 2, "not valid UTF-8"},
	{"broken UTF-8 in the header", "T\x80: x\n\nbody", 1, 2, "not valid UTF-8"},
	{"UTF-16", "\xff\xfeS\x00", 1, 1, "not valid UTF-8"},
	{"broken UTF-8 after a mark", "\ufeffT\x80: x\n\nbody", 1, 2, "not valid UTF-8"},
	{"null", body("a\x00b"), 3, 2, "control character U+0000"},
	{"escape character", body("é\x1b[1m"), 3, 2, "control character U+001B"},
	{"form feed", body("a\n\fb"), 4, 1, "control character U+000C"},
	{"delete", body("a\x7f"), 3, 2, "control character U+007F"},
	{"next line", body("a\u0085b"), 3, 2, "control character U+0085"},
	{"line separator", body("a\u2028b"), 3, 2, "control character U+2028"},
	{"paragraph separator", body("a\u2029"), 3, 2, "control character U+2029"},
	{"old Mac line ends", "Subject: x\r\rbody\r", 1, 11, "control character U+000D"},
	{"two carriage returns", body("a\r\r\nb"), 3, 2, "control character U+000D"},
}

func TestRefusals(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.draft))
			checkError(t, []byte(c.draft), err)
			if e := err.(*ParseError); e.Line != c.line || e.Column != c.column || !strings.Contains(e.Msg, c.msg) {
				t.Errorf("got  %v\nwant %d:%d: %s", err, c.line, c.column, c.msg)
			}
			if want := fmt.Sprintf("%d:%d: ", c.line, c.column); !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%q does not begin with %q", err, want)
			}
		})
	}
}

// TestEqualAlternativesAreShown: the hint tells what counts as a difference.
func TestEqualAlternativesAreShown(t *testing.T) {
	_, err := Parse([]byte(body("{out of its depth|Out of its depth!}")))
	checkError(t, []byte(body("{out of its depth|Out of its depth!}")), err)
	e := err.(*ParseError)
	for _, s := range []string{`"out of its depth"`, `"Out of its depth!"`} {
		if !strings.Contains(e.Msg, s) {
			t.Errorf("%q does not show %s", e.Msg, s)
		}
	}
	if !strings.Contains(e.Hint, "case, accents") {
		t.Errorf("hint %q", e.Hint)
	}
}

// readings are texts after a header block, with what is read: ¶ between
// paragraphs, sites as {group:alternative|...}.
var readings = []struct{ name, draft, want string }{
	{"one word", "x", "x"},
	{"paragraphs", "\n\na\nb\n\n\n\nc\n\n", "a\nb¶c"},
	{"white space at line ends", "a \t\u00a0\u2003\nb\u3000\n", "a\nb"},
	{"white space at line starts", "  a\n\tb\n\u00a0c", "  a\n\tb\n\u00a0c"},
	{"lines of white space", "a\n \u00a0\t\nb", "a¶b"},
	{"Windows line ends", "a\r\nb\r\n\r\nc\r\n", "a\nb¶c"},
	{"a carriage return last", "a\r", "a"},
	{"body lines like headers", "Comment: x\nTo: {a|b}\nTo: c", "Comment: x\nTo: {0:a|b}\nTo: c"},
	{"escapes", `\{a\|b\} \\n`, `{a|b} \n`},
	{"a bar", "a|b", "a|b"},
	{"a byte order mark inside", "a\ufeffb", "a\ufeffb"},
	{"a replacement character", "a\ufffdb", "a\ufffdb"},
	{"a site", "The team is {inept|clumsy|out of its depth}.", "The team is {0:inept|clumsy|out of its depth}."},
	{"sites that touch", "{a|b}{c|d}", "{0:a|b}{1:c|d}"},
	{"a site in a word", "un{happy|content}ly", "un{0:happy|content}ly"},
	{"an empty alternative", "a {very |}good {|or bad }man", "a {0:very |}good {1:|or bad }man"},
	{"escapes in a site", `{\{a|b\||c\}|\\d}`, `{0:{a|b||c}|\d}`},
	{"a site over lines", "x {a\nb|c \n|\n d\n} y", "x {0:a b|c |  d } y"},
	{"a site that opens a line", "{a|b}\n{c|d}", "{0:a|b}\n{1:c|d}"},
	{"white space in a site", "x {a\t|b\u00a0|  c}", "x {0:a\t|b\u00a0|  c}"},
	{"16 alternatives", "{a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p}", "{0:a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p}"},
	{"linked sites", `{\pm: he|she} said {\pm: his|her} {x|y} {\pm}`, "{0:he|she} said {0:his|her} {1:x|y} {0:he|she}"},
	{"linked over paragraphs", "{\\9-Z:a|b}\n\n{\\9-Z: }", "{0:a|b}¶{0:a|b}"},
	{"a label without its space", `{\a:b|c}{\a:  d| e}`, "{0:b|c}{0: d| e}"},
	{"a label with empty alternatives", `x{\a:|c}y{\a: |d}`, "x{0:|c}y{0:|d}"},
	{"an escape that is no label", `{\\a: b|c} {\{a: b|c}`, `{0:\a: b|c} {1:{a: b|c}`},
	{"figures", "3.{5|7} and 1{,|.}000", "3.{0:5|7} and 1{1:,|.}000"},
	{"a tenth word that touches", "a b c d e f g h i ten{|s} k", "a b c d e f g h i ten{0:|s} k"},
	{"sites alone on a line", "{a|b}{|c}", "{0:a|b}{1:|c}"},
}

func TestReadings(t *testing.T) {
	for _, c := range readings {
		t.Run(c.name, func(t *testing.T) {
			d := mustParse(t, body(c.draft))
			if got := describe(d); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			checkDraft(t, d, make([]int, len(d.Groups)))
			last := make([]int, len(d.Groups))
			for i, g := range d.Groups {
				last[i] = g.Size - 1
			}
			checkDraft(t, d, last)
		})
	}
}

// describe writes what was read in the notation of the table above.
func describe(d *Draft) string {
	var paragraphs []string
	for _, p := range d.Paragraphs {
		var b strings.Builder
		for _, piece := range p {
			if piece.Site < 0 {
				b.WriteString(piece.Text)
				continue
			}
			s := d.Sites[piece.Site]
			fmt.Fprintf(&b, "{%d:%s}", s.Group, strings.Join(s.Alternatives, "|"))
		}
		paragraphs = append(paragraphs, b.String())
	}
	return strings.Join(paragraphs, "¶")
}

func TestHeader(t *testing.T) {
	text := "\ufeffreference: XYZ/{1|2}/2031\\\r\nTo: office one,\r\n  office two \r\n\tand three\r\nX-Other:\u00a0 a\u00a0\r\nX-Other: b\r\n" +
		"Precedence:\r\n  NIACT\r\n immediate\r\nSubject:\r\n \t\r\nbody\r\n"
	d := mustParse(t, text)
	for name, want := range map[string]string{
		"Reference": `XYZ/{1|2}/2031\`, "TO": "office one, office two and three", "x-other": "a",
		"precedence": "NIACT immediate", "Subject": "", "Marking": "",
	} {
		if got := d.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if len(d.Header) != 6 || d.Header[3].Value != "b" || d.Header[0].Name != "reference" {
		t.Errorf("header %+v", d.Header)
	}
	if want := []string{"To: office one,", "  office two", "\tand three"}; !slices.Equal(d.Header[1].Lines, want) {
		t.Errorf("lines %q, want %q", d.Header[1].Lines, want)
	}
	if len(d.Sites) != 0 || len(d.Paragraphs) != 1 {
		t.Errorf("%d sites, %d paragraphs", len(d.Sites), len(d.Paragraphs))
	}
	want := "reference: XYZ/{1|2}/2031\\\nTo: office one,\n  office two\n\tand three\nX-Other:\u00a0 a\nX-Other: b\n" +
		"Precedence:\n  NIACT\n immediate\nSubject:\n\nbody\n"
	if d.Canonical() != want || d.RecordText() != want {
		t.Errorf("canonical form %q\nwant %q", d.Canonical(), want)
	}
	checkDraft(t, d, nil)
}

func TestPrecedences(t *testing.T) {
	for name := range precedences {
		for _, value := range []string{name, strings.ToUpper(name), strings.ToTitle(name)} {
			mustParse(t, "Precedence: "+value+"\n\nx")
		}
	}
}

func TestPlaces(t *testing.T) {
	d := mustParse(t, "\ufeffSubject: x\r\n\r\n\r\né {a|b}{c\r\n|d} {e|f}\r\n\r\n{g|h}x")
	want := []Site{{Line: 4, Column: 3}, {Line: 4, Column: 8}, {Line: 5, Column: 5}, {Line: 7, Column: 1, Paragraph: 1}}
	for i, s := range d.Sites {
		if s.Line != want[i].Line || s.Column != want[i].Column || s.Paragraph != want[i].Paragraph {
			t.Errorf("site %d at %d:%d in paragraph %d", i, s.Line, s.Column, s.Paragraph)
		}
	}
}

func TestLimits(t *testing.T) {
	full := body(strings.Repeat("x", MaxDraft-len(body(""))-1) + "\n")
	if _, err := Parse([]byte(full)); err != nil {
		t.Errorf("a draft of %d bytes: %v", len(full), err)
	}
	_, err := Parse([]byte(full + "\n"))
	wantError(t, err, "the draft has 4194305 bytes; the limit is 4194304")
	_, err = Parse([]byte(full[:len(full)-1] + "x"))
	wantError(t, err, "in canonical form the draft has 4194305 bytes")

	lines := strings.Repeat("x:\n y\n", MaxHeaderFields)
	mustParse(t, lines+"\nx")
	_, err = Parse([]byte(lines + "z:\n\nx"))
	wantError(t, err, "more than 1000 header lines")
	if e := err.(*ParseError); e.Line != 2*MaxHeaderFields+1 {
		t.Errorf("at line %d", e.Line)
	}

	sites := strings.Repeat("{a|b} ", MaxGroups)
	if d := mustParse(t, body(sites)); len(d.Groups) != MaxGroups || d.Bits() != MaxGroups {
		t.Errorf("%d groups, %g bits", len(d.Groups), d.Bits())
	}
	_, err = Parse([]byte(body(sites + "\n{a|b}")))
	wantError(t, err, "more than 16384 groups")
	if e := err.(*ParseError); e.Line != 4 || e.Column != 1 {
		t.Errorf("at %v", e)
	}

	touching := body(strings.Repeat("{a|b}", 8))
	mustParse(t, touching)
	// White space that every alternative brings along parts sites too.
	for _, apart := range []string{"{a |b }", "{ a| b}"} {
		if d := mustParse(t, body(strings.Repeat(apart, 20))); len(d.Lattice().Clusters) != 20 {
			t.Errorf("%q: %d clusters", apart, len(d.Lattice().Clusters))
		}
	}
	_, err = Parse([]byte(touching + "-{a|b}"))
	wantError(t, err, "the sites that touch here make more than 256 wordings")
	if e := err.(*ParseError); e.Column != 42 {
		t.Errorf("at %v", e)
	}
}
