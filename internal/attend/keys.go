package attend

import (
	"encoding/json"
	"time"

	"chancery/internal/canonical"
	"chancery/internal/directory"
	"chancery/internal/fault"
	"chancery/internal/seal"
	"chancery/internal/sign"
)

// Keys are those of a party that is no person: a marking desk, a custodian, an
// overseer.
type Keys struct {
	Name     string
	Sign     *sign.Key
	Identity *seal.Identity
}

// NewKeys makes keys for a party.
func NewKeys(name string) (Keys, error) {
	id, err := seal.GenerateIdentity()
	return Keys{name, sign.Generate(), id}, err
}

// Party is the public half, as an institution names it.
func (k Keys) Party() directory.Party {
	return directory.Party{Name: k.Name, Sign: k.Sign.Public(), Recipient: k.Identity.Recipient().String()}
}

type keyFile struct {
	Format   string `json:"format"`
	Name     string `json:"name"`
	Sign     string `json:"sign"`
	Identity string `json:"identity"`
}

const keyFormat = "chancery-party-keys/v1"

// Secret returns the keys as a file of their owner keeps them.
func (k Keys) Secret(made time.Time) []byte {
	data, err := json.MarshalIndent(keyFile{keyFormat, k.Name, k.Sign.Secret(), string(seal.FormatIdentities(made, k.Identity))}, "", " ")
	if err != nil {
		panic(err) // strings
	}
	return append(data, '\n')
}

// ParseKeys reads what Secret wrote. The error never quotes it.
func ParseKeys(name string, data []byte) (Keys, error) {
	bad := fault.Key.New("not the keys of a party").At(name, 0, 0)
	var f keyFile
	if _, _, err := canonical.Decode(data, &f); err != nil || f.Format != keyFormat {
		return Keys{}, bad
	}
	key, err := sign.ParseKey(f.Sign)
	if err != nil {
		return Keys{}, bad
	}
	ids, err := seal.ParseIdentities(name, []byte(f.Identity))
	if err != nil || len(ids) != 1 {
		return Keys{}, bad
	}
	return Keys{f.Name, key, ids[0]}, nil
}
