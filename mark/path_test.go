package mark_test

import (
	"encoding/binary"
	"testing"

	"chancery/mark"
)

// TestPaths proves every leaf of trees of many sizes, and nothing else.
func TestPaths(t *testing.T) {
	for n := 1; n <= 40; n++ {
		leaves := make([]mark.Hash, n)
		for i := range leaves {
			binary.BigEndian.PutUint64(leaves[i][:], uint64(i)+1)
		}
		root := mark.Root(leaves)
		for i, leaf := range leaves {
			path := mark.NewTree(leaves).Path(i)
			if !mark.VerifyPath(root, n, i, leaf, path) {
				t.Fatalf("leaf %d of %d is not proven", i, n)
			}
			other := leaf
			other[31] ^= 1
			if mark.VerifyPath(root, n, i, other, path) || mark.VerifyPath(root, n, (i+1)%n, leaf, path) && n > 1 ||
				mark.VerifyPath(root, n, i, leaf, append(path, leaf)) || mark.VerifyPath(root, n, n, leaf, path) || mark.VerifyPath(root, n, -1, leaf, path) {
				t.Fatalf("leaf %d of %d is proven twice", i, n)
			}
		}
	}
}
