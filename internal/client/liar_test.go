package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/client"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/post"
	"chancery/internal/server/servertest"
	"chancery/internal/sign"
	"chancery/internal/wire"
)

var check = servertest.Check

// A liar is the registry itself, with the operator's key and the log's, that alters
// what it answers.
type liar struct {
	*servertest.House
	URL string

	mu  sync.Mutex
	lie func(w http.ResponseWriter, r *http.Request, truth *httptest.ResponseRecorder) // guarded by mu; nil: none
}

func newLiar(t *testing.T) *liar {
	t.Helper()
	l := &liar{House: servertest.New(t, servertest.Options{})}
	honest := l.Server.Handler()
	l.URL = l.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		lie := l.lie
		l.mu.Unlock()
		if lie == nil {
			honest.ServeHTTP(w, r)
			return
		}
		truth := httptest.NewRecorder()
		honest.ServeHTTP(truth, r)
		lie(w, r, truth)
	}))
	l.Account.URL = l.URL
	return l
}

// tells makes the registry lie from now on.
func (l *liar) tells(lie func(w http.ResponseWriter, r *http.Request, truth *httptest.ResponseRecorder)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lie = lie
}

// alters makes the registry alter answers of one type.
func alters[T any](l *liar, change func(*T)) {
	l.tells(func(w http.ResponseWriter, _ *http.Request, truth *httptest.ResponseRecorder) {
		var v T
		if truth.Code != http.StatusOK || json.Unmarshal(truth.Body.Bytes(), &v) != nil {
			w.WriteHeader(truth.Code)
			w.Write(truth.Body.Bytes())
			return
		}
		change(&v)
		json.NewEncoder(w).Encode(v)
	})
}

// says makes the registry answer with a status and bytes.
func (l *liar) says(status int, body string) {
	l.tells(func(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
		w.WriteHeader(status)
		w.Write([]byte(body))
	})
}

// A memory is what a party keeps of the log.
type memory struct {
	mu   sync.Mutex
	all  [][]byte // guarded by mu
	fail error    // guarded by mu
}

func (m *memory) keep(note []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	m.all = append(m.all, bytes.Clone(note))
	return nil
}

func (m *memory) set(fail error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = fail
}

// newest returns what was kept last, and how often something was.
func (m *memory) newest() ([]byte, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.all) == 0 {
		return nil, 0
	}
	return m.all[len(m.all)-1], len(m.all)
}

func (l *liar) dial(key *sign.Key, m *memory) *client.Client {
	l.Helper()
	c, err := l.Account.Dial(key, nil, m.keep, l.Now)
	check(l, err)
	l.Cleanup(c.Close)
	return c
}

// opener opens letters to everyone, and of others what they commit to as it is.
func opener(r client.Received) (custody.Commitment, error) {
	_, e, err := post.Open(directory.Everyone, r.Data, r.Common)
	return e.Commitment(), err
}

// letter is a submission whose body is the entry itself: what is in it matters to
// nobody here.
func letter(text string, parties ...string) (custody.Submission, custody.Entry) {
	e := custody.NewEntry([]byte(text))
	s := custody.Submission{Commitment: e.Commitment()}
	for _, p := range parties {
		s.Bodies = append(s.Bodies, custody.Body{Party: p, Data: e.Bytes()})
	}
	return s, e
}

// other is another history, signed with the log's own key.
type other struct {
	log     *custody.Log
	storage custody.Storage
}

// history makes a log of other entries, as long as said, with the first n of the true one.
func (l *liar) history(shared int64, size int) other {
	l.Helper()
	log, storage := newLog(l.TB, l.LogKey)
	ctx := context.Background()
	true_, err := l.Storage.Leaves(ctx, 0, shared)
	check(l, err)
	for _, c := range true_ {
		_, err := log.Append(ctx, custody.Submission{Commitment: c})
		check(l, err)
	}
	for i := len(true_); i < size; i++ {
		s, _ := letter("other "+strings.Repeat("x", i), "person:ada")
		_, err := log.Append(ctx, s)
		check(l, err)
	}
	return other{log, storage}
}

// head is what that history answers somebody who has seen since entries.
func (o other) head(t testing.TB, since int64) wire.Head {
	t.Helper()
	h, err := o.storage.Head(context.Background())
	check(t, err)
	out := wire.Head{Checkpoint: h.Checkpoint}
	if since <= h.Size {
		out.Consistency, err = custody.ProveConsistency(context.Background(), o.storage, since, h.Size)
		check(t, err)
	}
	return out
}

// flip alters one bit of the first hash of a proof.
func flip[P ~[]tlog.Hash](p P) P {
	out := append(P{}, p...)
	if len(out) == 0 {
		return P{tlog.Hash{1}}
	}
	out[0][0] ^= 1
	return out
}
