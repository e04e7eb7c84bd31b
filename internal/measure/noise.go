package measure

import (
	"math/rand/v2"
	"strings"
	"unicode"
)

// A noise is what happens to a text between the copy and the newspaper:
// probabilities for each character or word.
type noise struct {
	name                                         string
	char                                         float64 // a character is misread, a character
	drop, ellipsis, insertion, upper, punctuated float64 // a word
}

// noises are the levels of the tables: those at which alignment was first
// measured, and none.
var noises = []noise{
	{name: "clean"},
	{"light", .01, .005, .005, .005, .02, .10},
	{"medium", .03, .01, .01, .01, .05, .20},
	{"heavy", .05, .03, .02, .02, .10, .30},
}

// A word is one printed word of a copy and the groups it belongs to.
type word struct {
	text   string
	groups []int
}

// apply returns the words as they come out, and for each word of the copy how
// it is printed; empty where it is lost.
func (n noise) apply(rng *rand.Rand, words []word) (out, printed []string) {
	printed = make([]string, len(words))
	for i := 0; i < len(words); i++ {
		switch u := rng.Float64(); {
		case u < n.ellipsis:
			out = append(out, "...")
			i += 3 + rng.IntN(5) - 1
			continue
		case u < n.ellipsis+n.drop:
			continue
		case u < n.ellipsis+n.drop+n.insertion:
			out = append(out, inserted[rng.IntN(len(inserted))])
		}
		printed[i] = n.garble(rng, words[i].text)
		out = append(out, printed[i])
	}
	return out, printed
}

var inserted = []string{"the", "very", "that", "also", "indeed", "quite", "said", "and", "perhaps", "then", "government", "new"}

// garble misreads characters of a word, changes its case and its punctuation.
func (n noise) garble(rng *rand.Rand, w string) string {
	var b strings.Builder
	for _, r := range w {
		if n.char == 0 || rng.Float64() >= n.char {
			b.WriteRune(r)
			continue
		}
		switch u := rng.Float64(); {
		case u < .7:
			b.WriteRune(misreadRune(rng, r))
		case u < .85: // lost
		default:
			b.WriteRune(r)
			b.WriteByte(byte('a' + rng.IntN(26)))
		}
	}
	w = b.String()
	if rng.Float64() < n.upper {
		w = swapCase(rng, w)
	}
	if rng.Float64() < n.punctuated {
		w = strings.TrimRight(w, ",;:.") + []string{"", ",", ".", ";"}[rng.IntN(4)]
	}
	return w
}

// misreadRune returns a look-alike where the character has one, else, or one
// time in two, any letter.
func misreadRune(rng *rand.Rand, r rune) rune {
	like := alike[unicode.ToLower(r)]
	if like != "" && rng.IntN(2) == 0 {
		return rune(like[rng.IntN(len(like))])
	}
	return rune('a' + rng.IntN(26))
}

// alike lists letters that print and scanners confuse.
var alike = map[rune]string{
	'a': "oe", 'b': "hd", 'c': "eo", 'd': "b", 'e': "co", 'f': "t", 'g': "q9", 'h': "bn", 'i': "lj1", 'l': "i1t",
	'm': "n", 'n': "mhr", 'o': "ace0", 'q': "g", 'r': "n", 's': "5", 't': "fl", 'u': "vn", 'v': "uy", 'w': "v", 'y': "v",
}

func swapCase(rng *rand.Rand, w string) string {
	if rng.IntN(2) == 0 {
		return strings.ToUpper(w)
	}
	r := []rune(w)
	if len(r) > 0 && unicode.IsUpper(r[0]) {
		return strings.ToLower(w)
	}
	if len(r) > 0 {
		r[0] = unicode.ToUpper(r[0])
	}
	return string(r)
}
