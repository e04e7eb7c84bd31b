package wording

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"chancery/cable"
)

// offered returns the original words and alternatives of the proposals for a
// text, as original|alternative|alternative.
func offered(t *testing.T, text string) []string {
	t.Helper()
	proposals, err := Propose([]byte("Subject: x\n\n"+text+"\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, p := range proposals {
		out = append(out, p.Original+"|"+strings.Join(p.Alternatives, "|"))
	}
	return out
}

// TestMask looks at sentences of which nothing may be varied.
func TestMask(t *testing.T) {
	for _, text := range []string{
		`"The talks were difficult, in view of these problems," he cried.`,
		"“In view of these problems,\nhe continued, the talks are difficult",
		"[In view of these problems, however, the talks are difficult]",
		"‘In view of these problems the talks don’t begin in the near future.’",
		"In Anbetracht der Probleme waren die Gespräche schwierig, sagte der Minister, und er wolle sie bald treffen.",
		"Compte tenu de ces problèmes, les entretiens ont été difficiles, a déclaré le ministre à la presse.",
		"في ضوء هذه المشاكل كانت المحادثات صعبة",
		"Item   Price   Total\n1      20      40\n2      30      50",
	} {
		if got := offered(t, text); len(got) > 0 {
			t.Errorf("%q: offers %q", text, got)
		}
	}
}

// TestCapitals: in a telegram in capitals nothing shows which words are names. Its
// verbs and connectives are varied, in capitals; nouns and adjectives, of which
// names are made, are left alone, and so is what is quoted.
func TestCapitals(t *testing.T) {
	text := "IN VIEW OF THESE PROBLEMS THE MINISTER OF STATE SAID THAT HE WOULD LIKE TO MEET MR. GRANT OF THE SECURITY COUNCIL. QUOTE IN VIEW OF THIS UNQUOTE WAS A GREAT HELP."
	got := offered(t, text)
	if len(got) < 2 || !strings.HasPrefix(got[0], "IN VIEW OF|") {
		t.Errorf("offers %q", got)
	}
	for _, place := range got {
		if strings.ToUpper(place) != place {
			t.Errorf("%q is not in capitals", place)
		}
		for _, name := range []string{"MINISTER", "STATE", "GRANT", "SECURITY", "COUNCIL", "GREAT", "HELP", "THIS"} {
			if words := strings.Fields(strings.Split(place, "|")[0]); slices.Contains(words, name) {
				t.Errorf("%q rewords what may be a name, or is quoted", place)
			}
		}
	}
}

// TestInstructions says that in a sentence which tells somebody what to do only
// rules apply that cannot touch what is ordered.
func TestInstructions(t *testing.T) {
	all, err := standard()
	if err != nil {
		t.Fatal(err)
	}
	binding := map[string]bool{}
	for _, r := range all.rules {
		binding[r.ID] = !r.Any && !r.Order
	}
	for _, text := range []string{
		"You should try to inform the Minister that in our view the talks were difficult and that they agreed to meet.",
		"Please try to ensure that the Minister understands that we believe in the plan.",
		"Inform the Foreign Minister that he would like to try to continue to support it.",
		"The Department must try to obtain approval before they agree to help solve it.",
	} {
		p := onePage(t, text)
		if !p.sentences[0].instruction {
			t.Errorf("%q is not taken for an instruction", text)
		}
		for _, c := range all.propose(p, nil, nil) {
			for _, a := range c.alts {
				if binding[a.id] {
					t.Errorf("%q: %s offers %q", text, a.id, a.text)
				}
			}
		}
	}
}

// TestOrders: what holds in an order to a post is left alone where the text may be a
// treaty's.
func TestOrders(t *testing.T) {
	all, err := standard()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"In order to win time, you should see the Minister today.": true,
		"In order to win time, the Parties shall meet each year.":  false,
	} {
		p := onePage(t, text)
		got := slices.ContainsFunc(all.propose(p, nil, nil), func(c candidate) bool { return c.alts[0].id == "connective.in-order-to-start" })
		if !p.sentences[0].instruction || got != want {
			t.Errorf("%q: an instruction: %v, offered: %v", text, p.sentences[0].instruction, got)
		}
	}
}

// TestQuotationsOverParagraphs says that words of a quotation which goes on in
// the next paragraph are left alone there too, and no longer.
func TestQuotationsOverParagraphs(t *testing.T) {
	text := "He read out this text: “We wish to meet in the near future.\n\n“In view of these problems we wish to meet.”\n\nIn view of these problems they left."
	got := offered(t, text)
	if len(got) == 0 || !strings.HasPrefix(got[0], "In view of") || strings.Contains(strings.Join(got, " "), "wish") {
		t.Errorf("offers %q", got)
	}
}

// TestAnnouncedTextsAreLeftAlone: words that others are to repeat are not ours
// to vary. What somebody said in our words is.
func TestAnnouncedTextsAreLeftAlone(t *testing.T) {
	const words = "In view of these problems we wish to meet in the near future."
	for before, varied := range map[string]bool{
		"The approach was set out last week. This statement follows:":  false,
		"The agreed text reads as follows:":                            false,
		"His reply to the message follows:":                            false,
		"He made the following points:":                                true,
		"The statement which he made was long. These were his points:": true,
	} {
		got := offered(t, before+"\n\n"+words)
		if found := strings.Contains(strings.Join(got, "\n"), "In view of"); found != varied {
			t.Errorf("%q: %q", before, got)
		}
	}
}

// TestDatesAreOfOneStyle says that a copy does not mix "8 December" and
// "December 8": all dates share one choice.
func TestDatesAreOfOneStyle(t *testing.T) {
	proposals, err := Propose([]byte("Subject: x\n\nThey met on 8 December in Bonn. They spoke on 10 December; he stayed five days and left after 3 weeks.\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]int{}
	for _, p := range proposals {
		if p.House() {
			links[p.Link]++
		}
	}
	if links["date"] != 2 || links["number"] != 2 {
		t.Errorf("%v in %+v", links, proposals)
	}
}

// TestWholeSentence looks at what must follow a change: articles, capitals, no
// word twice.
func TestWholeSentence(t *testing.T) {
	tests := []struct{ text, want, never string }{
		{"He made an effort to meet them and gave a frank answer.", "", "an candid"},
		{"However, the talks failed.", "", "|nevertheless"},
		{"He saw both the Chinese and the Thai.", "both |", ""},
		{"Both the Chinese and the Thai agreed to it.", "", "Both |"},
		{"They began the talks after the discussions had failed.", "", "|discussions"},
	}
	for _, tt := range tests {
		all := strings.Join(offered(t, tt.text), "\n")
		if !strings.Contains(all, tt.want) || strings.Contains(all, tt.never) && tt.never != "" {
			t.Errorf("%q: offers %q", tt.text, all)
		}
	}
}

func TestArticleFollows(t *testing.T) {
	p := onePage(t, "It was a brief visit.")
	at := strings.Index(p.Text, "brief")
	c, ok := p.fit(candidate{from: at, to: at + len("brief"), alts: []alternative{{text: "hurried"}, {text: "eventful"}}})
	if !ok || p.Text[c.from:c.to] != "a brief" || c.alts[0].text != "a hurried" || c.alts[1].text != "an eventful" {
		t.Errorf("%q -> %v", p.Text[c.from:c.to], c.alts)
	}
}

// TestPlaces says where proposals stand in the file, whatever stands there.
func TestPlaces(t *testing.T) {
	const draft = "\ufeffSubject: x\r\n\r\n1. {He|She} said \\{here\\} that in view of\r\nthese problems he would like to go.\r\n\r\n2. The talks were {hard|difficult} in the near future.\r\n"
	proposals, err := Propose([]byte(draft), nil)
	if err != nil || len(proposals) < 2 {
		t.Fatal(proposals, err)
	}
	last := 0
	for _, p := range proposals {
		have := strings.Join(strings.Fields(draft[p.Start:p.End]), " ")
		if want := strings.Join(strings.Fields(p.Original), " "); have != want || p.Start < last {
			t.Errorf("%d to %d is %q, not %q", p.Start, p.End, have, want)
		}
		if p.Bits != math.Log2(1+float64(len(p.Alternatives))) {
			t.Errorf("%q: %v bits", p.Original, p.Bits)
		}
		if !strings.Contains(p.Sentence[p.Offset:], p.Original) {
			t.Errorf("%q does not stand at %d in %q", p.Original, p.Offset, p.Sentence)
		}
		last = p.End
	}
	if _, err := Apply([]byte(draft), Sites(proposals)); err != nil {
		t.Error(err)
	}
}

// TestSuggestions tries what a model must not do.
func TestSuggestions(t *testing.T) {
	const text = "The Minister was clumsy and did not say that 20 ships could leave on Friday, as “he was told” in Bonn."
	tests := []struct {
		original, alternative string
		ok                    bool
	}{
		{"was clumsy", "was heavy-handed", true},
		{"was clumsy", "was not deft", false},
		{"was clumsy", "was clumsy on 3 May", false},
		{"did not say", "said", false},
		{"did not say", "did not tell anybody", true},
		{"could leave", "might leave", false},
		{"could leave", "could sail", true},
		{"20 ships", "twenty ships", false},
		{"Friday", "Monday", false},
		{"was clumsy", "was Kissinger's fool", false},
		{"he was told", "he was informed", false},
		{"was clum", "was awkward", false},
		{"was clumsy", "was {x|y}", false},
		{"was clumsy", strings.Repeat("very ", 30) + "clumsy", false},
		{"was  clumsy", "was awkward", false},
		{"", "x", false},
	}
	for _, tt := range tests {
		proposals, err := Propose([]byte("Subject: x\n\n"+text+"\n"), nil, Suggestion{0, tt.original, tt.alternative})
		if err != nil {
			t.Fatal(err)
		}
		got := slices.ContainsFunc(proposals, func(p Proposal) bool { return slices.Contains(p.Alternatives, tt.alternative) })
		if got != tt.ok {
			t.Errorf("%q -> %q: offered %v", tt.original, tt.alternative, got)
		}
	}
}

func TestHeader(t *testing.T) {
	tests := []struct{ draft, want string }{
		{"Subject: x\n\ntext\n", "Subject: x\nReview: unreviewed\n\ntext\n"},
		{"Review: yes\n and no\nSubject: x\n\ntext\n", "Subject: x\nReview: unreviewed\n\ntext\n"},
		{"Subject: x\r\n\r\ntext\r\n", "Subject: x\r\nReview: unreviewed\n\r\ntext\r\n"},
	}
	for _, tt := range tests {
		got := WithHeader([]byte(tt.draft), "Review", "unreviewed")
		if string(got) != tt.want {
			t.Errorf("%q: %q", tt.draft, got)
		}
		if bytes.Contains(WithoutHeader(got, "review"), []byte("unreviewed")) {
			t.Errorf("%q: the header stays", got)
		}
	}
}

// FuzzPropose says that proposals for any draft can be applied, all of them
// together, and leave the record text as it was.
func FuzzPropose(f *testing.F) {
	f.Add("Subject: x\n\nHe said that in view of these problems he would like to go. {A|B} said \\{so\\}.\n")
	f.Add("Subject: x\n\nAn effort was made\nto meet an honest man. “We wish to go,” he said; they don't agree on 5 May about the program.\n")
	f.Add("Subject: x\n\nsA'D that the Ministry’S efforts in view of it didn’T fail.\n")
	f.Add("Subject: x\r\n\r\n1. However, it was also said that they were ready to continue to support all of the plan.\r\n")
	f.Fuzz(func(t *testing.T, draft string) {
		plain, err := cable.Parse([]byte(draft))
		if err != nil {
			return
		}
		proposals, err := Propose([]byte(draft), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Quotables([]byte(draft)); err != nil {
			t.Fatal(err)
		}
		worded, err := Apply([]byte(draft), Sites(proposals))
		if err != nil {
			t.Fatalf("%v\n%s", err, worded)
		}
		d, err := cable.Parse(WithHeader(worded, "Review", "unreviewed"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range plain.Paragraphs {
			before := plain.RenderParagraph(i, make([]int, len(plain.Groups)))
			after := d.RenderParagraph(i, make([]int, len(d.Groups)))
			if !slices.Equal(cable.Words(before), cable.Words(after)) {
				t.Fatalf("paragraph %d was\n%s\nand is\n%s", i+1, before, after)
			}
		}
	})
}

func FuzzParseLearned(f *testing.F) {
	f.Add([]byte(`{"rules":{"verb.x":{"accepted":1,"struck":2}},"standing":["verb.x"]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ParseLearned(data)
		if err != nil {
			return
		}
		again, err := ParseLearned(l.Encode())
		if err != nil || string(again.Encode()) != string(l.Encode()) {
			t.Fatalf("%v: %s", err, l.Encode())
		}
		if p := l.Accept("verb.x"); p < 0 || p > 1 {
			t.Fatal(p)
		}
	})
}

func TestAdverbBetweenArticleAndAdjective(t *testing.T) {
	p := onePage(t, "It was a generally accepted view.")
	at := strings.Index(p.Text, "generally")
	c, ok := p.fit(candidate{from: at, to: at + len("generally"), alts: []alternative{{text: "by and large"}, {text: "broadly"}}})
	if !ok || len(c.alts) != 1 || c.alts[0].text != "broadly" {
		t.Errorf("%v", c.alts)
	}
}
