package registry_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chancery/internal/client"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/registry"
	"chancery/internal/seal"
	"chancery/internal/sign"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// found makes the folder of a registry on an address, with an authority that may ask.
func found(t testing.TB, url string) (folder string, account client.Account, authority *sign.Key) {
	t.Helper()
	authorities := []*sign.Key{sign.Generate(), sign.Generate()}
	party := func(name string) directory.Party {
		id, err := seal.GenerateIdentity()
		check(t, err)
		return directory.Party{Name: name, Sign: sign.Generate().Public(), Recipient: id.Recipient().String()}
	}
	folder = filepath.Join(t.TempDir(), "registry")
	account, err := registry.Found(t.Context(), folder, registry.Founding{URL: url, Origin: "registry.test/log", Institution: func(operator *sign.Public) ([]byte, error) {
		return sign.Sign(directory.KindInstitution, directory.Institution{Name: "Ministry", Authorities: []*sign.Public{authorities[0].Public(), authorities[1].Public()}, Operator: operator,
			Marking: []directory.Party{party("marking")}, Custodians: []directory.Party{party("clerk"), party("judge")}, Threshold: 2}, authorities...)
	}})
	check(t, err)
	return folder, account, authorities[0]
}

var options = registry.Options{Now: time.Now, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}

// serve runs a registry until stop is called, which returns how it ended.
func serve(t testing.TB, folder string, l net.Listener) (stop func() error) {
	t.Helper()
	r, err := registry.Open(t.Context(), folder, options)
	check(t, err)
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Serve(ctx, l) }()
	return func() error {
		end()
		err := <-done
		return errors.Join(err, r.Close())
	}
}

func listen(t testing.TB, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	check(t, err)
	return l
}

// TestServeEndsAndGoesOn: a registry that is stopped lets a waiting feed end at once,
// and what it acknowledged is there when it is started again.
func TestServeEndsAndGoesOn(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	address := l.Addr().String()
	folder, account, authority := found(t, "https://"+address)
	stop := serve(t, folder, l)
	c, err := account.Dial(authority, nil, nil, time.Now)
	check(t, err)
	defer c.Close()
	s, err := sign.Sign(directory.KindOffice, directory.Office{Office: "a.b", Title: "A"}, authority)
	check(t, err)
	at, err := c.Submit(t.Context(), post.Publish(s))
	check(t, err)
	ended := make(chan error, 1)
	open := func(r client.Received) (custody.Commitment, error) {
		_, e, err := post.Open(r.Party, r.Data, r.Common)
		return e.Commitment(), err
	}
	go func() {
		_, err := c.Feed(context.Background(), client.Wish{Parties: []string{directory.Everyone}, From: custody.Place{Index: 9}, Wait: 20 * time.Second}, open)
		ended <- err
	}()
	time.Sleep(100 * time.Millisecond)
	begun := time.Now()
	if err := stop(); err != nil || time.Since(begun) > 5*time.Second {
		t.Errorf("stopped after %s: %v", time.Since(begun), err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the feed that waited: %v", err)
	}
	if _, _, err := c.Head(t.Context()); !errors.Is(err, fault.System) {
		t.Errorf("while it is away: %v", err)
	}
	stop = serve(t, folder, listen(t, address))
	feed, err := c.Feed(t.Context(), client.Wish{Parties: []string{directory.Everyone}}, open)
	if err != nil || len(feed.Entries) != 2 || feed.Entries[1].Index != at[0] || feed.Entries[1].Err != nil {
		t.Errorf("after the start: %v", err)
	}
	check(t, stop())
}

// TestFilesOfARegistry: a registry does not start on files that are not its own.
func TestFilesOfARegistry(t *testing.T) {
	other, _, _ := found(t, "https://127.0.0.1:1")
	for _, c := range []struct {
		name string
		do   func(t *testing.T, folder string)
	}{
		{"as it is", nil},
		{"another's log key", func(t *testing.T, f string) {
			copyFile(t, filepath.Join(other, "log.key"), filepath.Join(f, "log.key"))
		}},
		{"another's database", func(t *testing.T, f string) {
			copyFile(t, filepath.Join(other, "registry.db"), filepath.Join(f, "registry.db"))
		}},
		{"an altered key", func(t *testing.T, f string) {
			rewrite(t, filepath.Join(f, "operator.key"), "SECRET-1-A", "SECRET-1-B", 1)
		}},
		{"no key", func(t *testing.T, f string) { check(t, os.Remove(filepath.Join(f, "operator.key"))) }},
		{"no database", func(t *testing.T, f string) { check(t, os.Remove(filepath.Join(f, "registry.db"))) }},
		{"no account", func(t *testing.T, f string) { check(t, os.Remove(filepath.Join(f, registry.AccountFile))) }},
		{"an account of no TLS", func(t *testing.T, f string) { rewrite(t, filepath.Join(f, registry.AccountFile), "https:", "http:", 0) }},
	} {
		folder, _, _ := found(t, "https://127.0.0.1:1")
		if c.do != nil {
			c.do(t, folder)
		}
		r, err := registry.Open(t.Context(), folder, options)
		if (err == nil) != (c.do == nil) || err != nil && fault.KindOf(err) == fault.Internal {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			check(t, r.Close())
		} else if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: the error quotes a key: %v", c.name, err)
		}
	}
	if _, err := registry.Found(t.Context(), other, registry.Founding{URL: "https://127.0.0.1:1", Origin: "x.test/log", Institution: func(*sign.Public) ([]byte, error) { return nil, nil }}); err == nil {
		t.Error("founded with no institution")
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	check(t, err)
	check(t, os.WriteFile(to, data, 0o600))
}

// rewrite alters a file: a text, or if it does not occur the character after the key's prefix.
func rewrite(t *testing.T, name, old, now string, flip int) {
	t.Helper()
	data, err := os.ReadFile(name)
	check(t, err)
	text := strings.Replace(string(data), old, now, 1)
	if flip != 0 && text == string(data) {
		i := strings.Index(text, "SECRET-1-") + len("SECRET-1-")
		text = text[:i] + "A" + text[i+1:]
	}
	check(t, os.WriteFile(name, []byte(text), 0o600))
}
