package seal

import (
	"bytes"
	"crypto/rand"

	"chancery/internal/fault"
	"chancery/internal/seal/gcm"
)

// keyMagic begins a file sealed under a key of 32 bytes.
const keyMagic = "chancery-sealed-key/v1\n"

// SealKey closes plaintext under a fresh identity, and that identity under a key
// of 32 bytes, which several people hold in shares. The file is what OpenKey
// reads: the identity's secret in AES-256-GCM, then an age file.
func SealKey(plaintext []byte, key [32]byte) ([]byte, error) {
	id, err := GenerateIdentity()
	if err != nil {
		return nil, err
	}
	sealed, err := Seal(plaintext, id.Recipient())
	if err != nil {
		return nil, err
	}
	g := gcm.New(key)
	nonce := make([]byte, g.NonceSize())
	rand.Read(nonce) // never fails: the program would end
	wrapped := g.Seal(nonce, nonce, []byte(id.key.String()), []byte(keyMagic))
	out := append([]byte(keyMagic), byte(len(wrapped)))
	return append(append(out, wrapped...), sealed...), nil
}

// OpenKey opens what SealKey closed. With another key the error is fault.Key.
func OpenKey(sealed []byte, key [32]byte) ([]byte, error) {
	body, ok := bytes.CutPrefix(sealed, []byte(keyMagic))
	if !ok || len(body) < 1 || len(body) < 1+int(body[0]) {
		return nil, fault.Input.New("not a file sealed under a shared key")
	}
	wrapped, rest := body[1:1+int(body[0])], body[1+int(body[0]):]
	g := gcm.New(key)
	if len(wrapped) < g.NonceSize() {
		return nil, fault.Input.New("not a file sealed under a shared key")
	}
	secret, err := g.Open(nil, wrapped[:g.NonceSize()], wrapped[g.NonceSize():], []byte(keyMagic))
	if err != nil {
		return nil, fault.Key.New("the shared key does not open the file")
	}
	id, err := parseIdentity(string(secret))
	if err != nil {
		return nil, err
	}
	return Open(rest, id)
}
