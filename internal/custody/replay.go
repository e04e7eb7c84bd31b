package custody

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/fault"
)

// Replay puts back entries that a stored log lost, from a mirror: the tree that they
// give must be that of the checkpoint, which the log itself signed. Nothing is signed
// anew, so a log that was completed is the one that everybody saw.
func Replay(ctx context.Context, s Storage, policy *Policy, tail []Submission, checkpoint []byte) error {
	want, _, err := policy.Open(checkpoint)
	if err != nil {
		return err
	}
	return s.Sequence(ctx, func(tx Tx) (*Batch, error) {
		head, err := tx.Head()
		if err != nil {
			return nil, err
		}
		t := &growing{tx: tx, size: head.Size}
		for i, one := range tail {
			hashes, err := tlog.StoredHashesForRecordHash(t.size+int64(i), one.Commitment.leaf(), t)
			if err != nil {
				return nil, err
			}
			t.nodes = append(t.nodes, hashes...)
		}
		size := head.Size + int64(len(tail))
		root, err := tlog.TreeHash(size, t)
		if err != nil {
			return nil, err
		}
		if size != want.Size || root != want.Root {
			return nil, fault.Mismatch.New("the mirror does not continue this log: %d entries and those of the mirror are not the log of %d that was signed", head.Size, want.Size)
		}
		return &Batch{tail, t.nodes, checkpoint}, nil
	})
}
