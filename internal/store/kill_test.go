package store_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"chancery/internal/custody"
	"chancery/internal/sign"
	"chancery/internal/store"
	"chancery/internal/store/dialect"
	"chancery/internal/store/storetest"
)

// childAddress names the database to a process that this test started.
const childAddress = "CHANCERY_KILL_TEST"

// TestMain turns the test's own binary into the process that is killed.
func TestMain(m *testing.M) {
	if address := os.Getenv(childAddress); address != "" {
		if err := appendForever(address, os.Getenv(childAddress+"_KEY")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// appendForever appends from four goroutines and prints each commitment when it
// is acknowledged.
func appendForever(address, keyFile string) error {
	ctx := context.Background()
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return err
	}
	key, err := sign.ParseNoteKey(string(text))
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, address)
	if err != nil {
		return err
	}
	l, err := custody.Open(ctx, s.Log(), key)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	ended := make(chan error)
	for range 4 {
		go func() {
			for {
				sub := custody.Submission{Bodies: []custody.Body{{Party: "p", Data: make([]byte, 2000)}}}
				rand.Read(sub.Commitment[:])
				if _, err := l.Append(ctx, sub); err != nil {
					ended <- err
					return
				}
				os.Stdout.WriteString(hex.EncodeToString(sub.Commitment[:]) + "\n")
			}
		}()
	}
	return <-ended
}

// TestKilledSQLite kills a registry's process at random moments; what it
// acknowledged is in the log, and the log is whole. (500 rounds in make soak.)
func TestKilledSQLite(t *testing.T) {
	name := filepath.Join(t.TempDir(), "registry.db")
	killRounds(t, name, 1, rounds(500))
}

// TestKilledPostgreSQL runs three processes over one database and kills one of
// them in each round. (200 rounds in make soak.)
func TestKilledPostgreSQL(t *testing.T) {
	killRounds(t, storetest.StartCluster(t).Database(), 3, rounds(200))
}

// rounds is all of them when there is time, else a twentieth.
func rounds(all int) int {
	if os.Getenv("CHANCERY_SOAK") != "" {
		return all
	}
	return all / 20
}

func killRounds(t *testing.T, address string, processes, rounds int) {
	s, err := store.Create(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	key, err := sign.GenerateNoteKey("registry.example/log")
	if err != nil {
		t.Fatal(err)
	}
	keyFile := filepath.Join(t.TempDir(), "log.key")
	if err := os.WriteFile(keyFile, []byte(key.Secret()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := custody.Create(t.Context(), s.Log(), key); err != nil {
		t.Fatal(err)
	}
	policy, err := custody.ParsePolicy("policy", []byte("log "+strings.Join(key.LogVKeys(), "\nlog ")+"\nquorum none\n"))
	if err != nil {
		t.Fatal(err)
	}
	var all acknowledged
	running := make([]*process, processes)
	for i := range running {
		running[i] = all.start(t, address, keyFile)
	}
	for round := range rounds {
		time.Sleep(time.Duration(mathrand.IntN(60)) * time.Millisecond)
		i := round % processes
		running[i].kill()
		running[i] = all.start(t, address, keyFile)
	}
	for _, p := range running {
		p.kill()
	}
	c, err := custody.Check(t.Context(), s.Log(), policy, nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := s.Log().Find(t.Context(), all.commitments)
	if err != nil || len(at) != len(all.commitments) {
		t.Fatalf("%d of %d acknowledged entries are in the log, %v", len(at), len(all.commitments), err)
	}
	if len(all.commitments) < rounds || c.Size < int64(len(all.commitments)) {
		t.Errorf("%d acknowledged in %d rounds, %d logged", len(all.commitments), rounds, c.Size)
	}
	t.Logf("%d rounds: %d acknowledged, %d logged", rounds, len(all.commitments), c.Size)
}

// acknowledged gathers what processes print.
type acknowledged struct {
	mu          sync.Mutex
	commitments []custody.Commitment // guarded by mu
}

// A process appends until it is killed.
type process struct {
	*exec.Cmd
	read chan struct{} // closed when all that it printed was read
}

// kill is kill -9.
func (p *process) kill() {
	p.Process.Kill()
	<-p.read
	p.Wait()
}

// start starts a process and waits until its log is open.
func (a *acknowledged) start(t *testing.T, address, keyFile string) *process {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childAddress+"="+address, childAddress+"_KEY="+keyFile)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("the process did not start: %q, %v", lines.Text(), lines.Err())
	}
	p := &process{c, make(chan struct{})}
	go func() {
		defer close(p.read)
		for lines.Scan() {
			raw, err := hex.DecodeString(lines.Text())
			if err != nil || len(raw) != len(custody.Commitment{}) {
				continue // killed in the middle of a line
			}
			a.mu.Lock()
			a.commitments = append(a.commitments, custody.Commitment(raw))
			a.mu.Unlock()
		}
	}()
	return p
}

// TestTogether starts processes that all find an empty database.
func TestTogether(t *testing.T) {
	file := filepath.Join(t.TempDir(), "registry.db")
	if err := dialect.CreateFile(file); err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]string{"SQLite": file, "PostgreSQL": storetest.StartCluster(t).Database()} {
		t.Run(name, func(t *testing.T) {
			var wait sync.WaitGroup
			for i := range 6 {
				wait.Go(func() {
					s, err := store.Open(t.Context(), address)
					if err != nil {
						t.Error(err)
						return
					}
					defer s.Close()
					if err := s.PutParcel(t.Context(), []byte{byte(i)}, []string{"a"}, false); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
		})
	}
}
