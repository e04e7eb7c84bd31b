package town_test

import (
	"strings"
	"testing"
	"time"

	"chancery/internal/custody"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/post"
	"chancery/internal/seal"
	"chancery/internal/sign"
	"chancery/internal/town"
)

// TestFloodedMarkingDesk: somebody who is enrolled and sits nowhere writes to the marking
// desk 1,500 times: receipts of nothing, for each of which it asks the registry, and
// letters that say that there is more, where there is none. Others' cables are issued
// all the same, under the rate that a registry allows a device.
func TestFloodedMarkingDesk(t *testing.T) {
	computes(t)
	ctx := t.Context()
	w, err := town.Found(ctx, town.Config{Folder: t.TempDir(), Name: "Ministry", Custodians: []string{"auditor", "clerk", "judge"}, Threshold: 2, Stock: 2, Rate: 50})
	must(t, err)
	defer w.Close()
	ada, bo := enrol(t, w, "ada", "post.embassy"), enrol(t, w, "bo", "centre.desk")
	mallory, err := w.Enrol(ctx, "mallory", "Person mallory")
	must(t, err)
	for _, d := range []*desk.Desk{ada, bo, mallory} {
		must(t, d.Sync(ctx, 0))
	}
	to := marking(t, ada)
	r, err := seal.ParseRecipient(to.Recipient)
	must(t, err)
	own := post.Address{Party: directory.OwnParty(w.Marking.Name), Recipient: to.Recipient}
	size := mallory.Tree().Size
	for batch := range 6 {
		var all []custody.Submission
		for n := range 250 {
			if batch < 5 {
				s, err := sign.Sign(entries.KindReceipt, entries.Receipt{Cable: strings.Repeat("0", 32), Size: 1 + int64(n)%size}, mallory.Keys.Person, mallory.Keys.Device)
				must(t, err)
				one, err := post.About(s, nil, to).Seal(nil)
				must(t, err)
				all = append(all, one)
				continue
			}
			id, err := seal.GenerateIdentity()
			must(t, err)
			letter, err := seal.SealPadded([]byte(`{"common":"`+id.Secret()+`"}`), 1024, r)
			must(t, err)
			e := custody.NewEntry([]byte("noise"))
			body := custody.Body{Party: []string{to.Party, own.Party}[n%2], Data: append([]byte(custody.InCommon), letter...)}
			all = append(all, custody.Submission{Commitment: e.Commitment(), Bodies: []custody.Body{body}})
		}
		_, err := mallory.Client.Submit(ctx, all...)
		must(t, err)
	}
	must(t, w.Ready(ctx, 20*time.Second))
	_, err = ada.Queue(desk.Outgoing{Draft: draft, To: []string{"centre.desk"}, Precedence: "flash", Reference: "POST 1/30", Attested: true})
	must(t, err)
	begun := time.Now()
	for issued := false; !issued; {
		must(t, ada.Sync(ctx, time.Second))
		i, err := ada.Find("POST 1/30")
		issued = err == nil && i.Issue != nil
		if time.Since(begun) > 20*time.Second {
			t.Fatal("the marking desk does not come past them")
		}
	}
	must(t, bo.Sync(ctx, 5*time.Second))
	if _, err := bo.Read(ctx, "POST 1/30"); err != nil {
		t.Error(err)
	}
}
