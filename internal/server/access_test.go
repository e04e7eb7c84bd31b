package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/server/servertest"
	"chancery/internal/sign"
	"chancery/internal/wire"
)

// TestNobodyGetsNothing: without a pass there are an enrolment, health and numbers.
func TestNobodyGetsNothing(t *testing.T) {
	h := house(t)
	nobody := speak(h, nil)
	for _, c := range []struct {
		what string
		want int
	}{
		{"POST /v1/entries", 403}, {"GET /v1/feed?party=", 403}, {"GET /v1/head", 403}, {"GET /v1/consistency", 403}, {"GET /v1/proof", 403},
		{"PUT /v1/parcels/" + strings.Repeat("0", 64), 403}, {"GET /v1/parcels/" + strings.Repeat("0", 64), 403},
		{"GET /v1/enrolments", 403}, {"GET /checkpoint", 403}, {"GET /tile/0/000", 403},
		{"POST /v1/enrol", 422}, {"GET /health", 200}, {"GET /metrics", 200},
		{"GET /", 404}, {"GET /v1/", 404}, {"DELETE /v1/entries", 405}, {"POST /v1/feed", 405},
	} {
		if status, body := nobody.ask(c.what, []byte("{}")); status != c.want {
			t.Errorf("%s: %d %s", c.what, status, body)
		}
	}
}

func TestWhoIsRefusedInTheHandshake(t *testing.T) {
	h := house(t)
	ada := h.Person("ada")
	h.Revoke(ada)
	if _, _, err := speak(h, sign.Generate()).try(t.Context(), "GET /v1/head", nil); err == nil {
		t.Error("a key of nobody's is let in")
	}
	// The person's own key is no device's: it signs, and opens no connection.
	if _, _, err := speak(h, ada.Key).try(t.Context(), "GET /v1/head", nil); err == nil {
		t.Error("a person's long-term key opens a connection")
	}
	speak(h, h.Custodian).ask("GET /v1/head", nil) // whoever asks makes the registry read on
	if _, _, err := speak(h, ada.Device).try(t.Context(), "GET /v1/head", nil); err == nil {
		t.Error("a revoked device is let in")
	}
}

// TestRevokedInTheMiddle: a connection that is open does not outlive the device.
func TestRevokedInTheMiddle(t *testing.T) {
	h := house(t)
	ada := h.Person("ada")
	v := speak(h, ada.Device)
	if status, _ := v.ask("GET /v1/head", nil); status != 200 {
		t.Fatal(status)
	}
	h.Revoke(ada)
	for _, what := range []string{"GET /v1/head", "GET /v1/feed?party=person:ada", "POST /v1/entries"} {
		if status, body := v.ask(what, submit(t, sealed("x", "person:ada"))); status != 403 || !bytes.Contains(body, []byte("revoked")) {
			t.Errorf("%s: %d %s", what, status, body)
		}
	}
}

// TestRevokedWhileWaiting: a thief's feed waits for news. The device is revoked, then
// a letter comes. The thief must not be the first to read it.
func TestRevokedWhileWaiting(t *testing.T) {
	h := house(t)
	ada, bo := h.Person("ada"), h.Person("bo")
	h.Seat(bo, "centre.desk")
	thief := speak(h, ada.Device)
	if status, _ := thief.ask("GET /v1/head", nil); status != 200 { // the line stands
		t.Fatal(status)
	}
	came := make(chan int, 1)
	go func() {
		status, body, err := thief.try(context.Background(), "GET /v1/feed?party=person:ada&wait=20", nil)
		if err != nil || bytes.Contains(body, []byte("bGV0dGVy")) {
			status = -1
		}
		came <- status
	}()
	time.Sleep(300 * time.Millisecond) // now it waits
	h.Revoke(ada)
	if status, body := speak(h, bo.Device).ask("POST /v1/entries", submit(t, sealed("letter", "person:ada"))); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if status := <-came; status != 403 {
		t.Errorf("the waiting feed ended with %d", status)
	}
}

// TestTenureEndedWhileWaiting: who left an office does not hear what comes for it.
func TestTenureEndedWhileWaiting(t *testing.T) {
	h := house(t)
	ada := h.Person("ada")
	tenure := h.Seat(ada, "centre.desk")
	v := speak(h, ada.Device)
	if _, status := v.feed("party=office:centre.desk"); status != 200 {
		t.Fatal(status)
	}
	came := make(chan int, 1)
	go func() {
		_, status := v.feed("party=office:centre.desk&wait=20")
		came <- status
	}()
	time.Sleep(50 * time.Millisecond)
	h.Later(time.Hour)
	h.State(directory.KindTenureEnd, directory.TenureEnd{Tenure: tenure, Until: directory.At(h.Now())}, h.Authorities[0], h.Authorities[1])
	h.Later(time.Second)
	if status, _ := speak(h, h.Custodian).ask("POST /v1/entries", submit(t, sealed("letter", "office:centre.desk"))); status != 200 {
		t.Fatal(status)
	}
	if status := <-came; status != 403 {
		t.Errorf("the waiting feed ended with %d", status)
	}
}

// TestOthersLetters: no name of a party, however spelled, gives what is another's.
func TestOthersLetters(t *testing.T) {
	h := house(t)
	ada, bo := h.Person("ada"), h.Person("bo")
	h.Seat(bo, "centre.desk")
	all := []string{"person:ada", "person:bo", "office:centre.desk", "marking:marking", "own:marking", "custodian:clerk", "authority", "operator"}
	parcel := []byte("a sealed file for bo and others")
	digest := sha256.Sum256(parcel)
	path := "/v1/parcels/" + hex.EncodeToString(digest[:])
	if status, body := speak(h, bo.Device).ask("PUT "+path, wire.FormatParcel(all[1:], parcel)); status != 204 {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := speak(h, bo.Device).ask("POST /v1/entries", submit(t, sealed("for others", all[1:]...))); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	for _, c := range []struct {
		who  string
		key  *sign.Key
		may  []string
		file bool
	}{
		{"ada", ada.Device, []string{"person:ada"}, false},
		{"bo", bo.Device, []string{"person:bo", "office:centre.desk"}, true},
		{"the marking desk", h.Marking, []string{"marking:marking", "own:marking"}, true},
		{"a custodian", h.Custodian, []string{"custodian:clerk"}, true},
		{"an authority", h.Authorities[1], []string{"authority"}, true},
		{"the operator", h.Operator, []string{"operator"}, true},
	} {
		v := speak(h, c.key)
		for _, p := range all {
			want := http.StatusForbidden
			for _, may := range c.may {
				if p == may {
					want = http.StatusOK
				}
			}
			if out, status := v.feed("party=" + p); status != want || status == 200 && (len(out.Entries) == 1) == (p == "person:ada") {
				t.Errorf("%s asks for %s: %d with %d entries", c.who, p, status, len(out.Entries))
			}
		}
		if status, body := v.ask("GET "+path, nil); (status == 200 && bytes.Equal(body, parcel)) != c.file {
			t.Errorf("%s fetches the file: %d", c.who, status)
		}
	}
	v := speak(h, ada.Device)
	for _, q := range []string{"party=person:bo", "party=&party=person:bo", "party=person:ada&party=person:bo", "party=Person:ada", "party=person:ada%00", "party=person%3Abo",
		"party=person:ada%20", "party=office:centre.desk", "party=person:", "party=*", "party=%25", "party=person:a' OR '1'='1", "party=person:ada,person:bo", "", "party=" + strings.Repeat("x", 9000)} {
		if out, status := v.feed(strings.ReplaceAll(q, " ", "%20")); status == 200 {
			t.Errorf("%.60q gives %d entries", q, len(out.Entries))
		}
	}
	// What exists and is another's answers like what does not exist.
	_, other := v.ask("GET "+path, nil)
	_, none := v.ask("GET /v1/parcels/"+strings.Repeat("0", 64), nil)
	if strip := func(b []byte) string {
		return strings.ReplaceAll(string(b), hex.EncodeToString(digest[:16]), strings.Repeat("0", 32))
	}; strip(other) != string(none) {
		t.Errorf("%s and %s", other, none)
	}
}

func TestFutureAndPastTenures(t *testing.T) {
	h := house(t)
	ada := h.Person("ada")
	h.Later(-time.Hour) // the tenure of Seat begins now; before it there is none
	h.Seat(ada, "centre.desk")
	h.Later(-time.Hour)
	v := speak(h, ada.Device)
	if _, status := v.feed("party=office:centre.desk"); status != 403 {
		t.Errorf("before the tenure: %d", status)
	}
	h.Later(2 * time.Hour)
	if _, status := v.feed("party=office:centre.desk"); status != 200 {
		t.Errorf("in the tenure: %d", status)
	}
}

func TestEnrolment(t *testing.T) {
	h := house(t)
	known := h.Person("known")
	soon := h.Now().Add(time.Hour)
	good := h.Candidate("ada", h.Invite("ada", soon, h.Authorities[1]))
	thief := h.Candidate("ada", good.Enrolment.Invite)
	other := h.Candidate("bo", h.Invite("bo", soon, h.Authorities[0]))
	nobody := speak(h, nil)
	for _, c := range []struct {
		name string
		in   entries.Enrolment
		want int
		why  string
	}{
		{"forged by a stranger", h.Candidate("ada", h.Invite("ada", soon, sign.Generate())).Enrolment, 403, "no authority"},
		{"signed by somebody known, who does not appoint", h.Candidate("ada", h.Invite("ada", soon, known.Key)).Enrolment, 403, "no authority"},
		{"another kind of statement as an invitation", entries.Enrolment{Invite: good.Enrolment.Person, Person: good.Enrolment.Person, Device: good.Enrolment.Device}, 403, "no authority"},
		{"an altered invitation", entries.Enrolment{Invite: bytes.Replace(good.Enrolment.Invite, []byte("2030"), []byte("2031"), 1), Person: good.Enrolment.Person, Device: good.Enrolment.Device}, 412, "verify"},
		{"out of date", h.Candidate("ada", h.Invite("ada", h.Now().Add(-time.Second), h.Authorities[0])).Enrolment, 403, "ran out"},
		{"for another person", entries.Enrolment{Invite: good.Enrolment.Invite, Person: other.Enrolment.Person, Device: other.Enrolment.Device}, 412, "another person"},
		{"with another's device", entries.Enrolment{Invite: good.Enrolment.Invite, Person: good.Enrolment.Person, Device: other.Enrolment.Device}, 412, "another person"},
		{"with a device that other keys enrolled", entries.Enrolment{Invite: good.Enrolment.Invite, Person: good.Enrolment.Person, Device: thief.Enrolment.Device}, 412, "signed by"},
		{"no keys", entries.Enrolment{Invite: good.Enrolment.Invite}, 422, "not a signed statement"},
		{"nothing", entries.Enrolment{}, 422, "not a signed statement"},
		{"as it should be", good.Enrolment, 204, ""},
		{"once more", good.Enrolment, 204, ""},
		{"by a thief, with the same invitation", thief.Enrolment, 409, "used already"},
	} {
		if status, body := nobody.ask("POST /v1/enrol", servertest.JSON(t, c.in)); status != c.want || !bytes.Contains(body, []byte(c.why)) {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
	// The keys count for nothing before an authority admits them.
	if _, _, err := speak(h, good.Device).try(t.Context(), "GET /v1/head", nil); err == nil {
		t.Error("a candidate is let in")
	}
	for _, key := range []*sign.Key{known.Device, h.Operator, h.Marking, h.Custodian} {
		if status, body := speak(h, key).ask("GET /v1/enrolments", nil); status != 403 || bytes.Contains(body, []byte("invite")) {
			t.Errorf("enrolments are shown to others: %d", status)
		}
	}
	var all []entries.Enrolment
	status, body := speak(h, h.Authorities[0]).ask("GET /v1/enrolments", nil)
	if err := json.Unmarshal(body, &all); err != nil || status != 200 || len(all) != 1 || !bytes.Equal(all[0].Person, good.Enrolment.Person) {
		t.Errorf("%d: %v, %d of them", status, err, len(all))
	}
}
