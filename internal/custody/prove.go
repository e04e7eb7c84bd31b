package custody

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/fault"
)

// reader reads the hashes of a stored tree.
func reader(ctx context.Context, s Storage) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) { return s.Nodes(ctx, indexes) }
}

// ProveInclusion returns the proof that the leaf at index is in the tree of size
// (RFC 6962, 2.1.1). The tree may be older than the log.
func ProveInclusion(ctx context.Context, s Storage, size, index int64) (tlog.RecordProof, error) {
	if index < 0 || index >= size || size > MaxSize {
		return nil, fault.Usage.New("no leaf %d in a tree of %d", index, size)
	}
	return tlog.ProveRecord(size, index, reader(ctx, s))
}

// ProveConsistency returns the proof that the tree of size to begins with that
// of size from (RFC 6962, 2.1.2); empty for from = 0.
func ProveConsistency(ctx context.Context, s Storage, from, to int64) (tlog.TreeProof, error) {
	if from < 0 || from > to || to > MaxSize {
		return nil, fault.Usage.New("no tree of %d begins with one of %d", to, from)
	}
	return proveConsistency(reader(ctx, s), from, to)
}

// proveConsistency is ProveConsistency from hashes at hand.
func proveConsistency(r tlog.HashReader, from, to int64) (tlog.TreeProof, error) {
	if from == 0 || from == to {
		return nil, nil
	}
	return tlog.ProveTree(to, from, r)
}

// CheckConsistency says whether such a proof shows that the tree of one checkpoint
// begins with that of another.
func CheckConsistency(proof tlog.TreeProof, old, now Checkpoint) bool {
	switch {
	case old.Size == 0:
		return len(proof) == 0
	case old.Size == now.Size:
		return len(proof) == 0 && old.Root == now.Root
	}
	return tlog.CheckTree(proof, now.Size, now.Root, old.Size, old.Root) == nil
}
