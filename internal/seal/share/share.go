// Package share splits a secret among custodians, so that any k of n restore it
// and fewer learn nothing (Shamir), and so that each can check its share when it
// gets it and not when it is needed (Feldman). The group is Ristretto255.
//
// A secret is a random scalar; what it protects is a key derived from it. The
// vector by which shares are checked is a set of points: who finds discrete
// logarithms, as a quantum computer will, finds the secret in it. So it goes
// sealed to the custodians, and the log holds its digest alone.
package share

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/secretsharing"

	"chancery/internal/fault"
	"chancery/mark"
)

// MaxCustodians is the most shares of a secret.
const MaxCustodians = 100

const scalarSize = 32

var curve = group.Ristretto255

// A Secret is what is shared. Printed it shows nothing.
type Secret struct{ scalar group.Scalar }

// String hides the secret.
func (Secret) String() string { return "shared secret" }

// GoString hides the secret.
func (Secret) GoString() string { return "shared secret" }

// Generate makes a secret from the system's randomness.
func Generate() Secret { return Secret{curve.RandomNonZeroScalar(rand.Reader)} }

// Key derives a key for one purpose: Derive(scalar, "shared", purpose).
func (s Secret) Key(purpose string) [32]byte {
	return mark.Derive(mark.Hash(encode(s.scalar)), "shared", []byte(purpose))
}

func encode(s group.Scalar) []byte {
	data, err := s.MarshalBinary()
	if err != nil || len(data) != scalarSize {
		panic("a scalar that has no bytes") // 32 by its type
	}
	return data
}

// A Share is one custodian's. Number counts from 1.
type Share struct {
	Number int
	value  group.Scalar
}

// A Vector checks shares: the commitments to the polynomial's coefficients.
type Vector struct{ points []group.Element }

// Threshold is how many shares restore the secret: k.
func (v *Vector) Threshold() int { return len(v.points) }

// Split shares a secret among n custodians of whom k restore it; 2 <= k <= n <=
// MaxCustodians.
func Split(s Secret, k, n int) ([]Share, *Vector, error) {
	if k < 2 || k > n || n > MaxCustodians {
		return nil, nil, fault.Usage.New("%d of %d custodians: two or more must agree, of at most %d", k, n, MaxCustodians)
	}
	for {
		dealt := secretsharing.New(rand.Reader, uint(k-1), s.scalar)
		v := &Vector{dealt.CommitSecret()}
		if !v.whole() {
			continue // a coefficient of zero: once in 2^252
		}
		shares := make([]Share, n)
		for i, one := range dealt.Share(uint(n)) {
			shares[i] = Share{i + 1, one.Value}
		}
		return shares, v, nil
	}
}

// whole says whether no point is the identity: else fewer than k would do.
func (v *Vector) whole() bool {
	for _, p := range v.points {
		if p.IsIdentity() {
			return false
		}
	}
	return true
}

// Verify checks that a share is the one with that number, of a secret that k of
// them restore (fault.Mismatch). A custodian does it when the share arrives, and
// says so in the log before the secret is used. One who checked the vector alone
// could be given another's share, or a threshold that nobody agreed to.
func (s Share) Verify(v *Vector, number, k int) error {
	if s.Number != number || v.Threshold() != k {
		return fault.Mismatch.New("the share %d of a secret that %d restore, where number %d of %d is expected", s.Number, v.Threshold(), number, k)
	}
	return s.verify(v)
}

func (s Share) verify(v *Vector) error {
	if !v.whole() || !secretsharing.Verify(uint(v.Threshold()-1), s.point(), v.points) {
		return fault.Mismatch.New("the share of custodian %d is not one of the shared secret", s.Number).
			WithHint("whoever dealt it failed, or lied; do not acknowledge it")
	}
	return nil
}

func (s Share) point() secretsharing.Share {
	return secretsharing.Share{ID: curve.NewScalar().SetUint64(uint64(s.Number)), Value: s.value}
}

// Recover restores the secret from shares, each checked first. It needs as many
// different ones as the vector's threshold (fault.Permission), and names a
// custodian whose share is wrong (fault.Mismatch).
func Recover(shares []Share, v *Vector) (Secret, error) {
	seen := map[int]bool{}
	var good []secretsharing.Share
	for _, s := range shares {
		if err := s.verify(v); err != nil {
			return Secret{}, err
		}
		if !seen[s.Number] {
			seen[s.Number] = true
			good = append(good, s.point())
		}
	}
	if len(good) < v.Threshold() {
		return Secret{}, fault.Permission.New("%d custodians agreed, and %d must", len(good), v.Threshold())
	}
	scalar, err := secretsharing.Recover(uint(v.Threshold()-1), good)
	if err != nil {
		return Secret{}, fault.Internal.Wrap(err, "restore a shared secret")
	}
	if !curve.NewElement().MulGen(scalar).IsEqual(v.points[0]) {
		return Secret{}, fault.Mismatch.New("the shares restore another secret")
	}
	return Secret{scalar}, nil
}

// Formats.
const (
	shareMagic  = "chancery-share/v1\n"
	vectorMagic = "chancery-share-vector/v1\n"
)

// Encode writes a share, to be sealed to its custodian.
func (s Share) Encode() []byte {
	out := binary.BigEndian.AppendUint32([]byte(shareMagic), uint32(s.Number))
	return append(out, encode(s.value)...)
}

// ParseShare reads what [Share.Encode] wrote and nothing else (fault.Input).
func ParseShare(data []byte) (Share, error) {
	bad := fault.Input.New("not a custodian's share")
	body, ok := bytes.CutPrefix(data, []byte(shareMagic))
	if !ok || len(body) != 4+scalarSize {
		return Share{}, bad
	}
	s := Share{int(binary.BigEndian.Uint32(body)), curve.NewScalar()}
	if s.Number < 1 || s.Number > MaxCustodians || s.value.UnmarshalBinary(body[4:]) != nil {
		return Share{}, bad
	}
	return s, nil
}

// Encode writes the vector, to be sealed to all custodians.
func (v *Vector) Encode() []byte {
	out := binary.BigEndian.AppendUint32([]byte(vectorMagic), uint32(len(v.points)))
	for _, p := range v.points {
		data, err := p.MarshalBinaryCompress()
		if err != nil {
			panic(err) // an element has bytes
		}
		out = append(out, data...)
	}
	return out
}

// ParseVector reads what [Vector.Encode] wrote and nothing else (fault.Input).
func ParseVector(data []byte) (*Vector, error) {
	bad := fault.Input.New("not the vector of shares")
	body, ok := bytes.CutPrefix(data, []byte(vectorMagic))
	size := int(curve.Params().CompressedElementLength)
	if !ok || len(body) < 4 {
		return nil, bad
	}
	n := int(binary.BigEndian.Uint32(body))
	if body = body[4:]; n < 2 || n > MaxCustodians || len(body) != n*size {
		return nil, bad
	}
	v := &Vector{}
	for ; len(body) > 0; body = body[size:] {
		p := curve.NewElement()
		if p.UnmarshalBinary(body[:size]) != nil {
			return nil, bad
		}
		v.points = append(v.points, p)
	}
	if !v.whole() || !bytes.Equal(v.Encode(), data) {
		return nil, bad
	}
	return v, nil
}

// Digest is what the log holds of a vector.
func (v *Vector) Digest() [sha256.Size]byte { return sha256.Sum256(v.Encode()) }
