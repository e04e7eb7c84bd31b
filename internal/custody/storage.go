package custody

import (
	"cmp"
	"context"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Storage keeps a log. Several processes may use one at a time.
//
// What a method returns was durable when it was read. An error of the storage
// is a [fault.System] unless said otherwise.
type Storage interface {
	// Create stores the first checkpoint, of size 0. If there is a log already
	// it does nothing and returns an error of kind fault.Exists.
	Create(ctx context.Context, checkpoint []byte) error

	// Sequence calls f while no other call of it, in any process, is under way,
	// and stores the batch that f returns. All of the batch is stored or nothing;
	// on return without error it is durable. If f returns an error or no batch,
	// nothing is stored and that error is returned. A commitment that is logged
	// already is fault.Exists, staged bodies that are not all there are fault.NotFound,
	// and nothing is stored. With any other error the batch
	// may have been stored all the same, so the caller must look before it
	// concludes that it was not.
	//
	// f is called at most once and must not keep tx.
	Sequence(ctx context.Context, f func(tx Tx) (*Batch, error)) error

	// Stage keeps bodies from a number on for an entry that their owner is to submit,
	// and with the first of them drops what anybody staged long ago. Staging the same
	// part again replaces it. Two bodies for one party are fault.Exists.
	Stage(ctx context.Context, part Part) error

	// Head returns the newest checkpoint; fault.NotFound if there is no log.
	Head(ctx context.Context) (Head, error)

	// Nodes returns the hashes stored at indexes (tlog.StoredHashIndex), in that
	// order; fault.NotFound if one is missing.
	Nodes(ctx context.Context, indexes []int64) ([]tlog.Hash, error)

	// Leaves returns at most n commitments from index start on.
	Leaves(ctx context.Context, start, n int64) ([]Commitment, error)

	// Find returns the index of each commitment that is logged.
	Find(ctx context.Context, commitments []Commitment) (map[Commitment]int64, error)

	// Bodies returns the bodies for a party from a place on, in the order of their
	// places, at most n of them. The next ones begin after the last one's place.
	Bodies(ctx context.Context, party string, from Place, n int) ([]Stored, error)

	// SetCosigned stores a cosigned checkpoint unless one of a larger size is
	// stored.
	SetCosigned(ctx context.Context, size int64, checkpoint []byte) error

	// Cosigned returns the cosigned checkpoint of largest size; fault.NotFound if
	// there is none.
	Cosigned(ctx context.Context) ([]byte, error)
}

// A Part is some of the bodies of an entry that comes later.
type Part struct {
	Owner      string
	Commitment Commitment
	From       int // number of the first
	Bodies     []Body
	At, Since  time.Time // now, and how old what was staged may be
}

// Tx is the log as it stands inside a call of Sequence.
type Tx interface {
	Head() (Head, error)
	Nodes(indexes []int64) ([]tlog.Hash, error)
	Find(commitments []Commitment) (map[Commitment]int64, error)
	// BodiesOf returns all bodies of the entry at an index, and CountOf how many there are.
	BodiesOf(index int64) ([]Body, error)
	CountOf(index int64) (int, error)
}

// A Place is that of one body: the index of its entry, and which of its bodies.
type Place struct {
	Index int64
	Part  int64
}

// Compare orders places.
func (p Place) Compare(q Place) int {
	return cmp.Or(cmp.Compare(p.Index, q.Index), cmp.Compare(p.Part, q.Part))
}

// Next is the place after it.
func (p Place) Next() Place { return Place{p.Index, p.Part + 1} }

// A Head is the newest checkpoint with its signatures, and its size.
type Head struct {
	Size       int64
	Checkpoint []byte
}

// A Batch is what one call of Sequence adds: the submissions in the order of
// their leaves, the first at index Head.Size, the hashes that the tree gains,
// the first at tlog.StoredHashCount(Head.Size), and the new checkpoint.
type Batch struct {
	Submissions []Submission
	Nodes       []tlog.Hash
	Checkpoint  []byte
}

// A Stored body is one with its place.
type Stored struct {
	Place
	Data []byte
}
