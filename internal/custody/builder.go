package custody

import (
	"encoding/binary"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/fault"
)

// TileWidth is how many entries a tile holds.
const TileWidth = tileWidth

// EntriesPath is where the n-th tile of entries lies, of a width up to TileWidth.
func EntriesPath(n int64, width int) string {
	path := tlog.Tile{H: tileHeight, L: -1, N: n, W: width}.Path() // tile/8/data/...
	return "tile/entries/" + strings.TrimPrefix(path, "tile/8/data/")
}

// ParseEntries reads a tile of entries: leaves preceded by their length.
func ParseEntries(data []byte) ([]Commitment, error) {
	const size = 2 + len(Commitment{})
	if len(data)%size != 0 {
		return nil, fault.Input.New("not a tile of entries")
	}
	var out []Commitment
	for ; len(data) > 0; data = data[size:] {
		if int(binary.BigEndian.Uint16(data)) != len(Commitment{}) {
			return nil, fault.Input.New("not a tile of entries")
		}
		out = append(out, Commitment(data[2:size]))
	}
	return out, nil
}

// A Builder computes the root of a log from its leaves.
type Builder struct {
	tree rebuilt
	n    int64
}

// Add adds leaves.
func (b *Builder) Add(leaves ...Commitment) error {
	for _, leaf := range leaves {
		hashes, err := tlog.StoredHashesForRecordHash(b.n, leaf.leaf(), b.tree)
		if err != nil {
			return fault.Internal.Wrap(err, "compute the tree")
		}
		b.tree, b.n = append(b.tree, hashes...), b.n+1
	}
	return nil
}

// Root returns the root.
func (b *Builder) Root() (tlog.Hash, error) { return tlog.TreeHash(b.n, b.tree) }
