package town_test

import (
	"testing"
	"time"

	"chancery/internal/courier"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/post"
	"chancery/internal/sign"
)

// TestIssuedAgain: a copy is issued again to keys that are newer than its last issue, and
// to nobody else: one who asks for it over and over is refused, and so are the old keys.
func TestIssuedAgain(t *testing.T) {
	computes(t)
	ctx := t.Context()
	w := found(t)
	ada, bo := enrol(t, w, "ada", "post.embassy"), enrol(t, w, "bo", "centre.desk")
	must(t, ada.Sync(ctx, 0))
	must(t, w.Ready(ctx, 20*time.Second))
	_, err := ada.Queue(desk.Outgoing{Draft: draft, To: []string{"centre.desk"}, Precedence: "flash", Reference: "POST 1/30", Attested: true})
	must(t, err)
	must(t, ada.Sync(ctx, 0))
	must(t, bo.Sync(ctx, 0))
	first, err := bo.Read(ctx, "POST 1/30")
	must(t, err)
	ask := func(d *desk.Desk) {
		t.Helper()
		s, err := sign.Sign(entries.KindArchive, entries.Archive{Cable: first.Cable, Release: first.Index, Office: "centre.desk", Tenure: first.Copy.Tenure}, d.Keys.Person)
		must(t, err)
		var in directory.Institution
		must(t, d.Directory(func(dir *directory.Directory) { in = dir.Institution() }))
		_, err = courier.Send(ctx, d.Client, post.About(s, nil, post.Parties(in, first.Release.Marking)...))
		must(t, err)
	}
	// acts waits until the overseers saw so many acts of a kind on the cable.
	acts := func(kind string, want int) {
		t.Helper()
		n := 0
		for range 50 {
			n = 0
			for _, a := range overseer(t, w).Cables[first.Cable].Acts {
				if a.Kind == kind {
					n++
				}
			}
			if n >= want {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n != want {
			t.Errorf("%d times %s, not %d", n, kind, want)
		}
	}
	ask(bo)
	acts(entries.KindRefused, 1)

	invite, err := w.Authority.Invite("bo", "Person bo", time.Now().Add(time.Hour), true)
	must(t, err)
	fresh, err := desk.Enrol(ctx, t.TempDir()+"/bo", w.Account, invite, "second device", "", time.Now)
	must(t, err)
	all, err := w.Authority.Candidates(ctx)
	must(t, err)
	if len(all) != 1 || !all[0].Again {
		t.Fatalf("%d candidates", len(all))
	}
	_, err = w.Authority.Admit(ctx, all[0])
	must(t, err)
	must(t, fresh.Sync(ctx, 0))
	ask(fresh)
	acts(entries.KindIssue, 2)
	ask(fresh)
	acts(entries.KindRefused, 2)
	acts(entries.KindIssue, 2)
	for _, a := range overseer(t, w).Cables[first.Cable].Copies {
		if a.ID != first.Copy.ID {
			t.Errorf("another copy was drawn for one who has one")
		}
	}
}
