package client_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chancery/internal/client"
	"chancery/internal/custody"
	"chancery/internal/fault"
	"chancery/internal/server/servertest"
	"chancery/internal/sign"
	"chancery/internal/wire"
)

// TestWhoIsAtTheOtherEnd: another server, and a registry that refuses us, are told
// apart from a line that is down.
func TestWhoIsAtTheOtherEnd(t *testing.T) {
	h := servertest.New(t, servertest.Options{})
	elsewhere := servertest.New(t, servertest.Options{})
	ada, gone := h.Person("ada"), h.Person("gone")
	h.Revoke(gone)
	nobody := func(a client.Account) client.Account { return a }
	for _, c := range []struct {
		name   string
		key    *sign.Key
		change func(client.Account) client.Account
		want   error
		why    string
	}{
		{"as it should be", ada.Device, nobody, nil, ""},
		{"another server at the address", ada.Device, func(a client.Account) client.Account { a.URL = elsewhere.Account.URL; return a }, fault.Permission, "not that of the registry's operator"},
		{"nobody at the address", ada.Device, func(a client.Account) client.Account { a.URL = "https://127.0.0.1:1"; return a }, fault.System, "not reached"},
		{"a key that nobody knows", sign.Generate(), nobody, fault.Permission, "refuses this device"},
		{"a revoked device", gone.Device, nobody, fault.Permission, "revoked"},
	} {
		account := c.change(h.Account)
		for range 20 { // however the line breaks
			d, err := account.Dial(c.key, nil, nil, h.Now)
			check(t, err)
			_, _, err = d.Head(t.Context())
			d.Close()
			if c.want == nil && err != nil || c.want != nil && (!errors.Is(err, c.want) || !strings.Contains(err.Error()+fault.HintOf(err), c.why)) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
}

// TestWhatIsNotKeptIsKeptLater: a disk is full when a checkpoint is to be kept. What
// follows from it must not be done before one is kept.
func TestWhatIsNotKeptIsKeptLater(t *testing.T) {
	h := servertest.New(t, servertest.Options{})
	ada := h.Person("ada")
	m := &memory{fail: fault.System.New("the disk is full")}
	c, err := h.Account.Dial(ada.Device, nil, m.keep, h.Now)
	check(t, err)
	defer c.Close()
	for range 2 {
		if _, _, err := c.Head(t.Context()); !errors.Is(err, fault.System) {
			t.Errorf("nothing was kept: %v", err)
		}
	}
	m.set(nil)
	for range 2 {
		if _, _, err := c.Head(t.Context()); err != nil {
			t.Error(err)
		}
	}
	_, note := c.View.Last()
	if kept, n := m.newest(); n != 1 || !bytes.Equal(kept, note) {
		t.Errorf("%d were kept", n)
	}
}

// TestMemoryLiesInAFolder: the next start goes on from there, and damage is noticed.
func TestMemoryLiesInAFolder(t *testing.T) {
	h := servertest.New(t, servertest.Options{})
	ada := h.Person("ada")
	folder := t.TempDir()
	dial := func() (*client.Client, error) { return h.Account.DialFrom(ada.Device, folder, h.Now) }
	c, err := dial()
	check(t, err)
	_, _, err = c.Head(t.Context())
	check(t, err)
	c.Close()
	name := filepath.Join(folder, "checkpoint")
	good, err := os.ReadFile(name)
	check(t, err)
	c, err = dial()
	check(t, err)
	if last, note := c.View.Last(); !bytes.Equal(note, good) || last.Size != 3 {
		t.Errorf("goes on from %v", last)
	}
	for what, data := range map[string][]byte{"empty": {}, "cut": good[:len(good)-10], "altered": bytes.Replace(good, []byte("\n3\n"), []byte("\n2\n"), 1), "noise": []byte("x")} {
		check(t, os.WriteFile(name, data, 0o600))
		if _, err := dial(); !errors.Is(err, fault.Mismatch) && !errors.Is(err, fault.Input) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAccounts(t *testing.T) {
	h := servertest.New(t, servertest.Options{})
	good := h.Account
	if again, err := client.ParseAccount("a", good.Encode()); err != nil || !bytes.Equal(again.Encode(), good.Encode()) || again.Origin() != servertest.Origin {
		t.Errorf("%v", err)
	}
	key, err := sign.GenerateNoteKey("second.test/log")
	check(t, err)
	for name, change := range map[string]func(*client.Account){
		"no address": func(a *client.Account) { a.URL = "" }, "in the clear": func(a *client.Account) { a.URL = "http://127.0.0.1:1" }, "a file": func(a *client.Account) { a.URL = "file:///etc/passwd" },
		"no host": func(a *client.Account) { a.URL = "https://" }, "a folder": func(a *client.Account) { a.URL += "/x" }, "a slash": func(a *client.Account) { a.URL += "/" }, "a name": func(a *client.Account) { a.URL = "https://a:b@127.0.0.1:1" },
		"a question": func(a *client.Account) { a.URL += "?x=y" }, "no operator": func(a *client.Account) { a.Operator = nil }, "no institution": func(a *client.Account) { a.Institution = nil },
		"no policy": func(a *client.Account) { a.Policy = "" }, "no log": func(a *client.Account) { a.Policy = "quorum none\n" },
		"two logs": func(a *client.Account) { a.Policy = "log " + key.LogVKeys()[0] + "\n" + a.Policy },
	} {
		a := good
		change(&a)
		if _, err := client.ParseAccount("a", a.Encode()); !errors.Is(err, fault.Input) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, data := range map[string]string{"another format": strings.Replace(string(good.Encode()), "/v1", "/v2", 1), "more": string(good.Encode()) + "{}", "a field more": strings.Replace(string(good.Encode()), "{", `{"x":1,`, 1), "nothing": ""} {
		if _, err := client.ParseAccount("a", []byte(data)); !errors.Is(err, fault.Input) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseAccount(f *testing.F) {
	h := servertest.New(f, servertest.Options{})
	f.Add(h.Account.Encode())
	f.Add(bytes.Replace(h.Account.Encode(), []byte("https"), []byte("http"), 1))
	f.Add([]byte(`{"format":"chancery-registry/v1","url":"https://x"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := client.ParseAccount("a", data)
		if err != nil {
			if !errors.Is(err, fault.Input) {
				t.Fatal(err)
			}
			return
		}
		if !strings.HasPrefix(a.URL, "https://") || a.Origin() == "" {
			t.Fatal(a.URL)
		}
		again, err := client.ParseAccount("a", a.Encode())
		if err != nil || !bytes.Equal(again.Encode(), a.Encode()) {
			t.Fatal(err)
		}
	})
}

// FuzzAnswer has the registry answer whatever comes: the client neither falls nor moves.
func FuzzAnswer(f *testing.F) {
	h := servertest.New(f, servertest.Options{})
	ada := h.Person("ada")
	s, e := letter("letter", "person:ada")
	var status int
	var body []byte
	h.Account.URL = h.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		w.Write(body)
	}))
	head, err := h.Storage.Head(f.Context())
	check(f, err)
	view := func(t testing.TB) *custody.View {
		p, err := custody.ParsePolicy("p", []byte(h.Account.Policy))
		check(t, err)
		v, err := custody.NewView(p, head.Checkpoint)
		check(t, err)
		return v
	}
	c, err := h.Account.Dial(ada.Device, head.Checkpoint, nil, h.Now)
	check(f, err)
	good := servertest.JSON(f, map[string]any{"head": wire.Head{Checkpoint: head.Checkpoint}, "entries": []wire.Entry{{Index: 1, Data: e.Bytes()}}, "checkpoint": head.Checkpoint})
	f.Add(200, good)
	f.Add(200, []byte(`{"head":{"checkpoint":""},"entries":[{"index":-1}]}`))
	f.Add(403, []byte(`{"kind":"not permitted","message":"x"}`))
	f.Add(200, []byte("null"))
	f.Fuzz(func(t *testing.T, code int, data []byte) {
		if code < 200 || code > 599 {
			return
		}
		status, body = code, data
		before, _ := view(t).Last()
		for what, act := range acts(c, s, e) {
			if err := act(t.Context()); err == nil && what != "head" && what != "feed" || err != nil && fault.KindOf(err) == fault.Internal && !bytes.Contains(data, []byte("internal error")) {
				t.Fatalf("%s: %v", what, err)
			}
			if now, _ := c.View.Last(); now != before {
				t.Fatalf("%s: the view moved to %v", what, now)
			}
		}
	})
}
