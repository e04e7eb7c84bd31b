package codebook

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"chancery/internal/fault"
)

const (
	maxID     = 100
	maxQuoted = 40 // bytes of a bad word in a message
	idHint    = "an id has letters, digits and . _ @ + - (at most 100), and begins with a letter or digit"
)

// ValidID says whether a reader id matches [A-Za-z0-9][A-Za-z0-9._@+-]{0,99}.
func ValidID(id string) bool {
	for i := 0; i < len(id); i++ {
		c := id[i]
		alnum := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !alnum && (i == 0 || strings.IndexByte("._@+-", c) < 0) {
			return false
		}
	}
	return id != "" && len(id) <= maxID
}

// ParseReaders reads a list of readers: one id a line, optionally a space and
// an age recipient, which is returned as it stands. Lines that are blank or
// begin with # are passed over. Errors carry the name, line and column.
func ParseReaders(name string, data []byte) ([]Reader, error) {
	var out []Reader
	seen := map[string]int{}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	for i, raw := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(raw) {
			return nil, fault.Input.New("not valid UTF-8").At(name, i+1, firstInvalid(raw)).WithHint("save the list as UTF-8 text")
		}
		line := string(raw)
		if hash := strings.IndexByte(line, '#'); hash == 0 || hash > 0 && strings.TrimSpace(line[:hash]) == "" {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		r, err := parseReader(name, i+1, line, fields)
		if err != nil {
			return nil, err
		}
		key := strings.ToLower(r.ID)
		if first, again := seen[key]; again {
			return nil, fault.Input.New("reader %q stands twice; first on line %d", r.ID, first).At(name, i+1, 1).
				WithHint("ids are compared without regard to case")
		}
		seen[key] = i + 1
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, fault.Input.New("no readers").At(name, 0, 0).WithHint("name one reader a line")
	}
	return out, nil
}

func parseReader(name string, line int, text string, fields []string) (Reader, error) {
	id, rest := fields[0], fields[1:]
	if err := checkID(id); err != nil {
		return Reader{}, err.At(name, line, column(text, 0, id))
	}
	r, after := Reader{ID: id}, strings.Index(text, id)+len(id)
	if len(rest) > 0 && !strings.HasPrefix(rest[0], "#") {
		r.Recipient, rest = rest[0], rest[1:]
		after += strings.Index(text[after:], r.Recipient) + len(r.Recipient)
	}
	if len(rest) > 0 && !strings.HasPrefix(rest[0], "#") {
		return Reader{}, fault.Input.New("unexpected text after reader %q", r.ID).At(name, line, column(text, after, rest[0])).
			WithHint("a line is an id, a space and at most one age recipient")
	}
	return r, nil
}

// checkID refuses what is not an id, and a key in the place of one: such a
// file was named by mistake, and a secret key must not become the name of a
// file, or be quoted in a message.
func checkID(id string) *fault.Error {
	switch {
	case strings.HasPrefix(strings.ToUpper(id), "AGE-SECRET-KEY-"):
		return fault.Key.New("this is a secret key, not a reader id").WithHint("name the file of readers, not that of a key")
	case strings.HasPrefix(id, "age1") && len(id) > 60:
		return fault.Input.New("a recipient with no reader id before it").WithHint("a line is an id, a space and at most one age recipient")
	case !ValidID(id):
		return fault.Input.New("%q is not a reader id", fault.Clip(id, maxQuoted)).WithHint(idHint)
	}
	return nil
}

// column returns where a word stands in a line from offset on, in characters.
func column(line string, from int, word string) int {
	return utf8.RuneCountInString(line[:from+strings.Index(line[from:], word)]) + 1
}

func firstInvalid(line []byte) int {
	column := 1
	for len(line) > 0 {
		r, size := utf8.DecodeRune(line)
		if r == utf8.RuneError && size == 1 {
			break
		}
		line, column = line[size:], column+1
	}
	return column
}
