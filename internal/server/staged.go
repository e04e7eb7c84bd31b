package server

import (
	"net/http"
	"time"

	"chancery/internal/canonical"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/fault"
	"chancery/internal/wire"
)

// stagedTime is how long letters wait for their entry.
const stagedTime = 24 * time.Hour

// stage keeps some of the letters of an entry that the caller is to submit. They are
// nobody's before it stands in the log.
func (s *Server) stage(w http.ResponseWriter, r *http.Request, who caller) error {
	commitment, err := named(r, "commitment", "a commitment")
	if err != nil {
		return err
	}
	data, err := s.body(w, r, wire.MaxStaged)
	if err != nil {
		return err
	}
	if err := wire.CheckSubmit(data); err != nil {
		return err
	}
	var in wire.Staged
	if _, _, err := canonical.Decode(data, &in); err != nil {
		return fault.Input.Wrap(err, "not letters of an entry")
	}
	bodies := wire.ToBodies(in.Bodies)
	if err := custody.CheckPart(in.From, bodies); err != nil {
		return err
	}
	for _, b := range bodies {
		if directory.LiesOpen(b.Party) {
			return fault.Input.New("what lies open comes with its entry")
		}
	}
	now := s.Now()
	part := custody.Part{Owner: who.Sign.ID().String(), Commitment: commitment, From: in.From, Bodies: bodies, At: now, Since: now.Add(-stagedTime)}
	if err := s.Storage.Stage(r.Context(), part); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
