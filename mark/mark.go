// Package mark draws codewords and commits to them. It works on integers: a
// group has a size, a copy has a symbol in each group. It never sees text.
//
// The fairness proof rests on one property kept here: the symbols of a copy
// are a keyed pseudo-random function of the copy's own randomness and the
// group, uniform over the group's alternatives, independent across copies and
// groups. Nothing conditions, balances, repairs or re-draws them.
//
// docs/marking.md specifies every derivation; testdata/vectors/mark.json holds
// known answers.
package mark

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"fmt"
	"io"
	"math"

	"golang.org/x/mod/sumdb/tlog"
)

// A Hash is a SHA-256 digest or a 32-byte key.
type Hash [32]byte

// MaxSlots is the largest number of slots of a draw.
const MaxSlots = 1 << 20

// A Draw is randomness committed to before any copy exists: a secret rho
// from which slot s, the s-th copy made under the draw, takes its own.
type Draw struct {
	Secret Hash
	Slots  int // slots are numbered 1 to Slots
}

// NewDraw reads a fresh secret.
func NewDraw(random io.Reader, slots int) (Draw, error) {
	if slots < 1 || slots > MaxSlots {
		return Draw{}, fmt.Errorf("mark: a draw has 1 to %d slots, not %d", MaxSlots, slots)
	}
	d := Draw{Slots: slots}
	_, err := io.ReadFull(random, d.Secret[:])
	return d, err
}

// Slot returns the randomness of slot s: R_s = HKDF(rho, "slot" || s). It
// panics when the draw has no such slot.
func (d Draw) Slot(s int) Hash {
	if s < 1 || s > d.Slots {
		panic(fmt.Sprintf("mark: slot %d of a draw with slots 1 to %d", s, d.Slots))
	}
	return d.derive("slot", s)
}

// Leaf returns the commitment to slot s: c(R_s) under tag "slot" and the salt
// HKDF(rho, "salt" || s).
func (d Draw) Leaf(s int) Hash {
	r := d.Slot(s)
	return Commit("slot", d.derive("salt", s), r[:])
}

// Root returns the Merkle root over the leaves of all slots in order.
func (d Draw) Root() Hash {
	leaves := make([]Hash, d.Slots)
	for s := range leaves {
		leaves[s] = d.Leaf(s + 1)
	}
	return Root(leaves)
}

func (d Draw) derive(what string, s int) Hash {
	return derive(d.Secret, "chancery draw v1", []byte(what), integer(s))
}

// A CopyKey fixes the codeword of one copy.
type CopyKey Hash

// NewCopyKey binds a slot to one cable and one copy:
// K = HKDF(R, nonce || cable || draft root || copy id), every field preceded
// by its length. The nonce is chosen after the draw was committed to, so that
// neither side alone fixes K.
func NewCopyKey(slot, nonce Hash, cable string, draftRoot Hash, copyID string) CopyKey {
	return CopyKey(derive(slot, "chancery copy v1", nonce[:], []byte(cable), draftRoot[:], []byte(copyID)))
}

// Symbol returns the copy's symbol in a group, uniform on 0..size-1. The
// first eight bytes of HMAC-SHA-256(K, "symbol" || group || attempt) are read
// as a big-endian number; numbers at or above the largest multiple of size
// are rejected and the next attempt is made.
func (k CopyKey) Symbol(group, size int) int { return symbol(hmac.New(sha256.New, k[:]), group, size) }

// A hasher is a keyed hash that is used again and again.
type hasher interface {
	io.Writer
	Reset()
	Sum([]byte) []byte
}

func symbol(mac hasher, group, size int) int {
	var sum [sha256.Size]byte
	return uniform(size, func(attempt int) uint64 {
		mac.Reset()
		mac.Write([]byte("symbol"))
		mac.Write(integer(group))
		mac.Write(integer(attempt))
		return binary.BigEndian.Uint64(mac.Sum(sum[:0]))
	})
}

// uniform turns uniform 64-bit numbers into a uniform one on 0..size-1.
func uniform(size int, number func(attempt int) uint64) int {
	for attempt := 0; ; attempt++ {
		if v := number(attempt); v <= lastAccepted(size) {
			return int(v % uint64(size))
		}
	}
}

// lastAccepted returns the largest multiple of size up to 2^64, less one.
func lastAccepted(size int) uint64 {
	return math.MaxUint64 - (math.MaxUint64%uint64(size)+1)%uint64(size)
}

// Codeword returns the copy's symbols for groups of the given sizes.
func (k CopyKey) Codeword(sizes []int) []int {
	word := make([]int, len(sizes))
	mac := hmac.New(sha256.New, k[:])
	for g, size := range sizes {
		word[g] = symbol(mac, g, size)
	}
	return word
}

// Commit returns the salted commitment c(x) = SHA-256(tag || salt || x), the
// tag preceded by its length.
func Commit(tag string, salt Hash, x []byte) Hash {
	h := sha256.New()
	h.Write(prefixed([]byte("chancery " + tag + " v1")))
	h.Write(salt[:])
	h.Write(x)
	return Hash(h.Sum(nil))
}

// Root returns the RFC 6962 Merkle tree hash over leaves that are
// themselves commitments; of no leaves, the hash of the empty string.
func Root(leaves []Hash) Hash { return NewTree(leaves).Root() }

// A Tree is the tree of Root with all its nodes: one path after another costs log n.
type Tree [][]Hash // from the leaves up; an odd last node stands in the next level too

// NewTree computes the tree over leaves.
func NewTree(leaves []Hash) Tree {
	level := make([]Hash, len(leaves))
	for i, l := range leaves {
		level[i] = Hash(tlog.RecordHash(l[:]))
	}
	t := Tree{level}
	for len(level) > 1 {
		next := make([]Hash, 0, (len(level)+1)/2)
		for i := 0; i+1 < len(level); i += 2 {
			next = append(next, Hash(tlog.NodeHash(tlog.Hash(level[i]), tlog.Hash(level[i+1]))))
		}
		if len(level)%2 == 1 {
			next = append(next, level[len(level)-1])
		}
		t, level = append(t, next), next
	}
	return t
}

// Root is that of the leaves.
func (t Tree) Root() Hash {
	if len(t[0]) == 0 {
		return sha256.Sum256(nil)
	}
	return t[len(t)-1][0]
}

// Path returns the audit path of leaf i, from 0 (RFC 6962, 2.1.1), the leaf's sibling
// first. It panics if there is no such leaf.
func (t Tree) Path(i int) []Hash {
	_ = t[0][i]
	var out []Hash
	for _, level := range t[:len(t)-1] {
		if i^1 < len(level) {
			out = append(out, level[i^1])
		}
		i /= 2
	}
	return out
}

// VerifyPath says whether a path leads from leaf i of n to a root.
func VerifyPath(root Hash, n, i int, leaf Hash, path []Hash) bool {
	if i < 0 || i >= n {
		return false
	}
	proof := make(tlog.RecordProof, len(path))
	for k, h := range path {
		proof[k] = tlog.Hash(h)
	}
	return tlog.CheckRecord(proof, int64(n), tlog.Hash(root), int64(i), tlog.RecordHash(leaf[:])) == nil
}

// Derive returns a 32-byte key from a secret, for a stated purpose.
func Derive(secret Hash, purpose string, fields ...[]byte) Hash {
	return derive(secret, "chancery "+purpose+" v1", fields...)
}

func derive(secret Hash, purpose string, fields ...[]byte) Hash {
	info := prefixed([]byte(purpose))
	for _, f := range fields {
		info = append(info, prefixed(f)...)
	}
	key, err := hkdf.Key(sha256.New, secret[:], nil, string(info), len(Hash{}))
	if err != nil {
		panic(err) // only for lengths over 255 hashes
	}
	return Hash(key)
}

func integer(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func prefixed(b []byte) []byte { return append(integer(len(b)), b...) }
