package post

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestHandedIsBounded: anybody may hand anything to anybody; what is taken is small, and of
// a share no more is kept than it takes.
func TestHandedIsBounded(t *testing.T) {
	encode := func(h Handed) []byte {
		h.Format = handedFormat
		data, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, tt := range map[string]struct {
		h  Handed
		ok bool
	}{
		"a share":           {Handed{Office: "centre.desk", Share: []byte("s"), Vector: []byte("v")}, true},
		"a long inventory":  {Handed{Office: "centre.desk", Inventory: []string{strings.Repeat("x", maxHanded)}}, false},
		"a long statement":  {Handed{Office: "centre.desk", Statement: make([]byte, maxSecret+1)}, false},
		"a long share":      {Handed{Office: "centre.desk", Share: make([]byte, maxSecret+1)}, false},
		"a long sealed key": {Handed{Office: "centre.desk", Sealed: make([]byte, maxSecret+1)}, false},
	} {
		if _, ok := ParseHanded(encode(tt.h)); ok != tt.ok {
			t.Errorf("%s: %v", name, ok)
		}
	}
	h := Handed{Office: "centre.desk", Number: 1, Share: []byte("s"), Vector: []byte("v"), Sealed: []byte("k"), Inventory: []string{"<<<"}, Keys: []EpochKey{{}}, Statement: []byte("x"), By: "mallory"}
	if kept := encode(h.OfShare()); strings.Contains(string(kept), "inventory") || strings.Contains(string(kept), "mallory") || strings.Contains(string(kept), "statement") {
		t.Errorf("%s", kept)
	}
}
