// Package wire is what a registry and its desks say to each other: routes, and the
// JSON of requests and answers. It decides nothing and opens nothing.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/custody"
	"chancery/internal/fault"
)

// Routes of a registry. Those of C2SP tlog-tiles lie beside them: /checkpoint and
// /tile/...
const (
	RouteEntries     = "/v1/entries"     // POST: log entries
	RouteStaged      = "/v1/staged/"     // PUT: letters of an entry that comes later, by its commitment
	RouteFeed        = "/v1/feed"        // GET: what came for me
	RouteHead        = "/v1/head"        // GET: the newest checkpoint
	RouteConsistency = "/v1/consistency" // GET: between two sizes
	RouteProof       = "/v1/proof"       // GET: that an entry is in the log
	RouteParcels     = "/v1/parcels/"    // PUT, GET: a sealed file, by its digest
	RouteEnrol       = "/v1/enrol"       // POST: keys of somebody who was invited
	RouteEnrolments  = "/v1/enrolments"  // GET, by an authority: what was handed in
	RouteHealth      = "/health"
	RouteMetrics     = "/metrics"
)

// Limits on bodies, in bytes.
const (
	MaxParcel  = 80 << 20
	MaxStaged  = 4 << 20
	MaxSubmit  = 96 << 20
	MaxEnrol   = 64 << 10
	MaxAnswer  = 128 << 20
	MaxEntries = 256 // in one answer of a feed
	MaxFor     = 16384
	// MaxSubmissions is the most entries in one request, and maxItems the most
	// entries and bodies together: short JSON becomes long in memory.
	MaxSubmissions = 1024
	maxItems       = 3 << 14
	maxTold        = 1 << 10 // of a message from a registry, in bytes
)

// A Head is a checkpoint with the proof that it extends the one of the size that
// was asked about.
type Head struct {
	Checkpoint  []byte         `json:"checkpoint"`
	Consistency tlog.TreeProof `json:"consistency,omitempty"`
	Cosigned    []byte         `json:"cosigned,omitempty"` // the newest that witnesses signed
}

// Submit asks to log entries.
type Submit struct {
	Since       int64        `json:"since"` // size of the log that the sender knows
	Submissions []Submission `json:"submissions"`
}

// A Submission is one of package custody.
type Submission struct {
	Commitment []byte `json:"commitment"`
	Bodies     []Body `json:"bodies"`
	Staged     int    `json:"staged,omitempty"` // bodies that came before it
}

// Staged is the body of a request to keep letters of an entry that comes later.
type Staged struct {
	From   int    `json:"from"` // number of the first
	Bodies []Body `json:"bodies"`
}

// A Body is the entry for one party.
type Body struct {
	Party string `json:"party"`
	Data  []byte `json:"data"`
}

// Submitted answers Submit: where the entries stand, proven against Head.
type Submitted struct {
	Head    Head               `json:"head"`
	Indexes []int64            `json:"indexes"`
	Proofs  []tlog.RecordProof `json:"proofs"`
}

// A Feed is what came for a party, in the order of the log, and parcels.
type Feed struct {
	Head    Head     `json:"head"`
	Entries []Entry  `json:"entries,omitempty"`
	Parcels []Parcel `json:"parcels,omitempty"`
	More    bool     `json:"more,omitempty"` // there is more: ask again at once
}

// An Entry is a body with the proof that its commitment stands in Head's tree.
type Entry struct {
	Index int64  `json:"index"`
	Part  int64  `json:"part"`
	Party string `json:"party"`
	Data  []byte `json:"data"`
	// Common is what the body has in common with others of its entry.
	Common []byte           `json:"common,omitempty"`
	Proof  tlog.RecordProof `json:"proof"`
}

// A Parcel tells of a sealed file.
type Parcel struct {
	Seq    int64  `json:"seq"`
	Digest []byte `json:"digest"`
}

// A Proof answers for one entry.
type Proof struct {
	Head  Head             `json:"head"`
	Index int64            `json:"index"`
	Proof tlog.RecordProof `json:"proof"`
}

// A Problem is an error on the wire.
type Problem struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// kinds are those of package fault that cross the wire, by name.
var kinds = func() map[string]fault.Kind {
	out := map[string]fault.Kind{}
	for k := fault.Internal; k <= fault.Interrupted; k++ {
		out[k.Error()] = k
	}
	return out
}()

// WriteProblem answers a request with an error. What is a defect or a failure of
// the machine is not described to strangers.
func WriteProblem(w http.ResponseWriter, err error) {
	kind := fault.KindOf(err)
	p := Problem{Kind: kind.Error(), Message: err.Error()}
	var told *fault.Error
	if errors.As(err, &told) {
		p.Hint = told.Hint
	}
	if kind == fault.Internal || kind == fault.System {
		p.Message, p.Hint = "the registry could not do it", "try again; its operator finds the reason in its log"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(kind.HTTPStatus())
	json.NewEncoder(w).Encode(p) // nobody is left to tell of a failure
}

// WriteBusy answers a request that came too soon after others: a failure that is over
// in a while, so that whoever asked tries again.
func WriteBusy(w http.ResponseWriter, message, hint string, after time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(after/time.Second)))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusTooManyRequests)
	json.NewEncoder(w).Encode(Problem{fault.System.Error(), message, hint})
}

// ReadProblem turns the body of an answer that is no success into an error of the
// kind that the registry meant.
func ReadProblem(status int, body []byte) error {
	var p Problem
	if json.Unmarshal(body, &p) != nil || p.Message == "" {
		return fault.System.New("the registry answered with status %d", status)
	}
	kind, known := kinds[p.Kind]
	if !known {
		kind = fault.System
	}
	err := kind.New("%s", fault.Clip(p.Message, maxTold))
	if p.Hint != "" {
		err = err.WithHint("%s", fault.Clip(p.Hint, maxTold))
	}
	return err
}

// CheckSubmit refuses the text of a request to log entries that would take more
// memory than any in earnest, before it is decoded: each entry or body has at most two
// commas, and no other text in it has one.
func CheckSubmit(data []byte) error {
	if bytes.Count(data, []byte{','}) > 2*maxItems {
		return fault.Input.New("more than %d entries and bodies in one request", maxItems)
	}
	return nil
}

// ToCustody checks lengths and turns the submissions of an owner into those of the log.
func (s *Submit) ToCustody(owner string) ([]custody.Submission, error) {
	if s.Since < 0 {
		return nil, fault.Usage.New("a log of %d entries", s.Since)
	}
	if len(s.Submissions) > MaxSubmissions {
		return nil, fault.Input.New("%d entries in one request: at most %d", len(s.Submissions), MaxSubmissions)
	}
	var out []custody.Submission
	staged := false
	for _, one := range s.Submissions {
		if len(one.Commitment) != len(custody.Commitment{}) {
			return nil, fault.Input.New("a commitment has %d bytes, not %d", len(custody.Commitment{}), len(one.Commitment))
		}
		c := custody.Submission{Commitment: custody.Commitment(one.Commitment), Bodies: ToBodies(one.Bodies)}
		if one.Staged != 0 && staged {
			return nil, fault.Input.New("two entries in one request whose letters came before it").WithHint("each goes by itself")
		}
		if staged = staged || one.Staged != 0; one.Staged != 0 {
			c.Staged = custody.Staged{Owner: owner, Count: one.Staged}
		}
		out = append(out, c)
	}
	return out, nil
}

// FromCustody is the reverse.
func FromCustody(all []custody.Submission) []Submission {
	out := make([]Submission, len(all))
	for i, s := range all {
		out[i] = Submission{s.Commitment[:], FromBodies(s.Bodies), s.Staged.Count}
	}
	return out
}

// ToBodies turns bodies into those of the log.
func ToBodies(all []Body) (out []custody.Body) {
	for _, b := range all {
		out = append(out, custody.Body(b))
	}
	return out
}

// FromBodies is the reverse.
func FromBodies(all []custody.Body) (out []Body) {
	for _, b := range all {
		out = append(out, Body(b))
	}
	return out
}

// FormatParcel is the body of a request to keep a sealed file: for whom it is, one
// line of JSON, then the file.
func FormatParcel(parties []string, data []byte) []byte {
	line, err := json.Marshal(parties)
	if err != nil {
		panic(err) // strings
	}
	return slices.Concat(line, []byte{'\n'}, data)
}

var validParty = regexp.MustCompile(`^[a-z]+(:[a-z0-9.-]+)?$`)

// ParseParcel reads what FormatParcel wrote.
func ParseParcel(body []byte) (parties []string, data []byte, err error) {
	line, data, ok := bytes.Cut(body, []byte{'\n'})
	if !ok || len(line) > MaxFor*(custody.MaxParty+len(`"",`))+len("[]") || json.Unmarshal(line, &parties) != nil {
		return nil, nil, fault.Input.New("not a parcel")
	}
	if len(parties) == 0 || len(parties) > MaxFor || len(data) == 0 {
		return nil, nil, fault.Input.New("a parcel of %d bytes for %d parties: 1 to %d", len(data), len(parties), MaxFor)
	}
	for _, p := range parties {
		if len(p) > custody.MaxParty || !validParty.MatchString(p) {
			return nil, nil, fault.Input.New("a parcel for %.40q", p)
		}
	}
	return parties, data, nil
}
