package storetest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"chancery/internal/custody"
	"chancery/internal/fault"
)

// stagedBodies hands bodies over before their entry.
func stagedBodies(t *testing.T, one, other custody.Storage) {
	create(t, one)
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	body := func(party, data string) custody.Body { return custody.Body{Party: party, Data: []byte(data)} }
	part := func(owner string, at time.Time, n, from int, bodies ...custody.Body) custody.Part {
		return custody.Part{Owner: owner, Commitment: commitment(n), From: from, Bodies: bodies, At: at, Since: at.Add(-time.Hour)}
	}
	log := func(n int, owner string, count int) error {
		return one.Sequence(t.Context(), func(tx custody.Tx) (*custody.Batch, error) {
			head, err := tx.Head()
			b := batch(int(head.Size), 1)
			b.Submissions[0] = custody.Submission{Commitment: commitment(n), Staged: custody.Staged{Owner: owner, Count: count}}
			return b, err
		})
	}
	must(t, one.Stage(t.Context(), part("x", now, 7, 0, body("a", "0"), body("b", "1"))))
	must(t, other.Stage(t.Context(), part("x", now, 7, 2, body("c", "wrong"))))
	must(t, one.Stage(t.Context(), part("x", now, 7, 2, body("c", "2"))))
	must(t, one.Stage(t.Context(), part("y", now, 7, 0, body("c", "of another"))))
	if err := one.Stage(t.Context(), part("x", now, 7, 3, body("a", "again"))); !errors.Is(err, fault.Exists) {
		t.Errorf("two for one party: %v", err)
	}
	if got, err := other.Bodies(t.Context(), "a", custody.Place{}, 9); err != nil || len(got) != 0 {
		t.Errorf("a body of no entry: %v, %v", got, err)
	}
	for _, n := range []int{1, 2, 4} {
		if err := log(7, "x", n); !errors.Is(err, fault.NotFound) {
			t.Errorf("%d of 3: %v", n, err)
		}
	}
	if err := log(7, "nobody", 3); !errors.Is(err, fault.NotFound) {
		t.Errorf("another's: %v", err)
	}
	must(t, log(7, "x", 3))
	got, err := other.Bodies(t.Context(), "c", custody.Place{}, 9)
	must(t, err)
	if len(got) != 1 || got[0].Place != (custody.Place{Index: 0, Part: 2}) || string(got[0].Data) != "2" {
		t.Errorf("%v", got)
	}
	must(t, one.Sequence(t.Context(), func(tx custody.Tx) (*custody.Batch, error) {
		all, err := tx.BodiesOf(0)
		n, errCount := tx.CountOf(0)
		if err != nil || errCount != nil || n != 3 || !slices.EqualFunc(all, []string{"0", "1", "2"}, func(b custody.Body, s string) bool { return string(b.Data) == s }) {
			t.Errorf("%d, %v, %v, %v", n, all, err, errCount)
		}
		return batch(1, 1), nil
	}))
	// Once its entry stands, nothing more is kept for it.
	must(t, other.Stage(t.Context(), part("x", now, 7, 0, body("a", "0"))))
	must(t, one.Stage(t.Context(), part("x", now, 7, 0, body("z", "again"))))
	if err := log(8, "x", 1); !errors.Is(err, fault.NotFound) {
		t.Errorf("another entry: %v", err)
	}
	// The same part at once, again and again, as when an answer was late.
	var wait sync.WaitGroup
	for _, s := range []custody.Storage{one, other, one, other} {
		wait.Go(func() {
			for range 10 {
				if err := s.Stage(t.Context(), part("w", now, 11, 0, body("a", "0"), body("b", "1"))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	// What was taken is gone, and what is old goes when somebody begins.
	if err := log(8, "x", 3); !errors.Is(err, fault.NotFound) {
		t.Errorf("taken twice: %v", err)
	}
	must(t, one.Stage(t.Context(), part("z", now.Add(2*time.Hour), 9, 0, body("a", "new"))))
	if err := log(7, "y", 1); !errors.Is(err, fault.NotFound) && !errors.Is(err, fault.Exists) {
		t.Errorf("what is old: %v", err)
	}
	must(t, one.Stage(t.Context(), part("z", now.Add(2*time.Hour), 9, 0, body("a", "newer"))))
	must(t, log(9, "z", 1))
}
