package cable

import "testing"

func TestSmoke(t *testing.T) {
	d, err := Parse([]byte("Subject: x\n\nThe team is {inept|clumsy|out of its depth} and {\\pm: the premier|she} un{happy|content}ly {very |}good.\n\nSo {\\pm} said.\n"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%q", d.Canonical())
	t.Logf("%q", d.RecordText())
	for _, s := range d.Segments() {
		t.Logf("%q", d.Renderings(s))
	}
	l := d.Lattice()
	for i, n := range l.Nodes {
		w := "-"
		if n.Word >= 0 {
			w = l.Vocabulary[n.Word]
		}
		t.Log(i, w, n.Prev, n.Entry, n.Gap, n.Cluster)
	}
}
