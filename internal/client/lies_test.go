package client_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/client"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/fault"
	"chancery/internal/server/servertest"
	"chancery/internal/sign"
	"chancery/internal/store/storetest"
	"chancery/internal/wire"
)

func newLog(t testing.TB, key *sign.NoteKey) (*custody.Log, custody.Storage) {
	return storetest.NewLog(t, key)
}

// acts are everything a client asks that moves its memory of the log.
func acts(c *client.Client, s custody.Submission, e custody.Entry) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"head":   func(ctx context.Context) error { _, _, err := c.Head(ctx); return err },
		"submit": func(ctx context.Context) error { _, err := c.Submit(ctx, s); return err },
		"feed": func(ctx context.Context) error {
			_, err := c.Feed(ctx, client.Wish{Parties: []string{"", "person:ada"}}, opener)
			return err
		},
		"prove": func(ctx context.Context) error { _, err := c.Prove(ctx, 3, e); return err },
	}
}

// TestAnotherHistory shows a client logs that do not follow what it saw, each signed
// with the log's own key. Each is refused whatever is asked, both checkpoints are in the
// error, and the client's memory stays as it was.
func TestAnotherHistory(t *testing.T) {
	l := newLiar(t)
	ada := l.Person("ada")
	s, e := letter("letter", "person:ada")
	m := &memory{}
	c := l.dial(ada.Device, m)
	if _, err := c.Submit(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	last, note := c.View.Last()
	forged, err := sign.GenerateNoteKey(servertest.Origin)
	check(t, err)
	renamed, err := sign.GenerateNoteKey("other.test/log")
	check(t, err)
	foreign := func(k *sign.NoteKey) wire.Head {
		_, storage := newLog(t, k)
		return other{nil, storage}.head(t, 99)
	}
	honest := func() wire.Head { return other{nil, l.Storage}.head(t, last.Size) }
	for _, lie := range []struct {
		name string
		head wire.Head
		fork bool
		why  string
	}{
		{"shorter", l.history(last.Size-1, int(last.Size)-1).head(t, last.Size), true, "entries were taken out"},
		{"empty", l.history(0, 0).head(t, last.Size), true, "entries were taken out"},
		{"another of the same length", l.history(last.Size-1, int(last.Size)).head(t, last.Size), true, "different things"},
		{"longer, from another trunk", l.history(last.Size-1, int(last.Size)+3).head(t, last.Size), true, "not shown to begin"},
		{"longer, from another root", l.history(0, int(last.Size)+3).head(t, last.Size), true, "not shown to begin"},
		{"longer, with no proof", wire.Head{Checkpoint: l.history(last.Size, int(last.Size)+3).head(t, 0).Checkpoint}, true, "not shown to begin"},
		{"the same, with a proof of nothing", wire.Head{Checkpoint: honest().Checkpoint, Consistency: tlog.TreeProof{{1}}}, true, "different"},
		{"signed by nobody", wire.Head{Checkpoint: honest().Checkpoint[:len(honest().Checkpoint)/2]}, false, "checkpoint"},
		{"signed with another key", foreign(forged), false, "checkpoint"},
		{"another log's", foreign(renamed), false, "other.test/log"},
		{"none", wire.Head{}, false, "checkpoint"},
		{"a long one", wire.Head{Checkpoint: bytes.Repeat([]byte("x"), 1<<20)}, false, "at most"},
	} {
		l.tells(func(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
			w.Write(servertest.JSON(l, map[string]any{"head": lie.head, "checkpoint": lie.head.Checkpoint, "consistency": lie.head.Consistency, "indexes": []int64{3}, "proofs": []tlog.RecordProof{nil}}))
		})
		for what, act := range acts(c, s, e) {
			err := act(t.Context())
			var fork *custody.Fork
			if err == nil || !errors.Is(err, fault.Mismatch) && !errors.Is(err, fault.Input) || errors.As(err, &fork) != lie.fork {
				t.Errorf("%s, %s: %v", what, lie.name, err)
			} else if !strings.Contains(err.Error(), lie.why) && !(lie.name[:3] == "the" && strings.Contains(err.Error(), "not shown")) {
				t.Errorf("%s, %s: says %v", what, lie.name, err)
			}
			if lie.fork && fork != nil && (!bytes.Equal(fork.Old, note) || !bytes.Equal(fork.New, lie.head.Checkpoint)) {
				t.Errorf("%s, %s: the evidence is not both checkpoints", what, lie.name)
			}
			if now, kept := c.View.Last(); now != last || !bytes.Equal(kept, note) {
				t.Fatalf("%s, %s: the view moved to %v", what, lie.name, now)
			}
			if kept, n := m.newest(); !bytes.Equal(kept, note) || n != 1 {
				t.Fatalf("%s, %s: another checkpoint was kept", what, lie.name)
			}
		}
	}
	l.tells(nil)
	if _, _, err := c.Head(t.Context()); err != nil {
		t.Errorf("the truth, after lies: %v", err)
	}
}

// TestLiesAboutEntries: the log is the true one, what is said of it is not.
func TestLiesAboutEntries(t *testing.T) {
	l := newLiar(t)
	ada := l.Person("ada")
	s, e := letter("letter", "person:ada")
	two, _ := letter("another", "person:ada")
	c := l.dial(ada.Device, &memory{})
	if _, err := c.Submit(t.Context(), s, two); err != nil {
		t.Fatal(err)
	}
	for _, lie := range []struct {
		name   string
		change func(*wire.Submitted)
	}{
		{"fewer places", func(a *wire.Submitted) { a.Indexes = a.Indexes[:1] }},
		{"more places", func(a *wire.Submitted) { a.Indexes = append(a.Indexes, 5) }},
		{"fewer proofs", func(a *wire.Submitted) { a.Proofs = a.Proofs[:1] }},
		{"no answer", func(a *wire.Submitted) { a.Indexes, a.Proofs = nil, nil }},
		{"exchanged places", func(a *wire.Submitted) { a.Indexes[0], a.Indexes[1] = a.Indexes[1], a.Indexes[0] }},
		{"a place before all", func(a *wire.Submitted) { a.Indexes[0] = -1 }},
		{"a place behind all", func(a *wire.Submitted) { a.Indexes[0] = 99 }},
		{"an altered proof", func(a *wire.Submitted) { a.Proofs[0] = flip(a.Proofs[0]) }},
		{"no proof", func(a *wire.Submitted) { a.Proofs[0] = nil }},
		{"a long proof", func(a *wire.Submitted) { a.Proofs[0] = make(tlog.RecordProof, 1000) }},
	} {
		alters(l, lie.change)
		if _, err := c.Submit(t.Context(), s, two); !errors.Is(err, fault.Mismatch) {
			t.Errorf("%s: %v", lie.name, err)
		}
	}
	alters(l, func(p *wire.Proof) { p.Proof = flip(p.Proof) })
	if _, err := c.Prove(t.Context(), 3, e); !errors.Is(err, fault.Mismatch) {
		t.Errorf("a wrong proof: %v", err)
	}
	l.tells(nil)
	if p, err := c.Prove(t.Context(), 3, e); err != nil || p.Index != 3 {
		t.Errorf("the truth: %v", err)
	}
	old, now := custody.Checkpoint{Origin: servertest.Origin, Size: 2, Root: tlog.Hash{1}}, custody.Checkpoint{}
	now, _ = c.View.Last()
	for name, err := range map[string]error{
		"a checkpoint that never was": second(c.Consistency(t.Context(), old, now)), "of the same length": c.Compare(t.Context(), custody.Checkpoint{Origin: now.Origin, Size: now.Size, Root: tlog.Hash{2}}),
		"of a longer log": c.Compare(t.Context(), custody.Checkpoint{Origin: now.Origin, Size: 99, Root: tlog.Hash{2}}),
	} {
		if !errors.Is(err, fault.Mismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := c.Compare(t.Context(), now); err != nil {
		t.Errorf("the same: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// TestLiesInFeeds: entries out of order, of parties that nobody asked for, that stand
// elsewhere, or nowhere.
func TestLiesInFeeds(t *testing.T) {
	l := newLiar(t)
	ada := l.Person("ada")
	c := l.dial(ada.Device, &memory{})
	one, _ := letter("one", "person:ada", "office:centre")
	two, _ := letter("two", "person:ada")
	secret, _ := letter("secret", "person:bo")
	if _, err := c.Submit(t.Context(), one, two, secret); err != nil {
		t.Fatal(err)
	}
	wish := client.Wish{Parties: []string{"person:ada"}, Parcel: 5}
	for _, lie := range []struct {
		name   string
		change func(*wire.Feed)
		all    bool // the whole answer is refused, not one entry
	}{
		{"in another order", func(f *wire.Feed) { f.Entries[0], f.Entries[1] = f.Entries[1], f.Entries[0] }, true},
		{"one twice", func(f *wire.Feed) { f.Entries[1] = f.Entries[0] }, true},
		{"before what was asked for", func(f *wire.Feed) { f.Entries[0].Index = -1 }, true},
		{"for another party", func(f *wire.Feed) { f.Entries[0].Party = "office:centre" }, true},
		{"as if it lay open", func(f *wire.Feed) { f.Entries[0].Party = directory.Everyone }, true},
		{"with another's words", func(f *wire.Feed) { f.Entries[0].Data = append(f.Entries[0].Data, '!') }, false},
		{"at another place", func(f *wire.Feed) { f.Entries[0].Index-- }, false},
		{"that is in no log", func(f *wire.Feed) { f.Entries[1].Index = 99 }, false},
		{"with a wrong proof", func(f *wire.Feed) { f.Entries[0].Proof = flip(f.Entries[0].Proof) }, false},
		{"without a proof", func(f *wire.Feed) { f.Entries[0].Proof = nil }, false},
		{"empty", func(f *wire.Feed) { f.Entries[0].Data = nil }, false},
		{"parcels of before", func(f *wire.Feed) { f.Parcels = []wire.Parcel{{Seq: 5, Digest: make([]byte, 32)}} }, true},
		{"parcels out of order", func(f *wire.Feed) {
			f.Parcels = []wire.Parcel{{Seq: 8, Digest: make([]byte, 32)}, {Seq: 7, Digest: make([]byte, 32)}}
		}, true},
		{"parcels without a name", func(f *wire.Feed) { f.Parcels = []wire.Parcel{{Seq: 8, Digest: make([]byte, 31)}} }, true},
	} {
		alters(l, lie.change)
		feed, err := c.Feed(t.Context(), wish, opener)
		if lie.all {
			if !errors.Is(err, fault.Mismatch) && !errors.Is(err, fault.Input) {
				t.Errorf("%s: %v", lie.name, err)
			}
			continue
		}
		bad := 0
		for i := range feed.Entries {
			if feed.Entries[i].Err != nil {
				bad++
			}
		}
		if err != nil || bad != 1 || len(feed.Entries) != 2 {
			t.Errorf("%s: %v, %d of %d refused", lie.name, err, bad, len(feed.Entries))
		}
	}
	// More of nothing would keep a desk asking for ever.
	alters(l, func(f *wire.Feed) { f.Entries, f.Parcels, f.More = nil, nil, true })
	if feed, err := c.Feed(t.Context(), wish, opener); err != nil || feed.More {
		t.Errorf("more of nothing: %v", err)
	}
	l.tells(nil)
	if feed, err := c.Feed(t.Context(), wish, opener); err != nil || len(feed.Entries) != 2 || feed.Entries[0].Err != nil || feed.Entries[1].Err != nil {
		t.Errorf("the truth: %v", err)
	}
}

// TestAnotherInstitution tells a story: a registry logs the true institution, then one
// of its own, and keeps the first from a new desk, which would take the second for the
// institution, and the operator's friends for its authorities.
func TestAnotherInstitution(t *testing.T) {
	l := newLiar(t)
	ada := l.Person("ada")
	friends := [2]*sign.Key{sign.Generate(), sign.Generate()}
	in := directory.Institution{Name: "Ministry", Authorities: []*sign.Public{friends[0].Public(), friends[1].Public()}}
	at := l.State(directory.KindInstitution, in, friends[0], friends[1])
	c := l.dial(ada.Device, &memory{})
	wish := client.Wish{Parties: []string{directory.Everyone, "person:ada"}}
	mine, _ := letter("letter", "person:ada")
	if _, err := c.Submit(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*wire.Feed){
		"the first is kept back":            func(f *wire.Feed) { f.Entries = f.Entries[at:] },
		"all that lies open is kept back":   func(f *wire.Feed) { f.Entries = f.Entries[len(f.Entries)-1:] },
		"the first is given another's text": func(f *wire.Feed) { f.Entries[0].Data = f.Entries[at].Data },
		"the first cannot be proven":        func(f *wire.Feed) { f.Entries[0].Proof = flip(f.Entries[0].Proof) },
		"the second stands first":           func(f *wire.Feed) { f.Entries[at].Index = 0; f.Entries = f.Entries[at:] },
	} {
		alters(l, change)
		if _, err := c.Feed(t.Context(), wish, opener); !errors.Is(err, fault.Mismatch) || !strings.Contains(fault.HintOf(err), "do not go on") {
			t.Errorf("%s: %v", name, err)
		}
	}
	l.tells(nil)
	if _, err := c.Feed(t.Context(), wish, opener); err != nil {
		t.Errorf("the truth: %v", err)
	}
}

func TestLiesAboutParcels(t *testing.T) {
	l := newLiar(t)
	ada := l.Person("ada")
	c := l.dial(ada.Device, &memory{})
	file := []byte("a sealed file")
	if err := c.PutParcel(t.Context(), file, []string{"person:ada"}); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(file)
	if got, err := c.Parcel(t.Context(), digest); err != nil || !bytes.Equal(got, file) {
		t.Fatal(err)
	}
	for _, answer := range []string{"", "another file", "a sealed file\n", "a sealed fil"} {
		l.says(http.StatusOK, answer)
		if _, err := c.Parcel(t.Context(), digest); !errors.Is(err, fault.Mismatch) {
			t.Errorf("%q: %v", answer, err)
		}
	}
}

// TestNonsense: what is no answer is refused, and says so.
func TestNonsense(t *testing.T) {
	l := newLiar(t)
	ada := l.Person("ada")
	s, e := letter("letter", "person:ada")
	c := l.dial(ada.Device, &memory{})
	if _, err := c.Submit(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	last, _ := c.View.Last()
	elsewhere := l.Serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	for _, lie := range []struct {
		status int
		body   string
		want   error
	}{
		{200, "", fault.Input}, {200, "<html>", fault.Input}, {200, "[]", fault.Input}, {200, `{"head":7,"checkpoint":7}`, fault.Input}, {204, "", fault.Input},
		{302, "", fault.System}, {200, strings.Repeat(" ", wire.MaxAnswer+1), fault.Input}, {500, "panic: secret", fault.System}, {404, "404 page not found", fault.System},
		{403, `{"kind":"not permitted","message":"no"}`, fault.Permission}, {418, `{"kind":"teapot","message":"no"}`, fault.System},
	} {
		l.tells(func(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
			w.Header().Set("Location", elsewhere)
			w.WriteHeader(lie.status)
			w.Write([]byte(lie.body))
		})
		for what, act := range acts(c, s, e) {
			if len(lie.body) > 1<<20 && what != "head" {
				continue
			}
			err := act(t.Context())
			if !errors.Is(err, lie.want) || strings.Contains(err.Error(), "secret") || len(lie.body) > wire.MaxAnswer != strings.Contains(err.Error(), "longer than") {
				t.Errorf("%s, %d %.40q: %v", what, lie.status, lie.body, err)
			}
		}
	}
	if now, _ := c.View.Last(); now != last {
		t.Errorf("the view moved to %v", now)
	}
}

// TestSlowAnswers: who waits may stop waiting, before and in the middle of an answer.
func TestSlowAnswers(t *testing.T) {
	l := newLiar(t)
	c := l.dial(l.Person("ada").Device, &memory{})
	for name, begin := range map[string]string{"no answer": "", "half an answer": `{"checkpoint":`} {
		end := make(chan struct{})
		l.tells(func(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
			if begin != "" {
				w.Write([]byte(begin))
				w.(http.Flusher).Flush()
			}
			select {
			case <-end:
			case <-r.Context().Done():
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		begun := time.Now()
		_, _, err := c.Head(ctx)
		cancel()
		close(end)
		if !errors.Is(err, fault.Interrupted) || time.Since(begun) > 5*time.Second {
			t.Errorf("%s: %v after %s", name, err, time.Since(begun))
		}
	}
	// One that breaks off is the line's failure, not the user's.
	l.tells(func(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
		w.Header().Set("Content-Length", "100")
		w.Write([]byte(`{"checkpoint":`))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	if _, _, err := c.Head(t.Context()); !errors.Is(err, fault.System) {
		t.Errorf("broken off: %v", err)
	}
}
