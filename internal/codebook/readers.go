package codebook

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"chancery/internal/fault"
)

const (
	maxID  = 100
	idHint = "an id has letters, digits and . _ @ + - (at most 100), and begins with a letter or digit"
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
			return nil, fault.Input.New("not valid UTF-8").At(name, i+1, firstInvalid(raw))
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
	column := func(s string) int { return utf8.RuneCountInString(text[:strings.Index(text, s)]) + 1 }
	if id := fields[0]; !ValidID(id) {
		return Reader{}, fault.Input.New("%q is not a reader id", id).At(name, line, column(id)).WithHint(idHint)
	}
	r := Reader{ID: fields[0]}
	rest := fields[1:]
	if len(rest) > 0 && !strings.HasPrefix(rest[0], "#") {
		r.Recipient, rest = rest[0], rest[1:]
	}
	if len(rest) > 0 && !strings.HasPrefix(rest[0], "#") {
		return Reader{}, fault.Input.New("unexpected text after reader %q", r.ID).At(name, line, column(rest[0])).
			WithHint("a line is an id, a space and at most one age recipient")
	}
	return r, nil
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
