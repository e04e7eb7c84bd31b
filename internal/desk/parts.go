package desk

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"chancery/internal/courier"
	"chancery/internal/custody"
	"chancery/internal/fault"
	"chancery/internal/post"
)

// Letters to many are kept in parts, in files of their own, until their entry stands in
// the log: the very same are sent again after a crash, and never lie in memory together.

const partPrefix = "letters-"

func partsOf(c custody.Commitment) string { return partPrefix + hex.EncodeToString(c[:]) + "-" }

func partName(c custody.Commitment, from int) string { return fmt.Sprintf("%s%05d", partsOf(c), from) }

// seal seals letters and keeps the parts of many.
func (d *Desk) seal(m *post.Mailing) (custody.Submission, error) {
	return m.Seal(func(from int, part []custody.Body) error {
		return d.Vault.Put(partName(m.Commitment(), from), part)
	})
}

// submit sends an entry with its letters and returns its place in the log.
func (d *Desk) submit(ctx context.Context, s custody.Submission) (int64, error) {
	for from := 0; from < s.Staged.Count; {
		var part []custody.Body
		if err := d.Vault.Get(partName(s.Commitment, from), &part); err != nil {
			return 0, err
		}
		if len(part) == 0 {
			return 0, fault.Internal.New("a part of the letters about an entry is empty")
		}
		if err := d.Client.Stage(ctx, s.Commitment, from, part); err != nil {
			return 0, err
		}
		from += len(part)
	}
	return courier.Submit(ctx, d.Client, s)
}

// dropParts removes the letters of an entry that stands in the log.
func (d *Desk) dropParts(s custody.Submission) error {
	if s.Staged.Count == 0 {
		return nil
	}
	return d.dropNames(partsOf(s.Commitment), func(string) bool { return true })
}

// dropStray removes letters that no entry waits for: a crash came between.
func (d *Desk) dropStray() error {
	waits := map[string]bool{}
	note := func(s custody.Submission) { waits[partsOf(s.Commitment)] = true }
	for _, o := range d.out {
		if o.Ready != nil {
			note(o.Ready.Submission)
		}
	}
	for _, i := range d.items {
		if i.Sending != nil {
			note(i.Sending.Submission)
		}
	}
	return d.dropNames(partPrefix, func(name string) bool { return !waits[name[:strings.LastIndex(name, "-")+1]] })
}

func (d *Desk) dropNames(prefix string, drop func(name string) bool) error {
	names, err := d.Vault.Names(prefix)
	if err != nil {
		return err
	}
	for _, name := range names {
		if drop(name) {
			if err := d.Vault.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}
