// Package keylist is what passes from the author's desk to the marking desk, and
// from the marking desk to a reader: keys of boxes, and never a word of text.
//
// A cable is cut into segments. Every wording of a segment lies in a box of its
// own, under its own key, among [Boxes] boxes of which the rest are dummies. The
// boxes travel in the kit ([chancery/internal/seal/kit]), which the marking desk
// cannot open. The keys derive from one secret, which travels in the envelope,
// which readers do not get. A reader gets a [List]: for each segment one box and
// its key.
//
// docs/kit.md specifies the formats.
package keylist

import (
	"bytes"
	"encoding/binary"

	"chancery/internal/fault"
	"chancery/mark"
)

const (
	// Boxes is how many boxes every segment has, dummies included, so that a
	// reader does not learn where the wordings differ.
	Boxes = 16
	// MaxSegments is the most segments of a cable.
	MaxSegments = 1 << 16
	// maxGroups is the most groups of a segment: each has two wordings or more,
	// and their product is at most Boxes.
	maxGroups = 4
)

// A Key opens one box.
type Key [32]byte

// BoxKey returns the key of a box: Derive(t, "box", I(segment), I(box)), both
// from 0.
func BoxKey(secret mark.Hash, segment, box int) Key {
	return Key(mark.Derive(secret, "box", integer(segment), integer(box)))
}

func integer(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// A Group is a choice that a copy makes: its number in the cable, from 0, and of
// how many.
type Group struct{ Number, Size int }

// A Segment says which choices decide a segment, and where its wordings lie. The
// k-th wording is that of the mixed-radix number k of the groups' symbols, the
// first group least significant; Order[k] is its box, for k below Width. The
// remaining boxes of Order are dummies.
type Segment struct {
	Groups []Group
	Order  [Boxes]byte
}

// Width is how many wordings the segment has: the product of its groups' sizes.
func (s Segment) Width() int {
	w := 1
	for _, g := range s.Groups {
		w *= g.Size
	}
	return w
}

// An Envelope is all that the marking desk learns of a cable.
type Envelope struct {
	Secret   mark.Hash // t, from which the keys of all boxes derive
	Root     mark.Hash // F, of the draft
	Segments []Segment
}

// Formats, with their versions.
const (
	envelopeMagic = "chancery-envelope/v1\n"
	listMagic     = "chancery-keylist/v1\n"
)

const (
	groupSize   = 8 + 1
	segmentSize = 1 + maxGroups*groupSize + Boxes
	choiceSize  = 1 + 32
)

// Encode writes the envelope. Its length depends on the number of segments alone.
func (e *Envelope) Encode() []byte {
	out := append([]byte(envelopeMagic), e.Secret[:]...)
	out = append(out, e.Root[:]...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(e.Segments)))
	for _, s := range e.Segments {
		out = append(out, byte(len(s.Groups)))
		for i := range maxGroups {
			var g Group
			if i < len(s.Groups) {
				g = s.Groups[i]
			}
			out = binary.BigEndian.AppendUint64(out, uint64(g.Number))
			out = append(out, byte(g.Size))
		}
		out = append(out, s.Order[:]...)
	}
	return out
}

// ParseEnvelope reads what [Envelope.Encode] wrote and nothing else (fault.Input).
func ParseEnvelope(data []byte) (*Envelope, error) {
	bad := fault.Input.New("not the envelope of a cable for a marking desk")
	body, ok := bytes.CutPrefix(data, []byte(envelopeMagic))
	if !ok || len(body) < 68 {
		return nil, bad
	}
	e := &Envelope{Secret: mark.Hash(body[:32]), Root: mark.Hash(body[32:64])}
	n := int(binary.BigEndian.Uint32(body[64:]))
	if body = body[68:]; n < 1 || n > MaxSegments || len(body) != n*segmentSize {
		return nil, bad
	}
	for ; len(body) > 0; body = body[segmentSize:] {
		s, ok := parseSegment(body[:segmentSize])
		if !ok {
			return nil, bad
		}
		e.Segments = append(e.Segments, s)
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	if !bytes.Equal(e.Encode(), data) {
		return nil, bad
	}
	return e, nil
}

func parseSegment(data []byte) (Segment, bool) {
	var s Segment
	n := int(data[0])
	if n > maxGroups {
		return s, false
	}
	for i := range n {
		g := data[1+i*groupSize:]
		number := binary.BigEndian.Uint64(g)
		if number > MaxSegments*maxGroups {
			return s, false
		}
		s.Groups = append(s.Groups, Group{int(number), int(g[8])})
	}
	copy(s.Order[:], data[1+maxGroups*groupSize:])
	return s, true
}

// check refuses an envelope that no cable has.
func (e *Envelope) check() error {
	sizes := map[int]int{}
	for j, s := range e.Segments {
		if err := s.check(); err != nil {
			return fault.Input.Wrap(err, "segment %d", j)
		}
		for _, g := range s.Groups {
			size, seen := sizes[g.Number]
			if !seen && g.Number != len(sizes) || seen && size != g.Size {
				return fault.Input.New("segment %d: group %d is out of order, or of another size than before", j, g.Number)
			}
			sizes[g.Number] = g.Size
		}
	}
	return nil
}

func (s Segment) check() error {
	if len(s.Groups) > maxGroups {
		return fault.Input.New("%d groups: at most %d", len(s.Groups), maxGroups)
	}
	for i, g := range s.Groups {
		if g.Size < 2 || g.Size > Boxes {
			return fault.Input.New("a group of %d wordings", g.Size)
		}
		for _, before := range s.Groups[:i] {
			if before.Number == g.Number {
				return fault.Input.New("group %d stands twice", g.Number)
			}
		}
	}
	if s.Width() > Boxes {
		return fault.Input.New("%d wordings: at most %d", s.Width(), Boxes)
	}
	var seen [Boxes]bool
	for _, b := range s.Order {
		if b >= Boxes || seen[b] {
			return fault.Input.New("its boxes are not in an order")
		}
		seen[b] = true
	}
	return nil
}

// Sizes returns the size of each group of the cable, by number.
func (e *Envelope) Sizes() []int {
	var out []int
	for _, s := range e.Segments {
		for _, g := range s.Groups {
			if g.Number == len(out) {
				out = append(out, g.Size)
			}
		}
	}
	return out
}

// A Deck holds the keys of all real boxes of a cable, so that many lists can be
// dealt. It is read by any number of goroutines.
type Deck struct {
	segments []Segment
	keys     [][]Key // by segment and wording
}

// Deck derives the keys.
func (e *Envelope) Deck() *Deck {
	d := &Deck{segments: e.Segments}
	for j, s := range e.Segments {
		keys := make([]Key, s.Width())
		for k := range keys {
			keys[k] = BoxKey(e.Secret, j, int(s.Order[k]))
		}
		d.keys = append(d.keys, keys)
	}
	return d
}

// Deal returns the list of the copy with a codeword: its symbol in each group,
// by number.
func (d *Deck) Deal(codeword []int) List {
	list := make(List, len(d.segments))
	for j, s := range d.segments {
		k, radix := 0, 1
		for _, g := range s.Groups {
			k += codeword[g.Number] * radix
			radix *= g.Size
		}
		list[j] = Choice{s.Order[k], d.keys[j][k]}
	}
	return list
}

// A List is what one reader gets: for each segment a box and its key.
type List []Choice

// A Choice is one box with its key.
type Choice struct {
	Box byte
	Key Key
}

// Root returns the Merkle root over the choices, the leaf of segment j being
// C("choice", key, I(j) || box): with the key itself as salt nobody can try the
// sixteen boxes.
func (l List) Root() mark.Hash {
	leaves := make([]mark.Hash, len(l))
	for j, c := range l {
		leaves[j] = mark.Commit("choice", mark.Hash(c.Key), append(integer(j), c.Box))
	}
	return mark.Root(leaves)
}

// Encode writes the list. Its length depends on the number of segments alone.
func (l List) Encode() []byte {
	out := make([]byte, 0, len(listMagic)+4+len(l)*choiceSize)
	out = append(out, listMagic...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(l)))
	for _, c := range l {
		out = append(out, c.Box)
		out = append(out, c.Key[:]...)
	}
	return out
}

// ParseList reads what [List.Encode] wrote and nothing else (fault.Input).
func ParseList(data []byte) (List, error) {
	bad := fault.Input.New("not a list of keys")
	body, ok := bytes.CutPrefix(data, []byte(listMagic))
	if !ok || len(body) < 4 {
		return nil, bad
	}
	n := int(binary.BigEndian.Uint32(body))
	if body = body[4:]; n < 1 || n > MaxSegments || len(body) != n*choiceSize {
		return nil, bad
	}
	list := make(List, n)
	for j := range list {
		c := body[j*choiceSize:]
		if c[0] >= Boxes {
			return nil, bad
		}
		list[j] = Choice{c[0], Key(c[1:choiceSize])}
	}
	return list, nil
}
