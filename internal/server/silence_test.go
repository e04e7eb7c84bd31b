package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"chancery/internal/entries"
	"chancery/internal/server"
	"chancery/internal/server/servertest"
	"chancery/internal/wire"
)

// TestTheRegistryTellsNothing plants words in everything that can be sent, good and
// bad, and looks for them in the registry's own log and in its numbers.
func TestTheRegistryTellsNothing(t *testing.T) {
	h := house(t)
	ada := h.Person("ada-lovelace")
	h.Seat(ada, "centre.tulip-office")
	const word = "plantedtulips"
	v, nobody := speak(h, ada.Device), speak(h, nil)
	good := sealed(word, "person:ada-lovelace", "office:centre.tulip-office", "person:"+word)
	digest := sha256.Sum256([]byte(word))
	path := wire.RouteParcels + hex.EncodeToString(digest[:])
	invite := h.Invite(word, h.Now().Add(1), h.Authorities[0])
	for _, c := range []struct {
		v    voice
		what string
		body []byte
		want int
	}{
		{v, "POST /v1/entries", submit(t, good), 200},
		{v, "POST /v1/entries", []byte(`{"` + word + `":1}`), 422},
		{v, "POST /v1/entries", submit(t, sealed(word, word+" "+word)), 422},
		{v, "POST /v1/entries?" + word + "=" + word, submit(t, open([]byte(word))), 422},
		{v, "PUT " + path, wire.FormatParcel([]string{"person:" + word, "person:ada-lovelace"}, []byte(word)), 204},
		{v, "PUT " + path, wire.FormatParcel([]string{"person:" + word}, []byte(word+"!")), 412},
		{v, "PUT " + path, wire.FormatParcel([]string{word + ":" + word + ":" + word}, []byte(word)), 422},
		{v, "GET " + path, nil, 200},
		{v, "GET /v1/feed?party=person:ada-lovelace&party=office:centre.tulip-office", nil, 200},
		{v, "GET /v1/feed?party=person:" + word, nil, 403},
		{v, "GET /v1/feed?party=person:ada-lovelace&index=" + word, nil, 400},
		{v, "GET /v1/parcels/" + word, nil, 400},
		{v, "GET /tile/" + word, nil, 404},
		{v, "GET /" + word, nil, 404},
		{nobody, "POST /v1/enrol", servertest.JSON(t, h.Candidate(word, invite).Enrolment), 204},
		{nobody, "POST /v1/enrol", servertest.JSON(t, entries.Enrolment{Invite: []byte(word)}), 422},
		{nobody, "GET /v1/feed?party=person:" + word, nil, 403},
	} {
		if status, body := c.v.ask(c.what, c.body); status != c.want {
			t.Errorf("%s: %d %s", c.what, status, body)
		}
	}
	_, metrics := nobody.ask("GET /metrics", nil)
	lines := h.Lines.String()
	if !strings.Contains(lines, `"route":"POST /v1/entries"`) || !strings.Contains(lines, ada.Device.Public().ID().String()[:16]) || !strings.Contains(string(metrics), "\nchancery_log_size ") {
		t.Fatalf("there is no log, or there are no numbers: %s %s", lines, metrics)
	}
	for _, planted := range []string{word, base64.StdEncoding.EncodeToString([]byte(word))[:12], hex.EncodeToString([]byte(word)), "lovelace", "tulip-office", hex.EncodeToString(digest[:])[:16], "person:", "office:", "127.0.0.1"} {
		if strings.Contains(strings.ToLower(lines), strings.ToLower(planted)) {
			t.Errorf("the registry's log tells %q", planted)
		}
		if strings.Contains(strings.ToLower(string(metrics)), strings.ToLower(planted)) {
			t.Errorf("the numbers tell %q", planted)
		}
	}
	if id := ada.Device.Public().ID().String()[:8]; strings.Contains(string(metrics), id) {
		t.Error("the numbers name a key")
	}
}

// TestADefectIsTold: a panic is answered as a failure and stands in the registry's log,
// without what it was about.
func TestADefectIsTold(t *testing.T) {
	h := house(t)
	lines := &servertest.Lines{}
	s := &server.Server{Config: server.Config{Logger: slog.New(slog.NewTextHandler(lines, nil)), Now: h.Now}} // no storage
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, wire.RouteHealth, nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "nil pointer") || !strings.Contains(lines.String(), "told.go") {
		t.Errorf("%d %s: %s", w.Code, w.Body, lines)
	}
}

func TestMetricsCount(t *testing.T) {
	h := house(t)
	ada := h.Person("ada")
	v := speak(h, ada.Device)
	value := func(name string) string {
		_, body := v.ask("GET /metrics", nil)
		_, rest, _ := strings.Cut(string(body), "\nchancery_"+name+" ")
		number, _, _ := strings.Cut(rest, "\n")
		return number
	}
	v.ask("POST /v1/entries", submit(t, sealed("1", "person:ada"), sealed("2", "person:ada")))
	v.ask("POST /v1/entries", []byte("x"))
	file := sha256.Sum256([]byte("f"))
	v.ask("PUT "+wire.RouteParcels+hex.EncodeToString(file[:]), wire.FormatParcel([]string{"person:ada"}, []byte("f")))
	for name, want := range map[string]string{"entries_logged_total": "2", "refused_total": "1", "parcels_total": "1", "log_size": "5", "failed_total": "0", "limited_total": "0", "requests_now": "1"} {
		if got := value(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}
