package real

import (
	"strconv"
	"strings"
	"testing"

	"chancery/internal/measure"
)

// The index is measured with real cables in the archive: they share
// boilerplate, which made-up ones do not. A check that fails ends the command
// with an error.
func TestIndexAmongRealCables(t *testing.T) {
	out := chancery(t, "measure", "index", "--scale", "0.05", "--cables", folder(t, "CHANCERY_CABLES"))
	t.Log(out)
	if !strings.Contains(out, "real cables found first for 25 words") {
		t.Error("no quotation of a real cable was judged")
	}
}

// wordingFloors are what rules reached on real cables, a little below: the goals stand
// in the table itself (chancery measure wording), and not all are reached yet.
var wordingFloors = map[string]float64{
	"bits a word shown, house style left out":                    0.12,
	"bits a word after striking":                                 0.115,
	"quotations of 20 words of ordinary prose with a place":      0.735,
	"quotations of treated sentences that leave at most 2 of 50": 0.8,
}

// mostKeys is the goal for the review of the median cable.
const mostKeys = 90

func TestWordingOfRealCables(t *testing.T) {
	var cables [][]string
	for _, c := range telegrams(t, folder(t, "CHANCERY_CABLES"), 1, 1<<30) {
		cables = append(cables, c.Body)
	}
	table, err := measure.Run(t.Context(), "wording", measure.Config{Scale: 0.2, Cables: cables})
	if err != nil {
		t.Fatal(err)
	}
	judged := 0
	for _, c := range table.Checks {
		got, err := strconv.ParseFloat(c.Got, 64)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %s (%s)", c.Claim, c.Got, c.Limit)
		if floor, ok := wordingFloors[c.Claim]; ok {
			judged++
			if got < floor {
				t.Errorf("%s: %s, was at least %g", c.Claim, c.Got, floor)
			}
		} else if got > mostKeys {
			t.Errorf("%s: %s", c.Claim, c.Got)
		}
	}
	if judged != len(wordingFloors) {
		t.Errorf("%d of %d claims were judged", judged, len(wordingFloors))
	}
}
