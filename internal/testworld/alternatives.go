package testworld

import (
	_ "embed"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// alternatives.txt is written by hand: what a drafter may put for a word
// without changing what is said. It is good enough to measure with, and not
// good enough to send: nobody approved these sites one by one.
//
//go:embed alternatives.txt
var alternativesText string

// maxPhrase is the number of words of the longest phrase in the table.
const maxPhrase = 5

// table maps a word or phrase in lower case to its alternatives, itself
// first. Where two sets hold it, the earlier counts.
var table = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	for line := range strings.Lines(alternativesText) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		set := strings.Split(strings.TrimPrefix(line, ">"), "|")
		keys := set
		if line[0] == '>' {
			keys = set[:1]
		}
		for _, key := range keys {
			if m[key] == nil {
				m[key] = firstly(key, set)
			}
		}
	}
	return m
})

// firstly returns the members of a set with one of them put first.
func firstly(first string, set []string) []string {
	out := []string{first}
	for _, s := range set {
		if s != first {
			out = append(out, s)
		}
	}
	return out
}

// Escape writes a text as the body of a draft holds it.
func Escape(text string) string { return escaper.Replace(text) }

var escaper = strings.NewReplacer(`\`, `\\`, `{`, `\{`, `|`, `\|`, `}`, `\}`)

// Draft returns a draft whose body is the paragraphs, with alternatives for
// everyday words put in until they carry about perWord bits for each word, or
// until no word is left. The first alternative is always the word that stood
// there. Nothing in quotation marks or square brackets is varied, nor names,
// nor parts of hyphenated words, and a word at least stands between two sites.
func Draft(reference string, paragraphs []string, perWord float64, r *rand.Rand) string {
	v := varier{random: r}
	for _, p := range paragraphs {
		if fields := strings.Fields(p); len(fields) > 0 {
			v.add(strings.Join(fields, " "))
		}
	}
	v.choose(perWord)
	return "Reference: " + reference + "\nSubject: A report\n\n" + strings.Join(v.bodies(), "\n\n") + "\n"
}

// A varier chooses sites in a text.
type varier struct {
	random     *rand.Rand
	paragraphs []varied
	words      int
	sites      []site // every one that could be
}

// A varied is one paragraph, its words, and the sites chosen in it by the
// word they begin with.
type varied struct {
	text   string
	words  [][]int // start and end of each
	taken  []bool  // words that are in a site or next to one
	chosen map[int]site
}

// A site is some words of a paragraph and what may stand there.
type site struct {
	paragraph, first, last int
	alternatives           []string
}

var wordPattern = regexp.MustCompile(`[\pL\pN]+(?:[-'’./][\pL\pN]+)*`)

func (v *varier) add(text string) {
	k := len(v.paragraphs)
	words := wordPattern.FindAllStringIndex(text, -1)
	v.paragraphs = append(v.paragraphs, varied{text, words, make([]bool, len(words)), map[int]site{}})
	v.words += len(words)
	shut := shutOff(text)
	for i := 0; i < len(words); i++ {
		if shut[words[i][0]] {
			continue
		}
		if n, alternatives := match(text, words[i:]); n > 0 && !shut[words[i+n-1][1]-1] {
			v.sites = append(v.sites, site{k, i, i + n - 1, alternatives})
		}
	}
}

// match returns the alternatives of the longest phrase of the table that the
// words begin with, and its number of words, or 0.
func match(text string, words [][]int) (n int, alternatives []string) {
	before := text[:words[0][0]]
	for n = min(maxPhrase, len(words)); n > 0; n-- {
		phrase := text[words[0][0]:words[n-1][1]]
		if joined(text, words[0][0], words[n-1][1]) {
			continue
		}
		lower := uncapital(phrase, before)
		set := table()[lower]
		if set == nil || needsArticle(before, set) {
			continue
		}
		if lower == phrase && !strings.HasPrefix(lower, "i ") {
			return n, set
		}
		out := make([]string, len(set))
		for i, s := range set {
			out[i] = capital(s)
		}
		return n, out
	}
	return 0, nil
}

// joined says whether a mark ties the words from start to end to a neighbour.
func joined(text string, start, end int) bool {
	last, _ := utf8.DecodeLastRuneInString(text[:start])
	next, _ := utf8.DecodeRuneInString(text[end:])
	return strings.ContainsRune("-'’/&", last) || strings.ContainsRune("-'’/&", next)
}

// uncapital returns a phrase in lower case where its capital is that of a
// sentence or of the word I, and as it stands otherwise.
func uncapital(phrase, before string) string {
	before = strings.TrimRight(before, " ")
	starts := before == "" || strings.ContainsAny(before[len(before)-1:], ".!?")
	if strings.HasPrefix(phrase, "I ") || starts {
		r, size := utf8.DecodeRuneInString(phrase)
		return string(unicode.ToLower(r)) + phrase[size:]
	}
	return phrase
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// needsArticle says whether the word before is "a" or "an" and does not go
// with every alternative.
func needsArticle(before string, set []string) bool {
	before = strings.ToLower(strings.TrimRight(before, " "))
	before = before[strings.LastIndexByte(before, ' ')+1:]
	if before != "a" && before != "an" {
		return false
	}
	for _, s := range set {
		if strings.ContainsAny(s[:1], "aeiouh") != (before == "an") || s[0] == 'h' {
			return true
		}
	}
	return false
}

// shutOff says of each byte whether it stands in quotation marks or square
// brackets. Marks that are not closed shut off the rest.
func shutOff(text string) []bool {
	shut := make([]bool, len(text)+1)
	depth, straight := 0, false
	for i, r := range text {
		switch r {
		case '“', '„', '«', '[', '‘':
			depth++
		case '”', '»', ']':
			depth = max(0, depth-1)
		case '’':
			if next, _ := utf8.DecodeRuneInString(text[i+len("’"):]); !unicode.IsLetter(next) {
				depth = max(0, depth-1)
			}
		case '"':
			straight = !straight
		}
		shut[i] = depth > 0 || straight
	}
	return shut
}

// choose takes sites at random until they carry enough bits.
func (v *varier) choose(perWord float64) {
	need := perWord * float64(v.words)
	v.random.Shuffle(len(v.sites), func(i, j int) { v.sites[i], v.sites[j] = v.sites[j], v.sites[i] })
	for _, s := range v.sites {
		if need <= 0 {
			return
		}
		if v.paragraphs[s.paragraph].take(s) {
			need -= math.Log2(float64(len(s.alternatives)))
		}
	}
}

func (p *varied) take(s site) bool {
	if slices.Contains(p.taken[s.first:s.last+1], true) {
		return false
	}
	for i := max(0, s.first-1); i <= min(len(p.taken)-1, s.last+1); i++ {
		p.taken[i] = true
	}
	p.chosen[s.first] = s
	return true
}

// bodies writes the paragraphs with their sites.
func (v *varier) bodies() []string {
	out := make([]string, len(v.paragraphs))
	for k, p := range v.paragraphs {
		var b strings.Builder
		at := 0
		for i := range p.words {
			s, ok := p.chosen[i]
			if !ok {
				continue
			}
			b.WriteString(Escape(p.text[at:p.words[i][0]]))
			b.WriteString("{" + strings.Join(s.alternatives, "|") + "}")
			at = p.words[s.last][1]
		}
		b.WriteString(Escape(p.text[at:]))
		out[k] = b.String()
	}
	return out
}
