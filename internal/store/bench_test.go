package store_test

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"chancery/internal/custody"
	"chancery/internal/sign"
	"chancery/internal/store"
	"chancery/internal/store/dialect"
	"chancery/internal/store/storetest"
)

// entryBytes is about what one receipt takes: a statement with two signatures,
// sealed to a party.
const entryBytes = 6000

// BenchmarkAppend compares durable appends to the log with bare durable inserts
// of the same entry into the same engine, by one writer and by 64.
func BenchmarkAppend(b *testing.B) {
	cluster := storetest.StartCluster(b)
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		for _, writers := range []int{1, 64} {
			address := func() string {
				if engine == "SQLite" {
					return filepath.Join(b.TempDir(), "registry.db")
				}
				return cluster.Database()
			}
			b.Run(fmt.Sprintf("%s/%d/bare", engine, writers), func(b *testing.B) { benchBare(b, address(), writers) })
			b.Run(fmt.Sprintf("%s/%d/log", engine, writers), func(b *testing.B) { benchLog(b, address(), writers) })
		}
	}
}

func benchBare(b *testing.B, address string, writers int) {
	s, err := store.Create(b.Context(), address)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	db := store.OnlyForTests(s)
	if _, err := db.Exec("CREATE TABLE bare (id BIGINT NOT NULL PRIMARY KEY, data BYTEA NOT NULL)"); err != nil {
		b.Fatal(err)
	}
	data := make([]byte, entryBytes)
	rand.Read(data)
	var n atomic.Int64
	run(b, writers, func() error {
		id := n.Add(1)
		return dialect.Again(b.Context(), func() error { return bareInsert(db, id, data) })
	})
}

func bareInsert(db *sql.DB, id int64, data []byte) error {
	_, err := db.Exec("INSERT INTO bare (id, data) VALUES ($1, $2)", id, data)
	return err
}

func benchLog(b *testing.B, address string, writers int) {
	s, err := store.Create(b.Context(), address)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	key, err := sign.GenerateNoteKey("registry.example/log")
	if err != nil {
		b.Fatal(err)
	}
	if err := custody.Create(b.Context(), s.Log(), key); err != nil {
		b.Fatal(err)
	}
	l, err := custody.Open(b.Context(), s.Log(), key)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	data := make([]byte, entryBytes)
	rand.Read(data)
	run(b, writers, func() error {
		sub := custody.Submission{Bodies: []custody.Body{{Party: strings.Repeat("p", 64), Data: data}}}
		rand.Read(sub.Commitment[:])
		_, err := l.Append(b.Context(), sub)
		return err
	})
}

// run spreads b.N calls over writers.
func run(b *testing.B, writers int, f func() error) {
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan error)
	for range writers {
		go func() {
			for left.Add(-1) >= 0 {
				if err := f(); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range writers {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
}
