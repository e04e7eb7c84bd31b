package store

import (
	"context"
	"database/sql"

	"chancery/internal/custody"
	"chancery/internal/fault"
	"chancery/internal/store/dialect"
)

// Stage is that of [custody.Storage].
func (l *Log) Stage(ctx context.Context, p custody.Part) error {
	const doing = "keep letters of an entry that is to come"
	return l.inTx(ctx, doing, func(tx *sql.Tx) error {
		if p.From == 0 {
			if _, err := tx.ExecContext(ctx, "DELETE FROM log_staged WHERE at < $1", p.Since.Unix()); err != nil {
				return dialect.Explain(ctx, err, doing)
			}
		}
		logged, err := find(ctx, tx, []custody.Commitment{p.Commitment})
		if err != nil || len(logged) > 0 {
			return err // its entry has them: an answer was lost
		}
		return insert(ctx, tx, "log_staged", "owner, commitment, part, party, data, at",
			" ON CONFLICT (owner, commitment, part) DO UPDATE SET party = excluded.party, data = excluded.data, at = excluded.at", len(p.Bodies), func(i int) []any {
				return []any{p.Owner, p.Commitment[:], p.From + i, p.Bodies[i].Party, p.Bodies[i].Data, p.At.Unix()}
			})
	})
}

// takeStaged makes what was staged for a submission the bodies of its entry.
func takeStaged(ctx context.Context, tx *sql.Tx, index int64, s custody.Submission) error {
	const doing = "take letters to an entry"
	of := []any{s.Staged.Owner, s.Commitment[:]}
	_, err := tx.ExecContext(ctx, `INSERT INTO log_body (idx, part, party, data)
		SELECT $1, part, party, data FROM log_staged WHERE owner = $2 AND commitment = $3`, append([]any{index}, of...)...)
	if err != nil {
		return dialect.Explain(ctx, err, doing)
	}
	// What was taken is looked at, not what was there: others stage and drop meanwhile.
	var count int
	var bytes int64
	err = tx.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(SUM(LENGTH(data)), 0) FROM log_body WHERE idx = $1", index).Scan(&count, &bytes)
	switch {
	case err != nil:
		return dialect.Explain(ctx, err, doing)
	case count != s.Staged.Count:
		return fault.NotFound.New("%d of %d letters of an entry are here", count, s.Staged.Count).WithHint("send them again, and then the entry")
	case bytes > custody.MaxStaged:
		return fault.Input.New("the letters of an entry hold %d bytes: at most %d", bytes, custody.MaxStaged)
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM log_staged WHERE owner = $1 AND commitment = $2", of...)
	return dialect.Explain(ctx, err, doing)
}
