// Package kit builds and opens blind kits: every wording of every segment of a
// cable in a box of its own, committed to, so that an author can send text
// without knowing who reads which wording, and a reader can check that what was
// opened is what was committed to.
//
// A kit is made from byte strings; the package knows no drafts. It is sealed as a
// whole to its readers with a fresh age identity, elsewhere. The marking desk,
// which holds the keys of boxes, must never import it.
package kit

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	mathrand "math/rand/v2"

	"chancery/internal/fault"
	"chancery/internal/keylist"
	"chancery/internal/seal/gcm"
	"chancery/mark"
)

const (
	// MaxRendering is the longest wording of a segment, in bytes.
	MaxRendering = 60000
	// MaxKit is the largest kit, in bytes.
	MaxKit = 60 << 20
	// bucket is what the length of boxes is rounded up to, in bytes.
	bucket = 32
)

const magic = "chancery-kit/v1\n"

// A Segment is what the author gives: the choices that decide it and its
// wordings, in the order of [keylist.Segment].
type Segment struct {
	Groups     []keylist.Group
	Renderings [][]byte
}

// Built is what the author's desk makes of a cable.
type Built struct {
	Kit      []byte            // for the readers, to be sealed
	Envelope *keylist.Envelope // for the marking desk, to be sealed
	Salts    []mark.Hash       // of the shapes, by segment: for the escrow
}

// Build makes the kit of a cable: fresh keys, the boxes of each segment in a
// random order, dummies up to sixteen, all of one length. Wordings of a segment
// must differ.
func Build(cable string, segments []Segment) (*Built, error) {
	if len(segments) == 0 || len(segments) > keylist.MaxSegments || len(cable) == 0 || len(cable) > 255 {
		return nil, fault.Input.New("a kit of %d segments for the cable %.40q", len(segments), cable)
	}
	length := 0
	for j, s := range segments {
		n, err := s.longest()
		if err != nil {
			return nil, fault.Input.Wrap(err, "segment %d", j)
		}
		length = max(length, n)
	}
	length = (length + 2 + bucket - 1) / bucket * bucket
	if size := int64(len(segments)) * int64(perSegment(length)); size > MaxKit {
		return nil, fault.Input.New("the kit would have %d bytes: at most %d", size, MaxKit)
	}
	env := &keylist.Envelope{}
	rand.Read(env.Secret[:]) // never fails: the program would end
	b := &Built{Envelope: env, Kit: header(cable, len(segments), length)}
	order := shuffler()
	leaves := make([]mark.Hash, len(segments))
	for j, s := range segments {
		shape := keylist.Segment{Groups: s.Groups}
		order(&shape.Order)
		env.Segments = append(env.Segments, shape)
		var salt mark.Hash
		rand.Read(salt[:])
		b.Salts = append(b.Salts, salt)
		leaves[j] = b.segment(cable, j, s, shape, salt, length)
	}
	env.Root = mark.Root(leaves)
	return b, nil
}

// longest checks a segment and returns the length of its longest wording.
func (s Segment) longest() (int, error) {
	shape := keylist.Segment{Groups: s.Groups}
	if w := shape.Width(); w != len(s.Renderings) || w > keylist.Boxes {
		return 0, fault.Input.New("%d wordings where its groups make %d, of at most %d", len(s.Renderings), w, keylist.Boxes)
	}
	length := 0
	for i, r := range s.Renderings {
		if len(r) > MaxRendering {
			return 0, fault.Input.New("a wording of %d bytes: at most %d", len(r), MaxRendering)
		}
		for _, before := range s.Renderings[:i] {
			if bytes.Equal(before, r) {
				return 0, fault.Input.New("two wordings are the same")
			}
		}
		length = max(length, len(r))
	}
	return length, nil
}

// shuffler returns a function that puts boxes into a uniformly random order.
func shuffler() func(*[keylist.Boxes]byte) {
	var seed [32]byte
	rand.Read(seed[:])
	rng := mathrand.New(mathrand.NewChaCha8(seed))
	return func(order *[keylist.Boxes]byte) {
		for i := range order {
			order[i] = byte(i)
		}
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
}

// perSegment is how many bytes of a kit a segment takes.
func perSegment(length int) int { return 32 + keylist.Boxes*(32+length+16) }

func header(cable string, segments, length int) []byte {
	out := append([]byte(magic), byte(len(cable)))
	out = append(out, cable...)
	out = binary.BigEndian.AppendUint32(out, uint32(segments))
	return binary.BigEndian.AppendUint32(out, uint32(length))
}

// segment appends a segment to the kit and returns its leaf.
func (b *Built) segment(cable string, j int, s Segment, shape keylist.Segment, salt mark.Hash, length int) mark.Hash {
	var texts [keylist.Boxes][]byte // dummies stay empty
	for k, r := range s.Renderings {
		texts[shape.Order[k]] = r
	}
	var commitments, boxes []byte
	for box, text := range texts {
		key := keylist.BoxKey(b.Envelope.Secret, j, box)
		padded := pad(text, length)
		com := commit(cable, j, box, key, padded)
		commitments = append(commitments, com[:]...)
		boxes = gcm.New(key).Seal(boxes, nonce[:], padded, nil)
	}
	digest := shapeDigest(j, shape, salt)
	b.Kit = append(b.Kit, digest[:]...)
	b.Kit = append(b.Kit, commitments...)
	b.Kit = append(b.Kit, boxes...)
	return leaf(digest, commitments)
}

// pad puts the length before a text and zeros behind it.
func pad(text []byte, length int) []byte {
	out := make([]byte, length)
	binary.BigEndian.PutUint16(out, uint16(len(text)))
	copy(out[2:], text)
	return out
}

// unpad takes off what pad put on, and nothing else.
func unpad(padded []byte) ([]byte, bool) {
	n := int(binary.BigEndian.Uint16(padded))
	if n > len(padded)-2 {
		return nil, false
	}
	for _, c := range padded[2+n:] {
		if c != 0 {
			return nil, false
		}
	}
	return padded[2 : 2+n], true
}

// nonce is zero: every key closes one box.
var nonce [12]byte

// commit is com_{j,b} = C("box", k, P(cable) || I(j) || I(b) || padded text). GCM alone does
// not bind a box to one key and one text; this does.
func commit(cable string, segment, box int, key keylist.Key, padded []byte) mark.Hash {
	x := binary.BigEndian.AppendUint64(nil, uint64(len(cable)))
	x = append(x, cable...)
	x = binary.BigEndian.AppendUint64(x, uint64(segment))
	x = binary.BigEndian.AppendUint64(x, uint64(box))
	return mark.Commit("box", mark.Hash(key), append(x, padded...))
}

// shapeDigest is c(j || groups || width || real boxes in the order of wordings),
// of which readers get no more than this.
func shapeDigest(j int, s keylist.Segment, salt mark.Hash) mark.Hash {
	x := binary.BigEndian.AppendUint64(nil, uint64(j))
	x = binary.BigEndian.AppendUint64(x, uint64(len(s.Groups)))
	for _, g := range s.Groups {
		x = binary.BigEndian.AppendUint64(x, uint64(g.Number))
		x = binary.BigEndian.AppendUint64(x, uint64(g.Size))
	}
	x = binary.BigEndian.AppendUint64(x, uint64(s.Width()))
	return mark.Commit("shape", salt, append(x, s.Order[:s.Width()]...))
}

// leaf is leaf_j = SHA-256(shape digest || SHA-256(com_{j,0} ... com_{j,15})).
func leaf(shape mark.Hash, commitments []byte) mark.Hash {
	coms := sha256.Sum256(commitments)
	return sha256.Sum256(append(bytes.Clone(shape[:]), coms[:]...))
}

// VerifyShape says whether a shape and its salt are what segment j of a kit
// commits to: for a case, in which the shapes are opened.
func (k *Kit) VerifyShape(j int, s keylist.Segment, salt mark.Hash) bool {
	return j >= 0 && j < k.segments && shapeDigest(j, s, salt) == k.digest(j)
}

// A Kit is a kit that was parsed. It holds boxes that its reader cannot open
// without keys.
type Kit struct {
	Cable    string
	segments int
	length   int // of a padded text
	body     []byte
	root     mark.Hash
}

// Parse reads a kit and computes its root (fault.Input). Nothing in it is
// trusted before the root is compared with what was released.
func Parse(data []byte) (*Kit, error) {
	bad := fault.Input.New("not the kit of a cable")
	body, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok || len(body) < 1 || len(data) > MaxKit+1024 || len(body) < 1+int(body[0])+8 {
		return nil, bad
	}
	n := int(body[0])
	k := &Kit{Cable: string(body[1 : 1+n])}
	body = body[1+n:]
	k.segments, k.length = int(binary.BigEndian.Uint32(body)), int(binary.BigEndian.Uint32(body[4:]))
	k.body = body[8:]
	if n == 0 || k.segments < 1 || k.segments > keylist.MaxSegments || k.length < bucket || k.length > MaxRendering+bucket ||
		k.length%bucket != 0 || int64(len(k.body)) != int64(k.segments)*int64(perSegment(k.length)) {
		return nil, bad
	}
	leaves := make([]mark.Hash, k.segments)
	for j := range leaves {
		leaves[j] = leaf(k.digest(j), k.commitments(j))
	}
	k.root = mark.Root(leaves)
	return k, nil
}

func (k *Kit) part(j int) []byte { return k.body[j*perSegment(k.length):][:perSegment(k.length)] }

func (k *Kit) digest(j int) mark.Hash { return mark.Hash(k.part(j)[:32]) }

func (k *Kit) commitments(j int) []byte { return k.part(j)[32:][:32*keylist.Boxes] }

func (k *Kit) box(j, b int) []byte {
	size := k.length + 16
	return k.part(j)[32+32*keylist.Boxes+b*size:][:size]
}

// Root returns F, which the release names.
func (k *Kit) Root() mark.Hash { return k.root }

// Segments returns how many segments the kit has.
func (k *Kit) Segments() int { return k.segments }

// ErrDisputed says that a key list does not open what was committed to: the
// author's desk or the marking desk failed, or lied. It is a fault.Mismatch.
var ErrDisputed = fault.Mismatch.New("the keys that came are not what was issued, or do not open what was committed to").
	WithHint("your desk said so in the log, to the custodians and overseers; nothing of the cable is shown")

// Open opens one box of each segment with a list and returns the wordings, each
// checked against its commitment. If any fails nothing is returned: ErrDisputed.
func (k *Kit) Open(list keylist.List) ([][]byte, error) {
	if len(list) != k.segments {
		return nil, ErrDisputed
	}
	out := make([][]byte, k.segments)
	for j, c := range list {
		var err error
		if out[j], err = k.open(j, c); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// OpenParts opens one box of each of some segments, as [Kit.Open] does.
func (k *Kit) OpenParts(parts keylist.Parts) ([][]byte, error) {
	var out [][]byte
	for _, p := range parts {
		if p.Segment < 0 || p.Segment >= k.segments {
			return nil, ErrDisputed
		}
		text, err := k.open(p.Segment, p.Choice)
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}

// open opens one box and checks it against its commitment.
func (k *Kit) open(j int, c keylist.Choice) ([]byte, error) {
	if int(c.Box) >= keylist.Boxes {
		return nil, ErrDisputed
	}
	padded, err := gcm.New(c.Key).Open(nil, nonce[:], k.box(j, int(c.Box)), nil)
	if err != nil {
		return nil, ErrDisputed
	}
	com := commit(k.Cable, j, int(c.Box), c.Key, padded)
	text, ok := unpad(padded)
	if !ok || !bytes.Equal(com[:], k.commitments(j)[32*int(c.Box):][:32]) {
		return nil, ErrDisputed
	}
	return text, nil
}
