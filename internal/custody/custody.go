// Package custody is the log that nobody can rewrite: an RFC 6962 Merkle tree
// over salted commitments to what was done with cables, its signed checkpoints,
// the proofs that tie an entry to a checkpoint and one checkpoint to a later one,
// and the memory by which a party notices a log that was cut or forked.
//
// A leaf is c(entry) = SHA-256(tag || salt || entry): it tells nobody anything. The
// entries themselves go to the parties they concern, sealed by whoever writes
// them; the log stores such bodies without being able to open one, and never
// imports what could. Formats are those of C2SP: tlog-checkpoint, tlog-tiles,
// tlog-proof, tlog-policy, tlog-cosignature.
//
// Data flows one way: a party makes an [Entry] and submits its commitment with
// sealed bodies; [Log.Append] returns when they, the hashes of the tree and a
// signed checkpoint are durable, all in one transaction; a [View] at every party
// checks what the log then says.
package custody

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/fault"
	"chancery/mark"
)

// Limits on what is logged at once.
const (
	// MaxEntry is the longest entry, in bytes: a statement with its signatures.
	MaxEntry = 1 << 20
	// MaxBody is the longest sealed body, in bytes.
	MaxBody = MaxEntry + 64<<10
	// MaxBodies is the most bodies of one entry.
	MaxBodies = 16384
	// MaxStaged is the most that bodies hold together which came before their entry.
	MaxStaged = 128 << 20
	// MaxParty is the longest name of a party, in bytes.
	MaxParty = 128
	// MaxSize bounds the size of a log: more entries than anyone will write.
	MaxSize = 1 << 48

	maxQuoted = 64 // bytes of a bad name or path in a message
)

// entryTag is the tag of c(entry).
const entryTag = "entry"

// A Commitment is c(entry), what a leaf of the tree holds.
type Commitment [32]byte

// String is the commitment in base64, as proofs spell hashes.
func (c Commitment) String() string { return base64.StdEncoding.EncodeToString(c[:]) }

// leaf is the hash of the leaf, RFC 6962: SHA-256(0x00 || commitment).
func (c Commitment) leaf() tlog.Hash { return tlog.RecordHash(c[:]) }

// An Entry is what a leaf commits to: a signed statement and the salt that
// keeps others from guessing it.
type Entry struct {
	Salt      [32]byte
	Statement []byte
}

// NewEntry salts a statement.
func NewEntry(statement []byte) Entry {
	e := Entry{Statement: statement}
	rand.Read(e.Salt[:]) // never fails: the program would end
	return e
}

// Commitment returns c(entry).
func (e Entry) Commitment() Commitment {
	return Commitment(mark.Commit(entryTag, mark.Hash(e.Salt), e.Statement))
}

// Bytes returns the entry as its parties keep it, and as it is sealed to them:
// the salt, then the statement.
func (e Entry) Bytes() []byte { return append(bytes.Clone(e.Salt[:]), e.Statement...) }

// ParseEntry reads what [Entry.Bytes] wrote.
func ParseEntry(data []byte) (Entry, error) {
	var e Entry
	if len(data) <= len(e.Salt) || len(data) > MaxEntry {
		return e, fault.Input.New("an entry of the log has %d to %d bytes, not %d", len(e.Salt)+1, MaxEntry, len(data))
	}
	copy(e.Salt[:], data)
	e.Statement = bytes.Clone(data[len(e.Salt):])
	return e, nil
}

// A Submission asks for one entry to be logged. Submitting it again is harmless:
// it is logged once. With other bodies it is refused (fault.Exists).
type Submission struct {
	Commitment Commitment
	Bodies     []Body
	Staged     Staged // instead of bodies
}

// Staged names bodies of an entry that were handed over before it, in parts: by whom, and
// how many there are.
type Staged struct {
	Owner string
	Count int
}

// A Body is the entry for one party: sealed, or open where the party is "" and
// everyone may read it.
type Body struct {
	Party string
	Data  []byte
}

// Common is the party of a body that bodies of the same entry have in common: those that
// begin with InCommon. It is handed out with each of them, and to nobody by itself.
const (
	Common   = "common"
	InCommon = "chancery-in-common/v1\n"
)

// check refuses what is beyond the limits.
func (s Submission) check() error {
	if n := max(len(s.Bodies), s.Staged.Count); n > MaxBodies || s.Staged.Count < 0 {
		return fault.Input.New("an entry with %d bodies: at most %d", n, MaxBodies)
	}
	if s.Staged.Count > 0 && len(s.Bodies) > 0 {
		return fault.Input.New("an entry with bodies of which some came before it, and others with it")
	}
	return checkBodies(s.Bodies)
}

// CheckPart refuses bodies from a number on, handed over before their entry, that are
// beyond the limits.
func CheckPart(from int, part []Body) error {
	if from < 0 || len(part) == 0 || from > MaxBodies-len(part) {
		return fault.Input.New("%d bodies of an entry from %d on: at most %d", len(part), from, MaxBodies)
	}
	return checkBodies(part)
}

func checkBodies(bodies []Body) error {
	shared := map[string]bool{}
	for _, b := range bodies {
		if b.Party == Common || bytes.HasPrefix(b.Data, []byte(InCommon)) {
			if shared[b.Party] {
				return fault.Input.New("two bodies in common for the party %q", fault.Clip(b.Party, maxQuoted))
			}
			shared[b.Party] = true
		}
		if !validParty.MatchString(b.Party) || len(b.Data) == 0 {
			return fault.Input.New("a body that is empty, or for the party %q", fault.Clip(b.Party, maxQuoted)).WithHint("a party is named by letters, figures and . _ : @ + -")
		}
		if len(b.Party) > MaxParty || len(b.Data) > MaxBody {
			return fault.Input.New("a body of %d bytes for a party of %d: at most %d and %d", len(b.Data), len(b.Party), MaxBody, MaxParty)
		}
	}
	return nil
}

var validParty = regexp.MustCompile(`^[A-Za-z0-9._:@+-]*$`)

// same says whether a submission has these bodies with it.
func (s Submission) same(bodies []Body) bool {
	return slices.EqualFunc(s.Bodies, bodies, func(a, b Body) bool { return a.Party == b.Party && bytes.Equal(a.Data, b.Data) })
}

// size is about how much the submission writes, in bytes.
func (s Submission) size() int {
	n := len(s.Commitment) * 4
	if s.Staged.Count > 0 {
		n += maxBatchBytes // nobody knows how much that is: it goes alone
	}
	for _, b := range s.Bodies {
		n += len(b.Data) + len(b.Party)
	}
	return n
}

// A Checkpoint is the head of a log: its name, its size and the hash of its
// root.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
}

// Text is the text that a log signs (C2SP tlog-checkpoint).
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, c.Root)
}

// parseCheckpoint reads the text of a checkpoint: exactly three lines, in the one
// way to spell them. Nothing is verified.
func parseCheckpoint(text string) (Checkpoint, error) {
	var c Checkpoint
	bad := fault.Input.New("not the checkpoint of a log")
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return c, bad
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || size > MaxSize {
		return c, bad
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return c, bad
	}
	c = Checkpoint{lines[0], size, root}
	if c.Text() != text || size == 0 && root != emptyRoot {
		return Checkpoint{}, bad
	}
	return c, nil
}

// emptyRoot is the root of the empty tree, SHA-256("").
var emptyRoot = func() tlog.Hash {
	h, err := tlog.TreeHash(0, nil)
	if err != nil {
		panic(err)
	}
	return h
}()
