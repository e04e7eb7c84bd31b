package post

import (
	"encoding/json"

	"chancery/internal/canonical"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/seal"
)

// SealCircle seals whose copies of a cable there are to the overseers; nil if there are
// none. It goes beside the letters: in one of them it would make all as long.
func SealCircle(copies []entries.Copy, in directory.Institution) ([]byte, error) {
	var to []*seal.Recipient
	for _, a := range Overseers(in) {
		r, err := seal.ParseRecipient(a.Recipient)
		if err != nil {
			return nil, err
		}
		to = append(to, r)
	}
	if len(to) == 0 {
		return nil, nil
	}
	data, err := json.Marshal(copies)
	if err != nil {
		return nil, fault.Internal.Wrap(err, "write a circle")
	}
	return seal.Seal(data, to...)
}

// OpenCircle opens it for an overseer. That it is the release's, its caller verifies.
func OpenCircle(sealed []byte, id *seal.Identity) ([]entries.Copy, error) {
	data, err := seal.Open(sealed, id)
	if err != nil {
		return nil, err
	}
	var copies []entries.Copy
	if _, _, err := canonical.Decode(data, &copies); err != nil {
		return nil, fault.Input.Wrap(err, "not a circle of readers")
	}
	return copies, nil
}
