package strength

import (
	"math"
	"slices"
	"testing"

	"chancery/cable"
)

func report(t *testing.T, text string) Report {
	t.Helper()
	d, err := cable.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return Of(d)
}

const draft = `Subject: x

One {two|deux} three four. Five {six|sei} {seven|sept|sieben|siete} eight nine ten.

Eleven twelve thirteen fourteen; fifteen sixteen seventeen {\l: eighteen|dixhuit} nineteen twenty {\l}.
`

func TestReport(t *testing.T) {
	r := report(t, draft)
	if r.Words != 21 || r.Sites != 5 || r.Groups != 4 || r.Bits != 5 {
		t.Errorf("%d words, %d sites, %d groups, %g bits", r.Words, r.Sites, r.Groups, r.Bits)
	}
	if p := r.Paragraphs[0]; p.Number != 2 || p.Bits != 1 || p.Words != 11 || p.Sites != 2 {
		t.Errorf("weakest paragraph %+v", p)
	}
	w := r.Windows[0]
	if w.Words != 10 || w.Best != 4 || w.Worst != 0 {
		t.Errorf("window %+v", w)
	}
	if w := r.Windows[3]; w.Words != 21 || w.Median != 5 {
		t.Errorf("a window longer than the cable: %+v", w)
	}
	if p := r.Phrases[0]; p.Bits != 0 || p.Words != 4 || p.Text != "Eleven twelve thirteen fourteen;" {
		t.Errorf("weakest phrase %+v", p)
	}
}

// The phrases together hold all words and all bits of the paragraphs.
func TestPhrasesCoverTheText(t *testing.T) {
	r := report(t, draft)
	words, bits := 0, 0.0
	for _, p := range r.Phrases {
		words += p.Words
		bits += p.Bits
	}
	if words != r.Words || math.Abs(bits-r.Bits) > 1e-9 {
		t.Errorf("phrases hold %d of %d words, %g of %g bits", words, r.Words, bits, r.Bits)
	}
}

func TestSentences(t *testing.T) {
	tests := []struct {
		text string
		want []string
	}{
		{"One. Two! Three?", []string{"One.", "Two!", "Three?"}},
		{"He said \"No.\" Then he left.", []string{"He said \"No.\"", "Then he left."}},
		{"It cost 3.5 million, e.g. in fees.", []string{"It cost 3.5 million, e.g. in fees."}},
		{"One thing; another thing.", []string{"One thing;", "another thing."}},
		{"", []string{""}},
	}
	for _, tt := range tests {
		if got := sentences(tt.text); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, not %q", tt.text, got, tt.want)
		}
	}
}

func TestStillFit(t *testing.T) {
	if got := StillFit(50, 0); got != 50 {
		t.Errorf("without a bit %g of 50 fit", got)
	}
	if got := StillFit(121, 3); got != 16 {
		t.Errorf("three bits leave %g of 121", got)
	}
}
