package wording

// phraseMoves reshape a phrase of two to six words.
var phraseMoves = []move{
	{id: "move.such", class: "move.phrase", find: such},
	{id: "move.such-plural", class: "move.phrase", find: suchPlural},
	{id: "move.continue", class: "move.complement", find: continueDoing},
	{id: "move.help", class: "move.complement", find: helpTo},
	{id: "move.order-to", class: "move.phrase", any: true, find: orderTo},
	{id: "move.all-of", class: "move.phrase", find: allOf},
	{id: "move.not-adverb", class: "move.phrase", find: atThisTime},
}

// such: "such a step" -> "a step of this kind".
func such(words []word, i int) (int, int, []string) {
	if words[i].lower != "such" || !is(words, i+1, "a", "an") || !tagged(words, i+2, "NN") || !afterThing(words, i+3) || words[i+2].fixed || degrees[words[i+2].lower] {
		return 0, 0, nil
	}
	thing := text(words, i+1, i+3)
	return i, i + 3, []string{thing + " of this kind", thing + " of this sort"}
}

// suchPlural: "such steps" -> "steps of this kind".
func suchPlural(words []word, i int) (int, int, []string) {
	if words[i].lower != "such" || is(words, i-1, "as", "no", "any", "all", "one", "other", "some", "many") || !tagged(words, i+1, "NNS") || !afterThing(words, i+2) {
		return 0, 0, nil
	}
	for _, w := range words[i:] {
		if w.lower == "which" || w.lower == "who" || w.lower == "as" {
			return 0, 0, nil // "such steps should be taken which"
		}
	}
	thing := text(words, i+1, i+2)
	return i, i + 2, []string{thing + " of this kind", thing + " of this sort"}
}

// afterThing says whether nothing that belongs to a noun follows it.
func afterThing(words []word, i int) bool {
	return ends(words, i) && !is(words, i, "-", "–", "—", "(") || tagged(words, i, "MD", "VBZ", "VBD") && !is(words, i, "as")
}

// degrees are nouns with which "such a" says how great.
var degrees = set("appetite degree extent hurry interest need pity shame way hold thirst desire")

var (
	starters   = formSet("continue begin start")
	continuing = formSet("continue")
	helping    = formSet("help")
	owned      = set("the these those his its our their my")
)

// continueDoing: "continue to support" -> "continue supporting".
func continueDoing(words []word, i int) (int, int, []string) {
	if !starters[words[i].lower] || !tagged(words, i, "V") || tagged(words, i, "VBG") || !is(words, i+1, "to") || !tagged(words, i+2, "VB") {
		return 0, 0, nil
	}
	verb := words[i+2].lower
	for j := i + 3; j < min(i+10, len(words)); j++ {
		if is(words, j, "and", "or") && (j == i+3 || tagged(words, j+1, "VB", "VBP") || is(words, j+1, "to")) {
			return 0, 0, nil // "continue to plan and pay": both hang on "continue"
		}
	}
	if stative[verb] || words[i+2].fixed || !continuing[words[i].lower] && verb != "take" && verb != "make" && verb != "work" {
		return 0, 0, nil
	}
	return i, i + 3, []string{words[i].text + " " + conjugate(verb)[formGerund]}
}

// stative verbs do not stand in the -ing form after such verbs.
var stative = set("be have believe know want need hope think feel see exist belong seem appear look do understand hold stand remain apply serve lie rest")

// helpTo: "help solve" <-> "help to solve".
func helpTo(words []word, i int) (int, int, []string) {
	if !helping[words[i].lower] || !tagged(words, i, "V") || tagged(words, i, "VBG") {
		return 0, 0, nil
	}
	switch {
	case is(words, i+1, "to") && tagged(words, i+2, "VB"):
		return i, i + 2, []string{words[i].text}
	case tagged(words, i+1, "VB") && !words[i+1].fixed && !is(words, i+1, "be", "progress", "wherever", "whenever"):
		return i, i + 1, []string{words[i].text + " to"}
	}
	return 0, 0, nil
}

// orderTo: "in order to meet" -> "to meet", "so as to meet".
func orderTo(words []word, i int) (int, int, []string) {
	if i == 0 || words[i].lower != "in" || is(words, i-1, "necessary", "possible") || !is(words, i+1, "order") || !is(words, i+2, "to") || !tagged(words, i+3, "VB") {
		return 0, 0, nil
	}
	if aims[words[i-1].lower] || persuades(words, i) {
		return i, i + 3, []string{"so as to"}
	}
	return i, i + 3, []string{"to", "so as to"}
}

// aims are nouns after which "to" says what they are for.
var aims = set(`ability action attempt authority chance decision desire effort efforts freedom intention measures money need opportunity
	plan plans power reason right steps time war way will willingness wish`)

// persuading verbs take a person and then "to".
var persuading = formSet("persuade convince ask urge press tell allow permit induce enable invite encourage order want request")

// persuades says whether such a verb stands a few words before i.
func persuades(words []word, i int) bool {
	for j := max(0, i-6); j < i; j++ {
		if persuading[words[j].lower] {
			return true
		}
	}
	return false
}

// allOf: "all of the" <-> "all the", "both of the" <-> "both".
func allOf(words []word, i int) (int, int, []string) {
	if in(words, i+3, subjects) || in(words, i+4, subjects) {
		return 0, 0, nil // "all the help they can get"
	}
	if words[i].lower != "all" || is(words, i-1, "at", "after", "above", "of", "not", "or") {
		return 0, 0, nil
	}
	for j := i + 2; j < i+8 && !ends(words, j); j++ {
		if is(words, j, "has", "have", "had") {
			return 0, 0, nil // "all the Council has done"
		}
	}
	switch {
	case is(words, i+1, "of") && in(words, i+2, owned):
		return i, i + 2, []string{text(words, i, i+1)}
	case in(words, i+1, owned) && !tagged(words, i+2, "JJR", "RBR") && !is(words, i+2, "more", "less", "fewer", "time", "way", "same", "while", "better", "worse"):
		return i, i + 1, []string{text(words, i, i+1) + " of"}
	}
	return 0, 0, nil
}

// atThisTime: "at this time" at the end of a clause.
func atThisTime(words []word, i int) (int, int, []string) {
	if words[i].lower != "at" || !is(words, i+1, "this") || !is(words, i+2, "time") || !ends(words, i+3) || is(words, i-1, "even") {
		return 0, 0, nil
	}
	return i, i + 3, []string{"at present", "at this stage"}
}
