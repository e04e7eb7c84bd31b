// Package server is the registry: it logs commitments, keeps sealed bodies and
// parcels, and gives each party what is addressed to it. It cannot open anything
// it keeps, and imports nothing that could. Who asks is known by the pass of the
// connection, and what they may read by the directory, which the registry reads
// from its own log like everyone else.
package server

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/sign"
	"chancery/internal/store"
	"chancery/internal/wire"
)

// Parcels keeps sealed files. Its errors are those of package fault, and what it
// acknowledged is durable.
type Parcels interface {
	PutParcel(ctx context.Context, data []byte, parties []string, quiet bool) error
	Parcel(ctx context.Context, digest [sha256.Size]byte, parties []string) ([]byte, error)
	Parcels(ctx context.Context, party string, after int64, n int) ([]store.Listed, error)
	PutEnrolment(ctx context.Context, nonce, data []byte) error
	Enrolments(ctx context.Context) ([][]byte, error)
}

// Config is what a registry is made of.
type Config struct {
	Log     *custody.Log
	Storage custody.Storage
	Parcels Parcels
	Now     func() time.Time
	Logger  *slog.Logger
	// Rate is how many requests a second one device may make for long, and Burst
	// how many at once.
	Rate, Burst float64
	// Quota is how many bytes one device may send in a day, and at once; 0: any. Each of
	// several processes counts for itself.
	Quota float64
}

// A Server is safe for any number of goroutines. Several may serve one store.
type Server struct {
	Config
	register register
	limits   limits
	volumes  limits
	counts   counts
	heavy    chan struct{} // a place for each large request that is read

	mu    sync.Mutex
	news  chan struct{} // guarded by mu; closed when something came
	ended chan struct{}
}

// New makes a registry over a log that was founded: its first entry is the
// institution's.
func New(ctx context.Context, c Config) (*Server, error) {
	s := &Server{Config: c, news: make(chan struct{}), ended: make(chan struct{}), heavy: make(chan struct{}, maxHeavy)}
	s.register.storage = c.Storage
	s.limits.rate, s.limits.burst, s.limits.now = c.Rate, c.Burst, c.Now
	s.volumes.rate, s.volumes.burst, s.volumes.now = c.Quota/day.Seconds(), c.Quota, c.Now
	s.counts.start()
	_, err := s.register.now(ctx)
	return s, err
}

// Find returns the public key with an id, for the handshake. Whom the registry knows
// it knows without the store: each request looks again, and then says what is wrong,
// which a handshake cannot.
func (s *Server) Find(id sign.ID) (*sign.Public, error) {
	if speaker, err := s.register.speaker(id); err == nil {
		return speaker.Sign, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	d, err := s.register.now(ctx)
	if err != nil {
		return nil, err
	}
	speaker, err := d.speaker(id)
	return speaker.Sign, err
}

const day = 24 * time.Hour

// lookTime is how long a look at the store may take.
const lookTime = 10 * time.Second

// Close ends requests that wait.
func (s *Server) Close() { close(s.ended) }

// Handler serves the routes of package wire.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, h handler) { mux.Handle(pattern, s.told(pattern, s.limited(h))) }
	handle("POST "+wire.RouteEntries, s.known(s.submit))
	handle("PUT "+wire.RouteStaged+"{commitment}", s.known(s.stage))
	handle("GET "+wire.RouteFeed, s.known(s.feed))
	handle("GET "+wire.RouteHead, s.known(s.head))
	handle("GET "+wire.RouteConsistency, s.known(s.consistency))
	handle("GET "+wire.RouteProof, s.known(s.proof))
	handle("PUT "+wire.RouteParcels+"{digest}", s.known(s.putParcel))
	handle("GET "+wire.RouteParcels+"{digest}", s.known(s.getParcel))
	handle("POST "+wire.RouteEnrol, s.enrol)
	handle("GET "+wire.RouteEnrolments, s.known(s.enrolments))
	handle("GET /checkpoint", s.known(s.checkpoint))
	handle("GET /tile/{path...}", s.known(s.tile))
	handle("GET "+wire.RouteHealth, s.health)
	handle("GET "+wire.RouteMetrics, s.metrics)
	return mux
}

// A caller is who asks.
type caller struct {
	directory.Speaker
	parties []string
}

// A handler answers a request or returns an error that is told in the way of
// package wire.
type handler func(w http.ResponseWriter, r *http.Request) error

// A knownHandler answers somebody who is in the directory.
type knownHandler func(w http.ResponseWriter, r *http.Request, who caller) error

// told wakes all who wait for news.
func (s *Server) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.news)
	s.news = make(chan struct{})
}

func (s *Server) waiting() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.news
}
