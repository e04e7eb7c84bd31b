package press

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// patience is what any input may take, with room for a busy machine. All of
// these took far longer, or all memory, in a reader without bounds.
const patience = 3 * time.Minute

func TestHostile(t *testing.T) {
	many := strings.Repeat
	tests := []struct {
		name, file string
		data       string
		refused    string // part of the error; "" where the text can be read
	}{
		{"too large", "a.txt", many("x", MaxBytes+1), "limit of 33554432"},
		{"one line", "a.txt", many("so ", MaxBytes/3), ""},
		{"one line of marks", "a.txt", "x" + many(`"`, 8<<20), ""},
		{"one line of opening marks", "a.txt", many(`“a `, 2<<20), ""},
		{"one line of single marks", "a.txt", many(`'a `, 2<<20), ""},
		{"closing, then opening marks", "a.txt", many(`a” `, 30_000) + many(`“a `, 30_000), ""},
		{"one line of teasers", "a.txt", "x" + many(" Also Read - X", 1<<20), ""},
		{"many lines", "a.txt", many("a\n\n", 1<<18), ""},
		{"nested", "a.html", many("<div>", 100_000) + "text", "nested deeper"},
		{"nested and closed", "a.html", many("<div>", 100_000) + "text" + many("</div>", 100_000), "nested deeper"},
		{"nested formatting", "a.html", many("<b>", 100_000) + "text", "more than"},
		{"nested templates", "a.html", many("<template>", 100_000) + "text", "more than"},
		{"nested tables", "a.html", many("<table><tr><td>", 100_000) + "text", "nested deeper"},
		{"nested in a table", "a.html", "<table>" + many("<a><table>", 50_000) + "text", "more than"},
		{"nested drawings", "a.html", "<svg>" + many("<g>", 100_000) + "text", "nested deeper"},
		{"reopened formatting", "a.html", many("<b class=x><i>", 200) + many("<p>so ", 1<<20), "more than"},
		{"as deep as may be", "a.html", many("<div class=ad>", 500) + many("<p>So he said.</p>", 20_000), ""},
		{"as many as are scored", "a.html", many("<div>", 490) + many("<p>So he said, and <i>that</i> was, you see, all.</p>", 9_000), ""},
		{"scored in a row", "a.html", many("<div><p>So he said, and that was, you see, all.</p></div>", 9_000), ""},
		{"scored lists", "a.html", many("<ul><li>So he said, and that was, you see, all.", 200) + many("<div><span>So</span></div>", 9_000), ""},
		{"long texts", "a.html", many("<div>", 400) + many("<p>"+many("So, he said. ", 1000)+"</p>", 500), ""},
		{"many paragraphs", "a.html", "<div>" + many("<p>So “he” said.", 100_000), ""},
		{"many labels", "a.html", "<p>So he said.<div>" + many("<strong>Ad</strong><span>Share</span>", 40_000), ""},
		{"many links", "a.html", "<p>So he said.<div>" + many("<ul><li><a>x</a>", 100) + many("<a>x</a> ", 40_000), ""},
		{"many breaks", "a.html", "<p>So he said.<div>" + many("<br>", 200_000), ""},
		{"long attribute", "a.html", "<p class='" + many("ad ", 1<<20) + "'>So</p><p>So he said.", ""},
		{"never closed tag", "a.html", "<p>So he said.</p><p " + many("a=b ", 1<<20), ""},
		{"never closed comment", "a.html", "<p>So he said.</p><!--" + many("-", 4<<20), ""},
		{"comment before the start", "", "<!--" + many("--", 4<<20), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			a, err := Read(tt.file, []byte(tt.data))
			took := time.Since(start)
			t.Logf("%d bytes, %v, %d paragraphs, %v", len(tt.data), took.Round(time.Millisecond), len(a.Blocks), err)
			if took > patience {
				t.Errorf("took %v", took)
			}
			var e *Error
			switch {
			case tt.refused == "" && err != nil && !strings.Contains(err.Error(), "no text"):
				t.Error(err)
			case tt.refused != "" && (!errors.As(err, &e) || !strings.Contains(e.Msg, tt.refused)):
				t.Errorf("error %v, want %q", err, tt.refused)
			case tt.refused != "" && e.Hint == "":
				t.Error("no hint")
			}
		})
	}
}

func TestNULInPage(t *testing.T) {
	a, err := Read("a.html", []byte("<p>He was in\x00ept.</p>"))
	if err != nil || a.Blocks[0].Text != "He was inept." {
		t.Errorf("%v, %v", a, err)
	}
}

func TestLimitIsOfTheFile(t *testing.T) {
	data := bytes.Repeat([]byte{'a'}, MaxBytes)
	if _, err := Read("", data); err != nil {
		t.Error(err)
	}
}
