package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"

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
// not listed for them: they learn its digest otherwise.
func (s *Store) PutParcel(ctx context.Context, data []byte, parties []string, quiet bool) error {
	digest := sha256.Sum256(data)
	return s.inTx(ctx, "keep a parcel", func(tx *sql.Tx) error {
		var seq int64
		if err := tx.QueryRowContext(ctx, "SELECT seq FROM parcel_head WHERE id = 1"+s.engine.ForUpdate).Scan(&seq); err != nil {
			return dialect.Explain(err, "keep a parcel")
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO parcel (digest, data) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING", digest[:], data)
		if err != nil {
			return dialect.Explain(err, "keep a parcel")
		}
		for _, party := range parties {
			seq++
			number := seq
			if quiet {
				number = -seq // beyond what any list begins at
			}
			_, err := tx.ExecContext(ctx, "INSERT INTO parcel_for (party, seq, digest) VALUES ($1, $2, $3) ON CONFLICT (party, digest) DO NOTHING", party, number, digest[:])
			if err != nil {
				return dialect.Explain(err, "keep a parcel")
			}
		}
		_, err = tx.ExecContext(ctx, "UPDATE parcel_head SET seq = $1 WHERE id = 1", seq)
		return dialect.Explain(err, "keep a parcel")
	})
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
	return data, dialect.Explain(err, "read a parcel")
}

// Parcels lists at most n parcels for a party after a number, in the order in which
// they came.
func (s *Store) Parcels(ctx context.Context, party string, after int64, n int) ([]Listed, error) {
	var out []Listed
	err := each(ctx, s.db, "list parcels", "SELECT seq, digest FROM parcel_for WHERE party = $1 AND seq > $2 ORDER BY seq LIMIT $3",
		[]any{party, after, n}, func(rows *sql.Rows) error {
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
	_, err := s.db.ExecContext(ctx, "INSERT INTO enrolment (nonce, data) VALUES ($1, $2)", nonce, data)
	if err = dialect.Explain(err, "keep an enrolment"); !errors.Is(err, fault.Exists) {
		return err
	}
	var old []byte
	if err := s.db.QueryRowContext(ctx, "SELECT data FROM enrolment WHERE nonce = $1", nonce).Scan(&old); err != nil {
		return dialect.Explain(err, "read an enrolment")
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
