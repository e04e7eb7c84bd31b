package real

import (
	"strings"
	"testing"
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

// What rules propose is measured on real cables; every claim of the table has
// to hold.
func TestWordingOfRealCables(t *testing.T) {
	out := chancery(t, "measure", "wording", "--scale", "0.2", "--cables", folder(t, "CHANCERY_CABLES"))
	t.Log(out)
	if !strings.Contains(out, "bits a word shown, house style left out") {
		t.Error("no cable was judged")
	}
}
