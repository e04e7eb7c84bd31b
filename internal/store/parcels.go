package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"slices"

	"chancery/internal/fault"
	"chancery/internal/store/dialect"
)

// A Listed parcel is one that came for a party.
type Listed struct {
	Seq    int64
	Digest [sha256.Size]byte
}

// PutParcel keeps a sealed file for parties, under its SHA-256. On return without
// error it is durable. Putting it again adds the parties that are new. A quiet one is
// not listed for them: they learn its digest otherwise. It comes to be listed when it
// is put again, not quietly.
func (s *Store) PutParcel(ctx context.Context, data []byte, parties []string, quiet bool) error {
	const doing = "keep a parcel"
	digest := sha256.Sum256(data)
	return s.inTx(ctx, doing, func(tx *sql.Tx) error {
		// The file comes before the lock: others number theirs while it travels.
		_, err := tx.ExecContext(ctx, "INSERT INTO parcel (digest, data) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING", digest[:], notNull(data))
		if err != nil {
			return dialect.Explain(ctx, err, doing)
		}
		var seq int64
		if err := tx.QueryRowContext(ctx, "SELECT seq FROM parcel_head WHERE id = 1"+s.db.ForUpdate).Scan(&seq); err != nil {
			return dialect.Explain(ctx, err, doing)
		}
		if err := putFor(ctx, tx, digest[:], once(parties), seq, quiet); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE parcel_head SET seq = $1 WHERE id = 1", seq+int64(len(parties)))
		return dialect.Explain(ctx, err, doing)
	})
}

// putFor makes a parcel one for parties, numbered from behind seq.
func putFor(ctx context.Context, tx *sql.Tx, digest []byte, parties []string, seq int64, quiet bool) error {
	sign := int64(1)
	if quiet {
		sign = -1 // below what any list begins at
	}
	const onConflict = " ON CONFLICT (party, digest) DO UPDATE SET seq = excluded.seq WHERE parcel_for.seq < 0 AND excluded.seq > 0"
	return insert(ctx, tx, "parcel_for", "party, seq, digest", onConflict, len(parties), func(i int) []any {
		return []any{parties[i], sign * (seq + 1 + int64(i)), digest}
	})
}

// once leaves out what is named a second time.
func once(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return slices.Compact(names)
}

// notNull is data: an engine takes no bytes at all for no value.
func notNull(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// Parcel returns the file with a digest if it is for one of the parties;
// fault.NotFound otherwise, whether or not it exists.
func (s *Store) Parcel(ctx context.Context, digest [sha256.Size]byte, parties []string) ([]byte, error) {
	none := fault.NotFound.New("there is no parcel %.16x for you", digest)
	if len(parties) == 0 {
		return nil, none
	}
	args := []any{digest[:]}
	for _, p := range parties {
		args = append(args, p)
	}
	var data []byte
	err := s.db.QueryRowContext(ctx, "SELECT data FROM parcel WHERE digest = $1 AND EXISTS (SELECT 1 FROM parcel_for WHERE parcel_for.digest = parcel.digest AND party IN ("+
		placeholders(2, len(parties))+"))", args...).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, none
	}
	return data, dialect.Explain(ctx, err, "read a parcel")
}

// Parcels lists at most n parcels for a party after a number, in the order in which
// they came.
func (s *Store) Parcels(ctx context.Context, party string, after int64, n int) ([]Listed, error) {
	var out []Listed
	err := each(ctx, s.db, "list parcels", "SELECT seq, digest FROM parcel_for WHERE party = $1 AND seq > $2 ORDER BY seq LIMIT $3",
		[]any{party, max(after, 0), n}, func(rows *sql.Rows) error {
			var l Listed
			var digest []byte
			if err := rows.Scan(&l.Seq, &digest); err != nil {
				return err
			}
			if len(digest) != len(l.Digest) {
				return errors.New("a digest of the wrong length")
			}
			l.Digest = [sha256.Size]byte(digest)
			out = append(out, l)
			return nil
		})
	return out, err
}

// PutEnrolment keeps what was handed in with an invitation. Each serves once
// (fault.Exists), but the same may be handed in again.
func (s *Store) PutEnrolment(ctx context.Context, nonce, data []byte) error {
	_, err := s.db.ExecContext(ctx, "INSERT INTO enrolment (nonce, data) VALUES ($1, $2)", notNull(nonce), notNull(data))
	if err = dialect.Explain(ctx, err, "keep an enrolment"); !errors.Is(err, fault.Exists) {
		return err
	}
	var old []byte
	if err := s.db.QueryRowContext(ctx, "SELECT data FROM enrolment WHERE nonce = $1", notNull(nonce)).Scan(&old); err != nil {
		return dialect.Explain(ctx, err, "read an enrolment")
	}
	if !bytes.Equal(old, data) {
		return fault.Exists.New("the invitation was used already").WithHint("ask for another; if it was not you who used it, say so to whoever invited you")
	}
	return nil
}

// Enrolments returns what was handed in.
func (s *Store) Enrolments(ctx context.Context) ([][]byte, error) {
	var out [][]byte
	err := each(ctx, s.db, "list enrolments", "SELECT data FROM enrolment ORDER BY nonce", nil, func(rows *sql.Rows) error {
		var data []byte
		err := rows.Scan(&data)
		out = append(out, data)
		return err
	})
	return out, err
}
