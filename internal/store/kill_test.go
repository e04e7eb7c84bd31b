package store_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// TestMain turns the test's own binary into a process that writes.
func TestMain(m *testing.M) {
	address := os.Getenv(childAddress)
	if address == "" {
		os.Exit(m.Run())
	}
	if err := child(context.Background(), address); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(ctx context.Context, address string) error {
	text, err := os.ReadFile(os.Getenv(childAddress + "_KEY"))
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
	if os.Getenv(childAddress+"_FULL") != "" {
		return writeInNarrowness(ctx, address, s, l)
	}
	return writeForever(ctx, s, l)
}

// What a process that writes prints before what was acknowledged.
const (
	entryWord  = "entry "
	parcelWord = "parcel "
)

// writeForever appends from four goroutines, puts parcels from two, and prints
// each commitment and each digest when it is acknowledged.
func writeForever(ctx context.Context, s *store.Store, l *custody.Log) error {
	fmt.Println("ready")
	ended := make(chan error)
	for range 4 {
		go forever(ended, entryWord, func() ([sha256.Size]byte, error) { return appendOne(ctx, l) })
	}
	for range 2 {
		go forever(ended, parcelWord, func() ([sha256.Size]byte, error) { return putOne(ctx, s) })
	}
	return <-ended
}

// forever writes and prints what was acknowledged, until writing fails.
func forever(ended chan<- error, word string, write func() ([sha256.Size]byte, error)) {
	for {
		id, err := write()
		if err != nil {
			ended <- err
			return
		}
		os.Stdout.WriteString(word + hex.EncodeToString(id[:]) + "\n")
	}
}

func appendOne(ctx context.Context, l *custody.Log) ([sha256.Size]byte, error) {
	sub := custody.Submission{Bodies: []custody.Body{{Party: "p", Data: make([]byte, 2000)}}}
	rand.Read(sub.Commitment[:])
	_, err := l.Append(ctx, sub)
	return sub.Commitment, err
}

// parcelParties are those for whom each parcel is.
var parcelParties = []string{"first", "middle", "last"}

func putOne(ctx context.Context, s storetest.Parcels) ([sha256.Size]byte, error) {
	data := make([]byte, 16+mathrand.IntN(20_000))
	rand.Read(data[:16])
	return sha256.Sum256(data), s.PutParcel(ctx, data, parcelParties, false)
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
	s, l, key := openLog(t, address)
	l.Close()
	keyFile := keep(t, key)
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
	all.check(t, s, policyOf(t, key), max(rounds/5, 1))
}

// keep writes a key to a file, for another process.
func keep(t *testing.T, key *sign.NoteKey) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "log.key")
	if err := os.WriteFile(name, []byte(key.Secret()), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// acknowledged gathers what processes print.
type acknowledged struct {
	mu      sync.Mutex
	entries []custody.Commitment // guarded by mu
	parcels [][sha256.Size]byte  // guarded by mu
}

// check says whether all that was acknowledged is there, whole, and that at least
// so many entries and parcels were.
func (a *acknowledged) check(t *testing.T, s *store.Store, policy *custody.Policy, least int) {
	t.Helper()
	c, err := custody.Check(t.Context(), s.Log(), policy, nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := s.Log().Find(t.Context(), a.entries)
	if err != nil || len(at) != len(a.entries) {
		t.Fatalf("%d of %d acknowledged entries are in the log, %v", len(at), len(a.entries), err)
	}
	all := allParcels(t, s)
	for _, digest := range a.parcels {
		if !all[digest] {
			t.Fatalf("of %d acknowledged parcels %.4x is not listed", len(a.parcels), digest)
		}
	}
	if len(a.entries) < least || len(a.parcels) < least || c.Size < int64(len(a.entries)) {
		t.Errorf("%d entries and %d parcels acknowledged, %d logged", len(a.entries), len(a.parcels), c.Size)
	}
	t.Logf("%d entries acknowledged, %d logged; %d parcels acknowledged, %d kept", len(a.entries), c.Size, len(a.parcels), len(all))
}

// allParcels returns what is listed: the same for all parties, and each as it was put.
func allParcels(t *testing.T, s *store.Store) map[[sha256.Size]byte]bool {
	t.Helper()
	var lists [3][][sha256.Size]byte
	for i, party := range parcelParties {
		for last := int64(0); ; {
			page, err := s.Parcels(t.Context(), party, last, 256)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, l := range page {
				lists[i] = append(lists[i], l.Digest)
			}
			last = page[len(page)-1].Seq
		}
	}
	if !slices.Equal(lists[0], lists[1]) || !slices.Equal(lists[0], lists[2]) {
		t.Fatalf("half a parcel is there: %d, %d and %d are listed", len(lists[0]), len(lists[1]), len(lists[2]))
	}
	out := map[[sha256.Size]byte]bool{}
	for _, digest := range lists[0] {
		data, err := s.Parcel(t.Context(), digest, parcelParties[1:2])
		if err != nil || sha256.Sum256(data) != digest {
			t.Fatalf("the file of a listed parcel: %d bytes, %v", len(data), err)
		}
		out[digest] = true
	}
	return out
}

// A process writes until it is killed.
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
			a.note(lines.Text())
		}
	}()
	return p
}

// note takes down one printed line; nothing, if the kill came in its middle.
func (a *acknowledged) note(line string) {
	word, id, _ := strings.Cut(line, " ")
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) != sha256.Size {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch word + " " {
	case entryWord:
		a.entries = append(a.entries, custody.Commitment(raw))
	case parcelWord:
		a.parcels = append(a.parcels, [sha256.Size]byte(raw))
	}
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
