package wording

import (
	_ "embed"
	"strings"
)

// The forms of a verb, as the Penn Treebank names them.
const (
	formBase   = iota // VB and VBP: they carry
	formThird         // VBZ: it carries
	formPast          // VBD: it carried
	formPart          // VBN: it has carried
	formGerund        // VBG: carrying
	formsOfVerb
)

//go:embed irregular.txt
var irregularText string

// irregulars maps a verb to its past tense, participle and, where given, its
// third person and gerund; a noun to its plural stands under "noun".
var irregularVerbs, irregularNouns = readIrregular(irregularText)

func readIrregular(text string) (map[string][formsOfVerb]string, map[string]string) {
	verbs, nouns := map[string][formsOfVerb]string{}, map[string]string{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || f[0] == "#":
		case f[0] == "noun":
			nouns[f[1]] = f[2]
		default:
			v := regular(f[0])
			v[formPast], v[formPart] = f[1], f[2]
			if len(f) > 3 {
				v[formThird], v[formGerund] = f[3], f[4]
			}
			verbs[f[0]] = v
		}
	}
	return verbs, nouns
}

// conjugate returns the five forms of a verb. A compound such as "withdraw" or
// "undertake" is listed like any other irregular verb.
func conjugate(lemma string) [formsOfVerb]string {
	if v, ok := irregularVerbs[lemma]; ok {
		return v
	}
	return regular(lemma)
}

func regular(v string) [formsOfVerb]string {
	third := v + "s"
	past, gerund := v+"ed", v+"ing"
	last, before := at(v, -1), at(v, -2)
	switch {
	case last == 'y' && !isVowel(before):
		third, past = v[:len(v)-1]+"ies", v[:len(v)-1]+"ied"
	case strings.HasSuffix(v, "ie"):
		past, gerund = v+"d", v[:len(v)-2]+"ying"
	case last == 'e':
		past = v + "d"
		if before != 'e' && before != 'o' && before != 'y' {
			gerund = v[:len(v)-1] + "ing"
		}
	case hisses(v):
		third = v + "es"
	case doubles(v):
		past, gerund = v+string(last)+"ed", v+string(last)+"ing"
	}
	return [formsOfVerb]string{v, third, past, past, gerund}
}

func hisses(v string) bool {
	return strings.HasSuffix(v, "s") || strings.HasSuffix(v, "x") || strings.HasSuffix(v, "z") ||
		strings.HasSuffix(v, "ch") || strings.HasSuffix(v, "sh") || strings.HasSuffix(v, "o")
}

// doubledVerbs of more than one syllable double their last letter, because it
// is stressed.
var doubledVerbs = set(`admit commit permit submit transmit omit emit refer prefer defer confer infer occur incur recur concur
	deter compel expel impel propel dispel control patrol regret rebut abet begin forget outbid equip transfer acquit unplug
	embed remit allot rebel excel annul program`)

// doubles says whether the last letter is doubled before -ed and -ing: one
// vowel and one consonant end a word of one syllable.
func doubles(v string) bool {
	if doubledVerbs[v] {
		return true
	}
	last, vowel, before := at(v, -1), at(v, -2), at(v, -3)
	if isVowel(last) || strings.IndexByte("wxy", last) >= 0 || !isVowel(vowel) || isVowel(before) && before != 'u' {
		return false
	}
	vowels := 0
	for i := range len(v) {
		if isVowel(v[i]) {
			vowels++
		}
	}
	return vowels == 1 || vowels == 2 && strings.HasPrefix(v, "qu")
}

// at returns the byte at a position counted from the end, 0 if there is none.
func at(s string, i int) byte {
	if i = len(s) + i; i < 0 {
		return 0
	}
	return s[i]
}

func isVowel(c byte) bool { return strings.IndexByte("aeiou", c) >= 0 }

// plural returns the plural of a noun.
func plural(n string) string {
	if p, ok := irregularNouns[n]; ok {
		return p
	}
	switch last, before := at(n, -1), at(n, -2); {
	case last == 'y' && !isVowel(before):
		return n[:len(n)-1] + "ies"
	case strings.HasSuffix(n, "sis"):
		return n[:len(n)-2] + "es"
	case last == 'o' && !isVowel(before):
		return n + "es"
	case hisses(n) && last != 'o':
		return n + "es"
	}
	return n + "s"
}

// vowelSounds and consonantSounds are where the first letter misleads.
var (
	vowelSounds     = set("hour hours hourly honest honestly honesty honor honorable heir heirs")
	consonantSounds = []string{"uni", "use", "usa", "usu", "uti", "eu", "one", "once", "ura", "u."}
)

// takesAn says whether "an" stands before a word.
func takesAn(word string) bool {
	w := strings.ToLower(word)
	if vowelSounds[w] {
		return true
	}
	for _, c := range consonantSounds {
		if strings.HasPrefix(w, c) && !strings.HasPrefix(w, "unim") && !strings.HasPrefix(w, "unin") {
			return false
		}
	}
	return w != "" && isVowel(w[0])
}
