package custody

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/fault"
	"chancery/internal/sign"
)

const (
	// maxBatch and maxBatchBytes bound what is sequenced at once. A single
	// submission may be larger.
	maxBatch      = 1024
	maxBatchBytes = 16 << 20
)

// A Log appends to a stored log, for any number of goroutines. Several
// processes may have one open on the same storage: the storage elects which of
// them sequences.
type Log struct {
	key     *sign.NoteKey
	storage Storage

	queue chan *request
	done  chan struct{} // closed when nothing is sequenced any more
	close sync.Once
	end   context.CancelFunc

	// Of the goroutine that sequences:
	edge edge
	last Head // the newest checkpoint that it knows; the log never goes behind it
}

// edge remembers the hashes that the next batch needs, the right edge of the
// tree, so that a log that nobody else appends to reads none.
type edge struct {
	size       int64
	checkpoint []byte // of the tree; another one in the store makes it worthless
	hashes     map[int64]tlog.Hash
}

// A request waits for its submissions to be sequenced.
type request struct {
	submissions []Submission
	bytes       int
	indexes     []int64
	err         error
	ready       chan struct{} // closed when indexes or err is there
}

// Create starts a new log under the key's name.
func Create(ctx context.Context, storage Storage, key *sign.NoteKey) error {
	signed, err := key.SignCheckpoint(Checkpoint{key.Name(), 0, emptyRoot}.Text())
	if err != nil {
		return err
	}
	return storage.Create(ctx, signed)
}

// Open opens a log that was created. It verifies that the newest checkpoint is
// signed by the key and is that of the stored tree (fault.Mismatch), so that a
// log never goes on from a damaged store.
func Open(ctx context.Context, storage Storage, key *sign.NoteKey) (*Log, error) {
	head, err := storage.Head(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkHead(head, key, reader(ctx, storage)); err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(context.Background())
	l := &Log{key: key, storage: storage, queue: make(chan *request, maxBatch), done: make(chan struct{}), end: end, last: head}
	go l.run(ctx)
	return l, nil
}

// checkHead verifies the newest checkpoint against key and tree.
func checkHead(head Head, key *sign.NoteKey, r tlog.HashReaderFunc) error {
	const hint = "the store was damaged or altered, or belongs to another key; restore it from a mirror"
	var verifiers []note.Verifier
	for _, vkey := range key.LogVKeys() {
		v, err := sign.NewVerifier(vkey)
		if err != nil {
			return err
		}
		verifiers = append(verifiers, v)
	}
	n, err := note.Open(head.Checkpoint, note.VerifierList(verifiers...))
	if err != nil || len(n.Sigs) != len(verifiers) {
		return fault.Mismatch.New("the newest checkpoint of the log is not signed with its key").WithHint(hint)
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(c.Size, r)
	if err != nil {
		return fault.Mismatch.Wrap(err, "the stored tree of the log is not whole").WithHint(hint)
	}
	if root != c.Root || c.Size != head.Size || c.Origin != key.Name() {
		return fault.Mismatch.New("the stored tree is not that of the newest checkpoint").WithHint(hint)
	}
	return nil
}

// Close waits for what is being sequenced and stops. What waits in the queue
// fails (fault.Interrupted).
func (l *Log) Close() {
	l.close.Do(l.end)
	<-l.done
}

// Append logs submissions and returns their indexes, in order. On return without
// error they are durable, in a tree whose signed checkpoint is durable. One that
// is logged already keeps its index. With an error nothing is acknowledged: some
// may have been logged, and appending the same again is right.
func (l *Log) Append(ctx context.Context, submissions ...Submission) ([]int64, error) {
	if len(submissions) == 0 {
		return nil, nil
	}
	r := &request{submissions: submissions, ready: make(chan struct{})}
	for _, s := range submissions {
		if err := s.check(); err != nil {
			return nil, err
		}
		r.bytes += s.size()
	}
	select {
	case l.queue <- r:
	case <-l.done:
		return nil, errClosed()
	case <-ctx.Done():
		return nil, fault.Interrupted.Wrap(ctx.Err(), "log an entry")
	}
	select {
	case <-r.ready:
		return r.indexes, r.err
	case <-l.done:
		select {
		case <-r.ready: // in the last batch
			return r.indexes, r.err
		default:
			return nil, errClosed()
		}
	case <-ctx.Done():
		return nil, fault.Interrupted.Wrap(ctx.Err(), "log an entry")
	}
}

func errClosed() error { return fault.Interrupted.New("the log is being closed") }

// run sequences what is in the queue, batch after batch, until ctx ends.
func (l *Log) run(ctx context.Context) {
	defer close(l.done)
	var next *request
	for {
		if next == nil {
			select {
			case next = <-l.queue:
			case <-ctx.Done():
				return
			}
		} else if ctx.Err() != nil {
			return
		}
		var batch []*request
		batch, next = l.take(next)
		l.sequence(ctx, batch)
	}
}

// take collects what waits, as far as one batch goes. It returns a request that
// was taken out of the queue and has no room.
func (l *Log) take(first *request) (batch []*request, left *request) {
	batch = []*request{first}
	n, bytes := len(first.submissions), first.bytes
	for {
		select {
		case r := <-l.queue:
			if n += len(r.submissions); n > maxBatch || bytes+r.bytes > maxBatchBytes {
				return batch, r
			}
			bytes += r.bytes
			batch = append(batch, r)
		default:
			return batch, nil
		}
	}
}

// sequence logs a batch and wakes those who wait for it.
func (l *Log) sequence(ctx context.Context, batch []*request) {
	// What was begun is ended: Close waits for it.
	ctx = context.WithoutCancel(ctx)
	at, err := l.attempt(ctx, batch, false)
	if errors.Is(err, fault.Exists) {
		at, err = l.attempt(ctx, batch, true)
	}
	if err != nil && len(batch) > 1 && !errors.Is(err, fault.Mismatch) {
		// One of them may be what the storage cannot take: the others go without it.
		for _, r := range batch {
			l.sequence(ctx, []*request{r})
		}
		return
	}
	for _, r := range batch {
		if r.err = err; err == nil {
			for _, s := range r.submissions {
				r.indexes = append(r.indexes, at[s.Commitment])
			}
		}
		close(r.ready)
	}
}

// errNothingNew ends a call of Sequence whose submissions are all logged.
var errNothingNew = errors.New("all of it is logged already")

// attempt logs a batch and returns the index of each commitment. It looks first
// which are logged already, or, since they hardly ever are, leaves it to the
// storage to refuse them (fault.Exists).
func (l *Log) attempt(ctx context.Context, batch []*request, look bool) (map[Commitment]int64, error) {
	var at map[Commitment]int64
	var t *growing
	err := l.storage.Sequence(ctx, func(tx Tx) (*Batch, error) {
		head, err := tx.Head()
		if err != nil {
			return nil, err
		}
		t = &growing{tx: tx, size: head.Size}
		if bytes.Equal(head.Checkpoint, l.edge.checkpoint) {
			t.known = l.edge
		}
		if err := l.follows(head, t); err != nil {
			return nil, err
		}
		var fresh []Submission
		if fresh, at, err = t.fresh(batch, look); err != nil {
			return nil, err
		}
		b, err := l.extend(t, fresh)
		if err == nil {
			t.checkpoint = b.Checkpoint
		}
		return b, err
	})
	if errors.Is(err, errNothingNew) {
		return at, nil
	}
	if err != nil {
		l.edge = edge{}
		return nil, err
	}
	l.edge = edge{t.size, t.checkpoint, t.last}
	l.last = Head{t.size, t.checkpoint}
	return at, nil
}

// follows refuses to go on from a stored log that does not extend what this
// process signed or saw: somebody put an old state back while it ran, and signing
// on would fork the log.
func (l *Log) follows(head Head, t *growing) error {
	if bytes.Equal(head.Checkpoint, l.last.Checkpoint) {
		return nil
	}
	old, errOld := parseSigned(l.last.Checkpoint)
	now, errNow := parseSigned(head.Checkpoint)
	if errOld != nil || errNow != nil || now.Size <= old.Size || now.Size != head.Size {
		return fault.Mismatch.New("the stored log of %d entries does not follow the %d that this process knows", head.Size, l.last.Size).
			WithHint("an old state was put back while the registry ran; stop it, and restore the newer one")
	}
	proof, err := proveConsistency(t, old.Size, now.Size)
	if err != nil {
		return err
	}
	if !CheckConsistency(proof, old, now) {
		return fault.Mismatch.New("the stored log is another than the one that this process knows")
	}
	l.last = head
	return nil
}

// parseSigned reads the text of a signed checkpoint without verifying it.
func parseSigned(checkpoint []byte) (Checkpoint, error) {
	text, _, _ := strings.Cut(string(checkpoint), "\n\n")
	return parseCheckpoint(text + "\n")
}

// SizeOf is the size that a signed checkpoint states. Nothing is verified.
func SizeOf(checkpoint []byte) (int64, error) {
	c, err := parseSigned(checkpoint)
	return c.Size, err
}

// extend computes the batch that adds submissions to the tree.
func (l *Log) extend(t *growing, fresh []Submission) (*Batch, error) {
	if len(fresh) == 0 {
		return nil, errNothingNew
	}
	for i, s := range fresh {
		hashes, err := tlog.StoredHashesForRecordHash(t.size+int64(i), s.Commitment.leaf(), t)
		if err != nil {
			return nil, err
		}
		t.nodes = append(t.nodes, hashes...)
	}
	c := Checkpoint{Origin: l.key.Name(), Size: t.size + int64(len(fresh))}
	var err error
	if c.Root, err = tlog.TreeHash(c.Size, t); err != nil {
		return nil, err
	}
	t.size = c.Size
	signed, err := l.key.SignCheckpoint(c.Text())
	if err != nil {
		return nil, err
	}
	return &Batch{fresh, t.nodes, signed}, nil
}

// growing is the stored tree together with the hashes of a batch that is not
// stored yet.
type growing struct {
	tx    Tx
	known edge
	size  int64 // of the stored tree; at the end, of the grown one
	nodes []tlog.Hash
	last  map[int64]tlog.Hash // what the root was computed from

	checkpoint []byte // at the end, of the grown tree
}

// fresh returns the submissions that are not logged yet, each once, and the index
// that every commitment has or gets.
func (t *growing) fresh(requests []*request, look bool) ([]Submission, map[Commitment]int64, error) {
	at := map[Commitment]int64{}
	if look {
		var all []Commitment
		for _, r := range requests {
			for _, s := range r.submissions {
				all = append(all, s.Commitment)
			}
		}
		var err error
		if at, err = t.tx.Find(all); err != nil {
			return nil, nil, err
		}
	}
	var out []Submission
	for _, r := range requests {
		for _, s := range r.submissions {
			index, logged := at[s.Commitment]
			if !logged {
				at[s.Commitment] = t.size + int64(len(out))
				out = append(out, s)
				continue
			}
			if err := t.repeats(s, index, out); err != nil {
				return nil, nil, err
			}
		}
	}
	return out, at, nil
}

// repeats refuses a submission whose commitment is logged with other bodies:
// acknowledging it would promise bodies that are not there.
func (t *growing) repeats(s Submission, index int64, fresh []Submission) error {
	same, err := false, error(nil)
	switch {
	case index >= t.size:
		twin := fresh[index-t.size]
		same = s.Staged == twin.Staged && s.same(twin.Bodies)
	case s.Staged.Count > 0: // what was staged for it once is gone: their number must do
		var n int
		n, err = t.tx.CountOf(index)
		same = n == s.Staged.Count
	default:
		var bodies []Body
		bodies, err = t.tx.BodiesOf(index)
		same = s.same(bodies)
	}
	if err == nil && !same {
		err = fault.Exists.New("the entry is logged at %d already, with other bodies", index)
	}
	return err
}

// ReadHashes is that of tlog.HashReader.
func (t *growing) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	from := tlog.StoredHashCount(t.size)
	out := make([]tlog.Hash, len(indexes))
	var missing []int64
	var places []int
	for i, at := range indexes {
		h, ok := t.known.hashes[at]
		switch {
		case at >= from && at-from < int64(len(t.nodes)):
			out[i] = t.nodes[at-from]
		case ok:
			out[i] = h
		default:
			missing, places = append(missing, at), append(places, i)
		}
	}
	if len(missing) > 0 {
		stored, err := t.tx.Nodes(missing)
		if err != nil {
			return nil, err
		}
		for k, i := range places {
			out[i] = stored[k]
		}
	}
	t.last = map[int64]tlog.Hash{}
	for i, at := range indexes {
		t.last[at] = out[i]
	}
	return out, nil
}

// Head returns the newest checkpoint with the log's signatures.
func (l *Log) Head(ctx context.Context) (Head, error) { return l.storage.Head(ctx) }

// Storage returns where the log is kept, for reading.
func (l *Log) Storage() Storage { return l.storage }
