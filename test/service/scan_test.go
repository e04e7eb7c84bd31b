package service

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"
)

// A finder looks for many byte strings at once. Each has at least window bytes.
type finder struct {
	maybe  []uint64         // one bit for each hash of a beginning
	begins map[uint64][]int // beginnings, to numbers of what
	what   []needle
}

// A needle is a byte string with its name.
type needle struct {
	name string
	data []byte
}

const (
	window   = 8
	maybeLog = 23 // of bits
)

func hashed(w uint64) uint64 { return w * 0x9e3779b97f4a7c15 >> (64 - maybeLog) }

func (f *finder) add(name string, data []byte) {
	if len(data) < window {
		panic("too short to be looked for: " + name)
	}
	if f.maybe == nil {
		f.maybe, f.begins = make([]uint64, 1<<maybeLog/64), map[uint64][]int{}
	}
	w := binary.LittleEndian.Uint64(data)
	f.maybe[hashed(w)/64] |= 1 << (hashed(w) % 64)
	f.begins[w] = append(f.begins[w], len(f.what))
	f.what = append(f.what, needle{name, data})
}

// find adds to found the names of what stands in data.
func (f *finder) find(data []byte, found map[string]bool) {
	for i := 0; i+window <= len(data); i++ {
		w := binary.LittleEndian.Uint64(data[i:])
		if h := hashed(w); f.maybe[h/64]>>(h%64)&1 == 0 {
			continue
		}
		for _, n := range f.begins[w] {
			if bytes.HasPrefix(data[i:], f.what[n].data) {
				found[f.what[n].name] = true
			}
		}
	}
}

// A hunt is for what must not be there: words, in whatever case, spacing and
// encoding, and secrets, as they are and in hexadecimal and base64.
type hunt struct {
	exact, loose finder
	known        map[string]bool
}

func newHunt() *hunt { return &hunt{known: map[string]bool{}} }

// text adds every run of three words of a text. It passes over shorter than window.
func (h *hunt) text(s string) {
	words := strings.Fields(s)
	for i := 0; i+3 <= len(words); i++ {
		run := strings.Join(words[i:i+3], " ")
		if len(run) < window || h.known[run] {
			continue
		}
		h.known[run] = true
		h.loose.add("words", []byte(strings.ToLower(run)))
		h.base64("words in base64", []byte(run))
	}
}

// secret adds a secret: text that somebody keeps in a file.
func (h *hunt) secret(name, s string) {
	h.loose.add(name, []byte(strings.ToLower(strings.TrimSpace(s))))
	h.base64(name, []byte(strings.TrimSpace(s)))
}

// raw adds the bytes of a secret.
func (h *hunt) raw(name string, b []byte) {
	h.exact.add(name, b)
	h.loose.add(name, []byte(hex.EncodeToString(b)))
	h.base64(name, b)
}

// base64 adds what every base64 of a text in which b stands has in common, wherever b
// begins in it.
func (h *hunt) base64(name string, b []byte) {
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			text := e.EncodeToString(append(make([]byte, before), b...))
			text = text[(8*before+5)/6 : 8*(before+len(b))/6]
			if len(text) >= window && !h.known[text] {
				h.known[text] = true
				h.exact.add(name, []byte(text))
			}
		}
	}
}

// look returns the names of what stands in data, sorted.
func (h *hunt) look(data []byte) []string {
	found := map[string]bool{}
	h.lookInto(data, found)
	return slices.Sorted(maps.Keys(found))
}

func (h *hunt) lookInto(data []byte, found map[string]bool) {
	h.exact.find(data, found)
	h.loose.find(plain(data), found)
	if bytes.IndexByte(data, 0) >= 0 { // UTF-16 of what is found without its zeros
		h.loose.find(plain(bytes.ReplaceAll(data, []byte{0}, nil)), found)
	}
}

// plain is data in lower case, with one space for each run of white space.
func plain(data []byte) []byte {
	out := make([]byte, 0, len(data))
	space := false
	for _, c := range data {
		switch {
		case c == ' ' || '\t' <= c && c <= '\r':
			if !space {
				out = append(out, ' ')
			}
			space = true
			continue
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		out, space = append(out, c), false
	}
	return out
}

// utf16of is a text as some systems keep it.
func utf16of(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}
