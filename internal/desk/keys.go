package desk

import (
	"encoding/json"
	"time"

	"chancery/internal/canonical"
	"chancery/internal/fault"
	"chancery/internal/seal"
	"chancery/internal/sign"
)

// Keys are what a person's desk holds: who they are, what opens their letters, and
// the device's own.
type Keys struct {
	Person   *sign.Key
	Identity *seal.Identity
	Device   *sign.Key
}

// NewKeys makes the keys of a person and of their first device.
func NewKeys() (Keys, error) {
	id, err := seal.GenerateIdentity()
	return Keys{sign.Generate(), id, sign.Generate()}, err
}

// in binds the keys to a log: what they sign counts there alone.
func (k Keys) in(log string) Keys {
	return Keys{k.Person.In(log), k.Identity, k.Device.In(log)}
}

// keyFile is the text of a key file. It is for its owner alone, or sealed.
type keyFile struct {
	Format   string `json:"format"`
	Person   string `json:"person"`
	Identity string `json:"identity"`
	Device   string `json:"device"`
}

const keyFormat = "chancery-desk-keys/v1"

// Secret returns the keys as a file of their owner keeps them.
func (k Keys) Secret(made time.Time) []byte {
	data, err := json.MarshalIndent(keyFile{keyFormat, k.Person.Secret(), string(seal.FormatIdentities(made, k.Identity)), k.Device.Secret()}, "", " ")
	if err != nil {
		panic(err) // strings
	}
	return append(data, '\n')
}

// ParseKeys reads what Secret wrote. The error never quotes it.
func ParseKeys(name string, data []byte) (Keys, error) {
	bad := fault.Key.New("not the keys of a desk").At(name, 0, 0)
	var f keyFile
	if _, _, err := canonical.Decode(data, &f); err != nil || f.Format != keyFormat {
		return Keys{}, bad
	}
	var k Keys
	var err error
	if k.Person, err = sign.ParseKey(f.Person); err != nil {
		return Keys{}, bad
	}
	if k.Device, err = sign.ParseKey(f.Device); err != nil {
		return Keys{}, bad
	}
	ids, err := seal.ParseIdentities(name, []byte(f.Identity))
	if err != nil || len(ids) != 1 {
		return Keys{}, bad
	}
	k.Identity = ids[0]
	return k, nil
}
