package seal

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"filippo.io/age"

	"chancery/internal/fault"
)

// Limits on key files. Beyond them an error matches [ErrTooLong].
const (
	// MaxIdentityFile is the longest identity file, in bytes.
	MaxIdentityFile = 1 << 20
	// MaxIdentities is the most identities in one file.
	MaxIdentities = 1024
)

// How the keys of age begin.
const (
	recipientPrefix = "age1pq1"
	identityPrefix  = "AGE-SECRET-KEY-PQ-1"
	classicIdentity = "AGE-SECRET-KEY-1"
	secretPrefix    = "AGE-SECRET-KEY-"
	pluginIdentity  = "AGE-PLUGIN-"
)

// maxQuoted is how much of a key is quoted in messages, in characters.
const maxQuoted = 16

// A Recipient is the public half of a key: who can seal to a reader.
type Recipient struct{ key *age.HybridRecipient }

// String is the recipient as people exchange it: "age1pq1" and 1952 more
// characters.
func (r *Recipient) String() string { return r.key.String() }

// An Identity is a private key: who can open. Printed in any way it shows its
// public half only.
type Identity struct{ key *age.HybridIdentity }

// GenerateIdentity makes a new identity from the system's randomness.
func GenerateIdentity() (*Identity, error) {
	key, err := age.GenerateHybridIdentity()
	if err != nil {
		return nil, fault.System.Wrap(err, "make a key")
	}
	return &Identity{key}, nil
}

// Recipient returns the public half of the identity.
func (id *Identity) Recipient() *Recipient { return &Recipient{id.key.Recipient()} }

// String names the identity by the start of its public half.
func (id *Identity) String() string {
	return "identity of " + id.Recipient().String()[:maxQuoted] + "..."
}

// GoString is String: %#v must not show the key either.
func (id *Identity) GoString() string { return id.String() }

// Secret is the private key, one line that ParseIdentities reads: for a sealed letter,
// never for a person.
func (id *Identity) Secret() string { return id.key.String() }

// FormatIdentities writes an identity file as the age tool does: for each
// identity two comment lines, when it was made and its recipient, and the
// secret key. The result opens everything sealed to them: it belongs in a
// file of its owner alone, or sealed with a passphrase.
func FormatIdentities(made time.Time, identities ...*Identity) []byte {
	var b bytes.Buffer
	for _, id := range identities {
		fmt.Fprintf(&b, "# created: %s\n", made.UTC().Format(time.RFC3339))
		fmt.Fprintf(&b, "# public key: %s\n", id.Recipient())
		fmt.Fprintf(&b, "%s\n", id.key)
	}
	return b.Bytes()
}

// ParseIdentities reads an identity file: one "AGE-SECRET-KEY-PQ-1..." a line,
// between empty lines and comments that start with "#". The errors say the
// line, under the name given, and never quote it.
func ParseIdentities(name string, data []byte) ([]*Identity, error) {
	switch {
	case len(data) > MaxIdentityFile:
		return nil, fault.Key.Wrap(ErrTooLong, "the identity file").At(name, 0, 0).
			WithHint("check that this is the file you meant")
	case IsSealed(data):
		return nil, fault.Key.New("the identity file is itself sealed").At(name, 0, 0).
			WithHint("open it with its passphrase first")
	case !utf8.Valid(data):
		return nil, fault.Key.New("this is not an identity file").At(name, 0, 0).
			WithHint("an identity is a line that starts with %s", identityPrefix)
	}
	var ids []*Identity
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, err := parseIdentity(line)
		if err != nil {
			return nil, fault.At(err, name, number, 0)
		}
		if len(ids) == MaxIdentities {
			return nil, fault.Key.Wrap(ErrTooLong, "the list of identities").At(name, number, 0)
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, fault.Key.New("there is no identity in this file").At(name, 0, 0).
			WithHint("an identity is a line that starts with %s", identityPrefix)
	}
	return ids, nil
}

// parseIdentity reads one line. No error may quote it.
func parseIdentity(line string) (*Identity, error) {
	switch {
	case strings.HasPrefix(line, classicIdentity):
		return nil, fault.Key.New("this identity is a classical one, which a quantum computer could open").
			WithHint("make a new one with: age-keygen -pq")
	case strings.HasPrefix(line, pluginIdentity):
		return nil, fault.Key.New("identities of age plugins are not used here").
			WithHint("use an identity that starts with %s", identityPrefix)
	case strings.HasPrefix(line, "-----BEGIN"), strings.HasPrefix(line, "ssh-"):
		return nil, fault.Key.New("ssh keys are not used here").
			WithHint("use an identity that starts with %s", identityPrefix)
	case strings.HasPrefix(line, "age1"):
		return nil, fault.Key.New("this is a recipient, the public half of a key").
			WithHint("use the file that holds the identity, which starts with %s", identityPrefix)
	case !strings.HasPrefix(line, identityPrefix):
		return nil, fault.Key.New("this line is not an identity").
			WithHint("an identity starts with %s; a comment starts with #", identityPrefix)
	}
	key, err := age.ParseHybridIdentity(line)
	if err != nil || key.String() != line {
		return nil, fault.Key.New("this identity has a character missing, added or changed").
			WithHint("copy the line again, without spaces")
	}
	return &Identity{key}, nil
}

// classicLength is that of a classical recipient, in characters. Only such a
// one is told to be no match for a quantum computer; anything else is a slip of
// the hand.
const classicLength = 62

// ParseRecipient reads a recipient as [Recipient.String] writes it. Every
// other kind of age recipient is refused with [fault.Key].
func ParseRecipient(s string) (*Recipient, error) {
	switch {
	case strings.HasPrefix(strings.ToUpper(s), secretPrefix), strings.HasPrefix(strings.ToUpper(s), pluginIdentity):
		return nil, fault.Key.New("this is an identity, the secret half of a key").
			WithHint("ask its owner to make a new one: whoever has seen this one can open their cables")
	case strings.HasPrefix(s, "ssh-"), strings.HasPrefix(s, "ecdsa-"), strings.HasPrefix(s, "sk-"):
		return nil, fault.Key.New("ssh keys are not sealed to").
			WithHint("ask the reader for a recipient that starts with %s", recipientPrefix)
	case strings.HasPrefix(s, recipientPrefix):
		return parseHybrid(s)
	case strings.HasPrefix(s, "age1") && strings.LastIndexByte(s, '1') > len("age"):
		return nil, fault.Key.New("recipient %s belongs to an age plugin, which is not used here", quote(s)).
			WithHint("ask the reader for a recipient that starts with %s", recipientPrefix)
	case strings.HasPrefix(s, "age1") && len(s) == classicLength:
		return nil, fault.Key.New("recipient %s is a classical one, which a quantum computer could open", quote(s)).
			WithHint("ask the reader for one that starts with %s: age-keygen -pq makes it", recipientPrefix)
	}
	return nil, fault.Key.New("%s is not a recipient", quote(s)).
		WithHint("a recipient starts with %s", recipientPrefix)
}

// parseHybrid reads a recipient of the right kind, in its one true spelling.
func parseHybrid(s string) (*Recipient, error) {
	key, err := age.ParseHybridRecipient(s)
	if err != nil || key.String() != s {
		return nil, fault.Key.New("recipient %s has a character missing, added or changed", quote(s)).
			WithHint("copy it again; it has %d characters and no spaces", 1959)
	}
	return &Recipient{key}, nil
}

// quote gives the start of s in quotation marks.
func quote(s string) string {
	if len(s) > maxQuoted {
		return fmt.Sprintf("%q", strings.ToValidUTF8(s[:maxQuoted], "")+"...")
	}
	return fmt.Sprintf("%q", s)
}
