// Package inquiry keeps cases: one case is one inquiry into one leak, and
// remembers across looks what the bound depends on - eps, rule, commitments,
// and the weights of every group at its first reading, which are never
// revised. It holds no codeword and no text of any cable, and opens no file.
package inquiry

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"

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

// Parse reads a case. Errors carry the name and, where there is one, a
// position.
func Parse(name string, data []byte) (*Case, error) {
	if len(data) > MaxSize {
		return nil, fault.Input.New("a case has at most %d bytes", MaxSize).At(name, 0, 0)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	c := &Case{}
	err := d.Decode(c)
	at := d.InputOffset()
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = io.ErrUnexpectedEOF
		}
	}
	before := data[:min(at, int64(len(data)))]
	line, column := bytes.Count(before, []byte("\n"))+1, len(before)-bytes.LastIndexByte(before, '\n')
	if err != nil {
		return nil, fault.Input.Wrap(err, "not a case").At(name, line, column).
			WithHint("a case is a file that chancery trace --case wrote")
	}
	if err := c.check(); err != nil {
		return nil, fault.At(err, name, 0, 0)
	}
	if !bytes.Equal(c.Encode(), data) {
		return nil, fault.Input.New("the case is not in its canonical form").At(name, 0, 0).
			WithHint("use the file as chancery wrote it")
	}
	return c, nil
}

func (c *Case) check() error {
	if c.Format != Format {
		return fault.Input.New("not a case of this version (format %q, not %q)", c.Format, Format)
	}
	if err := c.Rule.Check(); err != nil {
		return fault.Input.Wrap(err, "its rule cannot be applied")
	}
	seen := map[[2]int]bool{}
	for _, look := range c.Looks {
		for _, r := range look.Readings {
			if r.Cable < 0 || r.Cable >= len(c.Cables) || r.Group < 0 || seen[[2]int{r.Cable, r.Group}] {
				return fault.Input.New("a reading of cable %d, group %d that cannot be", r.Cable, r.Group)
			}
			seen[[2]int{r.Cable, r.Group}] = true
		}
	}
	return nil
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
	const hint = "open a new case for another question; its findings do not add up with this one's"
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

// Add records a look.
func (c *Case) Add(exhibits []Exhibit, observed []trace.Observation) {
	look := Look{Exhibits: exhibits, Readings: []Reading{}}
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
			if r.Group >= len(sizes[r.Cable]) || w.Check(sizes[r.Cable][r.Group]) != nil {
				return nil, nil, fault.Input.New("a reading of the case does not fit its cable")
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
