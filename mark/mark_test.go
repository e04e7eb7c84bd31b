package mark

import (
	"bytes"
	"errors"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNewDraw(t *testing.T) {
	secret := bytes.Repeat([]byte{7}, 32)
	for _, slots := range []int{1, 2, MaxSlots} {
		d, err := NewDraw(bytes.NewReader(secret), slots)
		if err != nil || !bytes.Equal(d.Secret[:], secret) || d.Slots != slots {
			t.Errorf("%d slots: %v, %v", slots, d, err)
		}
	}
	for _, slots := range []int{-1, 0, MaxSlots + 1} {
		if _, err := NewDraw(bytes.NewReader(secret), slots); err == nil {
			t.Errorf("a draw of %d slots was made", slots)
		}
	}
	if _, err := NewDraw(bytes.NewReader(secret[:31]), 1); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("31 bytes of randomness: %v", err)
	}
}

// TestLastAccepted: the numbers accepted are exactly as many as the largest
// multiple of the size that 64 bits can count.
func TestLastAccepted(t *testing.T) {
	all := new(big.Int).Lsh(big.NewInt(1), 64)
	check := func(size int) {
		accepted := new(big.Int).SetUint64(lastAccepted(size))
		accepted.Add(accepted, big.NewInt(1))
		rest := new(big.Int).Sub(all, accepted)
		over := new(big.Int).Mod(accepted, big.NewInt(int64(size)))
		if over.Sign() != 0 || rest.Sign() < 0 || rest.Cmp(big.NewInt(int64(size))) >= 0 {
			t.Errorf("size %d: %v accepted, %v rejected", size, accepted, rest)
		}
	}
	for size := 1; size <= 1000; size++ {
		check(size)
	}
	rapid.Check(t, func(r *rapid.T) { check(rapid.IntRange(1, 1<<62).Draw(r, "size")) })
}

// TestRejection walks over the edge of what is accepted, which no key that
// anybody could find reaches.
func TestRejection(t *testing.T) {
	for size := 2; size <= 16; size++ {
		last := lastAccepted(size)
		numbers := []uint64{last}
		for v := last; v != ^uint64(0); {
			v++
			numbers = append([]uint64{v}, numbers...)
		}
		asked := 0
		got := uniform(size, func(attempt int) uint64 {
			if attempt != asked {
				t.Fatalf("size %d: attempt %d after %d", size, attempt, asked)
			}
			asked++
			return numbers[attempt]
		})
		if got != size-1 || asked != len(numbers) {
			t.Errorf("size %d: symbol %d after %d attempts, want %d after %d", size, got, asked, size-1, len(numbers))
		}
		if power := size&(size-1) == 0; power != (len(numbers) == 1) {
			t.Errorf("size %d: %d numbers rejected", size, len(numbers)-1)
		}
	}
}

// TestCodewordIsSymbols: a symbol depends on the key, the group and its size
// alone.
func TestCodewordIsSymbols(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := CopyKey(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		sizes := rapid.SliceOf(rapid.IntRange(1, 16)).Draw(t, "sizes")
		word := k.Codeword(sizes)
		for g, x := range word {
			if x < 0 || x >= sizes[g] || x != k.Symbol(g, sizes[g]) {
				t.Fatalf("group %d of size %d: symbol %d", g, sizes[g], x)
			}
		}
		n := rapid.IntRange(0, len(sizes)).Draw(t, "n")
		if !slices.Equal(k.Codeword(sizes[:n]), word[:n]) {
			t.Fatalf("the codeword of %d groups changes with more groups", n)
		}
	})
}

// TestKeysBind: everything a copy key is made from changes it, and no two
// ways of dividing the same bytes among the fields give one key.
func TestKeysBind(t *testing.T) {
	seen := map[Hash]string{}
	add := func(what string, h Hash) {
		if other, again := seen[h]; again {
			t.Errorf("%s and %s give one key", what, other)
		}
		seen[h] = what
	}
	d := Draw{Secret: Hash{1}, Slots: 4}
	for s := 1; s <= 4; s++ {
		add("slot", d.Slot(s))
		add("leaf", d.Leaf(s))
		add("salt", d.derive("salt", s))
	}
	add("copy", Hash(NewCopyKey(Hash{1}, Hash{2}, "cable", Hash{3}, "copy")))
	add("other slot", Hash(NewCopyKey(Hash{9}, Hash{2}, "cable", Hash{3}, "copy")))
	add("other nonce", Hash(NewCopyKey(Hash{1}, Hash{9}, "cable", Hash{3}, "copy")))
	add("other cable", Hash(NewCopyKey(Hash{1}, Hash{2}, "cable2", Hash{3}, "copy")))
	add("other root", Hash(NewCopyKey(Hash{1}, Hash{2}, "cable", Hash{9}, "copy")))
	add("other copy", Hash(NewCopyKey(Hash{1}, Hash{2}, "cable", Hash{3}, "copy2")))
	add("nonce for root", Hash(NewCopyKey(Hash{1}, Hash{3}, "cable", Hash{2}, "copy")))
	add("a, bc", Derive(Hash{1}, "x", []byte("a"), []byte("bc")))
	add("ab, c", Derive(Hash{1}, "x", []byte("ab"), []byte("c")))
	add("abc", Derive(Hash{1}, "x", []byte("abc")))
	add("abc, nothing", Derive(Hash{1}, "x", []byte("abc"), nil))
	add("commitment", Commit("a", Hash{}, []byte("b")))
	add("commitment, moved", Commit("ab", Hash{}, nil))
}

// TestRootProves checks the tree against a direct reading of RFC 6962: an
// audit path of every leaf leads to the root, with any other leaf it does not.
func TestRootProves(t *testing.T) {
	for n := 1; n <= 33; n++ {
		leaves := make([]Hash, n)
		for i := range leaves {
			leaves[i] = Commit("leaf", Hash{byte(i)}, nil)
		}
		root := Root(leaves)
		for i := range leaves {
			if climb(leaves[i], i, leaves) != root {
				t.Errorf("leaf %d of %d does not lead to the root", i, n)
			}
			if climb(Hash{}, i, leaves) == root {
				t.Errorf("another leaf %d of %d leads to the root", i, n)
			}
		}
	}
}

// climb computes the root of a tree in which leaf stands at index i.
func climb(leaf Hash, i int, leaves []Hash) Hash {
	if len(leaves) == 1 {
		return Root([]Hash{leaf})
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	if i < k {
		return node(climb(leaf, i, leaves[:k]), Root(leaves[k:]))
	}
	return node(Root(leaves[:k]), climb(leaf, i-k, leaves[k:]))
}

func TestErrorsNameTheLimit(t *testing.T) {
	_, err := NewDraw(nil, 0)
	if err == nil || !strings.Contains(err.Error(), "1 to 1048576 slots, not 0") {
		t.Errorf("error %v", err)
	}
}
