package wording

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/jdkato/prose/v3/tag"
	"github.com/jdkato/prose/v3/token"

	"chancery/cable"
)

// A word is one word or mark of a sentence.
type word struct {
	text       string // as written
	lower      string // lower case, straight apostrophes
	tag        string // Penn Treebank; punctuation is tagged by its kind
	start, end int    // byte offsets in the paragraph
	quoted     bool   // in quotation marks, brackets or a site of the author
	fixed      bool   // not ours to vary
}

// A sentence is a run of words of one paragraph.
type sentence struct {
	words       []word
	start, end  int // byte offsets in the paragraph
	instruction bool
	agreed      bool // may be the text of a treaty
}

// tagger is loaded once; it is safe for use by several goroutines.
var tagger = sync.OnceValues(func() (*tag.Tagger, error) { return tag.New() })

// split cuts the text of a paragraph into tagged sentences.
func split(text string) ([]sentence, error) {
	t, err := tagger()
	if err != nil {
		return nil, err
	}
	var out []sentence
	words := cut(text)
	for start := 0; start < len(words); {
		end := sentenceEnd(text, words, start)
		s := sentence{words: words[start:end:end], start: words[start].start, end: words[end-1].end}
		tagWords(t, s.words)
		out = append(out, s)
		start = end
	}
	return out, nil
}

// cut cuts a text into words and marks. A word keeps hyphens, dots and
// apostrophes between its letters; "n't" and a final "'s" stand by themselves,
// as taggers expect.
func cut(text string) []word {
	out := make([]word, 0, len(text)/5+1)
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case unicode.IsSpace(r):
			i += size
		case isLetter(r):
			end := wordEnd(text, i)
			out = appendWord(out, text, i, end)
			i = out[len(out)-1].end
		default:
			out = append(out, word{text: text[i : i+size], lower: straight(text[i : i+size]), start: i, end: i + size})
			i += size
		}
	}
	return out
}

func isLetter(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

// wordEnd returns the end of the word that begins at i.
func wordEnd(text string, i int) int {
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !isLetter(r) {
			next, _ := utf8.DecodeRuneInString(text[i+size:])
			if !strings.ContainsRune("-'’.,‑", r) || !isLetter(next) || r == ',' && !unicode.IsDigit(next) {
				break
			}
		}
		i += size
	}
	return i
}

// appendWord adds text[start:end], an abbreviation with its full stop, a
// contraction in two.
func appendWord(out []word, text string, start, end int) []word {
	whole := straight(text[start:end])
	if end < len(text) && text[end] == '.' && isAbbreviation(whole) {
		return append(out, word{text: text[start : end+1], lower: whole + ".", start: start, end: end + 1})
	}
	for _, tail := range []string{"n't", "'s", "'re", "'ve", "'ll", "'d", "'m"} {
		if stem := strings.TrimSuffix(whole, tail); stem != whole && stem != "" {
			cutAt := end
			for range tail { // by letters: a curly apostrophe takes three bytes
				_, size := utf8.DecodeLastRuneInString(text[start:cutAt])
				cutAt -= size
			}
			out = append(out, word{text: text[start:cutAt], lower: stem, start: start, end: cutAt})
			return append(out, word{text: text[cutAt:end], lower: tail, start: cutAt, end: end})
		}
	}
	return append(out, word{text: text[start:end], lower: whole, start: start, end: end})
}

// abbreviations keep their full stop and do not end a sentence.
var abbreviations = set(`mr mrs ms dr messrs prof gen col capt lt maj sgt adm amb rep sen gov hon rev st no nos para paras
	art arts sec secs vol etc e.g i.e cf vs jan feb mar apr jun jul aug sept sep oct nov dec approx dept govt u.s u.k u.n
	p.m a.m inc ltd co corp jr sr fig ref refs viz al fonmin primin ambs`)

func isAbbreviation(lower string) bool {
	return abbreviations[lower] || len(lower) == 1 && lower != "i" && lower[0] >= 'a' || len(lower) >= 3 && dotted(lower)
}

// dotted says whether single letters and dots alternate, as in u.s.s.r.
func dotted(lower string) bool {
	for i := range len(lower) {
		if (lower[i] == '.') != (i%2 == 1) {
			return false
		}
	}
	return true
}

// sentenceEnd returns the index after the last word of the sentence that
// begins at start.
func sentenceEnd(text string, words []word, start int) int {
	for i := start; i < len(words); i++ {
		w := words[i]
		if !endsSentence(w, i-start) {
			continue
		}
		for i+1 < len(words) && words[i+1].start == words[i].end && isCloser(words[i+1].lower) {
			i++
		}
		if i+1 == len(words) || opensSentence(text, words[i], words[i+1]) {
			return i + 1
		}
	}
	return len(words)
}

// endsSentence says whether a word may be the last of a sentence. The number
// of a paragraph ("3.") is not.
func endsSentence(w word, position int) bool {
	switch w.lower {
	case "?", "!":
		return true
	case ".":
		return position > 1
	}
	return strings.HasSuffix(w.lower, ".") && (w.lower == "etc." || dotted(strings.TrimSuffix(w.lower, ".")) && len(w.lower) > 2)
}

func isCloser(mark string) bool { return mark == `"` || mark == "'" || mark == ")" || mark == "]" }

// opensSentence says whether next, after a full stop, begins a sentence:
// white space lies between and a capital, a figure or a mark follows.
func opensSentence(text string, last, next word) bool {
	if next.start == last.end {
		return false
	}
	r, _ := utf8.DecodeRuneInString(next.text)
	if strings.HasSuffix(last.lower, ".") && len(last.lower) > 1 && last.lower != "etc." {
		return unicode.IsUpper(r) && sentenceStarters[next.lower]
	}
	return !unicode.IsLower(r)
}

// sentenceStarters are words that, with a capital after "U.S." and the like,
// begin a new sentence rather than go on with a name.
var sentenceStarters = set(`the a an this that these those he she it they we i you his her its their our in on at as if
	when while although however but and there such for with to no not both after before`)

// tagWords gives each word of a sentence its part of speech.
func tagWords(t *tag.Tagger, words []word) {
	tokens := make([]token.Token, len(words))
	for i, w := range words {
		tokens[i].Text = straightCase(w.text)
	}
	t.TagTokens(tokens)
	for i := range words {
		words[i].tag = tokens[i].Tag
	}
	for i := range words {
		words[i].tag = mendTag(words, i)
	}
}

// mendTag corrects what the tagger gets wrong for our purpose: marks it does
// not know, and past tenses after an auxiliary, which are participles.
func mendTag(words []word, i int) string {
	w := words[i]
	r, _ := utf8.DecodeRuneInString(w.lower)
	switch {
	case !isLetter(r) && w.lower != "'s" && w.lower[0] != '\'':
		return markTag(w.lower)
	case unicode.IsDigit(r):
		return "CD"
	case w.tag == "VBD" && afterAuxiliary(words, i):
		return "VBN"
	case i > 0 && (words[i-1].tag == "MD" || words[i-1].lower == "cannot") && (w.tag == "JJ" || w.tag == "NN" || w.tag == "VBP"):
		return "VB"
	case w.tag == "NNP" && i == 0 && unicode.IsLower(r) && !isName(w.text):
		return "NN"
	}
	return w.tag
}

func isName(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return unicode.IsUpper(r)
}

func markTag(mark string) string {
	switch mark {
	case ".", "?", "!":
		return "."
	case ",":
		return ","
	case ":", ";", "-", "–", "—":
		return ":"
	case "(", "[":
		return "("
	case ")", "]":
		return ")"
	case `"`:
		return "''"
	}
	return "SYM"
}

// auxiliaries before which a past tense is a participle.
var auxiliaries = set("be is are am was were been being have has had having get gets got")

// afterAuxiliary looks left over adverbs for a form of be or have.
func afterAuxiliary(words []word, i int) bool {
	for j := i - 1; j >= 0 && j >= i-4; j-- {
		if auxiliaries[words[j].lower] {
			return true
		}
		if !strings.HasPrefix(words[j].tag, "RB") && words[j].lower != "not" && words[j].lower != "n't" {
			return false
		}
	}
	return false
}

// straight lower-cases a word and makes its marks plain.
func straight(text string) string { return strings.ToLower(straightCase(text)) }

var plainMarks = strings.NewReplacer("’", "'", "‘", "'", "“", `"`, "”", `"`, "«", `"`, "»", `"`, "„", `"`, "‑", "-")

func straightCase(text string) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return plainMarks.Replace(text)
		}
	}
	return text
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// TagOnly cuts and tags the words of a draft, does nothing else and returns
// how many there are: what the time of Propose is measured against.
func TagOnly(draft []byte) (int, error) {
	_, placed, err := cable.ParsePlaced(draft)
	if err != nil {
		return 0, err
	}
	n := 0
	for i := range placed {
		sentences, err := split(placed[i].Text)
		if err != nil {
			return 0, err
		}
		for _, s := range sentences {
			n += len(s.words)
		}
	}
	return n, nil
}
