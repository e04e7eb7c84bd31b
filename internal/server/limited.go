package server

import (
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"chancery/internal/pass"
)

// Limits on work at once.
const (
	maxHeavy   = 4       // large requests read at a time
	heavyBytes = 1 << 20 // what is large
	maxCallers = 10000   // whose rates are remembered
)

// limits holds how much each caller may still do: requests, or bytes.
type limits struct {
	rate, burst float64 // a second, and at once; no limit if rate is 0
	now         func() time.Time

	mu  sync.Mutex
	all map[string]*rate.Limiter // guarded by mu
}

// busy is an answer to one who asks for more than is given to one. It is over in a while:
// whoever asked tries again.
type busy struct {
	message, hint string
	after         time.Duration
}

func (b *busy) Error() string { return b.message }

var (
	tooOften = &busy{"too many requests from this device", "wait a moment; the desk tries again by itself", time.Second}
	tooMuch  = &busy{"this device has sent as much as the registry takes from one in a day", "the desk tries again by itself; the operator's limit is serve --quota", time.Minute}
)

// asker names who asks: a device by its key, strangers by where they come from. A marking
// desk answers for everybody, and whoever writes to it makes it ask: it has no limit.
func (s *Server) asker(r *http.Request) (name string, free bool) {
	who, err := pass.Signer(r.TLS)
	if err == nil {
		return who.String(), s.register.marks(who)
	}
	name, _, _ = net.SplitHostPort(r.RemoteAddr)
	return name, false
}

// limited refuses one who asks too often.
func (s *Server) limited(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if name, free := s.asker(r); !free && !s.limits.spend(name, 1) {
			return tooOften
		}
		return h(w, r)
	}
}

// spend takes so much of what a caller has, if there is as much.
func (l *limits) spend(name string, n int) bool {
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
	return one.AllowN(l.now(), n)
}
