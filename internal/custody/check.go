package custody

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/fault"
)

// checkStep is how many leaves are read at a time.
const checkStep = 4096

// Check reads a stored log from its first leaf to its last and verifies all of
// it: every hash of the tree is the one its leaves give, the newest checkpoint is
// that of the tree and signed, and the cosigned one is one of its earlier heads.
// progress, if not nil, is told how many leaves are done. What is wrong is a
// fault.Mismatch.
func Check(ctx context.Context, s Storage, policy *Policy, progress func(done, size int64)) (Checkpoint, error) {
	head, err := s.Head(ctx)
	if err != nil {
		return Checkpoint{}, err
	}
	c, _, err := policy.Open(head.Checkpoint)
	if err != nil {
		return Checkpoint{}, err
	}
	if c.Size != head.Size {
		return Checkpoint{}, fault.Mismatch.New("the newest checkpoint is of %d entries, the log has %d", c.Size, head.Size)
	}
	tree, err := rebuild(ctx, s, c.Size, progress)
	if err != nil {
		return Checkpoint{}, err
	}
	root, err := tlog.TreeHash(c.Size, tree)
	if err != nil || root != c.Root {
		return Checkpoint{}, fault.Mismatch.New("the leaves of the log do not give the root of its newest checkpoint")
	}
	return c, checkCosigned(ctx, s, policy, c, tree)
}

// rebuild computes the tree from the leaves and compares every stored hash.
func rebuild(ctx context.Context, s Storage, size int64, progress func(done, size int64)) (rebuilt, error) {
	var tree rebuilt
	for done := int64(0); done < size; {
		leaves, err := s.Leaves(ctx, done, min(checkStep, size-done))
		if err != nil {
			return nil, err
		}
		if len(leaves) == 0 {
			return nil, fault.Mismatch.New("leaf %d is missing", done)
		}
		from := len(tree)
		for i, leaf := range leaves {
			hashes, err := tlog.StoredHashesForRecordHash(done+int64(i), leaf.leaf(), tree)
			if err != nil {
				return nil, fault.Internal.Wrap(err, "compute the tree")
			}
			tree = append(tree, hashes...)
		}
		if err := compare(ctx, s, tree, from); err != nil {
			return nil, err
		}
		done += int64(len(leaves))
		if progress != nil {
			progress(done, size)
		}
	}
	return tree, nil
}

// compare checks the stored hashes from an index on.
func compare(ctx context.Context, s Storage, tree rebuilt, from int) error {
	indexes := make([]int64, 0, len(tree)-from)
	for i := from; i < len(tree); i++ {
		indexes = append(indexes, int64(i))
	}
	stored, err := s.Nodes(ctx, indexes)
	if err != nil {
		return fault.Mismatch.Wrap(err, "the stored tree is not whole")
	}
	for i, h := range stored {
		if h != tree[from+i] {
			level, n := tlog.SplitStoredHashIndex(int64(from + i))
			return fault.Mismatch.New("the stored hash %d at level %d is not that of its leaves", n, level)
		}
	}
	return nil
}

// checkCosigned verifies that what witnesses cosigned is an earlier head.
func checkCosigned(ctx context.Context, s Storage, policy *Policy, head Checkpoint, tree rebuilt) error {
	note, err := s.Cosigned(ctx)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	c, _, err := policy.Open(note)
	if err != nil {
		return err
	}
	if c.Size > head.Size {
		return fault.Mismatch.New("witnesses cosigned %d entries, the log has %d", c.Size, head.Size)
	}
	root, err := tlog.TreeHash(c.Size, tree)
	if err != nil || root != c.Root {
		return fault.Mismatch.New("what witnesses cosigned at %d entries is another log", c.Size)
	}
	return nil
}

// rebuilt holds the hashes of a tree in memory.
type rebuilt []tlog.Hash

// ReadHashes is that of tlog.HashReader.
func (r rebuilt) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		if at >= int64(len(r)) {
			return nil, fault.Internal.New("no hash at %d", at)
		}
		out[i] = r[at]
	}
	return out, nil
}
