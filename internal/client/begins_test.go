package client

import (
	"errors"
	"fmt"
	"testing"

	"chancery/internal/custody"
	"chancery/internal/fault"
	"chancery/internal/sign"
	"chancery/internal/store/storetest"
	"chancery/internal/wire"
)

// TestBegins: nothing of what a log must begin with is kept back, moved, or sent with
// another text.
func TestBegins(t *testing.T) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	key, err := sign.GenerateNoteKey("begins.example/log")
	must(err)
	log, storage := storetest.NewLog(t, key)
	c := &Client{}
	var all []wire.Entry
	for i := range 4 {
		e := custody.NewEntry(fmt.Append(nil, i))
		_, err := log.Append(ctx, custody.Submission{Commitment: e.Commitment(), Bodies: []custody.Body{{Data: e.Bytes()}}})
		must(err)
		all = append(all, wire.Entry{Index: int64(i), Data: e.Bytes()})
		if i < 3 {
			c.Begins = append(c.Begins, e.Commitment())
		}
	}
	tree, err := custody.Check(ctx, storage, policy(t, key), nil)
	must(err)
	for i := range all {
		all[i].Proof, err = custody.ProveInclusion(ctx, storage, tree.Size, int64(i))
		must(err)
	}
	changed := func(i int, change func(*wire.Entry)) []wire.Entry {
		out := append([]wire.Entry(nil), all...)
		change(&out[i])
		return out
	}
	everything := Wish{Parties: []string{everyone}}
	behind := Wish{Parties: []string{everyone}, From: custody.Place{Index: 1, Part: 1}}
	for _, test := range []struct {
		name string
		wish Wish
		feed wire.Feed
		ok   bool
	}{
		{"whole", everything, wire.Feed{Entries: all}, true},
		{"a part, and more to come", everything, wire.Feed{Entries: all[:2], More: true}, true},
		{"the rest", behind, wire.Feed{Entries: all[2:]}, true},
		{"after it", Wish{Parties: []string{everyone}, From: custody.Place{Index: 2, Part: 1}}, wire.Feed{}, true},
		{"of another party", Wish{Parties: []string{"person:ada"}}, wire.Feed{}, true},
		{"a part, and no more", everything, wire.Feed{Entries: all[:2]}, false},
		{"nothing", everything, wire.Feed{}, false},
		{"nothing, and more to come", everything, wire.Feed{More: true}, false},
		{"the first is missing", everything, wire.Feed{Entries: all[1:]}, false},
		{"one in the middle is missing", everything, wire.Feed{Entries: append(append([]wire.Entry(nil), all[0]), all[2:]...)}, false},
		{"the rest without its first", behind, wire.Feed{Entries: all[3:]}, false},
		{"another text", everything, wire.Feed{Entries: changed(1, func(e *wire.Entry) { e.Data = all[3].Data })}, false},
		{"no text", everything, wire.Feed{Entries: changed(1, func(e *wire.Entry) { e.Data = []byte("x") })}, false},
		{"another's", everything, wire.Feed{Entries: changed(1, func(e *wire.Entry) { e.Party = "person:ada" })}, false},
		{"another proof", everything, wire.Feed{Entries: changed(1, func(e *wire.Entry) { e.Proof = all[0].Proof })}, false},
	} {
		err := c.begins(test.wish, tree, test.feed)
		if test.ok != (err == nil) || err != nil && !errors.Is(err, fault.Mismatch) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func policy(t *testing.T, key *sign.NoteKey) *custody.Policy {
	t.Helper()
	text := ""
	for _, v := range key.LogVKeys() {
		text += "log " + v + "\n"
	}
	p, err := custody.ParsePolicy("policy", []byte(text+"quorum none\n"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
