package seal

import (
	"strings"

	"filippo.io/age"

	"chancery/internal/fault"
)

// SealPadded closes plaintext like [Seal], in a file whose length is that of
// a plaintext of size bytes, so that files of different texts have equal
// lengths. The age header takes up the difference, in a stanza that age
// passes over; the plaintext stays as it is. Equal size and number of
// recipients give equal length.
func SealPadded(plaintext []byte, size int, recipients ...*Recipient) ([]byte, error) {
	if len(plaintext) > size || size > MaxPlaintext {
		return nil, fault.Input.Wrap(ErrTooLong, "%d bytes to pad to %d", len(plaintext), size)
	}
	to := []age.Recipient{padding(payload(size) - payload(len(plaintext)) + 1)}
	for _, r := range recipients {
		to = append(to, r.key)
	}
	if len(recipients) == 0 || len(to) > MaxRecipients {
		return nil, fault.Usage.New("a file is sealed to 1 to %d readers", MaxRecipients-1)
	}
	return encrypt(plaintext, to...)
}

// payload returns the length of an age payload, nonce apart: chunks of 64 KiB
// with a tag of 16 bytes each, at least one.
func payload(n int) int {
	const chunk = 64 << 10
	return n + 16*max(1, (n+chunk-1)/chunk)
}

// padding is a recipient that nobody is: so many characters of header.
type padding int

// Wrap implements age.Recipient.
func (p padding) Wrap([]byte) ([]*age.Stanza, error) {
	return []*age.Stanza{{Type: "chancery-padding", Args: []string{strings.Repeat("0", int(p))}}}, nil
}

// WrapWithLabels implements age.RecipientWithLabels: the stanza reveals
// nothing, so it may stand beside post-quantum ones.
func (p padding) WrapWithLabels(key []byte) ([]*age.Stanza, []string, error) {
	stanzas, err := p.Wrap(key)
	return stanzas, []string{"postquantum"}, err
}
