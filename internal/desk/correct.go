package desk

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chancery/cable"
	"chancery/internal/entries"
	"chancery/internal/fault"
)

// Who reads one text in two wordings sees where the sites are. So a place that was sent
// once is not sent again to the same people: a correction refers to the paragraphs that
// stay, which everybody reads in the words of the copy that they have, and nothing is
// drawn for them.

// Sent names what a cable of this person's varies, without telling it: by what it is
// recognised in a later draft. Only the person's own key makes such names.
type Sent struct {
	Places     [][]byte `json:"places"`     // choices: alternatives and the words beside them
	Paragraphs [][]byte `json:"paragraphs"` // by number, from 0; nil for one that varies nothing
}

// nearWords is how many words beside a site tell it from others of the same alternatives.
const nearWords = 3

// names names what a draft varies.
func (d *Desk) names(draft *cable.Draft) Sent {
	key := d.Keys.Person.Derive("names of wordings")
	name := func(parts ...string) []byte {
		mac := hmac.New(sha256.New, key[:])
		for _, p := range parts {
			mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
			mac.Write([]byte(p))
		}
		return mac.Sum(nil)[:16]
	}
	out := Sent{Places: [][]byte{}, Paragraphs: make([][]byte, len(draft.Paragraphs))}
	for n, p := range draft.Paragraphs {
		for k, piece := range p {
			if piece.Site < 0 {
				continue
			}
			before, after := beside(draft, p, k)
			alternatives := slices.Sorted(slices.Values(draft.Sites[piece.Site].Alternatives)) // whatever their order
			out.Places = append(out.Places, name(slices.Concat(before, []string{""}, after, alternatives)...))
			out.Paragraphs[n] = name(source(draft, n))
		}
	}
	return out
}

// source is a paragraph of a draft as it is written.
func source(draft *cable.Draft, n int) string {
	one := cable.Draft{Paragraphs: draft.Paragraphs[n : n+1], Sites: draft.Sites, Groups: draft.Groups}
	return strings.Trim(one.Canonical(), "\n")
}

// beside returns the fixed words before and after a piece of a paragraph, up to the sites
// that are next to it.
func beside(draft *cable.Draft, p cable.Paragraph, k int) (before, after []string) {
	if k > 0 && p[k-1].Site < 0 {
		before = cable.Words(p[k-1].Text)
	}
	if k+1 < len(p) && p[k+1].Site < 0 {
		after = cable.Words(p[k+1].Text)
	}
	return before[max(0, len(before)-nearWords):], after[:min(len(after), nearWords)]
}

// A Correction is a draft that corrects a cable of this person's.
type Correction struct {
	Cable     string // the one that is corrected
	Reference string
	Draft     string // as it is sent: paragraphs that stay are references
	Stay, Of  int    // paragraphs that vary something
	Without   []string
}

// Correct refers to the paragraphs of a draft that stand in the cable which it corrects, or
// in another one of the same lineage, just as they are. Without names people who would get
// the draft, and have no copy of a cable that it refers to.
func (d *Desk) Correct(draft *cable.Draft, ref, office string, reach Reach) (Correction, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i, err := d.correctable(ref, office)
	if err != nil {
		return Correction{}, err
	}
	out := Correction{Cable: i.Cable, Reference: i.Release.Reference}
	found := d.stays(draft, d.lineage(i))
	var text strings.Builder
	head, _, _ := strings.Cut(draft.Canonical(), "\n\n")
	text.WriteString(head + "\n")
	names := d.names(draft)
	for n := range draft.Paragraphs {
		if names.Paragraphs[n] != nil {
			out.Of++
		}
		if found[n].item == nil {
			text.WriteString("\n" + source(draft, n) + "\n")
			continue
		}
		out.Stay++
		text.WriteString("\n" + refer(found[n].item, found[n].number) + "\n")
		for _, p := range reach.People {
			if !found[n].item.has(p.ID) && !slices.Contains(out.Without, p.ID) {
				out.Without = append(out.Without, p.ID)
			}
		}
	}
	if len(draft.Paragraphs) == out.Stay {
		return out, fault.Input.New("the draft changes nothing of %s", out.Reference)
	}
	out.Draft = text.String()
	return out, nil
}

// refer is a reference to a paragraph of a cable of this person's, from 1, for a draft.
func refer(i *Item, n int) string {
	called := i.Release.Reference
	if strings.ContainsAny(called, `[]{}|\,#`) {
		called = ""
	}
	return fmt.Sprintf("[[%s, %d]]", strings.TrimSpace(called+" #"+i.Cable), n)
}

// A place is where a paragraph stood before.
type place struct {
	item   *Item
	number int // from 1
}

// stays says of each paragraph of a draft where it stood before. One whose choices are
// linked to those of a paragraph that does not stay does not stay either.
func (d *Desk) stays(draft *cable.Draft, before []*Item) []place {
	found := make([]place, len(draft.Paragraphs))
	for n, name := range d.names(draft).Paragraphs {
		for _, i := range before {
			k := slices.IndexFunc(i.Varies.Paragraphs, func(old []byte) bool { return name != nil && string(old) == string(name) })
			if k >= 0 && found[n].item == nil {
				found[n] = place{i, k + 1}
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for _, g := range draft.Groups {
			stay := func(s int) bool { return found[draft.Sites[s].Paragraph].item != nil }
			if slices.ContainsFunc(g.Sites, stay) && !slices.ContainsFunc(g.Sites, func(s int) bool { return !stay(s) }) {
				continue
			}
			for _, s := range g.Sites {
				changed = changed || stay(s)
				found[draft.Sites[s].Paragraph] = place{}
			}
		}
	}
	return found
}

// correctable finds a cable of this person's that a later one can correct.
func (d *Desk) correctable(ref, office string) (*Item, error) {
	for _, o := range d.out {
		if o.Reference == ref {
			return nil, fault.Usage.New("%s is still in the outbox", ref).WithHint("chancery recall takes it out, and then send the better draft")
		}
	}
	i, err := d.find(ref)
	switch {
	case err != nil:
		return nil, err
	case !i.Mine:
		return nil, fault.Permission.New("the cable %q is not yours", ref).WithHint("its author can correct it; an answer is chancery reply")
	case i.Release.Mode != entries.ModeBlind:
		return nil, fault.Usage.New("the cable %q was sent in mode %s: a correction of it is a cable like any other", ref, i.Release.Mode)
	case i.Release.Office != office:
		return nil, fault.Usage.New("the cable %q was sent from %s, not from %s", ref, i.Release.Office, office).WithHint("--from %s", i.Release.Office)
	case i.Void != "":
		return nil, fault.Usage.New("the cable %q was never issued", ref).WithHint("send the draft as a cable of its own")
	case i.Varies.Places == nil:
		return nil, fault.Usage.New("this desk does not know what was varied in %q", ref).WithHint("correct it from the desk that sent it; or say in a cable of its own what is to be read otherwise")
	}
	return i, nil
}

// lineage returns the cables of this person's that correct each other, one of them given,
// the newest first: those that their readers can read.
func (d *Desk) lineage(i *Item) []*Item {
	all := map[string]*Item{i.Cable: i}
	for grown := true; grown; {
		grown = false
		for id, o := range d.items {
			_, follows := all[o.Release.Previous]
			leads := slices.ContainsFunc(slices.Collect(maps.Values(all)), func(x *Item) bool { return x.Release.Previous == id })
			if all[id] == nil && o.Mine && (follows || leads) {
				all[id], grown = o, true
			}
		}
	}
	out := slices.SortedFunc(maps.Values(all), func(a, b *Item) int { return cmp.Compare(b.Index, a.Index) })
	return slices.DeleteFunc(out, func(o *Item) bool { return o.Recall != "" || o.Void != "" })
}

// has says whether a person is known to have a copy.
func (i *Item) has(person string) bool {
	return slices.ContainsFunc(i.Copies, func(c entries.Copy) bool { return c.Person == person })
}

// repeats is how many places make a draft one that was sent before.
const repeats = 3

// A Repetition is a cable that this person sent to some of the same people, and how many
// places of it a draft holds again.
type Repetition struct {
	Reference string
	Cable     string // its id; empty if it has not left the outbox
	Places    int
}

// Repeated finds the cable of which a draft repeats most places, if they are several or all.
func (d *Desk) Repeated(draft *cable.Draft, reach Reach) Repetition {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := map[string]bool{}
	for _, p := range d.names(draft).Places {
		now[string(p)] = true
	}
	var most Repetition
	count := func(r Repetition, before Sent) {
		for _, p := range before.Places {
			if now[string(p)] {
				r.Places++
			}
		}
		if r.Places >= min(repeats, max(1, len(now))) && r.Places > most.Places {
			most = r
		}
	}
	for _, i := range d.items {
		if i.Mine && i.Void == "" && slices.ContainsFunc(i.Copies, func(c entries.Copy) bool { return reach.includes(c.Person) && i.mayHaveRead(c.ID) }) {
			count(Repetition{i.Release.Reference, i.Cable, 0}, i.Varies)
		}
	}
	for _, o := range d.out {
		if waiting, err := cable.Parse([]byte(o.Draft)); err == nil {
			count(Repetition{o.Reference, "", 0}, d.names(waiting))
		}
	}
	return most
}

// mayHaveRead says whether the reader of a copy may have opened it, or still can: of a
// cable that was recalled only who signed a receipt.
func (i *Item) mayHaveRead(id string) bool {
	return i.Recall == "" || slices.ContainsFunc(i.Acts, func(a Act) bool {
		return a.Copy == id && (a.Kind == entries.KindReceipt || a.Kind == entries.KindOpened)
	})
}

// includes says whether a person is among those reached.
func (r Reach) includes(person string) bool {
	for _, p := range r.People {
		if p.ID == person {
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
// is by the same author for the same office, and was issued.
func corrector(i *Item, all []*Item) (by *Item) {
	for _, o := range all {
		if o.Release.Previous == i.Cable && (o.Issue != nil || !o.Blind()) && o.Author == i.Author && o.Release.Office == i.Release.Office && (by == nil || o.Index > by.Index) {
			by = o
		}
	}
	return by
}

// Office is the office from which this person sends: the one named, or the only one.
func (d *Desk) Office(from string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h, err := d.tenureIn(from)
	return h.Office, err
}

// means drops those of several cables with one reference that nobody means by it: that were
// corrected, that correct one and are not issued, and that never will be, if there are others.
func means(found []*Item, ref string) []*Item {
	all := slices.Clone(found)
	corrects := func(i *Item) bool {
		return slices.ContainsFunc(all, func(o *Item) bool { return o.Cable == i.Release.Previous })
	}
	alive := slices.ContainsFunc(all, func(i *Item) bool { return i.Void == "" })
	return slices.DeleteFunc(found, func(i *Item) bool {
		return i.Release.Reference == ref && (corrector(i, all) != nil || i.Blind() && i.Issue == nil && corrects(i) || i.Void != "" && alive)
	})
}
