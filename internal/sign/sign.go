// Package sign makes and checks signatures: of statements by persons, offices
// and desks, and of the custody log's checkpoints by the log and its witnesses.
//
// Everything is signed twice, with Ed25519 and with ML-DSA-44 (FIPS 204), and
// counts as signed only if both verify: statements must stand for decades, and
// the first may fall to a quantum computer, the second to an error found in a
// young scheme. What is signed is a signed note (C2SP signed-note), so it can be
// read and checked with other tools.
//
// The package holds the private keys that sign, as [chancery/internal/seal]
// holds those that open. It opens nothing, and anyone may import it. A [Key]
// prints as its public half; its secret text leaves the package only through
// [Key.Secret], on its way to a file.
package sign

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"filippo.io/mldsa"

	"chancery/internal/fault"
)

// How the texts of keys begin.
const (
	publicPrefix = "chancery-sign-1-"
	secretPrefix = "CHANCERY-SIGN-SECRET-1-"
)

const (
	seedSize     = ed25519.SeedSize + mldsa.PrivateKeySize
	publicSize   = ed25519.PublicKeySize + mldsa.MLDSA44PublicKeySize
	checksumSize = 4
	maxQuoted    = 24 // bytes of a bad key or id in a message
)

// An ID names a key: the SHA-256 of its two public halves. Nobody can make a
// second key with the same one.
type ID [sha256.Size]byte

// String is the ID in hexadecimal.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// ParseID reads what [ID.String] wrote.
func ParseID(text string) (ID, error) {
	var id ID
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(id) || text != strings.ToLower(text) {
		return id, fault.Input.New("%q is not the ID of a signing key", fault.Clip(text, maxQuoted)).WithHint("an ID is 64 hexadecimal characters")
	}
	return ID(raw), nil
}

// A Public key says whether a statement was signed. Values are not changed once
// made.
type Public struct {
	ed ed25519.PublicKey
	ml *mldsa.PublicKey
	id ID
}

// ID returns the name of the key.
func (p *Public) ID() ID { return p.id }

// String is the key as people exchange it, 1808 characters.
func (p *Public) String() string {
	return publicPrefix + base64.RawURLEncoding.EncodeToString(p.bytes())
}

func (p *Public) bytes() []byte { return append(bytes.Clone(p.ed), p.ml.Bytes()...) }

// ParsePublic reads what [Public.String] wrote.
func ParsePublic(text string) (*Public, error) {
	rest, ok := strings.CutPrefix(text, publicPrefix)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	if !ok || err != nil || len(raw) != publicSize {
		return nil, fault.Input.New("%q is not a public signing key", fault.Clip(text, maxQuoted)).WithHint("such a key begins with %s", publicPrefix)
	}
	return newPublic(raw[:ed25519.PublicKeySize], raw[ed25519.PublicKeySize:])
}

func newPublic(ed, ml []byte) (*Public, error) {
	key, err := mldsa.NewPublicKey(mldsa.MLDSA44(), ml)
	if err != nil {
		return nil, fault.Input.Wrap(err, "not a public signing key")
	}
	p := &Public{ed: bytes.Clone(ed), ml: key}
	p.id = sha256.Sum256(p.bytes())
	return p, nil
}

// MarshalText makes a public key a string in JSON.
func (p *Public) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *Public) UnmarshalText(text []byte) error {
	q, err := ParsePublic(string(text))
	if err == nil {
		*p = *q
	}
	return err
}

// A Key is a private key: who can sign.
type Key struct {
	ed     ed25519.PrivateKey
	ml     *mldsa.PrivateKey
	public *Public
	log    string // what it signs is for this log alone; empty for any
}

// In returns the key for statements that count in one log alone, or with "" in any.
// Statements name places and draws of a log; logged in another one they must not speak of
// its own.
func (k *Key) In(log string) *Key {
	bound := *k
	bound.log = log
	return &bound
}

// Generate makes a new key from the system's randomness.
func Generate() *Key {
	seed := make([]byte, seedSize)
	rand.Read(seed) // never fails: the program would end
	k, err := newKey(seed)
	if err != nil {
		panic(err) // every seed is a key
	}
	return k
}

func newKey(seed []byte) (*Key, error) {
	ml, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), seed[ed25519.SeedSize:])
	if err != nil {
		return nil, err
	}
	k := &Key{ed: ed25519.NewKeyFromSeed(seed[:ed25519.SeedSize]), ml: ml}
	k.public, err = newPublic(k.ed.Public().(ed25519.PublicKey), ml.PublicKey().Bytes())
	return k, err
}

// Public returns the public half.
func (k *Key) Public() *Public { return k.public }

// String names the key by its public half.
func (k *Key) String() string { return "signing key " + k.public.id.String()[:16] }

// GoString is String: %#v must not show the key either.
func (k *Key) GoString() string { return k.String() }

// Secret returns the key as a file of its owner keeps it. Whoever has this text
// signs in the owner's name.
func (k *Key) Secret() string {
	seed := append(bytes.Clone(k.ed.Seed()), k.ml.Bytes()...)
	return secretPrefix + base64.RawURLEncoding.EncodeToString(append(seed, k.public.id[:checksumSize]...))
}

// Derive returns a key for one purpose that only the owner of this key can
// compute: HKDF-SHA-256 over both seeds.
func (k *Key) Derive(purpose string) [32]byte {
	out, err := hkdf.Key(sha256.New, append(bytes.Clone(k.ed.Seed()), k.ml.Bytes()...), nil, "chancery derived v1 "+purpose, 32)
	if err != nil {
		panic(err) // only for lengths over 255 hashes
	}
	return [32]byte(out)
}

// ParseKey reads what [Key.Secret] wrote. A text with a typing error is refused
// (fault.Key); the error never quotes it.
func ParseKey(text string) (*Key, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), secretPrefix)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	if !ok || err != nil || len(raw) != seedSize+checksumSize {
		return nil, fault.Key.New("not a private signing key").WithHint("such a key is one line that begins with %s", secretPrefix)
	}
	k, err := newKey(raw[:seedSize])
	if err != nil {
		return nil, fault.Key.New("not a private signing key")
	}
	if !bytes.Equal(k.public.id[:checksumSize], raw[seedSize:]) {
		return nil, fault.Key.New("the private signing key was altered or mistyped").WithHint("use the file as it was written")
	}
	return k, nil
}
