package storetest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/custody"
	"chancery/internal/fault"
)

var _ custody.Storage = (*Memory)(nil)

// A Memory is a log and parcels in memory that fails on demand. It keeps what a
// database would; two [custody.Log] may share one.
type Memory struct {
	// Fail, if set, is called before each write. See [Failure].
	Fail func(op string) Failure

	sequencing sync.Mutex // held by the one call of Sequence

	mu      sync.Mutex // guards all below
	created bool
	head    custody.Head
	leaves  []custody.Commitment
	nodes   []tlog.Hash
	bodies  map[string][]custody.Stored

	submitted [][]custody.Body // by index
	staged    map[stagedFor][]staged
	size      int64 // of cosigned
	cosigned  []byte

	kept kept
}

// A Failure is how a write fails.
type Failure int

// The failures: none; an error and nothing stored; an error although all is
// stored, as when the connection breaks after the commit.
const (
	None Failure = iota
	Lost
	Stored
)

func (m *Memory) fail(op string) Failure {
	if m.Fail == nil {
		return None
	}
	return m.Fail(op)
}

func errFailed(op string) error {
	return fault.System.New("%s: the store failed, as the test asked", op)
}

// write runs f with the memory locked, or fails as asked.
func (m *Memory) write(op string, f func() error) error {
	how := m.fail(op)
	if how == Lost {
		return errFailed(op)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := f(); err != nil {
		return err
	}
	if how == Stored {
		return errFailed(op)
	}
	return nil
}

// Create is that of [custody.Storage].
func (m *Memory) Create(_ context.Context, checkpoint []byte) error {
	return m.write("create", func() error {
		if m.created {
			return fault.Exists.New("there is a log already")
		}
		m.created, m.head = true, custody.Head{Checkpoint: slices.Clone(checkpoint)}
		m.bodies = map[string][]custody.Stored{}
		return nil
	})
}

// Sequence is that of [custody.Storage].
func (m *Memory) Sequence(ctx context.Context, f func(custody.Tx) (*custody.Batch, error)) error {
	m.sequencing.Lock()
	defer m.sequencing.Unlock()
	if _, err := m.Head(ctx); err != nil {
		return err
	}
	b, err := f(memoryTx{ctx, m})
	if err != nil {
		return err
	}
	return m.write("sequence", func() error {
		for _, s := range b.Submissions {
			if slices.Contains(m.leaves, s.Commitment) {
				return fault.Exists.New("the commitment is logged already")
			}
		}
		all, err := m.whole(b.Submissions)
		if err != nil {
			return err
		}
		for i, s := range all {
			for part, body := range s.Bodies {
				place := custody.Place{Index: m.head.Size + int64(i), Part: int64(part)}
				m.bodies[body.Party] = append(m.bodies[body.Party], custody.Stored{Place: place, Data: slices.Clone(body.Data)})
			}
			m.submitted = append(m.submitted, s.Bodies)
			m.leaves = append(m.leaves, s.Commitment)
		}
		m.nodes = append(m.nodes, b.Nodes...)
		m.head = custody.Head{Size: m.head.Size + int64(len(b.Submissions)), Checkpoint: slices.Clone(b.Checkpoint)}
		return nil
	})
}

// A staged body waits for its entry.
type staged struct {
	part int
	custody.Body
	at time.Time
}

type stagedFor struct {
	owner string
	custody.Commitment
}

// Stage is that of [custody.Storage].
func (m *Memory) Stage(_ context.Context, p custody.Part) error {
	return m.write("stage", func() error {
		next := map[stagedFor][]staged{}
		for k, all := range m.staged {
			next[k] = slices.DeleteFunc(slices.Clone(all), func(s staged) bool { return p.From == 0 && s.at.Unix() < p.Since.Unix() })
		}
		if slices.Contains(m.leaves, p.Commitment) {
			return nil
		}
		k := stagedFor{p.Owner, p.Commitment}
		kept := slices.DeleteFunc(next[k], func(s staged) bool { return s.part >= p.From && s.part < p.From+len(p.Bodies) })
		for i, b := range p.Bodies {
			if slices.ContainsFunc(kept, func(s staged) bool { return s.Party == b.Party }) {
				return fault.Exists.New("two letters for one party")
			}
			kept = append(kept, staged{p.From + i, b, p.At})
		}
		slices.SortFunc(kept, func(a, b staged) int { return cmp.Compare(a.part, b.part) })
		next[k] = kept
		m.staged = next
		return nil
	})
}

// whole puts staged bodies into their submissions.
func (m *Memory) whole(all []custody.Submission) ([]custody.Submission, error) {
	out := slices.Clone(all)
	for i, s := range out {
		if s.Staged.Count == 0 {
			continue
		}
		k := stagedFor{s.Staged.Owner, s.Commitment}
		if len(m.staged[k]) != s.Staged.Count {
			return nil, fault.NotFound.New("%d of %d letters are here", len(m.staged[k]), s.Staged.Count)
		}
		for _, one := range m.staged[k] {
			out[i].Bodies = append(out[i].Bodies, one.Body)
		}
		defer delete(m.staged, k)
	}
	return out, nil
}

type memoryTx struct {
	ctx context.Context
	m   *Memory
}

func (t memoryTx) Head() (custody.Head, error)                { return t.m.Head(t.ctx) }
func (t memoryTx) Nodes(indexes []int64) ([]tlog.Hash, error) { return t.m.Nodes(t.ctx, indexes) }
func (t memoryTx) Find(c []custody.Commitment) (map[custody.Commitment]int64, error) {
	return t.m.Find(t.ctx, c)
}

func (t memoryTx) CountOf(index int64) (int, error) {
	all, err := t.BodiesOf(index)
	return len(all), err
}

func (t memoryTx) BodiesOf(index int64) ([]custody.Body, error) {
	t.m.mu.Lock()
	defer t.m.mu.Unlock()
	return t.m.submitted[index], nil
}

// Head is that of [custody.Storage].
func (m *Memory) Head(context.Context) (custody.Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.created {
		return custody.Head{}, fault.NotFound.New("there is no log")
	}
	return m.head, nil
}

// Nodes is that of [custody.Storage].
func (m *Memory) Nodes(_ context.Context, indexes []int64) ([]tlog.Hash, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []tlog.Hash
	for _, i := range indexes {
		if i < 0 || i >= int64(len(m.nodes)) {
			return nil, fault.NotFound.New("no hash at %d", i)
		}
		out = append(out, m.nodes[i])
	}
	return out, nil
}

// Leaves is that of [custody.Storage].
func (m *Memory) Leaves(_ context.Context, start, n int64) ([]custody.Commitment, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	from := min(start, int64(len(m.leaves)))
	return slices.Clone(m.leaves[from:min(from+n, int64(len(m.leaves)))]), nil
}

// Find is that of [custody.Storage].
func (m *Memory) Find(_ context.Context, c []custody.Commitment) (map[custody.Commitment]int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := make(map[custody.Commitment]int64, len(m.leaves))
	for i, l := range m.leaves {
		at[l] = int64(i)
	}
	maps.DeleteFunc(at, func(l custody.Commitment, _ int64) bool { return !slices.Contains(c, l) })
	return at, nil
}

// A Saved state is a copy of a memory, as a backup is.
type Saved struct {
	head      custody.Head
	leaves    []custody.Commitment
	nodes     []tlog.Hash
	bodies    map[string][]custody.Stored
	submitted [][]custody.Body
	kept      kept
}

// Save returns the state, for [Memory.Restore].
func (m *Memory) Save() *Saved {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &Saved{m.head, slices.Clone(m.leaves), slices.Clone(m.nodes), maps.Clone(m.bodies), slices.Clone(m.submitted), m.kept.clone()}
}

// Restore puts a state back behind everybody's back.
func (m *Memory) Restore(s *Saved) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.head, m.leaves, m.nodes, m.bodies, m.submitted = s.head, slices.Clone(s.leaves), slices.Clone(s.nodes), maps.Clone(s.bodies), slices.Clone(s.submitted)
	m.kept = s.kept.clone()
}

// Bodies is that of [custody.Storage].
func (m *Memory) Bodies(_ context.Context, party string, from custody.Place, n int) ([]custody.Stored, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.bodies[party]
	first, _ := slices.BinarySearchFunc(all, from, func(s custody.Stored, from custody.Place) int {
		return cmp.Or(cmp.Compare(s.Index, from.Index), cmp.Compare(s.Part, from.Part))
	})
	return slices.Clone(all[first:min(first+n, len(all))]), nil
}

// SetCosigned is that of [custody.Storage].
func (m *Memory) SetCosigned(_ context.Context, size int64, checkpoint []byte) error {
	return m.write("cosign", func() error {
		if m.cosigned == nil || size >= m.size {
			m.size, m.cosigned = size, slices.Clone(checkpoint)
		}
		return nil
	})
}

// Cosigned is that of [custody.Storage].
func (m *Memory) Cosigned(context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cosigned == nil {
		return nil, fault.NotFound.New("no witness has cosigned")
	}
	return slices.Clone(m.cosigned), nil
}
