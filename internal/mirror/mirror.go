// Package mirror keeps a second copy of all that a registry acknowledges, in a file on
// another disk: nothing is acknowledged before it stands there too. A backup of the
// database is a day old when it is needed; together with the mirror it is whole. What
// stands in the file is what stands in the database: commitments, sealed bodies, sealed
// parcels.
package mirror

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"

	"chancery/internal/custody"
	"chancery/internal/durable"
	"chancery/internal/fault"
)

// file is the mirror's own, in its folder.
const file = "tail.jsonl"

// maxLine is the longest line, in bytes: one batch of the log, or one parcel.
const maxLine = 256 << 20

// A line is one thing that was acknowledged: a batch of the log, or a parcel.
type line struct {
	Size       int64        `json:"size,omitempty"` // of the log before the batch
	Batch      []submission `json:"batch,omitempty"`
	Checkpoint []byte       `json:"checkpoint,omitempty"`
	Parcel     []byte       `json:"parcel,omitempty"`
	For        []string     `json:"for,omitempty"`
	Quiet      bool         `json:"quiet,omitempty"`
}

type submission struct {
	Commitment []byte         `json:"commitment"`
	Bodies     []custody.Body `json:"bodies,omitempty"`
}

// reached says whether the log of a line's checkpoint ends with it. Before it does, nobody
// was told of anything in the line.
func (l line) reached() (bool, error) {
	if l.Checkpoint == nil {
		return false, nil
	}
	size, err := custody.SizeOf(l.Checkpoint)
	return size == l.Size+int64(len(l.Batch)), err
}

// A Mirror is open for one process.
type Mirror struct {
	mu   sync.Mutex
	f    *os.File // guarded by mu
	size int64    // guarded by mu; of the log, as mirrored
}

// Open opens or makes the mirror of a folder. A line that was cut off when the machine
// stopped was not acknowledged, and is taken out.
func Open(folder string) (*Mirror, error) {
	if err := durable.MakeFolders(folder); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(folder, file), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault.System.Wrap(err, "open the mirror")
	}
	if err := durable.SyncFolder(folder); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	m := &Mirror{f: f}
	whole, err := each(f, func(l line) error {
		if reached, err := l.reached(); err != nil || !reached {
			return err // a crash came between the lines that lead to a checkpoint: they are written again
		}
		m.size = l.Size + int64(len(l.Batch))
		return nil
	})
	if err == nil {
		err = f.Truncate(whole)
	}
	if err == nil {
		_, err = f.Seek(whole, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, fault.System.Wrap(err, "open the mirror")
	}
	return m, nil
}

// each reads the lines of a mirror. It returns how many bytes are whole lines.
func each(r io.Reader, take func(line) error) (whole int64, err error) {
	b := bufio.NewReaderSize(r, 1<<20)
	for {
		data, err := b.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return whole, nil
		}
		if err != nil {
			return whole, err
		}
		var l line
		if len(data) > maxLine || json.Unmarshal(data, &l) != nil {
			return whole, fault.Mismatch.New("the mirror was altered after its first %d bytes", whole)
		}
		if err := take(l); err != nil {
			return whole, err
		}
		whole += int64(len(data))
	}
}

// Size returns how many entries of the log are mirrored.
func (m *Mirror) Size() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.size
}

// Close closes the mirror.
func (m *Mirror) Close() error { return m.f.Close() }

// write adds a line and makes it durable. The caller holds mu.
func (m *Mirror) write(l line) error {
	data, err := json.Marshal(l)
	if err != nil {
		return fault.Internal.Wrap(err, "write to the mirror")
	}
	if len(data) >= maxLine {
		return fault.System.New("a line of %d bytes is too long for the mirror, and is not acknowledged", len(data))
	}
	if _, err := m.f.Write(append(data, '\n')); err != nil {
		return fault.System.Wrap(err, "write to the mirror").WithHint("nothing is acknowledged while the mirror cannot be written")
	}
	if err := m.f.Sync(); err != nil {
		return fault.System.Wrap(err, "write to the mirror").WithHint("nothing is acknowledged while the mirror cannot be written")
	}
	return nil
}

// A Log is a stored log whose appends are mirrored before they return.
type Log struct {
	custody.Storage
	Mirror *Mirror
}

// Sequence is that of custody.Storage.
func (l *Log) Sequence(ctx context.Context, f func(custody.Tx) (*custody.Batch, error)) error {
	err := l.Storage.Sequence(ctx, f)
	if fault.KindOf(err) == fault.System || fault.KindOf(err) == fault.Interrupted {
		return err
	}
	// Whatever f said, what the caller concludes from the log must be in the mirror.
	if behind := l.CatchUp(ctx); behind != nil {
		return behind
	}
	return err
}

// errRead ends a call of Sequence that only reads.
var errRead = errors.New("read")

// CatchUp mirrors what the log has and the mirror has not: of this process, of others,
// or of before a crash.
func (l *Log) CatchUp(ctx context.Context) error {
	m := l.Mirror
	m.mu.Lock()
	defer m.mu.Unlock()
	head, err := l.Storage.Head(ctx)
	if err != nil {
		return err
	}
	if head.Size < m.size {
		return fault.Mismatch.New("the database has %d entries of the log, its mirror %d: an old state was put back", head.Size, m.size).
			WithHint("complete it: chancery restore --data DIR --mirror DIR")
	}
	for m.size < head.Size {
		if err := l.next(ctx, head); err != nil {
			return err
		}
	}
	return nil
}

// step is how many entries go into one line at most, and stepBytes about how much their
// bodies hold together, unless one entry holds more: a line stays far below maxLine.
const (
	step      = 1024
	stepBytes = 16 << 20
	bodyRoom  = 64 // what stands around a body
)

// next mirrors the next entries. The checkpoint of a line that does not reach the head
// is the head's all the same: it is what a restored log ends with.
func (l *Log) next(ctx context.Context, head custody.Head) error {
	m := l.Mirror
	leaves, err := l.Storage.Leaves(ctx, m.size, min(step, head.Size-m.size))
	if err != nil {
		return err
	}
	out := line{Size: m.size, Checkpoint: head.Checkpoint}
	err = l.Storage.Sequence(ctx, func(tx custody.Tx) (*custody.Batch, error) {
		held := 0
		for i, leaf := range leaves {
			if held > stepBytes {
				break
			}
			bodies, err := tx.BodiesOf(m.size + int64(i))
			if err != nil {
				return nil, err
			}
			for _, b := range bodies {
				held += len(b.Data)*4/3 + len(b.Party) + bodyRoom
			}
			out.Batch = append(out.Batch, submission{bytes.Clone(leaf[:]), bodies})
		}
		return nil, errRead
	})
	if !errors.Is(err, errRead) {
		return err
	}
	if err := m.write(out); err != nil {
		return err
	}
	m.size += int64(len(out.Batch))
	return nil
}

// PutParcel mirrors a parcel.
func (m *Mirror) PutParcel(data []byte, parties []string, quiet bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.write(line{Parcel: data, For: parties, Quiet: quiet})
}

// A Keeper keeps parcels.
type Keeper interface {
	PutParcel(ctx context.Context, data []byte, parties []string, quiet bool) error
}

// Restore completes a log and its parcels from the mirror in a folder. It returns how
// many entries the log had and has.
func Restore(ctx context.Context, folder string, storage custody.Storage, policy *custody.Policy, parcels Keeper) (had, has int64, err error) {
	f, err := os.Open(filepath.Join(folder, file))
	if err != nil {
		return 0, 0, fault.NotFound.Wrap(err, "open the mirror")
	}
	defer f.Close()
	head, err := storage.Head(ctx)
	if err != nil {
		return 0, 0, err
	}
	had = head.Size
	var tail []custody.Submission
	whole, last := 0, []byte(nil) // of tail, up to the last checkpoint that is reached
	_, err = each(f, func(l line) error {
		if l.Parcel != nil {
			return parcels.PutParcel(ctx, l.Parcel, l.For, l.Quiet)
		}
		for i, s := range l.Batch {
			if len(s.Commitment) != len(custody.Commitment{}) {
				return fault.Mismatch.New("the mirror was altered")
			}
			at := l.Size + int64(i) - had
			if at < 0 {
				continue
			}
			if at > int64(len(tail)) {
				return fault.Mismatch.New("the mirror was altered: entries from %d on are missing", had+int64(len(tail)))
			}
			// What a crash broke off is there twice: the later one counts.
			tail = append(tail[:at], custody.Submission{Commitment: custody.Commitment(s.Commitment), Bodies: s.Bodies})
		}
		reached, err := l.reached()
		if reached {
			whole, last = len(tail), l.Checkpoint
		}
		return err
	})
	if err != nil || whole == 0 {
		return had, had, err
	}
	tail = tail[:whole]
	if err := custody.Replay(ctx, storage, policy, tail, last); err != nil {
		return had, had, err
	}
	return had, had + int64(len(tail)), nil
}
