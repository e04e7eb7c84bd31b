package store

import (
	"context"
	"database/sql"
	"errors"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/custody"
	"chancery/internal/fault"
	"chancery/internal/store/dialect"
)

var _ custody.Storage = (*Log)(nil)

// A Log is the custody log in a database.
type Log struct{ *Store }

// Log returns the custody log of the database.
func (s *Store) Log() *Log { return &Log{s} }

// Create is that of [custody.Storage].
func (l *Log) Create(ctx context.Context, checkpoint []byte) error {
	_, err := l.db.ExecContext(ctx, "INSERT INTO log_head (id, size, checkpoint) VALUES (1, 0, $1)", checkpoint)
	if err = dialect.Explain(ctx, err, "start the log"); errors.Is(err, fault.Exists) {
		return fault.Exists.New("the database holds a log already").WithHint("open it instead; a second log would hide the first")
	}
	return err
}

// Sequence is that of [custody.Storage]. The engine elects who sequences: the
// lock on the row of the head goes with the process that holds it.
func (l *Log) Sequence(ctx context.Context, f func(custody.Tx) (*custody.Batch, error)) error {
	return l.inTx(ctx, "log entries", func(tx *sql.Tx) error {
		head, err := headOf(ctx, tx, l.db.ForUpdate)
		if err != nil {
			return err
		}
		batch, err := f(&logTx{ctx, tx, head})
		if err != nil {
			return err
		}
		return writeBatch(ctx, tx, head.Size, batch)
	})
}

// writeBatch writes what a batch adds to a log of a size.
func writeBatch(ctx context.Context, tx *sql.Tx, size int64, b *custody.Batch) error {
	first := tlog.StoredHashCount(size)
	err := insert(ctx, tx, "log_leaf", "idx, commitment, hashes", "", len(b.Submissions), func(i int) []any {
		at := size + int64(i)
		return []any{at, b.Submissions[i].Commitment[:], joined(b.Nodes[tlog.StoredHashCount(at)-first : tlog.StoredHashCount(at+1)-first])}
	})
	if err != nil {
		return err
	}
	type part struct {
		idx, part int64
		custody.Body
	}
	var parts []part
	for i, s := range b.Submissions {
		for j, body := range s.Bodies {
			parts = append(parts, part{size + int64(i), int64(j), body})
		}
	}
	err = insert(ctx, tx, "log_body", "idx, part, party, data", "", len(parts), func(i int) []any {
		p := parts[i]
		return []any{p.idx, p.part, p.Party, p.Data}
	})
	if err != nil {
		return err
	}
	for i, s := range b.Submissions {
		if s.Staged.Count > 0 {
			if err := takeStaged(ctx, tx, size+int64(i), s); err != nil {
				return err
			}
		}
	}
	done, err := tx.ExecContext(ctx, "UPDATE log_head SET size = $1, checkpoint = $2 WHERE id = 1 AND size = $3",
		size+int64(len(b.Submissions)), b.Checkpoint, size)
	if err != nil {
		return dialect.Explain(ctx, err, "log entries")
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return fault.System.New("log entries: the head of the log moved inside a transaction")
	}
	return nil
}

func joined(hashes []tlog.Hash) []byte {
	var out []byte
	for _, h := range hashes {
		out = append(out, h[:]...)
	}
	return out
}

// logTx is the log inside a call of Sequence.
type logTx struct {
	ctx  context.Context
	tx   *sql.Tx
	head custody.Head
}

func (t *logTx) Head() (custody.Head, error) { return t.head, nil }
func (t *logTx) Nodes(indexes []int64) ([]tlog.Hash, error) {
	return nodes(t.ctx, t.tx, indexes)
}
func (t *logTx) Find(c []custody.Commitment) (map[custody.Commitment]int64, error) {
	return find(t.ctx, t.tx, c)
}

func (t *logTx) CountOf(index int64) (n int, err error) {
	err = t.tx.QueryRowContext(t.ctx, "SELECT COUNT(*) FROM log_body WHERE idx = $1", index).Scan(&n)
	return n, dialect.Explain(t.ctx, err, "count the bodies of an entry")
}

func (t *logTx) BodiesOf(index int64) ([]custody.Body, error) {
	var out []custody.Body
	err := each(t.ctx, t.tx, "read the bodies of an entry", "SELECT party, data FROM log_body WHERE idx = $1 ORDER BY part", []any{index},
		func(rows *sql.Rows) error {
			var b custody.Body
			err := rows.Scan(&b.Party, &b.Data)
			out = append(out, b)
			return err
		})
	return out, err
}

// Head is that of [custody.Storage].
func (l *Log) Head(ctx context.Context) (custody.Head, error) { return headOf(ctx, l.db, "") }

func headOf(ctx context.Context, q querier, forUpdate string) (custody.Head, error) {
	var h custody.Head
	err := q.QueryRowContext(ctx, "SELECT size, checkpoint FROM log_head WHERE id = 1"+forUpdate).Scan(&h.Size, &h.Checkpoint)
	if errors.Is(err, sql.ErrNoRows) {
		return h, fault.NotFound.New("the database holds no log").WithHint("chancery init starts one")
	}
	return h, dialect.Explain(ctx, err, "read the head of the log")
}

// Nodes is that of [custody.Storage].
func (l *Log) Nodes(ctx context.Context, indexes []int64) ([]tlog.Hash, error) {
	return nodes(ctx, l.db, indexes)
}

func nodes(ctx context.Context, q querier, indexes []int64) ([]tlog.Hash, error) {
	hashes := make(map[int64][]byte, len(indexes)) // by leaf
	err := inChunks(len(indexes), func(from, to int) error {
		args := make([]any, 0, to-from)
		for _, i := range indexes[from:to] {
			leaf, _ := completedBy(i)
			args = append(args, leaf)
		}
		query := "SELECT idx, hashes FROM log_leaf WHERE idx IN (" + placeholders(1, to-from) + ")"
		return each(ctx, q, "read the tree of the log", query, args, func(rows *sql.Rows) error {
			var leaf int64
			var h []byte
			err := rows.Scan(&leaf, &h)
			hashes[leaf] = h
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	out := make([]tlog.Hash, len(indexes))
	for k, i := range indexes {
		leaf, level := completedBy(i)
		h := hashes[leaf]
		if len(h) < (level+1)*tlog.HashSize {
			return nil, fault.NotFound.New("the tree of the log has no hash at %d", i)
		}
		out[k] = tlog.Hash(h[level*tlog.HashSize:][:tlog.HashSize])
	}
	return out, nil
}

// completedBy returns the leaf with which the hash at a stored index is
// complete, in whose row it stands, and its level.
func completedBy(index int64) (leaf int64, level int) {
	level, n := tlog.SplitStoredHashIndex(index)
	return (n+1)<<level - 1, level
}

// Leaves is that of [custody.Storage].
func (l *Log) Leaves(ctx context.Context, start, n int64) ([]custody.Commitment, error) {
	var out []custody.Commitment
	err := each(ctx, l.db, "read the leaves of the log", "SELECT commitment FROM log_leaf WHERE idx >= $1 ORDER BY idx LIMIT $2",
		[]any{start, n}, func(rows *sql.Rows) error {
			c, err := scanCommitment(rows)
			out = append(out, c)
			return err
		})
	return out, err
}

func scanCommitment(rows *sql.Rows, more ...any) (custody.Commitment, error) {
	var raw []byte
	if err := rows.Scan(append([]any{&raw}, more...)...); err != nil {
		return custody.Commitment{}, err
	}
	if len(raw) != len(custody.Commitment{}) {
		return custody.Commitment{}, errors.New("a commitment of the wrong length")
	}
	return custody.Commitment(raw), nil
}

// Find is that of [custody.Storage].
func (l *Log) Find(ctx context.Context, c []custody.Commitment) (map[custody.Commitment]int64, error) {
	return find(ctx, l.db, c)
}

func find(ctx context.Context, q querier, commitments []custody.Commitment) (map[custody.Commitment]int64, error) {
	out := map[custody.Commitment]int64{}
	err := inChunks(len(commitments), func(from, to int) error {
		args := make([]any, 0, to-from)
		for _, c := range commitments[from:to] {
			args = append(args, c[:])
		}
		query := "SELECT commitment, idx FROM log_leaf WHERE commitment IN (" + placeholders(1, to-from) + ")"
		return each(ctx, q, "look for entries of the log", query, args, func(rows *sql.Rows) error {
			var i int64
			c, err := scanCommitment(rows, &i)
			out[c] = i
			return err
		})
	})
	return out, err
}

// Bodies is that of [custody.Storage].
func (l *Log) Bodies(ctx context.Context, party string, from custody.Place, n int) ([]custody.Stored, error) {
	var out []custody.Stored
	err := each(ctx, l.db, "read entries for a party",
		"SELECT idx, part, data FROM log_body WHERE party = $1 AND (idx > $2 OR idx = $2 AND part >= $3) ORDER BY idx, part LIMIT $4",
		[]any{party, from.Index, from.Part, n}, func(rows *sql.Rows) error {
			var s custody.Stored
			err := rows.Scan(&s.Index, &s.Part, &s.Data)
			out = append(out, s)
			return err
		})
	return out, err
}

// SetCosigned is that of [custody.Storage].
func (l *Log) SetCosigned(ctx context.Context, size int64, checkpoint []byte) error {
	_, err := l.db.ExecContext(ctx, `INSERT INTO log_cosigned (id, size, checkpoint) VALUES (1, $1, $2)
		ON CONFLICT (id) DO UPDATE SET size = excluded.size, checkpoint = excluded.checkpoint WHERE log_cosigned.size <= excluded.size`, size, checkpoint)
	return dialect.Explain(ctx, err, "store a cosigned checkpoint")
}

// Cosigned is that of [custody.Storage].
func (l *Log) Cosigned(ctx context.Context) ([]byte, error) {
	var out []byte
	err := l.db.QueryRowContext(ctx, "SELECT checkpoint FROM log_cosigned WHERE id = 1").Scan(&out)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.NotFound.New("no witness has cosigned the log yet")
	}
	return out, dialect.Explain(ctx, err, "read the cosigned checkpoint")
}
