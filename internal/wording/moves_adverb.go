package wording

import "strings"

// adverbMoves change the place of an adverb.
var adverbMoves = []move{
	{id: "move.adverb-before-auxiliary", class: "move.adverb", any: true, find: adverbBefore},
	{id: "move.adverb-after-auxiliary", class: "move.adverb", find: adverbAfter},
	{id: "move.adverb-after-participle", class: "move.adverb", find: adverbLast},
	{id: "move.adverb-front", class: "move.adverb", find: adverbFront},
	{id: "move.adverb-to-front", class: "move.adverb", any: true, owner: true, find: adverbToFront},
}

// floating adverbs say the same before and after an auxiliary.
var floating = set(`also already probably apparently clearly certainly recently generally obviously consequently subsequently
	therefore undoubtedly presumably frequently usually normally evidently previously nevertheless thus long always often
	never still now then`)

var auxiliary = set("has have had will would is are was were can could may might should must")

// adverbBefore: "has already been sent" -> "already has been sent".
func adverbBefore(words []word, i int) (int, int, []string) {
	if !auxiliary[words[i].lower] || i+2 >= len(words) || !floating[words[i+1].lower] || !tagged(words, i+2, "V") || !isSubject(words, i-1) {
		return 0, 0, nil
	}
	if words[i+1].lower == "long" || words[i+1].lower == "thus" && tagged(words, i+2, "VBG") || tagged(words, i+2, "VBG") && words[i+1].lower == "often" {
		return 0, 0, nil
	}
	return i, i + 2, []string{words[i+1].text + " " + words[i].text}
}

// adverbAfter: "already has been sent" -> "has already been sent".
func adverbAfter(words []word, i int) (int, int, []string) {
	if !floating[words[i].lower] || i+2 >= len(words) || !auxiliary[words[i+1].lower] || !tagged(words, i+2, "V") || !isSubject(words, i-1) {
		return 0, 0, nil
	}
	if is(words, i+2, "not") || is(words, i-1, "quite", "very", "most", "almost") {
		return 0, 0, nil
	}
	return i, i + 2, []string{words[i+1].text + " " + words[i].text}
}

// isSubject says whether the word before an auxiliary can be its subject.
func isSubject(words []word, i int) bool {
	if is(words, i-1, "what", "whom", "than", "as", "where", "when", "how", "if") {
		return false // "than he then could": the place of the adverb is fixed
	}
	return tagged(words, i, "N", "NAME") || is(words, i, "he", "she", "they", "we", "it", "i", "which", "who", "this")
}

// manner adverbs can follow the participle they belong to.
var manner = set(`carefully closely quickly promptly thoroughly seriously publicly privately separately jointly rapidly
	peacefully directly successfully strongly favorably adequately properly fully effectively openly immediately officially
	formally satisfactorily sympathetically`)

// adverbLast: "will be carefully studied." <-> "will be studied carefully."
func adverbLast(words []word, i int) (int, int, []string) {
	if !is(words, i-1, "be", "been", "being", "was", "were", "is", "are") {
		return 0, 0, nil
	}
	switch {
	case manner[words[i].lower] && tagged(words, i+1, "VBN") && closes(words, i+2):
	case tagged(words, i, "VBN") && in(words, i+1, manner) && closes(words, i+2):
	default:
		return 0, 0, nil
	}
	if words[i].fixed || words[i+1].fixed || in(words, i, held) || in(words, i+1, held) {
		return 0, 0, nil
	}
	return i, i + 2, []string{words[i+1].text + " " + words[i].text}
}

// held are participles that an adverb does not follow: "publicly believed".
var held = set("believed known perceived regarded felt thought understood")

// closes says whether the adverb is the last word on the matter: none is joined to it.
func closes(words []word, i int) bool {
	return ends(words, i) && !is(words, i, ",") || is(words, i, "by", "before", "after")
}

// opening adverbs can stand after the auxiliary as well as before the
// sentence.
var opening = set("however nevertheless therefore moreover consequently accordingly furthermore")

// adverbFront: "However, he would" -> "He would, however,". Only pronouns can
// be the subject: names are not ours to move.
func adverbFront(words []word, i int) (int, int, []string) {
	if i != 0 || !opening[words[0].lower] || !is(words, 1, ",") || !is(words, 2, "he", "she", "they", "we", "it") || !tagged(words, 3, "MD", "V") || len(words) < 7 {
		return 0, 0, nil
	}
	subject, verb := words[2].text, words[3].text
	adverb := strings.ToLower(words[0].text)
	if auxiliary[words[3].lower] {
		return 0, 4, []string{capitalize(subject) + " " + verb + ", " + adverb + ","}
	}
	return 0, 4, []string{capitalize(subject) + ", " + adverb + ", " + verb}
}

// subjectWords is how long a subject may be that an adverb is moved before.
const subjectWords = 5

// adverbToFront: "The minister, however, would" -> "However, the minister would". A name
// in the subject stays as it is.
func adverbToFront(words []word, i int) (int, int, []string) {
	if i != 0 || len(words) < 7 || words[0].start > 0 && !isName(words[0].text) {
		return 0, 0, nil
	}
	end := 0
	for end < subjectWords && tagged(words, end, "D", "J", "N", "NAME", "PRP") {
		end++
	}
	if end == 0 || !tagged(words, end-1, "N", "NAME", "PRP") || !is(words, end, ",") || !in(words, end+1, opening) || !is(words, end+2, ",") || !finite(words, end+3) {
		return 0, 0, nil
	}
	subject := text(words, 0, end)
	if !words[0].fixed && !strings.HasPrefix(words[0].tag, "NNP") {
		subject = low(words, 0, end)
	}
	return 0, end + 3, []string{capitalize(words[end+1].text) + ", " + subject}
}
