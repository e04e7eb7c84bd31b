package town_test

import (
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chancery/internal/desk"
)

// cutLine passes connections on until so many bytes went to the registry; then the line
// is cut for good. It returns its address.
func cutLine(t *testing.T, registry string, after int64) string {
	t.Helper()
	u, err := url.Parse(registry)
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", u.Host)
			if err != nil {
				near.Close()
				continue
			}
			go io.Copy(near, far)
			go func() {
				io.CopyN(far, near, after)
				l.Close()
				near.Close()
				far.Close()
			}()
		}
	}()
	return "https://" + l.Addr().String()
}

// TestLettersOutliveABrokenLine: the line breaks between two parts of letters to hundreds.
// The desk, opened anew, sends the very same letters on, and nothing of them is left.
func TestLettersOutliveABrokenLine(t *testing.T) {
	computes(t)
	ctx := t.Context()
	w, author, all := crowd(t, 1, 2)
	populate(t, w, "centre.desk", 300)
	must(t, author.Sync(ctx, 0))
	must(t, w.Ready(ctx, time.Minute))
	letters := func() []string {
		t.Helper()
		names, err := filepath.Glob(filepath.Join(w.Folder, "desks", "ada", "files", "letters-*"))
		must(t, err)
		return names
	}
	_, err := author.Queue(desk.Outgoing{Draft: long("POST 1/30", 300), To: []string{"centre.desk"}, Precedence: "flash", Reference: "POST 1/30", Attested: true})
	must(t, err)
	author.Client.Close() // the next request makes a line of its own
	direct := author.Client.URL
	author.Client.URL = cutLine(t, direct, 1100<<10)
	if err := author.Sync(ctx, 0); err == nil {
		t.Fatal("the line did not break")
	}
	kept := letters()
	if len(kept) != 2 {
		t.Fatalf("%d parts are kept", len(kept))
	}
	first, err := os.ReadFile(kept[0])
	must(t, err)
	stray := filepath.Join(filepath.Dir(kept[0]), "letters-"+strings.Repeat("0", 64)+"-00000.sealed")
	must(t, os.WriteFile(stray, first, 0o600))
	must(t, author.Close())

	author = again(t, filepath.Join(w.Folder, "desks", "ada"))
	if now := letters(); len(now) != 2 {
		t.Errorf("letters that nobody waits for are kept: %v", now)
	}
	if again, err := os.ReadFile(kept[0]); err != nil || string(again) != string(first) {
		t.Error("other letters than before", err)
	}
	must(t, author.Sync(ctx, 0))
	if left := letters(); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	for i := (desk.Item{}); i.Issue == nil; i, _ = author.Find("POST 1/30") {
		must(t, author.Sync(ctx, time.Second))
		if i.Void != "" {
			t.Fatal(i.Void)
		}
	}
	must(t, all[0].Sync(ctx, 0))
	if i, err := all[0].Read(ctx, "POST 1/30"); err != nil || !strings.Contains(i.Text, "harbour") {
		t.Error(err)
	}
}
