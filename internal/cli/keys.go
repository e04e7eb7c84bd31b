package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// A keyReader reads single keys from a terminal and shows screens on it.
type keyReader struct {
	in   io.Reader
	out  io.Writer
	size func() (int, int, error)
	rest []byte // read and not used yet
}

// rawKeys puts the terminal into the mode in which keys arrive one by one.
// The function it returns puts it back.
func rawKeys(ctx context.Context) (*keyReader, func(), error) {
	in, out := int(os.Stdin.Fd()), int(os.Stderr.Fd())
	before, err := term.MakeRaw(in)
	if err != nil {
		return nil, nil, err
	}
	k := &keyReader{in: interruptible{ctx, os.Stdin}, out: os.Stderr, size: func() (int, int, error) { return term.GetSize(out) }}
	fmt.Fprint(k.out, "\x1b[?1049h") // a screen of its own, so that what stood there comes back
	return k, func() {
		fmt.Fprint(k.out, "\x1b[?1049l")
		_ = term.Restore(in, before) // it was a terminal a moment ago
	}, nil
}

func (k *keyReader) width() int {
	if w, _, err := k.size(); err == nil && w > 0 {
		return min(w, 110)
	}
	return 80
}

// show clears the terminal and shows a screen with its help below.
func (k *keyReader) show(screen, help string) {
	text := "\x1b[2J\x1b[H" + screen + "\n" + wrap(help, k.width()) + "\n"
	fmt.Fprint(k.out, strings.ReplaceAll(text, "\n", "\r\n"))
}

// key reads one key: a character, or a lone escape. Sequences that arrows and
// other keys send count as nothing.
func (k *keyReader) key() (string, error) {
	for {
		if err := k.fill(); err != nil {
			return "", err
		}
		if n := sequence(k.rest); n > 1 {
			k.rest = k.rest[n:]
			continue
		}
		_, size := utf8.DecodeRune(k.rest)
		key := string(k.rest[:size])
		k.rest = k.rest[size:]
		return key, nil
	}
}

func (k *keyReader) fill() error {
	for len(k.rest) == 0 || !utf8.FullRune(k.rest) {
		part := make([]byte, 256)
		n, err := k.in.Read(part)
		if n == 0 && err != nil {
			return err
		}
		k.rest = append(k.rest, part[:n]...)
	}
	return nil
}

// sequence returns the length of the escape sequence that text begins with, 1
// for an escape alone and 0 for anything else.
func sequence(text []byte) int {
	if len(text) == 0 || text[0] != '\x1b' {
		return 0
	}
	if len(text) < 3 || text[1] != '[' && text[1] != 'O' {
		return 1
	}
	for i := 2; i < len(text); i++ {
		if text[i] >= '@' && text[i] <= '~' {
			return i + 1
		}
	}
	return len(text)
}

// line reads a line with a prompt. It ends with Enter, or with Escape, Ctrl-C
// or Ctrl-D, which end says.
func (k *keyReader) line(prompt string) (text, end string, err error) {
	for {
		fmt.Fprint(k.out, "\r\x1b[K"+prompt+text)
		key, err := k.key()
		if err != nil {
			return "", "", err
		}
		switch key {
		case "\r", "\n":
			return text, "", nil
		case "\x1b", "\x03", "\x04":
			return "", key, nil
		case "\x7f", "\b":
			_, size := utf8.DecodeLastRuneInString(text)
			text = text[:len(text)-size]
		case "\x15": // Ctrl-U
			text = ""
		default:
			if r, _ := utf8.DecodeRuneInString(key); r != utf8.RuneError && !unicode.IsControl(r) {
				text += key
			}
		}
	}
}
