package client

import (
	"slices"

	"chancery/internal/custody"
	"chancery/internal/fault"
	"chancery/internal/wire"
)

// everyone is the party of what lies open.
const everyone = ""

// begins verifies that a feed of what lies open has every entry with which the log is known
// to begin: the institution, and of a log that continues another one all that was signed
// and carried over. A registry that kept the first back could have another institution
// taken in its place, with keys of its own for everybody; one that kept a later one back
// would leave out what everybody compared with what they knew.
func (c *Client) begins(w Wish, tree custody.Checkpoint, in wire.Feed) error {
	next, all := w.From.Index, int64(len(c.Begins))
	if w.From.Part > 0 {
		next++ // an entry that lies open has one body
	}
	if next >= all || !slices.Contains(w.Parties, everyone) {
		return nil
	}
	for _, e := range in.Entries {
		if next == all {
			return nil
		}
		entry, err := custody.ParseEntry(e.Data)
		if err != nil || e.Index != next || e.Part != 0 || e.Party != everyone || entry.Commitment() != c.Begins[next] || tree.Includes(c.Begins[next], next, e.Proof) != nil {
			return begunOtherwise(next)
		}
		next++
	}
	if next < all && (!in.More || len(in.Entries) == 0) {
		return begunOtherwise(next)
	}
	return nil
}

func begunOtherwise(at int64) error {
	if at == 0 {
		return fault.Mismatch.New("the log does not begin with the institution that the invitation named").
			WithHint("this is not the registry that the invitation named, or it was replaced; do not go on")
	}
	return fault.Mismatch.New("the log does not begin with what was signed and carried over: entry %d is missing, or another one", at).
		WithHint("the operator left something out: keep this folder and the old one, and tell an overseer")
}
