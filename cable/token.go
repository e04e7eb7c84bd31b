package cable

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A Token is one word of a text as the tracer sees it.
type Token struct {
	// Word is the normalised word: lower case, accents, apostrophes and
	// hyphens dropped, commas dropped from figures. Never empty.
	Word string
	// Start and End are byte offsets of the word in the text.
	Start, End int
	// Ellipsis says that dots of omission stand before the word.
	Ellipsis bool
	// Bracketed says that the word stands in square brackets, where editors
	// put words of their own.
	Bracketed bool
	// Capital says that the word begins with a capital letter or is a figure,
	// as names and dates do.
	Capital bool
}

// Tokenize splits a text into its words. Letters and digits make words;
// hyphens and apostrophes between them belong to the word; every other
// character separates. Two texts with equal words are equal to the tracer.
func Tokenize(text string) []Token {
	t := tokenizer{text: text, tokens: make([]Token, 0, 1+len(text)/wordBytes)}
	for t.pos < len(text) {
		t.step()
	}
	return t.tokens
}

// Words returns the normalised words of a text, without positions.
func Words(text string) []string {
	tokens := Tokenize(text)
	words := make([]string, len(tokens))
	for i, t := range tokens {
		words[i] = t.Word
	}
	return words
}

// wordBytes is about what a word takes in a text, the space after it included.
const wordBytes = 6

type tokenizer struct {
	text     string
	pos      int
	dots     int
	ellipsis bool
	depth    int
	tokens   []Token
}

func (t *tokenizer) step() {
	r, size := utf8.DecodeRuneInString(t.text[t.pos:])
	if isWordRune(r) {
		t.word()
		return
	}
	switch r {
	case '.':
		if t.dots++; t.dots >= 3 {
			t.ellipsis = true
		}
	case '…':
		t.ellipsis = true
	case '[':
		t.depth++
	case ']':
		t.depth = max(0, t.depth-1)
	}
	if r != '.' && !unicode.IsSpace(r) {
		t.dots = 0
	}
	t.pos += size
}

// word consumes one word, joiners inside it included.
func (t *tokenizer) word() {
	start, end := t.pos, t.pos
	var prev rune
	for end < len(t.text) {
		if c := t.text[end]; isWordByte(c) {
			prev = rune(c)
			end++
			continue
		}
		r, size := utf8.DecodeRuneInString(t.text[end:])
		if !isWordRune(r) {
			if !joins(prev, r, t.text[end+size:]) {
				break
			}
		}
		if !isInvisible(r) {
			prev = r
		}
		end += size
	}
	t.pos, t.dots = end, 0
	if w := normalize(t.text[start:end]); w != "" {
		first, _ := utf8.DecodeRuneInString(t.text[start:])
		t.tokens = append(t.tokens, Token{w, start, end, t.ellipsis, t.depth > 0, unicode.IsUpper(first) || unicode.IsDigit(first)})
		t.ellipsis = false
	}
}

// joins says whether r, standing between prev and rest, is inside a word.
func joins(prev, r rune, rest string) bool {
	figure := r == ',' || r == '.'
	switch {
	case isInvisible(r):
		return true
	case !isJoiner(r) && !figure:
		return false
	}
	rest = strings.TrimLeftFunc(rest, isInvisible)
	next, _ := utf8.DecodeRuneInString(rest)
	if figure {
		return unicode.IsDigit(prev) && unicode.IsDigit(next)
	}
	return isWordRune(prev) && isWordRune(next)
}

func isWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return isWordByte(byte(r))
	}
	if r == utf8.RuneError || isJoiner(r) { // Unicode counts some apostrophes as letters
		return false
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// isWordByte is isWordRune for the bytes that are characters by themselves.
func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// isJoiner says whether r is a hyphen or an apostrophe.
func isJoiner(r rune) bool {
	switch r {
	case '-', '‐', '‑', '\'', '’', 'ʼ', 'ʻ', '＇':
		return true
	}
	return false
}

// isInvisible says whether r has no width: soft hyphens, zero-width marks,
// marks of writing direction.
func isInvisible(r rune) bool { return r >= utf8.RuneSelf && unicode.Is(unicode.Cf, r) }

func normalize(word string) string {
	plain, ascii := true, true
	for i := range len(word) {
		c := word[i]
		plain = plain && ('a' <= c && c <= 'z' || '0' <= c && c <= '9')
		ascii = ascii && c < utf8.RuneSelf
	}
	if plain {
		return word // as most words are
	}
	if !ascii {
		word = norm.NFKD.String(word)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '.': // only figures hold one
			return r
		case r == 'ς': // a Greek capital does not tell where the word ends
			return 'σ'
		case !isWordRune(r) || unicode.Is(unicode.Mn, r):
			return -1
		}
		return unicode.ToLower(r)
	}, word)
}
