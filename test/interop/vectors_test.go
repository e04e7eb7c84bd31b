package interop

import (
	"maps"
	"slices"
	"testing"
)

// ranAll fails unless of each class of vectors as many ran as were published: a
// class that shrank is a test that was lost.
func ranAll[K ~string](t *testing.T, ran, want map[K]int) {
	t.Helper()
	for _, class := range slices.Sorted(maps.Keys(ran)) {
		t.Logf("%4d %s", ran[class], class)
		if want[class] == 0 {
			t.Errorf("%d vectors are in a class that nobody expects, %q", ran[class], class)
		}
	}
	for _, class := range slices.Sorted(maps.Keys(want)) {
		if ran[class] != want[class] {
			t.Errorf("%d vectors, not %d, are in the class %q", ran[class], want[class], class)
		}
	}
}
