package dialect

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// A DB is a database with its engine. SQLite, asked to wait for a lock, hears of
// nobody who gives up meanwhile; so it is asked for short waits, and between them
// a DB looks at the caller's context. Inside a transaction nothing waits.
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

// Wait calls f until it meets no lock, the caller gives up, or the longest wait
// is over.
func Wait(ctx context.Context, f func() error) error {
	for end := time.Now().Add(maxWait); ; time.Sleep(pause) {
		err := f()
		if !busy(err) || ctx.Err() != nil || time.Now().After(end) {
			return err
		}
	}
}

// PingContext is that of [sql.DB].
func (db *DB) PingContext(ctx context.Context) error {
	return Wait(ctx, func() error { return db.DB.PingContext(ctx) })
}

// BeginTx is that of [sql.DB].
func (db *DB) BeginTx(ctx context.Context, options *sql.TxOptions) (tx *sql.Tx, err error) {
	err = Wait(ctx, func() error {
		tx, err = db.DB.BeginTx(ctx, options)
		return err
	})
	return tx, err
}

// ExecContext is that of [sql.DB].
func (db *DB) ExecContext(ctx context.Context, query string, args ...any) (result sql.Result, err error) {
	err = Wait(ctx, func() error {
		result, err = db.DB.ExecContext(ctx, query, args...)
		return err
	})
	return result, err
}

// QueryContext is that of [sql.DB].
func (db *DB) QueryContext(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	err = Wait(ctx, func() error {
		rows, err = db.DB.QueryContext(ctx, query, args...)
		return err
	})
	return rows, err
}

// QueryRowContext is that of [sql.DB].
func (db *DB) QueryRowContext(ctx context.Context, query string, args ...any) (row *sql.Row) {
	Wait(ctx, func() error {
		row = db.DB.QueryRowContext(ctx, query, args...)
		return row.Err()
	})
	return row
}
