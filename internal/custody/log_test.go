package custody_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/custody"
	"chancery/internal/fault"
	"chancery/internal/sign"
	"chancery/internal/store/storetest"
)

const origin = "registry.example/log"

// A world is a log in memory, with a policy that names it and no witness.
type world struct {
	*storetest.Memory
	t      testing.TB
	key    *sign.NoteKey
	log    *custody.Log
	policy *custody.Policy
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldNamed(t, origin)
}

// open opens the log as another process would.
func (w *world) open() *custody.Log {
	w.t.Helper()
	l, err := custody.Open(w.t.Context(), w, w.key)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(l.Close)
	return l
}

func policyOf(t testing.TB, key *sign.NoteKey, more ...string) *custody.Policy {
	t.Helper()
	text := ""
	for _, vkey := range key.LogVKeys() {
		text += "log " + vkey + "\n"
	}
	if len(more) == 0 {
		more = []string{"quorum none"}
	}
	p, err := custody.ParsePolicy("policy", []byte(text+strings.Join(more, "\n")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func submission(n int) custody.Submission {
	var c custody.Commitment
	binary.BigEndian.PutUint64(c[:], uint64(n)+1)
	return custody.Submission{Commitment: c, Bodies: []custody.Body{{Party: "p", Data: fmt.Append(nil, n)}}}
}

func submissions(from, n int) []custody.Submission {
	var out []custody.Submission
	for i := range n {
		out = append(out, submission(from+i))
	}
	return out
}

func (w *world) append(from, n int) {
	w.t.Helper()
	if _, err := w.log.Append(w.t.Context(), submissions(from, n)...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) check(size int64) {
	w.t.Helper()
	c, err := custody.Check(w.t.Context(), w, w.policy, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if c.Size != size {
		w.t.Fatalf("the log has %d entries, not %d", c.Size, size)
	}
}

func TestAppend(t *testing.T) {
	w := newWorld(t)
	w.check(0)
	total := 0
	for _, n := range []int{1, 1, 5, 300, 1, 2000, 7} {
		at, err := w.log.Append(t.Context(), submissions(total, n)...)
		if err != nil {
			t.Fatal(err)
		}
		for i, index := range at {
			if index != int64(total+i) {
				t.Fatalf("entry %d is at %d", total+i, index)
			}
		}
		total += n
		w.check(int64(total))
	}
	// The same again, among new ones and twice in one call: logged once.
	again := []custody.Submission{submission(3), submission(total), submission(3), submission(total), submission(0)}
	at, err := w.log.Append(t.Context(), again...)
	if err != nil || fmt.Sprint(at) != fmt.Sprint([]int{3, total, 3, total, 0}) {
		t.Errorf("%v, %v", at, err)
	}
	w.check(int64(total) + 1)
	if at, err := w.log.Append(t.Context(), submission(2)); err != nil || at[0] != 2 {
		t.Errorf("%v, %v", at, err)
	}
	if bodies, err := w.Bodies(t.Context(), "p", custody.Place{}, 10000); err != nil || len(bodies) != total+1 {
		t.Errorf("%d bodies, %v", len(bodies), err)
	}
}

// TestOtherBodies: the same entry with other bodies is not acknowledged, and what
// stands beside it in the batch is.
func TestOtherBodies(t *testing.T) {
	w := newWorld(t)
	s := submission(0)
	bare := custody.Submission{Commitment: s.Commitment}
	if _, err := w.log.Append(t.Context(), bare); err != nil {
		t.Fatal(err)
	}
	if _, err := w.log.Append(t.Context(), s); !errors.Is(err, fault.Exists) {
		t.Errorf("logged without bodies, then with: %v", err)
	}
	if _, err := w.log.Append(t.Context(), submission(1), custody.Submission{Commitment: submission(1).Commitment}); !errors.Is(err, fault.Exists) {
		t.Errorf("in one call: %v", err)
	}
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() {
			if i%2 == 0 {
				w.log.Append(t.Context(), s)
			} else if _, err := w.log.Append(t.Context(), submission(10+i)); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	w.check(11)
}

// TestPutBackWhileItRuns: an old state of the store is put back under a running
// registry. It signs nothing more: two histories of one length would be a fork.
func TestPutBackWhileItRuns(t *testing.T) {
	for name, grow := range map[string]int{"shorter": 0, "as long, with other entries": 4} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.append(0, 6)
			saved := w.Save()
			w.append(6, 4)
			w.Restore(saved)
			if grow > 0 {
				w.open().Append(t.Context(), submissions(100, grow)...)
			}
			if _, err := w.log.Append(t.Context(), submission(50)); !errors.Is(err, fault.Mismatch) {
				t.Errorf("it signed on: %v", err)
			}
			w.check(int64(6 + grow))
		})
	}
	// Another process that goes on honestly is followed.
	w := newWorld(t)
	w.append(0, 3)
	if _, err := w.open().Append(t.Context(), submissions(10, 5)...); err != nil {
		t.Fatal(err)
	}
	w.append(20, 2)
	w.check(10)
}

// TestCloseEnds says that Close returns however much waits.
func TestCloseEnds(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for k := range 4 {
		wait.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if _, err := w.log.Append(ctx, submissions(1e6*k+600*n, 600)...); err != nil {
					return
				}
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	done := make(chan bool)
	go func() { w.log.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Error("Close does not return while others append")
	}
	cancel()
	wait.Wait()
}

// TestFaultAtEveryWrite lets the store fail at each write in turn, having stored
// the batch or not. What was acknowledged is there, the tree verifies whole, and
// appending the same again ends with each entry once.
func TestFaultAtEveryWrite(t *testing.T) {
	for _, how := range []storetest.Failure{storetest.Lost, storetest.Stored} {
		for bad := range 6 {
			t.Run(fmt.Sprintf("%d/%d", how, bad), func(t *testing.T) {
				w := newWorld(t)
				writes := 0
				w.Fail = func(string) storetest.Failure {
					writes++
					if writes == bad+1 {
						return how
					}
					return storetest.None
				}
				acknowledged := map[int64]custody.Commitment{}
				for i := range 6 {
					subs := submissions(10*i, 3)
					at, err := w.log.Append(t.Context(), subs...)
					if err != nil {
						if !errors.Is(err, fault.System) {
							t.Fatal(err)
						}
						if at, err = w.log.Append(t.Context(), subs...); err != nil {
							t.Fatal(err)
						}
					}
					for k, index := range at {
						acknowledged[index] = subs[k].Commitment
					}
				}
				w.check(18)
				for index, c := range acknowledged {
					leaves, err := w.Leaves(t.Context(), index, 1)
					if err != nil || leaves[0] != c {
						t.Errorf("entry %d was acknowledged and is %v, %v", index, leaves, err)
					}
				}
			})
		}
	}
}

// TestManyWriters appends over two processes' logs at a time.
func TestManyWriters(t *testing.T) {
	w := newWorld(t)
	logs := []*custody.Log{w.log, w.open()}
	const writers, rounds = 16, 10
	var wait sync.WaitGroup
	var mu sync.Mutex
	seen := map[int64]bool{}
	for k := range writers {
		wait.Go(func() {
			for r := range rounds {
				at, err := logs[k%2].Append(t.Context(), submissions(100*k+2*r, 2)...)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, i := range at {
					if seen[i] {
						t.Errorf("index %d was given twice", i)
					}
					seen[i] = true
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	w.check(2 * writers * rounds)
}

func TestAppendRefuses(t *testing.T) {
	w := newWorld(t)
	s := submission(0)
	s.Bodies[0].Data = make([]byte, custody.MaxBody+1)
	if _, err := w.log.Append(t.Context(), s); !errors.Is(err, fault.Input) {
		t.Errorf("a long body: %v", err)
	}
	s = submission(0)
	s.Bodies[0].Party = strings.Repeat("p", custody.MaxParty+1)
	if _, err := w.log.Append(t.Context(), s); !errors.Is(err, fault.Input) {
		t.Errorf("a long party: %v", err)
	}
	s.Bodies = make([]custody.Body, custody.MaxBodies+1)
	if _, err := w.log.Append(t.Context(), s); !errors.Is(err, fault.Input) {
		t.Errorf("many bodies: %v", err)
	}
	for _, b := range []custody.Body{{Party: "a b", Data: []byte("x")}, {Party: "a\x00", Data: []byte("x")}, {Party: "é", Data: []byte("x")}, {Party: "p"}} {
		s.Bodies = []custody.Body{b}
		if _, err := w.log.Append(t.Context(), s); !errors.Is(err, fault.Input) {
			t.Errorf("%q: %v", b.Party, err)
		}
	}
	if at, err := w.log.Append(t.Context()); err != nil || at != nil {
		t.Errorf("nothing: %v, %v", at, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.log.Append(ctx, submission(0)); err != nil && !errors.Is(err, fault.Interrupted) {
		t.Errorf("given up: %v", err)
	}
	w.log.Close()
	w.log.Close()
	if _, err := w.log.Append(t.Context(), submission(1)); !errors.Is(err, fault.Interrupted) {
		t.Errorf("closed: %v", err)
	}
}

// TestOpenRefusesDamage opens logs whose store was altered behind our back.
func TestOpenRefusesDamage(t *testing.T) {
	w := newWorld(t)
	w.append(0, 5)
	other, err := sign.GenerateNoteKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := custody.Open(t.Context(), w, other); !errors.Is(err, fault.Mismatch) {
		t.Errorf("with another key: %v", err)
	}
	if _, err := custody.Open(t.Context(), &storetest.Memory{}, w.key); !errors.Is(err, fault.NotFound) {
		t.Errorf("without a log: %v", err)
	}
	for name, s := range map[string]custody.Storage{
		"a node changed":  altered{Storage: w, node: 6},
		"a node missing":  altered{Storage: w, node: -1},
		"an old head":     altered{Storage: w, node: -2, head: w.signed(0, tlog.Hash{})},
		"a forged head":   altered{Storage: w, node: -2, head: []byte(origin + "\n5\n\n")},
		"another's words": altered{Storage: w, node: -2, head: []byte("hello\n")},
	} {
		if _, err := custody.Open(t.Context(), s, w.key); err == nil {
			t.Errorf("%s: opened", name)
		}
		if _, err := custody.Check(t.Context(), s, w.policy, nil); err == nil {
			t.Errorf("%s: checked", name)
		}
	}
}

// TestCheckSeesEveryHash changes each stored hash in turn.
func TestCheckSeesEveryHash(t *testing.T) {
	w := newWorld(t)
	w.append(0, 21)
	for i := range tlog.StoredHashCount(21) {
		if _, err := custody.Check(t.Context(), altered{Storage: w, node: i}, w.policy, nil); !errors.Is(err, fault.Mismatch) {
			t.Errorf("hash %d: %v", i, err)
		}
	}
}

// signed is a checkpoint of any size and root, signed by the log's key: what a
// dishonest registry can make.
func (w *world) signed(size int64, root tlog.Hash) []byte {
	w.t.Helper()
	if size == 0 {
		root, _ = tlog.TreeHash(0, nil)
	}
	s, err := w.key.SignCheckpoint(custody.Checkpoint{Origin: w.key.Name(), Size: size, Root: root}.Text())
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// altered is a store that somebody wrote to: one hash is another (-1: missing,
// -2: none), or the head.
type altered struct {
	custody.Storage
	node int64
	head []byte
}

func (a altered) Nodes(ctx context.Context, indexes []int64) ([]tlog.Hash, error) {
	if a.node == -1 {
		return nil, fault.NotFound.New("missing")
	}
	out, err := a.Storage.Nodes(ctx, indexes)
	for i, at := range indexes {
		if at == a.node {
			out[i][0] ^= 1
		}
	}
	return out, err
}

func (a altered) Head(ctx context.Context) (custody.Head, error) {
	h, err := a.Storage.Head(ctx)
	if a.head != nil {
		h.Checkpoint = a.head
	}
	return h, err
}

// TestTilesAreWhatOthersRead reads the log through its tiles with the reader of
// sumdb/tlog, which fetches tiles and verifies them against the root, and proves
// every leaf from them.
func TestTilesAreWhatOthersRead(t *testing.T) {
	w := newWorld(t)
	for _, size := range []int64{1, 255, 256, 257, 700, 66000} {
		at, err := w.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for n := int(at.Size); n < int(size); n += 1000 {
			w.append(n, min(1000, int(size)-n))
		}
		tree := w.tree()
		r := tlog.TileHashReader(tree, tiles{w})
		for n := int64(0); n < size; n += 1 + size/17 {
			proof, err := tlog.ProveRecord(size, n, r)
			if err != nil {
				t.Fatalf("%d of %d: %v", n, size, err)
			}
			c := submission(int(n)).Commitment
			if err := tlog.CheckRecord(proof, size, tree.Hash, n, tlog.RecordHash(c[:])); err != nil {
				t.Errorf("%d of %d: %v", n, size, err)
			}
		}
	}
	for path, want := range map[string]int{
		"tile/0/000": 8192, "tile/0/257.p/208": 208 * 32, "tile/1/000": 8192, "tile/1/001.p/1": 32, "tile/2/000.p/1": 32,
		"tile/entries/000": 256 * 34, "tile/entries/257.p/3": 3 * 34, "tile/0/000.p/17": 17 * 32,
	} {
		data, err := custody.Tile(t.Context(), w, path)
		if err != nil || len(data) != want {
			t.Errorf("%s: %d bytes, %v", path, len(data), err)
		}
	}
	for _, path := range []string{"", "tile/0/257", "tile/0/257.p/209", "tile/1/001", "tile/3/000", "tile/0/x000/000", "tile/00/000", "tile/0/0",
		"tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/x1/000", "tile/64/000", "tile/0/-01", "tile/0/../000",
		"tile/0/x999/x999/x999/x999/x999/x999/999", "tile/entries/258", "tile/0/000/", "/tile/0/000"} {
		if _, err := custody.Tile(t.Context(), w, path); !errors.Is(err, fault.NotFound) {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func (w *world) tree() tlog.Tree {
	w.t.Helper()
	c, err := custody.Check(w.t.Context(), w, w.policy, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return tlog.Tree{N: c.Size, Hash: c.Root}
}

// tiles fetches tiles by their C2SP paths.
type tiles struct{ w *world }

func (r tiles) Height() int                             { return 8 }
func (r tiles) SaveTiles(tiles []tlog.Tile, _ [][]byte) {}
func (r tiles) ReadTiles(all []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range all {
		// x/mod spells tile/8/L/N..., C2SP tile/L/N...
		data, err := custody.Tile(r.w.t.Context(), r.w, strings.Replace(t.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}
