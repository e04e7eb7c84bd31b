package server_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/server/servertest"
	"chancery/internal/sign"
	"chancery/internal/wire"
)

// secretOf is what was sent to another than the one who asks.
const secretOf = "for bo alone, not for ada"

// FuzzRequest asks every route whatever comes, as somebody who is known: never a
// failure, never a word of another's, and what is refused changes nothing.
func FuzzRequest(f *testing.F) {
	h := house(f)
	ada, bo := h.Person("ada"), h.Person("bo")
	h.Seat(bo, "centre.desk")
	handler, state := h.Server.Handler(), connection(h, ada.Device)
	file := sha256.Sum256([]byte(secretOf))
	if w := hand(handler, state, "PUT", wire.RouteParcels+hex.EncodeToString(file[:]), wire.FormatParcel([]string{"person:bo", "office:centre.desk"}, []byte(secretOf))); w.Code != 204 {
		f.Fatal(w.Body)
	}
	if w := hand(handler, state, "POST", wire.RouteEntries, submit(f, sealed(secretOf, "person:bo", "office:centre.desk"))); w.Code != 200 {
		f.Fatal(w.Body)
	}
	for _, s := range []struct{ method, target, body string }{
		{"GET", "/v1/feed?party=person:ada&party=&index=1&part=0&parcel=0&since=2", ""}, {"GET", "/v1/feed?party=person:bo", ""}, {"GET", "/v1/feed?party=office:centre.desk", ""},
		{"GET", "/v1/parcels/" + hex.EncodeToString(file[:]), ""}, {"GET", "/v1/head?since=1", ""}, {"GET", "/v1/proof?index=1&since=1", ""}, {"GET", "/v1/consistency?from=1&to=2", ""},
		{"GET", "/v1/enrolments", ""}, {"GET", "/checkpoint", ""}, {"GET", "/tile/0/000.p/1", ""}, {"GET", "/tile/entries/000.p/2", ""}, {"POST", "/v1/enrol", "{}"},
		{"PUT", wire.RouteStaged + strings.Repeat("0", 64), `{"from":0,"bodies":[{"party":"person:ada","data":"eA=="}]}`},
		{"POST", "/v1/entries", `{"since":0,"submissions":[{"commitment":"` + strings.Repeat("A", 43) + `=","bodies":null,"staged":1}]}`},
		{"POST", "/v1/entries", string(submit(f, sealed("x", "person:ada")))}, {"PUT", "/v1/parcels/" + strings.Repeat("0", 64) + "?quiet=1", "[\"person:ada\"]\nx"}, {"HEAD", "/health", ""}, {"GET", "/metrics", ""},
	} {
		f.Add(s.method, s.target, []byte(s.body))
	}
	f.Fuzz(func(t *testing.T, method, target string, body []byte) {
		if u, err := url.Parse(target); err != nil || u.Query().Has("wait") || !slices.Contains([]string{"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"}, method) {
			return
		}
		before := size(h)
		w := hand(handler, state, method, target, body)
		if w.Code >= 500 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for _, planted := range []string{secretOf, "Zm9yIGJvIGFsb25l", "invite"} {
			if strings.Contains(w.Body.String(), planted) {
				t.Fatalf("ada is told %q", w.Body)
			}
		}
		if w.Code >= 400 && size(h) != before {
			t.Fatal("what was refused is logged")
		}
		if w.Code >= 400 && strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
			if err := wire.ReadProblem(w.Code, w.Body.Bytes()); err.Error() == "" {
				t.Fatal("refused without a word")
			}
		}
	})
}

// FuzzParty asks for feeds of all names: only one's own are answered.
func FuzzParty(f *testing.F) {
	h := house(f)
	ada, bo := h.Person("ada"), h.Person("bo")
	h.Seat(bo, "centre.desk")
	handler, state := h.Server.Handler(), connection(h, ada.Device)
	for _, p := range []string{"", "person:ada", "person:bo", "office:centre.desk", "person:ada\x00", "Person:Ada", "own:marking"} {
		f.Add(p, p)
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		w := hand(handler, state, "GET", "/v1/feed?"+url.Values{"party": {one, two}}.Encode(), nil)
		mine := func(p string) bool { return p == directory.Everyone || p == "person:ada" }
		if (w.Code == http.StatusOK) != (mine(one) && mine(two)) {
			t.Fatalf("%q and %q: %d %s", one, two, w.Code, w.Body)
		}
	})
}

// FuzzOpenStatement logs open statements that ada's key signed, of all kinds and
// bodies: whatever she states, she speaks for nobody else after it.
func FuzzOpenStatement(f *testing.F) {
	h := house(f)
	ada, bo := h.Person("ada"), h.Person("bo")
	h.Seat(bo, "centre.desk")
	handler, state := h.Server.Handler(), connection(h, ada.Device)
	thief, _ := ada.Statements()
	thief.ID = "bo"
	f.Add("person", servertest.JSON(f, thief))
	f.Add("tenure", []byte(`{"id":"t","office":"centre.desk","seat":"head","person":"ada","from":"2030-01-01T09:00:00Z"}`))
	f.Add("tenure-end", []byte(`{"tenure":"t-bo","until":"2030-01-01T09:00:00Z"}`))
	f.Add("device", []byte(`{"person":"bo","sign":null,"name":"x"}`))
	f.Add("institution", []byte(`{"name":"x"}`))
	f.Add("release", []byte(`{}`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		statement, err := sign.Sign(kind, json.RawMessage(body), ada.Key, ada.Device)
		if err != nil {
			return
		}
		before := size(h)
		w := hand(handler, state, "POST", wire.RouteEntries, submit(t, open(statement)))
		if w.Code >= 500 || w.Code >= 400 && size(h) != before {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for target, want := range map[string]int{"/v1/feed?party=person:ada": 200, "/v1/feed?party=person:bo": 403, "/v1/feed?party=office:centre.desk": 403, "/v1/enrolments": 403} {
			if w := hand(handler, state, "GET", target, nil); w.Code != want {
				t.Fatalf("after %s: %s gives %d", statement, target, w.Code)
			}
		}
	})
}

// FuzzEnrol hands in what was never invited.
func FuzzEnrol(f *testing.F) {
	h := house(f)
	good := h.Candidate("ada", h.Invite("ada", h.Now().Add(1<<40), h.Authorities[0])).Enrolment
	text := servertest.JSON(f, good)
	f.Add(text, good.Invite, good.Person, good.Device)
	f.Add([]byte(`{"invite":"AA==","person":null}`), good.Person, good.Device, good.Invite)
	handler := h.Server.Handler()
	f.Fuzz(func(t *testing.T, body, invite, person, device []byte) {
		for _, b := range [][]byte{body, servertest.JSON(t, map[string][]byte{"invite": invite, "person": person, "device": device})} {
			w := hand(handler, nil, "POST", wire.RouteEnrol, b)
			if w.Code >= 500 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if w.Code == http.StatusNoContent {
				all, err := h.Store.Enrolments(t.Context())
				if err != nil || len(all) != 1 || !bytes.Equal(all[0], text) {
					t.Fatalf("%d enrolments, %v", len(all), err)
				}
			}
		}
	})
}

// FuzzTile asks for tiles: what is there has the size that its name says.
func FuzzTile(f *testing.F) {
	h := house(f)
	handler, state := h.Server.Handler(), connection(h, h.Custodian)
	_, err := h.Custody.Append(f.Context(), func() (all []custody.Submission) {
		for i := range 300 {
			all = append(all, sealed(strings.Repeat("x", i+1)))
		}
		return all
	}()...)
	check(f, err)
	for _, p := range []string{"0/000", "0/001.p/40", "1/000.p/1", "entries/000", "entries/001.p/7", "0/x001/000", "63/999"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, path string) {
		w := hand(handler, state, "GET", (&url.URL{Path: "/tile/" + path}).String(), nil)
		unit := 32
		if strings.HasPrefix(path, "entries/") {
			unit = 34
		}
		if w.Code >= 500 || w.Code == 200 && (w.Body.Len()%unit != 0 || w.Body.Len() == 0 || w.Body.Len() > 256*unit) {
			t.Fatalf("%q: %d with %d bytes", path, w.Code, w.Body.Len())
		}
	})
}
