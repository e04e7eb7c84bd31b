package wording

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chancery/internal/canonical"
)

// A Learned taste is what one author has done with proposals so far. It is
// kept on the author's machine and nowhere else, and holds ids of rules and
// numbers, never words of a draft.
type Learned struct {
	Rules map[string]Count `json:"rules"`
	// Standing lists the rules whose alternatives the author takes unseen.
	Standing []string `json:"standing"`
}

// A Count is how often alternatives of a rule were taken and struck.
type Count struct {
	Accepted int `json:"accepted"`
	Struck   int `json:"struck"`
}

const (
	// prior is the share of alternatives that an author nothing is known of is
	// taken to accept; strict readers let more stand (docs/wording.md).
	prior = 0.9
	// priorWeight is how many decisions of the author it counts for.
	priorWeight = 12
)

// Accept returns the expected share of a rule's alternatives that the author
// takes: (prior * 12 + accepted) / (12 + accepted + struck), the mean of a
// Beta distribution. A standing approval is 1.
func (l *Learned) Accept(id string) float64 {
	if l == nil {
		return prior
	}
	if l.Stands(id) {
		return 1
	}
	c := l.Rules[id]
	return (prior*priorWeight + float64(c.Accepted)) / float64(priorWeight+c.Accepted+c.Struck)
}

// Stands says whether the author takes a rule's alternatives unseen.
func (l *Learned) Stands(id string) bool { return l != nil && slices.Contains(l.Standing, id) }

// Count notes one decision on an alternative of a rule.
func (l *Learned) Count(id string, accepted bool) {
	if l.Rules == nil {
		l.Rules = map[string]Count{}
	}
	c := l.Rules[id]
	if accepted {
		c.Accepted++
	} else {
		c.Struck++
	}
	l.Rules[id] = c
}

// Approve makes a standing approval.
func (l *Learned) Approve(id string) {
	if !l.Stands(id) {
		l.Standing = append(l.Standing, id)
		slices.Sort(l.Standing)
	}
}

// maxCount bounds the counts of a rule that are read from a file.
const maxCount = 1 << 30

// ParseLearned reads what Encode wrote. It refuses anything else.
func ParseLearned(data []byte) (*Learned, error) {
	var l Learned
	if _, _, err := canonical.Decode(data, &l); err != nil {
		return nil, fmt.Errorf("not a record of decisions: %w", err)
	}
	for _, id := range slices.Sorted(maps.Keys(l.Rules)) {
		if c := l.Rules[id]; c.Accepted < 0 || c.Struck < 0 || c.Accepted > maxCount || c.Struck > maxCount || !validID(id) {
			return nil, fmt.Errorf("the counts of rule %q cannot be", id)
		}
	}
	for _, id := range l.Standing {
		if !validID(id) {
			return nil, fmt.Errorf("%q is not the id of a rule", id)
		}
	}
	return &l, nil
}

func validID(id string) bool {
	return id != "" && len(id) < 100 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}

// Encode writes the record for ParseLearned.
func (l *Learned) Encode() []byte {
	out := *l
	if out.Rules == nil {
		out.Rules = map[string]Count{}
	}
	if out.Standing == nil {
		out.Standing = []string{}
	}
	data, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		panic(err) // maps of strings and numbers
	}
	return append(data, '\n')
}
