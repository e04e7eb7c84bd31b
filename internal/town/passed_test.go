package town_test

import (
	"strings"
	"testing"
	"time"

	"chancery/internal/courier"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/post"
	"chancery/internal/sign"
)

// TestPassedOnAnother: bo asks for a copy of one cable for cy and encloses the release of
// another, to which cy's desk would tie the wrong key. It says so and goes on; once it
// ended there and then.
func TestPassedOnAnother(t *testing.T) {
	ctx := t.Context()
	w := found(t)
	ada, bo, cy := enrol(t, w, "ada", "post.embassy"), enrol(t, w, "bo", "centre.desk"), enrol(t, w, "cy", "centre.private-office")
	must(t, w.Ready(ctx, 20*time.Second))
	must(t, ada.Sync(ctx, 0))
	_, err := ada.Queue(desk.Outgoing{Draft: draft, To: []string{"centre.desk"}, Precedence: "priority", Reference: "POST 18/30", Attested: true})
	must(t, err)
	must(t, ada.Sync(ctx, 0))
	must(t, bo.Sync(ctx, 5*time.Second))
	i, err := bo.Find("POST 18/30")
	must(t, err)
	var to post.Address
	var tenure string
	must(t, bo.Directory(func(d *directory.Directory) {
		p, _, err := d.Person("cy")
		must(t, err)
		to, tenure = post.To(p), d.Tenures("cy")[0].ID
	}))
	ask := entries.Onward{Cable: strings.Repeat("0", 32), Release: i.Index, Copy: i.Copy.ID, Person: "cy", Tenure: tenure}
	s, err := sign.Sign(entries.KindOnward, ask, bo.Keys.Person)
	must(t, err)
	mail := post.NewMailing(s, nil)
	mail.Add(to, post.Letter{Key: i.Key, Release: i.Acts[0].Entry, ReleaseAt: i.Index})
	_, err = courier.Send(ctx, bo.Client, mail)
	must(t, err)
	must(t, cy.Sync(ctx, 5*time.Second))
	if all := cy.Items(); len(all) != 0 {
		t.Errorf("cy has %d cables", len(all))
	}
	if a := cy.Alarms(); len(a) != 1 || !strings.Contains(a[0].Text, "another than came") {
		t.Errorf("the alarms: %v", a)
	}
}
