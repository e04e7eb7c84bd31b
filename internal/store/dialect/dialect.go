// Package dialect knows the two SQL engines: how to reach them, and the few
// points in which they differ. All SQL of the registry is one text for both; this
// is the only package that imports a driver.
package dialect

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite" // registers "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"chancery/internal/durable"
	"chancery/internal/fault"
)

// An Engine is what differs between SQLite and PostgreSQL.
type Engine struct {
	Name      string
	Migration goose.Dialect
	// ForUpdate, put after a SELECT inside a transaction, holds the rows until it
	// ends. SQLite has no such words and needs none: its transactions that write
	// exclude each other from their beginning.
	ForUpdate string
}

var (
	sqliteEngine   = Engine{"SQLite", goose.DialectSQLite3, ""}
	postgresEngine = Engine{"PostgreSQL", goose.DialectPostgres, " FOR UPDATE"}
)

// remote says whether an address is a server's. It may hold a password, so no
// message shows it.
func remote(address string) bool {
	return strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://")
}

// looksRemote says whether somebody meant a server and wrote it in a way that is
// not read: such an address must never become the name of a file.
func looksRemote(address string) bool {
	lower := strings.ToLower(address)
	return strings.Contains(lower, "://") || strings.Contains(lower, "password=") || strings.Contains(lower, "host=") || strings.Contains(lower, "user=")
}

func badAddress() error {
	return fault.Usage.New("the address of the database cannot be read").WithHint("write postgres://user@host:port/name, or the name of a file")
}

// sqliteOptions make every commit durable before it returns, let readers go on
// while one writes, and take the lock for writing at the beginning of a
// transaction, where waiting for it is possible. They wait for it a short time,
// in milliseconds; a [DB] goes on waiting.
const sqliteOptions = "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=busy_timeout(100)&_txlock=immediate"

// Connections at most, open and kept.
const (
	maxOpen = 16
	maxIdle = 8
)

// Open reaches a database: a URL that begins with postgres:// or postgresql://, or the name of a
// SQLite file. A file must exist (fault.NotFound), so that a typing error never
// starts an empty log.
func Open(ctx context.Context, address string) (*DB, error) {
	pool, engine, err := reach(address)
	if err != nil {
		return nil, err
	}
	db := &DB{pool, engine}
	db.SetMaxOpenConns(maxOpen)
	db.SetMaxIdleConns(maxIdle)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(Explain(ctx, err, "reach the database"), db.Close())
	}
	return db, nil
}

// reach prepares a database without speaking to it.
func reach(address string) (*sql.DB, Engine, error) {
	switch {
	case remote(address):
		c, err := pgx.ParseConfig(address)
		if err != nil {
			return nil, postgresEngine, badAddress() // the error may show the address
		}
		// Whatever the address or the server's defaults say, a commit is durable,
		// here and at a synchronous standby, before it returns.
		c.RuntimeParams["synchronous_commit"] = "on"
		return stdlib.OpenDB(*c), postgresEngine, nil
	case looksRemote(address):
		return nil, sqliteEngine, badAddress()
	}
	if info, err := os.Stat(address); err != nil || info.IsDir() {
		return nil, sqliteEngine, fault.NotFound.New("there is no database").At(address, 0, 0).
			WithHint("chancery init makes one; check the name")
	}
	dsn := "file:" + (&url.URL{Path: filepath.ToSlash(address)}).EscapedPath() + sqliteOptions
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, sqliteEngine, badAddress()
	}
	return db, sqliteEngine, nil
}

// CreateFile makes the file of an SQLite database, readable by its owner alone;
// for PostgreSQL, where the database exists already, it does nothing.
func CreateFile(address string) error {
	if remote(address) {
		return nil
	}
	if looksRemote(address) {
		return badAddress()
	}
	f, err := os.OpenFile(address, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fault.Exists.New("there is a database already").At(address, 0, 0).WithHint("use it, or take another name")
	}
	if err != nil {
		return fault.System.Wrap(err, "make a database")
	}
	if err := f.Close(); err != nil {
		return fault.System.Wrap(err, "make a database")
	}
	return durable.SyncFolder(filepath.Dir(address))
}

// Explain says in our terms what an engine refused: fault.Exists where a row is
// there already, fault.Interrupted where the caller gave up, else fault.System.
// Once ctx has ended, what an engine says of it is various, and all of it is the
// caller's doing. An address with a password in it is never part of the message.
func Explain(ctx context.Context, err error, doing string) error {
	var pg *pgconn.PgError
	var lite *sqlite.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return fault.Interrupted.Wrap(err, "%s", doing)
	case over(ctx) != nil && !taken(err):
		return fault.Interrupted.Wrap(over(ctx), "%s", doing)
	case taken(err):
		return fault.Exists.New("%s: it is there already", doing)
	case errors.As(err, &pg):
		return fault.System.New("%s: PostgreSQL says %s (%s)", doing, pg.Message, pg.Code).WithHint(hint)
	case errors.As(err, &lite):
		return fault.System.New("%s: %v", doing, lite).WithHint(hint)
	}
	return fault.System.Wrap(scrubbed{err}, "%s", doing).WithHint(hint)
}

const hint = "is the database running, and is there room on its disk?"

// over says why the caller waits no longer; nil if they do. A deadline that a
// connection saw may be past before the context's own clock rings.
func over(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// taken says whether an engine refused a row because it is there already.
func taken(err error) bool {
	var pg *pgconn.PgError
	var lite *sqlite.Error
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	return errors.As(err, &lite) && (lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE)
}

// scrubbed hides what connection errors say of the address.
type scrubbed struct{ error }

func (s scrubbed) Unwrap() error { return s.error }
func (s scrubbed) Error() string {
	text := s.error.Error()
	if i := strings.Index(text, "://"); i >= 0 {
		text = strings.TrimRight(text[:i], "abcdefghijklmnopqrstuvwxyz") + "..."
	}
	return text
}
