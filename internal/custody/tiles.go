package custody

import (
	"context"
	"encoding/binary"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/fault"
)

// Tiles are 256 hashes wide (C2SP tlog-tiles).
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// A tile names a resource of C2SP tlog-tiles: hashes at a level of the tree, or
// the entries under a tile of level 0.
type tile struct {
	entries bool
	level   int
	n       int64
	width   int
}

var tilePath = regexp.MustCompile(`^tile/(entries|0|[1-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(\.p/([1-9][0-9]{0,2}))?$`)

// parseTile reads the path of a tile. Each tile has one path.
func parseTile(path string) (tile, error) {
	bad := fault.NotFound.New("%q names no tile", fault.Clip(path, maxQuoted))
	m := tilePath.FindStringSubmatch(path)
	if m == nil || len(path) > 64 || strings.HasPrefix(m[2], "x000/") {
		return tile{}, bad
	}
	t := tile{entries: m[1] == "entries", width: tileWidth}
	var err error
	if !t.entries {
		t.level, err = strconv.Atoi(m[1])
	}
	if err == nil {
		t.n, err = strconv.ParseInt(strings.ReplaceAll(strings.ReplaceAll(m[2], "x", ""), "/", ""), 10, 64)
	}
	if err == nil && m[4] != "" {
		t.width, err = strconv.Atoi(m[4])
	}
	// No log of MaxSize has a hash beyond these.
	if err != nil || t.width > tileWidth || m[4] != "" && t.width == tileWidth || t.level > 5 || t.n > MaxSize>>tileHeight {
		return tile{}, bad
	}
	return t, nil
}

// Tile returns the content of the resource at a path of C2SP tlog-tiles, below
// the log's prefix: "tile/<L>/<N>[.p/<W>]" or "tile/entries/<N>[.p/<W>]". It is
// fault.NotFound where the log does not reach that far.
func Tile(ctx context.Context, s Storage, path string) ([]byte, error) {
	t, err := parseTile(path)
	if err != nil {
		return nil, err
	}
	head, err := s.Head(ctx)
	if err != nil {
		return nil, err
	}
	start := t.n*tileWidth + int64(t.width)
	if start > head.Size>>(tileHeight*t.level) {
		return nil, fault.NotFound.New("the log has no %q yet", path)
	}
	if t.entries {
		return entries(ctx, s, t)
	}
	return tlog.ReadTileData(tlog.Tile{H: tileHeight, L: t.level, N: t.n, W: t.width}, reader(ctx, s))
}

// entries returns an entry bundle: leaves preceded by their length.
func entries(ctx context.Context, s Storage, t tile) ([]byte, error) {
	leaves, err := s.Leaves(ctx, t.n*tileWidth, int64(t.width))
	if err != nil {
		return nil, err
	}
	if len(leaves) != t.width {
		return nil, fault.System.New("the store has %d leaves of a tile of %d", len(leaves), t.width)
	}
	out := make([]byte, 0, t.width*(2+len(Commitment{})))
	for _, c := range leaves {
		out = binary.BigEndian.AppendUint16(out, uint16(len(c)))
		out = append(out, c[:]...)
	}
	return out, nil
}
