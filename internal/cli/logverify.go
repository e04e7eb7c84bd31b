package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"chancery/internal/custody"
	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/registry"
	"chancery/internal/sign"
)

type logOptions struct {
	Verify logVerifyOptions `cmd:"" help:"Verify the custody log, or a proof from it."`
}

type logVerifyOptions struct {
	Data     string `placeholder:"DIR" help:"The registry's own folder: verify every leaf and every stored hash."`
	Database string `placeholder:"URL" help:"With --data: its database, if it is not the folder's own."`
	Proof    string `placeholder:"FILE" help:"A proof file, offline."`
	Registry string `placeholder:"FILE" help:"With --proof: registry.json, which says whose log it must be (your desk's)."`
	JSON     bool   `name:"json" help:"Print the result as JSON."`
	deskOptions
}

// Help is shown by chancery log verify --help.
func (logVerifyOptions) Help() string {
	return `Without an option: fetches every leaf of the log and computes its root, which must be that of the checkpoint that your desk was shown.

  chancery log verify
  chancery log verify --proof 00000012-receipt.tlog-proof
  chancery log verify --data ministry/`
}

type verified struct {
	Origin   string `json:"origin"`
	Entries  int64  `json:"entries"`
	Root     string `json:"root"`
	Cosigned bool   `json:"cosigned"`
	Entry    *int64 `json:"entry,omitempty"`
	Kind     string `json:"kind,omitempty"`
}

// Run verifies.
func (o logVerifyOptions) Run(ctx context.Context, s Streams) error {
	var v verified
	var err error
	switch {
	case o.Proof != "":
		v, err = o.proof()
	case o.Data != "":
		v, err = o.stored(ctx, s)
	default:
		v, err = o.served(ctx, s)
	}
	if err != nil {
		return err
	}
	if o.JSON {
		return writeJSON(s.Out, v)
	}
	if v.Entry != nil {
		fmt.Fprintf(s.Out, "a statement of kind %q stands at entry %d\n", v.Kind, *v.Entry)
	}
	seen := "signed by the log"
	if v.Cosigned {
		seen = "signed by the log and cosigned by its witnesses"
	}
	_, err = fmt.Fprintf(s.Out, "%s: %d entries, root %s, %s: it holds\n", v.Origin, v.Entries, v.Root, seen)
	return err
}

func (o logVerifyOptions) proof() (verified, error) {
	data, err := durable.ReadFile(o.Proof, custody.MaxProof)
	if err != nil {
		return verified{}, err
	}
	p, err := custody.ParseProof(data)
	if err != nil {
		return verified{}, fault.At(err, o.Proof, 0, 0)
	}
	if p.Entry == nil {
		return verified{}, fault.Input.New("the proof does not hold its entry").At(o.Proof, 0, 0)
	}
	e, err := custody.ParseEntry(p.Entry)
	if err != nil {
		return verified{}, fault.At(err, o.Proof, 0, 0)
	}
	if o.Registry == "" {
		o.Registry = filepath.Join(o.Desk, registryInfo)
	}
	account, err := readAccount(o.Registry)
	if err != nil {
		return verified{}, err
	}
	policy, err := custody.ParsePolicy(o.Registry, []byte(account.Policy))
	if err != nil {
		return verified{}, err
	}
	c, cosigned, err := p.Verify(policy, e.Commitment())
	if err != nil {
		return verified{}, fault.At(err, o.Proof, 0, 0)
	}
	kind, _, err := sign.Claims(e.Statement)
	return verified{c.Origin, c.Size, c.Root.String(), cosigned && len(policy.Witnesses()) > 0, &p.Index, kind}, fault.At(err, o.Proof, 0, 0)
}

// stored verifies the registry's own database.
func (o logVerifyOptions) stored(ctx context.Context, s Streams) (verified, error) {
	st, account, err := registry.OpenStore(ctx, filepath.Join(o.Data, registryDir), o.Database)
	if err != nil {
		return verified{}, err
	}
	defer st.Close()
	policy, err := custody.ParsePolicy(registryInfo, []byte(account.Policy))
	if err != nil {
		return verified{}, err
	}
	c, err := custody.Check(ctx, st.Log(), policy, leafProgress(s))
	return verified{Origin: c.Origin, Entries: c.Size, Root: c.Root.String()}, err
}

// served fetches every leaf from the registry.
func (o logVerifyOptions) served(ctx context.Context, s Streams) (verified, error) {
	d, err := o.open(s)
	if err != nil {
		return verified{}, err
	}
	if err := d.Sync(ctx, 0); err != nil {
		return verified{}, err
	}
	c, cosigned, err := d.Client.VerifyAll(ctx, leafProgress(s))
	return verified{Origin: c.Origin, Entries: c.Size, Root: c.Root.String(), Cosigned: cosigned}, err
}

// leafProgress says how many leaves are done, now and then.
func leafProgress(s Streams) func(done, size int64) {
	say := s.progress("verified")
	if say == nil {
		return nil
	}
	last := time.Now()
	return func(done, size int64) {
		if time.Since(last) > time.Second {
			last = time.Now()
			say(fmt.Sprintf("%d of %d entries", done, size))
		}
	}
}
