package custody

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"chancery/internal/fault"
	"chancery/internal/sign"
)

const (
	// MaxPolicy is the longest policy, in bytes.
	MaxPolicy = 1 << 20
	// maxPolicyItems is the most logs, witnesses and groups of each kind.
	maxPolicyItems = 256
	// maxCheckpoint is the longest checkpoint with its signatures, in bytes.
	maxCheckpoint = 512 << 10
)

// A Policy says which logs a party accepts and which witnesses must have seen a
// checkpoint (C2SP tlog-policy). All keys listed for a log's name must have
// signed: we list an Ed25519 and an ML-DSA-44 key.
type Policy struct {
	logs   map[string][]note.Verifier // by origin
	quorum *quorum
	text   []byte
}

// A quorum is satisfied by a cosignature of its witness, or by k of its members.
type quorum struct {
	name    string
	witness note.Verifier // nil for a group
	url     string
	k       int
	members []*quorum
}

// policyReader gathers what the lines of a policy define.
type policyReader struct {
	policy Policy
	named  map[string]*quorum
	taken  map[string]bool // names that are members of a group
	keys   map[string]bool // every key once
	done   bool            // the quorum was named
}

// ParsePolicy reads a policy file. Errors carry the name and a line
// (fault.Input).
func ParsePolicy(name string, data []byte) (*Policy, error) {
	if len(data) > MaxPolicy {
		return nil, fault.Input.New("a policy has at most %d bytes", MaxPolicy).At(name, 0, 0)
	}
	r := policyReader{policy: Policy{logs: map[string][]note.Verifier{}, text: bytes.Clone(data)}, named: map[string]*quorum{},
		taken: map[string]bool{}, keys: map[string]bool{}}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, MaxPolicy+1)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if strings.ContainsFunc(line, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return nil, fault.Input.New("a control character").At(name, n, 0)
		}
		fields := strings.FieldsFunc(line, func(c rune) bool { return c == ' ' || c == '\t' })
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if err := r.line(fields[0], fields[1:]); err != nil {
			return nil, fault.At(err, name, n, 0)
		}
	}
	switch {
	case len(r.policy.logs) == 0:
		return nil, fault.Input.New("the policy names no log").At(name, 0, 0)
	case !r.done:
		return nil, fault.Input.New("the policy names no quorum").At(name, 0, 0).WithHint(`end it with a line "quorum NAME", or "quorum none"`)
	}
	return &r.policy, nil
}

// line reads one line of a policy.
func (r *policyReader) line(keyword string, args []string) error {
	switch {
	case keyword == "log" && (len(args) == 1 || len(args) == 2):
		return r.log(args[0])
	case keyword == "witness" && (len(args) == 2 || len(args) == 3):
		return r.witness(args)
	case keyword == "group" && len(args) >= 3:
		return r.group(args[0], args[1], args[2:])
	case keyword == "quorum" && len(args) == 1 && !r.done:
		r.done = true
		if args[0] == "none" {
			return nil
		}
		q, ok := r.named[args[0]]
		if !ok {
			return fault.Input.New("%q is not defined above", args[0])
		}
		r.policy.quorum = q
		return nil
	}
	return fault.Input.New("not a line of a policy").
		WithHint("lines read: log VKEY [URL], witness NAME VKEY [URL], group NAME all|any|K NAME..., quorum NAME|none")
}

func (r *policyReader) log(vkey string) error {
	v, err := r.key(vkey)
	if err != nil {
		return err
	}
	if len(r.policy.logs[v.Name()]) >= maxPolicyItems || len(r.policy.logs) >= maxPolicyItems {
		return fault.Input.New("more than %d logs", maxPolicyItems)
	}
	r.policy.logs[v.Name()] = append(r.policy.logs[v.Name()], v)
	return nil
}

// key reads a public key, which stands in a policy once.
func (r *policyReader) key(vkey string) (note.Verifier, error) {
	v, err := sign.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(vkey, "+")
	_, material, _ := strings.Cut(rest, "+")
	if r.keys[material] {
		return nil, fault.Input.New("the key of %q stands twice", v.Name())
	}
	r.keys[material] = true
	return v, nil
}

func (r *policyReader) define(name string, q *quorum) error {
	if _, twice := r.named[name]; twice || name == "none" {
		return fault.Input.New("the name %q is taken", name)
	}
	if len(r.named) >= 2*maxPolicyItems {
		return fault.Input.New("more than %d witnesses and groups", 2*maxPolicyItems)
	}
	q.name = name
	r.named[name] = q
	return nil
}

func (r *policyReader) witness(args []string) error {
	v, err := r.key(args[1])
	if err != nil {
		return err
	}
	q := &quorum{witness: v}
	if len(args) == 3 {
		q.url = args[2]
	}
	return r.define(args[0], q)
}

func (r *policyReader) group(name, threshold string, members []string) error {
	q := &quorum{}
	for _, m := range members {
		member, ok := r.named[m]
		switch {
		case !ok:
			return fault.Input.New("%q is not defined above", m)
		case r.taken[m]:
			return fault.Input.New("%q is in a group already", m)
		}
		r.taken[m] = true
		q.members = append(q.members, member)
	}
	switch threshold {
	case "all":
		q.k = len(members)
	case "any":
		q.k = 1
	default:
		k, err := strconv.Atoi(threshold)
		if err != nil || k < 1 || k > len(members) || strconv.Itoa(k) != threshold {
			return fault.Input.New("a group of %d cannot ask for %q of them", len(members), threshold)
		}
		q.k = k
	}
	return r.define(name, q)
}

// Requiring returns a policy for the same logs whose quorum is all of the keys
// given, as signed notes spell them.
func (p *Policy) Requiring(vkeys ...string) (*Policy, error) {
	q := &quorum{k: len(vkeys)}
	for _, vkey := range vkeys {
		v, err := sign.NewVerifier(vkey)
		if err != nil {
			return nil, err
		}
		q.members = append(q.members, &quorum{witness: v})
	}
	return &Policy{logs: p.logs, quorum: q}, nil
}

// Text returns the policy as it was read.
func (p *Policy) Text() []byte { return bytes.Clone(p.text) }

// Origins returns the names of the logs.
func (p *Policy) Origins() []string { return slices.Sorted(maps.Keys(p.logs)) }

// A WitnessAddress is where one witness is reached, and the keys by which it
// cosigns.
type WitnessAddress struct {
	URL  string
	Keys []note.Verifier
}

// Witnesses returns the witnesses that have an address, in the order of their
// addresses; keys with the same one are of one witness.
func (p *Policy) Witnesses() []WitnessAddress {
	at := map[string][]note.Verifier{}
	p.quorum.each(func(q *quorum) {
		if q.url != "" {
			at[q.url] = append(at[q.url], q.witness)
		}
	})
	var out []WitnessAddress
	for _, url := range slices.Sorted(maps.Keys(at)) {
		out = append(out, WitnessAddress{url, at[url]})
	}
	return out
}

func (q *quorum) each(visit func(*quorum)) {
	if q == nil {
		return
	}
	if q.witness != nil {
		visit(q)
	}
	for _, m := range q.members {
		m.each(visit)
	}
}

// satisfied says whether enough witnesses cosigned.
func (q *quorum) satisfied(cosigned map[note.Verifier]bool) bool {
	switch {
	case q == nil:
		return true
	case q.witness != nil:
		return cosigned[q.witness]
	}
	n := 0
	for _, m := range q.members {
		if m.satisfied(cosigned) {
			n++
		}
	}
	return n >= q.k
}

// Open verifies a checkpoint against the policy: signed by all keys of a log it
// names. Cosigned says whether the quorum of witnesses has cosigned it as well.
// Errors: fault.Input for something else than a checkpoint, fault.Mismatch for
// one of another log or without the log's signatures.
func (p *Policy) Open(checkpoint []byte) (c Checkpoint, cosigned bool, err error) {
	if len(checkpoint) > maxCheckpoint {
		return c, false, fault.Input.New("a checkpoint has at most %d bytes", maxCheckpoint)
	}
	origin, _, _ := strings.Cut(string(checkpoint), "\n")
	keys, known := p.logs[origin]
	if !known {
		return c, false, fault.Mismatch.New("a checkpoint of the log %q, which the policy does not name", fault.Clip(origin, maxQuoted))
	}
	verifiers := slices.Clone(keys)
	p.quorum.each(func(q *quorum) { verifiers = append(verifiers, q.witness) })
	n, err := note.Open(checkpoint, note.VerifierList(verifiers...))
	if err != nil {
		return c, false, fault.Mismatch.Wrap(err, "a checkpoint of %q", origin)
	}
	if c, err = parseCheckpoint(n.Text); err != nil {
		return c, false, err
	}
	by := map[string]bool{}
	for _, s := range n.Sigs {
		by[sigKey(s.Name, s.Hash)] = true
	}
	for _, v := range keys {
		if !by[sigKey(v.Name(), v.KeyHash())] {
			return Checkpoint{}, false, fault.Mismatch.New("a checkpoint of %q lacks one of the log's signatures", origin)
		}
	}
	signed := map[note.Verifier]bool{}
	p.quorum.each(func(q *quorum) { signed[q.witness] = by[sigKey(q.witness.Name(), q.witness.KeyHash())] })
	return c, p.quorum.satisfied(signed), nil
}

// LogSigned returns a checkpoint with the verified signatures of its log alone, as
// a witness keeps it: what else a sender hung on it is left out.
func (p *Policy) LogSigned(checkpoint []byte) ([]byte, error) {
	c, _, err := p.Open(checkpoint)
	if err != nil {
		return nil, err
	}
	n, err := note.Open(checkpoint, note.VerifierList(p.logs[c.Origin]...))
	if err != nil {
		return nil, fault.Mismatch.Wrap(err, "a checkpoint of %q", c.Origin)
	}
	out := []byte(n.Text + "\n")
	for _, s := range n.Sigs {
		out = fmt.Appendf(out, "— %s %s\n", s.Name, s.Base64)
	}
	return out, nil
}

func sigKey(name string, hash uint32) string { return fmt.Sprintf("%08x %s", hash, name) }
