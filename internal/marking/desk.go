// Package marking is the marking desk: it draws who gets which wording, and hands
// out keys, without ever seeing a word. Draws are committed to ahead of need and
// each serves one cable; a reader's keys leave only after the desk itself has
// verified the reader's receipt in the log; a refusal is stated and logged.
//
// The desk never reaches what could read a cable: not its text, not its kit. What
// it keeps lies in files that its own key alone opens. It needs no operator.
package marking

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/canonical"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/fault"
	"chancery/internal/seal"
	"chancery/internal/sign"
)

// A Keeper keeps the desk's files. Write returns when the file is durable, whole
// or as it was; Read is fault.NotFound where there is none.
type Keeper interface {
	Write(name string, data []byte) error
	Read(name string) ([]byte, error)
	// Names returns the names that begin with a prefix, sorted.
	Names(prefix string) ([]string, error)
}

// Config is what a desk is made of.
type Config struct {
	Key       *sign.Key      // signs for the desk
	Identity  *seal.Identity // opens what is sealed to it
	Keeper    Keeper
	View      *custody.View        // the desk's own memory of the log
	Directory *directory.Directory // as the log has it; the desk's own from now on: see Learn
	Now       func() time.Time
}

// A Desk is safe for any number of goroutines.
type Desk struct {
	Config
	name string

	making sync.Mutex // held while draws are made; never taken with mu held

	mu      sync.Mutex
	mac     [32]byte           // authenticates the desk's files
	draws   map[int]*draw      // guarded by mu
	low     int                // guarded by mu; all draws below are spent
	cables  map[string]*cable  // guarded by mu; by id
	hot     map[string]*opened // guarded by mu; by cable
	recalls map[string]bool    // guarded by mu; cables recalled, known or not
	handed  map[string]*handed // guarded by mu; by file
	dirty   map[string]bool    // guarded by mu; files of deliveries that were not kept yet
}

// Open opens a desk with what its files hold.
func Open(c Config) (*Desk, error) {
	d := &Desk{Config: c, mac: c.Key.Derive("marking files"), draws: map[int]*draw{}, low: 1, cables: map[string]*cable{}, hot: map[string]*opened{}, recalls: map[string]bool{}, handed: map[string]*handed{}, dirty: map[string]bool{}}
	for _, p := range c.Directory.Institution().Marking {
		if p.Sign.ID() == c.Key.Public().ID() && p.Recipient == c.Identity.Recipient().String() {
			d.name = p.Name
		}
	}
	if d.name == "" {
		return nil, fault.Mismatch.New("the keys are not those of a marking desk of %s", c.Directory.Institution().Name)
	}
	for _, kind := range []struct {
		prefix string
		load   func(name string, data []byte) error
	}{{"draw-", d.loadDraw}, {"cable-", d.loadCable}, {"handed-", d.loadHanded}, {"recall-", d.loadRecall}} {
		names, err := c.Keeper.Names(kind.prefix)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if err := d.load(name, kind.load); err != nil {
				return nil, err
			}
		}
	}
	for id := range d.recalls {
		if c := d.cables[id]; c != nil {
			c.Recalled = true
		}
	}
	return d, d.consistent()
}

// load opens one of the desk's own files. Anybody can seal to the desk; the file
// counts only with the desk's own authentication of its name and content.
func (d *Desk) load(name string, take func(string, []byte) error) error {
	sealed, err := d.Keeper.Read(name)
	if err != nil {
		return err
	}
	data, err := seal.Open(sealed, d.Identity)
	if err != nil {
		return fault.Mismatch.Wrap(err, "a file of the marking desk").At(name, 0, 0)
	}
	if len(data) < sha256.Size || !hmac.Equal(data[:sha256.Size], d.tag(name, data[sha256.Size:])) {
		return fault.Mismatch.New("a file that this marking desk did not write, or not under this name").At(name, 0, 0)
	}
	return fault.At(take(name, data[sha256.Size:]), name, 0, 0)
}

// tag authenticates a file: HMAC-SHA-256 over P(name) || content.
func (d *Desk) tag(name string, content []byte) []byte {
	mac := hmac.New(sha256.New, d.mac[:])
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(name))))
	mac.Write([]byte(name))
	mac.Write(content)
	return mac.Sum(nil)
}

// save writes one of the desk's own files, sealed to itself.
func (d *Desk) save(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fault.Internal.Wrap(err, "write a file of the marking desk")
	}
	sealed, err := seal.Seal(append(d.tag(name, data), data...), d.Identity.Recipient())
	if err != nil {
		return err
	}
	return d.Keeper.Write(name, sealed)
}

func decode(data []byte, v any) error {
	if _, _, err := canonical.Decode(data, v); err != nil {
		return fault.Mismatch.Wrap(err, "a file of the marking desk was altered")
	}
	return nil
}

// consistent refuses files in which one draw serves two cables.
func (d *Desk) consistent() error {
	for n := range len(d.draws) {
		if d.draws[n+1] == nil {
			return fault.Mismatch.New("the file of draw %d is missing", n+1)
		}
	}
	by := map[int]string{}
	for _, id := range slices.Sorted(maps.Keys(d.cables)) {
		n := d.cables[id].Draw
		if d.draws[n] == nil || d.draws[n].Void != nil || d.draws[n].Audit > 0 {
			return fault.Mismatch.New("the cable %s was drawn from draw %d, which the desk does not hold", id, n)
		}
		if by[n] != "" {
			return fault.Mismatch.New("the draw %d serves the cables %s and %s", n, by[n], id)
		}
		by[n] = id
		d.draws[n].spent = true
	}
	return nil
}

// A Seen is an entry of the log, with the proof that it stands in the tree of a
// checkpoint that the desk's view accepted: the last one, if Tree is empty.
type Seen struct {
	Index int64
	Entry custody.Entry
	Proof tlog.RecordProof
	Tree  custody.Checkpoint
}

// verify checks that an entry is in the log as the desk knows it. It returns the
// checkpoint that it was checked against.
func (d *Desk) verify(s Seen) (custody.Checkpoint, error) {
	tree := s.Tree
	if tree == (custody.Checkpoint{}) {
		tree, _ = d.View.Last()
	} else if !d.View.Accepted(tree) {
		return tree, fault.Mismatch.New("a proof for a state of the log that the marking desk has not seen")
	}
	return tree, tree.Includes(s.Entry.Commitment(), s.Index, s.Proof)
}

// Learn takes a statement of the directory from the log.
func (d *Desk) Learn(s Seen) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.verify(s); err != nil {
		return err
	}
	_, err := d.Directory.Add(s.Index, s.Entry.Statement)
	return err
}

// byPerson verifies an entry that one person signed, with the key that was theirs
// at that place of the log, and the others given after them.
func (d *Desk) byPerson(s Seen, kind string, body any, others ...*sign.Public) (directory.Person, error) {
	_, signers, err := sign.Claims(s.Entry.Statement)
	if err != nil {
		return directory.Person{}, err
	}
	if len(signers) != 1+len(others) {
		return directory.Person{}, fault.Mismatch.New("a statement of kind %q with %d signers", kind, len(signers))
	}
	p, err := d.Directory.SignerAt(signers[0], s.Index)
	if err != nil {
		return directory.Person{}, err
	}
	return p, sign.Open(s.Entry.Statement, kind, body, append([]*sign.Public{p.Sign}, others...)...)
}

// current refuses one whose key was replaced since: a stolen key signs nothing
// more, whenever its entries were made.
func (d *Desk) current(p directory.Person) error {
	now, _, err := d.Directory.Person(p.ID)
	if err != nil {
		return err
	}
	if now.Sign.ID() != p.Sign.ID() {
		return fault.Permission.New("the key of %q was replaced since", p.ID)
	}
	return nil
}

// state signs a statement of the desk's own.
func (d *Desk) state(kind string, body any) ([]byte, error) { return sign.Sign(kind, body, d.Key) }

func cableName(id string) string { return "cable-" + strings.ToLower(id) }
func orderName(id string) string { return "order-" + strings.ToLower(id) }
