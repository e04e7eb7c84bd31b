package wording

import (
	"strconv"
	"strings"
)

// houseMoves are what editors rewrite by their own style.
var houseMoves = []move{
	{id: "house.number-word", class: "house.number", link: "number", any: true, find: numberWord},
	{id: "house.date-order", class: "house.date", link: "date", any: true, find: dateOrder},
}

var numberWords = strings.Fields("zero one two three four five six seven eight nine ten eleven twelve")

// numberWord: "five days" <-> "5 days"; not "one", which is a pronoun too.
func numberWord(words []word, i int) (int, int, []string) {
	if !tagged(words, i+1, "NNS") || is(words, i-1, "or", "and", "to", "-", ",", "number", "no.", "para", "paragraph") || tagged(words, i-1, "NAME") {
		return 0, 0, nil
	}
	for n, w := range numberWords {
		figure := strconv.Itoa(n)
		switch {
		case n < 2:
		case words[i].lower == w:
			return i, i + 1, []string{figure}
		case words[i].text == figure:
			return i, i + 1, []string{w}
		}
	}
	return 0, 0, nil
}

var months = set("january february march april may june july august september october november december")

// dateOrder: "December 5" <-> "5 December".
func dateOrder(words []word, i int) (int, int, []string) {
	month, day := i, i+1
	if in(words, i+1, months) {
		month, day = i+1, i
	}
	if !in(words, month, months) || !isName(words[month].text) || day >= len(words) || !isDay(words[day]) ||
		tagged(words, i-1, "NUM") || is(words, i-1, "and", "to", "-", "or", "between", "from") ||
		is(words, i+2, "and", "to", "-", "or", "–", ",") || tagged(words, i+2, "NUM") {
		return 0, 0, nil
	}
	return i, i + 2, []string{words[i+1].text + " " + words[i].text}
}

// isDay says whether a word is the figure of a day.
func isDay(w word) bool {
	return len(w.text) <= 2 && w.tag == "CD" && w.text[0] >= '1' && w.text[0] <= '9'
}
