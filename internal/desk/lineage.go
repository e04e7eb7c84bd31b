package desk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"

	"chancery/cable"
	"chancery/internal/fault"
)

// A Wording names a choice of a cable that this person sent without telling it: by what it
// is recognised in a draft that corrects the cable. Only the person's own key makes such
// names, and they tell nobody else what the alternatives were.
type Wording struct {
	Alone []byte `json:"alone"` // its alternatives, in order
	Near  []byte `json:"near"`  // and the words beside them
}

// nearWords is how many words beside a site tell it from others of the same alternatives.
const nearWords = 3

// wordings names the choices of a draft, by group.
func (d *Desk) wordings(draft *cable.Draft) []Wording {
	key := d.Keys.Person.Derive("names of wordings")
	name := func(parts ...string) []byte {
		mac := hmac.New(sha256.New, key[:])
		for _, p := range parts {
			mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
			mac.Write([]byte(p))
		}
		return mac.Sum(nil)[:16]
	}
	out := make([]Wording, len(draft.Groups))
	for _, p := range draft.Paragraphs {
		for k, piece := range p {
			if piece.Site < 0 {
				continue
			}
			s := draft.Sites[piece.Site]
			if out[s.Group].Alone != nil {
				continue // linked to an earlier site
			}
			before, after := beside(draft, p, k)
			out[s.Group] = Wording{name(s.Alternatives...), name(append(slices.Concat(before, []string{""}, after), s.Alternatives...)...)}
		}
	}
	return out
}

// beside returns the words before and after a piece of a paragraph, in the record text.
func beside(draft *cable.Draft, p cable.Paragraph, k int) (before, after []string) {
	text := func(pieces []cable.Piece) (out string) {
		for _, one := range pieces {
			if one.Site < 0 {
				out += one.Text
			} else {
				out += draft.Sites[one.Site].Alternatives[0]
			}
		}
		return out
	}
	before, after = cable.Words(text(p[max(0, k-2*nearWords):k])), cable.Words(text(p[k+1:min(len(p), k+1+2*nearWords)]))
	return before[max(0, len(before)-nearWords):], after[:min(len(after), nearWords)]
}

// keep says which choice of a cable each choice of one that corrects it is, counted from 1,
// or 0 if it is new. Of several with the same alternatives those between the same words
// belong together, and then the others in their order.
func keep(before, now []Wording) []int {
	out := make([]int, len(now))
	taken := make([]bool, len(before))
	for _, name := range []func(Wording) []byte{func(w Wording) []byte { return w.Near }, func(w Wording) []byte { return w.Alone }} {
		waiting := map[string][]int{}
		for g, w := range before {
			if !taken[g] {
				waiting[string(name(w))] = append(waiting[string(name(w))], g)
			}
		}
		for g, w := range now {
			if all := waiting[string(name(w))]; out[g] == 0 && len(all) > 0 {
				out[g], taken[all[0]] = all[0]+1, true
				waiting[string(name(w))] = all[1:]
			}
		}
	}
	return out
}

// Correcting is how a draft corrects a cable of this person's: which of its choices it
// keeps, of how many.
type Correcting struct {
	Cable      string // its id
	Reference  string
	Kept, Of   int
	Superseded string // the cable that corrects it already, or empty
}

// Corrects says how a draft would correct a cable that this person sent.
func (d *Desk) Corrects(draft *cable.Draft, ref string) (Correcting, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i, err := d.correctable(ref)
	if err != nil {
		return Correcting{}, err
	}
	out := Correcting{Cable: i.Cable, Reference: i.Release.Reference, Of: len(draft.Groups)}
	for _, k := range keep(i.Wordings, d.wordings(draft)) {
		if k > 0 {
			out.Kept++
		}
	}
	if by := corrector(i, slices.Collect(maps.Values(d.items))); by != nil {
		out.Superseded = by.Cable
	}
	return out, nil
}

// correctable finds a cable of this person's that a later one can correct.
func (d *Desk) correctable(ref string) (*Item, error) {
	i, err := d.find(ref)
	switch {
	case err != nil:
		return nil, err
	case !i.Mine:
		return nil, fault.Permission.New("the cable %q is not yours", ref).WithHint("its author can correct it; an answer is chancery reply")
	case !i.Blind():
		return nil, fault.Usage.New("the cable %q was sent in mode %s: there is nothing that could be kept", ref, i.Release.Mode).WithHint("send the draft as a new cable")
	case i.Issue == nil:
		return nil, fault.NotFound.New("the cable %q is not issued", ref).WithHint("wait until it is, or send the draft as a new cable")
	}
	return i, nil
}

// repeats is how many choices between the same words make a draft one that was sent before.
const repeats = 3

// Repeated finds a cable that this person sent to some of the same people, and choices of
// which a draft holds again: drawn anew they would show these people where the sites are.
func (d *Desk) Repeated(draft *cable.Draft, r Reach) (Item, int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.wordings(draft)
	var found *Item
	most := repeats - 1
	for _, i := range d.items {
		if !i.Mine || !i.Blind() || i.Issue == nil || !i.reaches(r) {
			continue
		}
		known := map[string]bool{}
		for _, w := range i.Wordings {
			known[string(w.Near)] = true
		}
		n := 0
		for _, w := range now {
			if known[string(w.Near)] {
				n++
			}
		}
		if n > most || found != nil && n == most && i.Index > found.Index {
			found, most = i, n
		}
	}
	if found == nil {
		return Item{}, 0
	}
	return *found, most
}

// reaches says whether somebody whom a cable reached is among others.
func (i *Item) reaches(r Reach) bool {
	people := map[string]bool{}
	for _, p := range r.People {
		people[p.ID] = true
	}
	for _, c := range i.Copies {
		if people[c.Person] {
			return true
		}
	}
	return false
}

// Corrected returns the cables that correct others, by the ids of these.
func (d *Desk) Corrected() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string]string{}
	all := slices.Collect(maps.Values(d.items))
	for _, i := range all {
		if by := corrector(i, all); by != nil {
			out[i.Cable] = by.Cable
		}
	}
	return out
}

// corrector returns the newest of some cables that corrects another, nil if none does: it
// is of the same office, and was issued.
func corrector(i *Item, all []*Item) (by *Item) {
	for _, o := range all {
		if o.Release.Previous == i.Cable && o.Issue != nil && o.Release.Office == i.Release.Office && (by == nil || o.Index > by.Index) {
			by = o
		}
	}
	return by
}
