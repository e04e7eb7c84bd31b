package press

import (
	"slices"
	"strings"
	"testing"
)

func TestQuotes(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"none", `The envoy left on Monday.`, nil},
		{"straight", `He called it "inept" and "clumsy", they say.`, []string{"inept", "clumsy"}},
		{"curly", `He called it “inept” and “clumsy.”`, []string{"inept", "clumsy."}},
		{"list of words", `It was “inept,” “insecure,” and “incompetent.” So he said.`, []string{"inept,", "insecure,", "incompetent."}},
		{"straight outside single", `"You said 'no' to me," he said.`, []string{"You said 'no' to me,"}},
		{"nested at both ends", `"'No' was what he said, and then 'yes'" is all.`, []string{"'No' was what he said, and then 'yes'"}},
		{"curly nested", `“He told me ‘no’ twice,” she said.`, []string{"He told me ‘no’ twice,"}},
		{"curly nested in its own kind", `“He told me “no” twice,” she said.`, []string{"He told me “no” twice,"}},
		{"straight nested in its own kind", `"He told me "no" twice," she said.`, []string{`He told me "no" twice,`}},
		{"straight in curly", `“He told me "no" twice,” she said.`, []string{`He told me "no" twice,`}},
		{"opened curly, closed straight", `He called it “inept" and left.`, []string{"inept"}},
		{"opened straight, closed curly", `He called it "inept” and left.`, []string{"inept"}},
		{"interrupted", `“It is,” she said, “a clumsy plan.”`, []string{"It is,", "a clumsy plan."}},
		{"in brackets", `The post ("frank", by design) was closed.`, []string{"frank"}},
		{"after a dash", `A word—"inept"—that stayed.`, []string{"inept"}},
		{"ends in a dash", `"I thought—" she said.`, []string{"I thought—"}},
		{"begins with an ellipsis", `It was "…and clumsy" too.`, []string{"…and clumsy"}},
		{"no space before", `He said,"inept" and left.`, []string{"inept"}},
		{"no space after", `He said "inept"and left.`, []string{"inept"}},
		{"space inside", `He said "inept " and left.`, []string{"inept"}},
		{"empty", `He said "" and “ ” and '' here.`, nil},
		{"typewriter pairs", "He said ``inept'' and left.", []string{"inept"}},
		{"full width", `He said ＂inept＂ and left.`, []string{"inept"}},

		{"british curly", `‘We don’t know,’ the envoy said.`, []string{"We don’t know,"}},
		{"british straight", `'We don't know,' the envoy said.`, []string{"We don't know,"}},
		{"british one word", `They called it 'inept' and ‘clumsy’.`, []string{"inept", "clumsy"}},
		{"british, double inside", `‘He told me “no” twice,’ she said.`, []string{"He told me “no” twice,"}},
		{"british, plural inside", `‘The ambassadors’ car was late,’ he said.`, []string{"The ambassadors’ car was late,"}},
		{"british, plural is all", `The ‘leaks’ and the ‘spies’ were news.`, []string{"leaks", "spies"}},
		{"british, plural then full stop", `They were ‘leaks’. They were not secrets.`, []string{"leaks"}},
		{"british, one plural", `The ‘leaks’ were bad for the post.`, []string{"leaks"}},
		{"british in a headline", `Envoy: 'Worst cannot be ruled out'`, []string{"Worst cannot be ruled out"}},
		{"apostrophes only", `Don’t say the ambassadors’ car wasn’t here in ’19, tell ’em.`, nil},
		{"straight apostrophes only", `Don't say the ambassadors' car wasn't here in '19, tell 'em.`, nil},
		{"rock and roll", `It was rock 'n' roll, and rock ’n’ roll.`, nil},
		{"decade", `In the '90s and the ‘80s the office was small.`, nil},
		{"apostrophe, then a quotation", `Tell 'em it was 'inept' again.`, []string{"inept"}},
		{"apostrophe word opens", `'Em and I were there,' she said.`, []string{"Em and I were there,"}},
		{"possessive of a quotation", `The “inept”’s author.`, []string{"inept"}},
		{"single must not cross", `The 'odd "thing' here" is.`, []string{"thing' here"}},

		{"guillemets", `Il a dit « inepte » et «maladroit».`, []string{"inepte", "maladroit"}},
		{"guillemets, nested", `« Il a dit “non” hier », dit-elle.`, []string{"Il a dit “non” hier"}},
		{"guillemets reversed", `Er sagte »unfähig« und »plump«.`, []string{"unfähig", "plump"}},
		{"guillemets one way", `Hän sanoi »kömpelö» eilen.`, []string{"kömpelö"}},
		{"german", `Er nannte sie „unfähig“ und „plump“.`, []string{"unfähig", "plump"}},
		{"german, closed the english way", `Er nannte sie „unfähig” und „plump".`, []string{"unfähig", "plump"}},
		{"german, nested", `„Er sagte ‚nein‘ zu mir“, sagte sie.`, []string{"Er sagte ‚nein‘ zu mir"}},
		{"german single", `Sie sagte ‚nein‘ dazu.`, []string{"nein"}},
		{"swedish", `Han sa ”klumpig” igår.`, []string{"klumpig"}},
		{"corners", `彼は「無能」と言った。`, []string{"無能"}},

		{"inches", `A 5" pipe for a man of 6'2" is short.`, nil},
		{"inches with a space", `A 5 " pipe and a "good" one.`, []string{"good"}},
		{"inches and a quotation", `A 5" pipe is "good" enough.`, []string{"good"}},
		{"inches inside", `"A 5" pipe is good," he said.`, []string{`A 5" pipe is good,`}},
		{"inches inside curly", `“A 5" pipe is good,” he said.`, []string{`A 5" pipe is good,`}},
		{"inches by inches", `A 5"x7" photograph is "lost".`, []string{"lost"}},
		{"number at the end", `"We had 5" was all. He said "six" then.`, []string{"We had 5", "six"}},
		{"feet", `A wall of 6' stood by the 'old' gate.`, []string{"old"}},

		{"never closed", `He said “it was inept and clumsy.`, []string{"it was inept and clumsy."}},
		{"never opened", `it was inept,” he said.`, nil},
		{"never opened, straight", `it was inept," he said. "Clumsy too."`, []string{"Clumsy too."}},
		{"never closed before another", `“It was inept, he said. “Clumsy,” he added.`, []string{"It was inept, he said.", "Clumsy,"}},
		{"never closed before another, straight", `"It was inept, he said. "Clumsy," he added.`, []string{"It was inept, he said.", "Clumsy,"}},
		{"british never closed", `‘It was inept.`, []string{"It was inept."}},
		{"stray straight single", `He said 'it was inept.`, nil},
		{"only marks", `"" “” '''''' ”””`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := phrases(tt.text, quotes(tt.text, "")); !slices.Equal(got, tt.want) {
				t.Errorf("%s\n got %q\nwant %q", tt.text, got, tt.want)
			}
		})
	}
}

// A quotation that runs on opens every paragraph and closes the last.
func TestQuotesRunOn(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"curly", "“One it is.\n\n“Two ‘it’ is.\n\n“Three,” he said.\n\nNo more.",
			[]string{"One it is.", "Two ‘it’ is.", "Three,"}},
		{"straight", "\"One it is.\n\n\"Two it is.\n\n\"Three,\" he said.\n\nNo more.",
			[]string{"One it is.", "Two it is.", "Three,"}},
		{"british", "‘One it is, don’t.\n\n‘Two,’ he said.\n\nNo more.", []string{"One it is, don’t.", "Two,"}},
		{"british straight", "He said: 'One it is.\n\n'Two,' he said.\n\nNo more.", []string{"One it is.", "Two,"}},
		{"after a narrator", "“A,” he said. “B goes on.\n\n“C ends.”", []string{"A,", "B goes on.", "C ends."}},
		{"nested and going on", "“One “it” is.\n\n“Two.”", []string{"One “it” is.", "Two."}},
		{"not taken up", "“One it is.\n\nTwo it is.\n\n“Three,” he said.", []string{"One it is.", "Three,"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := Read("", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := quoted(a); !slices.Equal(got, tt.want) {
				t.Errorf("got %q\nwant %q", got, tt.want)
			}
		})
	}
}

// One stray mark must not make a quotation of a whole text.
func TestRunawayIsBounded(t *testing.T) {
	long := strings.Repeat("no mark in this text ", 1000)
	for _, start := range []string{`He said “so `, `He said "so `, `‘So `, `« So `} {
		text := start + long + `and then “inept” came`
		spans := quotes(text, "")
		if n := spans[0].End - spans[0].Start; n > maxRunaway {
			t.Errorf("%q: quotation of %d bytes", start, n)
		}
		if last := phrases(text, spans[len(spans)-1:]); start[0] != '\xc2' && last[0] != "inept" {
			t.Errorf("%q: the quotation after it was lost: %.40q", start, last)
		}
	}
	text := "“" + long
	if spans := quotes(text, "“and so on”"); spans[0].End != len(strings.TrimRight(text, " ")) {
		t.Errorf("a quotation that runs on was cut at %d", spans[0].End)
	}
}
