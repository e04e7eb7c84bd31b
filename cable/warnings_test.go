package cable

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		name, draft string
		want        []string // line:column and the beginning of what is said
	}{
		{"none", "The team is {inept|clumsy} and {very |}slow.", nil},
		{"in quotation marks", "He said “we {will|shall} win” and\n{left|went}.", []string{"3:13 the site stands in quotation marks"}},
		{"in straight marks", `He said "we {will|shall} win" and {left|went}.`, []string{"3:13 the site stands in quotation marks"}},
		{"after an apostrophe", "The readers’ list is {long|short}.", nil},
		{"touches a word", "un{happy|content} é{a|b} x-{c|d} {e|f}’s",
			[]string{"3:3 the site touches", "3:20 the site touches", "3:28 the site touches", "3:34 the site touches"}},
		{"empty in a word", "well{| }known", []string{"3:5 the site touches"}},
		{"touches with what parts words", "It was slow{, very slow|} and {very |rather }late{ |, as ever, }indeed.", nil},
		{"name", "I saw {Orlo|him}.", []string{`3:7 "Orlo" looks like a name`}},
		{"begins a sentence", "Gone. {He|She} left. {I|we} stay.", nil},
		{"figure", "It cost {40|fifty} crowns.", []string{`3:9 "40" holds a figure`}},
		{"two spaces", "It is {very|} slow.", []string{"3:7 an empty alternative leaves two spaces"}},
		{"article", "He is a {bore|idiot}.", []string{"3:9 some alternatives need 'a' and some 'an'"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mustParse(t, body(c.draft)).Warnings()
			if !slices.EqualFunc(got, c.want, func(w Warning, want string) bool {
				return strings.HasPrefix(fmt.Sprintf("%d:%d %s", w.Line, w.Column, w.Msg), want)
			}) {
				t.Errorf("%+v, want %q", got, c.want)
			}
		})
	}
}
