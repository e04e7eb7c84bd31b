package client

import (
	"bytes"
	"slices"

	"chancery/internal/custody"
	"chancery/internal/fault"
	"chancery/internal/wire"
)

// everyone is the party of what lies open.
const everyone = ""

// begins verifies that a feed from the beginning of the log begins with the
// institution that was known beforehand. A registry that kept it back could have
// another one taken in its place, with keys of its own for everybody.
func (c *Client) begins(w Wish, tree custody.Checkpoint, entries []wire.Entry) error {
	if c.First == nil || w.From != (custody.Place{}) || len(entries) == 0 || !slices.Contains(w.Parties, everyone) {
		return nil
	}
	other := fault.Mismatch.New("the log does not begin with the institution that the invitation named").
		WithHint("this is not the registry that the invitation named, or it was replaced; do not go on")
	first := entries[0]
	if first.Index != 0 || first.Party != everyone || !bytes.Equal(first.Data, c.First) {
		return other
	}
	e, err := custody.ParseEntry(c.First)
	if err != nil {
		return err
	}
	if tree.Includes(e.Commitment(), 0, first.Proof) != nil {
		return other
	}
	return nil
}

// carriedOver verifies that a feed of what lies open has every entry with which a log
// begins that continues another. Somebody signed them, and everybody compared them with
// what they knew; an operator must not begin with less.
func (c *Client) carriedOver(w Wish, tree custody.Checkpoint, in wire.Feed) error {
	const size = len(custody.Commitment{})
	next, all := w.From.Index, int64(len(c.Begins)/size)
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
		if e.Index != next || e.Part != 0 || e.Party != everyone || tree.Includes(custody.Commitment(c.Begins[next*int64(size):][:size]), e.Index, e.Proof) != nil {
			return c.begunOtherwise(next)
		}
		next++
	}
	if next < all && (!in.More || len(in.Entries) == 0) {
		return c.begunOtherwise(next)
	}
	return nil
}

func (c *Client) begunOtherwise(at int64) error {
	return fault.Mismatch.New("the log does not begin with what was signed and carried over: entry %d is missing, or another one", at).
		WithHint("the operator left something out: keep this folder and the old one, and tell an overseer")
}
