// Package store keeps what a registry keeps, in SQLite or PostgreSQL: one set of
// SQL texts for both, one file for each subject. It stores bytes that it cannot
// open, decides nothing, and is the only place where SQL is written.
package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"

	"chancery/internal/store/dialect"
	"chancery/internal/store/schema"
)

// A Store is one database. It is safe for any number of goroutines, and several
// processes may have one open.
type Store struct {
	db *dialect.DB
}

// Create makes the file of a new SQLite database, or uses an empty PostgreSQL
// one, and opens it.
func Create(ctx context.Context, address string) (*Store, error) {
	if err := dialect.CreateFile(address); err != nil {
		return nil, err
	}
	return Open(ctx, address)
}

// Open opens a database, postgres://... or the name of an SQLite file that
// exists, and brings its tables to what this version needs. It never makes a file.
func Open(ctx context.Context, address string) (*Store, error) {
	db, err := dialect.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	s := &Store{db}
	if err := s.migrate(ctx); err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

// migrate runs the migrations that are still to come. Processes that start
// together may run it at once: what one did, the other finds done.
func (s *Store) migrate(ctx context.Context) error {
	p, err := goose.NewProvider(s.db.Migration, s.db.DB, schema.Files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return dialect.Explain(ctx, err, "read the migrations")
	}
	for attempt := 0; ; attempt++ {
		err := dialect.Again(ctx, func() error {
			_, err := p.Up(ctx)
			return err
		})
		if err == nil {
			return nil
		}
		pending, lookErr := p.HasPending(ctx)
		if lookErr == nil && !pending {
			return nil // another process was faster
		}
		if attempt == 3 {
			return dialect.Explain(ctx, err, "bring the database to this version")
		}
	}
}

// Close closes the database.
func (s *Store) Close() error {
	return dialect.Explain(context.Background(), s.db.Close(), "close the database")
}

// A querier is a database or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// inTx runs f in a transaction and commits it if f returns nil. Whoever gives up is
// heard until the commit begins, and not after: told to stop waiting for its standby,
// PostgreSQL would show everyone what one machine alone has, and may still lose.
func (s *Store) inTx(ctx context.Context, doing string, f func(tx *sql.Tx) error) error {
	own, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	stop := context.AfterFunc(ctx, end)
	defer stop()
	tx, err := s.db.BeginTx(own, nil)
	if err != nil {
		return dialect.Explain(ctx, err, doing)
	}
	defer tx.Rollback() // after a commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	if !stop() {
		return dialect.Explain(ctx, context.Cause(ctx), doing)
	}
	return dialect.Explain(ctx, tx.Commit(), doing)
}

// Rows that one statement names: any number up to few, then a few lengths, so
// that the engine prepares few texts.
const few = 16

var chunks = []int{256, 64, few}

// inChunks calls f for consecutive parts of n rows.
func inChunks(n int, f func(from, to int) error) error {
	for from := 0; from < n; {
		size := min(few, n-from)
		for _, c := range chunks {
			if c <= n-from {
				size = c
				break
			}
		}
		if err := f(from, from+size); err != nil {
			return err
		}
		from += size
	}
	return nil
}

// insert adds rows of len(columns) values each. onConflict, if not empty, says what
// becomes of one that is there already.
func insert(ctx context.Context, q querier, table, columns, onConflict string, rows int, row func(i int) []any) error {
	return inChunks(rows, func(from, to int) error {
		var args []any
		var values []string
		for i := from; i < to; i++ {
			r := row(i)
			values = append(values, "("+placeholders(len(args)+1, len(r))+")")
			args = append(args, r...)
		}
		_, err := q.ExecContext(ctx, "INSERT INTO "+table+" ("+columns+") VALUES "+strings.Join(values, ", ")+onConflict, args...)
		return dialect.Explain(ctx, err, "write to "+table)
	})
}

// placeholders are "$from, $from+1, ...", n of them.
func placeholders(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(from + i))
	}
	return b.String()
}

// each reads all rows of a query.
func each(ctx context.Context, q querier, doing, query string, args []any, scan func(rows *sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return dialect.Explain(ctx, err, doing)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return dialect.Explain(ctx, err, doing)
		}
	}
	return dialect.Explain(ctx, rows.Err(), doing)
}
