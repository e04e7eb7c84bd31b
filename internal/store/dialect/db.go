package dialect

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// A DB is a database with its engine. Outside transactions it does again what did
// nothing for a reason that passes:
//
//   - SQLite, asked to wait for a lock, hears of nobody who gives up meanwhile; so
//     it is asked for short waits, and between them a DB looks at the caller's
//     context. Inside a transaction nothing waits.
//   - The connections to a server that was started again are dead, which is found
//     out of each when it is used.
type DB struct {
	*sql.DB
	Engine
}

const (
	// maxWait is how long a call waits for a lock of SQLite if the caller does not
	// give up before.
	maxWait = 30 * time.Second
	// pause is between two looks, beside the waiting of SQLite itself.
	pause = time.Millisecond
)

// busy says whether SQLite waited for a lock in vain.
func busy(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_BUSY
}

// dead says whether a connection was found dead, not whether one could be made.
func dead(err error) bool {
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	var broken *net.OpError
	switch {
	case err == nil || errors.As(err, &connect) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return false
	case errors.As(err, &pg):
		return pg.Code == "57P01" || pg.Code == "57P02" // shut down, or crashed
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &broken)
}

// Again calls f until it meets no lock and no dead connection, the caller gives
// up, or the longest wait is over. f does nothing when it fails, or doing it twice
// is right.
func Again(ctx context.Context, f func() error) error {
	end, buried := time.Now().Add(maxWait), 0
	for {
		err := f()
		switch {
		case over(ctx) != nil:
			return err
		case dead(err) && buried <= maxOpen:
			buried++
		case busy(err) && time.Now().Before(end):
			time.Sleep(pause)
		default:
			return err
		}
	}
}

// PingContext is that of [sql.DB].
func (db *DB) PingContext(ctx context.Context) error {
	return Again(ctx, func() error { return db.DB.PingContext(ctx) })
}

// BeginTx is that of [sql.DB].
func (db *DB) BeginTx(ctx context.Context, options *sql.TxOptions) (tx *sql.Tx, err error) {
	err = Again(ctx, func() error {
		tx, err = db.DB.BeginTx(ctx, options)
		return err
	})
	return tx, err
}

// ExecContext is that of [sql.DB], in a transaction of its own: none is begun on a
// dead connection, so that it is done once.
func (db *DB) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // after a commit it does nothing
	result, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return result, tx.Commit()
}

// QueryContext is that of [sql.DB]; the query only reads.
func (db *DB) QueryContext(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	err = Again(ctx, func() error {
		rows, err = db.DB.QueryContext(ctx, query, args...)
		return err
	})
	return rows, err
}

// QueryRowContext is that of [sql.DB]; the query only reads.
func (db *DB) QueryRowContext(ctx context.Context, query string, args ...any) (row *sql.Row) {
	Again(ctx, func() error {
		row = db.DB.QueryRowContext(ctx, query, args...)
		return row.Err()
	})
	return row
}

// Snapshot writes an SQLite database as it stands to a new file. It cannot be done in
// a transaction.
func (db *DB) Snapshot(ctx context.Context, name string) error {
	_, err := db.DB.ExecContext(ctx, "VACUUM INTO $1", name)
	return err
}
