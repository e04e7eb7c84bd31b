package marking_test

import (
	"testing"

	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/seal"
	"chancery/internal/sign"
)

func (w *town) archiveAsk(c *sent, person, key string) (out any, err error) {
	s := w.log1(entries.KindArchive, entries.Archive{Cable: c.body.Cable, Release: c.seen.Index, Office: "centre.desk", Tenure: "t-" + person}, key)
	return w.desk.Archive(s)
}

// newDevice gives bo's new keys a device.
func (w *town) newDevice(person string) {
	w.appoint(directory.KindDevice, directory.Device{Person: person, Sign: w.key("device of new " + person).Public(), Name: "new"}, "new "+person, "device of new "+person)
}

// Release in the log (its letter sealed to the old keys), then new keys, then the issue.
func TestNewKeysBetweenReleaseAndIssue(t *testing.T) {
	w := newTown(t)
	w.ready(1, custodians...)
	c := w.compose("bo", "cy")
	c.seen = w.log1(entries.KindRelease, c.body, "ada")
	w.rekey("bo")
	statement, err := w.desk.Release(w.again(c.seen), c.order)
	w.must(err)
	c.issue = w.logged(statement)
	w.must(w.desk.Logged(c.issue))
	if _, err := w.archiveAsk(c, "bo", "new bo"); err != nil {
		t.Errorf("the release was sealed to keys that are lost, and no copy is given to the new ones: %v", err)
	}
}

// A late copy is decided on (file written), its issue is not logged (line lost, crash); then
// new keys.
func TestNewKeysBeforeALateIssue(t *testing.T) {
	w := newTown(t)
	w.ready(1, custodians...)
	c := w.send("cy")
	s := w.log1(entries.KindArchive, entries.Archive{Cable: c.body.Cable, Release: c.seen.Index, Office: "centre.desk", Tenure: "t-bo"}, "bo")
	_, err := w.desk.Archive(s) // and the statement is not logged
	w.must(err)
	w.rekey("bo")
	w.reopen()
	if _, err := w.desk.Archive(w.again(s)); err == nil {
		t.Log("the first request is answered again")
	} else {
		t.Log("the first request, attended to again:", err)
	}
	if _, err := w.archiveAsk(c, "bo", "new bo"); err != nil {
		t.Errorf("bo never had a copy, and gets none for ever: %v", err)
	}
}

// The same with an archive copy that was issued again (second new keys in a row).
func TestHandedOverAgainIsNeverWithheld(t *testing.T) {
	w := newTown(t)
	w.ready(1, custodians...)
	c := w.send("bo", "cy")
	_, err := w.desk.Deliver(w.receipt(c, "bo"))
	w.must(err)
	w.rekey("bo")
	w.newDevice("bo")
	ask := w.log1(entries.KindArchive, entries.Archive{Cable: c.body.Cable, Release: c.seen.Index, Office: "centre.desk", Tenure: "t-bo"}, "new bo")
	l, err := w.desk.Archive(ask)
	w.must(err)
	issue := w.logged(l.Statement)
	w.must(w.desk.Logged(issue))
	w.keys["old bo"], w.keys["bo"] = w.keys["bo"], w.keys["new bo"]
	w.keys["device of bo"] = w.keys["device of new bo"]
	r := w.receipt(c, "bo", func(b *entries.Receipt) {
		b.Issue = issue.Index
		b.Device = directory.Device{Person: "bo", Sign: w.key("device of new bo").Public(), Name: "new"}.ID()
	})
	out, err := w.desk.Deliver(r)
	w.must(err)
	if out.Sealed == nil {
		t.Fatal("nothing delivered", out.Reason)
	}
	if _, err := seal.Open(out.Sealed, w.id("new bo")); err != nil {
		t.Fatal(err)
	}
	w.must(w.desk.Flush())
	_, err = w.desk.Recall(w.log1(entries.KindRecall, entries.Recall{Cable: c.body.Cable, Release: c.seen.Index}, "ada"))
	w.must(err)
	w.reopen()
	out, err = w.desk.Deliver(w.renew(r))
	w.must(err)
	if out.Withheld != nil {
		t.Errorf("keys were handed over on this receipt, and the log is told that they were withheld: %s", out.Reason)
	}
}

// Two devices of one person, both handed keys, then a recall and a restart.
func TestHandedOverToTwoDevices(t *testing.T) {
	w := newTown(t)
	w.ready(1, custodians...)
	c := w.send("bo", "cy")
	_, err := w.desk.Deliver(w.receipt(c, "bo"))
	w.must(err)
	w.appoint(directory.KindDevice, directory.Device{Person: "bo", Sign: w.key("device two of bo").Public(), Name: "travel"}, "bo", "device two of bo")
	w.keys["device of bo"] = w.keys["device two of bo"]
	r := w.receipt(c, "bo")
	out, err := w.desk.Deliver(r)
	w.must(err)
	if out.Sealed == nil {
		t.Fatal(out.Reason)
	}
	w.must(w.desk.Flush())
	_, err = w.desk.Recall(w.log1(entries.KindRecall, entries.Recall{Cable: c.body.Cable, Release: c.seen.Index}, "ada"))
	w.must(err)
	w.reopen()
	out, err = w.desk.Deliver(w.renew(r))
	w.must(err)
	if out.Withheld != nil {
		t.Errorf("keys were handed over on this receipt, and the log is told that they were withheld: %s", out.Reason)
	}
}

// Slots after an issue again and a restart.
func TestSlotsStayWhenIssuedAgain(t *testing.T) {
	w := newTown(t)
	w.ready(1, custodians...)
	c := w.send("cy")
	issue := func(person, key string) entries.Issue {
		t.Helper()
		s := w.log1(entries.KindArchive, entries.Archive{Cable: c.body.Cable, Release: c.seen.Index, Office: "centre.desk", Tenure: "t-" + person}, key)
		l, err := w.desk.Archive(s)
		w.must(err)
		w.must(w.desk.Logged(w.logged(l.Statement)))
		var b entries.Issue
		w.must(sign.Open(l.Statement, entries.KindIssue, &b, w.key("marking").Public()))
		return b
	}
	if b := issue("bo", "bo"); b.First != 2 {
		t.Error(b.First)
	}
	w.rekey("bo")
	if b := issue("bo", "new bo"); b.First != 2 {
		t.Error(b.First)
	}
	w.reopen()
	w.rekey("cy")
	if b := issue("cy", "new cy"); b.First != 1 {
		t.Error(b.First)
	}
	w.reopen()
	if b := issue("di", "di"); b.First != 3 {
		t.Error(b.First)
	}
	w.reopen()
	w.rekey("di")
	if b := issue("di", "new di"); b.First != 3 {
		t.Error(b.First)
	}
}

// Three keys in a row, and a request replayed each time.
func TestNewKeysThreeTimes(t *testing.T) {
	w := newTown(t)
	w.ready(1, custodians...)
	c := w.send("bo", "cy")
	old := ""
	for range 3 {
		delete(w.ids, "new bo")
		w.rekey("bo")
		s := w.log1(entries.KindArchive, entries.Archive{Cable: c.body.Cable, Release: c.seen.Index, Office: "centre.desk", Tenure: "t-bo"}, "new bo")
		l, err := w.desk.Archive(s)
		w.must(err)
		w.must(w.desk.Logged(w.logged(l.Statement)))
		if old != "" && l.Copy.ID != old {
			t.Error("another copy")
		}
		old = l.Copy.ID
		if _, err := w.desk.Archive(w.logged(s.Entry.Statement)); err == nil {
			t.Error("a replay is issued")
		}
		// the issue logged again much later does not make it newer
		w.reopen()
		w.must(w.desk.Logged(w.logged(l.Statement)))
	}
}

// The disk is full while a copy is issued again; then it is not.
func TestIssuedAgainOnAFullDisk(t *testing.T) {
	w := newTown(t)
	w.ready(1, custodians...)
	c := w.send("bo", "cy")
	w.rekey("bo")
	s := w.log1(entries.KindArchive, entries.Archive{Cable: c.body.Cable, Release: c.seen.Index, Office: "centre.desk", Tenure: "t-bo"}, "new bo")
	w.files.fail = true
	if _, err := w.desk.Archive(s); err == nil {
		t.Fatal("no error")
	}
	w.files.fail = false
	l, err := w.desk.Archive(s)
	w.must(err)
	twice, err := w.desk.Archive(s)
	w.must(err)
	if string(l.Statement) != string(twice.Statement) || l.Copy.ID != c.copies[0].ID {
		t.Error("another")
	}
	w.reopen()
	twice, err = w.desk.Archive(s)
	w.must(err)
	if string(l.Statement) != string(twice.Statement) {
		t.Error("another after a restart")
	}
}

// The old keys ask, and receipt, after the new ones; a recalled cable is not issued again; the
// new keys cannot use another's copy.
func TestOldKeysAreGivenNothing(t *testing.T) {
	w := newTown(t)
	w.ready(1, custodians...)
	c := w.send("bo", "cy")
	w.rekey("bo")
	w.newDevice("bo")
	if _, err := w.archiveAsk(c, "bo", "bo"); err == nil {
		t.Error("the old keys are given a copy")
	}
	if out, err := w.desk.Deliver(w.receipt(c, "bo")); err == nil && out.Sealed != nil {
		t.Error("the old keys are given a list")
	}
	s := w.log1(entries.KindArchive, entries.Archive{Cable: c.body.Cable, Release: c.seen.Index, Office: "centre.desk", Tenure: "t-cy"}, "new bo")
	if _, err := w.desk.Archive(s); err == nil {
		t.Error("in cy's tenure")
	}
	_, err := w.desk.Recall(w.log1(entries.KindRecall, entries.Recall{Cable: c.body.Cable, Release: c.seen.Index}, "ada"))
	w.must(err)
	if _, err := w.archiveAsk(c, "bo", "new bo"); err == nil {
		t.Error("a recalled cable is issued again")
	}
}
