package wording

// relativeMoves vary "that" and "which".
var relativeMoves = []move{
	{id: "move.that-drop", class: "move.that", find: thatDrop},
	{id: "move.that-insert", class: "move.that", find: thatInsert},
	{id: "move.that-told", class: "move.that", find: thatTold},
	{id: "move.which-subject", class: "move.relative", any: true, find: whichSubject},
	{id: "move.which-object", class: "move.relative", any: true, find: whichObject},
	{id: "move.relative-reduce", class: "move.relative", any: true, find: relativeReduce},
	{id: "move.whether-or-not", class: "move.relative", any: true, find: whetherOrNot},
}

// droppers take a clause with or without "that".
var droppers = formSet("say think believe hope feel know suppose understand realize fear agree")

// knowers drop "that" only before a pronoun: before a noun it would be read as
// what is known.
var knowers = formSet(`know realize understand fear`)

var insertSayers = formSet(`say think believe hope feel know understand realize doubt assume suppose`)

// objects are whom one tells.
var objects = set("me him her us them")

// tellers take a person and then such a clause.
var tellers = formSet(`tell assure inform remind`)

func formSet(lemmas string) map[string]bool {
	out := map[string]bool{}
	for lemma := range set(lemmas) {
		for _, f := range formsOf(lemma) {
			out[f] = true
		}
	}
	return out
}

// subjects can only be the subject of a clause.
var subjects = set("he she they we i it there")

// one says whether a word stands once in a sentence.
func one(words []word, lower string) bool {
	n := 0
	for _, w := range words {
		if w.lower == lower {
			n++
		}
	}
	return n == 1
}

// thatDrop: "said that he would" -> "said he would". The verb is part of the
// place, so that other verbs can be offered for the same words. No second
// "that" may hang on the first by "and", "but" or "or".
func thatDrop(words []word, i int) (int, int, []string) {
	if !droppers[words[i].lower] || !tagged(words, i, "V") || tagged(words, i, "VBG") || !is(words, i+1, "that") || joined(words) {
		return 0, 0, nil
	}
	pronoun := in(words, i+2, subjects) && tagged(words, i+3, "V", "MD")
	noun := !in(words, i, knowers) && is(words, i+2, "the", "his", "their", "our", "this", "these", "its") && !tagged(words, i+1, "DT")
	if !pronoun && !noun {
		return 0, 0, nil
	}
	return i, i + 2, []string{text(words, i, i+1)}
}

// joined says whether a conjunction stands before a "that".
func joined(words []word) bool {
	for i := range words {
		if is(words, i, "and", "but", "or") && is(words, i+1, "that") {
			return true
		}
	}
	return false
}

// thatInsert: "said he would" -> "said that he would".
func thatInsert(words []word, i int) (int, int, []string) {
	if !insertSayers[words[i].lower] || !tagged(words, i, "V") || tagged(words, i, "VBG", "VBN") || !in(words, i+1, subjects) || !finite(words, i+2) || is(words, i-2, "needless") || tagged(words, i-1, "NAME") && tagged(words, i-2, "A") ||
		is(words, i-1, "as", "which", "what", "that", "who", ",", "than") || is(words, i-2, "as", "which", "what", "that", "than") || contains(words, "?") || is(words, i+2, "said", "thought") {
		return 0, 0, nil
	}
	return i, i + 1, []string{text(words, i, i+1) + " that"}
}

// thatTold: "told me that he" <-> "told me he".
func thatTold(words []word, i int) (int, int, []string) {
	if !in(words, i-1, tellers) || !objects[words[i].lower] {
		return 0, 0, nil
	}
	switch {
	case is(words, i+1, "that") && in(words, i+2, subjects) && tagged(words, i+3, "V", "MD") && one(words, "that"):
		return i + 1, i + 2, []string{""}
	case in(words, i+1, subjects) && tagged(words, i+2, "V", "MD"):
		return i, i + 1, []string{text(words, i, i+1) + " that"}
	}
	return 0, 0, nil
}

func contains(words []word, lower string) bool {
	for _, w := range words {
		if w.lower == lower {
			return true
		}
	}
	return false
}

// finite says whether word i is a finite verb or an auxiliary.
func finite(words []word, i int) bool {
	return tagged(words, i, "MD", "VBZ", "VBD", "VBP") || is(words, i, "is", "are", "was", "were", "has", "have", "had", "do", "does", "did")
}

// whichSubject: "the steps which have been" <-> "the steps that have been",
// where no comma or preposition stands before, and where the clause says which steps.
func whichSubject(words []word, i int) (int, int, []string) {
	if i < 1 || !tagged(words, i-1, "N") || words[i-1].fixed || !finite(words, i+1) || parallel(words) || !undetermined(words, i) ||
		clauseNouns[words[i-1].lower] || personNouns[words[i-1].lower] {
		return 0, 0, nil
	}
	switch words[i].lower {
	case "which":
		if is(words, i+1, "is", "was", "does", "did") && is(words, i+2, "to", "that", "how", "what", "why", "our", "not") {
			return 0, 0, nil // it adds something to what is known: "our aim, which is to"
		}
		return i, i + 1, []string{"that"}
	case "that":
		if saidBefore(words, i) || is(words, i+1, "would", "could", "should", "may", "might", "must") && tagged(words, i+2, "N", "J") {
			return 0, 0, nil
		}
		return i, i + 1, []string{"which"}
	}
	return 0, 0, nil
}

// undetermined says whether what a clause at i is about is not known without it. A thing
// that is pointed at, or somebody's, is; one that "of" joins to another may not be what
// the clause is about, unless a plural says so.
func undetermined(words []word, i int) bool {
	plural := tagged(words, i-1, "NNS") && is(words, i+1, "are", "were", "have")
	for j := i - 2; j >= 0 && j >= i-4; j-- {
		switch {
		case is(words, j, "this", "these", "his", "her", "its", "our", "their", "my", "your", "'s"):
			return false
		case is(words, j, "of", "in") && !plural:
			return false
		case is(words, j, "a", "an", "the", "any", "those", "all", "no", "every", "some", "other", "certain", "several", "many", "only"):
			return true
		}
	}
	return plural
}

// sayers take a clause with "that", some words after them.
var sayers = formSet(`say state tell inform assure remind point indicate note stress emphasize argue insist think believe hope feel know
	understand realize doubt assume suppose regret agree announce report suggest claim show mean make conclude warn convince repeat
	declare explain mention remark recognize find see hear learn fear expect admit add`)

// saidBefore says whether a clause at i may be what was said, or what a noun says.
func saidBefore(words []word, i int) bool {
	for j := max(0, i-8); j < i; j++ {
		if sayers[words[j].lower] || clauseNouns[words[j].lower] || is(words, j, "clear", "pretext", "certain", "sure", "so", "such") {
			return true
		}
	}
	return false
}

// parallel says whether a second relative clause may hang on the first by "and"
// or "or": then both begin with one word.
func parallel(words []word) bool {
	relatives := 0
	for i := range words {
		if is(words, i, "which") || words[i].tag == "WDT" {
			relatives++
		}
		if is(words, i, "and", "or", "but") && is(words, i+1, "which", "that") {
			return true
		}
	}
	return relatives > 1 && (contains(words, "or") || contains(words, "and"))
}

// whichObject: "the issues which he raised" -> "the issues that he raised".
func whichObject(words []word, i int) (int, int, []string) {
	if words[i].lower != "which" || i < 1 || !tagged(words, i-1, "N") || words[i-1].fixed || !is(words, i+1, "he", "she", "they", "we", "i") || !tagged(words, i+2, "V", "MD") || parallel(words) {
		return 0, 0, nil
	}
	return i, i + 1, []string{"that"}
}

// clauseNouns take a clause with "that", which is not relative.
var clauseNouns = set(`fact view belief hope idea impression conclusion opinion doubt feeling possibility likelihood statement
	report reports indication indications evidence assurance assurances understanding point danger risk sense assumption condition
	proposal suggestion claim news word information argument decision agreement extent way time day year moment concern fear
	conviction thought notion proviso grounds ground sign signs chance question requirement need recommendation request demand principle
	theory thesis rumor rumors charge charges allegation contention stipulation warning promise pledge guarantee expectation desire wish
	realization recognition awareness certainty confidence probability prospect case event effect line story judgment analysis estimate
	speculation suspicion interpretation declaration announcement comment observation remark reply response message note letter
	evidence proof reason basis likelihood guidance estimate consensus importance urgency necessity desirability advantage
	complaint insistence determination provision provisions hint hints clue appearance essence interest wisdom inference corollary`)

// personNouns take "who" rather than "which".
var personNouns = set(`people person persons man men woman women officials official leaders leader officers officer those
	minister ministers president ambassador group groups party government governments members member elements forces others
	anyone someone everyone one all everything anything nothing something those that`)

// relativeReduce: "the measures which were taken by" -> "the measures taken by".
func relativeReduce(words []word, i int) (int, int, []string) {
	if words[i].lower != "which" && words[i].lower != "that" || i < 1 || !tagged(words, i-1, "N") || words[i-1].fixed || clauseNouns[words[i-1].lower] {
		return 0, 0, nil
	}
	j := i + 1
	switch {
	case is(words, j, "is", "are", "was", "were"):
		j++
	case is(words, j, "has", "have", "had") && is(words, j+1, "been"):
		j += 2
	default:
		return 0, 0, nil
	}
	if !tagged(words, j, "VBN") || !is(words, j+1, "by", "in", "at", "on", "under", "with", "from") || words[j].lower == "based" {
		return 0, 0, nil
	}
	return i, j + 1, []string{text(words, j, j+1)}
}

// whetherOrNot: "whether or not to" is left to rules; this is "whether X or
// not", which rules cannot see.
func whetherOrNot(words []word, i int) (int, int, []string) {
	if words[i].lower != "whether" || is(words, i+1, "or") {
		return 0, 0, nil
	}
	for j := i + 2; j+1 < len(words) && j < i+8; j++ {
		if words[j].lower == "or" && words[j+1].lower == "not" && ends(words, j+2) {
			return i, j + 2, []string{"whether or not " + text(words, i+1, j)}
		}
		if words[j].fixed || tagged(words, j, "PUNCT") {
			break
		}
	}
	return 0, 0, nil
}
