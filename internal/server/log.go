package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"chancery/internal/canonical"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/sign"
	"chancery/internal/wire"
)

// body reads a request of at most limit bytes. Few large ones are read at a time.
func (s *Server) body(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if limit > heavyBytes && (r.ContentLength < 0 || r.ContentLength > heavyBytes) {
		select {
		case s.heavy <- struct{}{}:
			defer func() { <-s.heavy }()
		case <-r.Context().Done():
			return nil, fault.Interrupted.Wrap(r.Context().Err(), "read a request")
		}
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return nil, fault.Input.New("the request is longer than %d bytes", limit)
	}
	if err != nil {
		return nil, fault.Interrupted.Wrap(err, "read a request")
	}
	if name, free := s.asker(r); !free && !s.volumes.spend(name, len(data)) {
		return nil, tooMuch
	}
	return data, nil
}

// answer writes JSON.
func answer(w http.ResponseWriter, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fault.Internal.Wrap(err, "write an answer")
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(data)
	return broken(err)
}

// submit logs entries. When it answers they are durable.
func (s *Server) submit(w http.ResponseWriter, r *http.Request, who caller) error {
	data, err := s.body(w, r, wire.MaxSubmit)
	if err != nil {
		return err
	}
	if err := wire.CheckSubmit(data); err != nil {
		return err
	}
	var in wire.Submit
	if _, _, err := canonical.Decode(data, &in); err != nil {
		return fault.Input.Wrap(err, "not a request to log entries")
	}
	submissions, err := in.ToCustody(who.Sign.ID().String())
	if err != nil {
		return err
	}
	for _, one := range submissions {
		if err := checkOpen(one); err != nil {
			return err
		}
	}
	indexes, err := s.Log.Append(r.Context(), submissions...)
	if err != nil {
		return err
	}
	s.counts.logged.Add(int64(len(indexes)))
	s.tell()
	out := wire.Submitted{Indexes: indexes}
	head, size, err := s.headSince(r.Context(), in.Since)
	if err != nil {
		return err
	}
	out.Head = head
	for _, i := range indexes {
		p, err := custody.ProveInclusion(r.Context(), s.Storage, size, i)
		if err != nil {
			return err
		}
		out.Proofs = append(out.Proofs, p)
	}
	return answer(w, out)
}

// checkOpen refuses an open body that is not the entry itself, or whose kind does
// not lie open: a desk that would publish a release by mistake is stopped here.
func checkOpen(one custody.Submission) error {
	for _, b := range one.Bodies {
		if !directory.LiesOpen(b.Party) {
			continue
		}
		e, err := custody.ParseEntry(b.Data)
		if err != nil {
			return err
		}
		if e.Commitment() != one.Commitment {
			return fault.Mismatch.New("an open body is not the entry that is committed to")
		}
		kind, _, err := sign.Claims(e.Statement)
		if err != nil {
			return err
		}
		if !entries.LiesOpen(kind) {
			return fault.Input.New("a statement of kind %q does not lie open", kind).WithHint("seal it to those it concerns")
		}
	}
	return nil
}

// headSince returns the newest checkpoint and the proof that it extends a tree of a
// size. A size beyond the log is no error: the one who asks finds the checkpoint
// too small, and keeps both as evidence.
func (s *Server) headSince(ctx context.Context, since int64) (wire.Head, int64, error) {
	if since < 0 {
		return wire.Head{}, 0, fault.Usage.New("a log of %d entries", since)
	}
	head, err := s.Storage.Head(ctx)
	if err != nil {
		return wire.Head{}, 0, err
	}
	out := wire.Head{Checkpoint: head.Checkpoint}
	if since <= head.Size {
		out.Consistency, err = custody.ProveConsistency(ctx, s.Storage, since, head.Size)
	}
	return out, head.Size, err
}

// number reads a number of a query; def if it is not there.
func number(q url.Values, name string, def int64) (int64, error) {
	text := q.Get(name)
	if text == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.Usage.New("%s is not a number from 0 on", name)
	}
	return n, nil
}

// numbers reads several numbers, 0 where there is none.
func numbers(q url.Values, names ...string) ([]int64, error) {
	var out []int64
	for _, name := range names {
		n, err := number(q, name, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// maxWait is how long a feed waits for news.
const maxWait = 25 * time.Second

// recheck is how often a waiting feed looks by itself: another process may have
// logged.
const recheck = time.Second

// maxParties is for how many parties one feed may be.
const maxParties = 64

// feed answers with what came for parties of the caller's, or waits. Whoever waits is
// asked for again before they are told: they may have been revoked meanwhile.
func (s *Server) feed(w http.ResponseWriter, r *http.Request, who caller) error {
	q := r.URL.Query()
	n, err := numbers(q, "index", "part", "since", "parcel", "wait")
	if err != nil {
		return err
	}
	parties := slices.Compact(slices.Sorted(slices.Values(q["party"])))
	if len(parties) == 0 || len(parties) > maxParties {
		return fault.Usage.New("a feed of %d parties: 1 to %d", len(parties), maxParties)
	}
	if err := who.mayRead(parties); err != nil {
		return err
	}
	ctx := r.Context()
	limit := time.After(min(time.Duration(n[4])*time.Second, maxWait))
	for {
		news := s.waiting()
		out, err := s.collect(ctx, parties, custody.Place{Index: n[0], Part: n[1]}, n[2], n[3], who.Party)
		if err != nil {
			return err
		}
		if len(out.Entries)+len(out.Parcels) > 0 {
			return answer(w, out)
		}
		select {
		case <-news:
		case <-time.After(recheck):
		case <-limit:
			return answer(w, out)
		case <-s.ended:
			return answer(w, out)
		case <-ctx.Done():
			return fault.Interrupted.Wrap(ctx.Err(), "wait for news")
		}
		if who, err = s.caller(r); err == nil {
			err = who.mayRead(parties)
		}
		if err != nil {
			return err
		}
	}
}

// collect gathers what is there: bodies of all parties in the order of the log, and
// parcels of the first.
func (s *Server) collect(ctx context.Context, parties []string, from custody.Place, since, parcel int64, own string) (*wire.Feed, error) {
	head, treeSize, err := s.headSince(ctx, since)
	if err != nil {
		return nil, err
	}
	if head.Cosigned, err = s.Storage.Cosigned(ctx); err != nil && !errors.Is(err, fault.NotFound) {
		return nil, err
	}
	all, more, err := s.merged(ctx, parties, from, treeSize)
	if err != nil {
		return nil, err
	}
	out := &wire.Feed{Head: head, More: more}
	for _, b := range all {
		proof, err := custody.ProveInclusion(ctx, s.Storage, treeSize, b.Index)
		if err != nil {
			return nil, err
		}
		out.Entries = append(out.Entries, wire.Entry{Index: b.Index, Part: b.Part, Party: b.party, Data: b.Data, Common: b.common, Proof: proof})
	}
	listed, err := s.Parcels.Parcels(ctx, own, parcel, wire.MaxEntries)
	if err != nil {
		return nil, err
	}
	for _, l := range listed {
		out.Parcels = append(out.Parcels, wire.Parcel{Seq: l.Seq, Digest: l.Digest[:]})
	}
	out.More = out.More || len(listed) == wire.MaxEntries
	return out, nil
}

// feedBytes is how much one answer of a feed holds, unless one entry is larger.
const feedBytes = 8 << 20

// addressed is a body with the party that it is for.
type addressed struct {
	custody.Stored
	party  string
	common []byte
}

// merged returns bodies for all parties in the order of the log of a size, as many as
// one answer holds. What was logged since is for the next answer: it could stand before
// something for a party that was read later, and whoever asks goes on after the last.
func (s *Server) merged(ctx context.Context, parties []string, from custody.Place, size int64) (all []addressed, more bool, err error) {
	for _, p := range parties {
		bodies, err := s.bodies(ctx, p, from)
		if err != nil {
			return nil, false, err
		}
		for _, b := range bodies {
			if b.Index < size {
				all = append(all, addressed{Stored: b, party: p})
			}
		}
	}
	slices.SortFunc(all, func(a, b addressed) int { return a.Place.Compare(b.Place) })
	if len(all) >= wire.MaxEntries {
		all, more = all[:wire.MaxEntries], true
	}
	total := 0
	for i := range all {
		if all[i].common, err = s.common(ctx, all[i].Stored); err != nil {
			return nil, false, err
		}
		if total += len(all[i].Data) + len(all[i].common); total > feedBytes && i > 0 {
			return all[:i], true, nil
		}
	}
	return all, more, nil
}

// common returns what a body has in common with others of its entry, if it says so.
func (s *Server) common(ctx context.Context, b custody.Stored) ([]byte, error) {
	if !bytes.HasPrefix(b.Data, []byte(custody.InCommon)) {
		return nil, nil
	}
	found, err := s.Storage.Bodies(ctx, custody.Common, custody.Place{Index: b.Index}, 1)
	if err != nil || len(found) == 0 || found[0].Index != b.Index {
		return nil, err
	}
	return found[0].Data, nil
}

// bodies reads what came for a party, step by step, until one answer is full.
func (s *Server) bodies(ctx context.Context, party string, from custody.Place) ([]custody.Stored, error) {
	var all []custody.Stored
	for total := 0; total <= feedBytes && len(all) < wire.MaxEntries; {
		some, err := s.Storage.Bodies(ctx, party, from, bodiesAtOnce)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) < bodiesAtOnce {
			break
		}
		for _, b := range some {
			total += len(b.Data)
		}
		from = all[len(all)-1].Place.Next()
	}
	return all, nil
}

func (s *Server) head(w http.ResponseWriter, r *http.Request, _ caller) error {
	since, err := number(r.URL.Query(), "since", 0)
	if err != nil {
		return err
	}
	out, _, err := s.headSince(r.Context(), since)
	if err != nil {
		return err
	}
	if out.Cosigned, err = s.Storage.Cosigned(r.Context()); err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	return answer(w, out)
}

func (s *Server) consistency(w http.ResponseWriter, r *http.Request, _ caller) error {
	n, err := numbers(r.URL.Query(), "from", "to")
	if err != nil {
		return err
	}
	head, err := s.Storage.Head(r.Context())
	if err != nil {
		return err
	}
	if n[1] > head.Size {
		return fault.NotFound.New("the log has %d entries, not %d", head.Size, n[1])
	}
	proof, err := custody.ProveConsistency(r.Context(), s.Storage, n[0], n[1])
	if err != nil {
		return err
	}
	return answer(w, proof)
}

// proof proves one entry. Whoever asks knows its index from their own entries; a
// hash tells nothing to others.
func (s *Server) proof(w http.ResponseWriter, r *http.Request, _ caller) error {
	n, err := numbers(r.URL.Query(), "index", "since")
	if err != nil {
		return err
	}
	head, size, err := s.headSince(r.Context(), n[1])
	if err != nil {
		return err
	}
	if n[0] >= size {
		return fault.NotFound.New("the log has %d entries, none at %d", size, n[0])
	}
	p, err := custody.ProveInclusion(r.Context(), s.Storage, size, n[0])
	if err != nil {
		return err
	}
	return answer(w, wire.Proof{Head: head, Index: n[0], Proof: p})
}

// checkpoint and tile are those of C2SP tlog-tiles.
func (s *Server) checkpoint(w http.ResponseWriter, r *http.Request, _ caller) error {
	head, err := s.Storage.Head(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err = w.Write(head.Checkpoint)
	return broken(err)
}

func (s *Server) tile(w http.ResponseWriter, r *http.Request, _ caller) error {
	data, err := custody.Tile(r.Context(), s.Storage, "tile/"+r.PathValue("path"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, err = w.Write(data)
	return broken(err)
}
