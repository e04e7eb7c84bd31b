package cable

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

// wordCases say which words a text has.
var wordCases = []struct{ name, text, words string }{
	{"empty", "", ""},
	{"case", "The PRIME Minister", "the prime minister"},
	{"punctuation", "“Inept,” he said; clumsy—and (worse): vain!", "inept he said clumsy and worse vain"},
	{"hyphen", "so-called well\u2010known non\u2011stop", "socalled wellknown nonstop"},
	{"dash", "clumsy–inept a—b a−b a--b", "clumsy inept a b a b a b"},
	{"hyphen at the edge", "-a b- - -c-d-", "a b cd"},
	{"straight apostrophe", "don't the readers' 'tis", "dont the readers tis"},
	{"curly apostrophe", "don’t the readers’ ’tis don＇t", "dont the readers tis dont"},
	{"letter apostrophe", "donʼt Hawaiʻi ʼtis ʼ", "dont hawaii tis"},
	{"single quotes", "‘inept’ 'inept'", "inept inept"},
	{"two joiners", "a'-b rock-'n'-roll", "a b rock n roll"},
	{"figures", "1,000 1,000,000 3.5 3,5 1990. 1990, 2", "1000 1000000 3.5 35 1990 1990 2"},
	{"points between letters", "U.S. a.b 1.a a.1 v1.2", "u s a b 1 a a 1 v1.2"},
	{"figures and joiners", "12-14 90's 3.5-4.25", "1214 90s 3.54.25"},
	{"numbered", "1. One 2) Two §3", "1 one 2 two 3"},
	{"sums", "$5 £5 50% 5°", "5 5 50 5"},
	{"accents", "café cafe\u0301 CAFÉ naïve Ångström", "cafe cafe cafe naive angstrom"},
	{"letters that stay", "Łódź Øre œuvre ß", "łodz øre œuvre ß"},
	{"ligatures", "ﬁnal oﬀer ŉ", "final offer n"},
	{"width", "ＡＢＣ １２", "abc 12"},
	{"capital with dot", "İstanbul ISTANBUL", "istanbul istanbul"},
	{"zero width", "in\u200bept in\u00adept \ufeffinept in\u200dept in\u2060ept", "inept inept inept inept inept"},
	{"direction marks", "in\u200eept \u202einept\u202c in\u061cept \u2067inept\u2069", "inept inept inept inept"},
	{"zero width at a joiner", "re-\u00adelect re\u00ad-elect 1,\u200b000 1\u200b,000", "reelect reelect 1000 1000"},
	{"zero width alone", "\u200b \u200b-\u200b", ""},
	{"accent alone", "\u0301 \u0301a \u0301\u0301", "a"},
	{"Cyrillic", "Его превосходительство не́кто Ёлка", "его превосходительство некто елка"},
	{"Greek", "ΟΔΌΣ οδός", "οδοσ οδοσ"},
	{"Arabic", "السَّفِير السفير ١٬٠٠٠ ١,٠٠٠", "السفير السفير ١ ٠٠٠ ١٠٠٠"},
	{"Hangul", "한 \u1112\u1161\u11ab", "\u1112\u1161\u11ab \u1112\u1161\u11ab"},
	{"Chinese", "大使，先生", "大使 先生"},
	{"not letters", "½ ② Ⅷ 😀 _ / \\ @", ""},
	{"separators", "and/or a_b a@b.c", "and or a b a b c"},
	{"broken UTF-8", "a\xffb \xc3", "a b"},
	{"replacement character", "a\ufffdb", "a b"},
	{"white space", "a\u00a0b\tc\u2003d\u2028e", "a b c d e"},
	{"dots inside a word", "a...b a…b", "a b a b"},
}

func TestWords(t *testing.T) {
	for _, c := range wordCases {
		t.Run(c.name, func(t *testing.T) {
			if got := Words(c.text); !slices.Equal(got, strings.Fields(c.words)) {
				t.Errorf("%q: %q, want %q", c.text, got, c.words)
			}
			checkTokens(t, c.text)
		})
	}
}

// tokenCases say where the words stand, and among what: ~ is put before a
// word after an omission, [ ] around a word in brackets.
var tokenCases = []struct{ text, want string }{
	{"one ... two", "one ~two"},
	{"one… two", "one ~two"},
	{"one. . . two", "one ~two"},
	{"one.... Two", "one ~Two"},
	{"one. Two.. three", "one Two three"},
	{"one., .. two", "one two"},
	{"... one", "~one"},
	{"one […] two", "one ~two"},
	{"one [...] two", "one ~two"},
	{"one ...\u0301 two", "one ~two"},
	{"one [the] two", "one [the] two"},
	{"one [the author] two", "one [the] [author] two"},
	{"a[n] b", "a [n] b"},
	{"one ] two", "one two"},
	{"one ] two [three] four", "one two [three] four"},
	{"[one [two] three] four", "[one] [two] [three] four"},
	{"don’t re-\u00adelect, 1,000", "don’t re-\u00adelect 1,000"},
}

func TestTokenize(t *testing.T) {
	for _, c := range tokenCases {
		var got []string
		for _, token := range Tokenize(c.text) {
			word := c.text[token.Start:token.End]
			if token.Bracketed {
				word = "[" + word + "]"
			}
			if token.Ellipsis {
				word = "~" + word
			}
			got = append(got, word)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q: %q, want %q", c.text, s, c.want)
		}
	}
}

func TestTokenizeKeepsItsPromises(t *testing.T) {
	parts := rapid.SliceOf(rapid.OneOf(rapid.SampledFrom(letters), rapid.SampledFrom(marks), rapid.SampledFrom(spaces), rapid.StringN(1, 1, -1)))
	rapid.Check(t, func(r *rapid.T) {
		checkTokens(t, strings.Join(parts.Draw(r, "text"), ""))
	})
}

// TestEveryCharacter holds the promises for each character there is, alone
// and inside a word.
func TestEveryCharacter(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		checkTokens(t, string(r))
		checkTokens(t, "a"+string(r)+"B")
	}
}
