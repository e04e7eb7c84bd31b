package town_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/post"
	"chancery/internal/seal"
	"chancery/internal/seal/share"
)

// TestArchiveIsReadAgain: a successor who has an office's second archive key alone looks
// for cables, and finds what the first one opens when that is handed over later.
func TestArchiveIsReadAgain(t *testing.T) {
	ctx := t.Context()
	w := found(t)
	ada, bo := enrol(t, w, "ada", "post.embassy"), enrol(t, w, "bo", "centre.desk")
	newKey := func(d *desk.Desk) {
		t.Helper()
		must(t, d.Sync(ctx, 0))
		_, err := d.NewEpoch(ctx, "centre.desk")
		must(t, err)
		_, err = w.Authority.OfficeKeys(ctx)
		must(t, err)
		must(t, d.Sync(ctx, 0))
	}
	newKey(bo)
	must(t, ada.Sync(ctx, 0))
	must(t, w.Ready(ctx, 20*time.Second))
	_, err := ada.Queue(desk.Outgoing{Draft: draft, To: []string{"centre.desk"}, Precedence: "flash", Reference: "POST 1/30", Attested: true})
	must(t, err)
	must(t, ada.Sync(ctx, 0))
	cy, err := w.Enrol(ctx, "cy", "Person cy")
	must(t, err)
	must(t, w.Seat(ctx, cy, "centre.desk", "second"))
	newKey(cy)
	if n, _, err := cy.Archive(ctx, "centre.desk"); n != 0 || err != nil {
		t.Fatalf("%d cables without the key: %v", n, err)
	}
	must(t, bo.Sync(ctx, 0))
	_, err = bo.HandOver(ctx, "centre.desk", "cy")
	must(t, err)
	must(t, cy.Sync(ctx, 0))
	if n, asked, err := cy.Archive(ctx, "centre.desk"); n != 1 || asked != 1 || err != nil {
		t.Errorf("found %d, asked for %d: %v", n, asked, err)
	}
}

// TestSharesOutliveAFullDisk: the second of two shares of an archive key comes, and the
// key that they restore cannot be written. Nothing of it is lost.
func TestSharesOutliveAFullDisk(t *testing.T) {
	ctx := t.Context()
	w := found(t)
	bo, folder := enrolled(t, w, "bo", "centre.desk")
	id, err := seal.GenerateIdentity()
	must(t, err)
	secret := share.Generate()
	sealed, err := seal.SealKey([]byte(id.Secret()), secret.Key("epoch"))
	must(t, err)
	shares, vector, err := share.Split(secret, 2, 3)
	must(t, err)
	hand := func(n int) {
		t.Helper()
		h := post.Handed{Office: "centre.desk", Number: 1, Share: shares[n].Encode(), Vector: vector.Encode(), Sealed: sealed}
		data, err := h.Seal(bo.Keys.Identity.Recipient().String())
		must(t, err)
		must(t, w.Authority.Client.PutParcel(ctx, data, []string{directory.PartyOf("bo")}))
	}
	hand(0)
	must(t, bo.Sync(ctx, 0))
	name := post.EpochName("centre.desk", 1, []byte(id.Recipient().String()))
	inTheWay := filepath.Join(folder, "files", name+".sealed")
	must(t, os.Mkdir(inTheWay, 0o700))
	hand(1)
	if err := bo.Sync(ctx, 0); err == nil {
		t.Error("the key was not kept, and nothing is said")
	}
	must(t, os.Remove(inTheWay))
	must(t, bo.Close())
	bo = again(t, folder)
	must(t, bo.Sync(ctx, 0))
	var e post.EpochKey
	if err := bo.Vault.Get(name, &e); err != nil || e.Secret != id.Secret() {
		t.Errorf("the key is lost: %v", err)
	}
}

// TestStrangersShares: somebody who sits nowhere hands over hundreds of shares of an archive
// key. Those of custodians restore the key all the same.
func TestStrangersShares(t *testing.T) {
	ctx := t.Context()
	w := found(t)
	bo := enrol(t, w, "bo", "centre.desk")
	must(t, bo.Sync(ctx, 0))
	id, err := seal.GenerateIdentity()
	must(t, err)
	hand := func(h post.Handed) {
		t.Helper()
		data, err := h.Seal(bo.Keys.Identity.Recipient().String())
		must(t, err)
		must(t, w.Authority.Client.PutParcel(ctx, data, []string{directory.PartyOf("bo")}))
	}
	split := func() ([]share.Share, *share.Vector, []byte) {
		secret := share.Generate()
		sealed, err := seal.SealKey([]byte(id.Secret()), secret.Key("epoch"))
		must(t, err)
		shares, vector, err := share.Split(secret, 2, 3)
		must(t, err)
		return shares, vector, sealed
	}
	for range 250 {
		shares, vector, sealed := split()
		hand(post.Handed{Office: "centre.desk", Number: 1, Share: shares[0].Encode(), Vector: vector.Encode(), Sealed: sealed})
	}
	shares, vector, sealed := split()
	hand(post.Handed{Office: "centre.desk", Number: 1, Share: []byte("of nothing"), Vector: vector.Encode(), Sealed: sealed})
	for _, one := range shares[:2] {
		hand(post.Handed{Office: "centre.desk", Number: 1, Share: one.Encode(), Vector: vector.Encode(), Sealed: sealed})
	}
	must(t, bo.Sync(ctx, 0))
	var e post.EpochKey
	if err := bo.Vault.Get(post.EpochName("centre.desk", 1, []byte(id.Recipient().String())), &e); err != nil || e.Secret != id.Secret() {
		t.Errorf("the key is not restored: %v; alarms %v", err, bo.Alarms())
	}
}
