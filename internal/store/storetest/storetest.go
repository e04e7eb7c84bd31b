// Package storetest is what every store must do, as tests: it runs whole on
// SQLite, on PostgreSQL, and on a store in memory that fails on demand. It is
// imported by tests alone.
package storetest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/custody"
	"chancery/internal/fault"
)

// RunLog checks a [custody.Storage]. Each call of open returns an empty one, and
// a second handle on the same, as another process would have.
func RunLog(t *testing.T, open func(t *testing.T) (one, other custody.Storage)) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, one, other custody.Storage)
	}{
		{"NoLog", noLog},
		{"CreateOnce", createOnce},
		{"SequenceStoresAll", sequenceStoresAll},
		{"ErrorStoresNothing", errorStoresNothing},
		{"SequencesAlone", sequencesAlone},
		{"Bodies", bodies},
		{"Staged", stagedBodies},
		{"Cosigned", cosigned},
		{"GivesUp", givesUp},
	} {
		t.Run(test.name, func(t *testing.T) {
			one, other := open(t)
			test.run(t, one, other)
		})
	}
}

// A commitment whose bytes hold what databases stumble over: zeros, quotes,
// bytes beyond ASCII.
func commitment(n int) custody.Commitment {
	c := custody.Commitment{0, '\'', '\\', 0xff, 0x80, '"', '%', '\n'}
	binary.BigEndian.PutUint64(c[24:], uint64(n))
	return c
}

func node(n int64) tlog.Hash {
	h := tlog.Hash{0xfe, 0, '\''}
	binary.BigEndian.PutUint64(h[24:], uint64(n))
	return h
}

// batch makes n submissions from first on, with made-up hashes: a store computes
// none.
func batch(first, n int, bodies ...custody.Body) *custody.Batch {
	b := &custody.Batch{Checkpoint: fmt.Appendf(nil, "checkpoint %d\n", first+n)}
	for i := range n {
		b.Submissions = append(b.Submissions, custody.Submission{Commitment: commitment(first + i), Bodies: bodies})
	}
	for i := tlog.StoredHashCount(int64(first)); i < tlog.StoredHashCount(int64(first+n)); i++ {
		b.Nodes = append(b.Nodes, node(i))
	}
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, s custody.Storage) {
	must(t, s.Create(t.Context(), []byte("checkpoint 0\n")))
}

// add sequences n entries at the end of the log.
func add(t *testing.T, s custody.Storage, n int, bodies ...custody.Body) {
	t.Helper()
	must(t, s.Sequence(t.Context(), func(tx custody.Tx) (*custody.Batch, error) {
		head, err := tx.Head()
		return batch(int(head.Size), n, bodies...), err
	}))
}

func noLog(t *testing.T, one, _ custody.Storage) {
	if _, err := one.Head(t.Context()); !errors.Is(err, fault.NotFound) {
		t.Errorf("head: %v", err)
	}
	err := one.Sequence(t.Context(), func(custody.Tx) (*custody.Batch, error) { return batch(0, 1), nil })
	if !errors.Is(err, fault.NotFound) {
		t.Errorf("sequence: %v", err)
	}
	if _, err := one.Cosigned(t.Context()); !errors.Is(err, fault.NotFound) {
		t.Errorf("cosigned: %v", err)
	}
}

func createOnce(t *testing.T, one, other custody.Storage) {
	create(t, one)
	if err := other.Create(t.Context(), []byte("another")); !errors.Is(err, fault.Exists) {
		t.Errorf("created twice: %v", err)
	}
	head, err := other.Head(t.Context())
	must(t, err)
	if head.Size != 0 || string(head.Checkpoint) != "checkpoint 0\n" {
		t.Errorf("%+v", head)
	}
}

func sequenceStoresAll(t *testing.T, one, other custody.Storage) {
	create(t, one)
	total := 0
	for _, n := range []int{1, 3, 700, 5} {
		add(t, one, n)
		total += n
		head, err := other.Head(t.Context())
		must(t, err)
		if head.Size != int64(total) || string(head.Checkpoint) != fmt.Sprintf("checkpoint %d\n", total) {
			t.Fatalf("%d entries: %d, %q", total, head.Size, head.Checkpoint)
		}
	}
	leaves, err := other.Leaves(t.Context(), 2, 700)
	must(t, err)
	for i, c := range leaves {
		if c != commitment(i+2) {
			t.Fatalf("leaf %d is %v", i+2, c)
		}
	}
	if len(leaves) != 700 {
		t.Errorf("%d leaves", len(leaves))
	}
	if rest, err := other.Leaves(t.Context(), int64(total), 5); err != nil || len(rest) != 0 {
		t.Errorf("%d leaves behind the end, %v", len(rest), err)
	}
	checkNodes(t, other, int64(total))
	at, err := other.Find(t.Context(), []custody.Commitment{commitment(3), commitment(total), commitment(708), commitment(3)})
	must(t, err)
	if len(at) != 2 || at[commitment(3)] != 3 || at[commitment(708)] != 708 {
		t.Errorf("found %v", at)
	}
}

func checkNodes(t *testing.T, s custody.Storage, size int64) {
	t.Helper()
	var indexes []int64
	for i := tlog.StoredHashCount(size) - 1; i >= 0; i -= 3 {
		indexes = append(indexes, i, i)
	}
	hashes, err := s.Nodes(t.Context(), indexes)
	must(t, err)
	for k, i := range indexes {
		if hashes[k] != node(i) {
			t.Fatalf("hash %d is %v", i, hashes[k])
		}
	}
	if _, err := s.Nodes(t.Context(), []int64{0, tlog.StoredHashCount(size)}); !errors.Is(err, fault.NotFound) {
		t.Errorf("a hash behind the end: %v", err)
	}
}

func errorStoresNothing(t *testing.T, one, other custody.Storage) {
	create(t, one)
	add(t, one, 2)
	boom := errors.New("boom")
	err := one.Sequence(t.Context(), func(custody.Tx) (*custody.Batch, error) { return nil, boom })
	if !errors.Is(err, boom) {
		t.Errorf("the error became %v", err)
	}
	// A commitment that is there already: all of the batch fails.
	err = one.Sequence(t.Context(), func(custody.Tx) (*custody.Batch, error) {
		b := batch(2, 3)
		b.Submissions[2].Commitment = commitment(1)
		return b, nil
	})
	if !errors.Is(err, fault.Exists) {
		t.Errorf("one commitment stands twice: %v", err)
	}
	if head, err := other.Head(t.Context()); err != nil || head.Size != 2 {
		t.Errorf("%+v, %v", head, err)
	}
}

// sequencesAlone appends from many goroutines over two handles: no index is
// given twice, none is left out.
func sequencesAlone(t *testing.T, one, other custody.Storage) {
	create(t, one)
	const writers, rounds = 8, 6
	var wait sync.WaitGroup
	var mu sync.Mutex
	var sizes []int64
	for w := range writers {
		wait.Go(func() {
			s := []custody.Storage{one, other}[w%2]
			for range rounds {
				err := s.Sequence(t.Context(), func(tx custody.Tx) (*custody.Batch, error) {
					head, err := tx.Head()
					mu.Lock()
					sizes = append(sizes, head.Size)
					mu.Unlock()
					return batch(int(head.Size), 2), err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	slices.Sort(sizes)
	for i, size := range sizes {
		if size != int64(2*i) {
			t.Fatalf("the %d. call began at %d", i+1, size)
		}
	}
	checkNodes(t, one, 2*writers*rounds)
}

func bodies(t *testing.T, one, other custody.Storage) {
	create(t, one)
	big := make([]byte, custody.MaxBody)
	big[7] = 7
	add(t, one, 2, custody.Body{Party: "a", Data: []byte{0, 1}}, custody.Body{Party: "", Data: []byte("open")}, custody.Body{Party: "a", Data: []byte("x")})
	add(t, one, 1, custody.Body{Party: "b:-.@", Data: big})
	read := func(party string, from custody.Place, n int) []custody.Stored {
		t.Helper()
		got, err := other.Bodies(t.Context(), party, from, n)
		must(t, err)
		return got
	}
	got := read("a", custody.Place{}, 10)
	if len(got) != 4 || got[0].Index != 0 || string(got[0].Data) != "\x00\x01" || string(got[1].Data) != "x" || got[3].Index != 1 {
		t.Errorf("%v", got)
	}
	// One at a time, within an entry and across.
	var place custody.Place
	for i := range got {
		page := read("a", place, 1)
		if len(page) != 1 || page[0].Place != got[i].Place || string(page[0].Data) != string(got[i].Data) {
			t.Fatalf("page %d from %v: %v", i, place, page)
		}
		place = page[0].Next()
	}
	if rest := read("a", place, 1); len(rest) != 0 {
		t.Errorf("behind the last: %v", rest)
	}
	if got = read("b:-.@", custody.Place{}, 1); len(got) != 1 || got[0].Index != 2 || !slices.Equal(got[0].Data, big) {
		t.Errorf("%d bodies", len(got))
	}
	if got = read("", custody.Place{}, 10); len(got) != 2 || string(got[1].Data) != "open" {
		t.Errorf("%v", got)
	}
	if got = read("c", custody.Place{}, 10); len(got) != 0 {
		t.Errorf("%v", got)
	}
	must(t, one.Sequence(t.Context(), func(tx custody.Tx) (*custody.Batch, error) {
		all, err := tx.BodiesOf(1)
		if err != nil || len(all) != 3 || all[1].Party != "" || string(all[2].Data) != "x" {
			t.Errorf("%v, %v", all, err)
		}
		return batch(3, 1), err
	}))
}

func cosigned(t *testing.T, one, other custody.Storage) {
	create(t, one)
	for _, c := range []struct {
		size int64
		want string
	}{{5, "5"}, {7, "7"}, {6, "7"}, {7, "7"}} {
		must(t, one.SetCosigned(t.Context(), c.size, fmt.Append(nil, c.size)))
		got, err := other.Cosigned(t.Context())
		must(t, err)
		if string(got) != c.want {
			t.Errorf("after %d: %s", c.size, got)
		}
	}
}

// givesUp ends a context: the call ends with fault.Interrupted or is done.
func givesUp(t *testing.T, one, other custody.Storage) {
	create(t, one)
	if _, memory := one.(*Memory); memory {
		t.Skip("a store in memory waits for nothing")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := one.Sequence(ctx, func(custody.Tx) (*custody.Batch, error) { return batch(0, 1), nil })
	if !errors.Is(err, fault.Interrupted) {
		t.Errorf("%v", err)
	}
	add(t, other, 1)
}
