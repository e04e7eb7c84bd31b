// Package gcm is AES-256-GCM under a key of 32 bytes, for what age has no format
// for. It draws no nonce and keeps no key.
package gcm

import (
	"crypto/aes"
	"crypto/cipher"
)

// New returns the cipher of a key.
func New(key [32]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	g, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of 16 bytes
	}
	return g
}
