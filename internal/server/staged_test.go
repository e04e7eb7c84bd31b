package server_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"chancery/internal/custody"
	"chancery/internal/server/servertest"
	"chancery/internal/wire"
)

// stage is the target and the body of a request to keep letters for an entry.
func stage(t testing.TB, of custody.Commitment, from int, bodies ...custody.Body) (string, []byte) {
	t.Helper()
	return "PUT " + wire.RouteStaged + hex.EncodeToString(of[:]), servertest.JSON(t, wire.Staged{From: from, Bodies: wire.FromBodies(bodies)})
}

// TestStaged: letters that come before their entry are nobody's until it stands in the
// log, are its sender's alone to log, and are logged once.
func TestStaged(t *testing.T) {
	h := house(t)
	ada, bo := h.Person("ada"), h.Person("bo")
	v, other := speak(h, ada.Device), speak(h, bo.Device)
	s := sealed("many")
	bodies := []custody.Body{{Party: "person:ada", Data: []byte("1")}, {Party: "person:bo", Data: []byte("2")}, {Party: "overseer:o", Data: []byte("3")}}
	s.Staged.Count = len(bodies)
	count := func(want int) {
		t.Helper()
		out, status := other.feed("party=person:bo")
		if status != 200 || len(out.Entries) != want {
			t.Errorf("bo has %d letters, not %d (%d)", len(out.Entries), want, status)
		}
	}
	keep := func(from int, bodies ...custody.Body) {
		t.Helper()
		target, body := stage(t, s.Commitment, from, bodies...)
		if status, answer := v.ask(target, body); status != 204 {
			t.Fatalf("%d %s", status, answer)
		}
	}
	keep(0, bodies[0], bodies[1])
	count(0)
	if status, answer := v.ask("POST /v1/entries", submit(t, s)); status != 404 || !bytes.Contains(answer, []byte("2 of 3")) {
		t.Errorf("%d %s", status, answer)
	}
	keep(2, bodies[2])
	keep(0, bodies[0], bodies[1]) // once more: the answer was lost
	if status, answer := other.ask("POST /v1/entries", submit(t, s)); status != 404 {
		t.Errorf("another logs them: %d %s", status, answer)
	}
	count(0)
	var first, again wire.Submitted
	for _, out := range []*wire.Submitted{&first, &again} {
		status, answer := v.ask("POST /v1/entries", submit(t, s))
		if err := json.Unmarshal(answer, out); status != 200 || err != nil {
			t.Fatalf("%d %s", status, answer)
		}
		count(1)
	}
	if first.Indexes[0] != again.Indexes[0] {
		t.Error("the entry is logged twice")
	}
	s.Staged.Count--
	if status, answer := v.ask("POST /v1/entries", submit(t, s)); status != 409 {
		t.Errorf("with fewer letters: %d %s", status, answer)
	}
}

// TestStagedGoes: letters whose entry never came are dropped after a day.
func TestStagedGoes(t *testing.T) {
	h := house(t)
	v := speak(h, h.Person("ada").Device)
	s, later := sealed("never"), sealed("later")
	s.Staged.Count, later.Staged.Count = 1, 1
	target, body := stage(t, s.Commitment, 0, custody.Body{Party: "person:ada", Data: []byte("1")})
	v.ask(target, body)
	h.Later(25 * time.Hour)
	target, body = stage(t, later.Commitment, 0, custody.Body{Party: "person:ada", Data: []byte("1")})
	if status, answer := v.ask(target, body); status != 204 {
		t.Fatalf("%d %s", status, answer)
	}
	if status, answer := v.ask("POST /v1/entries", submit(t, s)); status != 404 {
		t.Errorf("a day later: %d %s", status, answer)
	}
	if status, answer := v.ask("POST /v1/entries", submit(t, later)); status != 200 {
		t.Errorf("%d %s", status, answer)
	}
}

func TestStagedRefuses(t *testing.T) {
	h := house(t)
	v := speak(h, h.Person("ada").Device)
	of := sealed("x").Commitment
	body := func(party, data string) custody.Body { return custody.Body{Party: party, Data: []byte(data)} }
	good, text := stage(t, of, 0, body("person:ada", "x"))
	part := func(from int, bodies ...custody.Body) []byte {
		_, text := stage(t, of, from, bodies...)
		return text
	}
	for _, c := range []struct {
		name, target string
		body         []byte
		want         int
		why          string
	}{
		{"nothing", good, nil, 422, "EOF"},
		{"half", good, text[:30], 422, "unexpected EOF"},
		{"no letters", good, part(0), 422, "0 bodies"},
		{"before the first", good, part(-1, body("person:ada", "x")), 422, "from -1"},
		{"beyond the last", good, part(custody.MaxBodies, body("person:ada", "x")), 422, "at most"},
		{"beyond all numbers", good, part(1<<62, body("person:ada", "x")), 422, "at most"},
		{"an empty letter", good, part(0, body("person:ada", "")), 422, "empty"},
		{"a party that is none", good, part(0, body("person ada", "x")), 422, "party"},
		{"two for one party, in common", good, part(0, body("person:ada", custody.InCommon), body("person:ada", custody.InCommon)), 422, "in common"},
		{"two for one party", good, part(0, body("person:ada", "x"), body("person:ada", "x")), 409, "there already"},
		{"what lies open", good, part(0, body("", "x")), 422, "lies open"},
		{"a short name", good[:len(good)-2], text, 400, "64"},
		{"a name that is none", "PUT " + wire.RouteStaged + "x", text, 400, "64"},
		{"too long", good, part(0, body("person:ada", strings.Repeat("x", wire.MaxStaged))), 422, "longer than"},
		{"good", good, text, 204, ""},
	} {
		before := size(h)
		status, answer := v.ask(c.target, c.body)
		if status != c.want || !strings.Contains(string(answer), c.why) || size(h) != before {
			t.Errorf("%s: %d %.300s", c.name, status, answer)
		}
	}
}
