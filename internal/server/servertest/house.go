// Package servertest is a registry with its people, for tests: an institution in a
// real log over a real database, served over real connections, on a clock that the
// test sets. It is for tests alone, and never pretends: what a test sees is what the
// registry does.
package servertest

import (
	"bytes"
	"context"
	"encoding/json"
	"log"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"chancery/internal/client"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/pass"
	"chancery/internal/seal"
	"chancery/internal/server"
	"chancery/internal/sign"
	"chancery/internal/store"
)

// Origin is the name of the log.
const Origin = "registry.test/log"

// Begun is when the clock of a house starts.
var Begun = time.Date(2030, 5, 11, 9, 0, 0, 0, time.UTC)

// A House is an institution with its registry.
type House struct {
	testing.TB
	Authorities [2]*sign.Key
	Operator    *sign.Key
	Marking     *sign.Key
	Custodian   *sign.Key
	LogKey      *sign.NoteKey
	Custody     *custody.Log
	Store       *store.Store
	Storage     custody.Storage // what the server reads
	Server      *server.Server
	Account     client.Account
	Lines       *Lines // the registry's own log

	mu  sync.Mutex
	now time.Time // guarded by mu
}

// Options change what a house's registry is made of.
type Options struct {
	Rate, Burst float64
	Quota       float64
	Storage     func(custody.Storage) custody.Storage
}

// A Person is somebody in the directory, with their keys.
type Person struct {
	ID        string
	Key       *sign.Key
	Device    *sign.Key
	Identity  *seal.Identity
	Enrolment entries.Enrolment
}

// New founds a house and serves its registry until the test ends.
func New(t testing.TB, o Options) *House {
	t.Helper()
	h := &House{TB: t, Authorities: [2]*sign.Key{sign.Generate(), sign.Generate()}, Operator: sign.Generate(), Marking: sign.Generate(), Custodian: sign.Generate(),
		Lines: &Lines{}, now: Begun}
	h.found()
	h.Storage = h.Store.Log()
	if o.Storage != nil {
		h.Storage = o.Storage(h.Storage)
	}
	h.Server = Must(server.New(t.Context(), server.Config{Log: h.Custody, Storage: h.Storage, Parcels: h.Store, Now: h.Now,
		Logger: slog.New(slog.NewJSONHandler(h.Lines, &slog.HandlerOptions{Level: slog.LevelDebug})), Rate: o.Rate, Burst: o.Burst, Quota: o.Quota}))(t)
	h.Account.URL = h.Serve(h.Server.Handler())
	return h
}

// found makes the log, with the institution as its first entry.
func (h *House) found() {
	h.Helper()
	in := directory.Institution{Name: "Ministry", Authorities: []*sign.Public{h.Authorities[0].Public(), h.Authorities[1].Public()}, Operator: h.Operator.Public(),
		Marking: []directory.Party{h.party("marking", h.Marking)}, Custodians: []directory.Party{h.party("clerk", h.Custodian), h.party("judge", sign.Generate())}, Threshold: 2}
	statement := Must(sign.Sign(directory.KindInstitution, in, h.Authorities[0], h.Authorities[1]))(h)
	h.LogKey = Must(sign.GenerateNoteKey(Origin))(h)
	h.Store = Must(store.Create(h.Context(), filepath.Join(h.TempDir(), "registry.db")))(h)
	h.Cleanup(func() { h.Store.Close() })
	Check(h, custody.Create(h.Context(), h.Store.Log(), h.LogKey))
	h.Custody = Must(custody.Open(h.Context(), h.Store.Log(), h.LogKey))(h)
	h.Cleanup(h.Custody.Close)
	e := custody.NewEntry(statement)
	h.Append(e)
	h.Account = client.Account{Format: "chancery-registry/v1", Policy: "log " + strings.Join(h.LogKey.LogVKeys(), "\nlog ") + "\nquorum none\n", Operator: h.Operator.Public(), Institution: e.Bytes()}
}

func (h *House) party(name string, key *sign.Key) directory.Party {
	return directory.Party{Name: name, Sign: key.Public(), Recipient: Must(seal.GenerateIdentity())(h).Recipient().String()}
}

// Now is the clock of the house, Later moves it.
func (h *House) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// Later moves the clock on.
func (h *House) Later(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// Serve answers on a port of this machine as the registry, with whatever handler.
func (h *House) Serve(handler http.Handler) string {
	h.Helper()
	config := Must(pass.Server(h.Operator, Origin, h.Find, h.Now))(h)
	l := Must(net.Listen("tcp", "127.0.0.1:0"))(h)
	s := &http.Server{Handler: handler, TLSConfig: config, ErrorLog: log.New(h.Lines, "", 0)}
	done := make(chan struct{})
	go func() { defer close(done); s.ServeTLS(l, "", "") }()
	h.Cleanup(func() { s.Close(); <-done })
	return "https://" + l.Addr().String()
}

// Find is that of the server.
func (h *House) Find(id sign.ID) (*sign.Public, error) { return h.Server.Find(id) }

// Append logs entries that lie open, and returns the index of the last.
func (h *House) Append(all ...custody.Entry) int64 {
	h.Helper()
	var s []custody.Submission
	for _, e := range all {
		s = append(s, custody.Submission{Commitment: e.Commitment(), Bodies: []custody.Body{{Party: directory.Everyone, Data: e.Bytes()}}})
	}
	indexes := Must(h.Custody.Append(context.Background(), s...))(h)
	return indexes[len(indexes)-1]
}

// State logs a statement that lies open.
func (h *House) State(kind string, body any, keys ...*sign.Key) int64 {
	h.Helper()
	return h.Append(custody.NewEntry(Must(sign.Sign(kind, body, keys...))(h)))
}

// Invite makes an invitation.
func (h *House) Invite(id string, until time.Time, by *sign.Key) []byte {
	h.Helper()
	invite := entries.Invite{Person: id, Name: "Person " + id, Until: directory.At(until)}
	copy(invite.Nonce[:], id)
	return Must(sign.Sign(entries.KindInvite, invite, by))(h)
}

// Candidate makes keys of somebody, and what they hand in with an invitation.
func (h *House) Candidate(id string, invite []byte) Person {
	h.Helper()
	p := Person{ID: id, Key: sign.Generate(), Device: sign.Generate(), Identity: Must(seal.GenerateIdentity())(h)}
	person, device := p.Statements()
	p.Enrolment = entries.Enrolment{Invite: invite, Person: Must(sign.Sign(directory.KindPerson, person, p.Key))(h), Device: Must(sign.Sign(directory.KindDevice, device, p.Key, p.Device))(h)}
	return p
}

// Statements returns what the directory holds of a person.
func (p Person) Statements() (directory.Person, directory.Device) {
	return directory.Person{ID: p.ID, Name: "Person " + p.ID, Sign: p.Key.Public(), Recipient: p.Identity.Recipient().String()},
		directory.Device{Person: p.ID, Sign: p.Device.Public(), Name: "first device"}
}

// Person enrols somebody.
func (h *House) Person(id string) Person {
	h.Helper()
	p := h.Candidate(id, h.Invite(id, h.Now().Add(time.Hour), h.Authorities[0]))
	person, device := p.Statements()
	h.State(directory.KindPerson, person, h.Authorities[0], p.Key)
	h.State(directory.KindDevice, device, p.Key, p.Device)
	return p
}

// Seat makes an office and seats somebody in it, in the tenure that is returned.
func (h *House) Seat(p Person, office string) string {
	h.Helper()
	h.State(directory.KindOffice, directory.Office{Office: office, Title: office}, h.Authorities[0])
	h.State(directory.KindSeat, directory.Seat{Office: office, Seat: "head", Title: "head"}, h.Authorities[0])
	id := "t-" + p.ID
	h.State(directory.KindTenure, directory.Tenure{ID: id, Office: office, Seat: "head", Person: p.ID, From: directory.At(h.Now())}, h.Authorities[0], p.Key)
	return id
}

// Revoke takes a person's device out of use.
func (h *House) Revoke(p Person) {
	h.Helper()
	_, device := p.Statements()
	h.State(directory.KindRevoked, device, h.Authorities[0])
}

// HTTP makes a bare client for a key, or for nobody.
func (h *House) HTTP(key *sign.Key) *http.Client {
	h.Helper()
	t := &http.Transport{TLSClientConfig: Must(pass.Client(key, Origin, h.Operator.Public(), h.Now))(h), ForceAttemptHTTP2: true}
	h.Cleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t, Timeout: time.Minute}
}

// JSON writes a value.
func JSON(t testing.TB, v any) []byte {
	t.Helper()
	return Must(json.Marshal(v))(t)
}

// Must returns a value that cannot fail.
func Must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		Check(t, err)
		return v
	}
}

// Check ends the test at an error.
func Check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Lines gathers what is written, for any number of goroutines.
type Lines struct {
	mu  sync.Mutex
	all bytes.Buffer // guarded by mu
}

// Write is that of io.Writer.
func (l *Lines) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(data)
}

// String returns what was written.
func (l *Lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}
