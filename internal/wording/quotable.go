package wording

import (
	"cmp"
	_ "embed"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"chancery/cable"
)

// A Quotable is a sentence of a draft with how likely the press is to quote
// it, compared with the other sentences of the draft.
type Quotable struct {
	Paragraph int    `json:"paragraph"` // 1-based
	Number    int    `json:"number"`    // of the sentence in the paragraph, 1-based
	Start     int    `json:"start"`     // byte offsets in the file
	End       int    `json:"end"`
	Text      string `json:"text"` // as the record text has it
	// First is the number of the tracer's words of the paragraph before the
	// sentence, Words that in it.
	First int     `json:"first"`
	Words int     `json:"words"`
	Score float64 `json:"score"`
	// Kinds says what draws the eye: a verdict on somebody, ruin foretold, a
	// metaphor, a judgement, blame, a person, a prediction, a contrast, the
	// author's own voice; strongest first.
	Kinds []string `json:"kinds"`
	// Phrases are the words that do, in order.
	Phrases []string `json:"phrases"`
	// Slots are where other wordings by the author would tell most.
	Slots []Slot `json:"slots"`
}

//go:embed quotable.txt
var quotableText string

// weights say how much one word of a kind adds. They are judgement, not
// measurement: what newspapers print of leaked cables is verdicts on persons,
// images, blame and forecasts of ruin, in few words.
var weights = map[string]float64{
	"verdict": 4, "ruin": 3, "metaphor": 3, "judgement": 2, "blame": 1.5, "person": 0.7, "prediction": 0.7, "contrast": 0.5, "voice": 0.4,
}

// mostOfKind is how many words of one kind count.
const mostOfKind = 3

// A cue is a word or phrase of the list.
type cue struct {
	words []string
	open  bool // the last word may go on
	kind  string
}

var cues = readCues(quotableText)

// readCues returns the cues by the first letters of their first word.
func readCues(text string) map[string][]cue {
	out := map[string][]cue{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		for _, w := range f[1:] {
			stem := strings.TrimSuffix(w, "*")
			c := cue{strings.Split(stem, "_"), stem != w, f[0]}
			key := cueKey(c.words[0])
			out[key] = append(out[key], c)
		}
	}
	return out
}

func cueKey(word string) string { return word[:min(3, len(word))] }

// match says how many words of a sentence a cue covers from word i on.
func (c cue) match(words []word, i int) int {
	if i+len(c.words) > len(words) {
		return 0
	}
	for k, w := range c.words {
		have := words[i+k].lower
		if have != w && !(c.open && k == len(c.words)-1 && strings.HasPrefix(have, w)) {
			return 0
		}
	}
	return len(c.words)
}

// minQuotable is the number of words below which a sentence is not ranked.
const minQuotable = 4

// Quotables ranks the sentences of a draft by how likely the press is to quote
// them, likeliest first.
func Quotables(draft []byte) ([]Quotable, error) {
	_, pages, err := pagesOf(draft)
	if err != nil {
		return nil, err
	}
	var out []Quotable
	for i, p := range pages {
		for n := range p.sentences {
			if q, ok := p.quotable(i, n); ok {
				out = append(out, q)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Quotable) int { return cmp.Compare(b.Score, a.Score) })
	return out, nil
}

func (p *page) quotable(paragraph, n int) (Quotable, bool) {
	s := p.sentences[n]
	size := 0
	for _, w := range s.words {
		if r, _ := utf8.DecodeRuneInString(w.text); unicode.IsLetter(r) {
			size++
		}
	}
	if size < minQuotable {
		return Quotable{}, false
	}
	q := Quotable{Paragraph: paragraph + 1, Number: n + 1, Start: p.From[s.start], End: p.To[s.end-1], Text: p.Text[s.start:s.end],
		First: len(cable.Words(p.Text[:s.start])), Words: len(cable.Words(p.Text[s.start:s.end]))}
	counts := map[string]int{}
	for i := 0; i < len(s.words); {
		i += max(1, q.cue(s.words, i, counts))
	}
	persons(s.words, counts)
	for _, kind := range kinds {
		if k := min(counts[kind], mostOfKind); k > 0 {
			q.Score += weights[kind] * math.Sqrt(float64(k))
			q.Kinds = append(q.Kinds, kind)
		}
	}
	q.Slots = p.slots(s)
	// Short sentences are quoted whole; long ones hide what they say.
	q.Score *= math.Pow(18/float64(max(size, 12)), 0.25)
	return q, true
}

// kinds in the order of their weights.
var kinds = []string{"verdict", "ruin", "metaphor", "judgement", "blame", "person", "prediction", "contrast", "voice"}

// cue counts the cue that begins at word i and returns how many words it has.
func (q *Quotable) cue(words []word, i int, counts map[string]int) int {
	w := words[i].lower
	if r, _ := utf8.DecodeRuneInString(w); !unicode.IsLetter(r) {
		return 0
	}
	var best cue
	long := 0
	for _, c := range cues[cueKey(w)] {
		if n := c.match(words, i); n > long || n == long && n > 0 && weights[c.kind] > weights[best.kind] {
			best, long = c, n
		}
	}
	if long == 0 {
		return 0
	}
	counts[best.kind]++
	if weights[best.kind] >= 1 {
		q.Phrases = append(q.Phrases, text(words, i, i+long))
	}
	return long
}

// persons counts those named or spoken of: a name in mid-sentence, a title, he
// or she.
func persons(words []word, counts map[string]int) {
	for i, w := range words {
		if in(words, i, personWords) || i > 0 && isName(w.text) && w.lower != "i" && !isName(words[i-1].text) {
			counts["person"]++
		}
	}
}

var personWords = set("he she him his her himself herself president minister king prince ambassador chairman premier leader leaders staff family")
