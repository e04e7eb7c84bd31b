package witness_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/custody"
	"chancery/internal/custody/witness"
	"chancery/internal/fault"
	"chancery/internal/sign"
	"chancery/internal/store/storetest"
)

const origin = "registry.example/log"

// A scene is a log and one witness that watches it.
type scene struct {
	*storetest.Memory
	t       *testing.T
	key     *sign.NoteKey
	log     *custody.Log
	size    int64
	witness *witness.Witness
	wkey    *sign.NoteKey
	watched *custody.Policy // of the witness
	file    string
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newScene(t *testing.T) *scene {
	s := &scene{Memory: &storetest.Memory{}, t: t, file: filepath.Join(t.TempDir(), "witness.state")}
	s.key = must(sign.GenerateNoteKey(origin))(t)
	s.wkey = must(sign.GenerateNoteKey("witness.example/1"))(t)
	if err := custody.Create(t.Context(), s, s.key); err != nil {
		t.Fatal(err)
	}
	s.log = must(custody.Open(t.Context(), s, s.key))(t)
	t.Cleanup(s.log.Close)
	s.watched = s.policy("quorum none")
	if err := create(s.file); err != nil {
		t.Fatal(err)
	}
	s.witness = s.open()
	return s
}

func create(file string) error { return os.WriteFile(file, witness.NewState(), 0o600) }

func (s *scene) open() *witness.Witness {
	s.t.Helper()
	return must(witness.Open(s.wkey, s.watched, s.file))(s.t)
}

func (s *scene) policy(lines ...string) *custody.Policy {
	s.t.Helper()
	text := "log " + strings.Join(s.key.LogVKeys(), "\nlog ") + "\n" + strings.Join(lines, "\n") + "\n"
	return must(custody.ParsePolicy("policy", []byte(text)))(s.t)
}

// grow appends n entries to the log.
func (s *scene) grow(n int) {
	s.t.Helper()
	var all []custody.Submission
	for range n {
		var c custody.Commitment
		binary.BigEndian.PutUint64(c[:], uint64(s.size)+1)
		all = append(all, custody.Submission{Commitment: c})
		s.size++
	}
	must(s.log.Append(s.t.Context(), all...))(s.t)
}

// request asks to cosign the head of the log, from a size.
func (s *scene) request(old int64) []byte {
	s.t.Helper()
	head := must(s.Head(s.t.Context()))(s.t)
	var proof tlog.TreeProof
	if old <= head.Size {
		proof = must(custody.ProveConsistency(s.t.Context(), s, old, head.Size))(s.t)
	}
	return request(fmt.Sprint(old), proof, head.Checkpoint)
}

// request is written here once more, from the specification.
func request(old string, proof tlog.TreeProof, checkpoint []byte) []byte {
	b := "old " + old + "\n"
	for _, h := range proof {
		b += h.String() + "\n"
	}
	return append([]byte(b+"\n"), checkpoint...)
}

func (s *scene) add(old int64) {
	s.t.Helper()
	lines := must(s.witness.Add(s.request(old)))(s.t)
	head := must(s.Head(s.t.Context()))(s.t)
	p := must(s.watched.Requiring(s.wkey.WitnessVKeys()...))(s.t)
	if _, cosigned, err := p.Open(append(bytes.Clone(head.Checkpoint), lines...)); err != nil || !cosigned {
		s.t.Fatalf("the answer is no cosignature: %v, %v", cosigned, err)
	}
}

func status(err error) int {
	var r *witness.Refusal
	if errors.As(err, &r) {
		return r.Status
	}
	return 0
}

func TestWitnessFollows(t *testing.T) {
	s := newScene(t)
	s.add(0) // the empty log
	s.grow(5)
	s.add(0)
	s.add(5) // the same again
	s.grow(9)
	s.witness = s.open() // it remembers
	s.add(5)
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(origin)))
	note := must(s.witness.Checkpoint(hash))(t)
	p := must(s.watched.Requiring(s.wkey.WitnessVKeys()...))(t)
	if c, cosigned, err := p.Open(note); err != nil || !cosigned || c.Size != 14 {
		t.Errorf("%+v, %v, %v", c, cosigned, err)
	}
	if _, err := s.witness.Checkpoint("00"); !errors.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
}

// TestStatuses is the table of C2SP tlog-witness.
func TestStatuses(t *testing.T) {
	s := newScene(t)
	s.grow(5)
	s.add(0)
	s.grow(3)
	head := must(s.Head(t.Context()))(t)
	good := s.request(5)
	proof := must(custody.ProveConsistency(t.Context(), s, 5, 8))(t)
	text, _, _ := bytes.Cut(head.Checkpoint, []byte("\n\n"))
	stranger := must(sign.GenerateNoteKey(origin))(t)
	other := must(sign.GenerateNoteKey("other.example/log"))(t)
	signed := func(k *sign.NoteKey, size int, root string) []byte {
		return must(k.SignCheckpoint(fmt.Sprintf("%s\n%d\n%s\n", k.Name(), size, root)))(t)
	}
	root := strings.Split(string(text), "\n")[2]
	wrong := append(tlog.TreeProof{{1}}, proof[1:]...)
	for _, c := range []struct {
		name    string
		request []byte
		want    int
	}{
		{"nothing", nil, 400},
		{"no old size", []byte("\n\n"), 400},
		{"a size with a zero", request("05", proof, head.Checkpoint), 400},
		{"a negative size", request("-1", nil, head.Checkpoint), 400},
		{"a bad hash", bytes.Replace(good, []byte(proof[0].String()), []byte("x"), 1), 400},
		{"64 hashes", request("5", make(tlog.TreeProof, 64), head.Checkpoint), 400},
		{"old beyond new", request("9", nil, head.Checkpoint), 400},
		{"very long", append(bytes.Clone(good), make([]byte, witness.MaxRequest)...), 400},
		{"an unknown log", request("5", proof, signed(other, 8, root)), 404},
		{"unsigned", request("5", proof, append(bytes.Clone(text), "\n\n"...)), 403},
		{"signed by a stranger", request("5", proof, signed(stranger, 8, root)), 403},
		{"a signature changed", request("5", proof, bytes.Replace(head.Checkpoint, []byte(" "), []byte(" A"), 2)), 403},
		{"another old size", s.request(4), 409},
		{"old size zero", s.request(0), 409},
		{"no proof", request("5", nil, head.Checkpoint), 422},
		{"a wrong proof", request("5", wrong, head.Checkpoint), 422},
		{"a longer proof", request("5", append(proof, tlog.Hash{}), head.Checkpoint), 422},
		{"another root", request("5", nil, signed(s.key, 5, root)), 422},
		{"an empty log with a root", request("0", nil, signed(s.key, 0, root)), 422},
	} {
		lines, err := s.witness.Add(c.request)
		if status(err) != c.want || lines != nil {
			t.Errorf("%s: %d, %v", c.name, status(err), err)
		}
		var r *witness.Refusal
		if errors.As(err, &r) && r.Status == 409 && r.Size != 5 {
			t.Errorf("%s: it says %d", c.name, r.Size)
		}
	}
	s.add(5) // after all of that
}

// TestRollbackRace is the race that the specification tells of: two requests
// checked against one size, the smaller written last.
func TestRollbackRace(t *testing.T) {
	s := newScene(t)
	s.grow(2)
	s.add(0)
	s.grow(3)
	small := s.request(2)
	s.grow(4)
	large := s.request(2)
	for range 20 {
		before := must(os.ReadFile(s.file))(t)
		var wait sync.WaitGroup
		taken := make([]bool, 2)
		for i, r := range [][]byte{small, large} {
			wait.Go(func() {
				_, err := s.witness.Add(r)
				taken[i] = err == nil
			})
		}
		wait.Wait()
		if taken[0] == taken[1] {
			t.Fatalf("both or neither was cosigned: %v", taken)
		}
		if err := os.WriteFile(s.file, before, 0o600); err != nil {
			t.Fatal(err)
		}
		s.witness = s.open()
	}
}

// TestForkIsNotCosigned: the registry keeps two histories, one for the author and
// one for the reader, and asks the witness for both.
func TestForkIsNotCosigned(t *testing.T) {
	s := newScene(t)
	s.grow(4)
	s.add(0)
	fork := &scene{Memory: &storetest.Memory{}, t: t, key: s.key, size: 100}
	if err := custody.Create(t.Context(), fork, s.key); err != nil {
		t.Fatal(err)
	}
	fork.log = must(custody.Open(t.Context(), fork, s.key))(t)
	t.Cleanup(fork.log.Close)
	fork.grow(6)
	if _, err := s.witness.Add(fork.request(4)); status(err) != http.StatusUnprocessableEntity {
		t.Errorf("%v", err)
	}
}

// TestRemembersBeforeItAnswers: if the state cannot be written there is no
// cosignature, and the witness stands where it stood.
func TestRemembersBeforeItAnswers(t *testing.T) {
	s := newScene(t)
	s.grow(1)
	s.add(0)
	before := must(os.ReadFile(s.file))(t)
	s.grow(1)
	if err := os.Remove(s.file); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.file, 0o700); err != nil {
		t.Fatal(err)
	}
	if lines, err := s.witness.Add(s.request(1)); err == nil || lines != nil {
		t.Fatalf("cosigned without remembering: %s", lines)
	}
	if err := os.Remove(s.file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.file, before, 0o600); err != nil {
		t.Fatal(err)
	}
	s.add(1)
	// A second process wrote meanwhile.
	second := s.open()
	s.grow(1)
	if _, err := second.Add(s.request(2)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.witness.Add(s.request(2)); err == nil {
		t.Error("cosigned on a memory that is not the newest")
	}
}

// TestJunkSignatures: somebody sends the public checkpoint once more with a hundred
// lines that look like signatures of the log. The witness must be able to read what
// it keeps when it starts again.
func TestJunkSignatures(t *testing.T) {
	s := newScene(t)
	s.grow(2)
	s.add(0)
	junk := s.request(2)
	for i := range 90 {
		junk = fmt.Appendf(junk, "— %s %s\n", origin, base64.StdEncoding.EncodeToString([]byte{1, 2, 3, byte(i), 5}))
	}
	if _, err := s.witness.Add(junk); err != nil {
		t.Fatal(err)
	}
	s.witness = s.open()
	s.grow(1)
	s.add(2)
}

func TestStateIsNotTrusted(t *testing.T) {
	s := newScene(t)
	s.grow(3)
	s.add(0)
	good := must(os.ReadFile(s.file))(t)
	for name, bad := range map[string][]byte{
		"empty":         nil,
		"another size":  bytes.Replace(good, []byte(`\n3\n`), []byte(`\n2\n`), 1),
		"no log":        bytes.Replace(good, []byte(origin+`": "`), []byte(origin+`": "x`), 1),
		"another key":   bytes.Replace(good, []byte("witness.example/1"), []byte("witness.example/2"), 1),
		"another file":  []byte(`{"format": "x", "logs": {}}`),
		"spelled other": bytes.Replace(good, []byte("\n"), []byte("\n\n"), 1),
	} {
		if err := os.WriteFile(s.file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := witness.Open(s.wkey, s.watched, s.file); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	if err := os.Remove(s.file); err != nil {
		t.Fatal(err)
	}
	if _, err := witness.Open(s.wkey, s.watched, s.file); !errors.Is(err, fault.NotFound) {
		t.Errorf("without a state file: %v", err)
	}
}

// TestGather runs two witnesses over HTTP; one goes away and comes back.
func TestGather(t *testing.T) {
	a := newScene(t)
	b := &scene{t: t, watched: a.watched, file: filepath.Join(t.TempDir(), "b.state")}
	b.wkey = must(sign.GenerateNoteKey("witness.example/2"))(t)
	if err := create(b.file); err != nil {
		t.Fatal(err)
	}
	b.witness = b.open()
	var lines []string
	var down sync.Map
	for i, s := range []*scene{a, b} {
		h := s.witness.Handler(nil)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, gone := down.Load(i); gone {
				http.Error(w, "gone", http.StatusBadGateway)
				return
			}
			h.ServeHTTP(w, r)
		}))
		defer server.Close()
		for j, vkey := range s.wkey.WitnessVKeys() {
			lines = append(lines, fmt.Sprintf("witness w%d%d %s %s", i, j, vkey, server.URL))
		}
		lines = append(lines, fmt.Sprintf("group w%d all w%d0 w%d1", i, i, i))
	}
	policy := a.policy(append(lines, "group both all w0 w1", "quorum both")...)
	g := &witness.Gatherer{Storage: a, Policy: policy, Client: http.DefaultClient}
	cosigned := func() int64 {
		note, err := a.Cosigned(t.Context())
		if err != nil {
			return -1
		}
		c, enough, err := policy.Open(note)
		if err != nil || !enough {
			t.Fatalf("stored without a quorum: %v", err)
		}
		return c.Size
	}
	round := func(fails bool, want int64) {
		t.Helper()
		if err := g.Round(t.Context()); (err != nil) != fails {
			t.Fatalf("%v", err)
		}
		if got := cosigned(); got != want {
			t.Fatalf("cosigned up to %d, not %d", got, want)
		}
	}
	a.grow(3)
	round(false, 3)
	a.grow(4)
	down.Store(1, true)
	round(true, 3)
	a.grow(1)
	down.Delete(1)
	round(false, 8)
	// A registry that restarts does not know what was cosigned, and is told.
	a.grow(1)
	g = &witness.Gatherer{Storage: a, Policy: policy, Client: http.DefaultClient}
	round(false, 9)
	// One that was put back to an old state is told as well.
	old := &storetest.Memory{}
	if err := custody.Create(t.Context(), old, a.key); err != nil {
		t.Fatal(err)
	}
	g = &witness.Gatherer{Storage: old, Policy: policy, Client: http.DefaultClient}
	if err := g.Round(t.Context()); err == nil || !strings.Contains(err.Error(), "put back") {
		t.Errorf("%v", err)
	}
}

func TestHTTP(t *testing.T) {
	s := newScene(t)
	s.grow(2)
	var logged []int
	server := httptest.NewServer(s.witness.Handler(func(status int, _ string) { logged = append(logged, status) }))
	defer server.Close()
	post := func(body []byte) (int, string, string) {
		r, err := http.Post(server.URL+"/add-checkpoint", "text/plain", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		data := must(io.ReadAll(r.Body))(t)
		return r.StatusCode, r.Header.Get("Content-Type"), string(data)
	}
	if status, _, body := post(s.request(0)); status != 200 || !strings.HasPrefix(body, "— witness.example/1 ") || strings.Count(body, "\n") != 2 {
		t.Errorf("%d %s", status, body)
	}
	if status, kind, body := post(s.request(0)); status != 409 || kind != "text/x.tlog.size" || body != "2\n" {
		t.Errorf("%d %s %q", status, kind, body)
	}
	if status, _, _ := post(make([]byte, witness.MaxRequest+1)); status != 413 {
		t.Errorf("too long: %d", status)
	}
	if len(logged) != 1 || logged[0] != 409 {
		t.Errorf("logged %v", logged)
	}
	for path, want := range map[string]int{fmt.Sprintf("/%x/checkpoint", sha256.Sum256([]byte(origin))): 200, "/00/checkpoint": 404, "/": 404, "/add-checkpoint": 405} {
		r, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != want {
			t.Errorf("GET %s: %d", path, r.StatusCode)
		}
	}
}

func FuzzAdd(f *testing.F) {
	key, err := sign.GenerateNoteKey(origin)
	if err != nil {
		f.Fatal(err)
	}
	wkey, err := sign.GenerateNoteKey("witness.example/1")
	if err != nil {
		f.Fatal(err)
	}
	store := &storetest.Memory{}
	if err := custody.Create(context.Background(), store, key); err != nil {
		f.Fatal(err)
	}
	policy, err := custody.ParsePolicy("policy", []byte("log "+strings.Join(key.LogVKeys(), "\nlog ")+"\nquorum none\n"))
	if err != nil {
		f.Fatal(err)
	}
	file := filepath.Join(f.TempDir(), "state")
	if err := create(file); err != nil {
		f.Fatal(err)
	}
	w, err := witness.Open(wkey, policy, file)
	if err != nil {
		f.Fatal(err)
	}
	head, err := store.Head(context.Background())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(request("0", nil, head.Checkpoint))
	f.Add(request("1", tlog.TreeProof{{}}, head.Checkpoint))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := w.Add(data)
		// The empty log is the only checkpoint its key ever signed.
		if err == nil && !bytes.Contains(data, []byte("\n0\n")) || err != nil && status(err) < 400 {
			t.Fatalf("%v", err)
		}
	})
}
