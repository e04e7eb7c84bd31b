package picture

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestPicture(t *testing.T) {
	tests := []struct {
		name         string
		c            Chart
		dots, named  int
		want, forbid string
	}{
		{"one named", Chart{"Ref 1", "Copy named.", "by chance", "1 in ", []float64{12.5, 1, .4, 0}, 4.7, []string{"a.b"}}, 3, 1, ">a.b<", ""},
		{"its axis", Chart{"Ref 1", "", "by <chance>", "1 in ", []float64{12.5}, 4.7, nil}, 1, 0, "by &lt;chance&gt;</text>", ">10²<"},
		{"e-values", Chart{"Ref 1", "", "e-values", "", []float64{12.5, -3}, 4.7, nil}, 2, 0, ">10²<", "1 in"},
		{"nobody", Chart{"Ref 1", "Cannot say.", "", "", []float64{.3, .1}, 4.7, nil}, 2, 0, "Cannot say.", "class=\"named\""},
		{"no readers", Chart{"", "", "", "", nil, 4.7, nil}, 0, 0, "named from here on", ""},
		{"hostile words", Chart{`<script>&"`, `</text>`, "", "", []float64{5}, 4, []string{"<b>"}}, 0, 1, "&lt;b&gt;", "<script>"},
		{"far beyond", Chart{"x", "y", "", "", []float64{900, 2}, 4, []string{"r"}}, 1, 1, ">r<", ""},
	}
	for _, tt := range tests {
		svg := string(tt.c.SVG())
		if got := strings.Count(svg, `<circle class="dot"`); got != tt.dots {
			t.Errorf("%s: %d dots, not %d", tt.name, got, tt.dots)
		}
		if got := strings.Count(svg, `<circle class="named"`); got != tt.named {
			t.Errorf("%s: %d named dots, not %d", tt.name, got, tt.named)
		}
		if !strings.Contains(svg, tt.want) || tt.forbid != "" && strings.Contains(svg, tt.forbid) {
			t.Errorf("%s: %s", tt.name, svg)
		}
		wellFormed(t, tt.name, svg)
	}
}

func wellFormed(t *testing.T, name, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}
