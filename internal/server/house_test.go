package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/pass"
	"chancery/internal/server/servertest"
	"chancery/internal/sign"
	"chancery/internal/wire"
)

var check = servertest.Check

func house(t testing.TB) *servertest.House { return servertest.New(t, servertest.Options{}) }

// A voice asks the registry over a connection of a key's.
type voice struct {
	t    testing.TB
	h    *servertest.House
	http *http.Client
}

func speak(h *servertest.House, key *sign.Key) voice { return voice{h.TB, h, h.HTTP(key)} }

// ask sends a request, "METHOD /path", and returns what came.
func (v voice) ask(what string, body []byte) (int, []byte) {
	v.t.Helper()
	status, answer, err := v.try(context.Background(), what, body)
	check(v.t, err)
	return status, answer
}

func (v voice) try(ctx context.Context, what string, body []byte) (int, []byte, error) {
	method, path, _ := strings.Cut(what, " ")
	r, err := http.NewRequestWithContext(ctx, method, v.h.Account.URL+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	answer, err := v.http.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	return answer.StatusCode, data, err
}

// feed asks for what came for parties.
func (v voice) feed(query string) (wire.Feed, int) {
	v.t.Helper()
	status, data := v.ask("GET /v1/feed?"+query, nil)
	var out wire.Feed
	if status == http.StatusOK {
		check(v.t, json.Unmarshal(data, &out))
	}
	return out, status
}

// size returns how many entries the log has.
func size(h *servertest.House) int64 {
	head, err := h.Storage.Head(context.Background())
	if err != nil {
		panic(err) // of a database that is there
	}
	return head.Size
}

// submit is a request to log entries.
func submit(t testing.TB, all ...custody.Submission) []byte {
	return servertest.JSON(t, wire.Submit{Submissions: wire.FromCustody(all)})
}

// sealed is a submission that nobody here can open.
func sealed(text string, parties ...string) custody.Submission {
	s := custody.Submission{Commitment: custody.NewEntry([]byte(text)).Commitment()}
	for _, p := range parties {
		s.Bodies = append(s.Bodies, custody.Body{Party: p, Data: []byte(text)})
	}
	return s
}

// open is a submission of a statement that lies open.
func open(statement []byte) custody.Submission {
	e := custody.NewEntry(statement)
	return custody.Submission{Commitment: e.Commitment(), Bodies: []custody.Body{{Party: directory.Everyone, Data: e.Bytes()}}}
}

// connection returns the state of a real connection of a key's, as the registry sees
// it: for requests that are handed to it without a line.
func connection(h *servertest.House, key *sign.Key) *tls.ConnectionState {
	h.Helper()
	server, err := pass.Server(h.Operator, servertest.Origin, h.Find, h.Now)
	check(h, err)
	client, err := pass.Client(key, servertest.Origin, h.Operator.Public(), h.Now)
	check(h, err)
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	go io.Copy(io.Discard, tls.Client(a, client)) // reads on, for what comes after the handshake
	c := tls.Server(b, server)
	check(h, c.HandshakeContext(context.Background()))
	state := c.ConnectionState()
	return &state
}

// hand gives a request to the registry without a line between: a panic ends the test.
func hand(handler http.Handler, state *tls.ConnectionState, method, target string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", bytes.NewReader(body))
	if u, err := r.URL.Parse(target); err == nil {
		r.URL = u
	}
	r.TLS = state
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}
