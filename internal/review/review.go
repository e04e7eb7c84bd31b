// Package review is an author's review of proposed wordings: sentence by
// sentence, with one key for most of them. It is a state machine without a
// terminal: keys go in, a screen of text comes out, and every key is an event
// that can be replayed, so that a review survives a crash and can be kept as
// data. It changes no draft; Result writes the draft with the sites that the
// author took.
package review

import (
	"cmp"
	"slices"

	"chancery/internal/wording"
)

// Quotables is how many sentences the author is asked to reword unless told
// otherwise.
const Quotables = 5

// leastSlots is how many places of a sentence must be the author's to reword
// for it to be worth asking: not those that are mostly names and quotations.
const leastSlots = 3

// A Unit is one sentence under review, or one point of house style.
type Unit struct {
	Sentence string
	// Start and End are the byte offsets of the sentence in the file.
	Start, End int
	// Asks says that the sentence is one of those the press would quote: the
	// author is asked for wordings of his own.
	Asks  bool
	Kinds []string
	Slots []wording.Slot
	// House says that this is one point of house style, at all its places.
	House     bool
	Proposals []wording.Proposal
}

// units puts the sentences of a draft in the order of review: the quotable
// ones first, then the others as they stand, house style last.
func units(o Offer) []Unit {
	type place struct{ paragraph, number int }
	at := map[place]int{}
	var asked, rest, house []Unit
	for _, q := range o.Quotables {
		at[place{q.Paragraph, q.Number}] = len(asked)
		asked = append(asked, Unit{Sentence: q.Text, Start: q.Start, End: q.End, Asks: true, Kinds: q.Kinds, Slots: q.Slots})
	}
	plain, style := map[place]int{}, map[string]int{}
	for _, p := range o.Proposals {
		k := place{p.Paragraph, p.Number}
		i, isAsked := at[k]
		switch {
		case p.House():
			house = appendTo(house, style, p.ID, p)
			house[style[p.ID]].House = true
		case isAsked:
			asked[i].Proposals = append(asked[i].Proposals, p)
		default:
			rest = appendTo(rest, plain, k, p)
		}
	}
	out := slices.Concat(asked, rest, house)
	for i := range out {
		slices.SortFunc(out[i].Proposals, func(a, b wording.Proposal) int { return cmp.Compare(a.Start, b.Start) })
	}
	return out
}

// appendTo adds a proposal to the unit of its key.
func appendTo[K comparable](units []Unit, at map[K]int, k K, p wording.Proposal) []Unit {
	i, ok := at[k]
	if !ok {
		i = len(units)
		at[k] = i
		units = append(units, Unit{Sentence: p.Sentence, Start: p.From, End: p.To})
	}
	units[i].Proposals = append(units[i].Proposals, p)
	return units
}
