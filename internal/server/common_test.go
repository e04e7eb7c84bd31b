package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"chancery/internal/custody"
	"chancery/internal/fault"
	"chancery/internal/server/servertest"
)

// TestCommon: what letters have in common comes with each of them, of its own entry
// alone, to whom a letter is and to nobody else; and an answer holds no more for it.
func TestCommon(t *testing.T) {
	h := servertest.New(t, servertest.Options{})
	ada, bo := h.Person("ada"), h.Person("bo")
	letter := func(party, text string) custody.Body {
		return custody.Body{Party: party, Data: []byte(custody.InCommon + text)}
	}
	wide := func(text string, bodies ...custody.Body) custody.Submission {
		return custody.Submission{Commitment: custody.NewEntry([]byte(text)).Commitment(), Bodies: bodies}
	}
	const large = 1 << 20
	all := []custody.Submission{
		wide("1", custody.Body{Party: custody.Common, Data: []byte("of the first")}, letter("person:ada", "one"), letter("person:bo", "two")),
		wide("2", letter("person:ada", "without")),
		wide("3", custody.Body{Party: custody.Common, Data: []byte("of the third")}, custody.Body{Party: "person:ada", Data: []byte("does not ask")}),
	}
	for n := range 12 {
		all = append(all, wide(fmt.Sprint("large", n), custody.Body{Party: custody.Common, Data: make([]byte, large)}, letter("person:bo", "x")))
	}
	at, err := h.Custody.Append(context.Background(), all...)
	check(t, err)
	want := map[int64]string{at[0]: "of the first", at[1]: "", at[2]: ""}
	out, status := speak(h, ada.Device).feed(fmt.Sprintf("party=person:ada&index=%d", at[0]))
	if status != 200 || len(out.Entries) != 3 {
		t.Fatalf("%d, %d entries", status, len(out.Entries))
	}
	for _, e := range out.Entries {
		if string(e.Common) != want[e.Index] {
			t.Errorf("entry %d: %q", e.Index, e.Common)
		}
	}
	v := speak(h, bo.Device)
	out, _ = v.feed(fmt.Sprintf("party=person:bo&index=%d", at[0]))
	if len(out.Entries) == 0 || string(out.Entries[0].Common) != "of the first" || !bytes.HasSuffix(out.Entries[0].Data, []byte("two")) {
		t.Errorf("%v", out.Entries)
	}
	if n := len(out.Entries); n > 9 || !out.More {
		t.Errorf("one answer holds %d entries with a megabyte each", n)
	}
	// Small bodies for one party, each of which would have the large one sent along.
	twice := wide("many", custody.Body{Party: custody.Common, Data: make([]byte, large)}, letter("person:bo", "1"), letter("person:bo", "2"))
	if _, err := h.Custody.Append(context.Background(), twice); !errors.Is(err, fault.Input) {
		t.Errorf("two letters of one entry for one party: %v", err)
	}
	if _, status := v.feed("party=common"); status != 403 {
		t.Errorf("asked for by itself: %d", status)
	}
}
