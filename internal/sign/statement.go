package sign

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"filippo.io/mldsa"
	"golang.org/x/mod/sumdb/note"

	"chancery/internal/canonical"
	"chancery/internal/fault"
)

const (
	// MaxStatement is the longest statement with its signatures, in bytes.
	MaxStatement = 512 << 10
	// MaxSigners is the most keys that sign one statement.
	MaxSigners = 16
)

// statementPrefix begins the first line of what is signed; the kind follows.
const statementPrefix = "chancery statement/v1 "

// mldsaContext is the context string of FIPS 204 for statements, and mldsaType
// what names the algorithm in key hashes (C2SP signed-note: 0xff and a longer
// identifier, since no byte is assigned to ML-DSA over notes).
const (
	mldsaContext = "chancery statement/v1"
	mldsaType    = "\xffchancery ML-DSA-44 v1"
	ed25519Type  = "\x01"
)

// validLog is what the name of a log may hold: what has no end in a line.
var validLog = regexp.MustCompile(`^[^\s\pZ\pC]{1,255}$`)

var validKind = regexp.MustCompile(`^[a-z]([a-z-]{0,38}[a-z])?$`)

// Sign writes a statement: body, which must marshal to JSON, under its kind (1
// to 40 lower-case letters and hyphens) and the log that the keys are for, signed by each
// key in order. The result is a signed note with two signature lines a key.
func Sign(kind string, body any, keys ...*Key) ([]byte, error) {
	if !validKind.MatchString(kind) || len(keys) == 0 || len(keys) > MaxSigners {
		return nil, fault.Internal.New("a statement of kind %q with %d signers", kind, len(keys))
	}
	log := keys[0].log
	if log != "" && !validLog.MatchString(log) || slices.ContainsFunc(keys, func(k *Key) bool { return k.log != log }) {
		return nil, fault.Internal.New("a statement of kind %q for several logs, or for %.40q", kind, log)
	}
	text, err := text(header(kind, log), body)
	if err != nil {
		return nil, err
	}
	var signers []note.Signer
	for _, k := range keys {
		signers = append(signers, edSigner{k}, mlSigner{k})
	}
	out, err := note.Sign(&note.Note{Text: text}, signers...)
	if err != nil {
		return nil, fault.Internal.Wrap(err, "sign a statement")
	}
	if len(out) > MaxStatement {
		return nil, fault.Input.New("a statement of %d bytes: at most %d", len(out), MaxStatement)
	}
	return out, nil
}

// Join puts the signatures of two statements of one text together, those of the
// first before those of the second: so persons who are apart sign one statement.
// It verifies nothing.
func Join(first, second []byte) ([]byte, error) {
	for _, s := range [][]byte{first, second} {
		if _, _, err := Claims(s); err != nil {
			return nil, err
		}
	}
	one, two := bytes.LastIndex(first, []byte("\n\n"))+2, bytes.LastIndex(second, []byte("\n\n"))+2
	if !bytes.Equal(first[:one], second[:two]) {
		return nil, fault.Mismatch.New("the two signatures are not of one statement")
	}
	return slices.Concat(first, second[two:]), nil
}

// header is the first line of a statement: its kind, and the log if it is for one.
func header(kind, log string) string {
	if log != "" {
		kind += " " + log
	}
	return statementPrefix + kind
}

// text is what is signed: the header and the canonical JSON of the body.
func text(header string, body any) (string, error) {
	data, err := json.MarshalIndent(body, "", " ")
	if err != nil {
		return "", fault.Internal.Wrap(err, "write a statement")
	}
	return header + "\n" + string(data) + "\n", nil
}

// Open checks that a statement is of a kind and signed by exactly these keys in
// this order, each with both algorithms, and decodes its body into the value that
// body points to. It refuses any other spelling of the same body. Errors:
// fault.Input if it is not such a statement, fault.Mismatch if a signature does
// not verify or is missing.
func Open(statement []byte, kind string, body any, by ...*Public) error {
	claimed, signers, err := Claims(statement)
	if err != nil {
		return err
	}
	if claimed != kind {
		return fault.Input.New("a statement of kind %q where %q is expected", claimed, kind)
	}
	if len(signers) != len(by) {
		return fault.Mismatch.New("a statement with %d signers where %d are expected", len(signers), len(by))
	}
	var verifiers []note.Verifier
	for i, p := range by {
		if signers[i] != p.id {
			return fault.Mismatch.New("a statement signed by %.16s where %.16s is expected", signers[i], p.id)
		}
		verifiers = append(verifiers, edVerifier{p}, mlVerifier{p})
	}
	n, err := note.Open(statement, note.VerifierList(verifiers...))
	if err != nil || !oneSpelling(n, verifiers) {
		return fault.Mismatch.New("a signature of the statement does not verify")
	}
	return decode(n.Text, kind, body)
}

// oneSpelling says whether a note is signed by these keys in order, and in the
// one way to write it: nobody can turn a statement into a second one.
func oneSpelling(n *note.Note, by []note.Verifier) bool {
	if len(n.Sigs) != len(by) || len(n.UnverifiedSigs) > 0 {
		return false
	}
	for i, s := range n.Sigs {
		if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil || s.Hash != by[i].KeyHash() {
			return false
		}
	}
	return true
}

// decode reads the body of a statement whose signatures verified.
func decode(signed, kind string, body any) error {
	if _, _, err := canonical.Decode([]byte(bodyOf(signed)), body); err != nil {
		return fault.Input.Wrap(err, "the body of a statement of kind %q", kind)
	}
	first, _, _ := strings.Cut(signed, "\n")
	again, err := text(first, body)
	if err != nil {
		return err
	}
	if again != signed {
		return fault.Input.New("the body of a statement of kind %q is not in its canonical form", kind)
	}
	return nil
}

// Loosely checks that a statement, of whatever kind, is signed by exactly these keys in
// this order, and decodes of its body what the value that body points to has a place
// for. It is for those who look at acts of many kinds and act on none.
func Loosely(statement []byte, body any, by ...*Public) error {
	kind, _, err := Claims(statement)
	if err != nil {
		return err
	}
	var whole json.RawMessage
	if err := Open(statement, kind, &whole, by...); err != nil {
		return err
	}
	if err := json.Unmarshal(whole, body); err != nil {
		return fault.Input.Wrap(err, "the body of a statement of kind %q", kind)
	}
	return nil
}

// Peek decodes the body of a statement without verifying who signed it: for
// finding out whose keys [Open] needs. Nothing it returns may be used before Open
// has read the same statement.
func Peek(statement []byte, kind string, body any) error {
	claimed, _, err := Claims(statement)
	if err != nil {
		return err
	}
	if claimed != kind {
		return fault.Input.New("a statement of kind %q where %q is expected", claimed, kind)
	}
	return decode(string(statement[:bytes.LastIndex(statement, []byte("\n\n"))+1]), kind, body)
}

func bodyOf(signed string) string {
	_, body, _ := strings.Cut(signed, "\n")
	return body
}

// Claims returns the kind of a statement and who claims to have signed it, in
// order. Nothing is verified: it is for looking up the keys that [Open] needs.
func Claims(statement []byte) (kind string, signers []ID, err error) {
	kind, _, signers, err = claims(statement)
	return kind, signers, err
}

// LogOf returns the log that a statement says it is for, "" if it is for any. Nothing is
// verified, but whoever signed the statement signed that too.
func LogOf(statement []byte) (string, error) {
	_, log, _, err := claims(statement)
	return log, err
}

func claims(statement []byte) (kind, log string, signers []ID, err error) {
	bad := fault.Input.New("not a signed statement")
	if len(statement) > MaxStatement {
		return "", "", nil, fault.Input.New("a statement has at most %d bytes", MaxStatement)
	}
	end := bytes.LastIndex(statement, []byte("\n\n"))
	first, ok := bytes.CutPrefix(statement, []byte(statementPrefix))
	if end < 0 || !ok {
		return "", "", nil, bad
	}
	line, _, _ := bytes.Cut(first, []byte("\n"))
	kind, log, named := strings.Cut(string(line), " ")
	if !validKind.MatchString(kind) || named && !validLog.MatchString(log) {
		return "", "", nil, bad
	}
	lines := strings.Split(strings.TrimSuffix(string(statement[end+2:]), "\n"), "\n")
	if len(lines)%2 != 0 || len(lines) > 2*MaxSigners {
		return "", "", nil, bad
	}
	for i := 0; i < len(lines); i += 2 {
		one, two := signerOf(lines[i]), signerOf(lines[i+1])
		id, err := ParseID(one)
		if err != nil || one != two {
			return "", "", nil, bad
		}
		signers = append(signers, id)
	}
	return kind, log, signers, nil
}

// signerOf returns the name in a signature line.
func signerOf(line string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(line, "— "), " ")
	return name
}

// keyHash is the key ID of C2SP signed-note: SHA-256(name || "\n" || type ||
// key)[:4].
func keyHash(name, kind string, key []byte) uint32 {
	sum := sha256.Sum256([]byte(name + "\n" + kind + string(key)))
	return binary.BigEndian.Uint32(sum[:])
}

type (
	edSigner   struct{ *Key }
	mlSigner   struct{ *Key }
	edVerifier struct{ *Public }
	mlVerifier struct{ *Public }
)

func (s edSigner) Name() string                    { return s.public.id.String() }
func (s edSigner) KeyHash() uint32                 { return edVerifier{s.public}.KeyHash() }
func (s edSigner) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.ed, msg), nil }

func (s mlSigner) Name() string    { return s.public.id.String() }
func (s mlSigner) KeyHash() uint32 { return mlVerifier{s.public}.KeyHash() }
func (s mlSigner) Sign(msg []byte) ([]byte, error) {
	return s.ml.Sign(nil, msg, &mldsa.Options{Context: mldsaContext})
}

func (v edVerifier) Name() string                { return v.id.String() }
func (v edVerifier) KeyHash() uint32             { return keyHash(v.Name(), ed25519Type, v.ed) }
func (v edVerifier) Verify(msg, sig []byte) bool { return ed25519.Verify(v.ed, msg, sig) }

func (v mlVerifier) Name() string    { return v.id.String() }
func (v mlVerifier) KeyHash() uint32 { return keyHash(v.Name(), mldsaType, v.ml.Bytes()) }
func (v mlVerifier) Verify(msg, sig []byte) bool {
	return mldsa.Verify(v.ml, msg, sig, &mldsa.Options{Context: mldsaContext}) == nil
}
