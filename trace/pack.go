package trace

// packed holds codewords of the observed groups, several groups to a byte, so
// that a score is one table look-up a byte.
type packed struct {
	sizes  []int
	blocks [][]int   // groups in each byte, by position in sizes
	bytes  [][]uint8 // bytes[b][i]: byte b of copy i
	n      int
}

// pack packs n codewords as densely as bytes allow; symbol(i, k) is copy i's
// symbol in group k.
func pack(sizes []int, n int, symbol func(i, k int) int) *packed {
	return packInto(256, sizes, n, symbol)
}

// packInto packs with at most so many values a byte.
func packInto(values int, sizes []int, n int, symbol func(i, k int) int) *packed {
	p := &packed{sizes: sizes, n: n}
	product := values + 1
	for k, q := range sizes {
		if product*q > values {
			p.blocks, product = append(p.blocks, nil), 1
		}
		last := len(p.blocks) - 1
		p.blocks[last] = append(p.blocks[last], k)
		product *= q
	}
	for _, block := range p.blocks {
		row := make([]uint8, n)
		for i := range row {
			v, radix := 0, 1
			for _, k := range block {
				v += symbol(i, k) * radix
				radix *= sizes[k]
			}
			row[i] = uint8(v)
		}
		p.bytes = append(p.bytes, row)
	}
	return p
}

// blockTable is the score of every value of one byte.
type blockTable [256]int32

// tables fills one table a byte from the scores of each group, and returns
// the largest score of each byte.
func (p *packed) tables(out []blockTable, best []int32, scores func(k int) []int32) {
	for b := range p.blocks {
		best[b] = p.fill(b, &out[b], scores)
	}
}

// fill fills the table of byte b and returns its largest score.
func (p *packed) fill(b int, t *blockTable, scores func(k int) []int32) int32 {
	n := 1
	t[0] = 0
	for _, k := range p.blocks[b] {
		row := scores(k)
		for x := len(row) - 1; x >= 0; x-- {
			s, at := row[x], x*n
			for v := 0; v < n; v++ {
				t[at+v] = t[v] + s
			}
		}
		n *= len(row)
	}
	top := t[0]
	for _, v := range t[1:n] {
		top = max(top, v)
	}
	return top
}
