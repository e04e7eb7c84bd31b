package attend

import (
	"context"
	"crypto/sha256"
	"slices"

	"chancery/internal/client"
	"chancery/internal/courier"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/seal"
	"chancery/internal/sign"
)

// An Overseer sees that acts took place, and between whom, never what was written. It
// does nothing but read.
type Overseer struct {
	Name     string
	Identity *seal.Identity
	Client   *client.Client
}

// A Cable is what an overseer knows of one.
type Cable struct {
	Release entries.Release
	Index   int64
	Copies  []entries.Copy // issued later; those of the release are for Circle
	Acts    []Seen

	circle []byte // digest of the parcel that says whose copies there are
}

// A Seen act stands in the log.
type Seen struct {
	Index int64
	Kind  string
	By    string // person, or party
	Copy  string
}

// KindStandIn is a custodian's own word that somebody is absent: a handover that they alone
// have signed.
const KindStandIn = "stand-in"

// Passed says how a holder of an office came to its archive.
type Passed struct {
	Index      int64
	Kind       string // handover, recovery, or KindStandIn
	From       string // who handed it over, or was absent; empty at a recovery
	To         string
	Absent     bool
	Custodians []string // who signed for one who was absent, or gave a share
	Cables     int      // of the inventory
}

// A Survey is what an overseer sees.
type Survey struct {
	Cables   map[string]*Cable   // by id
	Archives map[string][]Passed // who came to an office's archive, by office, in the order of the log
	Strange  int                 // letters that say what cannot be
	// Opened counts the custodians who found a draw that was opened to be what was
	// committed to; Denied those who did not; Bad are the draws that as many deny as
	// could open it: one alone accuses nobody.
	Opened, Denied map[int]int
	Bad            []int

	said   map[[2]int]bool // draw and custodian
	handed map[[sha256.Size]byte]bool
}

// Survey reads everything that was sent to the overseer, each entry verified.
func (o *Overseer) Survey(ctx context.Context) (*Survey, error) {
	out := &Survey{Cables: map[string]*Cable{}, Archives: map[string][]Passed{}, handed: map[[sha256.Size]byte]bool{}, Opened: map[int]int{}, Denied: map[int]int{}, said: map[[2]int]bool{}}
	var dir *directory.Directory
	var at custody.Place
	for more := true; more; {
		came, err := courier.Fetch(ctx, o.Client, client.Wish{Parties: []string{directory.Everyone, directory.Draws, directory.OverseerParty(o.Name)}, From: at, Parcel: client.NoParcels}, o.Identity)
		if err != nil {
			return nil, err
		}
		for _, l := range came.Letters {
			at = l.Next()
			switch {
			case l.Err != nil:
				out.Strange++
			case l.Party == directory.Everyone:
				dir, _ = directory.Take(dir, l.Index, l.Entry.Statement)
			case l.Party == directory.Draws:
				out.verdict(dir, l.Entry.Statement)
			default:
				if out.take(dir, l) != nil {
					out.Strange++
				}
			}
		}
		more = came.More
	}
	return out, nil
}

// verdict takes what a custodian found in a draw that was opened.
func (s *Survey) verdict(dir *directory.Directory, statement []byte) {
	if dir == nil {
		return
	}
	in := dir.Institution()
	var v entries.Verdict
	by, err := in.Custodian(statement, entries.KindVerdict, &v)
	if err != nil || s.said[[2]int{v.Draw, by}] {
		return
	}
	s.said[[2]int{v.Draw, by}] = true
	if v.Good {
		s.Opened[v.Draw]++
		return
	}
	if s.Denied[v.Draw]++; s.Denied[v.Draw] == in.Threshold {
		s.Bad = append(s.Bad, v.Draw)
	}
}

// about is what all statements about a cable have.
type about struct {
	Cable string `json:"cable"`
	Copy  string `json:"copy"`
}

// passed notes that an office's archive came to somebody.
func (s *Survey) passed(dir *directory.Directory, index int64, kind string, statement []byte) error {
	p := Passed{Index: index, Kind: kind}
	office := ""
	switch kind {
	case entries.KindHandover:
		h, by, err := entries.OpenStandIn(dir, index, statement)
		custodians := []string{by}
		p.Kind = KindStandIn
		if err != nil {
			p.Kind = kind
			h, custodians, err = entries.OpenHandover(dir, index, statement)
		}
		if err != nil {
			return err
		}
		if s.handed[sha256.Sum256(statement)] {
			return nil // logged again
		}
		s.handed[sha256.Sum256(statement)] = true
		office, p.From, p.To, p.Absent, p.Custodians, p.Cables = h.Office, h.From, h.To, h.Absent, custodians, h.N
	case entries.KindRecovery:
		var r entries.Recovery
		in := dir.Institution()
		by, err := in.Custodian(statement, kind, &r)
		if err != nil {
			return err
		}
		office, p.To, p.Custodians = r.Office, r.Person, []string{in.Custodians[by-1].Name}
	}
	s.Archives[office] = append(s.Archives[office], p)
	return nil
}

// take verifies who signed a statement and notes the act.
func (s *Survey) take(dir *directory.Directory, l courier.Letter) error {
	all, statement, index := s.Cables, l.Entry.Statement, l.Index
	kind, signers, err := sign.Claims(statement)
	if err != nil {
		return err
	}
	if dir == nil {
		return fault.Mismatch.New("a letter before the institution")
	}
	if kind == entries.KindHandover || kind == entries.KindRecovery {
		return s.passed(dir, index, kind, statement)
	}
	by, keys, err := speaks(dir, signers, index)
	if err != nil {
		return err
	}
	if kind == entries.KindRelease {
		var body entries.Release
		if err := sign.Open(statement, kind, &body, keys...); err != nil {
			return err
		}
		if all[body.Cable] != nil {
			return fault.Exists.New("the cable was released before")
		}
		all[body.Cable] = &Cable{Release: body, Index: index, circle: l.Mail.Parcel, Acts: []Seen{{index, kind, by, ""}}}
		return nil
	}
	var b about
	if err := sign.Loosely(statement, &b, keys...); err != nil {
		return err
	}
	c := all[b.Cable]
	if c == nil {
		return fault.NotFound.New("an act on a cable that was not released")
	}
	if l.Mail.Copy != nil {
		b.Copy = l.Mail.Copy.ID
		c.Copies = append(c.Copies, *l.Mail.Copy)
	}
	c.Acts = append(c.Acts, Seen{index, kind, by, b.Copy})
	return nil
}

// Circle fetches whose copies of a cable there are: those that its release names, and
// those that were issued later.
func (o *Overseer) Circle(ctx context.Context, c *Cable) ([]entries.Copy, error) {
	if len(c.circle) != sha256.Size {
		return nil, fault.Input.New("the release came without its circle of readers")
	}
	sealed, err := o.Client.Parcel(ctx, [sha256.Size]byte(c.circle))
	if err != nil {
		return nil, err
	}
	copies, err := post.OpenCircle(sealed, o.Identity)
	if err != nil {
		return nil, err
	}
	root, err := entries.CopiesRoot(copies)
	if err == nil && (root != c.Release.Copies || len(copies) != c.Release.N) {
		err = fault.Mismatch.New("the circle of readers is not the one that was released")
	}
	for _, late := range c.Copies {
		if !slices.ContainsFunc(copies, func(one entries.Copy) bool { return one.ID == late.ID && one.Person == late.Person }) { // else it was issued again, to new keys
			copies = append(copies, late)
		}
	}
	return copies, err
}

// speaks returns who signed a statement, and the keys.
func speaks(dir *directory.Directory, signers []sign.ID, index int64) (string, []*sign.Public, error) {
	var keys []*sign.Public
	name := ""
	for i, id := range signers {
		if p, err := dir.SignerAt(id, index); err == nil {
			keys = append(keys, p.Sign)
			if i == 0 {
				name = p.ID
			}
			continue
		}
		if key, err := dir.DeviceKey(id.String()); err == nil {
			keys = append(keys, key)
			continue
		}
		s, err := dir.Speaker(id)
		if err != nil {
			return "", nil, err
		}
		keys = append(keys, s.Sign)
		if i == 0 {
			name = s.Party
		}
	}
	return name, keys, nil
}
