package store_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"chancery/internal/custody"
	"chancery/internal/fault"
	"chancery/internal/store"
	"chancery/internal/store/storetest"
)

// TestGivesUpWaiting: while another process holds the lock for writing, whoever
// gives up is told so at once, and holds no connection any longer.
func TestGivesUpWaiting(t *testing.T) {
	cluster := storetest.StartCluster(t)
	for name, address := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "registry.db"), "PostgreSQL": cluster.Database()} {
		t.Run(name, func(t *testing.T) {
			one, other := handles(t, address)
			if err := one.Log().Create(t.Context(), []byte("checkpoint")); err != nil {
				t.Fatal(err)
			}
			release := hold(t, other)
			for name, call := range map[string]func(ctx context.Context) error{
				"parcel":    func(ctx context.Context) error { return one.PutParcel(ctx, []byte("file"), []string{"a"}, false) },
				"enrolment": func(ctx context.Context) error { return one.PutEnrolment(ctx, []byte("nonce"), []byte("keys")) },
				"cosigned":  func(ctx context.Context) error { return one.Log().SetCosigned(ctx, 1, []byte("checkpoint")) },
				"sequence": func(ctx context.Context) error {
					return one.Log().Sequence(ctx, func(custody.Tx) (*custody.Batch, error) { return nil, errors.New("it was called") })
				},
			} {
				ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
				begun := time.Now()
				err := call(ctx)
				cancel()
				if took := time.Since(begun); !errors.Is(err, fault.Interrupted) || took > 2*time.Second {
					t.Errorf("%s: %v after %v", name, err, took)
				}
			}
			release()
			begun := time.Now()
			if err := one.PutParcel(t.Context(), []byte("file"), []string{"a"}, false); err != nil || time.Since(begun) > 2*time.Second {
				t.Errorf("%v after %v", err, time.Since(begun))
			}
		})
	}
}

// hold takes every lock that a write waits for, until release.
func hold(t *testing.T, s *store.Store) (release func()) {
	t.Helper()
	tx, err := store.OnlyForTests(s).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"UPDATE log_head SET size = size", "UPDATE parcel_head SET seq = seq",
		"INSERT INTO enrolment (nonce, data) VALUES ('nonce', 'held')", "INSERT INTO log_cosigned (id, size, checkpoint) VALUES (1, 1, 'held')",
	} {
		if _, err := tx.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
			t.Error(err)
		}
	}
}
