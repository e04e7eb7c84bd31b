package wording

// orderMoves change the order of two things that "and" or "or" joins.
var orderMoves = []move{
	{id: "move.pair-adjectives", class: "move.order", find: pairAdjectives},
	{id: "move.pair-nouns", class: "move.order", find: pairNouns},
	{id: "move.pair-adverbs", class: "move.order", find: pairAdverbs},
}

// fixedPairs are said in one order only.
var fixedPairs = set(`hard-fast black-white law-order null-void ways-means peace-security command-control first-foremost
	more-more less-less open-honest safe-sound terms-conditions rules-regulations cut-dried military-naval arms-ammunition
	life-death large-small men-women men-material men-materiel good-bad friends-allies goods-services north-south east-west
	free-fair former-latter one-two last-final long-hard pros-cons free-independent sick-wounded`)

// firstWords come first for a reason: of size, time or rank.
var ranked = set(`first second third primary secondary former latter initial final new old past present future early late short long
	immediate ultimate other further additional more most only same similar various several many few such`)

// fields are adjectives that name a field of affairs: of two such, neither comes
// first for a reason. Strict readers struck the exchange of any others.
var fields = set(`political economic military social cultural financial technical commercial industrial diplomatic administrative legal
	agricultural scientific educational psychological humanitarian fiscal monetary constitutional ideological moral material logistical
	strategic tactical regional local`)

// pairAdjectives: "military and economic assistance" <-> "economic and
// military assistance".
func pairAdjectives(words []word, i int) (int, int, []string) {
	return pair(words, i, "JJ", func(words []word, from, to int) bool {
		return fields[words[from].lower] && fields[words[to-1].lower] && !tagged(words, from-1, "J", "A", "CC", "N") && tagged(words, to, "N") && !words[to].fixed
	})
}

// pairNouns: "weapons and supplies" <-> "supplies and weapons".
func pairNouns(words []word, i int) (int, int, []string) {
	return pair(words, i, "NNS", func(words []word, from, to int) bool {
		return !tagged(words, from-1, "J", "N", "V", "CC", "D", "NUM", "NAME", ",") && (ends(words, to) || tagged(words, to, "MD"))
	})
}

// pairAdverbs: "clearly and firmly" <-> "firmly and clearly".
func pairAdverbs(words []word, i int) (int, int, []string) {
	return pair(words, i, "RB", func(words []word, from, to int) bool {
		alone := ends(words, to) || tagged(words, to, "V") && (auxiliary[words[max(from-1, 0)].lower] || is(words, from-1, "to", "be", "been", "being"))
		return hasLY(words[from]) && hasLY(words[to-1]) && !tagged(words, from-1, "A", "CC", ",") && alone
	})
}

func hasLY(w word) bool { return len(w.lower) > 4 && w.lower[len(w.lower)-2:] == "ly" }

func pair(words []word, i int, tag string, free func(words []word, from, to int) bool) (int, int, []string) {
	if i+2 >= len(words) || words[i].tag != tag || words[i+2].tag != tag || words[i+1].lower != "and" || words[i].fixed || words[i+2].fixed {
		return 0, 0, nil
	}
	a, b := words[i].lower, words[i+2].lower
	if fixedPairs[a+"-"+b] || ranked[a] || ranked[b] || a == b || !free(words, i, i+3) {
		return 0, 0, nil
	}
	return i, i + 3, []string{low(words, i+2, i+3) + " and " + low(words, i, i+1)}
}
