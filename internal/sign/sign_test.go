package sign

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"chancery/internal/fault"
)

type leave struct {
	Seat string `json:"seat"`
	Days int    `json:"days"`
}

func signed(t testing.TB, keys ...*Key) []byte {
	t.Helper()
	s, err := Sign("leave", leave{"bonn.registry", 3}, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStatement(t *testing.T) {
	a, b := Generate(), Generate()
	s := signed(t, a, b)
	var got leave
	if err := Open(s, "leave", &got, a.Public(), b.Public()); err != nil {
		t.Fatal(err)
	}
	if got != (leave{"bonn.registry", 3}) {
		t.Errorf("%+v", got)
	}
	kind, signers, err := Claims(s)
	if err != nil || kind != "leave" || len(signers) != 2 || signers[0] != a.Public().ID() || signers[1] != b.Public().ID() {
		t.Errorf("%s, %v, %v", kind, signers, err)
	}
}

// TestEveryByteCounts says that no byte of a statement can be changed, taken
// out or doubled: a statement has one spelling, so its digest names it.
func TestEveryByteCounts(t *testing.T) {
	k := Generate()
	s := signed(t, k)
	try := func(what string, i int, forged []byte) {
		t.Helper()
		if Open(forged, "leave", &leave{}, k.Public()) == nil {
			t.Errorf("%s byte %d goes unnoticed", what, i)
		}
	}
	for i := range s {
		for _, c := range []byte{s[i] ^ 1, s[i] ^ 0x20, '\n', ' ', 'A'} {
			if c != s[i] {
				forged := bytes.Clone(s)
				forged[i] = c
				try("changed", i, forged)
			}
		}
		try("missing", i, append(bytes.Clone(s[:i]), s[i+1:]...))
		try("doubled", i, append(bytes.Clone(s[:i+1]), s[i:]...))
	}
}

// TestBothAlgorithms: a thief of one of the two keys, or a day on which one of
// the two schemes is broken. One good signature and one bad one are none.
func TestBothAlgorithms(t *testing.T) {
	k, other := Generate(), Generate()
	lines := bytes.SplitAfter(signed(t, k), []byte("\n"))
	n := len(lines) - 1 // after the last newline
	swap := func(i int) []byte {
		mixed := &Key{k.ed, k.ml, k.public, ""}
		if i == 0 {
			mixed.ed = other.ed
		} else {
			mixed.ml = other.ml
		}
		return signed(t, mixed)
	}
	for name, forged := range map[string][]byte{
		"without Ed25519":   bytes.Join(append(slices.Clone(lines[:n-2]), lines[n-1]), nil),
		"without ML-DSA-44": bytes.Join(lines[:n-1], nil),
		"the other way":     bytes.Join(append(slices.Clone(lines[:n-2]), lines[n-1], lines[n-2]), nil),
		"twice Ed25519":     bytes.Join(append(slices.Clone(lines[:n-2]), lines[n-2], lines[n-2]), nil),
		"another's Ed25519": swap(0),
		"another's ML-DSA":  swap(1),
	} {
		if err := Open(forged, "leave", &leave{}, k.Public()); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestRefusals(t *testing.T) {
	a, b := Generate(), Generate()
	s := signed(t, a)
	for _, c := range []struct {
		name string
		err  error
		want fault.Kind
	}{
		{"another kind", Open(s, "arrival", &leave{}, a.Public()), fault.Input},
		{"another signer", Open(s, "leave", &leave{}, b.Public()), fault.Mismatch},
		{"one signer too few", Open(s, "leave", &leave{}, a.Public(), b.Public()), fault.Mismatch},
		{"one signer too many", Open(signed(t, a, b), "leave", &leave{}, a.Public()), fault.Mismatch},
		{"the other order", Open(signed(t, a, b), "leave", &leave{}, b.Public(), a.Public()), fault.Mismatch},
		{"one signer twice", Open(signed(t, a, a), "leave", &leave{}, a.Public(), b.Public()), fault.Mismatch},
		{"no statement", Open([]byte("chancery statement/v1 leave\n{}\n"), "leave", &leave{}, a.Public()), fault.Input},
		{"nothing", Open(nil, "leave", &leave{}, a.Public()), fault.Input},
		{"too long", Open(bytes.Repeat([]byte("a"), MaxStatement+1), "leave", &leave{}, a.Public()), fault.Input},
		{"an unknown field", Open(signed(t, a), "leave", &struct{ Seat string }{}, a.Public()), fault.Input},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v", c.name, c.err)
		}
	}
	if _, err := Sign("leave", strings.Repeat("x", MaxStatement), a); !errors.Is(err, fault.Input) {
		t.Errorf("a long body: %v", err)
	}
	for _, kind := range []string{"", "Leave", "a b", "a\nb", "-a", "a-", strings.Repeat("a", 41)} {
		if _, err := Sign(kind, leave{}, a); err == nil {
			t.Errorf("the kind %q is taken", kind)
		}
	}
}

func TestKeys(t *testing.T) {
	k := Generate()
	same, err := ParseKey(k.Secret() + "\n")
	if err != nil || same.Public().ID() != k.Public().ID() {
		t.Fatal(same, err)
	}
	p, err := ParsePublic(k.Public().String())
	if err != nil || p.ID() != k.Public().ID() {
		t.Fatal(p, err)
	}
	if id, err := ParseID(p.ID().String()); err != nil || id != p.ID() {
		t.Fatal(id, err)
	}
	secret := k.Secret()
	for i := range secret {
		altered := secret[:i] + "B" + secret[i+1:]
		if altered == secret {
			continue
		}
		if _, err := ParseKey(altered); err == nil {
			t.Fatalf("a typing error at %d is taken", i)
		} else if strings.Contains(err.Error(), secret[30:50]) {
			t.Fatalf("the message shows the key: %v", err)
		}
	}
	for _, shown := range []string{fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k)} {
		if strings.Contains(shown, secret[len(secretPrefix):len(secretPrefix)+20]) || len(shown) > 60 {
			t.Errorf("printed as %s", shown)
		}
	}
	for _, bad := range []string{"", "chancery-sign-1-", k.Public().String()[:900], k.Public().String() + "AA", k.Secret()} {
		if _, err := ParsePublic(bad); !errors.Is(err, fault.Input) {
			t.Errorf("%.30q: %v", bad, err)
		}
	}
}

// TestNoteKeys opens what a log and a witness sign with the verifiers that
// others use.
func TestNoteKeys(t *testing.T) {
	k, err := GenerateNoteKey("registry.example/log")
	if err != nil {
		t.Fatal(err)
	}
	k, err = ParseNoteKey(k.Secret())
	if err != nil {
		t.Fatal(err)
	}
	w, err := GenerateNoteKey("witness.example/1")
	if err != nil {
		t.Fatal(err)
	}
	const text = "registry.example/log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
	signed, err := k.SignCheckpoint(text)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := w.Cosign(text)
	if err != nil {
		t.Fatal(err)
	}
	var verifiers []note.Verifier
	for _, vkey := range append(k.LogVKeys(), w.WitnessVKeys()...) {
		v, err := NewVerifier(vkey)
		if err != nil {
			t.Fatal(err)
		}
		verifiers = append(verifiers, v)
	}
	n, err := note.Open(append(signed, lines...), note.VerifierList(verifiers...))
	if err != nil || len(n.Sigs) != 4 {
		t.Fatalf("%d signatures verify, %v", len(n.Sigs), err)
	}
	if shown := fmt.Sprintf("%v %+v %#v", k, k, k); strings.Contains(shown, "PRIVATE") {
		t.Errorf("printed as %s", shown)
	}
	for _, name := range []string{"", "a b", "a+b", strings.Repeat("a", 256)} {
		if _, err := GenerateNoteKey(name); !errors.Is(err, fault.Usage) {
			t.Errorf("the name %q: %v", name, err)
		}
	}
	for _, bad := range []string{"", "x", k.LogVKeys()[0] + "A", k.LogVKeys()[1][:100], "a+00000000+AQAA"} {
		if _, err := NewVerifier(bad); err == nil {
			t.Errorf("%.40q is taken for a key", bad)
		}
	}
	for _, bad := range []string{"", k.ed + "\n", k.ed + "\n" + w.ml + "\n", k.Secret() + "\n"} {
		if _, err := ParseNoteKey(bad); !errors.Is(err, fault.Key) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	k := Generate()
	good := signed(f, k)
	f.Add(good)
	f.Add([]byte("chancery statement/v1 leave\n{}\n\n— x y\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _, err := Claims(data)
		if err != nil && fault.KindOf(err) != fault.Input {
			t.Fatalf("%v", err)
		}
		if Open(data, "leave", &leave{}, k.Public()) == nil && !bytes.Equal(data, good) {
			t.Fatal("a second statement")
		}
	})
}

func BenchmarkSign(b *testing.B) {
	k := Generate()
	for b.Loop() {
		signed(b, k)
	}
}

func BenchmarkOpen(b *testing.B) {
	k := Generate()
	s := signed(b, k)
	for b.Loop() {
		if err := Open(s, "leave", &leave{}, k.Public()); err != nil {
			b.Fatal(err)
		}
	}
}
