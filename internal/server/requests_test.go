package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/server/servertest"
	"chancery/internal/sign"
	"chancery/internal/wire"
)

// TestSubmitRefuses: whatever is wrong with a request, nothing of it is logged.
func TestSubmitRefuses(t *testing.T) {
	h := house(t)
	ada := h.Person("ada")
	v := speak(h, ada.Device)
	state := func(kind string, body any) []byte {
		s, err := sign.Sign(kind, body, ada.Key)
		check(t, err)
		return s
	}
	good := sealed("good", "person:ada")
	device := open(state(directory.KindDevice, 1))
	swapped := open(state(directory.KindDevice, 2))
	swapped.Commitment = device.Commitment
	logged := sealed("logged", "person:ada")
	if status, _ := v.ask("POST /v1/entries", submit(t, logged)); status != 200 {
		t.Fatal(status)
	}
	otherwise := logged
	otherwise.Bodies = []custody.Body{{Party: "person:ada", Data: []byte("other")}}
	body := func(party, data string) custody.Submission {
		s := sealed("x")
		s.Bodies = []custody.Body{{Party: party, Data: []byte(data)}}
		return s
	}
	for _, c := range []struct {
		name string
		body []byte
		want int
		why  string
	}{
		{"nothing", nil, 422, "EOF"},
		{"no JSON", []byte("hello"), 422, "invalid character"},
		{"half", submit(t, good)[:40], 422, "unexpected EOF"},
		{"two requests", slices.Concat(submit(t, good), submit(t, good)), 422, "text after its end"},
		{"an unknown field", []byte(`{"since":0,"submissions":[],"as":"person:bo"}`), 422, "unknown field"},
		{"a string for a number", []byte(`{"since":"0","submissions":[]}`), 422, "cannot unmarshal"},
		{"a number beyond all", []byte(`{"since":99999999999999999999,"submissions":[]}`), 422, "cannot unmarshal"},
		{"less than nothing", bytes.Replace(submit(t, good), []byte(`"since":0`), []byte(`"since":-1`), 1), 400, "-1"},
		{"a short commitment", []byte(`{"since":0,"submissions":[{"commitment":"AAAA","bodies":[]}]}`), 422, "32 bytes"},
		{"no commitment", []byte(`{"since":0,"submissions":[{"bodies":[]}]}`), 422, "32 bytes"},
		{"one good, one bad", submit(t, good, body("person:ada", "")), 422, "empty"},
		{"a party that is none", submit(t, body("person ada", "x")), 422, "party"},
		{"a long party", submit(t, body(strings.Repeat("a", custody.MaxParty+1), "x")), 422, "at most"},
		{"a long body", submit(t, body("person:ada", strings.Repeat("a", custody.MaxBody+1))), 422, "at most"},
		{"an open body that is no entry", submit(t, body("", "x")), 422, "an entry of the log"},
		{"an open body that is no statement", submit(t, open([]byte("hello"))), 422, "not a signed statement"},
		{"an open body of another entry", submit(t, swapped), 412, "not the entry"},
		{"a release that lies open", submit(t, open(state(entries.KindRelease, 1))), 422, "does not lie open"},
		{"a receipt that lies open", submit(t, open(state(entries.KindReceipt, 1))), 422, "does not lie open"},
		{"an invitation", submit(t, open(state(entries.KindInvite, 1))), 422, "does not lie open"},
		{"a kind that there is not", submit(t, open(state("hello", 1))), 422, "does not lie open"},
		{"good with a release behind it", submit(t, good, device, open(state(entries.KindRelease, 1))), 422, "does not lie open"},
		{"logged with another body", submit(t, otherwise), 409, "other bodies"},
		{"two of one commitment, with other bodies", submit(t, body("person:ada", "1"), custody.Submission{}, custody.Submission{Bodies: []custody.Body{{Party: "person:ada", Data: []byte("2")}}}), 409, "other bodies"},
		{"letters that never came", submit(t, custody.Submission{Staged: custody.Staged{Count: 2}}), 404, "0 of 2"},
		{"fewer letters than none", submit(t, custody.Submission{Staged: custody.Staged{Count: -1}}), 422, "at most"},
		{"more letters than go", submit(t, custody.Submission{Staged: custody.Staged{Count: custody.MaxBodies + 1}}), 422, "at most"},
		{"letters before it and with it", submit(t, custody.Submission{Bodies: good.Bodies, Staged: custody.Staged{Count: 1}}), 422, "others with it"},
		{"too many", submit(t, slices.Repeat([]custody.Submission{good}, wire.MaxSubmissions+1)...), 422, "at most 1024"},
		{"too much", []byte(`{"submissions":[` + strings.Repeat("{},", 1<<17) + `{}]}`), 422, "in one request"},
	} {
		before := size(h)
		status, answer := v.ask("POST /v1/entries", c.body)
		var p wire.Problem
		if err := json.Unmarshal(answer, &p); status != c.want || err != nil || !strings.Contains(p.Message, c.why) {
			t.Errorf("%s: %d %.300s", c.name, status, answer)
		}
		if after := size(h); after != before {
			t.Errorf("%s: the log grew from %d to %d", c.name, before, after)
		}
	}
}

// TestSubmitTwice: what is sent again has its place once.
func TestSubmitTwice(t *testing.T) {
	h := house(t)
	v := speak(h, h.Person("ada").Device)
	one, two := sealed("one", "person:ada"), sealed("two", "person:ada")
	var first wire.Submitted
	for i, body := range [][]byte{submit(t, one, two), submit(t, one, two), submit(t, two, one, one)} {
		status, data := v.ask("POST /v1/entries", body)
		var out wire.Submitted
		if err := json.Unmarshal(data, &out); status != 200 || err != nil {
			t.Fatalf("%d %s", status, data)
		}
		if i == 0 {
			first = out
			continue
		}
		want := first.Indexes
		if i == 2 {
			want = []int64{first.Indexes[1], first.Indexes[0], first.Indexes[0]}
		}
		if !slices.Equal(out.Indexes, want) {
			t.Errorf("%v, want %v", out.Indexes, want)
		}
	}
	if out, _ := v.feed("party=person:ada"); len(out.Entries) != 2 {
		t.Errorf("%d entries came of two", len(out.Entries))
	}
}

func TestParcelRefuses(t *testing.T) {
	h := house(t)
	ada := h.Person("ada")
	v := speak(h, ada.Device)
	sum := func(data string) string { d := sha256.Sum256([]byte(data)); return hex.EncodeToString(d[:]) }
	for _, c := range []struct {
		name, path string
		body       []byte
		want       int
	}{
		{"another digest", sum("other"), wire.FormatParcel([]string{"person:ada"}, []byte("file")), 412},
		{"the digest of all", sum("[\"person:ada\"]\nfile"), wire.FormatParcel([]string{"person:ada"}, []byte("file")), 412},
		{"no digest", "hello", wire.FormatParcel([]string{"person:ada"}, []byte("file")), 400},
		{"half a digest", sum("file")[:62], wire.FormatParcel([]string{"person:ada"}, []byte("file")), 400},
		{"more than a digest", sum("file") + "00", wire.FormatParcel([]string{"person:ada"}, []byte("file")), 400},
		{"for everyone", sum("file"), []byte("[\"\"]\nfile"), 422},
		{"for nobody", sum("file"), []byte("[]\nfile"), 422},
		{"nothing", sum(""), nil, 422},
		{"an empty file", sum(""), []byte("[\"person:ada\"]\n"), 422},
	} {
		if status, body := v.ask("PUT /v1/parcels/"+c.path, c.body); status != c.want {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
	if out, status := v.feed("party=person:ada"); status != 200 || len(out.Parcels) != 0 {
		t.Errorf("%d: %d parcels came", status, len(out.Parcels))
	}
	for range 2 { // again is as good as once
		if status, body := v.ask("PUT /v1/parcels/"+sum("file"), wire.FormatParcel([]string{"person:ada"}, []byte("file"))); status != 204 {
			t.Fatalf("%d %s", status, body)
		}
	}
	if out, _ := v.feed("party=person:ada"); len(out.Parcels) != 1 || hex.EncodeToString(out.Parcels[0].Digest) != sum("file") {
		t.Errorf("%v came", out.Parcels)
	}
}

// endless is a request that does not end; it counts what was taken of it.
type endless struct{ taken atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.taken.Add(int64(len(p)))
	return len(p), nil
}

func TestOversizedRequestsAreCutOff(t *testing.T) {
	h := house(t)
	ada := h.Person("ada")
	before := size(h)
	for _, c := range []struct {
		method, path string
		key          *sign.Key
		limit        int64
	}{
		{"POST", wire.RouteEnrol, nil, wire.MaxEnrol},
		{"POST", wire.RouteEntries, ada.Device, wire.MaxSubmit},
		{"PUT", wire.RouteParcels + strings.Repeat("0", 64), ada.Device, wire.MaxParcel},
	} {
		body := &endless{}
		r, err := http.NewRequestWithContext(t.Context(), c.method, h.Account.URL+c.path, io.NopCloser(body))
		check(t, err)
		answer, err := h.HTTP(c.key).Do(r)
		check(t, err)
		data, err := io.ReadAll(answer.Body)
		check(t, err)
		if answer.StatusCode != 422 || !bytes.Contains(data, []byte("longer than")) || body.taken.Load() > c.limit+(8<<20) {
			t.Errorf("%s: %d %s after %d bytes", c.path, answer.StatusCode, data, body.taken.Load())
		}
	}
	if size(h) != before {
		t.Error("something was logged")
	}
}

// TestStrangersDoNotBlockLargeRequests: four strangers send an enrolment a byte an
// hour. Somebody who is known hands in a large file all the same.
func TestStrangersDoNotBlockLargeRequests(t *testing.T) {
	h := house(t)
	ada := h.Person("ada")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 6 {
		hold, give := io.Pipe()
		defer give.Close()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.Account.URL+wire.RouteEnrol, hold)
		check(t, err)
		go func() {
			if answer, err := h.HTTP(nil).Do(r); err == nil {
				answer.Body.Close()
			}
		}()
		if _, err := give.Write([]byte("{")); err != nil { // it has begun
			t.Fatal(err)
		}
	}
	time.Sleep(50 * time.Millisecond)
	file := make([]byte, 3<<20)
	digest := sha256.Sum256(file)
	soon, end := context.WithTimeout(ctx, 10*time.Second)
	defer end()
	status, _, err := speak(h, ada.Device).try(soon, "PUT "+wire.RouteParcels+hex.EncodeToString(digest[:]), wire.FormatParcel([]string{"person:ada"}, file))
	if err != nil || status != 204 {
		t.Errorf("%d, %v", status, err)
	}
}

func TestNumbersInQueries(t *testing.T) {
	h := house(t)
	v := speak(h, h.Person("ada").Device)
	n := size(h)
	for _, c := range []struct {
		path string
		want int
	}{
		{"/v1/head", 200}, {"/v1/head?since=0", 200}, {"/v1/head?since=1", 200}, {"/v1/head?since=999999", 200}, // too small a checkpoint is evidence
		{"/v1/head?since=-1", 400}, {"/v1/head?since=x", 400}, {"/v1/head?since=1.5", 400}, {"/v1/head?since=9223372036854775807", 200}, {"/v1/head?since=9223372036854775808", 400},
		{"/v1/proof?index=0", 200}, {"/v1/proof?index=99", 404}, {"/v1/proof?index=-1", 400}, {"/v1/proof?index=0&since=-1", 400}, {"/v1/proof?index=9223372036854775807", 404},
		{"/v1/consistency?from=1&to=2", 200}, {"/v1/consistency?from=0&to=2", 200}, {"/v1/consistency?from=2&to=1", 400}, {"/v1/consistency?from=1&to=99", 404},
		{"/v1/consistency?from=99&to=99", 404}, {"/v1/consistency?from=-1&to=2", 400},
		{"/v1/feed?party=&index=-1", 400}, {"/v1/feed?party=&part=-1", 400}, {"/v1/feed?party=&parcel=-1", 400}, {"/v1/feed?party=&wait=-1", 400}, {"/v1/feed?party=&index=0x1", 400},
		{"/v1/feed?party=&index=9223372036854775807&part=9223372036854775807&parcel=9223372036854775807", 200}, {"/v1/feed", 400},
		{"/v1/feed?" + strings.Repeat("party=&", 65), 200}, // one party, however often
	} {
		if status, body := v.ask("GET "+c.path, nil); status != c.want {
			t.Errorf("%.60s: %d %s", c.path, status, body)
		}
	}
	if size(h) != n {
		t.Error("something was logged")
	}
}

// TestTilesAreTheLog reads checkpoint and tiles and computes the root from them.
func TestTilesAreTheLog(t *testing.T) {
	h := house(t)
	ada := h.Person("ada")
	v := speak(h, ada.Device)
	policy, err := custody.ParsePolicy("policy", []byte(h.Account.Policy))
	check(t, err)
	_, note := v.ask("GET /checkpoint", nil)
	c, _, err := policy.Open(note)
	if err != nil || c.Size != size(h) || c.Origin != servertest.Origin {
		t.Fatalf("%v, %v", c, err)
	}
	status, data := v.ask("GET /tile/0/000.p/3", nil)
	if status != 200 || len(data) != 3*tlog.HashSize || c.Size != 3 {
		t.Fatalf("%d: %d bytes, log of %d", status, len(data), c.Size)
	}
	h01 := tlog.NodeHash(tlog.Hash(data[:32]), tlog.Hash(data[32:64]))
	if root := tlog.NodeHash(h01, tlog.Hash(data[64:])); root != c.Root {
		t.Error("the tile is not the log's")
	}
	if status, data := v.ask("GET /tile/entries/000.p/2", nil); status != 200 || len(data) != 2*34 {
		t.Errorf("%d: %d bytes", status, len(data))
	}
	for _, path := range []string{"/tile/0/000", "/tile/0/000.p/4", "/tile/0/000.p/0", "/tile/0/000.p/256", "/tile/0/001", "/tile/9/000", "/tile/64/000", "/tile/0/x000/000.p/1", "/tile/-1/000",
		"/tile/data/000", "/tile/0/0", "/tile/0/00a", "/tile/", "/tile/0/000.p/1/", "/tile/entries/999", "/tile/0/" + strings.Repeat("x999/", 50) + "999", "/tile/0/%30%30%30.p%2f9"} {
		if status, _ := v.ask("GET "+path, nil); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
}
