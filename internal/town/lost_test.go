package town_test

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chancery/internal/attend"
	"chancery/internal/courier"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/post"
	"chancery/internal/seal"
	"chancery/internal/sign"
	"chancery/internal/town"
)

// enrolled is somebody's desk with its folder.
func enrolled(t *testing.T, w *town.Town, id, office string) (*desk.Desk, string) {
	t.Helper()
	d := enrol(t, w, id, office)
	must(t, d.Sync(t.Context(), 0))
	return d, filepath.Join(w.Folder, "desks", id)
}

func again(t *testing.T, folder string) *desk.Desk {
	t.Helper()
	d, err := desk.OpenFolder(folder, func() (string, error) { return "", nil }, time.Now)
	must(t, err)
	return d
}

// TestAlarmOutlivesACrash: a thief with ada's key enrols a device for her, and the write
// of her desk's state fails when it hears of it. The next command alarms.
func TestAlarmOutlivesACrash(t *testing.T) {
	ctx := t.Context()
	w := found(t)
	ada, folder := enrolled(t, w, "ada", "post.embassy")
	thief := sign.Generate()
	s, err := sign.Sign(directory.KindDevice, directory.Device{Person: "ada", Sign: thief.Public(), Name: "of a thief"}, ada.Keys.Person.In(""), thief)
	must(t, err)
	_, err = w.Authority.Client.Submit(ctx, post.Publish(s))
	must(t, err)
	state := filepath.Join(folder, "files", "state.sealed")
	must(t, os.Rename(state, state+".kept"))
	must(t, os.Mkdir(state, 0o700)) // the write fails
	if err := ada.Sync(ctx, 0); err == nil {
		t.Fatal("the state was not kept, and nothing is said")
	}
	must(t, os.Remove(state))
	must(t, os.Rename(state+".kept", state))
	for _, d := range []*desk.Desk{ada, again(t, folder)} {
		must(t, d.Sync(ctx, 0))
		if a := d.Alarms(); len(a) != 1 || !strings.Contains(a[0].Text, "of a thief") {
			t.Errorf("alarms: %v", a)
		}
	}
}

// TestArchiveKeyOutlivesAFullDisk: an archive key comes and cannot be written; the desk
// does not go on beyond it.
func TestArchiveKeyOutlivesAFullDisk(t *testing.T) {
	ctx := t.Context()
	w := found(t)
	ada, folder := enrolled(t, w, "ada", "post.embassy")
	id, err := seal.GenerateIdentity()
	must(t, err)
	h := post.Handed{Office: "post.embassy", Keys: []post.EpochKey{{Office: "post.embassy", Number: 1, Secret: id.Secret()}}}
	sealed, err := h.Seal(ada.Keys.Identity.Recipient().String())
	must(t, err)
	must(t, w.Authority.Client.PutParcel(ctx, sealed, []string{"person:ada"}))
	file := filepath.Join(folder, "files", post.EpochName("post.embassy", 1, []byte(id.Recipient().String()))+".sealed")
	must(t, os.Rename(filepath.Join(folder, "files"), filepath.Join(folder, "away"))) // nothing can be written
	if err := ada.Sync(ctx, 0); err == nil {
		t.Error("the key was not kept, and nothing is said")
	}
	must(t, os.Rename(filepath.Join(folder, "away"), filepath.Join(folder, "files")))
	must(t, ada.Sync(ctx, 0))
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the key is lost: %v", err)
	}
}

// TestMissingOrderHoldsUpNothing: somebody logs a release whose order never comes. What
// others receive meanwhile is delivered, and kept as delivered.
func TestMissingOrderHoldsUpNothing(t *testing.T) {
	ctx := t.Context()
	w := found(t)
	ada, bo := enrol(t, w, "ada", "post.embassy"), enrol(t, w, "bo", "centre.desk")
	must(t, w.Stocked(ctx, 20*time.Second))
	must(t, ada.Sync(ctx, 0))
	must(t, bo.Sync(ctx, 0))
	s, err := sign.Sign(entries.KindRelease, entries.Release{Cable: strings.Repeat("a", 32)}, bo.Keys.Person)
	must(t, err)
	_, err = courier.Send(ctx, bo.Client, post.About(s, nil, marking(t, ada)))
	must(t, err)
	_, err = ada.Queue(desk.Outgoing{Draft: draft, To: []string{"centre.desk"}, Precedence: "priority", Reference: "POST 18/30", Attested: true})
	must(t, err)
	must(t, ada.Sync(ctx, 0))
	must(t, bo.Sync(ctx, 3*time.Second))
	_, err = bo.Read(ctx, "POST 18/30")
	must(t, err)
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		names, err := filepath.Glob(filepath.Join(w.Folder, "marking", "files", "handed-*"))
		must(t, err)
		if len(names) == 1 {
			break
		}
		if time.Now().After(until) {
			t.Fatal("the marking desk does not keep what it delivered")
		}
	}
}

// marking is the address of the marking desk.
func marking(t *testing.T, d *desk.Desk) (to post.Address) {
	t.Helper()
	must(t, d.Directory(func(dir *directory.Directory) {
		in := dir.Institution()
		to = post.Marking(in, in.Marking[0].Sign.ID().String())[0]
	}))
	return to
}

// TestOverseerKeepsTheCable: an author who keeps back the circle of readers hides neither
// the cable nor the acts on it, and no reader's release takes its place.
func TestOverseerKeepsTheCable(t *testing.T) {
	ctx := t.Context()
	w := found(t)
	ada, bo := enrol(t, w, "ada", "post.embassy"), enrol(t, w, "bo", "centre.desk")
	must(t, ada.Sync(ctx, 0))
	must(t, bo.Sync(ctx, 0))
	var in directory.Institution
	must(t, ada.Directory(func(d *directory.Directory) { in = d.Institution() }))
	id, copies := strings.Repeat("b", 32), []entries.Copy{{ID: strings.Repeat("c", 32), Person: "bo"}}
	root, err := entries.CopiesRoot(copies)
	must(t, err)
	circle, err := post.SealCircle(copies, in)
	must(t, err)
	digest := sha256.Sum256(circle)
	release := func(by *desk.Desk) {
		t.Helper()
		s, err := sign.Sign(entries.KindRelease, entries.Release{Cable: id, Reference: "by " + by.Person, Copies: root, N: 1}, by.Keys.Person)
		must(t, err)
		m := post.NewMailing(s, nil)
		m.Add(post.Overseers(in)[0], post.Letter{Parcel: digest[:]})
		_, err = courier.Send(ctx, by.Client, m)
		must(t, err)
	}
	release(ada)
	s, err := sign.Sign(entries.KindOpened, entries.Opened{Cable: id, Copy: copies[0].ID}, bo.Keys.Person)
	must(t, err)
	_, err = courier.Send(ctx, bo.Client, post.About(s, nil, post.Overseers(in)...))
	must(t, err)
	release(bo)
	seen := overseer(t, w)
	one := seen.Cables[id]
	if one == nil || one.Release.Reference != "by ada" || len(one.Acts) != 2 || seen.Strange != 1 {
		t.Fatalf("%+v of %+v", one, seen)
	}
	c, err := w.Account.Dial(w.Watchers["inspector"].Sign, nil, nil, w.Now)
	must(t, err)
	defer c.Close()
	o := &attend.Overseer{Name: "inspector", Identity: w.Watchers["inspector"].Identity, Client: c}
	if got, err := o.Circle(ctx, one); err == nil {
		t.Errorf("a circle that was kept back: %v", got)
	}
	must(t, ada.Client.PutQuiet(ctx, circle, post.Names(post.Overseers(in))))
	if got, err := o.Circle(ctx, one); err != nil || len(got) != 1 || got[0].Person != "bo" {
		t.Errorf("%v, %v", got, err)
	}
}
