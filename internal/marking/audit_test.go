package marking_test

import (
	"errors"
	"testing"

	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/marking"
	"chancery/internal/sign"
)

// TestAudit: a custodian whose turn it is may open a draw before it can serve a cable,
// and no cable is drawn from it then, also after a restart. Nobody else may, nor later.
func TestAudit(t *testing.T) {
	w := newTown(t)
	audit := func(p marking.Prepared, by string, change ...func(*entries.Audit)) error {
		t.Helper()
		_, v := w.packet(p, custodians[0])
		body := entries.Audit{Draw: p.Number, Root: w.drawRoot(p), Vector: v.Digest()}
		for _, c := range change {
			c(&body)
		}
		draw, void, err := w.desk.Audit(w.log1(entries.KindAudit, body, by))
		var stated entries.Void
		if err == nil && (draw != p.Number || sign.Open(void, entries.KindVoid, &stated, w.key("marking").Public()) != nil || stated.Draw != p.Number || stated.Release >= 0) {
			t.Errorf("the void of draw %d: %+v", draw, stated)
		}
		return err
	}
	usable := w.ready(1, custodians...)[0]
	unlogged, err := w.desk.Prepare(1)
	w.must(err)
	if err := audit(unlogged[0], custodians[0]); !errors.Is(err, fault.Mismatch) {
		t.Errorf("before the draw is in the log: %v", err)
	}
	_, v := w.packet(unlogged[0], custodians[1])
	if err := w.desk.ShareOK(w.log1(entries.KindShareOK, entries.ShareOK{Draw: unlogged[0].Number, Root: w.drawRoot(unlogged[0]), Vector: v.Digest()}, custodians[1])); !errors.Is(err, fault.Mismatch) {
		t.Errorf("a share-ok before the draw is in the log: %v", err)
	}
	fresh := w.ready(1)[0]
	for _, c := range []struct {
		name string
		err  error
		want error
	}{
		{"usable already", audit(usable, custodians[0]), fault.Permission},
		{"another's turn", audit(fresh, custodians[1]), fault.Permission},
		{"another root", audit(fresh, custodians[0], func(a *entries.Audit) { a.Root[0] ^= 1 }), fault.Mismatch},
		{"another vector", audit(fresh, custodians[0], func(a *entries.Audit) { a.Vector[0] ^= 1 }), fault.Mismatch},
		{"no such draw", audit(fresh, custodians[0], func(a *entries.Audit) { a.Draw = 99 }), fault.Mismatch},
		{"no custodian", audit(fresh, "ada"), fault.Mismatch},
		{"in time", audit(fresh, custodians[0]), nil},
		{"once more", audit(fresh, custodians[0]), nil},
		{"a second of twenty", audit(w.ready(1)[0], custodians[0]), fault.Permission},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v", c.name, c.err)
		}
	}
	if n := w.desk.Usable(); n != 1 {
		t.Errorf("%d draws are usable, not 1", n)
	}
	// What custodians say of it afterwards changes nothing.
	for _, c := range custodians {
		w.shareOK(fresh, c)
	}
	w.reopen()
	w.send("bo") // takes the usable one; behind it stands one that nobody answered for
	s := w.compose("bo")
	if _, err := w.desk.Release(w.log1(entries.KindRelease, s.body, "ada"), s.order); !errors.Is(err, fault.NotFound) {
		t.Errorf("a cable was drawn from a draw that lies open, or from one without its custodians: %v", err)
	}
	for _, p := range w.desk.Pending() {
		if p.Number == fresh.Number {
			t.Error("a draw that lies open is to be sent once more")
		}
	}
}

// TestAuditorsTakeTurns: in a row of draws each custodian has one of twenty in turn.
func TestAuditorsTakeTurns(t *testing.T) {
	count := map[int]int{}
	for draw := 1; draw <= 60*entries.AuditBlock; draw++ {
		a := entries.Auditor(draw, 3)
		count[a]++
		if draw%entries.AuditBlock != 0 && entries.Auditor(draw+1, 3) != a || draw%entries.AuditBlock == 0 && entries.Auditor(draw+1, 3) == a {
			t.Fatalf("after draw %d", draw)
		}
	}
	if len(count) != 3 || count[1] != count[2] || count[2] != count[3] {
		t.Errorf("%v", count)
	}
}
