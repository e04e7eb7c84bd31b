package testworld

import (
	"math/rand/v2"
	"strings"
)

// keyboard lists, for each letter, its neighbours on the keyboard.
var keyboard = map[byte]string{
	'q': "wa", 'w': "qes", 'e': "wrd", 'r': "etf", 't': "ryg", 'y': "tuh", 'u': "yij", 'i': "uok", 'o': "ipl", 'p': "ol",
	'a': "qsz", 's': "awdx", 'd': "sefc", 'f': "drgv", 'g': "fthb", 'h': "gyjn", 'j': "hukm", 'k': "jil", 'l': "ko",
	'z': "asx", 'x': "zsc", 'c': "xdv", 'v': "cfb", 'b': "vgn", 'n': "bhm", 'm': "njk",
}

// Retype returns a text as a hurried typist copies it: each letter goes wrong
// with the given probability. It is hit beside, left out, doubled, or
// exchanged with the next, equally often. Only a to z and A to Z go wrong.
func Retype(text string, slips float64, r *rand.Rand) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		near := keyboard[c|0x20]
		if !isLetter(c) || r.Float64() >= slips {
			b.WriteByte(c)
			continue
		}
		switch r.IntN(4) {
		case 0:
			b.WriteByte(near[r.IntN(len(near))])
		case 1:
		case 2:
			b.WriteByte(c)
			b.WriteByte(c)
		case 3:
			if i+1 < len(text) && isLetter(text[i+1]) {
				i++
				b.WriteByte(text[i])
			}
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
