// Package entries is what the protocol states and signs about a cable: draws,
// releases, issues, receipts and refusals, each an entry of the custody log. It
// holds the shapes and their own rules; who must have signed what, and whether it
// stands in the log, is for those who read it. It opens nothing.
//
// docs/kit.md tells the order of events.
package entries

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"chancery/internal/directory"
	"chancery/internal/fault"
	"chancery/internal/sign"
	"chancery/mark"
)

// Kinds of statements, and who signs each.
const (
	KindDraw     = "draw"         // marking desk
	KindShareOK  = "share-ok"     // custodian
	KindAudit    = "draw-audit"   // custodian
	KindGiven    = "draw-share"   // custodian
	KindVerdict  = "draw-verdict" // custodian
	KindRelease  = "release"      // author's person
	KindIssue    = "issue"        // marking desk
	KindVoid     = "void"         // marking desk
	KindReceipt  = "receipt"      // reader's person, their device
	KindWithheld = "withheld"     // marking desk
	KindOpened   = "opened"       // reader's person
	KindDispute  = "dispute"      // reader's person
	KindRecall   = "recall"       // originator's person
	KindRefused  = "refused"      // marking desk
	KindNoted    = "noted"        // marking desk
	KindAck      = "ack"          // reader's person
	KindInvite   = "invite"       // authority; never in the log
	KindOnward   = "onward-ask"   // a reader's person
	KindLeave    = "onward-leave" // originator's person
	KindArchive  = "archive-ask"  // a holder of an office that was addressed
	KindHandover = "handover"     // who leaves, who comes
	KindRecovery = "recovery"     // custodian

	KindContinuation = "continuation" // an authority, then custodians; the second entry of a log
)

// LiesOpen says whether entries of a kind may be read by everyone in the institution:
// those that make up the directory, and draws with what is said of them.
func LiesOpen(kind string) bool {
	return directory.Concerns(kind) || OfDraws(kind) || kind == KindNoted
}

// OfDraws says whether entries of a kind are about draws, not about a cable.
func OfDraws(kind string) bool {
	return slices.Contains([]string{KindDraw, KindShareOK, KindAudit, KindGiven, KindVerdict, KindVoid}, kind)
}

// ErrForeign says that a statement was made for another log. Anybody may have logged it
// here: it counts for nothing, and is no reason to stop.
var ErrForeign = errors.New("it counts for nothing here")

// Belongs refuses a statement that was made for another log than that of an origin. The
// directory's go over from a log to the one that continues it, and are for any.
func Belongs(statement []byte, origin string) error {
	kind, _, err := sign.Claims(statement)
	if err != nil {
		return nil // nobody's statement: whoever reads it refuses it
	}
	want := origin
	if directory.Concerns(kind) || kind == KindContinuation {
		want = ""
	}
	if got, err := sign.LogOf(statement); err != nil || got != want {
		return fault.Mismatch.Wrap(ErrForeign, "a statement of kind %q for the log %.60q stands in the log %q", kind, got, origin)
	}
	return nil
}

// Modes of a release.
const (
	ModeBlind    = "blind"    // through the marking desk
	ModeAuthor   = "author"   // worded and sealed by the author's desk: findings say so
	ModeUnmarked = "unmarked" // one wording for all
)

// Precedences, from the most urgent.
var Precedences = []string{"flash", "immediate", "priority", "routine"}

// A Digest is 32 bytes, in hexadecimal.
type Digest [32]byte

// String is the digest in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText writes the one spelling of a digest.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Digest) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(d) || hex.EncodeToString(raw) != string(text) {
		return fmt.Errorf("not 64 hexadecimal digits")
	}
	copy(d[:], raw)
	return nil
}

// A Draw commits to randomness ahead of need.
type Draw struct {
	Draw   int    `json:"draw"` // from 1, in order
	Slots  int    `json:"slots"`
	Root   Digest `json:"root"`          // over the slots' commitments
	Vector Digest `json:"vector_digest"` // of what the custodians' shares are checked by
}

// A ShareOK says that a custodian has a good share of a draw.
type ShareOK struct {
	Draw   int    `json:"draw"`
	Root   Digest `json:"root"`
	Vector Digest `json:"vector_digest"`
}

// An Audit is a custodian's answer in the place of a share-ok: this draw is to be opened
// and serves no cable. It counts if the draw could not have served one yet.
type Audit ShareOK

// A Given share of a draw that is opened lies open.
type Given struct {
	ShareOK
	Share []byte `json:"share"`
}

// A Verdict says whether the secret that the shares of a draw restore gives the root that
// was committed to.
type Verdict struct {
	ShareOK
	Good bool `json:"good"`
}

// AuditBlock is how many draws in a row one is opened of.
const AuditBlock = 20

// Auditor is the number, from 1, of the custodian who may choose one draw of the block in
// which a draw stands. They take turns: none alone can spend more than its part, and
// none is left out.
func Auditor(draw, custodians int) int { return Block(draw)%custodians + 1 }

// Block is the number, from 0, of the block in which a draw stands: its draws are
// Block*AuditBlock+1 to (Block+1)*AuditBlock.
func Block(draw int) int { return (draw - 1) / AuditBlock }

// A Release sends a cable. It names what everybody must agree on, and no word.
type Release struct {
	Cable      string         `json:"cable"` // a random id
	Reference  string         `json:"reference"`
	DTG        directory.Time `json:"dtg"` // the author's claim
	Precedence string         `json:"precedence"`
	Mode       string         `json:"mode"`
	Office     string         `json:"office"`   // whose cable it is
	Tenure     string         `json:"tenure"`   // of the author in it
	Nonce      Digest         `json:"nonce"`    // A, 32 random bytes
	Root       Digest         `json:"root"`     // F, of the kit
	Kit        Digest         `json:"kit"`      // SHA-256 of the sealed kit
	Key        string         `json:"key"`      // recipient to whom the kit is sealed
	Copies     Digest         `json:"copies"`   // root over the copies
	N          int            `json:"n"`        // how many copies
	Envelope   Digest         `json:"envelope"` // SHA-256 of what is sealed to the marking desk
	Escrow     Digest         `json:"escrow"`   // SHA-256 of the sealed escrow
	Marking    string         `json:"marking"`  // ID of the key of the desk that is to mark it
	Directory  int64          `json:"directory"`
	Register   Digest         `json:"register"`      // the directory's head there: see Noted
	Vector     Digest         `json:"vector_digest"` // by which custodians check their shares of the escrow
	ReplyTo    string         `json:"reply_to"`      // the cable that it answers, or empty
	// Previous is the cable that it corrects, or empty: whoever asks for the reference means
	// the last. It is the author's word, and nothing is drawn by it.
	Previous string `json:"previous,omitempty"`
	// Interchangeable says that the releaser attests the alternatives to be
	// interchangeable in substance.
	Interchangeable bool `json:"interchangeable"`
	// Attachments are the SHA-256 of sealed files that go with the cable.
	Attachments []Digest `json:"attachments"`
	// Onward is how many onward copies readers may pass on without asking first.
	Onward int `json:"onward"`
}

// Check refuses a release that cannot be (fault.Input).
func (r *Release) Check() error {
	switch {
	case !validID.MatchString(r.Cable):
		return fault.Input.New("%.40q is not the id of a cable", r.Cable)
	case r.Reference == "" || len(r.Reference) > 200 || !utf8.ValidString(r.Reference) || strings.ContainsFunc(r.Reference, func(c rune) bool { return !unicode.IsPrint(c) }):
		return fault.Input.New("a release without a reference that can be shown on a line")
	case !slices.Contains(Precedences, r.Precedence):
		return fault.Input.New("%.20q is not a precedence", r.Precedence).WithHint("flash, immediate, priority or routine")
	case r.Mode != ModeBlind && r.Mode != ModeAuthor && r.Mode != ModeUnmarked:
		return fault.Input.New("%.20q is not a mode of release", r.Mode)
	case r.N < 1 || r.N > MaxCopies:
		return fault.Input.New("a release of %d copies: 1 to %d", r.N, MaxCopies)
	case r.Onward < 0 || r.Onward > MaxCopies-r.N:
		return fault.Input.New("a standing leave for %d onward copies", r.Onward)
	case r.Previous != "" && (!validID.MatchString(r.Previous) || r.Previous == r.Cable):
		return fault.Input.New("a release that corrects %.40q", r.Previous)
	case r.Mode == ModeBlind && !r.Interchangeable:
		return fault.Input.New("nobody attests that the alternatives are interchangeable")
	}
	return nil
}

// MaxCopies is the most copies of one cable.
const MaxCopies = 16384

var validID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// A Copy is one addressee's, known to the author's desk and the marking desk. The
// log holds the root over the copies alone.
type Copy struct {
	ID     string `json:"id"`
	Person string `json:"person"`
	Tenure string `json:"tenure"`
	Office string `json:"office"`
	Seat   string `json:"seat"`
	Salt   Digest `json:"salt"`
}

// Leaf returns c(copy id || person || seat || tenure || office), each preceded by its
// length.
func (c Copy) Leaf() mark.Hash {
	var x []byte
	for _, field := range []string{c.ID, c.Person, c.Seat, c.Tenure, c.Office} {
		x = binary.BigEndian.AppendUint64(x, uint64(len(field)))
		x = append(x, field...)
	}
	return mark.Commit("copy", mark.Hash(c.Salt), x)
}

// CopiesRoot checks a list of copies - ids that are ids, each and each person once
// - and returns its root.
func CopiesRoot(copies []Copy) (Digest, error) {
	ids, persons := map[string]bool{}, map[string]bool{}
	leaves := make([]mark.Hash, len(copies))
	for i, c := range copies {
		switch {
		case !validID.MatchString(c.ID):
			return Digest{}, fault.Input.New("%.40q is not the id of a copy", c.ID)
		case ids[c.ID]:
			return Digest{}, fault.Input.New("a copy stands twice")
		case persons[c.Person]:
			return Digest{}, fault.Input.New("one person gets two copies").WithHint("one who compares two wordings sees the sites")
		}
		ids[c.ID], persons[c.Person] = true, true
		leaves[i] = c.Leaf()
	}
	return Digest(mark.Root(leaves)), nil
}

// An Issue says that copies of a release were drawn: those of its addressees, or a
// late one, for an onward copy or an archive. Lists is the root over c(copy id || slot
// || root of the copy's key list), in the order of slots from First on.
type Issue struct {
	Cable   string `json:"cable"`
	Release int64  `json:"release"` // index in the log
	Draw    int    `json:"draw"`
	Drawn   int64  `json:"drawn"` // index in the log of the draw, before the release
	N       int    `json:"n"`
	First   int    `json:"first"` // slot
	Ask     int64  `json:"ask"`   // index in the log of what asked for a late copy, or -1
	Lists   Digest `json:"lists"`
}

// ListLeaf is what Lists is the root over; salt is known to the copy's reader.
func ListLeaf(copyID string, slot int, list, salt mark.Hash) mark.Hash {
	x := binary.BigEndian.AppendUint64(nil, uint64(len(copyID)))
	x = append(x, copyID...)
	x = binary.BigEndian.AppendUint64(x, uint64(slot))
	return mark.Commit("list", salt, append(x, list[:]...))
}

// A Void spends a draw without issuing copies. Findings count voids.
type Void struct {
	Cable   string `json:"cable"`
	Release int64  `json:"release"`
	Draw    int    `json:"draw"`
	Reason  string `json:"reason"`
}

// A Receipt is a reader's, before the keys are handed over.
type Receipt struct {
	Cable    string `json:"cable"`
	Release  int64  `json:"release"`
	Issue    int64  `json:"issue"`
	Copy     string `json:"copy"`
	Kit      Digest `json:"kit"`  // of the kit that arrived
	Size     int64  `json:"size"` // of the log that the reader saw
	Root     Digest `json:"root"`
	Register Digest `json:"register"` // head of the directory that the reader knew at Size: see Noted
	Device   string `json:"device"`   // its id
	Tenure   string `json:"tenure"`
}

// A Withheld says that keys were refused, and why.
type Withheld struct {
	Cable   string `json:"cable"`
	Copy    string `json:"copy"`
	Receipt int64  `json:"receipt"`
	Reason  string `json:"reason"`
}

// An Opened says that a copy was opened and is what was committed to; a Dispute
// (of the same shape) that it is not, and how.
type Opened struct {
	Cable string `json:"cable"`
	Copy  string `json:"copy"`
	Issue int64  `json:"issue"`
	Code  string `json:"code"` // empty if opened
}

// A Recall stops the handing over of keys that were not handed over yet.
type Recall struct {
	Cable   string `json:"cable"`
	Release int64  `json:"release"`
	Reason  string `json:"reason"`
}

// A Refused says that a release was not taken, and that no draw was spent on it:
// the cable is released again under another id.
type Refused struct {
	Cable   string `json:"cable"`
	Release int64  `json:"release"`
	Reason  string `json:"reason"`
}

// A Noted says how far the marking desk has read the directory, and its head there
// (directory.Directory.Head). Whoever has it logged a statement sees by it that
// the statement was not kept back from the desk that hands out keys. Authors see by it how
// many cables would find a draw: without one a cable is refused for good.
type Noted struct {
	Number   int64  `json:"number"` // counted by the desk, from 1: anybody may log an old one again
	Size     int64  `json:"size"`   // of the log
	Register Digest `json:"register"`
	Ready    int    `json:"ready"` // draws that can serve a cable; said anew when half or twice as many are
}

// An Ack is a reader's word to the originator that a cable was read and is being
// acted on.
type Ack struct {
	Cable string `json:"cable"`
	Copy  string `json:"copy"`
}

// An Invite lets somebody hand in keys, once, under an id that an authority chose:
// somebody who is in no directory yet, or, again, one who is and lost the old ones.
type Invite struct {
	Person string         `json:"person"`
	Name   string         `json:"name"`
	Until  directory.Time `json:"until"`
	Nonce  Digest         `json:"nonce"`
	Again  bool           `json:"again,omitempty"`
}

// An Onward asks for a copy for somebody to whom a cable was not addressed. Copy is
// the asker's own.
type Onward struct {
	Cable   string `json:"cable"`
	Release int64  `json:"release"`
	Copy    string `json:"copy"`
	Person  string `json:"person"` // for whom
	Tenure  string `json:"tenure"` // theirs
	Reason  string `json:"reason"`
	// Segments are those of an extract, ascending; empty for the whole cable.
	Segments []int `json:"segments"`
}

// A Leave is the originator's, for one Onward.
type Leave struct {
	Cable string `json:"cable"`
	Ask   int64  `json:"ask"` // its index in the log
}

// An Archive asks for a copy of a cable that an office received before the asker
// sat in it. Nobody inherits a predecessor's copy.
type Archive struct {
	Cable   string `json:"cable"`
	Release int64  `json:"release"`
	Office  string `json:"office"`
	Tenure  string `json:"tenure"`
}

// A Request asks the marking desk for a late copy: an [Onward], its [Leave], or an
// [Archive].
type Request interface {
	// About returns the cable, and the index of its release; -1 if that is not said.
	About() (cable string, release int64)
}

// NewRequest returns an empty request of a kind, nil if it is none.
func NewRequest(kind string) Request {
	switch kind {
	case KindOnward:
		return new(Onward)
	case KindLeave:
		return new(Leave)
	case KindArchive:
		return new(Archive)
	}
	return nil
}

// About is that of Request.
func (o *Onward) About() (string, int64) { return o.Cable, o.Release }

// About is that of Request.
func (l *Leave) About() (string, int64) { return l.Cable, -1 }

// About is that of Request.
func (a *Archive) About() (string, int64) { return a.Cable, a.Release }
