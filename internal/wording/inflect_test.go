package wording

import (
	"slices"
	"testing"
)

func TestConjugate(t *testing.T) {
	tests := map[string][]string{
		"carry":    {"carry", "carries", "carried", "carried", "carrying"},
		"agree":    {"agree", "agrees", "agreed", "agreed", "agreeing"},
		"refer":    {"refer", "refers", "referred", "referred", "referring"},
		"visit":    {"visit", "visits", "visited", "visited", "visiting"},
		"stop":     {"stop", "stops", "stopped", "stopped", "stopping"},
		"stress":   {"stress", "stresses", "stressed", "stressed", "stressing"},
		"play":     {"play", "plays", "played", "played", "playing"},
		"meet":     {"meet", "meets", "met", "met", "meeting"},
		"give":     {"give", "gives", "gave", "given", "giving"},
		"withdraw": {"withdraw", "withdraws", "withdrew", "withdrawn", "withdrawing"},
		"die":      {"die", "dies", "died", "died", "dying"},
		"put":      {"put", "puts", "put", "put", "putting"},
		"quit":     {"quit", "quits", "quit", "quit", "quitting"},
		"free":     {"free", "frees", "freed", "freed", "freeing"},
		"undergo":  {"undergo", "undergoes", "underwent", "undergone", "undergoing"},
	}
	for lemma, want := range tests {
		if got := conjugate(lemma); !slices.Equal(got[:], want) {
			t.Errorf("%s: %v", lemma, got)
		}
	}
}

func TestPlural(t *testing.T) {
	for n, want := range map[string]string{"country": "countries", "day": "days", "crisis": "crises", "analysis": "analyses", "process": "processes",
		"approach": "approaches", "man": "men", "hero": "heroes", "photo": "photos", "means": "means"} {
		if got := plural(n); got != want {
			t.Errorf("%s: %s", n, got)
		}
	}
}

func TestArticle(t *testing.T) {
	for w, an := range map[string]bool{"effort": true, "attempt": true, "hour": true, "honest": true, "union": false, "one": false, "useful": false,
		"European": false, "unimportant": true, "uninformed": true, "house": false, "usual": false, "U.S.": false, "": false} {
		if takesAn(w) != an {
			t.Errorf("%s: an is %v", w, !an)
		}
	}
}
