package entries

import (
	"slices"

	"chancery/internal/directory"
	"chancery/internal/fault"
	"chancery/internal/sign"
)

// A Handover says what passed from one holder of an office to the next: the root over
// the inventory. The two have seen it and sign; for one who is absent the successor lists
// what the office's archive holds, and custodians sign in their place that they are.
type Handover struct {
	Office    string `json:"office"`
	From      string `json:"from"` // person
	To        string `json:"to"`   // person
	N         int    `json:"n"`    // lines of the inventory
	Inventory Digest `json:"inventory"`
	Absent    bool   `json:"absent,omitempty"`
}

// StandIns is how many custodians sign in the place of one who is absent: two, if there
// are two.
func StandIns(in directory.Institution) int { return min(2, len(in.Custodians)) }

// OpenHandover verifies a handover that stands at an index of the log, and returns which
// custodians signed it: none, if who leaves did so.
func OpenHandover(d *directory.Directory, index int64, statement []byte) (Handover, []string, error) {
	var h Handover
	if err := sign.Peek(statement, KindHandover, &h); err != nil {
		return h, nil, err
	}
	_, signers, err := sign.Claims(statement)
	if err != nil {
		return h, nil, err
	}
	persons := []string{h.From, h.To}
	if h.Absent {
		persons = persons[1:]
	}
	if len(signers) < len(persons) {
		return h, nil, fault.Mismatch.New("a handover that not all signed whom it concerns")
	}
	var keys []*sign.Public
	for i, id := range persons {
		p, err := d.SignerAt(signers[i], index)
		if err != nil {
			return h, nil, err
		}
		if p.ID != id {
			return h, nil, fault.Mismatch.New("a handover of %q to %q that %q signed", h.From, h.To, p.ID)
		}
		keys = append(keys, p.Sign)
	}
	names, custodians := standIns(d.Institution(), signers[len(persons):])
	if err := sign.Open(statement, KindHandover, &h, append(keys, custodians...)...); err != nil {
		return h, nil, err
	}
	if want := StandIns(d.Institution()); h.Absent && len(names) < want {
		return h, names, fault.Mismatch.New("%d custodians signed for %q, who is absent, and %d are needed", len(names), h.From, want)
	}
	return h, names, nil
}

// standIns returns the custodians among signers, each once.
func standIns(in directory.Institution, signers []sign.ID) (names []string, keys []*sign.Public) {
	for _, c := range in.Custodians {
		if slices.Contains(signers, c.Sign.ID()) {
			names = append(names, c.Name)
		}
	}
	for _, id := range signers {
		i := slices.IndexFunc(in.Custodians, func(c directory.Party) bool { return c.Sign.ID() == id })
		if i >= 0 {
			keys = append(keys, in.Custodians[i].Sign)
		}
	}
	return names, keys
}

// A Recovery says that a custodian gave its share of an office's archive key to a
// holder, because nobody was left to hand it over.
type Recovery struct {
	Office string `json:"office"`
	Epoch  int    `json:"epoch"`
	Person string `json:"person"`
}
