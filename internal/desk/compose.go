// Package desk is a user's own Chancery: what an author's desk makes of a draft,
// and what a reader's desk does with what arrives. It is an engine without pages
// and without a network; it keeps nothing by itself.
//
// docs/kit.md tells the formats and who knows what.
package desk

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"time"

	"chancery/cable"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/keylist"
	"chancery/internal/post"
	"chancery/internal/seal"
	"chancery/internal/seal/kit"
	"chancery/internal/seal/share"
	"chancery/internal/sign"
	"chancery/mark"
)

// An Author is who sends: a person in a tenure of the office whose cable it is.
type Author struct {
	Key    *sign.Key
	Person string
	Tenure string
	Office string
}

// A Cable is what is to be sent.
type Cable struct {
	Author     Author
	Draft      *cable.Draft
	To         []string // offices and lists
	Precedence string
	Reference  string
	ReplyTo    string // the cable that it answers, or empty
	Previous   string // the cable that it corrects, or empty
	// Interchangeable is the author's word that the alternatives say the same.
	Interchangeable bool
	Onward          int    // standing leave for so many onward copies
	Mode            string // of package entries; blind if empty
	Attachments     []File

	Directory *directory.Directory
	Size      int64 // of the log up to which the directory was read
	Now       time.Time
}

// Composed is a cable ready to be sent. The statement goes to the log, the sealed
// parts to whom they are for; nobody but the readers can open the kit.
type Composed struct {
	Body    entries.Release
	Release []byte            // the signed statement
	Kit     []byte            // sealed to the cable's key
	Key     string            // the identity that opens the kit, for its readers
	Order   []byte            // sealed to the marking desk
	Escrow  []byte            // the draft, for a case
	Shares  map[string][]byte // of the escrow's key, to be sealed to custodians
	Copies  []entries.Copy
	Record  string   // what the author keeps
	Empty   []string // offices addressed in which nobody sits
	// Circle says to overseers whose copies there are, sealed; nil without overseers.
	Circle []byte
	// Attached are the attachments, sealed; their keys are in the kit.
	Attached [][]byte
	// Authored are the copies that this desk worded itself, sealed to each reader, in
	// the order of Copies; in mode author alone.
	Authored [][]byte

	vector  entries.Digest
	tree    mark.Tree // over the copies in mode author
	trailer string    // what follows the text in every copy
	secret  mark.Hash
	salts   []mark.Hash
}

// maxReaders is how many copies a cable has at most. Offices' archives, custodians and
// overseers get letters beside them.
const maxReaders = 10000

// Lengths of segments, in words: fixed text is cut anywhere between, so that the
// ends of segments do not show where sites are.
const (
	shortest = 5
	longest  = 15
)

// Compose makes a cable ready. It refuses one that reaches nobody, whose author
// does not hold the tenure now, or whose alternatives nobody attests.
func Compose(c Cable) (*Composed, error) {
	if c.Mode == "" {
		c.Mode = entries.ModeBlind
	}
	o := &Composed{Record: c.Draft.RecordText()}
	var err error
	if o.Copies, o.Empty, err = c.addressees(); err != nil {
		return nil, err
	}
	g, err := seal.GenerateIdentity()
	if err != nil {
		return nil, err
	}
	o.Key = g.Secret()
	if err := o.attach(c.Attachments); err != nil {
		return nil, err
	}
	if err := o.body(c, g); err != nil {
		return nil, err
	}
	switch c.Mode {
	case entries.ModeBlind:
		err = o.blind(c, g)
	case entries.ModeAuthor:
		err = o.authored(c)
	case entries.ModeUnmarked:
		err = o.unmarked(g)
	}
	if err != nil {
		return nil, err
	}
	if err := o.escrow(c); err != nil {
		return nil, err
	}
	if o.Circle, err = post.SealCircle(o.Copies, c.Directory.Institution()); err != nil {
		return nil, err
	}
	return o, o.release(c)
}

// blind makes the kit, and the order to the marking desk.
func (o *Composed) blind(c Cable, g *seal.Identity) error {
	built, err := kit.Build(o.Body.Cable, append(segments(c.Draft), chunks(o.trailer)...))
	if err != nil {
		return err
	}
	o.secret, o.salts, o.Body.Root = built.Envelope.Secret, built.Salts, entries.Digest(built.Envelope.Root)
	if o.Kit, err = seal.Seal(built.Kit, g.Recipient()); err != nil {
		return err
	}
	o.Body.Kit = sha256.Sum256(o.Kit)
	marking := c.Directory.Institution().Marking[0]
	order := entries.Order{Copies: o.Copies, Envelope: built.Envelope.Encode()}
	if o.Order, err = seal.SealTo(order.Encode(), marking.Recipient); err != nil {
		return err
	}
	o.Body.Envelope, o.Body.Marking = sha256.Sum256(o.Order), marking.Sign.ID().String()
	return nil
}

// addressees expands offices to persons and draws an id for each copy.
func (c *Cable) addressees() ([]entries.Copy, []string, error) {
	h, err := c.Directory.Held(c.Author.Person, c.Author.Tenure, c.Now)
	if err != nil {
		return nil, nil, err
	}
	if h.Office != c.Author.Office {
		return nil, nil, fault.Permission.New("the tenure %q is not in the office %q", c.Author.Tenure, c.Author.Office)
	}
	people, empty, err := c.Directory.Expand(c.To, c.Now)
	if err != nil {
		return nil, nil, err
	}
	people = slices.DeleteFunc(people, func(a directory.Addressee) bool { return a.ID == c.Author.Person })
	if len(people) == 0 {
		return nil, nil, fault.Usage.New("the cable reaches nobody").WithHint("nobody but the author sits in the offices addressed")
	}
	if len(people) > maxReaders {
		return nil, nil, fault.Usage.New("%d readers: at most %d of one cable", len(people), maxReaders).WithHint("for so wide a circle send it unmarked, office by office: marking would be theatre")
	}
	var copies []entries.Copy
	for _, a := range people {
		one := entries.Copy{ID: randomID(), Person: a.ID, Tenure: a.Holdings[0].ID, Office: a.Holdings[0].Office, Seat: a.Holdings[0].Seat}
		rand.Read(one.Salt[:])
		copies = append(copies, one)
	}
	return copies, empty, nil
}

// segments cuts the whole copy, header lines included, into what a kit is made
// of: joined, the wordings of all segments are the copy as cable.Draft.Render
// writes it.
func segments(d *cable.Draft) []kit.Segment {
	head, _, _ := strings.Cut(d.RecordText(), "\n\n")
	out := fixedText(head + "\n")
	last := -1
	for _, s := range d.CutSegments(func() int { return shortest + below(longest-shortest+1) }) {
		seg := kit.Segment{}
		for _, g := range s.Groups {
			seg.Groups = append(seg.Groups, keylist.Group{Number: g, Size: d.Groups[g].Size})
		}
		if s.Paragraph != last {
			if last >= 0 {
				end(&out[len(out)-1], "\n")
			}
			end(&out[len(out)-1], "\n")
			last = s.Paragraph
		}
		for _, r := range d.Renderings(s) {
			seg.Renderings = append(seg.Renderings, []byte(r))
		}
		out = append(out, seg)
	}
	if last >= 0 {
		end(&out[len(out)-1], "\n")
	}
	return out
}

// end adds text to every wording of a segment.
func end(s *kit.Segment, text string) {
	for i := range s.Renderings {
		s.Renderings[i] = append(s.Renderings[i], text...)
	}
}

// fixedText cuts text that is the same for all.
func fixedText(text string) []kit.Segment {
	var out []kit.Segment
	for text != "" {
		cut, words := 0, shortest+below(longest-shortest+1)
		for cut < len(text) && words > 0 {
			i := strings.IndexAny(text[cut:], " \n")
			if i < 0 {
				cut = len(text)
				break
			}
			cut, words = cut+i+1, words-1
		}
		out = append(out, kit.Segment{Renderings: [][]byte{[]byte(text[:cut])}})
		text = text[cut:]
	}
	return out
}

// below draws a number below n.
func below(n int) int {
	x, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // the system's randomness does not fail
	}
	return int(x.Int64())
}

// An Escrow is what a case opens: the draft and what ties it to the release.
type Escrow struct {
	Draft  string           `json:"draft"`
	Secret entries.Digest   `json:"secret"` // t; in mode author, of the draw
	Salts  []entries.Digest `json:"salts"`  // of the segments' shapes
	Key    string           `json:"key"`    // g
}

// escrow seals the draft under a key that is shared among the custodians.
func (o *Composed) escrow(c Cable) error {
	e := Escrow{Draft: c.Draft.Canonical(), Secret: entries.Digest(o.secret), Key: o.Key}
	for _, s := range o.salts {
		e.Salts = append(e.Salts, entries.Digest(s))
	}
	data, err := json.Marshal(e)
	if err != nil {
		return fault.Internal.Wrap(err, "write the escrow")
	}
	in := c.Directory.Institution()
	secret := share.Generate()
	if o.Escrow, err = seal.SealKey(data, secret.Key(escrowPurpose)); err != nil {
		return err
	}
	shares, vector, err := share.Split(secret, in.Threshold, len(in.Custodians))
	if err != nil {
		return err
	}
	o.vector = vector.Digest()
	o.Shares = map[string][]byte{}
	for i, party := range in.Custodians {
		o.Shares[party.Name] = entries.SharePacket{Share: shares[i].Encode(), Vector: vector.Encode()}.Encode()
	}
	return nil
}

// escrowPurpose is for what the shared secret of an escrow gives its key.
const escrowPurpose = "escrow"

// OpenEscrow opens an escrow with the secret that custodians restored.
func OpenEscrow(sealed []byte, secret share.Secret) (*Escrow, error) {
	data, err := seal.OpenKey(sealed, secret.Key(escrowPurpose))
	if err != nil {
		return nil, err
	}
	var e Escrow
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fault.Mismatch.Wrap(err, "the escrow")
	}
	return &e, nil
}

// body begins the release with what is known before anything is sealed.
func (o *Composed) body(c Cable, g *seal.Identity) error {
	root, err := entries.CopiesRoot(o.Copies)
	if err != nil {
		return err
	}
	o.Body = entries.Release{Cable: randomID(), Reference: c.Reference, DTG: directory.At(c.Now), Precedence: c.Precedence, Mode: c.Mode,
		Office: c.Author.Office, Tenure: c.Author.Tenure, Key: g.Recipient().String(), Copies: root, N: len(o.Copies),
		Directory: c.Size, Register: c.Directory.Head(c.Size), ReplyTo: c.ReplyTo, Previous: c.Previous, Interchangeable: c.Interchangeable, Onward: c.Onward}
	for _, a := range o.Attached {
		o.Body.Attachments = append(o.Body.Attachments, sha256.Sum256(a))
	}
	rand.Read(o.Body.Nonce[:])
	return nil
}

// release states the release.
func (o *Composed) release(c Cable) error {
	o.Body.Escrow, o.Body.Vector = sha256.Sum256(o.Escrow), o.vector
	if err := o.Body.Check(); err != nil {
		return err
	}
	var err error
	o.Release, err = sign.Sign(entries.KindRelease, o.Body, c.Author.Key)
	return err
}

func randomID() string {
	var id [16]byte
	rand.Read(id[:])
	return hex.EncodeToString(id[:])
}
