package custody

import (
	"bytes"
	"fmt"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/fault"
)

// A Fork is two checkpoints that one log signed and that cannot both be true,
// or one that was not shown to extend the other. Both are kept: whoever holds the
// log's key cannot deny them. It is a [fault.Mismatch].
type Fork struct {
	Old, New []byte
	Why      string
}

// Error says what was seen.
func (f *Fork) Error() string { return f.Why }

// Is makes a Fork a fault.Mismatch.
func (f *Fork) Is(target error) bool { return target == error(fault.Mismatch) }

// A View is one party's memory of a log: the last checkpoint it verified. It
// goes forward only. It is safe for any number of goroutines.
type View struct {
	policy *Policy

	mu   sync.Mutex
	last Checkpoint // guarded by mu
	note []byte     // guarded by mu; nil before the first checkpoint

	accepted map[int64]tlog.Hash // guarded by mu; roots of the newest heads, by size
	sizes    []int64             // guarded by mu; of accepted, in their order
}

// maxAccepted is how many heads a view remembers besides the last.
const maxAccepted = 256

// NewView makes the memory of a party whose last checkpoint was note, or that
// has seen none if note is empty.
func NewView(policy *Policy, note []byte) (*View, error) {
	v := &View{policy: policy}
	if len(note) == 0 {
		return v, nil
	}
	c, _, err := policy.Open(note)
	if err != nil {
		return nil, err
	}
	v.remember(c, note)
	return v, nil
}

// Origin is the name of the log, the first that the policy names.
func (v *View) Origin() string { return v.policy.Origins()[0] }

// Last returns the last checkpoint with its signatures; nil before the first.
func (v *View) Last() (Checkpoint, []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.last, bytes.Clone(v.note)
}

// Advance verifies a checkpoint and that it extends the last one, and remembers
// it. Before the first checkpoint any that the policy accepts is taken, and proof
// must be empty. A checkpoint that is not shown to extend what was seen is a
// *[Fork], and the view stays where it was.
func (v *View) Advance(checkpoint []byte, proof tlog.TreeProof) (Checkpoint, error) {
	c, _, err := v.policy.Open(checkpoint)
	if err != nil {
		return Checkpoint{}, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.note != nil {
		if why := contradiction(v.last, c, proof); why != "" {
			return Checkpoint{}, &Fork{bytes.Clone(v.note), bytes.Clone(checkpoint), why}
		}
	}
	v.remember(c, checkpoint)
	return c, nil
}

// remember makes a checkpoint the last one. The caller holds mu, or v is new.
func (v *View) remember(c Checkpoint, note []byte) {
	v.last, v.note = c, bytes.Clone(note)
	if v.accepted == nil {
		v.accepted = map[int64]tlog.Hash{}
	}
	if _, known := v.accepted[c.Size]; !known {
		if v.sizes = append(v.sizes, c.Size); len(v.sizes) > maxAccepted {
			delete(v.accepted, v.sizes[0])
			v.sizes = v.sizes[1:]
		}
	}
	v.accepted[c.Size] = c.Root
}

// Parse reads a checkpoint that somebody else saw and verifies its signatures. The
// view stays as it is.
func (v *View) Parse(checkpoint []byte) (Checkpoint, error) {
	c, _, err := v.policy.Open(checkpoint)
	return c, err
}

// Cosigned is Parse, and says whether the policy's witnesses signed as well.
func (v *View) Cosigned(checkpoint []byte) (Checkpoint, bool, error) {
	return v.policy.Open(checkpoint)
}

// Witnessed says whether the policy names witnesses at all.
func (v *View) Witnessed() bool { return len(v.policy.Witnesses()) > 0 }

// Accepted says whether a checkpoint is one of the newest that the view accepted: a
// proof against it holds, though the log has grown since.
func (v *View) Accepted(c Checkpoint) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	root, known := v.accepted[c.Size]
	return known && root == c.Root && c.Origin == v.last.Origin
}

// contradiction says why a checkpoint does not follow another, or nothing.
func contradiction(old, now Checkpoint, proof tlog.TreeProof) string {
	switch {
	case old.Origin != now.Origin:
		return fmt.Sprintf("the log calls itself %q and was %q before", now.Origin, old.Origin)
	case now.Size < old.Size:
		return fmt.Sprintf("the log has %d entries and had %d before: entries were taken out, or an old state was put back", now.Size, old.Size)
	case now.Size == old.Size && now.Root != old.Root:
		return fmt.Sprintf("the log of %d entries is another than before: it shows different things to different parties, or was rewritten", now.Size)
	case !CheckConsistency(proof, old, now):
		return fmt.Sprintf("the log of %d entries is not shown to begin with the %d seen before", now.Size, old.Size)
	}
	return ""
}

// Includes verifies that a commitment stands at an index of the log as last seen.
func (v *View) Includes(c Commitment, index int64, proof tlog.RecordProof) error {
	last, _ := v.Last()
	return last.Includes(c, index, proof)
}

// Includes verifies that a commitment stands at an index of the log of a
// checkpoint.
func (in Checkpoint) Includes(c Commitment, index int64, proof tlog.RecordProof) error {
	if index < 0 || index >= in.Size {
		return fault.Mismatch.New("entry %d is not in a log of %d", index, in.Size)
	}
	if err := tlog.CheckRecord(proof, in.Size, in.Root, index, c.leaf()); err != nil {
		return fault.Mismatch.New("the log is not shown to hold the entry at %d", index)
	}
	return nil
}
