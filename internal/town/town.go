// Package town is a whole institution in one process: registry, marking desk,
// custodians, a witness and desks, each in its own folder with its own keys, over
// real connections. It is for the demo, for trying things out, and for tests; in
// earnest every party runs by itself.
package town

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"chancery/internal/appoint"
	"chancery/internal/attend"
	"chancery/internal/client"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/fault"
	"chancery/internal/registry"
	"chancery/internal/sign"
	"chancery/internal/vault"
)

// Config says what a town is like.
type Config struct {
	Folder     string
	Name       string
	Database   string // postgres://..., or empty
	Custodians []string
	Threshold  int
	Overseers  []string
	Witness    bool   // run one
	Witnesses  []byte // lines of a tlog-policy; made here if a witness is run
	Stock      int    // draws kept ready
	Now        func() time.Time
	Logger     *slog.Logger
	Listen     string  // 127.0.0.1:0 if empty
	Rate       float64 // requests a second that the registry allows a device; 0: any
}

// A Town is running.
type Town struct {
	Config
	Account   client.Account
	Registry  *registry.Registry
	Authority *appoint.Authority
	Marking   attend.Keys
	Keepers   map[string]attend.Keys // custodians
	Watchers  map[string]attend.Keys // overseers

	marking *attend.Marking
	outside *outside // nil without a witness

	ctx  context.Context
	end  context.CancelFunc
	wait sync.WaitGroup

	mu  sync.Mutex
	err error // guarded by mu; the first failure of a party
}

// Found makes the institution in folders and starts its parties.
func Found(ctx context.Context, c Config) (*Town, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fault.System.Wrap(err, "listen")
	}
	t := &Town{Config: c, Keepers: map[string]attend.Keys{}, Watchers: map[string]attend.Keys{}}
	t.ctx, t.end = context.WithCancel(ctx)
	if err := t.begin(ctx, l); err != nil {
		l.Close()
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// begin founds the institution and starts its parties.
func (t *Town) begin(ctx context.Context, l net.Listener) error {
	if t.Witness {
		if err := t.newWitness(); err != nil {
			return err
		}
	}
	if err := t.found(ctx, "https://"+l.Addr().String()); err != nil {
		return err
	}
	if t.Witness {
		if err := t.startWitness(); err != nil {
			return err
		}
	}
	return t.start(ctx, l)
}

// found makes keys, the statement of the institution, and the registry's folder.
func (t *Town) found(ctx context.Context, url string) error {
	authorities := []*sign.Key{sign.Generate(), sign.Generate()}
	in := directory.Institution{Name: t.Name, Authorities: []*sign.Public{authorities[0].Public(), authorities[1].Public()}, Threshold: t.Threshold}
	var err error
	if t.Marking, err = t.party("marking", "marking"); err != nil {
		return err
	}
	in.Marking = []directory.Party{t.Marking.Party()}
	for _, name := range t.Custodians {
		k, err := t.party(filepath.Join("custodians", name), name)
		if err != nil {
			return err
		}
		t.Keepers[name] = k
		in.Custodians = append(in.Custodians, k.Party())
	}
	for _, name := range t.Overseers {
		k, err := t.party(filepath.Join("overseers", name), name)
		if err != nil {
			return err
		}
		t.Watchers[name] = k
		in.Overseers = append(in.Overseers, k.Party())
	}
	t.Account, err = registry.Found(ctx, filepath.Join(t.Folder, "registry"), registry.Founding{URL: url, Origin: "registry.example/log", Database: t.Database, Witnesses: t.Witnesses,
		Institution: func(operator *sign.Public) ([]byte, error) {
			in.Operator = operator
			return sign.Sign(directory.KindInstitution, in, authorities...)
		}})
	if err != nil {
		return err
	}
	t.Authority = &appoint.Authority{Keys: authorities, Now: t.Now}
	t.Authority.Client, err = t.Account.Dial(authorities[0], nil, nil, t.Now)
	return err
}

// party makes the keys and the folder of a party.
func (t *Town) party(folder, name string) (attend.Keys, error) {
	k, err := attend.NewKeys(name)
	if err != nil {
		return k, err
	}
	dir := filepath.Join(t.Folder, folder)
	if err := os.MkdirAll(filepath.Join(dir, "files"), 0o700); err != nil {
		return k, fault.System.Wrap(err, "make a folder")
	}
	return k, vault.Folder(dir).Write("party.key", k.Secret(t.Now()))
}

// start runs the registry and the parties that nobody sits at.
func (t *Town) start(ctx context.Context, l net.Listener) error {
	var err error
	t.Registry, err = registry.Open(ctx, filepath.Join(t.Folder, "registry"), registry.Options{Now: t.Now, Logger: t.Logger, Rate: t.Rate, Burst: 20 * t.Rate})
	if err != nil {
		return err
	}
	t.run("registry", func(ctx context.Context) error { return t.Registry.Serve(ctx, l) })
	c, err := t.Dial(t.Marking.Sign, filepath.Join(t.Folder, "marking"))
	if err != nil {
		return err
	}
	t.marking = &attend.Marking{Name: t.Marking.Name, Key: t.Marking.Sign, Identity: t.Marking.Identity, Keeper: vault.Folder(filepath.Join(t.Folder, "marking", "files")), Client: c,
		Now: t.Now, Logger: t.Logger, Stock: t.Stock}
	t.run("marking desk", t.marking.Run)
	for name, k := range t.Keepers {
		dir := filepath.Join(t.Folder, "custodians", name)
		c, err := t.Dial(k.Sign, dir)
		if err != nil {
			return err
		}
		one := &attend.Custodian{Name: name, Key: k.Sign, Identity: k.Identity, Vault: vault.New(filepath.Join(dir, "files"), k.Sign.Derive("custodian files")), Client: c, Now: t.Now, Logger: t.Logger}
		t.run("custodian "+name, one.Run)
	}
	return nil
}

// run starts a party. What ends it before the town ends is kept.
func (t *Town) run(who string, f func(context.Context) error) {
	t.wait.Go(func() {
		if err := f(t.ctx); err != nil && t.ctx.Err() == nil {
			t.Logger.Error("ended", "who", who, "why", fault.Escape(err.Error()))
			t.mu.Lock()
			defer t.mu.Unlock()
			if t.err == nil {
				t.err = fault.Wrap(who, err)
			}
		}
	})
}

// Dial makes a client for a key whose memory of the log lies in a folder.
func (t *Town) Dial(key *sign.Key, folder string) (*client.Client, error) {
	return t.Account.DialFrom(key, folder, t.Now)
}

// Err returns the first failure of a party.
func (t *Town) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Close ends all parties and waits for them.
func (t *Town) Close() error {
	t.end()
	t.wait.Wait()
	if t.Registry != nil {
		if err := t.Registry.Close(); err != nil {
			return err
		}
	}
	return t.Err()
}

// Enrol invites somebody, makes their desk, and admits them.
func (t *Town) Enrol(ctx context.Context, id, name string) (*desk.Desk, error) {
	invite, err := t.Authority.Invite(id, name, t.Now().Add(time.Hour), false)
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(t.Folder, "desks", id)
	d, err := desk.Enrol(ctx, folder, t.Account, invite, "first device", "", t.Now)
	if err != nil {
		return nil, err
	}
	all, err := t.Authority.Candidates(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.ID == id {
			_, err := t.Authority.Admit(ctx, c)
			return d, err
		}
	}
	return nil, fault.NotFound.New("%q did not hand in keys", id)
}

// Seat makes an office and a seat unless they are there, appoints somebody, and has
// them accept.
func (t *Town) Seat(ctx context.Context, d *desk.Desk, office, seat string) error {
	dir, err := t.Authority.Directory(ctx)
	if err != nil {
		return err
	}
	if _, err := dir.Holders(office, t.Now()); err != nil {
		if _, err := t.Authority.Office(ctx, office, office); err != nil {
			return err
		}
	}
	if _, err := t.Authority.Seat(ctx, office, seat, seat); err != nil {
		return err
	}
	return t.Appoint(ctx, d, office, seat, t.Now().Add(-time.Second))
}

// Appoint offers somebody a seat that there is, and has them accept.
func (t *Town) Appoint(ctx context.Context, d *desk.Desk, office, seat string, from time.Time) error {
	if _, err := t.Authority.Appoint(ctx, d.Person, office, seat, from); err != nil {
		return err
	}
	if err := d.Sync(ctx, 0); err != nil {
		return err
	}
	for _, o := range d.Offers() {
		if _, err := d.Accept(ctx, o.ID); err != nil {
			return err
		}
	}
	return d.Sync(ctx, 0)
}

// Ready waits until the marking desk has a draw that custodians vouched for.
func (t *Town) Ready(ctx context.Context, wait time.Duration) error { return t.ready(ctx, 1, wait) }

// Stocked waits until it has all the draws that it keeps ready.
func (t *Town) Stocked(ctx context.Context, wait time.Duration) error {
	return t.ready(ctx, t.Stock, wait)
}

func (t *Town) ready(ctx context.Context, draws int, wait time.Duration) error {
	until := time.Now().Add(wait)
	for t.marking.Usable() < draws {
		if err := t.Err(); err != nil {
			return err
		}
		if !time.Now().Before(until) {
			return fault.System.New("no draw is ready")
		}
		select {
		case <-ctx.Done():
			return fault.Interrupted.Wrap(ctx.Err(), "wait for draws")
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}
