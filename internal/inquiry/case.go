// Package inquiry keeps cases: one case is one inquiry into one leak, and
// remembers across looks what the bound depends on - eps, rule, commitments,
// and the weights of every group at its first reading, which are never
// revised. It holds no codeword and no text of any cable, and opens no file.
package inquiry

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"chancery/internal/canonical"
	"chancery/internal/fault"
	"chancery/trace"
)

// Format names the case format of this version.
const Format = "chancery-case-1"

// MaxSize is the largest case that is read, in bytes.
const MaxSize = 64 << 20

// A Case is one inquiry. Its text is canonical: Parse refuses any other.
type Case struct {
	Format string `json:"format"`
	// Eps is the bound, in the shortest decimal form.
	Eps string `json:"eps"`
	// Rule is the decision rule's text.
	Rule trace.Rule `json:"rule"`
	// Cables are the commitments of the codebooks, in the order in which
	// readings refer to them.
	Cables []string `json:"cables"`
	Looks  []Look   `json:"looks"`
}

// A Look is one scoring.
type Look struct {
	Exhibits []Exhibit `json:"exhibits"`
	Readings []Reading `json:"readings"`
}

// An Exhibit is one leak that was read: its name and the SHA-256 of its bytes.
type Exhibit struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// A Reading is the weights of one group at its first reading.
type Reading struct {
	Cable   int      `json:"cable"`
	Group   int      `json:"group"`
	Weights []uint32 `json:"weights"`
}

// New opens a case.
func New(eps float64, rule trace.Rule, commitments []string) *Case {
	return &Case{Format: Format, Eps: formatEps(eps), Rule: rule, Cables: commitments, Looks: []Look{}}
}

func formatEps(eps float64) string { return strconv.FormatFloat(eps, 'g', -1, 64) }

const (
	madeHint    = "a case is a file that chancery trace --case wrote"
	changedHint = "the case was changed after chancery wrote it; use an untouched one"
)

// Parse reads a case. Errors carry the name and, where there is one, a
// position.
func Parse(name string, data []byte) (*Case, error) {
	if len(data) > MaxSize {
		return nil, fault.Input.New("a case has at most %d bytes", MaxSize).At(name, 0, 0).WithHint(madeHint)
	}
	c := &Case{}
	if line, column, err := canonical.Decode(data, c); err != nil {
		return nil, fault.Input.Wrap(err, "not a case").At(name, line, column).WithHint(madeHint)
	}
	if err := c.check(); err != nil {
		return nil, fault.At(err, name, 0, 0)
	}
	if line, column, differs := canonical.Differ(c.Encode(), data); differs {
		return nil, fault.Input.New("the case is not in its canonical form").At(name, line, column).
			WithHint(changedHint)
	}
	return c, nil
}

func (c *Case) check() error {
	if c.Format != Format {
		return fault.Input.New("not a case of this version (format %q, not %q)", c.Format, Format).WithHint(madeHint)
	}
	if err := c.Rule.Check(); err != nil {
		return fault.Input.Wrap(err, "its rule cannot be applied").WithHint(changedHint)
	}
	if eps, err := strconv.ParseFloat(c.Eps, 64); err != nil || !(eps > 0 && eps < 1) || formatEps(eps) != c.Eps {
		return fault.Input.New("its eps %q is not a probability", c.Eps).WithHint(changedHint)
	}
	if len(c.Cables) == 0 || c.Looks == nil {
		return fault.Input.New("it has no cables or no looks").WithHint(changedHint)
	}
	for _, x := range c.Cables {
		if !isDigest(x) {
			return fault.Input.New("%q is not a commitment", x).WithHint(changedHint)
		}
	}
	seen := map[[2]int]bool{}
	for i, look := range c.Looks {
		if look.Exhibits == nil || look.Readings == nil {
			return fault.Input.New("look %d has no exhibits or no readings", i+1).WithHint(changedHint)
		}
		for _, x := range look.Exhibits {
			if !isDigest(x.SHA256) {
				return fault.Input.New("look %d: %q is not a digest", i+1, x.SHA256).WithHint(changedHint)
			}
		}
		for _, r := range look.Readings {
			if err := c.checkReading(r, seen); err != nil {
				return fault.Input.Wrap(err, "look %d", i+1).WithHint(changedHint)
			}
		}
	}
	return nil
}

// checkReading refuses what no look could have recorded: a group that is not
// of these cables or was scored before, and weights that are not such or tell
// too little to be read under the rule.
func (c *Case) checkReading(r Reading, seen map[[2]int]bool) error {
	w := trace.Weights(r.Weights)
	switch {
	case r.Cable < 0 || r.Cable >= len(c.Cables) || r.Group < 0:
		return fmt.Errorf("there is no group %d of cable %d", r.Group, r.Cable)
	case seen[[2]int{r.Cable, r.Group}]:
		return fmt.Errorf("group %d of cable %d is scored twice", r.Group, r.Cable)
	case w.Check(len(w)) != nil:
		return fmt.Errorf("group %d of cable %d: %w", r.Group, r.Cable, w.Check(len(w)))
	case w.Information()*1000 < float64(c.Rule.ReadMillibits):
		return fmt.Errorf("group %d of cable %d tells too little to be read", r.Group, r.Cable)
	}
	seen[[2]int{r.Cable, r.Group}] = true
	return nil
}

func isDigest(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == 32 && strings.ToLower(s) == s
}

// Encode returns the case's one text.
func (c *Case) Encode() []byte {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(c); err != nil {
		panic(err) // no field can fail
	}
	return buf.Bytes()
}

// Match refuses to go on under another eps, rule or commitment
// (fault.Mismatch): the bound would no longer hold.
func (c *Case) Match(eps float64, rule trace.Rule, commitments []string) error {
	const hint = "a new case is for another leak; a second case about this one spends its bound again (docs/theory.md)"
	switch {
	case c.Eps != formatEps(eps):
		return fault.Mismatch.New("the case was opened at eps %s, not %s", c.Eps, formatEps(eps)).WithHint(hint)
	case c.Rule.Text() != rule.Text():
		return fault.Mismatch.New("the case was opened under another rule").WithHint(hint)
	case len(c.Cables) != len(commitments):
		return fault.Mismatch.New("the case was opened on %d cables, not %d", len(c.Cables), len(commitments)).WithHint(hint)
	}
	for i, x := range commitments {
		if c.Cables[i] != x {
			return fault.Mismatch.New("the case was opened under another commitment").WithHint("%s", hint)
		}
	}
	return nil
}

// Scored says whether a group was scored at an earlier look.
func (c *Case) Scored() func(cable, group int) bool {
	seen := map[[2]int]bool{}
	for _, look := range c.Looks {
		for _, r := range look.Readings {
			seen[[2]int{r.Cable, r.Group}] = true
		}
	}
	return func(cable, group int) bool { return seen[[2]int{cable, group}] }
}

// Add records a look. A name that is not UTF-8 is recorded as far as it is.
func (c *Case) Add(exhibits []Exhibit, observed []trace.Observation) {
	look := Look{Exhibits: []Exhibit{}, Readings: []Reading{}}
	for _, x := range exhibits {
		x.Name = strings.ToValidUTF8(x.Name, "\ufffd")
		look.Exhibits = append(look.Exhibits, x)
	}
	for _, o := range observed {
		look.Readings = append(look.Readings, Reading{o.Cable, o.Group, o.Weights})
	}
	c.Looks = append(c.Looks, look)
}

// Observations returns the readings of the first look that read anything, and
// of all later ones. A look that read nothing tested nobody and spent nothing.
// sizes[cable][group] is the number of alternatives; a reading that does not
// fit it is refused.
func (c *Case) Observations(sizes [][]int) (first, later []trace.Observation, err error) {
	for _, look := range c.Looks {
		initial := len(first) == 0
		for _, r := range look.Readings {
			w := trace.Weights(r.Weights)
			if r.Cable >= len(sizes) || r.Group >= len(sizes[r.Cable]) || w.Check(sizes[r.Cable][r.Group]) != nil {
				return nil, nil, fault.Input.New("a reading of the case does not fit its cable").WithHint(changedHint)
			}
			o := trace.Observation{Cable: r.Cable, Group: r.Group, Weights: w}
			if initial {
				first = append(first, o)
			} else {
				later = append(later, o)
			}
		}
	}
	return first, later, nil
}
