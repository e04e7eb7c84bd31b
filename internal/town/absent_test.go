package town_test

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"chancery/internal/attend"
	"chancery/internal/courier"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/post"
	"chancery/internal/sign"
	"chancery/internal/town"
	"chancery/internal/vault"
	"chancery/internal/wire"
)

// asked is a custodian who was started to be asked something, beside the one that runs.
func asked(t *testing.T, w *town.Town, name string) *attend.Custodian {
	t.Helper()
	k := w.Keepers[name]
	c, err := w.Dial(k.Sign, t.TempDir())
	must(t, err)
	return &attend.Custodian{Name: name, Key: k.Sign, Identity: k.Identity, Client: c, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Vault: vault.New(t.TempDir(), k.Sign.Derive("custodian files"))}
}

// TestAbsentHandover: whoever says that custodians signed for an absent holder shows two
// custodians' signatures over their own words, or is believed by nobody.
func TestAbsentHandover(t *testing.T) {
	ctx := t.Context()
	w := found(t)
	enrol(t, w, "ada", "post.embassy")
	bo, cy := enrol(t, w, "bo", "centre.desk"), enrol(t, w, "cy", "centre.desk")
	var bos directory.Holding
	must(t, bo.Directory(func(d *directory.Directory) { bos = d.Tenures("bo")[0] }))
	_, err := w.Authority.Depart(ctx, bos.ID, time.Now())
	must(t, err)
	must(t, cy.Sync(ctx, 0))
	must(t, bo.Sync(ctx, 0))
	log := cy.Client.Origin()
	body := entries.Handover{Office: "centre.desk", From: "bo", To: "cy", Size: cy.Tree().Size, Absent: true}
	present, stranger, elsewhere, later := body, body, body, body
	present.Absent = false
	stranger.From, elsewhere.Office, later.Size = "ada", "post.embassy", 1<<40
	me, auditor, clerk, judge := cy.Keys.Person, w.Keepers["auditor"].Sign.In(log), w.Keepers["clerk"].Sign.In(log), w.Keepers["judge"].Sign.In(log)
	tests := []struct {
		name string
		body entries.Handover
		by   []*sign.Key
		ok   bool
	}{
		{"two custodians", body, []*sign.Key{me, judge, clerk}, true},
		{"three custodians", body, []*sign.Key{me, judge, clerk, auditor}, true},
		{"who left and who came", present, []*sign.Key{bo.Keys.Person, me}, true},
		{"nobody but who comes", body, []*sign.Key{me}, false},
		{"one custodian", body, []*sign.Key{me, judge}, false},
		{"a custodian and who left", body, []*sign.Key{me, judge, bo.Keys.Person}, false},
		{"custodians alone", body, []*sign.Key{judge, clerk}, false},
		{"custodians for one who is there", present, []*sign.Key{me, judge, clerk}, false},
		{"who left as who comes", body, []*sign.Key{bo.Keys.Person, judge, clerk}, false},
		{"for one who never sat there", stranger, []*sign.Key{me, judge, clerk}, false},
		{"of an office where nobody of them sat", elsewhere, []*sign.Key{me, judge, clerk}, false},
		{"by a directory that is not there yet", later, []*sign.Key{me, judge, clerk}, false},
		{"who comes alone, for one who is there", present, []*sign.Key{me}, false},
	}
	var dir *directory.Directory
	must(t, cy.Directory(func(d *directory.Directory) { dir = d.Clone() }))
	for _, tt := range tests {
		s, err := sign.Sign(entries.KindHandover, tt.body, tt.by...)
		must(t, err)
		if _, _, err := entries.OpenHandover(dir, cy.Tree().Size, s); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	twice, err := sign.Sign(entries.KindHandover, body, me, judge)
	must(t, err)
	again, err := sign.Sign(entries.KindHandover, body, judge)
	must(t, err)
	twice, err = sign.Join(twice, again)
	must(t, err)
	if _, _, err := entries.OpenHandover(dir, cy.Tree().Size, twice); err == nil {
		t.Error("one custodian counted twice")
	}

	// One who logs such a thing by themselves is told of to whom it concerns, and the
	// overseer counts it as what cannot be.
	forged, err := sign.Sign(entries.KindHandover, body, me, judge)
	must(t, err)
	_, note := cy.Client.View.Last()
	p, _, err := dir.Person("bo")
	must(t, err)
	_, err = courier.Send(ctx, cy.Client, post.About(forged, note, append(post.Overseers(dir.Institution()), post.To(p))...))
	must(t, err)
	must(t, bo.Sync(ctx, 0))
	if !slices.ContainsFunc(bo.Alarms(), func(a desk.Alarm) bool { return a.Index >= 0 }) {
		t.Errorf("bo is not told: %v", bo.Alarms())
	}
	k := w.Watchers["inspector"]
	c, err := w.Dial(k.Sign, t.TempDir())
	must(t, err)
	seen, err := (&attend.Overseer{Name: "inspector", Identity: k.Identity, Client: c}).Survey(ctx)
	must(t, err)
	if seen.Strange != 1 || len(seen.Archives) != 0 {
		t.Errorf("the overseer believes it: %d strange, %v", seen.Strange, seen.Archives)
	}
}

// TestWholeDirectoryFirst: an institution has more offices than one answer of the feed
// holds. What was handed to a desk or a custodian is about one of the last of them, and is
// not lost to those who begin to read then.
func TestWholeDirectoryFirst(t *testing.T) {
	ctx := t.Context()
	w := found(t)
	for i := range wire.MaxEntries + 10 {
		_, err := w.Authority.Office(ctx, fmt.Sprintf("office.n%d", i), "One of many")
		must(t, err)
	}
	bo, dee := enrol(t, w, "bo", "last.desk"), enrol(t, w, "dee", "last.desk")
	must(t, bo.Sync(ctx, 0))
	_, err := bo.NewEpoch(ctx, "last.desk")
	must(t, err)
	keys, err := w.Authority.OfficeKeys(ctx)
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d office keys: %v", len(keys), err)
	}
	c, err := w.Dial(dee.Keys.Device, t.TempDir())
	must(t, err)
	late, err := desk.Open(desk.Config{Keys: dee.Keys, Person: "dee", Account: w.Account, Client: c, Now: time.Now,
		Vault: vault.New(t.TempDir(), dee.Keys.Device.Derive("desk files"))})
	must(t, err)
	must(t, late.Sync(ctx, 0))
	if names, err := late.Vault.Names(post.EpochPrefix("last.desk")); err != nil || len(names) != 1 {
		t.Errorf("the archive key that was handed over: %v, %v; alarms %v", names, err, late.Alarms())
	}
	if n, err := asked(t, w, "judge").Recover(ctx, "last.desk", "dee"); err != nil || n != 1 {
		t.Errorf("gave %d shares: %v", n, err)
	}
}
