// Package desk is a user's own Chancery: what an author's desk makes of a draft,
// what a reader's desk does with what arrives, and what both remember. It is an
// engine without pages; it talks to a registry through a client that verifies every
// answer, and keeps its files sealed.
//
// docs/kit.md tells the formats and who knows what.
package desk

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"chancery/internal/client"
	"chancery/internal/courier"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/vault"
)

// Config is what a desk is made of.
type Config struct {
	Keys    Keys
	Person  string
	Again   bool // the person had other keys before: what was stated then is no news
	Account client.Account
	Client  *client.Client
	Vault   *vault.Vault
	Now     func() time.Time
	// Patience is how long Read waits for keys after the receipt; 15 seconds if zero.
	Patience time.Duration
}

// A Desk is safe for any number of goroutines; a folder has one desk at a time.
type Desk struct {
	Config

	mu      sync.Mutex
	dir     *directory.Directory // guarded by mu, as all below
	seen    map[int64]time.Time  // when a statement of the directory came, by index
	fresh   []statement          // of the directory, not kept yet
	touched map[string]*Item     // cables that changed and were not kept since
	tree    custody.Checkpoint   // up to which the directory is whole
	goal    courier.Goal         // how far it is to be read before parcels are
	state   state
	items   map[string]*Item
	out     map[string]*Outgoing
	held    io.Closer       // the folder, if it was opened from one
	gossip  map[string]bool // checkpoints of others that were compared
}

// state is the file that says how far the desk came.
type state struct {
	At     custody.Place `json:"at"`
	Parcel int64         `json:"parcel"`
	Known  vault.End     `json:"known"` // how far the file of the directory counts
	Acted  vault.End     `json:"acted"` // and that of acts
	Tree   treeFile      `json:"tree"`
	Alarms []Alarm       `json:"alarms"`
	Offers []Offer       `json:"offers"`

	// Noted is what marking desks last said, by the id of their key.
	Noted map[string]entries.Noted `json:"noted"`

	Archives  map[string]custody.Place `json:"archives"` // how far each was read, by office
	Handovers []post.Handed            `json:"handovers"`
	Absences  []absence                `json:"absences"` // handovers of the absent
	Taken     []entries.Digest         `json:"taken"`    // inventories of handovers that this person signed
}

// treeFile is a checkpoint in a file.
type treeFile struct {
	Origin string `json:"origin"`
	Size   int64  `json:"size"`
	Root   []byte `json:"root"`
}

// An Alarm is something that the person must know of.
type Alarm struct {
	Index int64     `json:"index"` // of an entry of the log, or -1
	At    time.Time `json:"at"`
	Text  string    `json:"text"`
}

// statement is an entry that lies open, as it is kept.
type statement struct {
	Index int64     `json:"index"`
	Entry []byte    `json:"entry"`
	Seen  time.Time `json:"seen"`
}

// Open opens a desk with what its files hold.
func Open(c Config) (*Desk, error) {
	d := &Desk{Config: c, seen: map[int64]time.Time{}, touched: map[string]*Item{}, items: map[string]*Item{}, out: map[string]*Outgoing{}, gossip: map[string]bool{}}
	if err := d.Vault.Get("state", &d.state); err != nil && !errors.Is(err, fault.NotFound) {
		return nil, err
	}
	d.tree = custody.Checkpoint{Origin: d.state.Tree.Origin, Size: d.state.Tree.Size}
	copy(d.tree.Root[:], d.state.Tree.Root)
	if err := d.loadDirectory(); err != nil {
		return nil, err
	}
	if err := all(d.Vault, cableName(""), func(i *Item) { d.items[i.Cable] = i }); err != nil {
		return nil, err
	}
	if err := d.loadActs(); err != nil {
		return nil, err
	}
	if err := all(d.Vault, "out-", func(o *Outgoing) { d.out[o.ID] = o }); err != nil {
		return nil, err
	}
	return d, d.dropStray()
}

// Close lets go of connections, and lets another command open the desk's folder.
func (d *Desk) Close() error {
	d.Client.Close()
	if d.held == nil {
		return nil
	}
	return d.held.Close()
}

// all reads every value whose name begins with a prefix.
func all[T any](v *vault.Vault, prefix string, take func(*T)) error {
	names, err := v.Names(prefix)
	if err != nil {
		return err
	}
	for _, name := range names {
		one := new(T)
		if err := v.Get(name, one); err != nil {
			return err
		}
		take(one)
	}
	return nil
}

// Growing files: of the statements of the directory, and of the acts on all cables.
const (
	directoryFile = "directory"
	actsFile      = "acts"
)

// acted is an act as it is kept.
type acted struct {
	Cable string `json:"cable"`
	Act
}

// loadActs reads what was done with the cables.
func (d *Desk) loadActs() error {
	return vault.Each(d.Vault, actsFile, d.state.Acted, func(a acted) error {
		if i := d.items[a.Cable]; i != nil {
			i.act(a.Act)
			i.fresh = nil
		}
		return nil
	})
}

// Statements returns the entries of the directory that the desk keeps, in the order of
// the log.
func (d *Desk) Statements() ([]custody.Entry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []custody.Entry
	err := vault.Each(d.Vault, directoryFile, d.state.Known, func(s statement) error {
		e, err := custody.ParseEntry(s.Entry)
		out = append(out, e)
		return err
	})
	return out, err
}

// loadDirectory reads the statements that were kept, in the order of the log.
func (d *Desk) loadDirectory() error {
	return vault.Each(d.Vault, directoryFile, d.state.Known, func(s statement) error {
		e, err := custody.ParseEntry(s.Entry)
		if err == nil {
			d.dir, _ = directory.Take(d.dir, s.Index, e.Statement)
			d.seen[s.Index] = s.Seen
		}
		return err
	})
}

// save keeps what changed, and then how far the desk came: after a crash it never stands
// beyond something that was not kept, and what was kept beyond it comes again.
func (d *Desk) save() error {
	next := d.state
	next.Tree = treeFile{d.tree.Origin, d.tree.Size, d.tree.Root[:]}
	var err error
	if next.Known, err = vault.Append(d.Vault, directoryFile, d.state.Known, d.fresh...); err != nil {
		return err
	}
	var acts []acted
	for id, i := range d.touched {
		if err := d.saveItem(i); err != nil {
			return err
		}
		for _, a := range i.fresh {
			acts = append(acts, acted{id, a})
		}
	}
	if next.Acted, err = vault.Append(d.Vault, actsFile, d.state.Acted, acts...); err != nil {
		return err
	}
	if err := d.Vault.Put("state", next); err != nil {
		return err
	}
	for _, i := range d.touched {
		i.fresh = nil
	}
	d.state, d.fresh = next, nil
	clear(d.touched)
	return nil
}

// cableName names the file of a cable.
func cableName(id string) string { return "cable-" + id }

// saveItem keeps a cable, if it changed; acts on it are kept by save.
func (d *Desk) saveItem(i *Item) error {
	data, err := json.Marshal(i)
	if err != nil {
		return fault.Internal.Wrap(err, "keep a cable")
	}
	sum := sha256.Sum256(data)
	if sum == i.kept {
		return nil
	}
	if err := d.Vault.Put(cableName(i.Cable), json.RawMessage(data)); err != nil {
		return err
	}
	i.kept = sum
	return nil
}

// alarm remembers something that the person must know of, once.
func (d *Desk) alarm(index int64, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.ContainsFunc(d.state.Alarms, func(a Alarm) bool { return a.Index == index && a.Text == text }) {
		d.state.Alarms = append(d.state.Alarms, Alarm{index, d.Now().UTC().Truncate(time.Second), text})
	}
}

// Tell leaves word of something that the person must know of.
func (d *Desk) Tell(format string, args ...any) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.alarm(-1, format, args...)
	return d.save()
}

// Alarms returns what the person must know of, the newest last.
func (d *Desk) Alarms() []Alarm {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.state.Alarms)
}

// ClearAlarms forgets them, once the person has seen them.
func (d *Desk) ClearAlarms() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state.Alarms = nil
	return d.save()
}

// Directory calls f with the directory as it was read last; f must not keep it.
func (d *Desk) Directory(f func(*directory.Directory)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.knows(); err != nil {
		return err
	}
	f(d.dir)
	return nil
}

// knows refuses what needs the directory, before the first line to the registry.
func (d *Desk) knows() error {
	if d.dir != nil {
		return nil
	}
	return fault.NotFound.New("the desk has not read the directory yet").WithHint("connect to the registry once: chancery status")
}

// Noted returns what marking desks last said, by the id of their key.
func (d *Desk) Noted() map[string]entries.Noted {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.state.Noted)
}

// Tree is the state of the log up to which the desk has read all that is for it.
func (d *Desk) Tree() custody.Checkpoint {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.tree
}

// Items returns the cables that the desk knows, those that wait to be read first, by
// precedence and date-time group.
func (d *Desk) Items() []Item {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Item
	for _, i := range d.items {
		out = append(out, *i)
	}
	slices.SortFunc(out, compareItems)
	return out
}

// Find returns the cable with a reference, or with an id that begins so.
func (d *Desk) Find(ref string) (Item, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i, err := d.find(ref)
	if err != nil {
		return Item{}, err
	}
	return *i, nil
}

// minID is how much of an id names a cable.
const minID = 6

func (d *Desk) find(ref string) (*Item, error) {
	if i := d.items[ref]; i != nil {
		return i, nil
	}
	var found []*Item
	for _, id := range slices.Sorted(maps.Keys(d.items)) {
		i := d.items[id]
		if i.Release.Reference == ref || len(ref) >= minID && len(id) >= len(ref) && id[:len(ref)] == ref {
			found = append(found, i)
		}
	}
	found = means(found, ref)
	switch len(found) {
	case 0:
		return nil, fault.NotFound.New("the desk holds no cable %q", ref).WithHint("chancery inbox lists them; a reference with spaces stands in quotation marks")
	case 1:
		return found[0], nil
	}
	hint := "say which by its id:"
	for _, i := range found {
		hint += " " + i.Cable[:8]
	}
	return nil, fault.Usage.New("%d cables have the reference %q", len(found), ref).WithHint("%s", hint)
}

// tenureIn returns the person's running tenure in an office; any, if that is empty.
func (d *Desk) tenureIn(office string) (directory.Holding, error) {
	if err := d.knows(); err != nil {
		return directory.Holding{}, err
	}
	var found []directory.Holding
	for _, h := range d.dir.Tenures(d.Person) {
		if h.Runs(d.Now()) && (office == "" || h.Office == office) {
			found = append(found, h)
		}
	}
	switch {
	case len(found) == 1 || len(found) > 1 && office != "":
		return found[0], nil
	case len(found) > 1:
		return directory.Holding{}, fault.Usage.New("you sit in %d offices", len(found)).WithHint("say from which with --from")
	case office != "":
		return directory.Holding{}, fault.Permission.New("you do not sit in the office %q", office)
	}
	return directory.Holding{}, fault.Permission.New("you sit in no office").WithHint("an appointment needs your word: chancery appoint --accept")
}
