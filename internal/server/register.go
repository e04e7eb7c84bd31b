package server

import (
	"context"
	"slices"
	"sync"
	"time"

	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/fault"
	"chancery/internal/sign"
)

// register is the directory as the registry's own log has it.
type register struct {
	storage custody.Storage

	mu   sync.RWMutex
	dir  *directory.Directory // guarded by mu
	next custody.Place        // guarded by mu; the first open body that was not read
}

// now reads what was logged since, in whatever process, and returns the register.
func (g *register) now(ctx context.Context) (*register, error) {
	g.mu.RLock()
	next := g.next
	g.mu.RUnlock()
	for {
		bodies, err := g.storage.Bodies(ctx, directory.Everyone, next, bodiesAtOnce)
		if err != nil {
			return nil, err
		}
		if len(bodies) == 0 {
			break
		}
		next = g.take(bodies)
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.dir == nil {
		return nil, fault.NotFound.New("the log holds no institution").WithHint("chancery init founds one")
	}
	return g, nil
}

// bodiesAtOnce is how many bodies are in memory at a time; one may have a megabyte.
const bodiesAtOnce = 16

// take adds open entries in the order of the log. Two who read at once add each
// entry once.
func (g *register) take(bodies []custody.Stored) custody.Place {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, b := range bodies {
		if b.Index < g.next.Index || b.Index == g.next.Index && b.Part < g.next.Part {
			continue
		}
		g.next = b.Place.Next()
		if e, err := custody.ParseEntry(b.Data); err == nil {
			g.dir, _ = directory.Take(g.dir, b.Index, e.Statement)
		}
	}
	return g.next
}

func (g *register) speaker(id sign.ID) (directory.Speaker, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.dir.Speaker(id)
}

// caller returns who speaks with a key and for whom they may read.
func (g *register) caller(id sign.ID, at time.Time) (caller, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	s, err := g.dir.Speaker(id)
	if err != nil {
		return caller{}, err
	}
	return caller{s, g.dir.Parties(s, at)}, nil
}

// marks says whether a key is a marking desk's.
func (g *register) marks(id sign.ID) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.dir != nil && slices.ContainsFunc(g.dir.Institution().Marking, func(m directory.Party) bool { return m.Sign.ID() == id })
}

func (g *register) institution() directory.Institution {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.dir.Institution()
}
