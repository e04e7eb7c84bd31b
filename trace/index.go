package trace

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"sync"

	"chancery/cable"
)

const (
	// gramWords is the number of words in a row that the index knows cables
	// by. Shorter stretches of words cannot be looked up.
	gramWords = 4
	// pathSteps bounds the nodes visited for the grams that end at one word;
	// cableSteps bounds those visited for one cable, so far as minSteps allows.
	pathSteps  = 1 << 10
	minSteps   = 1 << 4
	cableSteps = 1 << 22
	// An archive of up to fullGrams grams is indexed whole. Of a larger one
	// keptOf256 in 256 grams are kept, chosen by their hash.
	fullGrams = 1 << 22
	keptOf256 = 88
	// commonGram is the number of cables in which a gram may occur; grams of
	// more cables are boilerplate and are left out.
	commonGram = 64
	// bucketGrams is the least mean number of postings in a bucket of a large
	// index; the mean is under twice that.
	bucketGrams = 8

	hashBits  = 40
	cableBits = 24
	// MaxIndexed is the largest number of cables in one index.
	MaxIndexed = 1 << cableBits
)

// An IndexBuilder collects the grams of cables. It keeps 8 bytes a gram, and
// nothing else of a cable. An empty one is made by NewIndexBuilder.
type IndexBuilder struct {
	// parts hold entries, by the high bits of their hash, so that Build keeps
	// to one part of the index at a time. An entry is a hash, then a cable in
	// the low cableBits.
	parts  [1 << partBits][][]uint64
	grams  int
	cables int
	kept   uint64 // of 256
	walk   gramWalk
}

const (
	partBits   = 8
	chunkGrams = 1 << 12 // entries allocated at a time for one part
)

// NewIndexBuilder returns a builder that holds no cable.
func NewIndexBuilder() *IndexBuilder {
	return &IndexBuilder{kept: 256}
}

// Add indexes the next cable; the first is number 0. Every path through the
// lattice counts, one that takes an empty alternative included; the passages
// where somebody put words of their own do not. It panics beyond MaxIndexed
// cables.
//
// The work at each word is bounded: where so many alternatives stand close
// together that more than about 500 wordings of four words end at one word,
// wordings with later alternatives are lost there. A lattice of more than 4096
// nodes has fewer steps a word; one of 2^18 or more has 16, enough for the
// first alternatives only.
func (b *IndexBuilder) Add(l *cable.Lattice) {
	if b.cables == MaxIndexed {
		panic("trace: more cables than an index holds")
	}
	w := &b.walk
	w.start(l)
	for v := range l.Nodes {
		if l.Nodes[v].Word != cable.Silent {
			w.from(int32(v))
		}
	}
	for _, h := range w.grams {
		b.add(h)
	}
	b.cables++
	if b.kept == 256 && b.grams > fullGrams {
		b.thin()
	}
}

func (b *IndexBuilder) add(hash uint64) {
	hash >>= 64 - hashBits
	if hash&255 >= b.kept {
		return
	}
	b.push(hash<<cableBits | uint64(b.cables))
}

func (b *IndexBuilder) push(entry uint64) {
	part := &b.parts[entry>>(cableBits+hashBits-partBits)]
	last := len(*part) - 1
	if last < 0 || len((*part)[last]) == chunkGrams {
		*part = append(*part, make([]uint64, 0, chunkGrams*min(1, last+1)))
		last++
	}
	(*part)[last] = append((*part)[last], entry)
	b.grams++
}

// all yields every entry, part by part.
func (b *IndexBuilder) all(yield func(uint64) bool) {
	for _, part := range b.parts {
		for _, chunk := range part {
			for _, e := range chunk {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// thin drops the grams that a large index does not keep.
func (b *IndexBuilder) thin() {
	whole := IndexBuilder{parts: b.parts}
	b.kept, b.grams = keptOf256, 0
	clear(b.parts[:])
	for e := range whole.all {
		if e>>cableBits&255 < b.kept {
			b.push(e)
		}
	}
}

// A gramWalk collects the hashes of the grams of one lattice. Grams are
// walked backwards, because nodes know what stands before them.
type gramWalk struct {
	lattice *cable.Lattice
	words   []uint64 // hash of each word of the vocabulary
	budget  int      // steps for each word
	steps   int      // left for the word under way
	grams   []uint64
}

func (w *gramWalk) start(l *cable.Lattice) {
	w.lattice, w.words, w.grams = l, w.words[:0], w.grams[:0]
	for _, word := range l.Vocabulary {
		w.words = append(w.words, hashWord(word))
	}
	w.budget = max(minSteps, min(pathSteps, cableSteps/max(1, len(l.Nodes))))
}

// from collects the grams that end at word node v.
func (w *gramWalk) from(v int32) {
	w.steps = w.budget
	w.back(v, 0, gramWords)
}

// back goes on from a partial gram to node v, with so many words to come.
func (w *gramWalk) back(v int32, hash uint64, left int) {
	if w.steps == 0 {
		return
	}
	w.steps--
	n := &w.lattice.Nodes[v]
	if n.Word != cable.Silent {
		hash = addWord(hash, w.words[n.Word])
		if left--; left == 0 {
			w.grams = append(w.grams, finish(hash))
			return
		}
	} else if n.Cluster >= 0 && w.lattice.Clusters[n.Cluster].Other == v {
		return
	}
	for _, u := range n.Prev {
		w.back(u, hash, left)
	}
}

// hashWord is FNV-1a. It has no key: an index is the same wherever it is
// built, and a false candidate costs one alignment.
func hashWord(word string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(word) {
		h = (h ^ uint64(word[i])) * 1099511628211
	}
	return h ^ h>>32
}

// addWord adds a word before a partial gram.
func addWord(hash, word uint64) uint64 {
	return (hash + word) * 0x9e3779b97f4a7c15
}

// finish mixes the hash of a whole gram, so that every bit depends on it all.
func finish(hash uint64) uint64 {
	hash = (hash ^ hash>>32) * 0xd6e8feb86659fd93
	return hash ^ hash>>32
}

// An Index finds the cables that share words with a stretch of text, in any
// wording their drafts allow. It is read-only and may be shared.
//
// A gram is four normalised words in a row. Its hash picks a bucket; a
// posting of 4 bytes holds as much more of the hash as there is room for,
// and the number of a cable.
type Index struct {
	starts   []uint32 // postings of bucket k: postings[starts[k]:starts[k+1]]
	postings []uint32 // sorted in each bucket
	cables   int
	kept     uint64 // of 256
	bucket   int    // bits of the hash that pick the bucket
	number   int    // bits of a posting that are the cable's number
	rest     int    // bits of a posting that are hash
	rarity   [commonGram + 1]uint32
	searches sync.Pool // of *search
}

// Build makes the index. The builder is empty afterwards. The index depends
// on the cables and their order alone.
func (b *IndexBuilder) Build() *Index {
	x := &Index{cables: b.cables, kept: b.kept, number: bits.Len(uint(max(1, b.cables) - 1))}
	x.bucket = max(0, bits.Len(uint(b.grams/bucketGrams))-1)
	x.rest = min(32-x.number, hashBits-x.bucket)
	for df := 1; df <= commonGram; df++ {
		x.rarity[df] = uint32(math.Round(rarityStep * math.Log2(1+float64(b.cables)/float64(df))))
	}
	x.searches.New = func() any { return new(search) }
	x.place(b)
	*b = *NewIndexBuilder()
	x.settle()
	return x
}

// place puts the builder's entries into their buckets, in any order.
func (x *Index) place(b *IndexBuilder) {
	x.starts, x.postings = make([]uint32, 1<<x.bucket+1), make([]uint32, b.grams)
	shift := cableBits + hashBits - x.bucket
	for e := range b.all {
		x.starts[e>>shift]++
	}
	end := uint32(0)
	for k := range x.starts {
		end += x.starts[k]
		x.starts[k] = end
	}
	for e := range b.all {
		at := &x.starts[e>>shift]
		*at--
		x.postings[*at] = x.posting(e>>cableBits)<<x.number | uint32(e&(MaxIndexed-1))
	}
}

// posting returns the part of a gram's hash that its postings hold.
func (x *Index) posting(hash uint64) uint32 {
	return uint32(hash << (64 - hashBits + x.bucket) >> (64 - x.rest))
}

// settle sorts each bucket, and drops repeated and common grams.
func (x *Index) settle() {
	end := 0
	for k := range len(x.starts) - 1 {
		bucket := x.postings[x.starts[k]:x.starts[k+1]]
		x.starts[k] = uint32(end)
		slices.Sort(bucket)
		for bucket = slices.Compact(bucket); len(bucket) > 0; {
			n := x.run(bucket)
			if n <= commonGram {
				end += copy(x.postings[end:], bucket[:n])
			}
			bucket = bucket[n:]
		}
	}
	x.starts[len(x.starts)-1] = uint32(end)
	x.postings = slices.Clone(x.postings[:end])
}

// run returns how many postings have the hash of the first.
func (x *Index) run(postings []uint32) int {
	n := 1
	for n < len(postings) && postings[n]>>x.number == postings[0]>>x.number {
		n++
	}
	return n
}

// Size returns the memory of the index, in bytes.
func (x *Index) Size() int { return 4 * (len(x.starts) + len(x.postings)) }

// Kept returns the share of grams that the index keeps: 1 unless the archive
// is large.
func (x *Index) Kept() float64 { return float64(x.kept) / 256 }

// rarityStep is the resolution of Hit.Rarity, in parts of a bit.
const rarityStep = 16

// A Hit is a cable that shares grams with the words looked up.
type Hit struct {
	Cable int // its place in the order of Add, from 0
	Grams int // grams shared, of those the index keeps
	// Rarity is the sum over those grams of log2(1 + N/n), for a gram found
	// in n of the N cables, in 1/16 bit. It ranks candidates, and is no
	// evidence: only an alignment is.
	Rarity int
}

// A search is the scratch memory of one look-up.
type search struct {
	found []uint64 // cable, then rarity in the low 32 bits
}

// Lookup returns the at most n cables that share the rarest grams with the
// words, best first, and the lower number first among equals. Words are
// normalised, as cable.Words returns them. It finds nothing among fewer than
// four words, in boilerplate that more than 64 cables share, or by chance
// where few words are unaltered, since a large index keeps 11 of 32 grams.
func (x *Index) Lookup(words []string, n int) []Hit {
	s := x.searches.Get().(*search)
	defer x.searches.Put(s)
	s.found = s.found[:0]
	var last [gramWords]uint64 // hashes of the latest words, latest first
	for i, word := range words {
		copy(last[1:], last[:])
		last[0] = hashWord(word)
		if i < gramWords-1 {
			continue
		}
		hash := uint64(0)
		for _, h := range last {
			hash = addWord(hash, h)
		}
		x.find(s, finish(hash)>>(64-hashBits))
	}
	slices.Sort(s.found)
	return s.best(n)
}

// find adds the cables that hold a gram.
func (x *Index) find(s *search, hash uint64) {
	if hash&255 >= x.kept {
		return
	}
	k, want := hash>>(hashBits-x.bucket), x.posting(hash)
	bucket := x.postings[x.starts[k]:x.starts[k+1]]
	for len(bucket) > 0 && bucket[0]>>x.number < want {
		bucket = bucket[1:]
	}
	if len(bucket) == 0 || bucket[0]>>x.number != want {
		return
	}
	bucket = bucket[:x.run(bucket)]
	rarity := uint64(x.rarity[len(bucket)])
	for _, p := range bucket {
		s.found = append(s.found, uint64(p&(1<<x.number-1))<<32|rarity)
	}
}

// best adds up what was found for each cable and returns the n rarest.
func (s *search) best(n int) []Hit {
	var out []Hit
	for i := 0; i < len(s.found); {
		h := Hit{Cable: int(s.found[i] >> 32)}
		for ; i < len(s.found) && int(s.found[i]>>32) == h.Cable; i++ {
			h.Grams++
			h.Rarity += int(uint32(s.found[i]))
		}
		out = insertHit(out, h, n)
	}
	return out
}

// insertHit keeps hits sorted and at most n.
func insertHit(hits []Hit, h Hit, n int) []Hit {
	at, _ := slices.BinarySearchFunc(hits, h, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.Rarity, a.Rarity), cmp.Compare(a.Cable, b.Cable))
	})
	if at >= n {
		return hits
	}
	if hits == nil {
		hits = make([]Hit, 0, n+1)
	}
	hits = slices.Insert(hits, at, h)
	return hits[:min(n, len(hits))]
}
