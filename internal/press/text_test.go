package press

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"chancery/cable"
)

func phrases(text string, spans []cable.Span) []string {
	var out []string
	for _, s := range spans {
		out = append(out, text[s.Start:s.End])
	}
	return out
}

func texts(a cable.Article) []string {
	var out []string
	for _, b := range a.Blocks {
		out = append(out, b.Text)
	}
	return out
}

func TestParagraphs(t *testing.T) {
	long := strings.Repeat("the envoy wrote ", 8) + "this."
	tests := []struct {
		name, text string
		want       []string
	}{
		{"blank lines", "One.\n\nTwo.\n \nThree.", []string{"One.", "Two.", "Three."}},
		{"CRLF", "One.\r\n\r\nTwo.\r\n", []string{"One.", "Two."}},
		{"CR", "One.\r\rTwo.", []string{"One.", "Two."}},
		{"line separators", "One.\u2029\u2029Two.", []string{"One.", "Two."}},
		{"long lines", long + "\n" + long + "\nShort one", []string{long, long, "Short one"}},
		{"long lines with full short ones", long + "\nThe envoy wrote\nand left at one\n" + long,
			[]string{long, "The envoy wrote", "and left at one", long}},
		{"long lines after a blank one", "Title\n\n" + long + "\n" + long, []string{"Title", long, long}},
		{"short sentences, one a line", "The envoy wrote.\nNobody read it.\nIt was frank.",
			[]string{"The envoy wrote.", "Nobody read it.", "It was frank."}},
		{"hard-wrapped", "The envoy wrote to the centre of\ngovernment and nobody there read\nwhat he wrote.",
			[]string{"The envoy wrote to the centre of government and nobody there read what he wrote."}},
		{"hard-wrapped, sentence at a line's end", "The envoy wrote, and was frank.\nGovernment read it with much care\nand then wept.",
			[]string{"The envoy wrote, and was frank. Government read it with much care and then wept."}},
		{"hard-wrapped, two paragraphs", "The envoy wrote to the centre of\ngovernment.\nNobody there has read what he had\nwritten.",
			[]string{"The envoy wrote to the centre of government.", "Nobody there has read what he had written."}},
		{"hard-wrapped, indented", "  The envoy wrote to the centre of\ngovernment frankly\n  Nobody there has read what he had\nwritten.",
			[]string{"The envoy wrote to the centre of government frankly", "Nobody there has read what he had written."}},
		{"hard-wrapped, blank lines", "The envoy wrote to the centre of\ngovernment.\n\nNobody there has read what he had\nwritten.",
			[]string{"The envoy wrote to the centre of government.", "Nobody there has read what he had written."}},
		{"headline over wrapped lines", "Envoy writes\nThe envoy wrote to the centre of\ngovernment, they say.",
			[]string{"Envoy writes", "The envoy wrote to the centre of government, they say."}},
		{"hyphen at a line's end", "The envoy wrote to a centre well-\nknown for its silence, two- and\nthree-fold.",
			[]string{"The envoy wrote to a centre well-known for its silence, two- and three-fold."}},
		{"byte order mark", "\uFEFFOne.", []string{"One."}},
		{"odd spaces", "One\u00a0two\u2009three\tfour.", []string{"One two three four."}},
		{"zero width", "in\u200bept\u00ad and \u2060clum\ufeffsy\u200e.", []string{"inept and clumsy."}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := Read("report.txt", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := texts(a); !slices.Equal(got, tt.want) {
				t.Errorf("got %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestTeasers(t *testing.T) {
	const kept = "The envoy called it “clumsy.”"
	cut := []string{
		"Also Read - Minister Falls Off Horse By Ann Other",
		"Also Read - 'Never Ask Again': Minister Snaps at Clerk | Watch",
		"Also Read - Minister Says “No” Again | Live",
		"Also Read: Why the Minister Fell. Here's What We Know",
		"ALSO READ – Minister falls",
		"Read more: Minister falls off horse",
		"READ MORE | Minister falls",
		"RELATED: “No horse,” says minister",
		"Related Stories: Minister falls",
		"Also Read - One Story Also Read - Another Story",
	}
	for _, c := range cut {
		if got := cutTeaser(kept + " " + c); got != kept {
			t.Errorf("%q: left %q", c, got)
		}
		if got := cutTeaser(c); got != "" {
			t.Errorf("%q alone: left %q", c, got)
		}
	}
	if got := cutTeaser("He left at all Also Read - Minister Falls"); got != "He left at all" {
		t.Errorf("no full stop before: left %q", got)
	}
}

func TestTeasersLeaveTheReport(t *testing.T) {
	for _, p := range []string{
		"The clerks also read - aloud - what the envoy wrote.",
		"Officials who asked to read more: three. They got none.",
		"They read more. Related cables were sent to the post.",
		"It was frank. Related: the cables of May. They were frank too.",
		"It was frank. Also read: The cable of May was sent on. It was frank too.",
		"“I got the cable. Also read: The annex. Nobody else did,” she said.",
		"\"I got the cable. Also read: The annex,\" she said.",
		"It was frank. Also Read - " + strings.Repeat("This is no headline of a story but a text ", 10),
		"Read more about the envoy in the report of May.",
	} {
		if got := cutTeaser(p); got != p {
			t.Errorf("cut %q to %q", p, got)
		}
	}
}

func TestLabels(t *testing.T) {
	for _, p := range []string{
		"ADVERTISEMENT", "Advertisement", "Story continues below advertisement", "Read more",
		"Related", "RELATED STORIES", "Share this article", "Sign up for our morning newsletter!",
		"Subscribe", "Subscribe to The Tarn Courier", "Most read", "Photo: Ann Other/Tarn Press",
	} {
		if !isLabel(p) {
			t.Errorf("%q is no label", p)
		}
	}
	for _, p := range []string{
		"Related cables were sent.", "The advertisement was clumsy.", "“Subscribe”", "Share the blame.",
		"Sign up to the treaty, he said.", "Comments were made by all.", "Reading more is hard.",
	} {
		if isLabel(p) {
			t.Errorf("%q is a label", p)
		}
	}
}

func TestReadErrors(t *testing.T) {
	wide := utf16.Encode([]rune("\uFEFFHe was “inept”."))
	var le []byte
	for _, u := range wide {
		le = append(le, byte(u), byte(u>>8))
	}
	if a, err := Read("wide.txt", le); err != nil || !slices.Equal(quoted(a), []string{"inept"}) {
		t.Errorf("UTF-16: %v, %v", a, err)
	}
	tests := []struct{ name, data, want string }{
		{"report.txt", "One.\n\nTwo é and \xff.", "report.txt:3:11: not valid UTF-8"},
		{"report.txt", "One\x00", "report.txt:1:4: a NUL byte, so this is not a text"},
		{"report.txt", "", "report.txt: the file is empty"},
		{"", " \r\n\ufeff", "standard input: no text of a report in it"},
		{"", " \r\n", "standard input: the file is empty"},
		{"a.txt", "ADVERTISEMENT\n\nRead more", "a.txt: no text of a report in it"},
		{"a.pdf", "%PDF-1.7 x", "a.pdf: a PDF, not a text"},
		{"a.docx", "PK\x03\x04", "a.docx: a packed document, not a text"},
		{"a.xml", "<?xml version='1.0'?>\n<rss></rss>", "a.xml: a feed, not an article"},
		{"a.txt", "\xff\xfea", "a.txt: not valid UTF-16"},
		{"a.html", "<p>caf\xe9</p>", "a.html:1:7: not valid UTF-8"},
		{"a.html", "<html><body><nav>Home</nav></body></html>", "a.html: no text of a report in it"},
	}
	for _, tt := range tests {
		_, err := Read(tt.name, []byte(tt.data))
		var e *Error
		if !errors.As(err, &e) || err.Error() != tt.want {
			t.Errorf("%q: error %v, want %q", tt.data, err, tt.want)
		}
	}
}
