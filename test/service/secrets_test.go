package service

import (
	"encoding/base64"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/cable"
	"chancery/internal/attend"
	"chancery/internal/custody"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/keylist"
	"chancery/internal/post"
	"chancery/internal/seal"
	"chancery/internal/sign"
	"chancery/internal/store"
	"chancery/internal/vault"
)

// words adds the words of every wording of every draft.
func (h *hunt) words(t testing.TB) {
	t.Helper()
	rng := mathrand.New(mathrand.NewPCG(7, 30))
	for _, text := range drafts {
		d, err := cable.Parse([]byte(text))
		must(t, err)
		for range 500 {
			choices := d.Sizes()
			for g, size := range choices {
				choices[g] = rng.IntN(size)
			}
			h.text(d.Render(choices))
		}
	}
}

// signing adds a signing key: its text and both its seeds.
func (h *hunt) signing(t testing.TB, name string, k *sign.Key) {
	t.Helper()
	h.secret(name, k.Secret())
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(k.Secret(), "CHANCERY-SIGN-SECRET-1-"))
	must(t, err)
	if len(raw) < 64 {
		t.Fatalf("a signing key of %d bytes", len(raw))
	}
	h.raw(name+", Ed25519 seed", raw[:32])
	h.raw(name+", ML-DSA seed", raw[32:64])
}

// identity adds an age identity: its text and its seed.
func (h *hunt) identity(t testing.TB, name, file string) {
	t.Helper()
	n := 0
	for line := range strings.Lines(file) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "AGE-SECRET-KEY-PQ-1") {
			continue
		}
		n++
		h.secret(name, line)
		h.raw(name+", seed", bech32Data(t, line))
	}
	if n != 1 {
		t.Fatalf("%s: %d identities", name, n)
	}
}

// bech32Data is what a bech32 text says, its checksum unverified.
func bech32Data(t testing.TB, s string) []byte {
	t.Helper()
	const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	_, data, _ := strings.Cut(strings.ToLower(s), "-pq-1")
	var out []byte
	var bits, have int
	for _, c := range data[:len(data)-6] {
		bits, have = bits<<5|strings.IndexRune(alphabet, c), have+5
		if have >= 8 {
			have -= 8
			out = append(out, byte(bits>>have))
			bits &= 1<<have - 1
		}
	}
	if len(out) != 32 {
		t.Fatalf("a seed of %d bytes", len(out))
	}
	return out
}

// note adds the key of a log or a witness: PRIVATE+KEY+name+hash+base64, twice.
func (h *hunt) note(t testing.TB, name, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		h.secret(name, line)
		parts := strings.SplitN(strings.TrimSpace(line), "+", 5)
		raw, err := base64.StdEncoding.DecodeString(parts[4])
		must(t, err)
		h.raw(name+", seed", raw[1:])
	}
}

// people adds the keys of all persons, devices and parties, and custodians' shares.
func (h *hunt) people(t testing.TB, in *house) {
	t.Helper()
	for id := range in.desks {
		data, err := os.ReadFile(in.path("desks", id, "desk.key"))
		must(t, err)
		k, err := desk.ParseKeys("desk.key", data)
		must(t, err)
		h.signing(t, "key of a person", k.Person)
		h.signing(t, "key of a device", k.Device)
		h.identity(t, "identity of a person", string(seal.FormatIdentities(time.Now(), k.Identity)))
	}
	epochs, err := in.desks["bo"].Vault.Names("epoch-")
	must(t, err)
	if len(epochs) != 1 {
		t.Errorf("an office has the keys %q", epochs)
	}
	for _, name := range epochs {
		var e post.EpochKey
		must(t, in.desks["bo"].Vault.Get(name, &e))
		h.identity(t, "key of an office", e.Secret)
	}
	for i, k := range in.authority.Keys {
		h.signing(t, fmt.Sprintf("key of authority %d", i+1), k)
	}
	parties := map[string]attend.Keys{"marking desk": in.keys("marking"), "overseer": in.keys("overseers", "inspector")}
	for _, name := range custodians {
		parties["custodian"+" "+name] = in.keys("custodians", name)
	}
	for name, k := range parties {
		h.signing(t, "key of the "+name, k.Sign)
		h.identity(t, "identity of the "+name, string(seal.FormatIdentities(time.Now(), k.Identity)))
	}
	opened := map[int]bool{} // draws that a custodian chose to open: their shares lie open
	shares := map[string][]attend.Share{}
	for _, name := range custodians {
		v := vault.New(in.path("ministry", "custodians", name, "files"), parties["custodian "+name].Sign.Derive("custodian files"))
		names, err := v.Names("")
		must(t, err)
		if len(names) < 2 {
			t.Errorf("%s keeps %d shares", name, len(names))
		}
		for _, one := range names {
			var s attend.Share
			if v.Get(one, &s) != nil || len(s.Share) <= 32 {
				continue
			}
			shares[name] = append(shares[name], s)
			if e, err := custody.ParseEntry(s.Word); err == nil {
				kind, _, err := sign.Claims(e.Statement)
				must(t, err)
				opened[s.Draw] = opened[s.Draw] || kind == entries.KindAudit
			}
		}
	}
	if n := len(slices.DeleteFunc(slices.Collect(maps.Values(opened)), func(o bool) bool { return !o })); n > len(opened)/2 {
		t.Errorf("%d of %d draws are opened", n, len(opened))
	}
	for name, all := range shares {
		for _, s := range all {
			if s.Draw == 0 || !opened[s.Draw] {
				h.raw("share of "+name, s.Share[len(s.Share)-32:])
			}
		}
	}
	text, err := os.ReadFile(in.path("witness", "witness.key"))
	must(t, err)
	h.note(t, "key of the witness", string(text))
}

// cables adds what opens each cable, and returns the boxes' keys alone. The order of
// each is taken from the registry and opened with the marking desk's identity.
func (h *hunt) cables(t testing.TB, in *house, s *store.Store) *hunt {
	t.Helper()
	marking := in.keys("marking").Identity
	boxes := newHunt()
	for ref := range drafts {
		var item desk.Item
		for _, id := range []string{"ada", "bo"} {
			if i, err := in.desks[id].Find(ref); err == nil && i.Key != "" {
				item = i
				h.identity(t, "identity of a kit", i.Key)
			}
		}
		sealed, err := s.Parcel(t.Context(), item.Release.Envelope, []string{directory.MarkingParty("marking")})
		must(t, err)
		plain, err := seal.Open(sealed, marking)
		must(t, err)
		order, err := entries.ParseOrder(plain)
		must(t, err)
		e, err := keylist.ParseEnvelope(order.Envelope)
		must(t, err)
		both := func(name string, b []byte) {
			h.raw(name, b)
			boxes.raw(name, b)
		}
		both("secret of the boxes", e.Secret[:])
		for j := range e.Segments {
			for b := range keylist.Boxes {
				key := keylist.BoxKey(e.Secret, j, b)
				both("key of a box", key[:])
			}
		}
	}
	return boxes
}
