package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"chancery/internal/attend"
	"chancery/internal/client"
	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/registry"
	"chancery/internal/sign"
	"chancery/internal/vault"
)

type serveOptions struct {
	Data       string  `required:"" placeholder:"DIR" help:"The folder that chancery init made, or one with its registry folder alone."`
	Database   string  `placeholder:"URL" help:"Use this database instead of the folder's own: postgres://…"`
	Mirror     string  `placeholder:"DIR" help:"Keep everything twice: a folder on another disk. Nothing is acknowledged before it stands there too."`
	Listen     string  `default:"127.0.0.1:7000" placeholder:"ADDR" help:"Serve at this address (${default})."`
	NoMarking  bool    `help:"Run the registry alone, though the marking desk's folder is here: another process runs it."`
	Custodians bool    `help:"Run the custodians of a trial too."`
	Draws      int     `default:"100" help:"How many draws the marking desk keeps ready (${default})."`
	Rate       float64 `default:"50" help:"Requests a second that one device may make for long (${default})."`
	Quota      int64   `default:"8192" placeholder:"MIB" help:"How much one device may send in a day, in MiB (${default}); 0: any."`
	Verbose    bool    `short:"v" help:"Tell every request, never what is in it."`
}

// lockFile is held by the process that runs the marking desk.
const lockFile = "lock"

// leastQuota is what the longest request takes, in MiB.
const leastQuota = 256

// Help is shown by chancery serve --help.
func (serveOptions) Help() string {
	return `Runs the registry, and the marking desk if its folder is there. The registry keeps what it cannot open;
stop it at any moment, nothing that was acknowledged is lost. Several may serve one PostgreSQL database,
one of them with the marking desk.

  chancery serve --data ministry/ --listen 192.0.2.7:7000
  chancery serve --data other/ --database postgres://db.example/chancery --no-marking

Health: https://ADDR/health, metrics: https://ADDR/metrics (the text format of Prometheus).`
}

// Run serves until it is told to end.
func (o serveOptions) Run(ctx context.Context, s Streams) error {
	if o.Quota < 0 || o.Quota > 0 && o.Quota < leastQuota {
		return fault.Usage.New("a quota of %d MiB", o.Quota).WithHint("a cable with attachments may need %d; 0 sets none", leastQuota)
	}
	level := slog.LevelInfo
	if o.Verbose {
		level = slog.LevelDebug
	}
	logger := slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: level}))
	r, err := registry.Open(ctx, filepath.Join(o.Data, registryDir), registry.Options{Database: o.Database, Mirror: o.Mirror, Now: time.Now, Logger: logger, Rate: o.Rate, Burst: 20 * o.Rate,
		Quota: float64(o.Quota) * (1 << 20)})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return errors.Join(fault.System.Wrap(err, "listen at %s", o.Listen).WithHint("is the address another program's? choose one with --listen"), r.Close())
	}
	fmt.Fprintf(s.Err, "chancery: registry at https://%s\n", l.Addr())
	p := &processes{logger: logger}
	p.ctx, p.end = context.WithCancel(ctx)
	p.run("registry", func(ctx context.Context) error { return r.Serve(ctx, l) })
	// Parties in this process speak to it like all others, at the address it listens at.
	account := r.Account
	account.URL = "https://" + local(l.Addr())
	if err := o.parties(p, account); err != nil {
		p.end()
		p.wait.Wait()
		return errors.Join(err, r.Close())
	}
	p.wait.Wait()
	return errors.Join(p.err, r.Close())
}

// local is how this machine reaches an address that it listens at.
func local(a net.Addr) string {
	t, ok := a.(*net.TCPAddr)
	if ok && t.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", t.Port)
	}
	return a.String()
}

// parties starts the marking desk, and the custodians of a trial.
func (o serveOptions) parties(p *processes, account client.Account) error {
	dir := filepath.Join(o.Data, markingDir)
	if _, err := os.Stat(dir); err == nil && !o.NoMarking {
		k, err := readPartyKeys(dir)
		if err != nil {
			return err
		}
		// Two would answer each other's draws with other draws of one number, and neither
		// could go on.
		held, err := durable.Hold(filepath.Join(dir, lockFile), 0)
		if errors.Is(err, fault.Exists) {
			return fault.Exists.New("another process runs this marking desk").At(dir, 0, 0).WithHint("serve --no-marking runs a registry beside it")
		}
		if err != nil {
			return err
		}
		p.held = held
		own, err := ownAccount(dir, account)
		if err != nil {
			return err
		}
		c, err := own.DialFrom(k.Sign, dir, time.Now)
		if err != nil {
			return err
		}
		m := &attend.Marking{Name: k.Name, Key: k.Sign, Identity: k.Identity, Keeper: vault.Folder(filepath.Join(dir, partyFiles)), Client: c, Now: time.Now,
			Logger: p.logger.With("party", "marking desk"), Stock: o.Draws}
		p.run("marking desk", m.Run)
	}
	if !o.Custodians {
		return nil
	}
	all, err := filepath.Glob(filepath.Join(o.Data, custodianDir, "*", partyKey))
	if err != nil || len(all) == 0 {
		return fault.NotFound.New("there are no custodians in this folder").At(filepath.Join(o.Data, custodianDir), 0, 0).WithHint("they run by themselves: chancery custodian FOLDER")
	}
	for _, name := range all {
		own, err := ownAccount(filepath.Dir(name), account)
		if err != nil {
			return err
		}
		one, err := custodian(filepath.Dir(name), own, p.logger)
		if err != nil {
			return err
		}
		p.run("custodian", one.Run)
	}
	return nil
}

// ownAccount is what a party itself knows of the registry, at the address at which this
// process serves it.
func ownAccount(folder string, served client.Account) (client.Account, error) {
	own, err := readAccount(filepath.Join(folder, registryInfo))
	own.URL = served.URL
	return own, err
}

// custodian prepares a custodian.
func custodian(folder string, account client.Account, logger *slog.Logger) (*attend.Custodian, error) {
	k, err := readPartyKeys(folder)
	if err != nil {
		return nil, err
	}
	c, err := account.DialFrom(k.Sign, folder, time.Now)
	if err != nil {
		return nil, err
	}
	return &attend.Custodian{Name: k.Name, Key: k.Sign, Identity: k.Identity, Vault: custodianVault(folder, k.Sign), Client: c, Now: time.Now, Logger: logger.With("party", "custodian "+k.Name)}, nil
}

func custodianVault(folder string, key *sign.Key) *vault.Vault {
	return vault.New(filepath.Join(folder, partyFiles), key.Derive("custodian files"))
}

// processes run together: when one fails, all end.
type processes struct {
	ctx    context.Context
	end    context.CancelFunc
	logger *slog.Logger
	wait   sync.WaitGroup
	held   io.Closer // the marking desk's folder, until this process ends

	mu  sync.Mutex
	err error // guarded by mu
}

func (p *processes) run(who string, f func(context.Context) error) {
	p.wait.Go(func() {
		err := f(p.ctx)
		if err == nil {
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.err == nil {
			p.err = fault.Wrap(who, err)
		}
		p.end()
	})
}
