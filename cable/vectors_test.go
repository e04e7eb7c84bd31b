package cable

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// classes gives the words by which a refusal of each class is known. The
// classes are those of docs/draft.md; the five that take megabytes have no
// vector and are tested in TestLimits and TestHostileDrafts.
var classes = map[string]string{
	"not-utf8":              "not valid UTF-8",
	"control-character":     "control character U+",
	"no-header":             "the draft has no header block",
	"not-a-header-line":     "not a header line",
	"continuation-first":    "a continuation line with no header line before it",
	"too-many-fields":       "more than 1000 header lines",
	"repeated-name":         " stands twice; first on line ",
	"unknown-precedence":    "unknown precedence ",
	"no-text":               "the draft has no text after its header block",
	"stray-brace":           "a closing brace with no opening one",
	"unknown-escape":        "unknown escape",
	"unclosed-site":         "this brace is not closed in its paragraph",
	"nested-site":           "a site inside a site",
	"bad-label":             "a link label without its colon",
	"unknown-label":         "nothing is linked under ",
	"too-few-alternatives":  "a site needs at least two alternatives",
	"too-many-alternatives": "a site has at most 16 alternatives",
	"linked-sizes":          " alternatives here, ",
	"blank-line":            "a choice would leave this line blank",
	"touching-sites":        "the sites that touch here make more than 256 wordings",
	"equal-wordings":        "two choices read the same to the tracer",
}

// A vector says what a draft is to be read as, or why and where it is
// refused. The vectors were made from docs/draft.md by a program that shares
// no code with this package.
type vector struct {
	File, Class  string
	Line, Column int
	Canonical    string
	Record       string
	Segments     [][]string // of the record text, by paragraph
	Copies       []struct {
		Choices []int
		Copy    string
		Words   [][]string // by paragraph
	}
}

func readIndex(t *testing.T, folder string) []vector {
	data, err := os.ReadFile(filepath.Join(folder, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestVectors(t *testing.T) {
	const folder = "../testdata/vectors/draft"
	files, _ := filepath.Glob(folder + "/*.txt")
	seen := map[string]bool{}
	for _, v := range readIndex(t, folder) {
		seen[v.Class] = true
		if !slices.Contains(files, filepath.Join(folder, v.File)) {
			t.Errorf("%s is listed twice, or missing", v.File)
		}
		files = slices.DeleteFunc(files, func(f string) bool { return filepath.Base(f) == v.File })
		t.Run(strings.TrimSuffix(v.File, ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(folder, v.File))
			if err != nil {
				t.Fatal(err)
			}
			checkVector(t, v, data)
		})
	}
	if len(files) > 0 {
		t.Errorf("not listed: %v", files)
	}
	for class := range classes {
		if !seen[class] {
			t.Errorf("no vector of class %s", class)
		}
	}
}

func checkVector(t *testing.T, v vector, data []byte) {
	t.Helper()
	d, err := Parse(data)
	if v.Class != "ok" {
		checkError(t, data, err)
		e := err.(*ParseError)
		if words := classes[v.Class]; words == "" || !strings.Contains(e.Msg, words) || e.Line != v.Line || e.Column != v.Column {
			t.Errorf("%v, want %s at %d:%d", e, v.Class, v.Line, v.Column)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if d.Canonical() != v.Canonical {
		t.Errorf("canonical form\n%q, want\n%q", d.Canonical(), v.Canonical)
	}
	if d.RecordText() != v.Record {
		t.Errorf("record text\n%q, want\n%q", d.RecordText(), v.Record)
	}
	segments := make([][]string, len(d.Paragraphs))
	for _, s := range d.Segments() {
		segments[s.Paragraph] = append(segments[s.Paragraph], d.Renderings(s)[0])
	}
	if !slices.EqualFunc(segments, v.Segments, slices.Equal[[]string]) {
		t.Errorf("segments\n%q, want\n%q", segments, v.Segments)
	}
	for _, c := range v.Copies {
		if got := d.Render(c.Choices); got != c.Copy {
			t.Errorf("choices %v: copy\n%q, want\n%q", c.Choices, got, c.Copy)
		}
		for i, want := range c.Words {
			if got := Words(d.RenderParagraph(i, c.Choices)); !slices.Equal(got, want) {
				t.Errorf("choices %v: words %q, want %q", c.Choices, got, want)
			}
		}
		checkDraft(t, d, c.Choices)
	}
}
