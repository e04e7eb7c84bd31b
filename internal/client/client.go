// Package client asks a registry, and believes nothing that it cannot verify: every
// answer must extend the log that was seen before, and every entry must stand in
// it. It opens no letter; who calls it says what a letter commits to.
package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/custody"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/pass"
	"chancery/internal/wire"
)

// Config says which registry is asked, and how.
type Config struct {
	URL string // https://host:port
	TLS *tls.Config
	// View is the party's memory of the log, and Keep makes a newer checkpoint
	// durable before anything is done that follows from it.
	View *custody.View
	Keep func(checkpoint []byte) error
	// Begins are the commitments of the entries with which the log must begin: that of the
	// institution, which the party knows by a way that is not the registry's, and more if
	// the log continues another one. They lie open, and none of them may be kept back.
	Begins []custody.Commitment
}

// A Client is safe for any number of goroutines.
type Client struct {
	Config
	http *http.Client
	mu   sync.Mutex // held while an answer is compared with the view
	kept int64      // guarded by mu; size of the log at the newest checkpoint that is durable
}

// Times. A parcel on a bad line takes its time; an answer that does not begin, or that
// trickles, is given up.
const (
	dialTime     = 10 * time.Second
	answerTime   = 90 * time.Second // until an answer begins, after all was sent
	exchangeTime = 6 * time.Minute  // a request and its answer together
)

// New makes a client. It connects when it is first used.
func New(c Config) *Client {
	t := &http.Transport{TLSClientConfig: c.TLS, ForceAttemptHTTP2: true, DialContext: (&net.Dialer{Timeout: dialTime}).DialContext,
		TLSHandshakeTimeout: dialTime, ResponseHeaderTimeout: answerTime, IdleConnTimeout: 2 * time.Minute, MaxIdleConnsPerHost: 4}
	last, _ := c.View.Last()
	return &Client{Config: c, kept: last.Size, http: &http.Client{Transport: t, Timeout: exchangeTime, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

// Origin is the name of the log.
func (c *Client) Origin() string { return c.View.Origin() }

// Close lets go of connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// do sends a request and returns the body of the answer. What could not be reached
// is fault.System, what the registry refuses keeps its kind.
func (c *Client) do(ctx context.Context, method, route string, query url.Values, body []byte) ([]byte, error) {
	address := c.URL + route
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, fault.Usage.Wrap(err, "the address of the registry")
	}
	answer, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreached(ctx, err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, wire.MaxAnswer+1))
	if ctx.Err() != nil {
		return nil, c.unreached(ctx, err)
	}
	if err != nil {
		return nil, fault.System.Wrap(err, "the registry's answer broke off")
	}
	if len(data) > wire.MaxAnswer {
		return nil, fault.Input.New("the registry's answer is longer than %d bytes", wire.MaxAnswer)
	}
	if answer.StatusCode/100 != 2 {
		return nil, wire.ReadProblem(answer.StatusCode, data)
	}
	return data, nil
}

// unreached explains why there was no answer: what our own end refused in the
// handshake is said as it is.
func (c *Client) unreached(ctx context.Context, err error) error {
	var told *fault.Error
	switch {
	case ctx.Err() != nil:
		return fault.Interrupted.Wrap(ctx.Err(), "ask the registry")
	case errors.Is(err, pass.ErrOtherLog):
		return fault.System.New("the operator serves another log at this address: if yours was continued, follow with chancery rejoin").WithHint("what you have opened stays here")
	case errors.As(err, &told):
		return told
	case refusedPass(err), brokenOff(err) && c.turnedAway(ctx):
		return fault.Permission.New("the registry refuses this device").WithHint("was it revoked, or never admitted? ask who appoints")
	}
	var asked *url.Error // says what was asked, which tells people nothing
	if errors.As(err, &asked) {
		err = asked.Err
	}
	return fault.System.Wrap(err, "the registry is not reached").WithHint("is it running, and is there a line? what you send waits in the outbox")
}

// refusedPass says whether the other end ended the handshake because of our pass: the
// alert bad_certificate (RFC 8446, 6.2), of which crypto/tls exports the text alone.
func refusedPass(err error) bool {
	var remote *net.OpError
	const badCertificate = tls.AlertError(42)
	return errors.As(err, &remote) && remote.Op == "remote error" && remote.Err.Error() == badCertificate.Error()
}

// brokenOff says whether a line that was there broke. Packages differ in how they say it.
func brokenOff(err error) bool {
	var op *net.OpError
	var slow net.Error
	return !(errors.As(err, &op) && op.Op == "dial") && !(errors.As(err, &slow) && slow.Timeout())
}

// turnedAway connects once more, and listens before it speaks. A registry that refuses
// our pass says so and closes the line; whoever writes into that may lose what it said.
func (c *Client) turnedAway(ctx context.Context) bool {
	u, err := url.Parse(c.URL)
	if err != nil || c.TLS == nil {
		return false
	}
	config := c.TLS.Clone()
	config.NextProtos = []string{"h2"} // in which a server speaks first
	line, err := (&tls.Dialer{NetDialer: &net.Dialer{Timeout: dialTime}, Config: config}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return refusedPass(err)
	}
	defer line.Close()
	if err := line.SetReadDeadline(time.Now().Add(dialTime)); err != nil {
		return false
	}
	_, err = line.Read(make([]byte, 1))
	return err != nil && refusedPass(err)
}

func (c *Client) get(ctx context.Context, route string, query url.Values, out any) error {
	data, err := c.do(ctx, http.MethodGet, route, query, nil)
	if err != nil {
		return err
	}
	return decode(data, out)
}

func decode(data []byte, out any) error {
	if err := json.Unmarshal(data, out); err != nil {
		return fault.Input.Wrap(err, "the registry's answer")
	}
	return nil
}

func query(pairs ...any) url.Values {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Add(pairs[i].(string), fmt.Sprint(pairs[i+1]))
	}
	return q
}

// errStale says that the view moved on while the registry answered.
var errStale = errors.New("the view moved on")

// accept compares a head with the view and remembers it. since is what the
// registry was told of the view.
func (c *Client) accept(since int64, h wire.Head) (custody.Checkpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, note := c.View.Last()
	if note != nil && last.Size != since {
		return custody.Checkpoint{}, errStale
	}
	tree, err := c.View.Advance(h.Checkpoint, h.Consistency)
	var fork *custody.Fork
	if errors.As(err, &fork) {
		return tree, fault.Mismatch.Wrap(fork, "the registry").WithHint("do not go on: keep the files as they are, and tell an overseer")
	}
	if err != nil {
		return tree, err
	}
	if c.Keep == nil || tree.Size == c.kept {
		return tree, nil
	}
	if err := c.Keep(h.Checkpoint); err != nil {
		return tree, err
	}
	c.kept = tree.Size
	return tree, nil
}

// tries is how often an answer that came beside a newer one is asked for again.
const tries = 10

// fresh asks until the answer belongs to the view as it is.
func (c *Client) fresh(ask func(since int64) (wire.Head, error)) (custody.Checkpoint, error) {
	for range tries {
		last, _ := c.View.Last()
		h, err := ask(last.Size)
		if err != nil {
			return custody.Checkpoint{}, err
		}
		tree, err := c.accept(last.Size, h)
		if !errors.Is(err, errStale) {
			return tree, err
		}
	}
	return custody.Checkpoint{}, fault.System.New("the log moves on faster than it can be verified").WithHint("try again")
}

// Head asks for the newest checkpoint, verifies it and remembers it. cosigned is the
// newest that witnesses signed, unverified; nil if there is none.
func (c *Client) Head(ctx context.Context) (tree custody.Checkpoint, cosigned []byte, err error) {
	tree, err = c.fresh(func(since int64) (wire.Head, error) {
		var h wire.Head
		err := c.get(ctx, wire.RouteHead, query("since", since), &h)
		cosigned = h.Cosigned
		return h, err
	})
	return tree, cosigned, err
}

// Submit logs entries and returns their places, each verified to stand in the log.
// Submitting the same again is harmless.
func (c *Client) Submit(ctx context.Context, all ...custody.Submission) ([]int64, error) {
	var out wire.Submitted
	tree, err := c.fresh(func(since int64) (wire.Head, error) {
		body, err := json.Marshal(wire.Submit{Since: since, Submissions: wire.FromCustody(all)})
		if err != nil {
			return wire.Head{}, fault.Internal.Wrap(err, "write a request")
		}
		data, err := c.do(ctx, http.MethodPost, wire.RouteEntries, nil, body)
		if err != nil {
			return wire.Head{}, err
		}
		out = wire.Submitted{}
		err = decode(data, &out)
		return out.Head, err
	})
	if err != nil {
		return nil, err
	}
	if len(out.Indexes) != len(all) || len(out.Proofs) != len(all) {
		return nil, fault.Mismatch.New("the registry answers for %d entries of %d", len(out.Indexes), len(all))
	}
	for i, s := range all {
		if err := tree.Includes(s.Commitment, out.Indexes[i], out.Proofs[i]); err != nil {
			return nil, err
		}
	}
	return out.Indexes, nil
}

// Stage hands over letters of an entry, from a number on, before it is submitted. When it
// returns they are durable there, for a day. Doing it again is harmless.
func (c *Client) Stage(ctx context.Context, of custody.Commitment, from int, part []custody.Body) error {
	body, err := json.Marshal(wire.Staged{From: from, Bodies: wire.FromBodies(part)})
	if err != nil {
		return fault.Internal.Wrap(err, "write a request")
	}
	_, err = c.do(ctx, http.MethodPut, wire.RouteStaged+hex.EncodeToString(of[:]), nil, body)
	return err
}

// NoParcels, as the number after which parcels are wanted, asks for none.
const NoParcels = 1 << 62

// A Wish says what of a feed is wanted.
type Wish struct {
	Parties []string
	From    custody.Place
	Parcel  int64 // after this number
	Wait    time.Duration
}

// A Received entry is a body of the feed. Err says why it counts for nothing: it
// cannot be opened, or does not commit to what the log holds.
type Received struct {
	custody.Place
	Party  string
	Data   []byte
	Common []byte // what it has in common with others of its entry; nil if nothing
	Proof  tlog.RecordProof
	Err    error
}

// A Feed is what came, verified against Tree.
type Feed struct {
	Tree    custody.Checkpoint
	Entries []Received
	Parcels []Listed
	More    bool
	// Cosigned is the newest checkpoint that witnesses signed, unverified.
	Cosigned []byte
}

// A Listed parcel came for us.
type Listed struct {
	Seq    int64
	Digest [sha256.Size]byte
}

// Feed returns what came for parties from a place on. open says what an entry
// commits to.
func (c *Client) Feed(ctx context.Context, w Wish, open func(Received) (custody.Commitment, error)) (*Feed, error) {
	q := query("index", w.From.Index, "part", w.From.Part, "parcel", w.Parcel, "wait", int64(w.Wait/time.Second))
	for _, p := range w.Parties {
		q.Add("party", p)
	}
	var in wire.Feed
	tree, err := c.fresh(func(since int64) (wire.Head, error) {
		q.Set("since", strconv.FormatInt(since, 10))
		in = wire.Feed{}
		err := c.get(ctx, wire.RouteFeed, q, &in)
		return in.Head, err
	})
	if err != nil {
		return nil, err
	}
	if err := c.begins(w, tree, in); err != nil {
		return nil, err
	}
	// An answer that is empty is the last one, whatever it says of more.
	out := &Feed{Tree: tree, More: in.More && len(in.Entries)+len(in.Parcels) > 0, Cosigned: in.Head.Cosigned}
	at := w.From
	for _, e := range in.Entries {
		r := Received{Place: custody.Place{Index: e.Index, Part: e.Part}, Party: e.Party, Data: e.Data, Common: e.Common, Proof: e.Proof}
		if r.Place.Compare(at) < 0 {
			return nil, fault.Mismatch.New("the registry sends entry %d after entry %d", r.Index, at.Index)
		}
		if !slices.Contains(w.Parties, e.Party) {
			return nil, fault.Mismatch.New("the registry sends an entry for %q, which was not asked for", fault.Clip(e.Party, custody.MaxParty))
		}
		at = r.Place.Next()
		commitment, err := open(r)
		if err == nil {
			err = tree.Includes(commitment, r.Index, r.Proof)
		}
		r.Err = err
		out.Entries = append(out.Entries, r)
	}
	last := w.Parcel
	for _, p := range in.Parcels {
		if len(p.Digest) != sha256.Size || p.Seq <= last {
			return nil, fault.Input.New("the registry lists a parcel that is none")
		}
		last = p.Seq
		out.Parcels = append(out.Parcels, Listed{p.Seq, [sha256.Size]byte(p.Digest)})
	}
	return out, nil
}

// Consistency returns the proof that the log of one checkpoint begins with that of
// another, verified.
func (c *Client) Consistency(ctx context.Context, old, now custody.Checkpoint) (tlog.TreeProof, error) {
	if old.Size == now.Size || old.Size == 0 {
		return nil, same(old, now)
	}
	var proof tlog.TreeProof
	if err := c.get(ctx, wire.RouteConsistency, query("from", old.Size, "to", now.Size), &proof); err != nil {
		return nil, err
	}
	if !custody.CheckConsistency(proof, old, now) {
		return nil, forked(old, now)
	}
	return proof, nil
}

func same(old, now custody.Checkpoint) error {
	if old.Size == 0 || old.Root == now.Root {
		return nil
	}
	return forked(old, now)
}

func forked(old, now custody.Checkpoint) error {
	return fault.Mismatch.New("the log of %d entries is not shown to begin with the %d that were seen elsewhere", now.Size, old.Size).
		WithHint("the registry shows different logs to different people, or was rewritten: keep this desk's files and tell an overseer")
}

// Compare verifies that a checkpoint that somebody else saw belongs to the log that
// we see.
func (c *Client) Compare(ctx context.Context, theirs custody.Checkpoint) error {
	if c.View.Accepted(theirs) {
		return nil
	}
	last, _ := c.View.Last()
	if theirs.Size > last.Size {
		var err error
		if last, _, err = c.Head(ctx); err != nil {
			return err
		}
	}
	if theirs.Size > last.Size {
		return fault.Mismatch.New("somebody was shown a log of %d entries, and we are shown %d", theirs.Size, last.Size).
			WithHint("the registry keeps entries back, or an old state was put back: tell an overseer")
	}
	_, err := c.Consistency(ctx, theirs, last)
	return err
}

// Prove returns a proof file for an entry, verified. The checkpoint in it is the one
// of the view.
func (c *Client) Prove(ctx context.Context, index int64, e custody.Entry) (*custody.Proof, error) {
	var in wire.Proof
	tree, err := c.fresh(func(since int64) (wire.Head, error) {
		in = wire.Proof{}
		err := c.get(ctx, wire.RouteProof, query("index", index, "since", since), &in)
		return in.Head, err
	})
	if err != nil {
		return nil, err
	}
	if err := tree.Includes(e.Commitment(), index, in.Proof); err != nil {
		return nil, err
	}
	return &custody.Proof{Index: index, Entry: e.Bytes(), Path: in.Proof, Checkpoint: in.Head.Checkpoint}, nil
}

// PutParcel hands over a sealed file for parties. When it returns the file is
// durable there.
func (c *Client) PutParcel(ctx context.Context, data []byte, parties []string) error {
	return c.put(ctx, data, parties, nil)
}

// PutQuiet is [Client.PutParcel] for a file of which the parties learn by a letter:
// it is not listed for them.
func (c *Client) PutQuiet(ctx context.Context, data []byte, parties []string) error {
	return c.put(ctx, data, parties, query("quiet", 1))
}

func (c *Client) put(ctx context.Context, data []byte, parties []string, q url.Values) error {
	digest := sha256.Sum256(data)
	_, err := c.do(ctx, http.MethodPut, wire.RouteParcels+hex.EncodeToString(digest[:]), q, wire.FormatParcel(parties, data))
	return err
}

// Parcel fetches a sealed file and verifies its digest.
func (c *Client) Parcel(ctx context.Context, digest [sha256.Size]byte) ([]byte, error) {
	data, err := c.do(ctx, http.MethodGet, wire.RouteParcels+hex.EncodeToString(digest[:]), nil, nil)
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(data) != digest {
		return nil, fault.Mismatch.New("the parcel that arrived is another than was asked for")
	}
	return data, nil
}

// Enrol hands in keys with an invitation.
func (c *Client) Enrol(ctx context.Context, e entries.Enrolment) error {
	body, err := json.Marshal(e)
	if err != nil {
		return fault.Internal.Wrap(err, "write a request")
	}
	_, err = c.do(ctx, http.MethodPost, wire.RouteEnrol, nil, body)
	return err
}

// Enrolments returns what was handed in, for an authority.
func (c *Client) Enrolments(ctx context.Context) ([]entries.Enrolment, error) {
	var out []entries.Enrolment
	return out, c.get(ctx, wire.RouteEnrolments, nil, &out)
}

// VerifyAll fetches every leaf of the log and computes its root, which must be that
// of the newest checkpoint. cosigned says whether the policy's witnesses signed one of
// the same size and root. progress, if not nil, is told how far it is.
func (c *Client) VerifyAll(ctx context.Context, progress func(done, size int64)) (tree custody.Checkpoint, cosigned bool, err error) {
	tree, note, err := c.Head(ctx)
	if err != nil {
		return tree, false, err
	}
	var hashes custody.Builder
	for done := int64(0); done < tree.Size; {
		width := min(custody.TileWidth, tree.Size-done)
		data, err := c.do(ctx, http.MethodGet, "/"+custody.EntriesPath(done/custody.TileWidth, int(width)), nil, nil)
		if err != nil {
			return tree, false, err
		}
		leaves, err := custody.ParseEntries(data)
		if err != nil {
			return tree, false, err
		}
		if int64(len(leaves)) != width {
			return tree, false, fault.Mismatch.New("the registry sends %d leaves from %d on, not %d", len(leaves), done, width)
		}
		if err := hashes.Add(leaves...); err != nil {
			return tree, false, err
		}
		if done += width; progress != nil {
			progress(done, tree.Size)
		}
	}
	root, err := hashes.Root()
	if err != nil {
		return tree, false, err
	}
	if root != tree.Root {
		return tree, false, fault.Mismatch.New("the leaves of the log do not give the root that the registry signed").WithHint("keep this desk's files and tell an overseer")
	}
	if len(note) > 0 {
		seen, enough, err := c.View.Cosigned(note)
		if err != nil {
			return tree, false, err
		}
		cosigned = enough && seen == tree && c.View.Witnessed()
	}
	return tree, cosigned, nil
}
