package desk

import (
	"bytes"
	"crypto/sha256"
	"strings"

	"chancery/internal/custody"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/keylist"
	"chancery/internal/seal"
	"chancery/internal/seal/kit"
)

// Arrived is a cable at its reader's desk, before the receipt: it cannot be opened
// yet.
type Arrived struct {
	Release      entries.Release
	ReleaseIndex int64
	Issue        entries.Issue
	IssueIndex   int64
	Copy         string // the reader's
	Kit          []byte // sealed
	Key          string // the identity to which the kit is sealed
}

// Check says whether what arrived belongs together: the kit is the one released,
// the issue is of this release.
func (a *Arrived) Check() error {
	if sha256.Sum256(a.Kit) != a.Release.Kit {
		return fault.Mismatch.New("the kit that arrived is not the one that was released")
	}
	if a.Issue.Cable != a.Release.Cable || a.Issue.Release != a.ReleaseIndex || a.Issue.Ask < 0 && a.Issue.N != a.Release.N || a.IssueIndex <= a.ReleaseIndex {
		return fault.Mismatch.New("the issue that arrived is not of this release")
	}
	return nil
}

// Receipt is what the reader signs before the keys are handed over: that this
// arrived, and which log the reader's desk has seen.
func (a *Arrived) Receipt(seen custody.Checkpoint, register entries.Digest, device, tenure string) (entries.Receipt, error) {
	if err := a.Check(); err != nil {
		return entries.Receipt{}, err
	}
	return entries.Receipt{Cable: a.Release.Cable, Release: a.ReleaseIndex, Issue: a.IssueIndex, Copy: a.Copy, Kit: a.Release.Kit,
		Size: seen.Size, Root: entries.Digest(seen.Root), Register: register, Device: device, Tenure: tenure}, nil
}

// Read opens the copy with the keys that were delivered. Everything is checked:
// the keys are those of the issue, the kit's root is the released one, every box
// opens to what was committed to. If anything fails, nothing is returned but
// kit.ErrDisputed, and the desk states a dispute.
func (a *Arrived) Read(delivered []byte, reader *seal.Identity) (string, error) {
	if err := a.Check(); err != nil {
		return "", err
	}
	data, err := seal.Open(delivered, reader)
	if err != nil {
		return "", err
	}
	d, err := entries.ParseDelivery(data)
	if err != nil {
		return "", err
	}
	list, err := keylist.ParseList(d.List)
	if err != nil {
		return "", err
	}
	if !d.Verify(&a.Issue, a.Copy, list.Root()) {
		return "", kit.ErrDisputed
	}
	k, err := a.kit()
	if err != nil {
		return "", err
	}
	texts, err := k.Open(list)
	if err != nil {
		return "", err
	}
	return string(bytes.Join(texts, nil)), nil
}

// takes says whether keys that came are to be tried: those for this copy if there are no
// others, and those that were issued, whatever came before. Nobody signs a delivery, so
// one that is wrong must not keep out the right one.
func (i *Item) takes(d *entries.Delivery) bool {
	if i.Copy == nil || d.Copy != i.Copy.ID || i.Text != "" {
		return false
	}
	list, err := keylist.ParseList(d.List)
	return i.Delivered == nil || err == nil && i.Issue != nil && d.Verify(i.Issue, i.Copy.ID, list.Root())
}

// kit opens the kit, which holds boxes that are still closed.
func (a *Arrived) kit() (*kit.Kit, error) {
	ids, err := seal.ParseIdentities("the key of the cable", []byte(a.Key))
	if err != nil {
		return nil, err
	}
	if len(ids) != 1 || ids[0].Recipient().String() != a.Release.Key {
		return nil, kit.ErrDisputed
	}
	data, err := seal.Open(a.Kit, ids[0])
	if err != nil {
		return nil, err
	}
	k, err := kit.Parse(data)
	if err != nil {
		return nil, err
	}
	if entries.Digest(k.Root()) != a.Release.Root || k.Cable != a.Release.Cable {
		return nil, kit.ErrDisputed
	}
	return k, nil
}

// Subject returns the subject line of an opened copy.
func Subject(text string) string {
	for line := range strings.Lines(text) {
		if s, ok := strings.CutPrefix(line, "Subject: "); ok {
			return strings.TrimSpace(s)
		}
		if strings.TrimSpace(line) == "" {
			break
		}
	}
	return ""
}
