package client

import (
	"encoding/json"
	"errors"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	"chancery/internal/canonical"
	"chancery/internal/custody"
	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/pass"
	"chancery/internal/sign"
)

// An Account is what a party knows of a registry beforehand, by a way that is not
// the registry's: from an invitation, or because they founded it. Everything else
// follows from it.
type Account struct {
	Format      string       `json:"format"`
	URL         string       `json:"url"`
	Policy      string       `json:"policy"` // C2SP tlog-policy
	Operator    *sign.Public `json:"operator"`
	Institution []byte       `json:"institution"` // the first entry of the log
	// Begins are the commitments of the entries with which a log begins that continues
	// another, one after the other; empty if it continues none.
	Begins []byte `json:"begins,omitempty"`
}

// MaxAccount is the longest account, in bytes.
const MaxAccount = 16 << 20

const accountFormat = "chancery-registry/v1"

// Encode writes the account as a file.
func (a Account) Encode() []byte {
	a.Format = accountFormat
	data, err := json.MarshalIndent(a, "", " ")
	if err != nil {
		panic(err) // strings and a key
	}
	return append(data, '\n')
}

// ParseAccount reads what Encode wrote.
func ParseAccount(name string, data []byte) (Account, error) {
	var a Account
	if line, column, err := canonical.Decode(data, &a); err != nil {
		return a, fault.Input.Wrap(err, "not what a desk knows of its registry").At(name, line, column)
	}
	return a, a.check(name)
}

func (a Account) check(name string) error {
	if a.Format != accountFormat || a.Operator == nil || a.URL == "" {
		return fault.Input.New("not what a desk knows of its registry").At(name, 0, 0)
	}
	if err := checkURL(a.URL); err != nil {
		return fault.At(err, name, 0, 0)
	}
	if len(a.Begins)%len(custody.Commitment{}) != 0 {
		return fault.Input.New("what the log begins with was cut").At(name, 0, 0)
	}
	if _, err := custody.ParseEntry(a.Institution); err != nil {
		return fault.At(err, name, 0, 0)
	}
	p, err := a.policy()
	if err != nil {
		return err
	}
	if len(p.Origins()) != 1 {
		return fault.Input.New("the policy names %d logs, not one", len(p.Origins())).At(name, 0, 0)
	}
	return nil
}

// checkURL refuses what is no address of a registry: without TLS nothing would say who
// answers.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || text != "https://"+u.Host {
		return fault.Input.New("%q is not the address of a registry", fault.Clip(text, maxQuoted)).WithHint("such an address is https://HOST:PORT and nothing more")
	}
	return nil
}

// maxQuoted is how much of a bad address a message holds, in bytes.
const maxQuoted = 100

func (a Account) policy() (*custody.Policy, error) {
	return custody.ParsePolicy("policy", []byte(a.Policy))
}

// Origin is the name of the registry's log.
func (a Account) Origin() string {
	p, err := a.policy()
	if err != nil || len(p.Origins()) == 0 {
		return ""
	}
	return p.Origins()[0]
}

// Dial makes a client that speaks for a key, or for nobody. last is the checkpoint
// seen last, or nil; keep makes a newer one durable.
func (a Account) Dial(key *sign.Key, last []byte, keep func([]byte) error, now func() time.Time) (*Client, error) {
	policy, err := a.policy()
	if err != nil {
		return nil, err
	}
	view, err := custody.NewView(policy, last)
	if err != nil {
		return nil, err
	}
	t, err := pass.Client(key, a.Origin(), a.Operator, now)
	if err != nil {
		return nil, err
	}
	begins, err := a.begins()
	if err != nil {
		return nil, err
	}
	return New(Config{URL: a.URL, TLS: t, View: view, Keep: keep, Begins: begins}), nil
}

// begins are the commitments of the entries with which the log must begin: at the least
// that of the institution.
func (a Account) begins() ([]custody.Commitment, error) {
	var out []custody.Commitment
	for c := range slices.Chunk(a.Begins, len(custody.Commitment{})) {
		out = append(out, custody.Commitment(c))
	}
	if len(out) > 0 {
		return out, nil
	}
	e, err := custody.ParseEntry(a.Institution)
	return []custody.Commitment{e.Commitment()}, err
}

// CheckpointFile is a party's memory of the log.
const CheckpointFile = "checkpoint"

// DialFrom makes a client for a key, whose memory of the log lies in a folder.
func (a Account) DialFrom(key *sign.Key, folder string, now func() time.Time) (*Client, error) {
	name := filepath.Join(folder, CheckpointFile)
	last, err := durable.ReadFile(name, 1<<20)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return nil, err
	}
	if err == nil && len(last) == 0 {
		return nil, fault.Mismatch.New("the memory of the log is an empty file").At(name, 0, 0).WithHint("restore it from a backup of this folder")
	}
	return a.Dial(key, last, func(note []byte) error { return durable.WriteFile(name, note) }, now)
}
