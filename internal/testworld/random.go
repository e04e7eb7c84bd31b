// Package testworld is the world that whole-path tests play in: drafts made
// of ordinary prose, the slips of typists, the house styles of newspapers,
// reports written around a leak, and readers who combine or falsify copies.
//
// Everything in it is a function of its arguments and of a generator that
// the test seeds, so that a failure happens again. It is for tests alone: no
// part of the product may import it. It reads no file, and knows nothing of
// how a leak is traced.
package testworld

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Source returns a stream of random bytes that is fixed by a seed and by the
// names of what it is for. Streams with different names are independent.
func Source(seed uint64, names ...string) *rand.ChaCha8 {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, seed))
	for _, name := range names {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(name))))
		h.Write([]byte(name))
	}
	return rand.NewChaCha8([32]byte(h.Sum(nil)))
}

// Random returns a generator over the stream that [Source] returns.
func Random(seed uint64, names ...string) *rand.Rand {
	return rand.New(Source(seed, names...))
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
