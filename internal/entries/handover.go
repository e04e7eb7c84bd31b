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
	Size      int64  `json:"size"` // of the log, by whose directory it was made
	Absent    bool   `json:"absent,omitempty"`
}

// check refuses what cannot be, at an index of the log.
func (h *Handover) check(d *directory.Directory, index int64) error {
	switch {
	case h.From == h.To:
		return fault.Mismatch.New("a handover of %q to themselves", h.From)
	case h.N < 0 || h.Size < 1 || h.Size > index:
		return fault.Input.New("a handover of %d cables by a directory of %d entries, at entry %d", h.N, h.Size, index)
	case !d.Sat(h.From, h.Office, index):
		return fault.Permission.New("a handover by %q, who never sat in %q", h.From, h.Office)
	case !d.Sat(h.To, h.Office, index):
		return fault.Permission.New("a handover to %q, who never sat in %q", h.To, h.Office)
	}
	return nil
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
	if err := h.check(d, index); err != nil {
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

// OpenStandIn verifies that one custodian signed for somebody who is absent, and returns
// who: each says so in the log by themselves, so that who is absent hears of it whatever
// the successor does.
func OpenStandIn(d *directory.Directory, index int64, statement []byte) (Handover, string, error) {
	var h Handover
	in := d.Institution()
	by, err := in.Custodian(statement, KindHandover, &h)
	if err == nil {
		err = h.check(d, index)
	}
	if err == nil && !h.Absent {
		err = fault.Mismatch.New("a custodian signed a handover in which nobody is absent")
	}
	if err != nil {
		return h, "", err
	}
	return h, in.Custodians[by-1].Name, nil
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
