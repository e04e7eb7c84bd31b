package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"chancery/internal/custody"
	"chancery/internal/fault"
	"chancery/internal/store"
	"chancery/internal/store/storetest"
)

// A refusal makes the engine refuse one of the rows that a write adds or changes.
type refusal struct{ event, table, column, condition string }

func (r refusal) begin(engine string) string {
	if engine == "SQLite" {
		return fmt.Sprintf("CREATE TRIGGER refusal BEFORE %s ON %s WHEN NEW.%s %s BEGIN SELECT RAISE(ABORT, 'as the test asked'); END", r.event, r.table, r.column, r.condition)
	}
	return fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT refusal CHECK (NOT (%s %s))", r.table, r.column, r.condition)
}

func (r refusal) end(engine string) string {
	if engine == "SQLite" {
		return "DROP TRIGGER refusal"
	}
	return fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT refusal", r.table)
}

// refusals are one for each statement of a write behind the first.
var refusals = []refusal{
	{"INSERT", "parcel_for", "seq", "= 500"},
	{"UPDATE", "parcel_head", "seq", "> 0"},
	{"INSERT", "log_body", "part", "= 500"},
	{"UPDATE", "log_head", "size", "> 0"},
}

// TestNothingHalf lets writes fail in their midst: no row of them stays, not even
// one that nobody would see, and doing the same again is right.
func TestNothingHalf(t *testing.T) {
	cluster := storetest.StartCluster(t)
	for _, r := range refusals {
		for engine, address := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "registry.db"), "PostgreSQL": cluster.Database()} {
			t.Run(engine+"/"+r.table, func(t *testing.T) {
				s, l, _ := openLog(t, address)
				execute(t, s, r.begin(engine))
				write := writeOf(t, s, l, r.table)
				if err := write(); !errors.Is(err, fault.System) {
					t.Errorf("the error is %v", err)
				}
				wantRows(t, s, map[string]int{"parcel": 0, "parcel_for": 0, "log_leaf": 0, "log_body": 0})
				execute(t, s, r.end(engine))
				if err := write(); err != nil {
					t.Errorf("again: %v", err)
				}
			})
		}
	}
}

// writeOf returns a write that concerns a table, of more rows than one statement
// writes.
func writeOf(t *testing.T, s *store.Store, l *custody.Log, table string) func() error {
	const parts = 600
	if table == "parcel_for" || table == "parcel_head" {
		var parties []string
		for i := range parts {
			parties = append(parties, fmt.Sprint("party:", i))
		}
		return func() error { return s.PutParcel(t.Context(), []byte("file"), parties, false) }
	}
	sub := custody.Submission{Commitment: custody.Commitment{1}}
	for range parts {
		sub.Bodies = append(sub.Bodies, custody.Body{Party: "p", Data: []byte("body")})
	}
	return func() error {
		_, err := l.Append(t.Context(), sub)
		return err
	}
}

func execute(t *testing.T, s *store.Store, statement string) {
	t.Helper()
	if _, err := store.OnlyForTests(s).Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func wantRows(t *testing.T, s *store.Store, want map[string]int) {
	t.Helper()
	for table, n := range want {
		var got int
		if err := store.OnlyForTests(s).QueryRow("SELECT count(*) FROM " + table).Scan(&got); err != nil || got != n {
			t.Errorf("%d rows in %s, %v; want %d", got, table, err, n)
		}
	}
}
