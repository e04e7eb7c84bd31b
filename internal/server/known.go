package server

import (
	"net/http"

	"chancery/internal/fault"
	"chancery/internal/pass"
)

// known lets in who is in the directory now: a device that was revoked a moment
// ago is refused, however old its connection.
func (s *Server) known(h knownHandler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := pass.Signer(r.TLS)
		if err != nil {
			return fault.Permission.New("this is for those who are enrolled").WithHint("ask for an invitation, and enrol with it")
		}
		g, err := s.register.now(r.Context())
		if err != nil {
			return err
		}
		who, err := g.caller(id, s.Now())
		if err != nil {
			return err
		}
		return h(w, r, who)
	}
}
