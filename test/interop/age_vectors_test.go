package interop

import (
	"bytes"
	"compress/zlib"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	agetest "c2sp.org/CCTV/age"
	"filippo.io/age"
	"filippo.io/age/armor"

	"chancery/internal/fault"
	"chancery/internal/seal"
)

// The test vectors of age's authors, run against package seal. Most of those on
// the format itself are sealed to a classical key, which seal does not read. Where
// the header is what is wrong no key is needed to see it; the others are carried
// over: the stanza of the classical key is replaced by one that wraps the same
// file key for a hybrid one, and all other bytes stay as published.

// An ageVector is one published file, with what is to become of it.
type ageVector struct {
	name        string
	expect      string
	payload     string // SHA-256 of all that age releases, in hexadecimal
	fileKey     []byte
	hybrid      []string // identities that seal reads
	classical   []string // and those it does not
	passphrases []string
	armored     bool
	file        []byte
}

// How a vector is expected to end.
const (
	success        = "success"
	noMatch        = "no match"
	headerFailure  = "header failure"
	hmacFailure    = "HMAC failure"
	payloadFailure = "payload failure"
	armorFailure   = "armor failure"
)

// ageVectors reads all vectors.
func ageVectors(t *testing.T) map[string]*ageVector {
	t.Helper()
	files, err := fs.ReadDir(agetest.Vectors, ".")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*ageVector{}
	for _, f := range files {
		data, err := fs.ReadFile(agetest.Vectors, f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if all[f.Name()], err = parseAgeVector(f.Name(), data); err != nil {
			t.Fatalf("%s: %v", f.Name(), err)
		}
	}
	return all
}

// parseAgeVector reads a file of the collection: lines of "key: value", an
// empty line, and the sealed file.
func parseAgeVector(name string, data []byte) (*ageVector, error) {
	v := &ageVector{name: name}
	head, file, ok := bytes.Cut(data, []byte("\n\n"))
	if !ok {
		return nil, errors.New("no file in the vector")
	}
	v.file = file
	for line := range strings.SplitSeq(string(head), "\n") {
		key, value, _ := strings.Cut(line, ": ")
		if err := v.set(key, value); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// set takes in one line. The file is there already.
func (v *ageVector) set(key, value string) (err error) {
	switch key {
	case "expect":
		v.expect = value
	case "payload":
		v.payload = value
	case "file key":
		v.fileKey, err = hex.DecodeString(value)
	case "identity":
		if strings.HasPrefix(value, "AGE-SECRET-KEY-PQ-1") {
			v.hybrid = append(v.hybrid, value)
		} else {
			v.classical = append(v.classical, value)
		}
	case "passphrase":
		v.passphrases = append(v.passphrases, value)
	case "armored":
		v.armored = value == "yes"
	case "compressed":
		var r io.ReadCloser
		if r, err = zlib.NewReader(bytes.NewReader(v.file)); err == nil {
			v.file, err = io.ReadAll(r)
		}
	case "comment":
	default:
		err = fmt.Errorf("unknown key %q", key)
	}
	return err
}

// family is the part of the format that the vector is about.
func (v *ageVector) family() string {
	family, _, _ := strings.Cut(v.name, "_")
	return family
}

// An ageClass is how a vector is run.
type ageClass string

const (
	asPublished ageClass = "opened as published"
	beforeKey   ageClass = "refused before any key is tried"
	carriedOver ageClass = "opened after being carried over to a hybrid key"
	classical   ageClass = "refused, being sealed to a classical key"
	armored     ageClass = "refused, being in age's text form"
)

// class says how the vector is run.
func (v *ageVector) class() ageClass {
	switch {
	case v.armored:
		return armored
	case v.family() == "x25519", v.name == "hybrid_x25519_arg": // a fault in the stanza of a classical key
		return classical
	case v.family() == "hybrid", v.family() == "scrypt":
		return asPublished
	case v.expect == headerFailure && v.family() != "stream":
		return beforeKey
	}
	return carriedOver
}

// hybridKeys reads identities of a vector; there must be one.
func hybridKeys(t *testing.T, lines ...string) []*seal.Identity {
	t.Helper()
	ids, err := seal.ParseIdentities("vector", []byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// anyKey makes an identity that no vector is sealed to.
func anyKey(t *testing.T) *seal.Identity {
	t.Helper()
	id, err := seal.GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// keys returns the vector's own keys as far as seal reads them, or any key.
func (v *ageVector) keys(t *testing.T) []*seal.Identity {
	t.Helper()
	if len(v.hybrid) == 0 {
		return []*seal.Identity{anyKey(t)}
	}
	return hybridKeys(t, v.hybrid...)
}

// released counts the vectors of which age alone hands out a part before it
// sees that the file is wrong, and seal hands out nothing.
const released = "withheld, though age alone releases a part"

// as names a class and what is expected of its vectors.
func as(c ageClass, expect string) string { return string(c) + ": " + expect }

// ageClasses says how many vectors there are of each class and expectation.
var ageClasses = map[string]int{
	as(asPublished, success):        5,
	as(asPublished, noMatch):        9,
	as(asPublished, headerFailure):  28,
	as(beforeKey, headerFailure):    21,
	as(carriedOver, success):        11,
	as(carriedOver, headerFailure):  2,
	as(carriedOver, hmacFailure):    1,
	as(carriedOver, payloadFailure): 18,
	released:                        12,
	as(classical, success):          3,
	as(classical, noMatch):          3,
	as(classical, headerFailure):    9,
	as(armored, success):            7,
	as(armored, noMatch):            1,
	as(armored, headerFailure):      2,
	as(armored, armorFailure):       26,
	as(armored, payloadFailure):     1,
}

// TestAgeVectors runs every vector in one of the classes.
func TestAgeVectors(t *testing.T) {
	all, ran := ageVectors(t), map[string]int{}
	to := target{all["hybrid"].hybrid[0], all["stanza_empty_body"]}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		v := all[name]
		ran[as(v.class(), v.expect)]++
		t.Run(name, func(t *testing.T) {
			switch v.class() {
			case asPublished:
				runAsPublished(t, v)
			case beforeKey:
				runBeforeKey(t, v)
			case carriedOver:
				ran[released] += runCarriedOver(t, v, to)
			case classical:
				runClassical(t, v)
			case armored:
				runArmored(t, v)
			}
			refuseClassical(t, v)
		})
	}
	ranAll(t, ran, ageClasses)
}

// opens fails unless the vector's payload came out, whole.
func opens(t *testing.T, v *ageVector, got []byte, err error) {
	t.Helper()
	if sum := sha256.Sum256(got); err != nil || v.payload == "" || hex.EncodeToString(sum[:]) != v.payload {
		t.Errorf("%d bytes, %v, want those of %q", len(got), err, v.payload)
	}
}

// refuses fails unless nothing came out, for one of the reasons given.
func refuses(t *testing.T, got []byte, err error, kind fault.Kind, reasons ...error) {
	t.Helper()
	if err == nil || got != nil {
		t.Fatalf("%d bytes came out of what must be refused, with %v", len(got), err)
	}
	for _, reason := range reasons {
		if errors.Is(err, reason) && fault.KindOf(err) == kind {
			return
		}
	}
	t.Errorf("%v (%v), want one of %v (%v)", err, fault.KindOf(err), reasons, kind)
}

// ownReasons names the vectors whose refusal says more than that the header is
// wrong or that nothing matches.
var ownReasons = map[string]struct {
	kind fault.Kind
	err  error
}{
	"scrypt_and_x25519":           {fault.Key, seal.ErrNeedIdentity}, // a passphrase stands alone
	"scrypt_double":               {fault.Key, seal.ErrNeedIdentity},
	"scrypt_uppercase":            {fault.Key, seal.ErrNeedIdentity}, // a stanza that nobody knows
	"scrypt_work_factor_23":       {fault.Input, seal.ErrTooMuchWork},
	"scrypt_work_factor_overflow": {fault.Input, seal.ErrTooMuchWork}, // more than an int64 holds
}

// runAsPublished opens the file with the vector's own key or passphrase.
func runAsPublished(t *testing.T, v *ageVector) {
	t.Helper()
	wrong := seal.ErrNoMatch
	var tries []func() ([]byte, error)
	if len(v.hybrid) > 0 {
		ids := hybridKeys(t, v.hybrid...)
		tries = append(tries, func() ([]byte, error) { return seal.Open(v.file, ids...) })
	}
	for _, p := range v.passphrases {
		wrong = seal.ErrWrongPassphrase
		tries = append(tries, func() ([]byte, error) { return seal.OpenPassphrase(v.file, p) })
	}
	if len(tries) == 0 {
		t.Fatal("nothing to open the file with")
	}
	for _, try := range tries {
		got, err := try()
		switch own, ok := ownReasons[v.name]; {
		case v.expect == success:
			opens(t, v, got, err)
		case ok:
			refuses(t, got, err, own.kind, own.err)
		case v.expect == noMatch:
			refuses(t, got, err, fault.Key, wrong)
		default:
			refuses(t, got, err, fault.Input, seal.ErrDamaged)
		}
	}
}

// runBeforeKey gives a file with a wrong header any key: the header is what the
// refusal speaks of, not the key.
func runBeforeKey(t *testing.T, v *ageVector) {
	t.Helper()
	reasons := []error{seal.ErrNotSealed, seal.ErrTruncated, seal.ErrDamaged}
	got, err := seal.Open(v.file, anyKey(t))
	refuses(t, got, err, fault.Input, reasons...)
	got, err = seal.OpenPassphrase(v.file, "password")
	refuses(t, got, err, fault.Input, reasons...)
	_, err = seal.NeedsPassphrase(v.file)
	refuses(t, nil, err, fault.Input, reasons...)
}

// A target is whom vectors are carried over to: an identity, and a vector
// whose payload is right.
type target struct {
	identity string
	good     *ageVector
}

// runCarriedOver opens the file after carrying it over. It returns 1 if it is
// refused and age alone would have released a part of it.
func runCarriedOver(t *testing.T, v *ageVector, to target) int {
	t.Helper()
	reader := hybridKeys(t, to.identity)[0]
	header, payload := carryOver(t, v, reader, v.expect == hmacFailure)
	got, err := seal.Open(slices.Concat(header, payload), reader)
	if v.expect == success {
		opens(t, v, got, err)
		return 0
	}
	refuses(t, got, err, fault.Input, seal.ErrDamaged, seal.ErrTruncated)

	// What is refused is what is wrong in the vector: the rest opens.
	_, right := splitHeader(t, to.good.file)
	repaired, _ := carryOver(t, v, reader, false)
	got, err = seal.Open(slices.Concat(repaired, right), reader)
	opens(t, to.good, got, err)
	if v.expect != payloadFailure {
		return 0
	}
	return min(1, releasedByAge(t, v, slices.Concat(header, payload), to.identity))
}

// releasedByAge returns how much of a file age itself hands out before it fails.
func releasedByAge(t *testing.T, v *ageVector, file []byte, identity string) int {
	t.Helper()
	id, err := age.ParseHybridIdentity(identity)
	if err != nil {
		t.Fatal(err)
	}
	r, err := age.Decrypt(bytes.NewReader(file), id)
	if err != nil {
		t.Fatal(err)
	}
	part, err := io.ReadAll(r)
	if sum := sha256.Sum256(part); err == nil || hex.EncodeToString(sum[:]) != v.payload {
		t.Errorf("age itself releases %d bytes, %v, want those of %q", len(part), err, v.payload)
	}
	return len(part)
}

// carryOver returns the file's header for another reader, and its payload. The
// MAC is made anew unless it is kept.
func carryOver(t *testing.T, v *ageVector, reader *seal.Identity, keepMAC bool) (header, payload []byte) {
	t.Helper()
	to, err := age.ParseHybridRecipient(reader.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	stanzas, err := to.Wrap(v.fileKey)
	if err != nil || len(stanzas) != 1 || len(stanzas[0].Args) != 1 {
		t.Fatal(stanzas, err)
	}
	s, body := stanzas[0], base64.RawStdEncoding.EncodeToString(stanzas[0].Body)
	header, payload = splitHeader(t, v.file)
	// A stanza of a classical key has two lines.
	before, rest, ok := strings.Cut(string(header), "-> X25519 ")
	lines := strings.SplitN(rest, "\n", 3)
	if !ok || len(lines) != 3 || len(body) >= 64 {
		t.Fatalf("no stanza to replace in %q", header)
	}
	text := fmt.Sprintf("%s-> %s %s\n%s\n%s", before, s.Type, s.Args[0], body, lines[2])
	signed, mac, ok := strings.Cut(text, "\n--- ")
	if !ok {
		t.Fatalf("no MAC in %q", header)
	}
	if !keepMAC {
		mac = headerMAC(t, v.fileKey, signed+"\n---") + "\n"
	}
	return []byte(signed + "\n--- " + mac), payload
}

// splitHeader cuts a file after the line of its MAC.
func splitHeader(t *testing.T, file []byte) (header, payload []byte) {
	t.Helper()
	at := bytes.Index(file, []byte("\n--- "))
	end := bytes.IndexByte(file[at+1:], '\n')
	if at < 0 || end < 0 {
		t.Fatal("no header in the file")
	}
	return bytes.Clone(file[:at+1+end+1]), file[at+1+end+1:]
}

// headerMAC is the MAC of an age header: HMAC-SHA-256 under a key that
// HKDF-SHA-256 makes of the file key.
func headerMAC(t *testing.T, fileKey []byte, signed string) string {
	t.Helper()
	key, err := hkdf.Key(sha256.New, fileKey, nil, "header", sha256.Size)
	if err != nil {
		t.Fatal(err)
	}
	m := hmac.New(sha256.New, key)
	io.WriteString(m, signed)
	return base64.RawStdEncoding.EncodeToString(m.Sum(nil))
}

// runClassical gives the file a key of ours, all there is to give: it is for
// somebody else, or its header is wrong.
func runClassical(t *testing.T, v *ageVector) {
	t.Helper()
	keys := v.keys(t)
	got, err := seal.Open(v.file, keys...)
	if needs, told := seal.NeedsPassphrase(v.file); told != nil || needs {
		refuses(t, got, err, fault.Input, seal.ErrDamaged)
	} else {
		refuses(t, got, err, fault.Key, seal.ErrNoMatch)
	}
	got, err = seal.OpenPassphrase(v.file, "password")
	if err == nil || got != nil {
		t.Errorf("a passphrase opens it: %v", err)
	}
}

// refuseClassical reads and seals to the vector's classical keys, in vain.
func refuseClassical(t *testing.T, v *ageVector) {
	t.Helper()
	for _, line := range v.classical {
		if ids, err := seal.ParseIdentities("vector", []byte(line)); !errors.Is(err, fault.Key) || ids != nil || !strings.Contains(err.Error(), "classical") {
			t.Errorf("a classical identity is read: %v", err)
		}
		id, err := age.ParseX25519Identity(line)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := seal.SealTo(nil, id.Recipient().String()); !errors.Is(err, fault.Key) || out != nil || !strings.Contains(err.Error(), "classical") {
			t.Errorf("a classical recipient is sealed to: %v", err)
		}
	}
}

// runArmored gives the file in age's text form, which is refused whatever it
// holds. What the refusal advises is then done, where the key is one of ours.
func runArmored(t *testing.T, v *ageVector) {
	t.Helper()
	keys := v.keys(t)
	open := func(file []byte) ([]byte, error) {
		if len(v.passphrases) > 0 {
			return seal.OpenPassphrase(file, v.passphrases[0])
		}
		return seal.Open(file, keys...)
	}
	got, err := open(v.file)
	refuses(t, got, err, fault.Input, seal.ErrNotSealed)
	if _, err := seal.NeedsPassphrase(v.file); !errors.Is(err, seal.ErrNotSealed) {
		t.Errorf("whether it needs a passphrase: %v", err)
	}
	if len(v.hybrid)+len(v.passphrases) == 0 {
		return
	}
	if hint := fault.HintOf(err); !strings.Contains(hint, "text form") {
		t.Errorf("the hint is %q", hint)
	}
	plain, err := io.ReadAll(armor.NewReader(bytes.NewReader(v.file)))
	if err != nil {
		t.Fatal(err)
	}
	got, err = open(plain)
	opens(t, v, got, err)
}
