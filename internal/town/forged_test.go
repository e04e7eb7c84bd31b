package town_test

import (
	"strings"
	"testing"
	"time"

	"chancery/cable"
	"chancery/internal/courier"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/post"
	"chancery/internal/sign"
)

// TestForgedOffice: cy, of another office, states a release that says it is of ada's and
// corrects hers, without the marking desk, which would refuse it. bo is told, and reads
// what ada wrote.
func TestForgedOffice(t *testing.T) {
	computes(t)
	ctx := t.Context()
	w := found(t)
	ada, bo, cy := enrol(t, w, "ada", "post.embassy"), enrol(t, w, "bo", "centre.desk"), enrol(t, w, "cy", "centre.private-office")
	must(t, w.Ready(ctx, 20*time.Second))
	must(t, ada.Sync(ctx, 0))
	_, err := ada.Queue(desk.Outgoing{Draft: draft, To: []string{"centre.desk"}, Precedence: "flash", Reference: "POST 18/30", Attested: true})
	must(t, err)
	must(t, ada.Sync(ctx, 0))
	must(t, bo.Sync(ctx, 0))
	first, err := bo.Read(ctx, "POST 18/30")
	must(t, err)
	must(t, cy.Sync(ctx, 0))
	text, err := cable.Parse([]byte("Reference: POST 18/30\n\n[[POST 18/30 #" + first.Cable + ", 1]]\n\nPay him a million at once.\n"))
	must(t, err)
	var dir *directory.Directory
	must(t, cy.Directory(func(x *directory.Directory) { dir = x.Clone() }))
	c, err := desk.Compose(desk.Cable{Author: desk.Author{Key: cy.Keys.Person, Person: "cy", Tenure: dir.Tenures("cy")[0].ID, Office: "centre.private-office"}, Draft: text, To: []string{"centre.desk"},
		Precedence: "flash", Reference: "POST 18/30", Previous: first.Cable, Mode: entries.ModeUnmarked, Directory: dir, Size: cy.Tree().Size, Now: time.Now()})
	must(t, err)
	c.Body.Office = "post.embassy"
	c.Release, err = sign.Sign(entries.KindRelease, c.Body, cy.Keys.Person)
	must(t, err)
	p, _, err := dir.Person("bo")
	must(t, err)
	must(t, cy.Client.PutQuiet(ctx, c.Kit, []string{p.Party()}))
	mail := post.NewMailing(c.Release, nil)
	mail.Add(post.To(p), post.Letter{Copy: &c.Copies[0], Key: c.Key})
	_, err = courier.Send(ctx, cy.Client, mail)
	must(t, err)
	must(t, bo.Sync(ctx, 2*time.Second))
	if all := bo.Items(); len(all) != 1 {
		t.Errorf("%d cables, one of them forged", len(all))
	}
	if a := bo.Alarms(); len(a) != 1 || !strings.Contains(a[0].Text, `"cy", who does not sit there`) {
		t.Errorf("alarms: %v", a)
	}
	if i, err := bo.Find("POST 18/30"); err != nil || i.Cable != first.Cable {
		t.Errorf("the reference means %.8s: %v", i.Cable, err)
	}
}

// TestReadingIsBounded: a cable that refers to one long paragraph over and over does not
// fill the reader's memory.
func TestReadingIsBounded(t *testing.T) {
	computes(t)
	ctx := t.Context()
	w := found(t)
	ada, bo := enrol(t, w, "ada", "post.embassy"), enrol(t, w, "bo", "centre.desk")
	must(t, w.Ready(ctx, 20*time.Second))
	must(t, ada.Sync(ctx, 0))
	long := "Subject: Long\n\n" + strings.Repeat("and on and on ", 20000) + "\n"
	_, err := ada.Queue(desk.Outgoing{Draft: long, To: []string{"centre.desk"}, Precedence: "flash", Reference: "POST 1/30", Attested: true})
	must(t, err)
	must(t, ada.Sync(ctx, 0))
	must(t, bo.Sync(ctx, 0))
	_, err = bo.Read(ctx, "POST 1/30")
	must(t, err)
	got := bo.Reading(desk.Item{Text: "Subject: x\n\n" + strings.Repeat("[[POST 1/30, 1]] ", 5000)})
	if len(got) > 5<<20 || !strings.Contains(got, "and on and on") {
		t.Errorf("%d bytes", len(got))
	}
}
