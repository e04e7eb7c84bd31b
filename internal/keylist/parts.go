package keylist

import (
	"bytes"
	"encoding/binary"

	"chancery/internal/fault"
	"chancery/mark"
)

// A Part is the choice of one segment.
type Part struct {
	Segment int
	Choice
}

// Parts are the choices of some segments, in their order: what the reader of an
// extract gets.
type Parts []Part

const (
	partsMagic = "chancery-extract/v1\n"
	partSize   = 4 + choiceSize
)

// Parts cuts a list to segments, which ascend and are the list's (fault.Input).
func (l List) Parts(segments []int) (Parts, error) {
	var out Parts
	for i, j := range segments {
		if j < 0 || j >= len(l) || i > 0 && j <= segments[i-1] {
			return nil, fault.Input.New("an extract of segments that the cable does not have, or not in their order")
		}
		out = append(out, Part{j, l[j]})
	}
	if len(out) == 0 {
		return nil, fault.Input.New("an extract of nothing")
	}
	return out, nil
}

// Root returns the Merkle root over the choices, with the leaves of [List.Root].
func (p Parts) Root() mark.Hash {
	leaves := make([]mark.Hash, len(p))
	for i, c := range p {
		leaves[i] = mark.Commit("choice", mark.Hash(c.Key), append(integer(c.Segment), c.Box))
	}
	return mark.Root(leaves)
}

// Encode writes the parts.
func (p Parts) Encode() []byte {
	out := make([]byte, 0, len(partsMagic)+4+len(p)*partSize)
	out = append(out, partsMagic...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(p)))
	for _, c := range p {
		out = binary.BigEndian.AppendUint32(out, uint32(c.Segment))
		out = append(out, c.Box)
		out = append(out, c.Key[:]...)
	}
	return out
}

// IsParts says whether data claims to be what [Parts.Encode] wrote.
func IsParts(data []byte) bool { return bytes.HasPrefix(data, []byte(partsMagic)) }

// ParseParts reads what [Parts.Encode] wrote and nothing else (fault.Input).
func ParseParts(data []byte) (Parts, error) {
	bad := fault.Input.New("not the keys of an extract")
	body, ok := bytes.CutPrefix(data, []byte(partsMagic))
	if !ok || len(body) < 4 {
		return nil, bad
	}
	n := int(binary.BigEndian.Uint32(body))
	if body = body[4:]; n < 1 || n > MaxSegments || len(body) != n*partSize {
		return nil, bad
	}
	out := make(Parts, n)
	for i := range out {
		c := body[i*partSize:]
		j := int(binary.BigEndian.Uint32(c))
		if c[4] >= Boxes || j >= MaxSegments || i > 0 && j <= out[i-1].Segment {
			return nil, bad
		}
		out[i] = Part{j, Choice{c[4], Key(c[5:partSize])}}
	}
	return out, nil
}
