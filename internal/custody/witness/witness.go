// Package witness is a party outside that watches a log: it cosigns a checkpoint
// if, and only if, the log extends what the witness cosigned before, and it
// remembers that before it answers. A log that shows different things to different
// parties cannot get both cosigned. The package also asks such witnesses, on the
// log's side. It speaks C2SP tlog-witness and sees heads of logs alone, never an
// entry.
package witness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/canonical"
	"chancery/internal/custody"
	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/sign"
)

const (
	// MaxRequest is the longest request, in bytes.
	MaxRequest = 512 << 10
	// maxState is the longest state file, in bytes.
	maxState = 256 << 20
	// maxProof is the most lines of a consistency proof.
	maxProof = 63
)

const format = "chancery-witness/v1"

// state is the file of a witness: for each log the last checkpoint it cosigned,
// with the signatures of both.
type state struct {
	Format string            `json:"format"`
	Logs   map[string]string `json:"logs"`
}

func (s state) encode() []byte {
	data, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		panic(err) // strings
	}
	return append(data, '\n')
}

// A Witness cosigns checkpoints of the logs it was told of. It is safe for any
// number of goroutines; a second process on the same state file is noticed, and
// cosigns nothing.
type Witness struct {
	key    *sign.NoteKey
	policy *custody.Policy
	mine   *custody.Policy // the same logs, and this witness
	file   string

	mu   sync.Mutex
	last map[string]custody.Checkpoint // guarded by mu; by origin
	now  []byte                        // guarded by mu; what the state file holds
}

// NewState is the state file of a new witness. A witness that lost its memory
// would cosign a second history, so one is never made in passing.
func NewState() []byte { return state{format, map[string]string{}}.encode() }

// Open opens a witness: its private key, the logs it watches, its state file.
// A state file that was altered is refused.
func Open(key *sign.NoteKey, policy *custody.Policy, file string) (*Witness, error) {
	data, err := durable.ReadFile(file, maxState)
	if err != nil {
		return nil, err
	}
	var s state
	if _, _, err := canonical.Decode(data, &s); err != nil || s.Format != format || !bytes.Equal(s.encode(), data) {
		return nil, fault.Input.New("not the state of a witness").At(file, 0, 0).WithHint("restore the file; a witness without its memory must not cosign")
	}
	mine, err := policy.Requiring(key.WitnessVKeys()...)
	if err != nil {
		return nil, err
	}
	w := &Witness{key: key, policy: policy, mine: mine, file: file, last: map[string]custody.Checkpoint{}, now: data}
	for _, origin := range slices.Sorted(maps.Keys(s.Logs)) {
		if !slices.Contains(policy.Origins(), origin) {
			continue // not watched any more, and kept
		}
		c, cosigned, err := mine.Open([]byte(s.Logs[origin]))
		if err != nil || !cosigned || c.Origin != origin {
			return nil, fault.Mismatch.New("the checkpoint of %q in the state is not one that this witness cosigned", origin).At(file, 0, 0)
		}
		w.last[origin] = c
	}
	return w, nil
}

// A Refusal says why a witness does not cosign, with the HTTP status that C2SP
// tlog-witness gives it. With http.StatusConflict, Size is what it cosigned last.
type Refusal struct {
	Status int
	Size   int64
	Why    string
}

// Error says why.
func (r *Refusal) Error() string { return r.Why }

func refuse(status int, format string, args ...any) error {
	return &Refusal{Status: status, Why: fmt.Sprintf(format, args...)}
}

// Add reads a request of C2SP tlog-witness, checks it and returns the signature
// lines of the cosignature. When it returns them the new checkpoint is durable.
func (w *Witness) Add(request []byte) ([]byte, error) {
	old, proof, checkpoint, err := parseRequest(request)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "%v", err)
	}
	origin, _, _ := strings.Cut(string(checkpoint), "\n")
	if !slices.Contains(w.policy.Origins(), origin) {
		return nil, refuse(http.StatusNotFound, "this witness does not watch that log")
	}
	c, _, err := w.policy.Open(checkpoint)
	switch {
	case fault.KindOf(err) == fault.Mismatch:
		return nil, refuse(http.StatusForbidden, "%v", err)
	case err != nil:
		return nil, refuse(http.StatusUnprocessableEntity, "%v", err)
	case old > c.Size:
		return nil, refuse(http.StatusBadRequest, "the old size %d is beyond the new one, %d", old, c.Size)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last, seen := w.last[origin]
	switch {
	case old != last.Size:
		return nil, &Refusal{http.StatusConflict, last.Size, fmt.Sprintf("the last size cosigned is %d", last.Size)}
	case !seen && len(proof) > 0, seen && !custody.CheckConsistency(proof, last, c):
		return nil, refuse(http.StatusUnprocessableEntity, "the log of %d entries is not shown to extend the %d cosigned before", c.Size, last.Size)
	}
	return w.cosign(c, checkpoint)
}

// cosign signs, remembers and then answers. The caller holds mu, so that nothing
// comes between looking at the last size and writing the new one.
func (w *Witness) cosign(c custody.Checkpoint, checkpoint []byte) ([]byte, error) {
	lines, err := w.key.Cosign(c.Text())
	if err != nil {
		return nil, err
	}
	var s state
	if _, _, err := canonical.Decode(w.now, &s); err != nil {
		return nil, fault.Internal.Wrap(err, "read our own state")
	}
	kept, err := w.policy.LogSigned(checkpoint)
	if err != nil {
		return nil, err
	}
	kept = append(kept, lines...)
	if _, cosigned, err := w.mine.Open(kept); err != nil || !cosigned {
		return nil, fault.Internal.New("what would be remembered could not be read again")
	}
	s.Logs[c.Origin] = string(kept)
	next := s.encode()
	if err := durable.ReplaceFile(w.file, w.now, next); err != nil {
		return nil, err
	}
	w.now, w.last[c.Origin] = next, c
	return lines, nil
}

// Checkpoint returns the last cosigned checkpoint of the log with that SHA-256
// of its origin in hexadecimal; fault.NotFound if there is none.
func (w *Witness) Checkpoint(hash string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var s state
	if _, _, err := canonical.Decode(w.now, &s); err != nil {
		return nil, fault.Internal.Wrap(err, "read our own state")
	}
	for origin, note := range s.Logs {
		if originHash(origin) == hash {
			return []byte(note), nil
		}
	}
	return nil, fault.NotFound.New("this witness has cosigned no such log")
}

// parseRequest reads the body of add-checkpoint.
func parseRequest(request []byte) (old int64, proof tlog.TreeProof, checkpoint []byte, err error) {
	bad := fault.Input.New("not a request for a cosignature")
	if len(request) > MaxRequest {
		return 0, nil, nil, bad
	}
	head, checkpoint, ok := bytes.Cut(request, []byte("\n\n"))
	if !ok {
		return 0, nil, nil, bad
	}
	lines := strings.Split(string(head), "\n")
	size, ok := strings.CutPrefix(lines[0], "old ")
	old, err = strconv.ParseInt(size, 10, 64)
	if !ok || err != nil || old < 0 || strconv.FormatInt(old, 10) != size || len(lines)-1 > maxProof {
		return 0, nil, nil, bad
	}
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil || h.String() != line {
			return 0, nil, nil, bad
		}
		proof = append(proof, h)
	}
	return old, proof, checkpoint, nil
}

// formatRequest writes the body of add-checkpoint.
func formatRequest(old int64, proof tlog.TreeProof, checkpoint []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", old)
	for _, h := range proof {
		fmt.Fprintf(&b, "%s\n", h)
	}
	b.WriteByte('\n')
	b.Write(checkpoint)
	return b.Bytes()
}
