package town_test

import (
	"strings"
	"testing"
	"time"

	"chancery/internal/desk"
)

// TestReadAtOnce: a cable was released when its reader's desk last heard and is issued
// since, and the reader opens it at once. The receipt must be about a log in which the
// issue stands: for any other no keys come.
func TestReadAtOnce(t *testing.T) {
	ctx := t.Context()
	w := found(t)
	ada, bo := enrol(t, w, "ada", "post.embassy"), enrol(t, w, "bo", "centre.desk")
	must(t, w.Ready(ctx, 20*time.Second))
	must(t, ada.Sync(ctx, 0))
	const ref = "POST 18/30"
	_, err := ada.Queue(desk.Outgoing{Draft: draft, To: []string{"centre.desk"}, Precedence: "priority", Reference: ref, Attested: true})
	must(t, err)
	must(t, ada.Sync(ctx, 0))
	must(t, bo.Sync(ctx, 5*time.Second))
	for issued := false; !issued; {
		must(t, ada.Sync(ctx, time.Second))
		i, err := ada.Find(ref)
		must(t, err)
		issued = i.Issue != nil
	}
	bo.Patience = 3 * time.Second
	i, err := bo.Read(ctx, ref)
	must(t, err)
	if !strings.Contains(i.Text, "harbour") {
		t.Errorf("bo read %q", i.Text)
	}
}
