package review

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"chancery/cable"
	"chancery/internal/wording"
)

const draft = `Reference: Port Carrow 7/26
Subject: The cabinet

1. The Minister said that the talks were difficult. He was clumsy with his friends and reckless with
everybody else; his career could end in disgrace.

2. He would like to meet the Ambassador in the near future. In view of these problems I believe that we should
continue to support the plan. They don't agree about the program.
`

func begin(t *testing.T, ask int) *Session {
	t.Helper()
	s, err := New([]byte(draft), &wording.Learned{}, ask)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func press(t *testing.T, s *Session, keys ...string) {
	t.Helper()
	for _, k := range keys {
		if !s.Press(Event{Key: k}) {
			t.Fatalf("the key %q means nothing: %s", k, s.said)
		}
	}
}

// TestOrder says what an author sees first and last.
func TestOrder(t *testing.T) {
	s := begin(t, 1)
	if u := s.units[0]; !u.Asks || !strings.Contains(u.Sentence, "clumsy") || len(u.Slots) < 3 {
		t.Errorf("first comes %+v", u)
	}
	last := s.units[len(s.units)-1]
	if !last.House {
		t.Errorf("last comes %+v", last)
	}
	house := false
	for _, u := range s.units {
		if house && !u.House {
			t.Errorf("%q comes after house style", u.Sentence)
		}
		house = u.House
	}
}

// TestReview goes through a review as an author would, and reads the draft.
func TestReview(t *testing.T) {
	s := begin(t, 1)
	words, asks := s.Asking()
	if !asks {
		t.Fatal("nothing is asked")
	}
	if !s.Press(Event{KeyTyped, words + " x | " + words + " y"}) {
		t.Fatal(s.said)
	}
	press(t, s, KeyEnough, KeyAccept, "a", KeyAccept, KeyNone)
	for !s.Done() {
		press(t, s, KeyAccept)
	}
	sites := s.Result()
	worded, err := wording.Apply([]byte(draft), sites)
	if err != nil {
		t.Fatal(err)
	}
	d, err := cable.Parse(worded)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(worded), "|"+words+" x|"+words+" y}") {
		t.Errorf("the typed wordings are not in\n%s", worded)
	}
	plain, err := cable.Parse([]byte(draft))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(cable.Words(d.RecordText()), cable.Words(plain.RecordText())) {
		t.Errorf("the record text changed:\n%s", d.RecordText())
	}
}

// TestUndo says that undo goes back over any keys to the very beginning.
func TestUndo(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	keys := []string{KeyAccept, KeyNone, KeyNext, "a", "b", "1", "2", "+", KeyEnough, KeyTyped}
	for range 50 {
		s := begin(t, 2)
		first := s.Screen(80, false)
		n := 0
		for range 40 {
			e := Event{Key: keys[rng.IntN(len(keys))]}
			if e.Key == KeyTyped {
				e.Text = "one|two"
			}
			if s.Press(e) {
				n++
			}
		}
		for range n {
			press(t, s, KeyUndo)
		}
		s.keys = 0
		s.said = ""
		if got := s.Screen(80, false); got != first {
			t.Fatalf("after %d keys and as many steps back:\n%s\nnot\n%s", n, got, first)
		}
	}
}

// TestJournal replays reviews from their journals, whole and cut off anywhere.
func TestJournal(t *testing.T) {
	s := begin(t, 1)
	journal := s.Begin()
	var ends []int
	for _, e := range []Event{{KeyTyped, "x|y"}, {KeyTyped, ""}, {Key: KeyEnough}, {Key: KeyAccept}, {Key: "a"}, {Key: KeyUndo}, {Key: KeyAccept}} {
		if !s.Press(e) {
			t.Fatal(e, s.said)
		}
		journal = append(journal, e.Line()...)
		ends = append(ends, len(journal))
	}
	again, size, err := Resume([]byte(draft), journal)
	if err != nil || size != len(journal) {
		t.Fatal(size, err)
	}
	if a, b := again.Screen(80, true), s.Screen(80, true); a != b {
		t.Errorf("after replay\n%s\nnot\n%s", a, b)
	}
	first := len(s.Begin())
	for cut := first; cut <= len(journal); cut++ {
		_, size, err := Resume([]byte(draft), journal[:cut])
		want := first
		for _, end := range ends {
			if end <= cut {
				want = end
			}
		}
		if err != nil || size != want {
			t.Fatalf("cut at %d: %d whole bytes, %v; want %d", cut, size, err, want)
		}
	}
}

func TestJournalRefused(t *testing.T) {
	s := begin(t, 1)
	first := string(s.Begin())
	tests := []struct {
		name, journal string
		want          error
	}{
		{"empty", "", nil},
		{"no journal", "hello\n", nil},
		{"another field", strings.Replace(first, "{", `{"x":1,`, 1), nil},
		{"a proposal beyond the draft", strings.Replace(first, `"end":`, `"end":9`, 1), nil},
		{"other draft", strings.Replace(first, first[17:19], "zz", 1), ErrOtherDraft},
		{"a key that means nothing", first + `{"key":"Z"}` + "\n", nil},
		{"no event", first + "?\n", nil},
	}
	for _, tt := range tests {
		_, _, err := Resume([]byte(draft), []byte(tt.journal))
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func FuzzResume(f *testing.F) {
	s, err := New([]byte(draft), &wording.Learned{}, 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"key":" "}` + "\n" + `{"key":"text","text":"a|b"}` + "\n"))
	f.Add([]byte(`{"key":"<"}` + "\n"))
	first := s.Begin()
	f.Fuzz(func(t *testing.T, rest []byte) {
		s, size, err := Resume([]byte(draft), append(bytes.Clone(first), rest...))
		if err != nil {
			return
		}
		if size > len(first)+len(rest) {
			t.Fatalf("%d bytes of %d are whole", size, len(first)+len(rest))
		}
		s.Screen(60, true)
		if _, err := wording.Apply([]byte(draft), s.Result()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestStandingApproval says that a rule approved for good is taken unseen in
// the next review.
func TestStandingApproval(t *testing.T) {
	s := begin(t, 0)
	for s.units[s.at].House || len(s.units[s.at].Proposals) != 1 {
		press(t, s, KeyNext)
	}
	unit := s.units[s.at]
	press(t, s, "a", "a", KeyApprove, KeyAccept)
	if len(s.units[s.at-1].Proposals[0].Alternatives) > 1 {
		press(t, s, KeyUndo, KeyUndo, KeyUndo, KeyUndo)
		press(t, s, "a", KeyApprove, KeyAccept)
	}
	taste := &wording.Learned{}
	s.Learn(taste)
	next, err := New([]byte(draft), taste, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, u := range next.units {
		if u.Sentence == unit.Sentence && !u.House && !next.marks[i].done {
			t.Errorf("%q is shown again although %s stands", u.Sentence, u.Proposals[0].ID)
		}
	}
}

// TestLearning says that a rule struck often is not offered any more.
func TestLearning(t *testing.T) {
	taste := &wording.Learned{}
	before := taste.Accept("verb.x")
	for range 30 {
		taste.Count("verb.x", false)
	}
	if after := taste.Accept("verb.x"); after >= 0.6 || before < 0.6 {
		t.Errorf("%.2f before, %.2f after thirty strikes", before, after)
	}
	if math.Abs(taste.Accept("verb.y")-before) > 1e-12 {
		t.Error("another rule was touched")
	}
}

// TestDecisionsCountForTheRuleOfTheWording says that a struck wording counts
// against the rule that wrote it, not against others merged at the same words.
func TestDecisionsCountForTheRuleOfTheWording(t *testing.T) {
	s := begin(t, 0)
	merged := func(p wording.Proposal) bool { return p.By[0] != p.By[len(p.By)-1] }
	for !slices.ContainsFunc(s.units[s.at].Proposals, merged) {
		press(t, s, KeyNext)
	}
	j := slices.IndexFunc(s.units[s.at].Proposals, merged)
	by := s.units[s.at].Proposals[j].By
	letter := string(rune('a' + j))
	press(t, s, letter, "1", KeyAccept)
	taste := &wording.Learned{}
	s.Learn(taste)
	if c := taste.Rules[by[0]]; c.Struck == 0 {
		t.Errorf("%s: %+v after its wording was struck", by[0], c)
	}
	if c := taste.Rules[by[len(by)-1]]; c.Struck > 0 || c.Accepted == 0 {
		t.Errorf("%s: %+v after another rule's wording was struck", by[len(by)-1], c)
	}
}

// TestTypedWordsMayStandOnTwoLines says that a line's end between words is no
// obstacle: drafts are wrapped by hand.
func TestTypedWordsMayStandOnTwoLines(t *testing.T) {
	text := "Subject: x\n\n1. In view of this the Minister was reckless\nwith money, clumsy with friends and recklessness itself.\n"
	s, err := New([]byte(text), &wording.Learned{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	press(t, s, KeyEnough)
	if !s.Press(Event{KeyTyped, "reckless with money = careless of money"}) {
		t.Fatal(s.said)
	}
	if s.Press(Event{KeyTyped, "eckless with = x"}) {
		t.Error("part of a word is taken")
	}
	press(t, s, KeyAccept)
	out, err := wording.Apply([]byte(text), s.Result())
	if err != nil || !strings.Contains(string(out), "|careless of money}") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestScreen looks at the words an author needs on every screen.
func TestScreen(t *testing.T) {
	s := begin(t, 1)
	screen := s.Screen(72, false)
	for _, want := range []string{"Sentence 1 of", "A newspaper would quote this", "of 50 readers", "<"} {
		if !strings.Contains(screen, want) {
			t.Errorf("no %q in\n%s", want, screen)
		}
	}
	for line := range strings.Lines(screen) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 90 {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}
}

// TestTypedIsCheckedAtOnce says that wordings which cannot be sites are refused
// when typed, not when the whole review is written.
func TestTypedIsCheckedAtOnce(t *testing.T) {
	text := "Subject: x\n\n1. In view of this the Minister went to {Bonn|the capital} in 1954 and was reckless there with money and clumsy with friends.\n"
	s, err := New([]byte(text), &wording.Learned{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"Bonn = Berlin", "{Bonn|the capital} = x", "19 = 20", "money = cash\x1b[2J", "money = caf\xe9", "money = money"} {
		if s.Press(Event{KeyTyped, line}) {
			t.Errorf("%q is taken", line)
		}
	}
	if !s.Press(Event{KeyTyped, "money = cash | {coin}"}) {
		t.Error(s.said)
	}
}
