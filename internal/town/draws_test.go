package town_test

import (
	"testing"
	"time"

	"chancery/internal/desk"
)

// TestCableWaitsForADraw: cables that are sent while the marking desk has no draw ready,
// as at its start, wait in the outbox. Released, each would be refused for good.
func TestCableWaitsForADraw(t *testing.T) {
	ctx := t.Context()
	w := found(t)
	ada, bo := enrol(t, w, "ada", "post.embassy"), enrol(t, w, "bo", "centre.desk")
	must(t, bo.Sync(ctx, 0))
	const cables = 5 // the desk keeps two draws ready
	must(t, ada.Sync(ctx, 0))
	for range cables {
		_, err := ada.Queue(desk.Outgoing{Draft: draft, To: []string{"centre.desk"}, Precedence: "flash", Reference: "POST 1/30", Attested: true})
		must(t, err)
	}
	issued := func() (n int) {
		for _, i := range ada.Items() {
			if i.Void != "" {
				t.Errorf("refused: %s", i.Void)
			}
			if i.Issue != nil {
				n++
			}
		}
		return n
	}
	for until := time.Now().Add(time.Minute); issued() < cables; {
		if time.Now().After(until) {
			t.Fatalf("%d of %d were issued; %d wait", issued(), cables, len(ada.Outbox()))
		}
		must(t, ada.Sync(ctx, time.Second))
	}
}
