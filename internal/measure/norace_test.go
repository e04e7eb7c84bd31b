//go:build !race

package measure

// raced says whether the race detector is on.
const raced = false
