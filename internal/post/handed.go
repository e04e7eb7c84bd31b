package post

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"chancery/internal/canonical"
	"chancery/internal/fault"
	"chancery/internal/seal"
)

// Handed is what one party hands to another beside the log, sealed: an archive key of
// an office; or, at a handover, all of them with an inventory; or a custodian's share
// of one.
type Handed struct {
	Format    string     `json:"format"`
	Office    string     `json:"office"`
	Keys      []EpochKey `json:"keys,omitempty"`
	Statement []byte     `json:"statement,omitempty"` // handover, signed by who leaves
	Inventory []string   `json:"inventory,omitempty"`
	Salt      []byte     `json:"salt,omitempty"` // of the inventory
	Number    int        `json:"number,omitempty"`
	Share     []byte     `json:"share,omitempty"`
	Vector    []byte     `json:"vector,omitempty"`
	Sealed    []byte     `json:"sealed,omitempty"` // the key, under what the shares restore
	By        string     `json:"by,omitempty"`
}

// handedFormat marks such files.
const handedFormat = "chancery-handed/v1"

// Seal seals what is handed over to a recipient.
func (h Handed) Seal(recipient string) ([]byte, error) {
	h.Format = handedFormat
	data, err := json.Marshal(h)
	if err != nil {
		return nil, fault.Internal.Wrap(err, "hand over")
	}
	return seal.SealTo(data, recipient)
}

// Limits on what is handed over: anybody may hand anything to anybody, and who takes it
// keeps it.
const (
	maxHanded = 16 << 20
	maxSecret = 64 << 10 // a statement, a share, its vector, the key under it
)

// ParseHanded reads what was handed over, once it was opened; false if it is something
// else.
func ParseHanded(data []byte) (h Handed, ok bool) {
	if len(data) > maxHanded {
		return h, false
	}
	_, _, err := canonical.Decode(data, &h)
	long := max(len(h.Statement), len(h.Share), len(h.Vector), len(h.Sealed)) > maxSecret
	return h, err == nil && h.Format == handedFormat && !long
}

// OfShare is what a share of an archive key is kept with, and no more.
func (h Handed) OfShare() Handed {
	return Handed{Format: h.Format, Office: h.Office, Number: h.Number, Share: h.Share, Vector: h.Vector, Sealed: h.Sealed}
}

// An EpochKey is an office's archive key, in the hands of those who sit there.
type EpochKey struct {
	Office string `json:"office"`
	Number int    `json:"number"`
	Secret string `json:"secret"`
}

// EpochName names an archive key, or a share of one, among a party's files. Anybody can
// hand over anything under an office's name, so several may stand beside each other:
// tag is of what tells them apart, and the directory says which is the office's.
func EpochName(office string, number int, tag []byte) string {
	sum := sha256.Sum256(tag)
	return fmt.Sprintf("%s%04d-%x", EpochPrefix(office), number, sum[:8])
}

// EpochPrefix begins the names of an office's, and EpochsPrefix those of all.
func EpochPrefix(office string) string { return EpochsPrefix + office + "-" }

// EpochsPrefix begins the names of all archive keys.
const EpochsPrefix = "epoch-"
