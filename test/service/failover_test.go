package service

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"chancery/internal/directory"
	"chancery/internal/store"
	"chancery/internal/store/storetest"
)

// hosts is the address of a database that lies on two servers, of which the one that
// writes is to be used.
func hosts(database string, standby *storetest.Cluster) string {
	head, name, _ := strings.Cut(strings.TrimPrefix(database, "postgres://"), "/")
	name, _, _ = strings.Cut(name, "?")
	return fmt.Sprintf("postgres://%s,127.0.0.1:%d/%s?sslmode=disable&target_session_attrs=read-write", head, standby.Port, name)
}

// TestFailover loses the database's machine while people work. Two registries over a
// PostgreSQL with a synchronous standby: while the standby is away nothing is
// acknowledged, and once the first server is lost and the standby promoted both
// registries find it by themselves. Nothing that was acknowledged is missing, nothing
// that anybody saw is contradicted, and what waited goes on.
func TestFailover(t *testing.T) {
	long(t)
	primary := storetest.StartCluster(t)
	database := primary.Database()
	standby := primary.Standby()
	both := hosts(database, standby)
	h := found(t, "--database", both)
	addresses := []string{h.address, freeAddress(t)}
	first := h.serve("first", h.path("ministry"), addresses[0], "--custodians", "--draws", "12")
	second := h.serve("second", h.path("ministry"), addresses[1], "--no-marking", "--database", both)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	attended(ctx, h, addresses)
	tr, enough := begin(ctx, h, both)
	time.Sleep(1500 * time.Millisecond)
	standby.Stop("immediate")
	time.Sleep(300 * time.Millisecond)
	before := tr.acknowledged()
	time.Sleep(700 * time.Millisecond)
	if after := tr.acknowledged(); after != before {
		t.Errorf("%d acknowledged while the standby was away", after-before)
	}
	standby.Start()
	until(t, "more to be acknowledged", 30*time.Second, func() bool { return tr.acknowledged() > before+20 })
	at := tr.acknowledged()
	primary.Stop("immediate")
	standby.Promote()
	t.Logf("%d acknowledged before the first server was lost", at)
	t.Logf("after the failover: %s", tr.check(both))
	until(t, "more to be acknowledged", 30*time.Second, func() bool { return tr.acknowledged() > at+50 })
	enough()
	tr.end(stop, both, 50)
	first.stop(t)
	second.stop(t)
}

// acknowledged counts what was.
func (tr *traffic) acknowledged() (n int) {
	tr.note(func() { n = len(tr.entries) + len(tr.parcels) + len(tr.offices) + len(tr.tenures) })
	return n
}

// TestGivenUpIsUnseen: somebody hands over a file while the standby is away, and gives
// up. Nobody may see that file before the standby has it: its number in their list
// would be another's after a failover, and that other would never come to them.
func TestGivenUpIsUnseen(t *testing.T) {
	long(t)
	primary := storetest.StartCluster(t)
	database := primary.Database()
	s, err := store.Create(t.Context(), database)
	must(t, err)
	defer s.Close()
	party := directory.PartyOf("bo")
	must(t, s.PutParcel(t.Context(), []byte("one"), []string{party}, false))
	standby := primary.Standby()
	must(t, s.PutParcel(t.Context(), []byte("two"), []string{party}, false))
	standby.Stop("immediate")
	brief, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.PutParcel(brief, []byte("three"), []string{party}, false) }()
	time.Sleep(2 * time.Second)
	all, err := s.Parcels(t.Context(), party, 0, 10)
	must(t, err)
	if len(all) != 2 {
		t.Errorf("%d files are listed, one of them on one machine alone", len(all))
	}
	standby.Start()
	if err := <-ended; err != nil {
		t.Logf("the one who gave up heard: %v", err)
	}
}
