package directory_test

import (
	"testing"

	"chancery/internal/directory"
)

// TestClone: what is tried on a clone is seen there, and the directory stays as it was,
// whatever kind of statement it is.
func TestClone(t *testing.T) {
	m := staffed(t)
	m.do(directory.KindDevice, m.device("bo", "phone"), "bo", "phone")
	before := m.String()
	head := m.Head(1 << 40)
	for kind, s := range map[string][]byte{
		directory.KindPerson:    m.sign(directory.KindPerson, m.person("cy"), "authority", "cy"),
		directory.KindDevice:    m.sign(directory.KindDevice, m.device("ada", "desk of ada"), "ada", "desk of ada"),
		directory.KindRevoked:   m.sign(directory.KindRevoked, m.device("bo", "phone"), "bo"),
		directory.KindOffice:    m.sign(directory.KindOffice, directory.Office{Office: "new", Title: "New"}, "authority"),
		directory.KindSeat:      m.sign(directory.KindSeat, directory.Seat{Office: "centre.desk", Seat: "third", Title: "Third"}, "authority"),
		directory.KindTenure:    m.sign(directory.KindTenure, directory.Tenure{ID: "t9", Office: "centre.desk", Seat: "deputy", Person: "ada", From: day(1)}, "authority", "ada"),
		directory.KindTenureEnd: m.sign(directory.KindTenureEnd, directory.TenureEnd{Tenure: "t2", Until: day(9)}, "authority", "bo"),
		directory.KindEpoch:     m.sign(directory.KindEpoch, directory.Epoch{Office: "centre.desk", Number: 1, Recipient: m.recipient()}, "authority", "bo"),
		directory.KindList:      m.sign(directory.KindList, directory.List{List: "all", Version: 1, Offices: []string{"centre.desk"}}, "authority"),
	} {
		// Twice: if the first try had changed the directory, the second would be refused.
		for range 2 {
			trial := m.Clone()
			if _, err := trial.Add(m.next, s); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
			if trial.Head(1<<40) == head {
				t.Errorf("%s: the clone did not take it", kind)
			}
		}
	}
	if m.String() != before || m.Head(1<<40) != head {
		t.Error("the directory changed with its clones")
	}
	if _, err := m.Holder("centre.desk", "deputy", day(2).Time); err == nil {
		t.Error("somebody sits where nobody was appointed")
	}
	if h, err := m.Holder("centre.desk", "head", day(20).Time); err != nil || h.Person != "bo" {
		t.Errorf("a tenure ended that did not: %v", err)
	}
	if _, err := m.ByDevice(m.device("bo", "phone").ID()); err != nil {
		t.Errorf("a device was revoked that was not: %v", err)
	}
	if devices := m.Devices("ada"); len(devices) != 0 {
		t.Errorf("%d devices of a trial", len(devices))
	}
}
