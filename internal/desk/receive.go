package desk

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strings"

	"chancery/internal/custody"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/keylist"
	"chancery/internal/seal"
	"chancery/internal/seal/kit"
	"chancery/mark"
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
	k, err := a.kit()
	if err != nil {
		return "", err
	}
	if keylist.IsParts(d.List) {
		return a.extract(k, d)
	}
	list, err := keylist.ParseList(d.List)
	if err != nil {
		return "", err
	}
	if !d.Verify(&a.Issue, a.Copy, list.Root()) {
		return "", kit.ErrDisputed
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
	root, err := listRoot(d.List)
	return i.Delivered == nil || err == nil && i.Issue != nil && d.Verify(i.Issue, i.Copy.ID, root)
}

// listRoot is the root of a key list, or of an extract's.
func listRoot(list []byte) (mark.Hash, error) {
	if keylist.IsParts(list) {
		parts, err := keylist.ParseParts(list)
		if err != nil {
			return mark.Hash{}, err
		}
		return parts.Root(), nil
	}
	all, err := keylist.ParseList(list)
	if err != nil {
		return mark.Hash{}, err
	}
	return all.Root(), nil
}

// omitted stands where an extract leaves something out.
const omitted = "[...]\n\n"

// extract opens some segments of a cable.
func (a *Arrived) extract(k *kit.Kit, d *entries.Delivery) (string, error) {
	parts, err := keylist.ParseParts(d.List)
	if err != nil {
		return "", err
	}
	if !d.Verify(&a.Issue, a.Copy, parts.Root()) {
		return "", kit.ErrDisputed
	}
	texts, err := k.OpenParts(parts)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("Extract-Of: " + a.Release.Reference + "\n\n")
	next := 0
	for i, p := range parts {
		if p.Segment != next {
			b.WriteString(omitted)
		}
		b.Write(texts[i])
		next = p.Segment + 1
	}
	return b.String(), nil
}

// segmentsOf returns the segments of an opened copy in which paragraphs, from 1, lie.
func (a *Arrived) segmentsOf(delivered []byte, reader *seal.Identity, paragraphs []int) ([]int, error) {
	data, err := seal.Open(delivered, reader)
	if err != nil {
		return nil, err
	}
	d, err := entries.ParseDelivery(data)
	if err != nil {
		return nil, err
	}
	list, err := keylist.ParseList(d.List)
	if err != nil {
		return nil, fault.Permission.Wrap(err, "an extract cannot be passed on")
	}
	k, err := a.kit()
	if err != nil {
		return nil, err
	}
	texts, err := k.Open(list)
	if err != nil {
		return nil, err
	}
	var out []int
	paragraph := 0 // the header
	for j, text := range texts {
		if bytes.HasPrefix(text, []byte(separator)) {
			break // the list of attachments, with their keys
		}
		// A segment lies in one paragraph and ends with it.
		if paragraph > 0 && slices.Contains(paragraphs, paragraph) {
			out = append(out, j)
		}
		if bytes.HasSuffix(text, []byte("\n\n")) || paragraph == 0 && bytes.HasSuffix(text, []byte("\n")) && endsHeader(texts[:j+1]) {
			paragraph++
		}
	}
	if len(out) == 0 {
		return nil, fault.Usage.New("the cable has no such paragraph")
	}
	return out, nil
}

// endsHeader says whether segments so far are the header.
func endsHeader(texts [][]byte) bool { return bytes.HasSuffix(bytes.Join(texts, nil), []byte("\n\n")) }

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
