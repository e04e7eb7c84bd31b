package server

import (
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"chancery/internal/pass"
	"chancery/internal/wire"
)

// Limits on work at once.
const (
	maxHeavy   = 4       // large requests read at a time
	heavyBytes = 1 << 20 // what is large
	maxCallers = 10000   // whose rates are remembered
)

// limits holds how much each caller may still ask.
type limits struct {
	rate, burst float64
	now         func() time.Time

	mu  sync.Mutex
	all map[string]*rate.Limiter // guarded by mu
}

// limited refuses a caller who asks too often: a device by its key, strangers by
// their address. A marking desk answers for everybody, and whoever writes to it makes it
// ask: it has no limit.
func (s *Server) limited(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		who, err := pass.Signer(r.TLS)
		name := who.String()
		if err != nil {
			name, _, _ = net.SplitHostPort(r.RemoteAddr)
		}
		if !(err == nil && s.register.marks(who)) && !s.limits.allow(name) {
			s.counts.limited.Add(1)
			wire.WriteBusy(w)
			return nil
		}
		return h(w, r)
	}
}

func (l *limits) allow(name string) bool {
	if l.rate <= 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.all[name]
	if one == nil {
		if len(l.all) >= maxCallers || l.all == nil {
			l.all = map[string]*rate.Limiter{} // forgetting is kinder than refusing
		}
		one = rate.NewLimiter(rate.Limit(l.rate), int(l.burst))
		l.all[name] = one
	}
	return one.AllowN(l.now(), 1)
}
