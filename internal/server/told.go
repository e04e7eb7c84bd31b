package server

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"chancery/internal/fault"
	"chancery/internal/pass"
	"chancery/internal/wire"
)

// counts is what the metrics tell: numbers, nobody's name.
type counts struct {
	begun                                               time.Time
	requests, refused, failed, limited, logged, parcels atomic.Int64
	busy                                                atomic.Int64
}

func (c *counts) start() { c.begun = time.Now() }

// told answers errors, counts, and writes a line of the registry's own log: which
// route, how it ended, how long it took; never what was in it.
func (s *Server) told(pattern string, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		s.counts.requests.Add(1)
		s.counts.busy.Add(1)
		defer s.counts.busy.Add(-1)
		w.Header().Set("Cache-Control", "no-store")
		err := s.guarded(h, w, r)
		who := "nobody"
		if id, none := pass.Signer(r.TLS); none == nil {
			who = id.String()[:16]
		}
		if err == nil {
			s.Logger.Debug("answered", "route", pattern, "by", who, "took", time.Since(begun))
			return
		}
		var held *busy
		if errors.As(err, &held) {
			s.counts.limited.Add(1)
			s.Logger.Info("held back", "route", pattern, "by", who, "why", held.message)
			wire.WriteBusy(w, held.message, held.hint, held.after)
			return
		}
		kind := fault.KindOf(err)
		if kind == fault.Internal || kind == fault.System {
			s.counts.failed.Add(1)
			s.Logger.Error("failed", "route", pattern, "by", who, "why", fault.Escape(err.Error()))
		} else {
			s.counts.refused.Add(1)
			s.Logger.Info("refused", "route", pattern, "by", who, "kind", kind.Error())
		}
		wire.WriteProblem(w, err)
	})
}

// guarded turns a panic into an error. Where it came from is in the registry's own log,
// what it was about is not: that may be somebody's.
func (s *Server) guarded(h handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if recover() != nil {
			s.Logger.Error("a defect", "stack", string(debug.Stack()))
			err = fault.Internal.New("a defect of the registry")
		}
	}()
	return h(w, r)
}

// health says whether the store answers.
func (s *Server) health(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.Storage.Head(r.Context()); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, "ok")
	return broken(err)
}

// metrics writes the text format of Prometheus. The size of the log is no secret
// from those who reach the registry; who did what is.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) error {
	head, err := s.Storage.Head(r.Context())
	if err != nil {
		return err
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	for _, one := range []struct {
		name, kind, help string
		value            int64
	}{
		{"requests_total", "counter", "Requests begun.", s.counts.requests.Load()},
		{"refused_total", "counter", "Requests refused.", s.counts.refused.Load()},
		{"failed_total", "counter", "Requests that failed for a reason of ours.", s.counts.failed.Load()},
		{"limited_total", "counter", "Requests beyond a device's rate.", s.counts.limited.Load()},
		{"entries_logged_total", "counter", "Entries logged by this process.", s.counts.logged.Load()},
		{"parcels_total", "counter", "Parcels kept by this process.", s.counts.parcels.Load()},
		{"requests_now", "gauge", "Requests being answered.", s.counts.busy.Load()},
		{"log_size", "gauge", "Entries in the log.", head.Size},
		{"heap_bytes", "gauge", "Bytes of live memory.", int64(m.HeapAlloc)},
		{"goroutines", "gauge", "Goroutines.", int64(runtime.NumGoroutine())},
		{"uptime_seconds", "gauge", "Seconds since the start.", int64(time.Since(s.counts.begun).Seconds())},
	} {
		if _, err := fmt.Fprintf(w, "# HELP chancery_%s %s\n# TYPE chancery_%s %s\nchancery_%s %d\n", one.name, one.help, one.name, one.kind, one.name, one.value); err != nil {
			return broken(err)
		}
	}
	return nil
}

// broken is an answer that did not reach its reader.
func broken(err error) error {
	if err == nil {
		return nil
	}
	return fault.Interrupted.Wrap(err, "answer")
}
