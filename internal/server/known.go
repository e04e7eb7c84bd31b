package server

import (
	"net/http"
	"slices"

	"chancery/internal/fault"
	"chancery/internal/pass"
)

// known lets in who is in the directory now: a device that was revoked a moment
// ago is refused, however old its connection.
func (s *Server) known(h knownHandler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		who, err := s.caller(r)
		if err != nil {
			return err
		}
		return h(w, r, who)
	}
}

// caller returns who asks, by the directory as it is now.
func (s *Server) caller(r *http.Request) (caller, error) {
	id, err := pass.Signer(r.TLS)
	if err != nil {
		return caller{}, fault.Permission.New("this is for those who are enrolled").WithHint("ask for an invitation, and enrol with it")
	}
	g, err := s.register.now(r.Context())
	if err != nil {
		return caller{}, err
	}
	return g.caller(id, s.Now())
}

// mayRead refuses parties that are not the caller's.
func (c caller) mayRead(parties []string) error {
	for _, p := range parties {
		if !slices.Contains(c.parties, p) {
			return fault.Permission.New("what is for %.60q is not for you", p)
		}
	}
	return nil
}
