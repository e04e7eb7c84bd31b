package wording

import (
	"strings"
	"testing"

	"chancery/cable"
)

// TestRuleExamples runs the sentences that stand beside every rule: those in
// which it must find exactly the words in brackets, and those in which it must
// find nothing.
func TestRuleExamples(t *testing.T) {
	all, err := standard()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all.rules {
		for _, e := range r.yes {
			if got := finds(t, r, e.before+e.found+e.after); !spans(got, len(e.before), len(e.before)+len(e.found)) {
				t.Errorf("%s %s: does not find %q in %q", r.place, r.ID, e.found, e.before+e.found+e.after)
			}
		}
		for _, sentence := range r.no {
			if got := finds(t, r, sentence); len(got) > 0 {
				t.Errorf("%s %s: finds %q in %q", r.place, r.ID, sentence[got[0].from:got[0].to], sentence)
			}
		}
	}
}

func spans(cands []candidate, from, to int) bool {
	for _, c := range cands {
		if c.from == from && c.to == to {
			return true
		}
	}
	return false
}

// finds runs one rule over a text.
func finds(t *testing.T, r *Rule, text string) []candidate {
	t.Helper()
	p := onePage(t, text)
	one := newTable([]*Rule{r})
	var out []candidate
	for n := range p.sentences {
		out = append(out, one.inSentence(p, n)...)
	}
	return out
}

// onePage reads a text of one paragraph.
func onePage(t *testing.T, text string) *page {
	t.Helper()
	_, pages, err := pagesOf([]byte("Subject: x\n\n" + cable.Escape(text) + "\n"))
	if err != nil || len(pages) != 1 {
		t.Fatal(err, len(pages), text)
	}
	return pages[0]
}

// TestRulesOfferOtherWords says that no rule offers what it found.
func TestRulesOfferOtherWords(t *testing.T) {
	all, err := standard()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all.rules {
		for _, e := range r.yes {
			for _, c := range finds(t, r, e.before+e.found+e.after) {
				for _, a := range c.alts {
					if strings.EqualFold(a.text, e.found) {
						t.Errorf("%s %s: offers %q for itself", r.place, r.ID, a.text)
					}
				}
			}
		}
	}
}
