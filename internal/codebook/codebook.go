// Package codebook is level 0's file: it joins a draft, the slots and readers
// of its copies, the decision rule and the commitments to all of these.
// Whoever holds it could have made any copy, so its findings are
// intelligence, not evidence.
//
// The format is strict and canonical: a codebook has one text, Parse refuses
// any other, and recomputes every commitment. The package opens no file and
// holds no key; docs/marking.md specifies the format.
package codebook

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"chancery/cable"
	"chancery/internal/fault"
	"chancery/mark"
	"chancery/trace"
)

// Format names the codebook format of this version.
const Format = "chancery-codebook-1"

// MaxSize is the largest codebook that is read, in bytes.
const MaxSize = 64 << 20

// minSlots is the number of slots a draw has at least, so that copies can be
// made later under the same commitment.
const minSlots = 1024

// A Reader is one who receives a copy.
type Reader struct {
	ID        string `json:"id"`
	Slot      int    `json:"slot"`
	Recipient string `json:"recipient,omitempty"` // age recipient the copy was sealed to
	Copy      string `json:"copy,omitempty"`      // id of the copy, of a released draw
}

// A Release says that the draw is one of a marking desk's, restored from custodians'
// shares for one cable: codewords come of the cable's id, the root of its kit and the
// copies' ids, as the marking desk drew them. Note says on what grounds.
type Release struct {
	Cable string    `json:"cable"`
	Root  hexDigest `json:"kit_root"`
	Note  string    `json:"note"`
}

// A Batch is the copies made by one command, with their commitments.
type Batch struct {
	Readers    []Reader  `json:"readers"`
	CopiesRoot hexDigest `json:"copies_root"`
	Commitment hexDigest `json:"commitment"`
}

// A Book is a codebook.
type Book struct {
	Reference string
	Draft     *cable.Draft
	Rule      trace.Rule
	Batches   []Batch
	Released  *Release // nil for a codebook of level 0

	draw      mark.Draw
	nonce     mark.Hash
	salt      mark.Hash
	draftRoot mark.Hash
	drawRoot  mark.Hash
}

// file is the text of a codebook, fields in order.
type file struct {
	Format    string     `json:"format"`
	Reference string     `json:"reference"`
	Draft     string     `json:"draft"`
	Rule      trace.Rule `json:"rule"`
	Secret    hexDigest  `json:"draw_secret"`
	Slots     int        `json:"draw_slots"`
	Nonce     hexDigest  `json:"nonce"`
	Salt      hexDigest  `json:"salt"`
	DraftRoot hexDigest  `json:"draft_root"`
	DrawRoot  hexDigest  `json:"draw_root"`
	Released  *Release   `json:"released,omitempty"`
	Batches   []Batch    `json:"batches"`
}

// New draws fresh randomness and makes the codebook of a draft for its first
// readers. Everything the copies depend on is fixed and committed to when it
// returns; no copy exists yet.
func New(draft *cable.Draft, rule trace.Rule, ids []Reader, random io.Reader) (*Book, error) {
	slots := minSlots
	for slots < 2*len(ids) {
		slots *= 2
	}
	draw, err := mark.NewDraw(random, slots)
	if err != nil {
		return nil, fault.Input.Wrap(err, "")
	}
	b := &Book{Draft: draft, Rule: rule, draw: draw}
	for _, h := range []*mark.Hash{&b.nonce, &b.salt} {
		if _, err := io.ReadFull(random, h[:]); err != nil {
			return nil, fault.System.Wrap(err, "no randomness")
		}
	}
	b.commitRoots()
	b.Reference = referenceOf(draft, b.draftRoot)
	return b, b.Add(ids)
}

// FromRelease makes the codebook of one cable from a draw that custodians released.
// The readers stand in the order of their slots, each with the id of the copy.
func FromRelease(draft *cable.Draft, rule trace.Rule, draw mark.Draw, nonce mark.Hash, of Release, readers []Reader, random io.Reader) (*Book, error) {
	b := &Book{Draft: draft, Rule: rule, draw: draw, nonce: nonce, Released: &of}
	if _, err := io.ReadFull(random, b.salt[:]); err != nil {
		return nil, fault.System.Wrap(err, "no randomness")
	}
	b.commitRoots()
	b.Reference = referenceOf(draft, b.draftRoot)
	return b, b.Add(readers)
}

// NewRelease names a cable and the root of its kit.
func NewRelease(cable string, root mark.Hash, note string) Release {
	return Release{cable, hexDigest(root), note}
}

// referenceOf returns the cable's name: its Reference header, or the first
// eight digits of the draft root.
func referenceOf(draft *cable.Draft, root mark.Hash) string {
	if ref := draft.Get("Reference"); ref != "" {
		return ref
	}
	return hex.EncodeToString(root[:4])
}

func (b *Book) commitRoots() {
	b.drawRoot = b.draw.Root()
	b.draftRoot = mark.Root(b.draftLeaves())
}

// draftLeaves commits to the whole draft and to each segment by itself, so
// that one segment can be opened without the rest.
func (b *Book) draftLeaves() []mark.Hash {
	leaves := []mark.Hash{mark.Commit("draft", b.saltOf("draft", 0), []byte(b.Draft.Canonical()))}
	for i, s := range b.Draft.Segments() {
		text, _ := json.Marshal(segmentText{s.Paragraph, s.Groups, b.Draft.Renderings(s)})
		leaves = append(leaves, mark.Commit("segment", b.saltOf("segment", i), text))
	}
	return leaves
}

type segmentText struct {
	Paragraph  int      `json:"paragraph"`
	Groups     []int    `json:"groups"`
	Renderings []string `json:"renderings"`
}

func (b *Book) saltOf(what string, i int) mark.Hash {
	return mark.Derive(b.salt, "salt", []byte(what), fmt.Append(nil, i))
}

// Add takes the next slots for further readers and commits to their copies.
// Earlier copies and commitments stay as they are. On an error nothing is
// added.
func (b *Book) Add(readers []Reader) error {
	if err := b.checkNew(readers); err != nil {
		return err
	}
	slot := len(b.Readers())
	batch := Batch{Readers: make([]Reader, len(readers))}
	for i, r := range readers {
		batch.Readers[i] = Reader{ID: r.ID, Slot: slot + i + 1, Recipient: r.Recipient, Copy: r.Copy}
	}
	b.Batches = append(b.Batches, b.commit(batch, len(b.Batches)))
	return nil
}

func (b *Book) checkNew(readers []Reader) error {
	if len(readers) == 0 {
		return fault.Input.New("no readers").WithHint("name one reader a line")
	}
	if left := b.draw.Slots - len(b.Readers()); len(readers) > left {
		return fault.Input.New("%d readers, but the draw has %d slots left", len(readers), left).
			WithHint("mark the draft anew for a larger list")
	}
	seen := map[string]bool{}
	for _, r := range b.Readers() {
		seen[strings.ToLower(r.ID)] = true
	}
	for _, r := range readers {
		if err := checkID(r.ID); err != nil {
			return err
		}
		if (r.Copy != "") != (b.Released != nil) {
			return fault.Input.New("reader %q: ids of copies belong to a released draw, and to no other", r.ID)
		}
		if key := strings.ToLower(r.ID); seen[key] {
			return fault.Input.New("reader %q has a copy already", r.ID).WithHint("ids are compared without regard to case")
		} else {
			seen[key] = true
		}
	}
	return nil
}

// commit fills in the commitments of batch number k.
func (b *Book) commit(batch Batch, k int) Batch {
	var leaves []mark.Hash
	for _, r := range batch.Readers {
		text := sha256.Sum256([]byte(b.Copy(r)))
		leaf := fmt.Appendf(text[:], "%d %s", r.Slot, r.ID)
		leaves = append(leaves, mark.Commit("copy", b.saltOf("copy", r.Slot), leaf))
	}
	batch.CopiesRoot = hexDigest(mark.Root(leaves))
	batch.Commitment = hexDigest(mark.Commit("codebook", b.saltOf("codebook", k), b.statement(batch, k)))
	return batch
}

// statement is what the commitment of a batch is made over. It chains to the
// commitment before it.
func (b *Book) statement(batch Batch, k int) []byte {
	previous := ""
	if k > 0 {
		previous = b.Batches[k-1].Commitment.String()
	}
	text, _ := json.Marshal(struct {
		Format     string     `json:"format"`
		Previous   string     `json:"previous"`
		Reference  string     `json:"reference"`
		DraftRoot  hexDigest  `json:"draft_root"`
		DrawRoot   hexDigest  `json:"draw_root"`
		Slots      int        `json:"draw_slots"`
		Nonce      hexDigest  `json:"nonce"`
		Rule       trace.Rule `json:"rule"`
		Released   *Release   `json:"released,omitempty"`
		Readers    []Reader   `json:"readers"`
		CopiesRoot hexDigest  `json:"copies_root"`
	}{Format, previous, b.Reference, hexDigest(b.draftRoot), hexDigest(b.drawRoot), b.draw.Slots,
		hexDigest(b.nonce), b.Rule, b.Released, batch.Readers, batch.CopiesRoot})
	return text
}

// Readers returns all readers, in order of their slots.
func (b *Book) Readers() []Reader {
	var out []Reader
	for _, batch := range b.Batches {
		out = append(out, batch.Readers...)
	}
	return out
}

// Codeword returns the choices of a reader's copy.
func (b *Book) Codeword(r Reader) []int {
	key := mark.NewCopyKey(b.draw.Slot(r.Slot), b.nonce, b.Reference, b.draftRoot, r.ID)
	if of := b.Released; of != nil {
		key = mark.NewCopyKey(b.draw.Slot(r.Slot), b.nonce, of.Cable, mark.Hash(of.Root), r.Copy)
	}
	return key.Codeword(b.Draft.Sizes())
}

// Copy returns the text of a reader's copy.
func (b *Book) Copy(r Reader) string { return b.Draft.Render(b.Codeword(r)) }

// Commitment returns the newest commitment, in hexadecimal: it covers all
// readers and, through the chain, every earlier commitment.
func (b *Book) Commitment() string { return b.Batches[len(b.Batches)-1].Commitment.String() }

// Covered returns how many readers a commitment covers, or ok false when it
// is none of this codebook's.
func (b *Book) Covered(commitment string) (readers int, ok bool) {
	for _, batch := range b.Batches {
		readers += len(batch.Readers)
		if strings.EqualFold(batch.Commitment.String(), strings.TrimSpace(commitment)) {
			return readers, true
		}
	}
	return 0, false
}

// Encode returns the codebook's one text.
func (b *Book) Encode() []byte {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(file{Format, b.Reference, b.Draft.Canonical(), b.Rule, hexDigest(b.draw.Secret), b.draw.Slots,
		hexDigest(b.nonce), hexDigest(b.salt), hexDigest(b.draftRoot), hexDigest(b.drawRoot), b.Released, b.Batches})
	if err != nil {
		panic(err) // no field can fail
	}
	return buf.Bytes()
}

// hexDigest is a hash that is written in lower-case hexadecimal.
type hexDigest mark.Hash

func (d hexDigest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText implements encoding.TextMarshaler.
func (d hexDigest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *hexDigest) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(d) {
		return fmt.Errorf("not %d hexadecimal digits", 2*len(d))
	}
	copy(d[:], raw)
	return nil
}
