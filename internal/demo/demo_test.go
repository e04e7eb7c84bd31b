package demo

import (
	"strings"
	"testing"

	"chancery/cable"
	"chancery/internal/press"
	"chancery/internal/review"
	"chancery/internal/wording"
)

func load(t *testing.T) (*Scene, *cable.Draft) {
	t.Helper()
	s, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	d, err := cable.Parse(s.Draft)
	if err != nil {
		t.Fatal(err)
	}
	return s, d
}

// Every quotation an outlet prints is cut from the copy, word for word.
func TestOutletsQuoteTheCopy(t *testing.T) {
	s, d := load(t)
	choices := make([]int, len(d.Groups))
	for g := range choices {
		choices[g] = d.Groups[g].Size - 1
	}
	copyText := d.Render(choices)
	for key := range s.quotes {
		said, err := s.said(key, d, choices)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(copyText, said) {
			t.Errorf("%s: %q is not in the copy", key, said)
		}
	}
	for _, a := range append(s.Outlets, s.Control, s.Outsider) {
		text, err := s.Print(a, d, choices)
		if err != nil || strings.Contains(text, "{{") || strings.Contains(text, "<no value>") {
			t.Errorf("%s: %v", a.Name, err)
		}
		if _, err := press.Read(a.Name, []byte(text)); err != nil {
			t.Error(err)
		}
	}
}

func TestScene(t *testing.T) {
	s, d := load(t)
	if len(s.Outlets) != 3 || s.Title == "" || s.Story == "" || len(s.quotes) < 8 {
		t.Errorf("%d outlets, title %q, %d quotes", len(s.Outlets), s.Title, len(s.quotes))
	}
	if words := len(cable.Words(d.RecordText())); words < 500 || words > 700 {
		t.Errorf("the cable has %d words", words)
	}
	for _, a := range s.Outlets {
		if !strings.Contains(a.text, "said") {
			t.Errorf("%s quotes nothing", a.Name)
		}
	}
}

// TestDraftWasReviewed replays the keys that a person pressed over the cable
// as it was written: what comes out is the draft of the scene.
func TestDraftWasReviewed(t *testing.T) {
	plain, journal := read("plain.txt"), read("review.jsonl")
	r, size, err := review.Resume(plain, journal)
	if err != nil || size != len(journal) {
		t.Fatal(size, err)
	}
	if !r.Done() {
		t.Error("the review was not finished")
	}
	got, err := wording.Apply(plain, r.Result())
	if err != nil {
		t.Fatal(err)
	}
	s, _ := load(t)
	if string(got) != string(s.Draft) {
		t.Error("scene/draft.txt is not what the review made of scene/plain.txt")
	}
}
