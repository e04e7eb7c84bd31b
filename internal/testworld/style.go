package testworld

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A House is the style a newspaper edits to.
type House int

const (
	// British writes favour and organise, ‘single marks’, no comma before the
	// "and" of a list, and small numbers as words.
	British House = iota
	// American writes favor and organize, "straight marks", the comma, and
	// small numbers as figures.
	American
)

// stems are spellings of the two sides, American first; they hold at the
// beginning of a word, so that inflected forms follow.
var stems = pairs(`favor favour|honor honour|labor labour|endeavor endeavour|neighbor neighbour|behavior behaviour|color colour|
harbor harbour|rumor rumour|vigor vigour|candor candour|rigor rigour|center centre|theater theatre|defense defence|
offense offence|organiz organis|recogniz recognis|realiz realis|emphasiz emphasis|criticiz criticis|authoriz authoris|
minimiz minimis|maximiz maximis|utiliz utilis|summariz summaris|mobiliz mobilis|stabiliz stabilis|neutraliz neutralis|
normaliz normalis|jeopardiz jeopardis|apologiz apologis|sympathiz sympathis|characteriz characteris|analyz analys|
traveling travelling|traveled travelled|canceled cancelled|modeled modelled|signaled signalled|fulfillment fulfilment|
skeptic sceptic|maneuver manoeuvre|judgment judgement|acknowledgment acknowledgement|toward towards|percent per_cent|
airplane aeroplane|gray grey|plow plough|enroll enrol|willful wilful|among amongst|while whilst`)

// whole are spellings of whole words.
var whole = pairs(`program programme|programs programmes|license licence|practiced practised`)

// kept are beginnings of words that look like a stem and are no case of it.
var kept = []string{"emphasis ", "analysis ", "analyst", "laborator", "laborious", "honorar", "colorado", "colorful",
	"vigorous", "rigorous", "percentage"}

var numerals = pairs(`2 two|3 three|4 four|5 five|6 six|7 seven|8 eight|9 nine|10 ten`)

func pairs(text string) [][2]string {
	var out [][2]string
	for pair := range strings.SplitSeq(text, "|") {
		a, b, _ := strings.Cut(strings.TrimSpace(pair), " ")
		out = append(out, [2]string{a, strings.ReplaceAll(b, "_", " ")})
	}
	return out
}

var (
	stemPatterns    = [2]rules{rulesOf(stems, 0, `\w*`), rulesOf(stems, 1, `\w*`)}
	wholePatterns   = [2]rules{rulesOf(whole, 0, ``), rulesOf(whole, 1, ``)}
	numeralPatterns = [2]rules{rulesOf(numerals, 0, ``), rulesOf(numerals, 1, ``)}

	afterList  = regexp.MustCompile(`(\w+, \w+(?: \w+)?), (and|or) `)
	insideList = regexp.MustCompile(`(\w+, \w+(?: \w+)?) (and|or) (\w+[.,;])`)
	titles     = regexp.MustCompile(`\b(Mr|Mrs|Dr|Messrs)\.`)
)

// rules replace spellings of one side by those of the other.
type rules struct {
	pattern *regexp.Regexp
	other   map[string]string
}

func rulesOf(pairs [][2]string, from int, tail string) rules {
	r := rules{other: map[string]string{}}
	var words []string
	for _, p := range pairs {
		words = append(words, regexp.QuoteMeta(p[from]))
		r.other[p[from]] = p[1-from]
	}
	r.pattern = regexp.MustCompile(`(?i)(^|[\s(“‘"])(` + strings.Join(words, "|") + `)(` + tail + `)\b`)
	return r
}

func (r rules) apply(text string) string {
	return r.pattern.ReplaceAllStringFunc(text, func(found string) string {
		m := r.pattern.FindStringSubmatch(found)
		word, to := strings.ToLower(m[2]+m[3]), r.other[strings.ToLower(m[2])]
		if len(to) > len(m[2]) && strings.HasPrefix(word, to) || isKept(word) {
			return found // it is the other spelling already, or another word
		}
		if first, _ := utf8.DecodeRuneInString(m[2]); unicode.IsUpper(first) {
			to = capital(to)
		}
		return m[1] + to + m[3]
	})
}

func isKept(word string) bool {
	return slices.ContainsFunc(kept, func(k string) bool { return strings.HasPrefix(word+" ", k) })
}

// Edit returns a text as the house prints it: its spelling, its quotation
// marks, its commas in lists, its numbers.
func (h House) Edit(text string) string {
	from := 1
	if h == British {
		from = 0
	}
	text = stemPatterns[from].apply(text)
	text = wholePatterns[from].apply(text)
	if h == British {
		text = titles.ReplaceAllString(text, "$1")
		text = afterList.ReplaceAllString(text, "$1 $2 ")
		text = spellNumbers(text)
		return strings.NewReplacer("“", "‘", "”", "’", " — ", " – ").Replace(text)
	}
	text = insideList.ReplaceAllString(text, "$1, $2 $3")
	text = numeralPatterns[1].apply(text)
	return strings.NewReplacer("“", `"`, "”", `"`, "‘", "'", "’", "'").Replace(text)
}

var figure = regexp.MustCompile(` ([2-9]|10) ([a-z])`)

// spellNumbers writes small figures before a word as words.
func spellNumbers(text string) string {
	return figure.ReplaceAllStringFunc(text, func(found string) string {
		m := figure.FindStringSubmatch(found)
		return " " + numeralPatterns[0].other[m[1]] + " " + m[2]
	})
}
