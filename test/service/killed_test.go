package service

import (
	"context"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"chancery/internal/store/storetest"
)

// TestKilledSQLite kills a registry, with the marking desk and the custodians in the
// same process, at random moments while people send, read and are appointed. What was
// acknowledged is there, the log is whole, and every cable that was queued arrives
// once. (500 rounds in make soak.)
func TestKilledSQLite(t *testing.T) {
	long(t)
	h := found(t)
	database := h.path("ministry", "registry", "registry.db")
	one := h.serve("registry", h.path("ministry"), h.address, "--custodians", "--draws", "12")
	killRounds(t, h, []*process{one}, []string{h.address}, database, twentieth(500))
}

// TestKilledPostgreSQL is the same with three processes over one database, of which
// the first carries the marking desk and the custodians. (200 rounds in make soak.)
func TestKilledPostgreSQL(t *testing.T) {
	long(t)
	database := storetest.StartCluster(t).Database()
	h := found(t, "--database", database)
	addresses := []string{h.address, freeAddress(t), freeAddress(t)}
	processes := []*process{h.serve("first", h.path("ministry"), addresses[0], "--custodians", "--draws", "12")}
	for i, name := range []string{"second", "third"} {
		processes = append(processes, h.serve(name, h.path("ministry"), addresses[i+1], "--no-marking"))
	}
	killRounds(t, h, processes, addresses, database, twentieth(200))
}

// killRounds kills the processes in turn, each time after something was acknowledged
// since the last.
func killRounds(t *testing.T, h *house, processes []*process, addresses []string, database string, rounds int) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	attended(ctx, h, addresses)
	tr, enough := begin(ctx, h, database)
	begun := time.Now()
	for round := range rounds {
		before := tr.acknowledged()
		until(t, "anything acknowledged", 30*time.Second, func() bool { return tr.acknowledged() > before })
		time.Sleep(time.Duration(mathrand.IntN(150)) * time.Millisecond)
		if round%10 == 9 {
			time.Sleep(time.Second) // draws are made, which takes longer than a round
		}
		p := processes[round%len(processes)]
		p.kill()
		p.start(t)
		if (round+1)%max(5, rounds/20) == 0 {
			said := tr.check(database)
			if soak() {
				t.Logf("round %d, %v: %s", round+1, time.Since(begun).Round(time.Second), said)
			}
		}
	}
	enough()
	tr.end(stop, database, rounds)
	for _, p := range processes {
		p.stop(t)
	}
}
