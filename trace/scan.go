package trace

import (
	"cmp"
	"math/bits"
	"slices"
)

// Scoring every copy is a walk through memory. Two layouts are kept: BitMatrix
// for groups of two alternatives whose scores fall into few classes, and
// SymbolMatrix for any groups and any scores. Both are exact.

// Classes is the number of weight classes of a BitMatrix.
const Classes = 3

// Unread stands for the symbol of a site that the leak does not show.
const Unread = -1

// A BitMatrix holds the codewords of many copies at binary sites, each copy's
// bits side by side: 32 bytes a copy for up to 200 sites, and for most divisions
// into classes up to 256; 32 more for every 256 more or part of them. Each
// site belongs to one of three classes, and the matches in a class weigh the
// same.
//
// Sites are ordered so that a 64-bit word holds one class, whose matches are
// counted. Only the last word may be mixed, where that saves a quad: it holds
// two classes, counted one by one, or at most eight sites, looked up as a byte.
//
// Set and Scores must not be called at the same time; Scores may be called by
// several goroutines.
type BitMatrix struct {
	copies int
	rows   [][]quad // by quad of the layout, then copy
	places []place  // by site
	class  []int    // by word: the class of its first site, -1 if it has none
	mixed  []int    // sites of the last word, by bit; nil if that is of one class
	second uint64   // bits of a mixed word of two classes that are of the other
	sites  []int    // class of each site
}

// A quad is 256 bits of one copy.
type quad [4]uint64

// A place is where a site's bit stands in each copy's row.
type place struct{ word, bit int }

// NewBitMatrix makes a matrix of so many copies, all bits 0. classes[i] is the
// class of site i, from 0 to Classes-1.
func NewBitMatrix(classes []int, copies int) *BitMatrix {
	m := &BitMatrix{copies: copies, places: make([]place, len(classes)), sites: slices.Clone(classes)}
	m.lay(classWords(classes))
	for range len(m.class) / len(quad{}) {
		m.rows = append(m.rows, make([]quad, copies))
	}
	return m
}

// classWords cuts the sites of each class into words of at most 64, the fullest
// words first.
func classWords(classes []int) [][]int {
	var open [Classes][]int
	var words [][]int
	for site, c := range classes {
		if open[c] = append(open[c], site); len(open[c]) == 64 {
			words, open[c] = append(words, open[c]), nil
		}
	}
	for _, sites := range open {
		if len(sites) > 0 {
			words = append(words, sites)
		}
	}
	slices.SortStableFunc(words, func(a, b []int) int { return cmp.Compare(len(b), len(a)) })
	return words
}

// lay gives every site its place.
func (m *BitMatrix) lay(words [][]int) {
	slots := (len(m.sites) + 255) / 256 * 4
	if len(words) > slots {
		last := slices.Concat(words[slots-1:]...)
		two := len(words) == slots+1 && len(last) <= 64
		if two || len(last) <= 8 {
			words, m.mixed = append(words[:slots-1], last), last
		} else {
			slots += 4
		}
	}
	m.class = slices.Repeat([]int{-1}, slots)
	for i, sites := range words {
		m.class[i] = m.sites[sites[0]]
		for bit, site := range sites {
			m.places[site] = place{i, bit}
			if m.sites[site] != m.class[i] {
				m.second |= 1 << bit
			}
		}
	}
}

// Set sets the bit, 0 or 1, of copy i at one site.
func (m *BitMatrix) Set(i, site, bit int) {
	p := m.places[site]
	w := &m.rows[p.word/4][i][p.word%4]
	*w = *w&^(1<<p.bit) | uint64(bit)<<p.bit
}

// Scores writes to out[i], for each copy i, the sum of the weights of the
// sites where it has the bit that was read: weights[c] for a site of class c.
// read[k] is 0, 1 or Unread for site k; a site unread counts nothing. Weights
// may be negative; sums must fit an int32. It panics when read is shorter
// than the number of sites, or out than the number of copies.
func (m *BitMatrix) Scores(read []int, weights [Classes]int32, out []int32) {
	out = out[:m.copies]
	clear(out)
	flips, masks := m.compare(read)
	for k, rows := range m.rows {
		c := counting{flip: quad(flips[4*k:]), mask: quad(masks[4*k:])}
		for i, class := range m.class[4*k : 4*k+4] {
			if class >= 0 {
				c.weight[i] = weights[class]
			}
		}
		switch last := k == len(m.rows)-1; {
		case last && len(m.mixed) > 8:
			c.second, c.mask[3] = c.mask[3]&m.second, c.mask[3]&^m.second
			other := m.mixed[bits.TrailingZeros64(m.second)]
			c.addTwo(rows, weights[m.sites[other]], out)
		case last && len(m.mixed) > 0:
			c.addByte(rows, m.byteTable(read, weights), out)
		default:
			c.add(rows, out)
		}
	}
}

// compare returns, for each word, what turns its matches into ones, and
// which bits of it were read.
func (m *BitMatrix) compare(read []int) (flips, masks []uint64) {
	flips, masks = make([]uint64, len(m.class)), make([]uint64, len(m.class))
	for site, bit := range read[:len(m.places)] {
		p := m.places[site]
		if bit != Unread {
			flips[p.word] |= uint64(1-bit) << p.bit
			masks[p.word] |= 1 << p.bit
		}
	}
	return flips, masks
}

// byteTable returns the score of each value of the mixed byte.
func (m *BitMatrix) byteTable(read []int, weights [Classes]int32) *blockTable {
	two := slices.Repeat([]int{2}, len(m.mixed))
	tables, best := make([]blockTable, 1), make([]int32, 1)
	pack(two, 0, nil).tables(tables, best, func(k int) []int32 {
		score := make([]int32, 2)
		if site := m.mixed[k]; read[site] != Unread {
			score[read[site]] = weights[m.sites[site]]
		}
		return score
	})
	return &tables[0]
}

// A counting is how the words of one quad are counted: the matches of x are
// the ones of (x ^ flip) & mask.
type counting struct {
	flip, mask quad
	second     uint64 // of the last word: mask of another class
	weight     [4]int32
}

// add adds to out the weighted matches of the four words of each row.
func (c *counting) add(rows []quad, out []int32) {
	out = out[:len(rows)]
	f, k, w := c.flip, c.mask, c.weight
	f0, f1, f2, f3 := f[0], f[1], f[2], f[3]
	k0, k1, k2, k3 := k[0], k[1], k[2], k[3]
	w0, w1, w2, w3 := w[0], w[1], w[2], w[3]
	for i := range rows {
		r := &rows[i]
		out[i] += w0*ones((r[0]^f0)&k0) + w1*ones((r[1]^f1)&k1) + w2*ones((r[2]^f2)&k2) + w3*ones((r[3]^f3)&k3)
	}
}

// addTwo is add for a last word of two classes, the other of weight w4.
func (c *counting) addTwo(rows []quad, w4 int32, out []int32) {
	out = out[:len(rows)]
	f, k, w := c.flip, c.mask, c.weight
	f0, f1, f2, f3 := f[0], f[1], f[2], f[3]
	k0, k1, k2, k3, k4 := k[0], k[1], k[2], k[3], c.second
	w0, w1, w2, w3 := w[0], w[1], w[2], w[3]
	for i := range rows {
		r := &rows[i]
		x := r[3] ^ f3
		out[i] += w0*ones((r[0]^f0)&k0) + w1*ones((r[1]^f1)&k1) + w2*ones((r[2]^f2)&k2) + w3*ones(x&k3) + w4*ones(x&k4)
	}
}

// addByte is add for a last word of one mixed byte.
func (c *counting) addByte(rows []quad, table *blockTable, out []int32) {
	out = out[:len(rows)]
	f, k, w := c.flip, c.mask, c.weight
	f0, f1, f2 := f[0], f[1], f[2]
	k0, k1, k2 := k[0], k[1], k[2]
	w0, w1, w2 := w[0], w[1], w[2]
	for i := range rows {
		r := &rows[i]
		out[i] += w0*ones((r[0]^f0)&k0) + w1*ones((r[1]^f1)&k1) + w2*ones((r[2]^f2)&k2) + table[uint8(r[3])]
	}
}

func ones(x uint64) int32 { return int32(bits.OnesCount64(x)) }

// A SymbolMatrix holds the codewords of many copies at groups of any size and
// scores them by any scores, one table look-up for every few groups. It takes
// one byte a copy for as many groups as have at most 256 joint symbols: eight
// binary ones.
type SymbolMatrix struct{ packed *packed }

// NewSymbolMatrix makes a matrix of n copies; symbol(i, k) is copy i's symbol
// in group k, from 0 to sizes[k]-1, and no size is over 256.
func NewSymbolMatrix(sizes []int, n int, symbol func(i, k int) int) *SymbolMatrix {
	return &SymbolMatrix{pack(sizes, n, symbol)}
}

// scanned is the number of copies whose sums are under way at a time, so that
// they stay in the nearest cache.
const scanned = 2048

// Scores writes to out[i], for each copy i, the sum over groups k of
// scores[k][x], x being its symbol there. Sums must fit an int32. It panics
// when out is shorter than the number of copies.
func (m *SymbolMatrix) Scores(scores [][]int32, out []int32) {
	p := m.packed
	tables, best := make([]blockTable, len(p.blocks)), make([]int32, len(p.blocks))
	p.tables(tables, best, func(k int) []int32 { return scores[k] })
	out = out[:p.n]
	clear(out)
	for from := 0; from < p.n; from += scanned {
		p.look(tables, from, out[from:min(from+scanned, p.n)])
	}
}

// look adds to out the scores of the copies from the given one on, four bytes
// of each at a time.
func (p *packed) look(tables []blockTable, from int, out []int32) {
	row := func(b int) []uint8 { return p.bytes[b][from:][:len(out)] }
	b := 0
	for ; b+4 <= len(tables); b += 4 {
		t0, t1, t2, t3 := &tables[b], &tables[b+1], &tables[b+2], &tables[b+3]
		r0, r1, r2, r3 := row(b), row(b+1), row(b+2), row(b+3)
		for i := range out {
			out[i] += t0[r0[i]] + t1[r1[i]] + t2[r2[i]] + t3[r3[i]]
		}
	}
	for ; b < len(tables); b++ {
		t, r := &tables[b], row(b)
		for i := range out {
			out[i] += t[r[i]]
		}
	}
}
