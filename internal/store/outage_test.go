package store_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chancery/internal/custody"
	"chancery/internal/fault"
	"chancery/internal/sign"
	"chancery/internal/store"
	"chancery/internal/store/storetest"
)

// openLog starts a log in a new database.
func openLog(t *testing.T, address string) (*store.Store, *custody.Log, *sign.NoteKey) {
	t.Helper()
	s, err := store.Create(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	key, err := sign.GenerateNoteKey("registry.example/log")
	if err != nil {
		t.Fatal(err)
	}
	if err := custody.Create(t.Context(), s.Log(), key); err != nil {
		t.Fatal(err)
	}
	l, err := custody.Open(t.Context(), s.Log(), key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return s, l, key
}

func policyOf(t *testing.T, key *sign.NoteKey) *custody.Policy {
	t.Helper()
	policy, err := custody.ParsePolicy("policy", []byte("log "+strings.Join(key.LogVKeys(), "\nlog ")+"\nquorum none\n"))
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

// wantSystem checks an error that a failing machine causes: of that kind, and
// without the address of the database.
func wantSystem(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, fault.System) || strings.Contains(err.Error(), "://") {
		t.Errorf("the error is %v", err)
	}
}

// TestNoRoomSQLite: the database may not grow any more. Each write says so,
// nothing acknowledged is lost, reading goes on, and so does writing once there
// is room.
func TestNoRoomSQLite(t *testing.T) {
	s, l, key := openLog(t, filepath.Join(t.TempDir(), "registry.db"))
	db := store.OnlyForTests(s)
	db.SetMaxOpenConns(1) // the limit is one of a connection
	var pages int
	if err := db.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(n int) {
		t.Helper()
		if _, err := db.Exec(fmt.Sprint("PRAGMA max_page_count = ", n)); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages + 60)
	var all acknowledged
	refused := 0
	for i := 0; refused < wanted && i < mostWrites; i++ {
		commitment, errLog := appendOne(t.Context(), l)
		digest, errParcel := putOne(t.Context(), s)
		for i, err := range []error{errLog, errParcel} {
			switch {
			case err != nil:
				wantSystem(t, err)
				if !strings.Contains(err.Error(), "full") || !strings.Contains(fault.HintOf(err), "room") {
					t.Errorf("unclear: %v, hint: %s", err, fault.HintOf(err))
				}
				refused++
			case i == 0:
				all.entries = append(all.entries, commitment)
			default:
				all.parcels = append(all.parcels, digest)
			}
		}
	}
	if refused < wanted {
		t.Fatalf("%d writes were refused", refused)
	}
	wantSystem(t, s.PutEnrolment(t.Context(), []byte("nonce"), make([]byte, 100_000)))
	all.check(t, s, policyOf(t, key), 2)
	limit(1 << 20)
	if err := s.PutEnrolment(t.Context(), []byte("nonce"), make([]byte, 100_000)); err != nil {
		t.Error(err)
	}
	for range 3 {
		commitment, errLog := appendOne(t.Context(), l)
		digest, errParcel := putOne(t.Context(), s)
		if err := errors.Join(errLog, errParcel); err != nil {
			t.Fatalf("with room again: %v", err)
		}
		all.entries, all.parcels = append(all.entries, commitment), append(all.parcels, digest)
	}
	all.check(t, s, policyOf(t, key), 5)
}

// TestFullSQLite: the system itself refuses to make the files longer, in the
// middle of a write, to a process that writes from many sides; then it does not
// any more.
func TestFullSQLite(t *testing.T) {
	address := filepath.Join(t.TempDir(), "registry.db")
	s, l, key := openLog(t, address)
	l.Close()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childAddress+"="+address, childAddress+"_KEY="+keep(t, key), childAddress+"_FULL=1")
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	var all acknowledged
	refused := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), refusedWord) {
			refused++
		}
		all.note(lines.Text())
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the process ended with %v", err)
	}
	if refused < 2*wanted {
		t.Errorf("%d writes were refused", refused)
	}
	all.check(t, s, policyOf(t, key), 2*writesSome)
	t.Logf("%d writes were refused", refused)
}

const (
	refusedWord = "refused "
	wanted      = 5 // refusals of each kind of write, while there is no room
	mostWrites  = 2000
	writesSome  = 20 // of each kind, before and after
	room        = 200_000
)

// writeInNarrowness writes, then with little room until the system refuses several
// times, then without that limit.
func writeInNarrowness(ctx context.Context, address string, s *store.Store, l *custody.Log) error {
	writers := map[string]func() ([sha256.Size]byte, error){
		entryWord:  func() ([sha256.Size]byte, error) { return appendOne(ctx, l) },
		parcelWord: func() ([sha256.Size]byte, error) { return putOne(ctx, s) },
	}
	if err := together(writers, writeSome); err != nil {
		return err
	}
	wal, err := os.Stat(address + "-wal")
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	narrow := syscall.Rlimit{Cur: uint64(wal.Size()) + room, Max: old.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &narrow); err != nil {
		return err
	}
	if err := together(writers, writeUntilRefused); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	return together(writers, writeSome)
}

// together runs a phase with all writers at once.
func together(writers map[string]func() ([sha256.Size]byte, error), phase func(word string, write func() ([sha256.Size]byte, error)) error) error {
	errs := make(chan error)
	for word, write := range writers {
		go func() { errs <- phase(word, write) }()
	}
	var all []error
	for range writers {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// writeUntilRefused prints what is acknowledged and what is refused, until that
// was refused so often.
func writeUntilRefused(word string, write func() ([sha256.Size]byte, error)) error {
	n := 0
	for i := 0; n < wanted && i < mostWrites; i++ {
		id, err := write()
		switch {
		case err == nil:
			fmt.Printf("%s%x\n", word, id)
		case !errors.Is(err, fault.System) || fault.HintOf(err) == "":
			return fmt.Errorf("refused with %w", err)
		default:
			n++
			fmt.Println(refusedWord, err)
		}
	}
	if n < wanted {
		return fmt.Errorf("%d writes were refused", n)
	}
	return nil
}

func writeSome(word string, write func() ([sha256.Size]byte, error)) error {
	for range writesSome {
		id, err := write()
		if err != nil {
			return fmt.Errorf("with room: %w", err)
		}
		fmt.Printf("%s%x\n", word, id)
	}
	return nil
}

// TestServerGoesAway stops PostgreSQL in the middle of writing, in order and as a
// power cut would, and starts it again.
func TestServerGoesAway(t *testing.T) {
	cluster := storetest.StartCluster(t)
	s, l, key := openLog(t, cluster.Database())
	w := &busyWriters{t: t, ended: make(chan struct{})}
	for range 3 {
		w.start(func() ([sha256.Size]byte, error) { return appendOne(t.Context(), l) }, w.noteEntry)
		w.start(func() ([sha256.Size]byte, error) { return putOne(t.Context(), s) }, w.noteParcel)
	}
	for _, mode := range []string{"fast", "immediate"} {
		w.wait("writes", func(p *progress) int { return p.acknowledged })
		cluster.Stop(mode)
		w.wait("errors", func(p *progress) int { return p.refused })
		_, errHead := s.Log().Head(t.Context())
		_, errList := s.Parcels(t.Context(), "first", 0, 1)
		_, errOpen := store.Open(t.Context(), "postgres://chancery@127.0.0.1:1/test1")
		for _, err := range []error{errHead, errList, errOpen, s.PutEnrolment(t.Context(), []byte("nonce"), []byte(mode))} {
			wantSystem(t, err)
		}
		cluster.Start()
		w.wait("writes", func(p *progress) int { return p.acknowledged })
	}
	close(w.ended)
	w.running.Wait()
	w.all.check(t, s, policyOf(t, key), 2*len(w.writers))
	for _, mode := range []string{"fast", "immediate"} {
		restartUnnoticed(t, cluster, mode, s, l)
	}
}

// restartUnnoticed starts the server again while nobody writes: whoever reads and
// writes then hears nothing of it.
func restartUnnoticed(t *testing.T, cluster *storetest.Cluster, mode string, s *store.Store, l *custody.Log) {
	cluster.Stop(mode)
	cluster.Start()
	for i := range 10 {
		_, errList := s.Parcels(t.Context(), "first", 0, 1)
		errEnrol := s.PutEnrolment(t.Context(), fmt.Append(nil, mode, i), []byte("keys"))
		_, errHead := s.Log().Head(t.Context())
		_, errParcel := putOne(t.Context(), s)
		_, errLog := appendOne(t.Context(), l)
		if err := errors.Join(errList, errEnrol, errHead, errParcel, errLog); err != nil {
			t.Errorf("call %d after a restart (%s): %v", i, mode, err)
		}
	}
}

// busyWriters write until they are ended, whatever happens.
type busyWriters struct {
	t       *testing.T
	ended   chan struct{}
	running sync.WaitGroup
	all     acknowledged
	mu      sync.Mutex
	writers []*progress // what each did; guarded by mu
}

type progress struct{ acknowledged, refused int }

func (w *busyWriters) noteEntry(id [sha256.Size]byte)  { w.all.entries = append(w.all.entries, id) }
func (w *busyWriters) noteParcel(id [sha256.Size]byte) { w.all.parcels = append(w.all.parcels, id) }

func (w *busyWriters) start(write func() ([sha256.Size]byte, error), note func([sha256.Size]byte)) {
	p := &progress{}
	w.writers = append(w.writers, p)
	w.running.Go(func() {
		for {
			select {
			case <-w.ended:
				return
			case <-time.After(time.Millisecond):
			}
			id, err := write()
			w.mu.Lock()
			if err == nil {
				p.acknowledged++
				note(id)
			} else {
				p.refused++
				wantSystem(w.t, err)
			}
			w.mu.Unlock()
		}
	})
}

// wait waits until each writer did something five times more.
func (w *busyWriters) wait(what string, count func(p *progress) int) {
	w.t.Helper()
	w.mu.Lock()
	before := make([]int, len(w.writers))
	for i, p := range w.writers {
		before[i] = count(p)
	}
	w.mu.Unlock()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		w.mu.Lock()
		left := 0
		for i, p := range w.writers {
			if count(p) < before[i]+5 {
				left++
			}
		}
		w.mu.Unlock()
		if left == 0 {
			return
		}
	}
	w.t.Fatalf("no more %s", what)
}
