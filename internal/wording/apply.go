package wording

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"

	"chancery/cable"
)

// A Site is a place of a draft with other wordings that its author took.
type Site struct {
	Start, End   int // byte offsets in the file
	Alternatives []string
	Link         string // places with the same link share one choice
}

// Bits returns what the place tells of a copy: log2 of its wordings.
func (s Site) Bits() float64 { return bits(len(s.Alternatives)) }

// bits returns log2(1 + n), for n wordings beside the original.
func bits(n int) float64 { return math.Log2(1 + float64(n)) }

// Sites turns proposals into the sites that taking all of them makes.
func Sites(proposals []Proposal) []Site {
	out := make([]Site, len(proposals))
	for i, p := range proposals {
		out[i] = Site{p.Start, p.End, p.Alternatives, p.Link}
	}
	return out
}

// Apply writes sites into a draft: what stood there is the first alternative.
// Nothing else in the file changes. It fails if sites overlap, or if the draft
// could not be read with them.
func Apply(draft []byte, sites []Site) ([]byte, error) {
	sites = slices.Clone(sites)
	slices.SortFunc(sites, func(a, b Site) int { return a.Start - b.Start })
	links := linkNames(draft)
	var b bytes.Buffer
	at := 0
	for _, s := range sites {
		if s.Start < at || s.End < s.Start || s.End > len(draft) {
			return nil, fmt.Errorf("sites overlap at byte %d", s.Start)
		}
		b.Write(draft[at:s.Start])
		b.WriteString("{" + links.label(s))
		b.Write(draft[s.Start:s.End])
		for _, alt := range s.Alternatives {
			b.WriteString("|" + cable.Escape(alt))
		}
		b.WriteByte('}')
		at = s.End
	}
	b.Write(draft[at:])
	if _, err := cable.Parse(b.Bytes()); err != nil {
		return nil, fmt.Errorf("the draft with its sites: %w", err)
	}
	return b.Bytes(), nil
}

// names gives links labels that the draft does not use yet.
type names struct{ prefix string }

func linkNames(draft []byte) names {
	prefix := "w-"
	for bytes.Contains(draft, []byte(`{\`+prefix)) {
		prefix += "w-"
	}
	return names{prefix}
}

// label returns the label of a linked site, or nothing. Sites of a link that
// differ in number of alternatives cannot share a choice and stay apart.
func (n names) label(s Site) string {
	if s.Link == "" {
		return ""
	}
	return fmt.Sprintf(`\%s%s-%d: `, n.prefix, strings.ReplaceAll(s.Link, ".", "-"), len(s.Alternatives)+1)
}

// WithHeader adds a header line to a draft, in place of one of the same name.
func WithHeader(draft []byte, name, value string) []byte {
	head, rest := splitHeader(WithoutHeader(draft, name))
	if head != "" && !strings.HasSuffix(head, "\n") {
		head += "\n"
	}
	return []byte(head + name + ": " + value + "\n" + rest)
}

// WithoutHeader takes the header lines of a name out of a draft, with the lines
// that continue them.
func WithoutHeader(draft []byte, name string) []byte {
	head, rest := splitHeader(draft)
	var b strings.Builder
	drop := false
	for line := range strings.Lines(head) {
		if line[0] != ' ' && line[0] != '\t' {
			have, _, _ := strings.Cut(strings.TrimPrefix(line, "\ufeff"), ":")
			drop = strings.EqualFold(have, name)
		}
		if !drop {
			b.WriteString(line)
		}
	}
	return []byte(b.String() + rest)
}

// splitHeader cuts a draft before its first blank line.
func splitHeader(draft []byte) (head, rest string) {
	at := 0
	for line := range strings.Lines(string(draft)) {
		if strings.TrimSpace(line) == "" {
			break
		}
		at += len(line)
	}
	return string(draft[:at]), string(draft[at:])
}
