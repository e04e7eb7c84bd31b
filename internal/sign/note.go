package sign

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"

	"filippo.io/mldsa"
	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"chancery/internal/fault"
)

// Types of keys in signed notes (C2SP signed-note).
const (
	typeEd25519     = 0x01
	typeCosignature = 0x04
	typeMLDSA       = 0x06
)

// A NoteKey is the private key of a log or of a witness, an Ed25519 and an
// ML-DSA-44 key under one name. A log signs checkpoints with it, a witness
// cosigns them (C2SP tlog-checkpoint, tlog-cosignature); one key is for one of
// the two.
type NoteKey struct {
	name     string
	ed, ml   string // as signed notes spell private keys
	log      note.Signer
	cosigner note.Signer
	mldsa    note.Signer // for both: over checkpoints there is one kind
	edPublic ed25519.PublicKey
	mlPublic []byte
}

// GenerateNoteKey makes a key. The name should be a URL without its scheme, such
// as "registry.example/log"; spaces and + are refused.
func GenerateNoteKey(name string) (*NoteKey, error) {
	bad := fault.Usage.New("%q cannot name a log or a witness", name).WithHint("take a name such as registry.example/log, without spaces and +")
	ed, _, err := note.GenerateKey(rand.Reader, name)
	if err != nil || len(name) > 255 {
		return nil, bad
	}
	ml, _, err := formats.GenerateMLDSAKey(name)
	if err != nil {
		return nil, bad
	}
	return ParseNoteKey(ed + "\n" + ml + "\n")
}

// ParseNoteKey reads what [NoteKey.Secret] wrote. The error never quotes it.
func ParseNoteKey(text string) (*NoteKey, error) {
	bad := fault.Key.New("not the private key of a log or witness").WithHint("the file has two lines that begin with PRIVATE+KEY+")
	ed, rest, _ := strings.Cut(text, "\n")
	ml, rest, ok := strings.Cut(rest, "\n")
	if !ok || rest != "" {
		return nil, bad
	}
	k := &NoteKey{ed: ed, ml: ml}
	var err, err2, err3 error
	k.log, err = note.NewSigner(ed)
	k.cosigner, err2 = formats.NewSignerForCosignatureV1(ed)
	k.mldsa, err3 = formats.NewMLDSASigner(ml)
	if err != nil || err2 != nil || err3 != nil || k.log.Name() != k.mldsa.Name() {
		return nil, bad
	}
	k.name = k.log.Name()
	return k, k.derive()
}

// derive computes the public halves.
func (k *NoteKey) derive() error {
	k.edPublic = ed25519.NewKeyFromSeed(seedOf(k.ed)).Public().(ed25519.PublicKey)
	ml, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), seedOf(k.ml))
	if err != nil {
		return fault.Key.New("not the private key of a log or witness")
	}
	k.mlPublic = ml.PublicKey().Bytes()
	return nil
}

// seedOf returns the seed in a private key as signed notes spell it,
// PRIVATE+KEY+name+hash+key, which a signer was made from already.
func seedOf(skey string) []byte {
	raw, err := base64.StdEncoding.DecodeString(strings.SplitN(skey, "+", 5)[4])
	if err != nil {
		panic(err)
	}
	return raw[1:]
}

// Name returns the name under which the key signs.
func (k *NoteKey) Name() string { return k.name }

// String names the key, not more.
func (k *NoteKey) String() string { return "note key of " + k.name }

// GoString is String: %#v must not show the key either.
func (k *NoteKey) GoString() string { return k.String() }

// Secret returns the key as a file of its owner keeps it.
func (k *NoteKey) Secret() string { return k.ed + "\n" + k.ml + "\n" }

// SignCheckpoint signs the text of a checkpoint for a log: with Ed25519, which
// every tool reads, and with ML-DSA-44.
func (k *NoteKey) SignCheckpoint(text string) ([]byte, error) {
	return signNote(text, k.log, k.mldsa)
}

// Cosign returns the two signature lines of a witness for the text of a
// checkpoint, stamped with the time of this machine.
func (k *NoteKey) Cosign(text string) ([]byte, error) {
	signed, err := signNote(text, k.cosigner, k.mldsa)
	if err != nil {
		return nil, err
	}
	return signed[len(text)+1:], nil
}

func signNote(text string, signers ...note.Signer) ([]byte, error) {
	out, err := note.Sign(&note.Note{Text: text}, signers...)
	if err != nil {
		return nil, fault.Internal.Wrap(err, "sign a note")
	}
	return out, nil
}

// LogVKeys returns the public keys of a log, as signed notes spell them.
func (k *NoteKey) LogVKeys() []string {
	return []string{vkey(k.name, typeEd25519, k.edPublic), vkey(k.name, typeMLDSA, k.mlPublic)}
}

// WitnessVKeys returns the public keys of a witness.
func (k *NoteKey) WitnessVKeys() []string {
	return []string{vkey(k.name, typeCosignature, k.edPublic), vkey(k.name, typeMLDSA, k.mlPublic)}
}

func vkey(name string, kind byte, key []byte) string {
	return fmt.Sprintf("%s+%08x+%s", name, keyHash(name, string([]byte{kind}), key), base64.StdEncoding.EncodeToString(append([]byte{kind}, key...)))
}

// NewVerifier returns what checks signatures by a public key in the spelling of
// signed notes: of a log (Ed25519) or of either (ML-DSA-44), or cosignatures of
// a witness (timestamped Ed25519).
func NewVerifier(vkey string) (note.Verifier, error) {
	bad := fault.Input.New("%q is not a public key of a log or witness", fault.Clip(vkey, maxQuoted)).WithHint("such a key reads name+hash+key")
	_, rest, _ := strings.Cut(vkey, "+")
	_, key, _ := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.Strict().DecodeString(key)
	if err != nil || len(raw) == 0 {
		return nil, bad
	}
	var v note.Verifier
	switch raw[0] {
	case typeEd25519:
		v, err = note.NewVerifier(vkey)
	case typeCosignature, typeMLDSA:
		v, err = formats.NewVerifierForCosignatureV1(vkey)
	default:
		return nil, bad
	}
	if err != nil || fmt.Sprintf("%08x", v.KeyHash()) != rest[:max(0, strings.IndexByte(rest, '+'))] {
		return nil, bad
	}
	return v, nil
}
