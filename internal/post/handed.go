package post

import "fmt"

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

// HandedFormat marks such files.
const HandedFormat = "chancery-handed/v1"

// An EpochKey is an office's archive key, in the hands of those who sit there.
type EpochKey struct {
	Office string `json:"office"`
	Number int    `json:"number"`
	Secret string `json:"secret"`
}

// EpochName names an archive key among a party's files.
func EpochName(office string, number int) string { return fmt.Sprintf("epoch-%s-%04d", office, number) }
