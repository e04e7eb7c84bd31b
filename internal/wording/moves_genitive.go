package wording

import "strings"

// genitiveMoves vary how an owner is named.
var genitiveMoves = []move{
	{id: "move.genitive-of", class: "move.genitive", owner: true, any: true, find: genitiveOf},
	{id: "move.genitive-s", class: "move.genitive", owner: true, any: true, find: genitiveS},
}

// holdings are what they can own either way. What "of" may as well direct at the owner -
// criticism, support, assessment - is none of them.
var holdings = set(`position views view attitude policy policies decision decisions proposal proposals intentions intention response
	reaction request requests concern concerns interest interests role statement statements efforts plans approach
	actions willingness ability refusal failure determination desire reply speech remarks
	security sovereignty future independence integrity survival influence economy presence participation withdrawal involvement
	leadership resistance rights needs aims goals objectives purposes motives problems ambitions demands claims hopes resources
	reputation prestige strength weakness success stability unity growth development opinion opinions thinking
	insistence opposition consent cooperation arrival departure suggestion suggestions initiative initiatives
	recommendation recommendations offer visit visits plan authority behavior conduct readiness reluctance commitment
	commitments obligations responsibility responsibilities assurance assurances comments objection objections
	arguments argument answer action leaders capabilities policymakers efforts return resignation appointment election death
	insight ideas idea preference preferences proposals contribution neutrality `)

// holders can own what they think and do.
var holders = set(`government minister president king prince committee council delegation ministry cabinet
	regime parliament opposition army party ambassador chairman premier chancellor department embassy union country`)

// genitiveOf: "the position of the government" -> "the government's position",
// "the position of France" -> "France's position". The owner's name stays as it
// is.
func genitiveOf(words []word, i int) (int, int, []string) {
	if words[i].lower != "the" || !in(words, i+1, holdings) || !is(words, i+2, "of") {
		return 0, 0, nil
	}
	owner, end := owner(words, i+3)
	if owner == "" || !ownerEnds(words, end) {
		return 0, 0, nil
	}
	return i, end, []string{owner + "'s " + words[i+1].text}
}

// owner reads who owns: "the government", or one name. It returns the words and
// the index after them.
func owner(words []word, i int) (string, int) {
	switch {
	case is(words, i, "the") && in(words, i+1, holders) && !words[i+1].quoted:
		return "the " + words[i+1].text, i + 2
	case i < len(words) && isName(words[i].text) && words[i].fixed && !words[i].quoted && words[i].tag == "NNP" &&
		len(words[i].lower) > 3 && !strings.HasSuffix(words[i].lower, "s") && !tagged(words, i+1, "NAME") && !opensAt(words, i):
		return words[i].text, i + 1
	}
	return "", 0
}

func ownerEnds(words []word, i int) bool {
	return ends(words, i) && !is(words, i, "-", "–", "—", "(", ",") || finite(words, i) || is(words, i, "on", "toward", "towards", "in", "regarding")
}

// genitiveS: "the government's position" -> "the position of the government",
// "Hanoi's views" -> "the views of Hanoi".
func genitiveS(words []word, i int) (int, int, []string) {
	if words[i].lower != "'s" || !in(words, i+1, holdings) || words[i+1].fixed || !headEnds(words, i+2) {
		return 0, 0, nil
	}
	from, owner := possessor(words, i)
	if owner == "" {
		return 0, 0, nil
	}
	return from, i + 2, []string{"the " + words[i+1].text + " of " + owner}
}

// possessorWords is how long an owner's name may be.
const possessorWords = 5

// possessor returns the owner that ends before word i: a name, or a noun with
// its article. Two owners, or the owner of an owner, are left alone.
func possessor(words []word, i int) (int, string) {
	from := i
	for from > 0 && i-from < possessorWords && tagged(words, from-1, "NAME", "N", "J") && !words[from-1].quoted && !questions[words[from-1].lower] {
		from--
	}
	determined := is(words, from-1, "the", "this", "his", "their", "our", "my", "your")
	switch {
	case from == i || words[i-1].tag == "CD" || times[words[i-1].lower]:
		return 0, ""
	case determined:
		from--
	case !properOwner(words[from:i]):
		return 0, ""
	}
	if is(words, from-1, "that") && is(words, from-2, "that") || is(words, from-1, "of", "'s", "and", "or", "&", "-", "/", "de", "von", "van", "ben", "bin", "al", "el", "di", "da", "der") ||
		opensAt(words, from) && !determined && !strings.HasPrefix(words[from].tag, "NNP") {
		return 0, ""
	}
	if determined {
		return from, low(words, from, i)
	}
	return from, text(words, from, i)
}

// questions begin with these words, which are of no name although they have a capital.
var questions = set("do does did is are was were has have had can could will would shall should may might must")

// properOwner says whether words are all of a name, and more than a title:
// "Secretary's" without an article stands in telegrams.
func properOwner(words []word) bool {
	for _, w := range words {
		if !isName(w.text) {
			return false
		}
	}
	last := words[len(words)-1].lower
	return len(last) > 2 && !titles[last] && (!holders[last] || len(words) > 1 && offices[last])
}

// titles alone name nobody; of offices the name may stand without an article, as
// in "Foreign Office".
var (
	titles  = set("secretary president minister ambassador chancellor chairman king queen prince general charge chargé counselor director commissioner premier shah sultan pope govt gov't dept fonoff fonmin")
	offices = set("government congress parliament cabinet")
)

// headEnds says whether what is owned ends before word i: nothing hangs on it
// that would hang on the owner instead.
func headEnds(words []word, i int) bool {
	if i >= len(words) || is(words, i, ".", ";", ":", "?", "!", ")") {
		return true
	}
	return !is(words, i, "of", "and", "or", ",") && (finite(words, i) || tagged(words, i, "P", "TO"))
}

// times own nothing: "today's position" is the position today.
var times = set("today yesterday tomorrow week month year day night morning evening afternoon monday tuesday wednesday thursday friday saturday sunday")
