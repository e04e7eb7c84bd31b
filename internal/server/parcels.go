package server

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"

	"chancery/internal/canonical"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/wire"
)

// digestOf reads the digest in the path of a parcel.
func digestOf(r *http.Request) ([sha256.Size]byte, error) { return named(r, "digest", "a parcel") }

// named reads the 32 bytes that name what a path is about.
func named(r *http.Request, part, what string) ([32]byte, error) {
	raw, err := hex.DecodeString(r.PathValue(part))
	if err != nil || len(raw) != 32 {
		return [32]byte{}, fault.Usage.New("%s is named by 64 hexadecimal digits", what)
	}
	return [32]byte(raw), nil
}

// putParcel keeps a sealed file for the parties named before it.
func (s *Server) putParcel(w http.ResponseWriter, r *http.Request, _ caller) error {
	digest, err := digestOf(r)
	if err != nil {
		return err
	}
	body, err := s.body(w, r, wire.MaxParcel)
	if err != nil {
		return err
	}
	parties, data, err := wire.ParseParcel(body)
	if err != nil {
		return err
	}
	if sha256.Sum256(data) != digest {
		return fault.Mismatch.New("the parcel that arrived is not the one that was named").WithHint("send it again")
	}
	if err := s.Parcels.PutParcel(r.Context(), data, parties, r.URL.Query().Has("quiet")); err != nil {
		return err
	}
	s.counts.parcels.Add(1)
	s.tell()
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// getParcel gives a sealed file to one for whom it is.
func (s *Server) getParcel(w http.ResponseWriter, r *http.Request, who caller) error {
	digest, err := digestOf(r)
	if err != nil {
		return err
	}
	data, err := s.Parcels.Parcel(r.Context(), digest, who.parties[1:])
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, err = w.Write(data)
	return broken(err)
}

// enrol takes the keys of somebody who was invited, for an authority to look at.
// They count for nothing before that.
func (s *Server) enrol(w http.ResponseWriter, r *http.Request) error {
	data, err := s.body(w, r, wire.MaxEnrol)
	if err != nil {
		return err
	}
	var in entries.Enrolment
	if _, _, err := canonical.Decode(data, &in); err != nil {
		return fault.Input.Wrap(err, "not an enrolment")
	}
	g, err := s.register.now(r.Context())
	if err != nil {
		return err
	}
	invite, err := in.Check(g.institution())
	if err != nil {
		return err
	}
	if s.Now().After(invite.Until.Time) {
		return fault.Permission.New("the invitation ran out at %s", invite.Until.Format("2006-01-02 15:04 MST")).WithHint("ask for another")
	}
	canon, err := json.Marshal(in)
	if err != nil {
		return fault.Internal.Wrap(err, "keep an enrolment")
	}
	if err := s.Parcels.PutEnrolment(r.Context(), invite.Nonce[:], canon); err != nil {
		return err
	}
	s.tell()
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// enrolments shows an authority what was handed in.
func (s *Server) enrolments(w http.ResponseWriter, r *http.Request, who caller) error {
	if who.Party != directory.Authority {
		return fault.Permission.New("enrolments are for the appointing authority")
	}
	all, err := s.Parcels.Enrolments(r.Context())
	if err != nil {
		return err
	}
	out := []entries.Enrolment{}
	for _, data := range all {
		var e entries.Enrolment
		if err := json.Unmarshal(data, &e); err != nil {
			return fault.Internal.Wrap(err, "read an enrolment")
		}
		out = append(out, e)
	}
	return answer(w, out)
}
