// Package registry puts a registry together from its folder: store, log, server,
// and the asking of witnesses. It holds the log's key and the operator's, and none
// that opens anything.
package registry

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chancery/internal/client"
	"chancery/internal/custody"
	"chancery/internal/custody/witness"
	"chancery/internal/directory"
	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/mirror"
	"chancery/internal/pass"
	"chancery/internal/server"
	"chancery/internal/sign"
	"chancery/internal/store"
)

// Files of a registry.
const (
	logKeyFile      = "log.key"
	operatorKeyFile = "operator.key"
	AccountFile     = "registry.json"
	databaseFile    = "registry.db"
	addressFile     = "database" // where the database is, if it is not in the folder
)

// A Founding is what a new registry begins with.
type Founding struct {
	URL       string
	Origin    string // of the log: a URL without its scheme
	Database  string // postgres://..., or empty for a file in the folder
	Witnesses []byte // lines of a tlog-policy with witnesses, groups and quorum; may be empty
	// Institution makes the first statement, which names the operator's key.
	Institution func(operator *sign.Public) ([]byte, error)
}

// Found makes the folder and the log of a registry, with the institution as its
// first entry. It returns what parties are to know of it.
func Found(ctx context.Context, folder string, f Founding) (client.Account, error) {
	logKey, err := sign.GenerateNoteKey(f.Origin)
	if err != nil {
		return client.Account{}, err
	}
	operator := sign.Generate()
	statement, err := f.Institution(operator.Public())
	if err != nil {
		return client.Account{}, err
	}
	if _, err := directory.New(0, statement); err != nil {
		return client.Account{}, err
	}
	entry := custody.NewEntry(statement)
	rest := string(f.Witnesses)
	if rest == "" {
		rest = "quorum none\n"
	}
	account := client.Account{URL: f.URL, Policy: "log " + strings.Join(logKey.LogVKeys(), "\nlog ") + "\n" + rest, Operator: operator.Public(), Institution: entry.Bytes()}
	if _, err := client.ParseAccount(AccountFile, account.Encode()); err != nil {
		return account, err
	}
	if err := makeFolder(folder, f.Database, logKey, operator, account); err != nil {
		return account, err
	}
	return account, begin(ctx, folder, f.Database, logKey, false, entry)
}

// makeFolder makes the folder of a registry, without its database.
func makeFolder(folder, database string, logKey *sign.NoteKey, operator *sign.Key, account client.Account) error {
	return durable.CreateFolder(folder, func(d *durable.Folder) error {
		files := map[string][]byte{logKeyFile: []byte(logKey.Secret()), operatorKeyFile: []byte(operator.Secret()), AccountFile: account.Encode()}
		if database != "" {
			files[addressFile] = []byte(database + "\n")
		}
		for name, data := range files {
			if err := d.WriteFile(name, data); err != nil {
				return err
			}
		}
		return nil
	})
}

// begin makes the database and logs the first entries, which lie open. Done again after
// it failed, it goes on; a founding never does.
func begin(ctx context.Context, folder, database string, key *sign.NoteKey, again bool, first ...custody.Entry) error {
	if database == "" {
		database = filepath.Join(folder, databaseFile)
	}
	s, err := store.Create(ctx, database)
	if again && errors.Is(err, fault.Exists) {
		s, err = store.Open(ctx, database)
	}
	if err != nil {
		return err
	}
	defer s.Close()
	if err := custody.Create(ctx, s.Log(), key); err != nil && !(again && errors.Is(err, fault.Exists)) {
		return err
	}
	l, err := custody.Open(ctx, s.Log(), key)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := beginsSo(ctx, s.Log(), first); err != nil {
		return err
	}
	for part := range slices.Chunk(first, atOnce) {
		var all []custody.Submission
		for _, e := range part {
			all = append(all, custody.Submission{Commitment: e.Commitment(), Bodies: []custody.Body{{Party: directory.Everyone, Data: e.Bytes()}}})
		}
		if _, err := l.Append(ctx, all...); err != nil {
			return err
		}
	}
	return nil
}

// beginsSo refuses a log that has begun with something else.
func beginsSo(ctx context.Context, s custody.Storage, first []custody.Entry) error {
	leaves, err := s.Leaves(ctx, 0, int64(len(first)))
	if err != nil {
		return err
	}
	for i, c := range leaves {
		if c != first[i].Commitment() {
			return fault.Exists.New("the log has begun already, with other entries from %d on", i).WithHint("a log begins once: what it began with stands in its folder")
		}
	}
	return nil
}

// atOnce is how many entries are logged together.
const atOnce = 500

// Options are how a registry is run.
type Options struct {
	Database    string // instead of the folder's own
	Mirror      string // folder on another disk in which everything is kept twice; may be empty
	Now         func() time.Time
	Logger      *slog.Logger
	Rate, Burst float64
	Quota       float64 // bytes a day for one device; 0: any
}

// A Registry is open and may serve.
type Registry struct {
	Account client.Account
	Store   *store.Store
	options Options
	log     *custody.Log
	server  *server.Server
	policy  *custody.Policy
	tls     *tls.Config
	mirror  *mirror.Mirror // nil without one
}

// mirrored keeps parcels twice before it acknowledges them.
type mirrored struct {
	*store.Store
	mirror *mirror.Mirror
}

// PutParcel is that of server.Parcels.
func (m mirrored) PutParcel(ctx context.Context, data []byte, parties []string, quiet bool) error {
	if err := m.Store.PutParcel(ctx, data, parties, quiet); err != nil {
		return err
	}
	return m.mirror.PutParcel(data, parties, quiet)
}

// Open opens the registry of a folder.
func Open(ctx context.Context, folder string, o Options) (*Registry, error) {
	r := &Registry{options: o}
	if err := r.read(ctx, folder); err != nil {
		if r.Store != nil {
			err = errors.Join(err, r.Store.Close())
		}
		return nil, err
	}
	return r, nil
}

func (r *Registry) read(ctx context.Context, folder string) error {
	var err error
	if r.Store, r.Account, err = OpenStore(ctx, folder, r.options.Database); err != nil {
		return err
	}
	if r.policy, err = custody.ParsePolicy("policy", []byte(r.Account.Policy)); err != nil {
		return err
	}
	logKey, operator, err := readKeys(folder)
	if err != nil {
		return err
	}
	var storage custody.Storage = r.Store.Log()
	var parcels server.Parcels = r.Store
	if r.options.Mirror != "" {
		if r.mirror, err = mirror.Open(r.options.Mirror); err != nil {
			return err
		}
		twice := &mirror.Log{Storage: storage, Mirror: r.mirror}
		if err := twice.CatchUp(ctx); err != nil {
			return err
		}
		storage, parcels = twice, mirrored{r.Store, r.mirror}
	}
	if r.log, err = custody.Open(ctx, storage, logKey); err != nil {
		return err
	}
	o := r.options
	r.server, err = server.New(ctx, server.Config{Log: r.log, Storage: storage, Parcels: parcels, Now: o.Now, Logger: o.Logger, Rate: o.Rate, Burst: o.Burst, Quota: o.Quota})
	if err != nil {
		r.log.Close()
		return err
	}
	r.tls, err = pass.Server(operator, r.Account.Origin(), r.server.Find, o.Now)
	return err
}

// readKeys reads the keys of the log and of the operator.
func readKeys(folder string) (*sign.NoteKey, *sign.Key, error) {
	var keys [2]string
	for i, name := range []string{logKeyFile, operatorKeyFile} {
		text, err := durable.ReadFile(filepath.Join(folder, name), 1<<16)
		if err != nil {
			return nil, nil, err
		}
		keys[i] = string(text)
	}
	logKey, err := sign.ParseNoteKey(keys[0])
	if err != nil {
		return nil, nil, fault.At(err, logKeyFile, 0, 0)
	}
	operator, err := sign.ParseKey(keys[1])
	return logKey, operator, fault.At(err, operatorKeyFile, 0, 0)
}

// OpenStore opens the database of a registry's folder, or the one given.
func OpenStore(ctx context.Context, folder, database string) (*store.Store, client.Account, error) {
	address, account, err := readAccount(folder)
	if err != nil {
		return nil, account, err
	}
	s, err := store.Open(ctx, cmp.Or(database, address, filepath.Join(folder, databaseFile)))
	return s, account, err
}

// readAccount reads what parties know of a registry, and where its database is if it is
// not in the folder.
func readAccount(folder string) (database string, account client.Account, err error) {
	data, err := durable.ReadFile(filepath.Join(folder, AccountFile), client.MaxAccount)
	if err != nil {
		return "", account, err
	}
	if account, err = client.ParseAccount(AccountFile, data); err != nil {
		return "", account, err
	}
	if data, err := durable.ReadFile(filepath.Join(folder, addressFile), 1<<12); err == nil {
		database = strings.TrimSpace(string(data))
	}
	return database, account, nil
}

// Close ends the log and the store.
func (r *Registry) Close() error {
	r.log.Close()
	err := r.Store.Close()
	if r.mirror != nil {
		err = errors.Join(err, r.mirror.Close())
	}
	return err
}

// Limits of connections.
const (
	headerTimeout = 10 * time.Second
	bodyTimeout   = 5 * time.Minute // a large kit on a bad line
	idleTimeout   = 2 * time.Minute
	shutdownTime  = 10 * time.Second
	maxHeader     = 16 << 10
	witnessPause  = 2 * time.Second
)

// Serve answers on a listener until ctx ends, and then lets what was begun end.
func (r *Registry) Serve(ctx context.Context, l net.Listener) error {
	s := &http.Server{Handler: r.server.Handler(), TLSConfig: r.tls, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, WriteTimeout: bodyTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: log.New(io.Discard, "", 0)}
	asked, stop := context.WithCancel(ctx)
	witnessed := make(chan struct{})
	go func() { defer close(witnessed); r.witness(asked) }()
	ended := make(chan error, 1)
	go func() { ended <- s.ServeTLS(l, "", "") }()
	var err error
	select {
	case err = <-ended:
		err = fault.System.Wrap(err, "serve")
	case <-ctx.Done():
	}
	stop()
	r.server.Close()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if down := s.Shutdown(last); down != nil {
		s.Close()
	}
	<-witnessed
	return err
}

// witness has the newest checkpoint cosigned, again and again. A witness that is
// away delays nothing.
func (r *Registry) witness(ctx context.Context) {
	if len(r.policy.Witnesses()) == 0 {
		return
	}
	g := witness.Gatherer{Storage: r.Store.Log(), Policy: r.policy, Client: &http.Client{}}
	var said string
	var size int64 = -1
	for {
		head, err := r.Store.Log().Head(ctx)
		if err == nil && head.Size != size {
			if err = g.Round(ctx); err == nil {
				size = head.Size
			}
		}
		if err != nil && err.Error() != said && ctx.Err() == nil {
			said = err.Error()
			r.options.Logger.Warn("witnesses", "why", fault.Escape(said))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(witnessPause):
		}
	}
}
