package keylist_test

import (
	"bytes"
	"errors"
	"testing"

	"chancery/internal/fault"
	"chancery/internal/keylist"
)

// FuzzParts: what is read is what was written, and nothing else is read.
func FuzzParts(f *testing.F) {
	list := make(keylist.List, 5)
	for j := range list {
		list[j] = keylist.Choice{Box: byte(j), Key: keylist.Key{byte(j), 7}}
	}
	p, err := list.Parts([]int{0, 2, 4})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.Encode())
	f.Add(list.Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := keylist.ParseParts(data)
		if err != nil {
			if !errors.Is(err, fault.Input) {
				t.Error(err)
			}
			return
		}
		if !bytes.Equal(p.Encode(), data) {
			t.Error("read in two ways")
		}
	})
}

// TestParts: segments that are not there, twice or out of order are refused; all of
// them have the root of the whole list.
func TestParts(t *testing.T) {
	list := make(keylist.List, 4)
	for j := range list {
		list[j].Key[0] = byte(j)
	}
	all, err := list.Parts([]int{0, 1, 2, 3})
	if err != nil || all.Root() != list.Root() {
		t.Error(err)
	}
	for _, bad := range [][]int{nil, {4}, {-1}, {1, 1}, {2, 1}} {
		if _, err := list.Parts(bad); !errors.Is(err, fault.Input) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
