package press

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The pages in testdata are written for this test; their outlets, offices and
// personas do not exist. Each file is another way to lay out a report.
func TestPages(t *testing.T) {
	for _, tt := range []struct {
		file       string
		paragraphs int
		quotes     []string
	}{
		{"broadsheet.html", 8, []string{
			"out of its depth", "out of its depth", "a house with no stairs", "The worst cannot be ruled out,",
			"He wrote what he saw.", "It is what we pay him for,", "frank",
		}},
		{"portal.html", 6, []string{
			"inept,", "insecure,", "muddled.", "knives in every drawer",
			"We will not deal with him,", "I have read it twice. It is a pity.",
		}},
		{"blog.html", 6, []string{
			"clumsy",
			"The office is divided and its head is tired. I would not expect an answer before the autumn.",
			"We should be ready for none.",
			"ready for none",
		}},
		{"tables.html", 5, []string{"a very public quarrel", "We don’t comment on leaks,", "quarrel", "Nor should we."}},
		{"brief.html", 2, []string{"inept"}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", tt.file))
			if err != nil {
				t.Fatal(err)
			}
			a, err := Read("", data)
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(texts(a), "\n")
			if len(a.Blocks) != tt.paragraphs {
				t.Errorf("%d paragraphs, want %d", len(a.Blocks), tt.paragraphs)
			}
			if got := quoted(a); !slices.Equal(got, tt.quotes) {
				t.Errorf("got quotations %q\nwant %q", got, tt.quotes)
			}
			// Everything that is not the report has this word in it.
			if strings.Contains(strings.ToLower(all), "zebra") {
				t.Error("furniture of the page left")
			}
			if t.Failed() {
				t.Logf("text:\n%s", all)
			}
		})
	}
}

func TestMarkup(t *testing.T) {
	tests := []struct {
		name, page string
		texts      []string
		quotes     []string
	}{
		{"inline markup splits no word", `<p>He was in<b>ep</b>t and <i>clum</i><a href="#">sy</a>.</p>`,
			[]string{"He was inept and clumsy."}, nil},
		{"mark and word apart", `<p>He was <em>“</em>in<b>ept</b><em>”</em>.</p>`, []string{"He was “inept”."}, []string{"inept"}},
		{"soft hyphens", `<p>He was in&shy;ept and clum<wbr>sy.</p>`, []string{"He was inept and clumsy."}, nil},
		{"entities", `<p>He was &ldquo;in&#101;pt&rdquo;&nbsp;and &quot;clumsy&quot;.</p>`,
			[]string{"He was “inept” and \"clumsy\"."}, []string{"inept", "clumsy"}},
		{"two breaks are a paragraph", `<div>One is.<br>Still one.<br> <br/>Two is.</div>`,
			[]string{"One is. Still one.", "Two is."}, nil},
		{"q", `<p>He called it <q>inept</q>, and <q>so <q>very</q> clumsy</q>.</p>`,
			[]string{"He called it inept, and so very clumsy."}, []string{"inept", "so very clumsy"}},
		{"q with marks", `<p>He called it <q>“inept”</q>.</p>`, []string{"He called it “inept”."}, []string{"inept"}},
		{"empty q", `<p>He wrote. <q> </q></p>`, []string{"He wrote."}, nil},
		{"q inside marks", `<p>“It is <q>inept</q>,” he said.</p>`, []string{"“It is inept,” he said."}, []string{"It is inept,"}},
		{"q over a break", `<p>He said <q>one is.<br><br>Two is.</q> So.</p>`,
			[]string{"He said one is.", "Two is. So."}, []string{"one is.", "Two is."}},
		{"blockquote", `<p>He wrote:</p><blockquote><p>One is.</p><p>“Two” is.</p></blockquote><p>So he wrote.</p>`,
			[]string{"He wrote:", "One is.", "“Two” is.", "So he wrote."}, []string{"One is.", "“Two” is."}},
		{"blockquote in marks", `<blockquote>“One is.”</blockquote><p>So.</p>`, []string{"“One is.”", "So."}, []string{"One is."}},
		{"attribution", `<blockquote><p>One is.</p>— Ann Other (@other)</blockquote>`,
			[]string{"One is.", "— Ann Other (@other)"}, []string{"One is."}},
		{"preformatted", "<pre>One is one and will\nbe one.\n\nTwo is.</pre>", []string{"One is one and will be one.", "Two is."}, nil},
		{"teaser inside a paragraph", `<p>He was “inept.” <a href="/z"><strong>Also Read - “Zebra” | Watch</strong></a></p>`,
			[]string{"He was “inept.”"}, []string{"inept."}},
		{"page in a form", `<form><p>He was “inept” and stayed so for years.</p><input value="zebra"></form>`,
			[]string{"He was “inept” and stayed so for years."}, []string{"inept"}},
		{"article in a box with a bad name", `<div class="content ads-enabled"><p>He was “inept” and stayed so.</p></div><p>End.</p>`,
			[]string{"He was “inept” and stayed so.", "End."}, []string{"inept"}},
		{"byline", `<p>By Ann Other and Bo Else</p><p>By Tuesday he was gone.</p>`, []string{"By Tuesday he was gone."}, nil},
		{"sentence that begins like a label", `<p>Related cables were sent to the post.</p>`,
			[]string{"Related cables were sent to the post."}, nil},
		{"unclosed tags", `<p>One is.<p>Two <b>is.<p>Three is.`, []string{"One is.", "Two is.", "Three is."}, nil},
		{"no markup", `One is < two.`, []string{"One is < two."}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := Read("page.html", []byte(tt.page))
			if err != nil {
				t.Fatal(err)
			}
			if got := texts(a); !slices.Equal(got, tt.texts) {
				t.Errorf("got %q\nwant %q", got, tt.texts)
			}
			if got := quoted(a); !slices.Equal(got, tt.quotes) {
				t.Errorf("got quotations %q\nwant %q", got, tt.quotes)
			}
		})
	}
}

// Where the extractor finds one part of an odd page only, the page is taken
// whole.
func TestOddPageIsTakenWhole(t *testing.T) {
	part := "<p>" + strings.Repeat("So he said, and went on, as ever. ", 5) + "</p>"
	page := "<body><div>" + strings.Repeat(part, 4) + "</div>" +
		strings.Repeat("<div class=supplemental>"+part+part+part+"</div>", 4) +
		"<ul><li><a href=/z>" + strings.Repeat("A long headline of other stories. ", 6) + "</a></li></ul></body>"
	a, err := Read("page.html", []byte(page))
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Blocks) != 16 {
		t.Errorf("%d paragraphs, want 16", len(a.Blocks))
	}
}

func TestIsHTML(t *testing.T) {
	for data, want := range map[string]bool{
		"<!DOCTYPE html><p>x":                        true,
		"\ufeff \n<!-- saved --><html>":              true,
		"<?xml version='1.0'?><!DOCTYPE html><html>": true,
		"<p>x</p>":                     true,
		"He wrote <p> in it.":          false,
		"<someone@example.org> wrote:": false,
		"“<p>” is a tag":               false,
	} {
		if got := isHTML("", []byte(data)); got != want {
			t.Errorf("%q: %v", data, got)
		}
	}
	if !isHTML("A.XHTML", []byte("x<br/>")) || isHTML("a.html", []byte("plain")) {
		t.Error("by name")
	}
}

func TestCharsets(t *testing.T) {
	for _, tt := range []struct{ name, data, want string }{
		{"windows-1252", "<meta charset=windows-1252><p>He was \x93in\xe9pt\x94.</p>", "inépt"},
		{"latin1 in content", "<meta http-equiv='content-type' content='text/html; charset=iso-8859-1'><p>\x93caf\xe9\x94</p>", "café"},
		{"declared in xml", "<?xml version='1.0' encoding='iso-8859-15'?><html><body><p>\"caf\xe9\"</p></body></html>", "café"},
		{"shift_jis", "<meta charset=shift_jis><p>\x81u\x96\xb3\x94\\\x81v</p>", "無能"},
		{"declared wrongly", "<meta charset=iso-8859-1><p>“café”</p>", "café"},
	} {
		a, err := Read("a.html", []byte(tt.data))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := quoted(a); !slices.Equal(got, []string{tt.want}) {
			t.Errorf("%s: %q in %q", tt.name, got, texts(a))
		}
	}
	if _, err := Read("a.html", []byte("<meta charset=shift_jis><p>\x81")); err == nil {
		t.Error("half a character: no error")
	}
}
