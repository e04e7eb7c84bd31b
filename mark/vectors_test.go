package mark

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// node is written here a second time, so that the tree is not checked with
// itself.
func node(left, right Hash) Hash {
	return Hash(tlog.NodeHash(tlog.Hash(left), tlog.Hash(right)))
}

// raw is bytes written in hexadecimal digits.
type raw []byte

func (r *raw) UnmarshalText(text []byte) (err error) {
	*r, err = hex.DecodeString(string(text))
	return err
}

func hash(r raw) Hash { return Hash(r) }

// vectors are known answers, made once from docs/marking.md by a program that
// shares no code with this package. A class other than "ok" says how an entry
// is wrong: the answer given must not come out.
type vectors struct {
	Draws []struct {
		Secret, Root raw
		Slots        int
		Shown        []struct {
			Slot                   int
			Randomness, Salt, Leaf raw
		}
	}
	Copies []struct {
		Slot, Nonce, DraftRoot, Key raw
		Cable, Copy                 string
		Sizes, Symbols              []int
	}
	Symbols []struct {
		Key                 raw
		Group, Size, Symbol int
	}
	Commitments []struct {
		Class, Tag              string
		Salt, Value, Commitment raw
	}
	Roots []struct {
		Class  string
		Leaves []raw
		Root   raw
	}
	Derived []struct {
		Secret, Key raw
		Purpose     string
		Fields      []raw
	}
	Refused []struct {
		Class string
		Slots int
	}
}

func readVectors(t *testing.T) vectors {
	data, err := os.ReadFile("../testdata/vectors/mark.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	if len(v.Draws) == 0 || len(v.Copies) == 0 || len(v.Symbols) == 0 || len(v.Commitments) == 0 || len(v.Roots) == 0 ||
		len(v.Derived) == 0 || len(v.Refused) == 0 {
		t.Fatal("a kind of vector is missing")
	}
	return v
}

func TestVectorsOfDraws(t *testing.T) {
	v := readVectors(t)
	for i, x := range v.Draws {
		d := Draw{Secret: hash(x.Secret), Slots: x.Slots}
		if d.Root() != hash(x.Root) {
			t.Errorf("draw %d: root %x", i, d.Root())
		}
		for _, s := range x.Shown {
			if d.Slot(s.Slot) != hash(s.Randomness) || d.derive("salt", s.Slot) != hash(s.Salt) || d.Leaf(s.Slot) != hash(s.Leaf) {
				t.Errorf("draw %d, slot %d: randomness %x, leaf %x", i, s.Slot, d.Slot(s.Slot), d.Leaf(s.Slot))
			}
			if d.Leaf(s.Slot) != Commit("slot", hash(s.Salt), s.Randomness) {
				t.Errorf("draw %d, slot %d: the leaf is no commitment to the slot", i, s.Slot)
			}
		}
	}
	for _, x := range v.Refused {
		if _, err := NewDraw(bytes.NewReader(make([]byte, 32)), x.Slots); err == nil {
			t.Errorf("%s: a draw of %d slots was made", x.Class, x.Slots)
		}
	}
}

func TestVectorsOfCopies(t *testing.T) {
	v := readVectors(t)
	for i, x := range v.Copies {
		k := NewCopyKey(hash(x.Slot), hash(x.Nonce), x.Cable, hash(x.DraftRoot), x.Copy)
		if Hash(k) != hash(x.Key) {
			t.Errorf("copy %d: key %x", i, k)
		}
		if got := k.Codeword(x.Sizes); !slices.Equal(got, x.Symbols) {
			t.Errorf("copy %d: symbols\n%v, want\n%v", i, got, x.Symbols)
		}
	}
	for _, x := range v.Symbols {
		if got := CopyKey(hash(x.Key)).Symbol(x.Group, x.Size); got != x.Symbol {
			t.Errorf("group %d of size %d: symbol %d, want %d", x.Group, x.Size, got, x.Symbol)
		}
	}
	for i, x := range v.Derived {
		fields := make([][]byte, len(x.Fields))
		for j, f := range x.Fields {
			fields[j] = f
		}
		if got := Derive(hash(x.Secret), x.Purpose, fields...); got != hash(x.Key) {
			t.Errorf("derived key %d: %x", i, got)
		}
	}
}

func TestVectorsOfCommitments(t *testing.T) {
	v := readVectors(t)
	for i, x := range v.Commitments {
		got := Commit(x.Tag, hash(x.Salt), x.Value)
		if ok := got == hash(x.Commitment); ok != (x.Class == "ok") {
			t.Errorf("commitment %d, %s: %x", i, x.Class, got)
		}
	}
	for i, x := range v.Roots {
		leaves := make([]Hash, len(x.Leaves))
		for j, l := range x.Leaves {
			leaves[j] = hash(l)
		}
		got := Root(leaves)
		if ok := got == hash(x.Root); ok != (x.Class == "ok") {
			t.Errorf("root %d, %s: %x", i, x.Class, got)
		}
	}
}
