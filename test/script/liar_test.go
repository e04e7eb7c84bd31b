package script

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"chancery/internal/attend"
	"chancery/internal/custody"
	"chancery/internal/pass"
	"chancery/internal/registry"
	"chancery/internal/server"
	"chancery/internal/sign"
	"chancery/internal/vault"
	"chancery/internal/wire"
)

// A lie is one thing that a lying registry does: it keeps something back from somebody.
// What is "keys" (parcels), "kits" (parcels that are asked for), "marking" (whatever the
// marking desk has logged), or a kind of statement that lies open.
type lie struct{ what, from string }

// A liar is the registry of an operator who altered the program: it has the database and
// the operator's and the log's keys, and no other.
type liar struct {
	honest http.Handler
	lies   []lie
	desks  map[string]string // name by key
	logger *slog.Logger

	mu      sync.Mutex
	marking map[int64]bool // guarded by mu; entries that came over the marking desk's connection
}

// liarCommand is: liar NAME ADDR [WHAT WHOM]... A registry runs that keeps things back from
// some, and with it the marking desk and the custodians, who know nothing of it. What
// they tell goes to NAME.log; halt NAME ends it.
func liarCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) >= 2 && len(args)%2 == 0, "liar NAME ADDR [WHAT WHOM]...")
	file, err := os.OpenFile(ts.MkAbs(args[0]+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	l := &liar{desks: desksOf(ts), marking: map[int64]bool{}, logger: slog.New(slog.NewTextHandler(file, nil))}
	for i := 2; i < len(args); i += 2 {
		l.lies = append(l.lies, lie{args[i], args[i+1]})
	}
	ctx, end := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	stop := l.serve(ctx, ts, args[1])
	for _, run := range attendants(ts, l.logger) {
		wait.Go(func() {
			if err := run(ctx); err != nil {
				l.logger.Error("ended", "why", err)
			}
		})
	}
	started(ts).liars[args[0]] = func() {
		end()
		stop()
		wait.Wait()
		file.Close()
	}
}

// serve runs the registry over the operator's own database.
func (l *liar) serve(ctx context.Context, ts *testscript.TestScript, address string) (stop func()) {
	dir := ts.MkAbs("ministry/registry")
	st, a, err := registry.OpenStore(ctx, dir, "")
	ts.Check(err)
	key, err := sign.ParseNoteKey(ts.ReadFile("ministry/registry/log.key"))
	ts.Check(err)
	logged, err := custody.Open(ctx, st.Log(), key)
	ts.Check(err)
	s, err := server.New(ctx, server.Config{Log: logged, Storage: st.Log(), Parcels: st, Now: time.Now, Logger: l.logger})
	ts.Check(err)
	l.honest = s.Handler()
	config, err := pass.Server(keyOf(ts, "operator"), a.Origin(), s.Find, time.Now)
	ts.Check(err)
	listener, err := net.Listen("tcp", address)
	ts.Check(err)
	h := &http.Server{Handler: l, TLSConfig: config, ErrorLog: log.New(io.Discard, "", 0)}
	go h.ServeTLS(listener, "", "")
	return func() {
		s.Close()
		h.Close()
		logged.Close()
		st.Close()
	}
}

// attendants are the marking desk and the custodians, each with its own keys.
func attendants(ts *testscript.TestScript, logger *slog.Logger) []func(context.Context) error {
	a := account(ts)
	k, dir := party(ts, "marking"), ts.MkAbs("ministry/marking")
	c, err := a.DialFrom(k.Sign, dir, time.Now)
	ts.Check(err)
	m := &attend.Marking{Name: k.Name, Key: k.Sign, Identity: k.Identity, Keeper: vault.Folder(filepath.Join(dir, "files")), Client: c, Now: time.Now,
		Logger: logger.With("party", "marking desk"), Stock: 4}
	out := []func(context.Context) error{m.Run}
	for _, name := range []string{"auditor", "clerk", "judge"} {
		k, dir := party(ts, "custodians/"+name), ts.MkAbs("ministry/custodians/"+name)
		c, err := a.DialFrom(k.Sign, dir, time.Now)
		ts.Check(err)
		one := &attend.Custodian{Name: name, Key: k.Sign, Identity: k.Identity, Vault: vault.New(filepath.Join(dir, "files"), k.Sign.Derive("custodian files")), Client: c,
			Logger: logger.With("party", "custodian "+name)}
		out = append(out, one.Run)
	}
	return out
}

// keeps says whether something is kept back from somebody.
func (l *liar) keeps(what, from string) bool { return slices.Contains(l.lies, lie{what, from}) }

// ServeHTTP answers as the honest registry does, but for what is kept back.
func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who := "nobody"
	if id, err := pass.Signer(r.TLS); err == nil {
		who = l.desks[id.String()]
	}
	var answer *httptest.ResponseRecorder
	ask := func() { answer = httptest.NewRecorder(); l.honest.ServeHTTP(answer, r) }
	switch {
	case r.Method == http.MethodGet && r.URL.Path == wire.RouteFeed:
		ask()
		l.feed(answer, who, r)
	case r.Method == http.MethodGet && l.keeps("kits", who) && len(r.URL.Path) > len(wire.RouteParcels) && r.URL.Path[:len(wire.RouteParcels)] == wire.RouteParcels:
		w.WriteHeader(http.StatusNotFound)
		return
	case r.URL.Path == wire.RouteEntries && who == "marking":
		ask()
		l.remember(answer.Body.Bytes())
	default:
		l.honest.ServeHTTP(w, r)
		return
	}
	for name, all := range answer.Header() {
		w.Header()[name] = all
	}
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

// remember notes what the marking desk logged: its connection shows who it is.
func (l *liar) remember(answer []byte) {
	var out wire.Submitted
	if json.Unmarshal(answer, &out) != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, i := range out.Indexes {
		l.marking[i] = true
	}
}

// feed takes out of an answer what is kept back.
func (l *liar) feed(answer *httptest.ResponseRecorder, who string, r *http.Request) {
	var out wire.Feed
	if answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &out) != nil {
		return
	}
	before := len(out.Entries) + len(out.Parcels)
	out.Entries = slices.DeleteFunc(out.Entries, func(e wire.Entry) bool { return l.hides(e, who) })
	if l.keeps("keys", who) {
		out.Parcels = nil
	}
	after := len(out.Entries) + len(out.Parcels)
	if after == before {
		return
	}
	if wait, _ := strconv.Atoi(r.URL.Query().Get("wait")); after == 0 && wait > 0 {
		time.Sleep(200 * time.Millisecond) // who asked would ask again at once
	}
	data, err := json.Marshal(out)
	if err != nil {
		panic(err) // what was read is written
	}
	answer.Body = bytes.NewBuffer(data)
}

// hides says whether an entry is kept back from somebody.
func (l *liar) hides(e wire.Entry, who string) bool {
	if e.Party == "" {
		entry, err := custody.ParseEntry(e.Data)
		if err != nil {
			return false
		}
		kind, _, err := sign.Claims(entry.Statement)
		return err == nil && l.keeps(kind, who)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.marking[e.Index] && l.keeps("marking", who)
}
