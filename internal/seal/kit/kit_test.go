package kit_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"strings"
	"testing"

	"filippo.io/age"

	"chancery/cable"
	"chancery/internal/fault"
	"chancery/internal/keylist"
	"chancery/internal/seal/kit"
	"chancery/mark"
)

const draft = `Subject: The harbour

1. {The Minister|The Secretary} has come to {resemble|look like} a host at whose party {nobody|no guest} will
dance. [a]{He|The man} was {inept|clumsy|out of his depth} with friends, and the harbour stayed shut for eleven days.

2. We expect that [a]{he|the man} will {go|leave} before {long|the year is out}. Nothing in the papers that we were
shown says otherwise, and nobody whom we asked would put a name to what comes after him in that house.
`

// segmentsOf does what an author's desk will: every wording of every segment.
func segmentsOf(t testing.TB, text string) (*cable.Draft, []kit.Segment) {
	t.Helper()
	d, err := cable.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var out []kit.Segment
	for _, s := range d.Segments() {
		var seg kit.Segment
		for _, g := range s.Groups {
			seg.Groups = append(seg.Groups, keylist.Group{Number: g, Size: d.Groups[g].Size})
		}
		for _, r := range d.Renderings(s) {
			seg.Renderings = append(seg.Renderings, []byte(r))
		}
		out = append(out, seg)
	}
	return d, out
}

func build(t testing.TB) (*cable.Draft, []kit.Segment, *kit.Built) {
	t.Helper()
	d, segments := segmentsOf(t, draft)
	b, err := kit.Build("post-2030-17", segments)
	if err != nil {
		t.Fatal(err)
	}
	return d, segments, b
}

// word is a codeword, chosen by the size of each group.
func word(b *kit.Built, choose func(size int) int) []int {
	out := b.Envelope.Sizes()
	for g, size := range out {
		out[g] = choose(size)
	}
	return out
}

func first(b *kit.Built) []int { return word(b, func(int) int { return 0 }) }

func parse(t testing.TB, data []byte) *kit.Kit {
	t.Helper()
	k, err := kit.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestBlindCopy walks a cable from the author through the marking desk to two
// readers: each opens the wording that was drawn, and nobody on the way knew both.
func TestBlindCopy(t *testing.T) {
	_, segments, b := build(t)
	// To the marking desk and back, as bytes.
	env, err := keylist.ParseEnvelope(b.Envelope.Encode())
	if err != nil {
		t.Fatal(err)
	}
	k := parse(t, b.Kit)
	if k.Root() != env.Root || k.Cable != "post-2030-17" || k.Segments() != len(segments) {
		t.Fatal("the kit is not that of the envelope")
	}
	deck := env.Deck()
	rng := mathrand.New(mathrand.NewPCG(1, 2))
	for range 50 {
		drawn := make([]int, len(env.Sizes()))
		for g, size := range env.Sizes() {
			drawn[g] = rng.IntN(size)
		}
		list, err := keylist.ParseList(deck.Deal(drawn).Encode())
		if err != nil {
			t.Fatal(err)
		}
		texts, err := k.Open(list)
		if err != nil {
			t.Fatal(err)
		}
		for j, s := range segments {
			number, radix := 0, 1
			for _, g := range s.Groups {
				number += drawn[g.Number] * radix
				radix *= g.Size
			}
			if !bytes.Equal(texts[j], s.Renderings[number]) {
				t.Fatalf("segment %d is %q where %v was drawn", j, texts[j], drawn)
			}
		}
	}
}

// TestWhoKnowsWhat looks for words in what the marking desk gets, and for keys in
// what readers get.
func TestWhoKnowsWhat(t *testing.T) {
	_, segments, b := build(t)
	env := b.Envelope.Encode()
	for _, s := range segments {
		for _, r := range s.Renderings {
			for _, w := range strings.Fields(string(r)) {
				if len(w) > 4 && bytes.Contains(env, []byte(w)) {
					t.Errorf("%q stands in the envelope", w)
				}
				if len(w) > 4 && bytes.Contains(b.Kit, []byte(w)) {
					t.Errorf("%q stands open in the kit", w)
				}
			}
		}
	}
	for j := range segments {
		for box := range keylist.Boxes {
			key := keylist.BoxKey(b.Envelope.Secret, j, box)
			if bytes.Contains(b.Kit, key[:]) {
				t.Errorf("the key of box %d of segment %d stands in the kit", box, j)
			}
		}
	}
	if bytes.Contains(b.Kit, b.Envelope.Secret[:]) {
		t.Error("the secret stands in the kit")
	}
}

// TestSizesTellNothing: kits, envelopes and lists of cables with other wordings
// have the same lengths, and so have the lists of all copies.
func TestSizesTellNothing(t *testing.T) {
	_, _, b := build(t)
	other := strings.NewReplacer("inept|clumsy|out of his depth", "kind|just|good to his own men").Replace(draft)
	_, segments := segmentsOf(t, other)
	c, err := kit.Build("post-2030-18", segments)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Kit) != len(c.Kit) || len(b.Envelope.Encode()) != len(c.Envelope.Encode()) {
		t.Errorf("kits of %d and %d bytes, envelopes of %d and %d", len(b.Kit), len(c.Kit), len(b.Envelope.Encode()), len(c.Envelope.Encode()))
	}
	lengths := map[int]bool{}
	deck := b.Envelope.Deck()
	for i := range 20 {
		lengths[len(deck.Deal(word(b, func(size int) int { return i % size })).Encode())] = true
	}
	if len(lengths) != 1 {
		t.Errorf("lists of %v bytes", lengths)
	}
	// Which boxes are real does not show in a kit: sixteen of one length each.
	if per := (len(b.Kit) - 21 - len("post-2030-17") - 4) / len(b.Envelope.Segments); per < keylist.Boxes*48 {
		t.Errorf("%d bytes a segment", per)
	}
}

// TestWrongBox: the marking desk, or somebody in its place, gives a key for
// another box, a key of another cable, a list cut short. The reader's desk opens
// nothing.
func TestWrongBox(t *testing.T) {
	_, _, b := build(t)
	_, _, other := build(t)
	k := parse(t, b.Kit)
	good := b.Envelope.Deck().Deal(word(b, func(size int) int { return size - 1 }))
	if _, err := k.Open(good); err != nil {
		t.Fatal(err)
	}
	change := func(f func(keylist.List) keylist.List) keylist.List { return f(append(keylist.List{}, good...)) }
	for name, list := range map[string]keylist.List{
		"another box's number": change(func(l keylist.List) keylist.List { l[1].Box = (l[1].Box + 1) % keylist.Boxes; return l }),
		"a key changed":        change(func(l keylist.List) keylist.List { l[2].Key[5] ^= 1; return l }),
		"of another cable":     other.Envelope.Deck().Deal(first(other)),
		"one too few":          good[:len(good)-1],
		"one too many":         append(append(keylist.List{}, good...), good[0]),
		"two swapped":          change(func(l keylist.List) keylist.List { l[0], l[1] = l[1], l[0]; return l }),
		"a box that is none":   change(func(l keylist.List) keylist.List { l[0].Box = 200; return l }),
		"nothing":              nil,
	} {
		if texts, err := k.Open(list); !errors.Is(err, fault.Mismatch) || texts != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if good.Root() == change(func(l keylist.List) keylist.List { l[1].Box ^= 1; return l }).Root() {
		t.Error("two lists have one root")
	}
}

// TestOneBoxTwoTexts: an author who wants to frame releases a kit whose boxes
// are not those it commits to: GCM lets one box open to two texts under two keys.
// Whatever root he released, a reader's desk opens nothing that is not committed
// to. Every byte is changed in turn.
func TestOneBoxTwoTexts(t *testing.T) {
	_, _, b := build(t)
	list := b.Envelope.Deck().Deal(first(b))
	root := parse(t, b.Kit).Root()
	opened := 0
	for i := range b.Kit {
		altered := bytes.Clone(b.Kit)
		altered[i] ^= 0x10
		k, err := kit.Parse(altered)
		if err != nil {
			continue
		}
		_, err = k.Open(list)
		switch where(b, list, i) {
		case "opened":
			opened++
			if err == nil {
				t.Fatalf("byte %d of what is opened was changed, and it opens", i)
			}
		case "bound":
			if k.Root() == root {
				t.Fatalf("byte %d was changed, and the root is the same", i)
			}
		}
	}
	if opened < len(list)*64 {
		t.Errorf("only %d bytes are opened: the test looks in the wrong place", opened)
	}
}

// where says what a byte of the kit is: of a box or commitment that the list
// opens, of what the root binds, or of a box that this reader does not open.
func where(b *kit.Built, list keylist.List, i int) string {
	if i < headerSize {
		return "header"
	}
	per := (len(b.Kit) - headerSize) / len(list)
	j, at := (i-headerSize)/per, (i-headerSize)%per
	boxes := per - 32 - 32*keylist.Boxes
	switch {
	case at < 32:
		return "bound"
	case at < 32+32*keylist.Boxes:
		if byte((at-32)/32) == list[j].Box {
			return "opened"
		}
		return "bound"
	case byte((at-32-32*keylist.Boxes)/(boxes/keylist.Boxes)) == list[j].Box:
		return "opened"
	}
	return "closed"
}

const headerSize = len("chancery-kit/v1\n") + 1 + len("post-2030-17") + 8

// TestShapes opens the shape of a segment, as a case does.
func TestShapes(t *testing.T) {
	_, _, b := build(t)
	k := parse(t, b.Kit)
	for j, s := range b.Envelope.Segments {
		if !k.VerifyShape(j, s, b.Salts[j]) {
			t.Errorf("segment %d", j)
		}
		other := s
		other.Order[0], other.Order[1] = other.Order[1], other.Order[0]
		if k.VerifyShape(j, other, b.Salts[j]) || k.VerifyShape(j+1, s, b.Salts[j]) || k.VerifyShape(-1, s, b.Salts[j]) {
			t.Errorf("segment %d has a second shape", j)
		}
	}
}

func TestBuildRefuses(t *testing.T) {
	one := kit.Segment{Renderings: [][]byte{[]byte("a")}}
	two := kit.Segment{Groups: []keylist.Group{{Number: 0, Size: 2}}, Renderings: [][]byte{[]byte("a"), []byte("b")}}
	same := kit.Segment{Groups: two.Groups, Renderings: [][]byte{[]byte("a"), []byte("a")}}
	long := kit.Segment{Renderings: [][]byte{make([]byte, kit.MaxRendering+1)}}
	wide := kit.Segment{Groups: []keylist.Group{{Number: 0, Size: 17}}, Renderings: make([][]byte, 17)}
	for i := range wide.Renderings {
		wide.Renderings[i] = []byte{byte(i)}
	}
	for name, segments := range map[string][]kit.Segment{
		"nothing": nil, "two the same": {same}, "too long": {long}, "seventeen": {wide},
		"one missing": {{Groups: two.Groups, Renderings: two.Renderings[:1]}}, "one too many": {{Renderings: two.Renderings}},
	} {
		if _, err := kit.Build("x", segments); !errors.Is(err, fault.Input) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", strings.Repeat("x", 256)} {
		if _, err := kit.Build(name, []kit.Segment{one}); !errors.Is(err, fault.Input) {
			t.Errorf("the cable %.10q: %v", name, err)
		}
	}
	if _, err := kit.Build("x", []kit.Segment{one, two}); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	_, _, b := build(f)
	list := b.Envelope.Deck().Deal(first(b))
	f.Add(b.Kit)
	f.Add(b.Kit[:200])
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := kit.Parse(data)
		if err != nil {
			if !errors.Is(err, fault.Input) {
				t.Fatal(err)
			}
			return
		}
		if _, err := k.Open(list); err != nil && !errors.Is(err, fault.Mismatch) {
			t.Fatal(err)
		}
	})
}

func FuzzParseList(f *testing.F) {
	_, _, b := build(f)
	f.Add(b.Envelope.Deck().Deal(first(b)).Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := keylist.ParseList(data)
		if err == nil && !bytes.Equal(l.Encode(), data) || err != nil && !errors.Is(err, fault.Input) {
			t.Fatal(err)
		}
	})
}

func FuzzParseEnvelope(f *testing.F) {
	_, _, b := build(f)
	f.Add(b.Envelope.Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := keylist.ParseEnvelope(data)
		if err != nil {
			if !errors.Is(err, fault.Input) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(e.Encode(), data) {
			t.Fatal("another spelling")
		}
		e.Deck().Deal(make([]int, len(e.Sizes())))
	})
}

// long is a cable of 620 words, 62 segments with two groups in every second.
func long(b *testing.B) []kit.Segment {
	var out []kit.Segment
	for j := range 62 {
		s := kit.Segment{Renderings: [][]byte{[]byte(strings.Repeat("word of ten ", 5) + fmt.Sprint(j))}}
		if j%2 == 0 {
			s.Groups = []keylist.Group{{Number: j, Size: 4}, {Number: j + 1, Size: 3}}
			s.Renderings = nil
			for i := range 12 {
				s.Renderings = append(s.Renderings, []byte(strings.Repeat("word of ten ", 5)+fmt.Sprint(i)))
			}
		}
		out = append(out, s)
	}
	return out
}

// BenchmarkThousandReaders is a kit and a thousand key lists, each sealed to its
// reader with age, beside the sealing alone.
func BenchmarkThousandReaders(b *testing.B) {
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		b.Fatal(err)
	}
	segments := long(b)
	built, err := kit.Build("x", segments)
	if err != nil {
		b.Fatal(err)
	}
	listSize := len(built.Envelope.Deck().Deal(first(built)).Encode())
	seal := func(data []byte) {
		w, err := age.Encrypt(io.Discard, id.Recipient())
		if err == nil {
			_, err = w.Write(data)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	const readers = 1000
	b.Run("age", func(b *testing.B) {
		for b.Loop() {
			seal(built.Kit)
			for range readers {
				seal(make([]byte, listSize))
			}
		}
	})
	b.Run("kit", func(b *testing.B) {
		var secret mark.Hash
		rand.Read(secret[:])
		for b.Loop() {
			k, err := kit.Build("x", segments)
			if err != nil {
				b.Fatal(err)
			}
			seal(k.Kit)
			deck, sizes := k.Envelope.Deck(), k.Envelope.Sizes()
			draw := mark.Draw{Secret: secret, Slots: readers}
			for i := range readers {
				key := mark.NewCopyKey(draw.Slot(i+1), mark.Hash{}, "x", k.Envelope.Root, base64.RawStdEncoding.EncodeToString([]byte{byte(i), byte(i >> 8)}))
				seal(deck.Deal(key.Codeword(sizes)).Encode())
			}
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	built, err := kit.Build("x", long(b))
	if err != nil {
		b.Fatal(err)
	}
	list := built.Envelope.Deck().Deal(first(built))
	b.SetBytes(int64(len(built.Kit)))
	for b.Loop() {
		k := parse(b, built.Kit)
		if _, err := k.Open(list); err != nil {
			b.Fatal(err)
		}
	}
}
