package share_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"chancery/internal/fault"
	"chancery/internal/seal/share"
)

func split(t testing.TB, k, n int) (share.Secret, []share.Share, *share.Vector) {
	t.Helper()
	s := share.Generate()
	shares, v, err := share.Split(s, k, n)
	if err != nil {
		t.Fatal(err)
	}
	return s, shares, v
}

// TestAnyK restores the secret from every subset of three custodians of five, and
// from none of two.
func TestAnyK(t *testing.T) {
	s, shares, v := split(t, 3, 5)
	for set := range 1 << 5 {
		var some []share.Share
		for i, one := range shares {
			if set>>i&1 == 1 {
				some = append(some, one)
			}
		}
		got, err := share.Recover(some, v)
		switch {
		case len(some) < 3 && !errors.Is(err, fault.Permission):
			t.Errorf("%05b: %v", set, err)
		case len(some) >= 3 && (err != nil || got.Key("x") != s.Key("x")):
			t.Errorf("%05b: another secret, %v", set, err)
		}
	}
	if _, err := share.Recover([]share.Share{shares[0], shares[0], shares[0]}, v); !errors.Is(err, fault.Permission) {
		t.Errorf("one custodian three times: %v", err)
	}
	if s.Key("x") == s.Key("y") {
		t.Error("one key for two purposes")
	}
	if got := fmt.Sprintf("%v %+v %#v", s, s, s); got != "shared secret shared secret shared secret" {
		t.Errorf("printed as %s", got)
	}
}

// TestBadShare: whoever deals gives one custodian a share that would restore
// nothing, to make a later case impossible. The custodian sees it at once.
func TestBadShare(t *testing.T) {
	_, shares, v := split(t, 2, 3)
	_, others, _ := split(t, 2, 3)
	for i, s := range shares {
		if err := s.Verify(v, i+1, 2); err != nil {
			t.Error(err)
		}
		if err := s.Verify(v, i+2, 2); !errors.Is(err, fault.Mismatch) {
			t.Errorf("another number than the custodian's: %v", err)
		}
		if err := s.Verify(v, i+1, 3); !errors.Is(err, fault.Mismatch) {
			t.Errorf("another threshold than agreed: %v", err)
		}
		if err := others[i].Verify(v, i+1, 2); !errors.Is(err, fault.Mismatch) {
			t.Errorf("a share of another secret: %v", err)
		}
		moved := s
		moved.Number = s.Number%3 + 1
		if err := moved.Verify(v, moved.Number, 2); !errors.Is(err, fault.Mismatch) {
			t.Errorf("another custodian's share: %v", err)
		}
	}
	if _, err := share.Recover([]share.Share{shares[0], others[1]}, v); !errors.Is(err, fault.Mismatch) {
		t.Errorf("restored with a bad share: %v", err)
	}
	_, _, three := split(t, 3, 3)
	if err := shares[0].Verify(three, 1, 3); !errors.Is(err, fault.Mismatch) {
		t.Errorf("a share under another threshold: %v", err)
	}
}

func TestFormats(t *testing.T) {
	s, shares, v := split(t, 2, 3)
	w, err := share.ParseVector(v.Encode())
	if err != nil || w.Digest() != v.Digest() || w.Threshold() != 2 {
		t.Fatal(err)
	}
	var read []share.Share
	for _, one := range shares[1:] {
		r, err := share.ParseShare(one.Encode())
		if err != nil {
			t.Fatal(err)
		}
		read = append(read, r)
	}
	if got, err := share.Recover(read, w); err != nil || got.Key("x") != s.Key("x") {
		t.Errorf("%v", err)
	}
	for _, c := range [][2]int{{1, 3}, {4, 3}, {0, 0}, {2, share.MaxCustodians + 1}} {
		if _, _, err := share.Split(s, c[0], c[1]); !errors.Is(err, fault.Usage) {
			t.Errorf("%d of %d: %v", c[0], c[1], err)
		}
	}
	high := bytes.Repeat([]byte{0xff}, 32) // no scalar is so large
	for name, bad := range map[string][]byte{
		"nothing": nil, "a vector": v.Encode(), "cut": shares[0].Encode()[:40], "longer": append(shares[0].Encode(), 0),
		"number zero": append([]byte("chancery-share/v1\n\x00\x00\x00\x00"), make([]byte, 32)...),
		"too large":   append([]byte("chancery-share/v1\n\x00\x00\x00\x01"), high...),
	} {
		if _, err := share.ParseShare(bad); !errors.Is(err, fault.Input) {
			t.Errorf("a share, %s: %v", name, err)
		}
	}
	identity := append(append([]byte{}, v.Encode()[:len(v.Encode())-32]...), make([]byte, 32)...)
	for name, bad := range map[string][]byte{
		"nothing": nil, "a share": shares[0].Encode(), "cut": v.Encode()[:50], "a point at infinity": identity,
		"no point": append(append([]byte{}, v.Encode()[:len(v.Encode())-32]...), high...),
	} {
		if _, err := share.ParseVector(bad); !errors.Is(err, fault.Input) {
			t.Errorf("a vector, %s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	_, shares, v := split(f, 2, 3)
	f.Add(shares[0].Encode())
	f.Add(v.Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := share.ParseShare(data); err == nil && !bytes.Equal(s.Encode(), data) {
			t.Fatal("a share in another spelling")
		}
		if w, err := share.ParseVector(data); err == nil {
			if !bytes.Equal(w.Encode(), data) {
				t.Fatal("a vector in another spelling")
			}
			_ = shares[0].Verify(w, 1, w.Threshold()) // any answer, no panic
		}
	})
}
