package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"chancery/internal/custody"
	"chancery/internal/fault"
	"chancery/internal/sign"
	"chancery/internal/store"
	"chancery/internal/store/storetest"
)

// TestLogWholeOnBothEngines appends from many goroutines over two processes'
// handles, then reads the log from end to end and verifies it.
func TestLogWholeOnBothEngines(t *testing.T) {
	cluster := storetest.StartCluster(t)
	for name, address := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "registry.db"), "PostgreSQL": cluster.Database()} {
		t.Run(name, func(t *testing.T) {
			one, other := twice(t, address)
			key, err := sign.GenerateNoteKey("registry.example/log")
			if err != nil {
				t.Fatal(err)
			}
			if err := custody.Create(t.Context(), one, key); err != nil {
				t.Fatal(err)
			}
			const writers, rounds = 12, 8
			acknowledged := appendMany(t, key, []custody.Storage{one, other}, writers, rounds)
			policy, err := custody.ParsePolicy("policy", []byte("log "+strings.Join(key.LogVKeys(), "\nlog ")+"\nquorum none\n"))
			if err != nil {
				t.Fatal(err)
			}
			c, err := custody.Check(t.Context(), one, policy, nil)
			if err != nil || c.Size != 3*writers*rounds {
				t.Fatalf("%+v, %v", c, err)
			}
			at, err := other.Find(t.Context(), acknowledged)
			if err != nil || len(at) != len(acknowledged) {
				t.Errorf("%d of %d acknowledged entries are there, %v", len(at), len(acknowledged), err)
			}
		})
	}
}

func appendMany(t *testing.T, key *sign.NoteKey, stores []custody.Storage, writers, rounds int) []custody.Commitment {
	t.Helper()
	var logs []*custody.Log
	for _, s := range stores {
		l, err := custody.Open(t.Context(), s, key)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.Close)
		logs = append(logs, l)
	}
	var mu sync.Mutex
	var acknowledged []custody.Commitment
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for range rounds {
				subs := make([]custody.Submission, 3)
				for i := range subs {
					rand.Read(subs[i].Commitment[:])
					subs[i].Bodies = []custody.Body{{Party: "p", Data: make([]byte, 700)}}
				}
				if _, err := logs[w%len(logs)].Append(t.Context(), subs...); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, s := range subs {
					acknowledged = append(acknowledged, s.Commitment)
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return acknowledged
}

// TestNoFileInPassing says that a mistyped name never starts an empty registry.
func TestNoFileInPassing(t *testing.T) {
	name := filepath.Join(t.TempDir(), "registry.db")
	if _, err := store.Open(t.Context(), name); !errors.Is(err, fault.NotFound) {
		t.Errorf("opened what is not there: %v", err)
	}
	if _, err := os.Stat(name); err == nil {
		t.Error("a file was made in passing")
	}
	s, err := store.Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := store.Create(t.Context(), name); !errors.Is(err, fault.Exists) {
		t.Errorf("made twice: %v", err)
	}
}

// TestUnreachable says that errors name no password.
func TestUnreachable(t *testing.T) {
	for _, address := range []string{"postgres://chancery:hunter2@127.0.0.1:1/x", "postgres://chancery:hunter2@127.0.0.1:bad/x",
		"postgresql://chancery:hunter2@127.0.0.1:1/x", "POSTGRES://chancery:hunter2@127.0.0.1:1/x", "host=127.0.0.1 password=hunter2", "mysql://a:hunter2@b"} {
		for _, open := range []func(context.Context, string) (*store.Store, error){store.Open, store.Create} {
			_, err := open(t.Context(), address)
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v", err)
			}
		}
		if _, err := os.Stat(address); err == nil {
			t.Errorf("a file was made of an address")
		}
	}
	file := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(file, []byte("this is no database, but a text of some length"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), file); err == nil {
		t.Error("opened a text as a database")
	}
}

// TestCommitIsDurable: an address, or a server's own defaults, may ask PostgreSQL
// to acknowledge commits before they are on the disk. We do not let it.
func TestCommitIsDurable(t *testing.T) {
	address := storetest.StartCluster(t).Database()
	s, err := store.Open(t.Context(), address+"&synchronous_commit=off")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var setting string
	if err := store.OnlyForTests(s).QueryRow("SHOW synchronous_commit").Scan(&setting); err != nil || setting != "on" {
		t.Errorf("%q, %v", setting, err)
	}
}
