// Package seal closes and opens what only its reader may read.
//
// Everything is sealed as an age v1 file, either to hybrid recipients
// (ML-KEM-768 with X25519, "age1pq1...") or to one passphrase, never to a
// mixture and never to a key that a quantum computer would open. The age tool
// opens what is sealed here. age says nothing about who sealed a file:
// whoever needs to know signs it.
//
// This is the only package that handles private keys. Do not take one apart
// elsewhere: an [Identity] prints as its public half, and its secret text
// leaves the package only through [FormatIdentities], on its way to a file.
// Nothing here reads or writes files, asks for a passphrase or keeps a key.
package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"filippo.io/age"

	"chancery/internal/fault"
)

// Limits on what is taken in. Beyond them an error matches [ErrTooLong].
const (
	// MaxPlaintext is the most that is sealed in one piece, in bytes.
	MaxPlaintext = 64 << 20
	// MaxSealed is the most that is opened in one piece, in bytes: the
	// longest plaintext, its authentication tags and age's longest header.
	MaxSealed = MaxPlaintext + MaxPlaintext/(64<<10)*16 + 4<<20
	// MaxRecipients is the most readers of one file, as many as age reads.
	MaxRecipients = 1024
	// MaxPassphrase is the longest passphrase, in bytes.
	MaxPassphrase = 1024
)

// maxWorkFactor bounds the work that the header of a passphrase file can ask
// for: 2^20 rounds of scrypt take 1 GiB of memory and a few seconds.
const maxWorkFactor = 20

// testOnlyWorkFactor is the scrypt work factor for sealing: 2^18 rounds, age's
// own choice, take 256 MiB and about a second.
var testOnlyWorkFactor = 18

// What can be wrong with a sealed file or with the key to it. The errors
// returned match one of these and a kind of package fault.
var (
	ErrNotSealed       = errors.New("this is not a sealed file")
	ErrTruncated       = errors.New("the sealed file breaks off")
	ErrDamaged         = errors.New("the sealed file was altered, damaged or cut short")
	ErrTooLong         = errors.New("too long")
	ErrNoMatch         = errors.New("none of the keys opens this file")
	ErrWrongPassphrase = errors.New("the passphrase is not the one of this file")
	ErrNeedPassphrase  = errors.New("the file is sealed with a passphrase, not to a key")
	ErrNeedIdentity    = errors.New("the file is sealed to keys, not with a passphrase")
	ErrTooMuchWork     = errors.New("the file asks for more work than is given to one passphrase")
)

// intro opens every age v1 file; armor opens its wrapped form, which is not
// read here.
const (
	intro = "age-encryption.org/v1\n"
	armor = "-----BEGIN AGE ENCRYPTED FILE-----"
)

// IsSealed reports whether data starts as a sealed file does.
func IsSealed(data []byte) bool { return bytes.HasPrefix(data, []byte(intro)) }

// SealTo is [Seal] for one recipient, as the directory writes it.
func SealTo(plaintext []byte, recipient string) ([]byte, error) {
	to, err := ParseRecipient(recipient)
	if err != nil {
		return nil, err
	}
	return Seal(plaintext, to)
}

// Seal closes plaintext so that each of the recipients alone can open it.
// There must be 1 to [MaxRecipients] of them. The result tells their number
// and the length of the plaintext, not who they are.
func Seal(plaintext []byte, recipients ...*Recipient) ([]byte, error) {
	if len(recipients) == 0 {
		return nil, fault.Usage.New("there is nobody to seal to")
	}
	if len(recipients) > MaxRecipients {
		return nil, fault.Input.Wrap(ErrTooLong, "%d readers of one file", len(recipients)).
			WithHint("seal to at most %d", MaxRecipients)
	}
	to := make([]age.Recipient, len(recipients))
	for i, r := range recipients {
		to[i] = r.key
	}
	return encrypt(plaintext, to...)
}

// SealPassphrase closes plaintext so that the passphrase opens it. This takes
// about a second and 256 MiB of memory, on purpose.
func SealPassphrase(plaintext []byte, passphrase string) ([]byte, error) {
	if err := checkPassphrase(passphrase); err != nil {
		return nil, err
	}
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fault.Internal.Wrap(err, "seal")
	}
	r.SetWorkFactor(testOnlyWorkFactor)
	return encrypt(plaintext, r)
}

// encrypt runs age over plaintext.
func encrypt(plaintext []byte, to ...age.Recipient) ([]byte, error) {
	if len(plaintext) > MaxPlaintext {
		return nil, fault.Input.Wrap(ErrTooLong, "%d bytes to seal", len(plaintext)).
			WithHint("at most %d MiB are sealed in one piece", MaxPlaintext>>20)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to...)
	if err != nil {
		return nil, fault.Internal.Wrap(err, "seal")
	}
	if _, err := w.Write(plaintext); err != nil {
		return nil, fault.Internal.Wrap(err, "seal")
	}
	if err := w.Close(); err != nil {
		return nil, fault.Internal.Wrap(err, "seal")
	}
	return out.Bytes(), nil
}

// checkPassphrase refuses what cannot be a passphrase. How strong one must be
// is decided where it is asked for.
func checkPassphrase(passphrase string) error {
	switch {
	case passphrase == "":
		return fault.Key.New("the passphrase is empty")
	case len(passphrase) > MaxPassphrase:
		return fault.Key.Wrap(ErrTooLong, "the passphrase").WithHint("use at most %d bytes", MaxPassphrase)
	}
	return nil
}

// Open opens a file that was sealed to one of the identities. It returns all
// of the plaintext or none: what does not verify to the end is refused.
func Open(sealed []byte, identities ...*Identity) ([]byte, error) {
	if len(identities) == 0 {
		return nil, fault.Key.New("there is no key to open the file with")
	}
	with := make([]age.Identity, len(identities))
	for i, id := range identities {
		with[i] = hybrid{id.key}
	}
	return decrypt(sealed, with...)
}

// OpenPassphrase opens a file that was sealed with the passphrase. A file that
// asks for more than 1 GiB of memory is refused.
func OpenPassphrase(sealed []byte, passphrase string) ([]byte, error) {
	if err := checkPassphrase(passphrase); err != nil {
		return nil, err
	}
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fault.Internal.Wrap(err, "open")
	}
	id.SetMaxWorkFactor(maxWorkFactor)
	return decrypt(sealed, scrypt{id})
}

// NeedsPassphrase reports whether a sealed file is opened with a passphrase
// rather than with an identity. It does not open it.
func NeedsPassphrase(sealed []byte) (bool, error) {
	if err := checkIntro(sealed); err != nil {
		return false, err
	}
	_, err := age.Decrypt(bytes.NewReader(sealed), nobody{})
	var no *age.NoIdentityMatchError
	if !errors.As(err, &no) {
		return false, explain(err)
	}
	return len(no.StanzaTypes) == 1 && no.StanzaTypes[0] == scryptType, nil
}

// decrypt runs age over a sealed file.
func decrypt(sealed []byte, with ...age.Identity) ([]byte, error) {
	if err := checkIntro(sealed); err != nil {
		return nil, err
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), with...)
	if err != nil {
		return nil, explain(err)
	}
	plaintext, err := io.ReadAll(io.LimitReader(r, MaxPlaintext+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fault.Input.Wrap(ErrTruncated, "").WithHint("fetch or copy the file again")
	case err != nil:
		return nil, damaged()
	case len(plaintext) > MaxPlaintext:
		return nil, fault.Input.Wrap(ErrTooLong, "the opened file")
	}
	return plaintext, nil
}

// checkIntro tells files that were never sealed from sealed ones.
func checkIntro(sealed []byte) error {
	switch {
	case len(sealed) > MaxSealed:
		return fault.Input.Wrap(ErrTooLong, "the sealed file")
	case IsSealed(sealed):
		return nil
	case len(sealed) > 0 && strings.HasPrefix(intro, string(sealed)):
		return fault.Input.Wrap(ErrTruncated, "").WithHint("fetch or copy the file again")
	case bytes.HasPrefix(bytes.TrimSpace(sealed), []byte(armor)):
		return fault.Input.Wrap(ErrNotSealed, "").
			WithHint("it is in age's text form; turn it into the plain form with the age tool first")
	}
	return fault.Input.Wrap(ErrNotSealed, "").WithHint("check that this is the file you meant")
}

// explain tells what age says in our words. It never passes on age's text,
// which may quote the file.
func explain(err error) error {
	var told *fault.Error
	var no *age.NoIdentityMatchError
	switch {
	case errors.As(err, &told):
		return told
	case errors.As(err, &no):
		return fault.Key.Wrap(ErrNoMatch, "").
			WithHint("use the key of the reader it was sealed to; an older copy may need an older key")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fault.Input.Wrap(ErrTruncated, "").WithHint("fetch or copy the file again")
	}
	return damaged()
}

// damaged is the refusal of a file that does not verify.
func damaged() error {
	return fault.Input.Wrap(ErrDamaged, "").WithHint("fetch or copy the file again and do not trust this one")
}

// scryptType marks the header line of a passphrase in an age file.
const scryptType = "scrypt"

// hybrid is an identity that can tell why it does not match.
type hybrid struct{ key *age.HybridIdentity }

// Unwrap implements age.Identity.
func (h hybrid) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if len(stanzas) == 1 && stanzas[0].Type == scryptType {
		return nil, fault.Key.Wrap(ErrNeedPassphrase, "")
	}
	return h.key.Unwrap(stanzas)
}

// scrypt is a passphrase that can tell why it does not match.
type scrypt struct{ key *age.ScryptIdentity }

// Unwrap implements age.Identity.
func (s scrypt) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if len(stanzas) != 1 || stanzas[0].Type != scryptType {
		return nil, fault.Key.Wrap(ErrNeedIdentity, "").WithHint("name the file that holds your key")
	}
	if args := stanzas[0].Args; len(args) == 2 {
		if work, err := strconv.ParseUint(args[1], 10, 64); err == nil && work > maxWorkFactor {
			return nil, fault.Input.Wrap(ErrTooMuchWork, "").
				WithHint("if you trust where it came from, seal it anew with the age tool")
		}
	}
	key, err := s.key.Unwrap(stanzas)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, fault.Key.Wrap(ErrWrongPassphrase, "").WithHint("try again; capitals and spaces count")
	}
	return key, err
}

// nobody is an identity that matches nothing.
type nobody struct{}

// Unwrap implements age.Identity.
func (nobody) Unwrap([]*age.Stanza) ([]byte, error) { return nil, age.ErrIncorrectIdentity }

var (
	_ age.Identity = hybrid{}
	_ age.Identity = scrypt{}
	_ age.Identity = nobody{}
	_ fmt.Stringer = (*Identity)(nil)
)
