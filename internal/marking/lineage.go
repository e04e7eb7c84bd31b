package marking

import (
	"slices"

	"chancery/internal/entries"
	"chancery/internal/fault"
)

// A cable may correct another one, which may correct another: a lineage. Who reads two of
// them and found two wordings of a sentence would know where the sites are (redteam,
// finding 16). So a person has one wording of every choice that a lineage keeps: that of
// the first copy in which they were given it. Everything else is drawn anew, from the
// cable's own draw.
//
// Turns are the order in which the copies of a lineage were drawn: 0 for those of a cable
// that corrects none, and then one more for each further cable and each late copy.

// maxVersions is how many cables a lineage has at most.
const maxVersions = 64

// follows notes which cable a cable corrects.
func (d *Desk) follows(c *cable) {
	if c.Body.Previous != "" && !c.Void {
		d.corrections[c.Body.Previous] = append(d.corrections[c.Body.Previous], c.Cable)
	}
}

// lineage returns the cables of a cable's lineage, itself included.
func (d *Desk) lineage(c *cable) []*cable {
	first := c
	for first.Body.Previous != "" && d.cables[first.Body.Previous] != nil {
		first = d.cables[first.Body.Previous]
	}
	all := []*cable{first}
	for i := 0; i < len(all); i++ {
		for _, id := range d.corrections[all[i].Cable] {
			if next := d.cables[id]; next != nil {
				all = append(all, next)
			}
		}
	}
	return all
}

// turn is that of the next copies of a lineage.
func (d *Desk) turn(c *cable) int {
	if c.Body.Previous == "" && d.cables[c.Cable] == nil {
		return 0
	}
	last := 0
	for _, v := range d.lineage(c) {
		last = max(last, v.Turn)
		for _, l := range v.Late {
			last = max(last, l.Turn)
		}
	}
	return last + 1
}

// mayCorrect says whether a release may correct the cable that it names.
func (d *Desk) mayCorrect(body *entries.Release) error {
	if body.Previous == "" {
		return nil
	}
	before := d.cables[body.Previous]
	switch {
	case before == nil || before.Void:
		return fault.NotFound.New("the cable that is corrected was not issued by this marking desk").WithHint("send it as a new one")
	case before.Body.Office != body.Office:
		return fault.Permission.New("the cable that is corrected is another office's")
	case len(d.lineage(before)) >= maxVersions:
		return fault.Input.New("a cable was corrected %d times: send it as a new one", maxVersions-1)
	}
	return nil
}

// checkKept refuses an order that keeps choices which the cable that it corrects does not
// have.
func (d *Desk) checkKept(c *cable, o *opened) error {
	var sizes []int
	if c.Body.Previous != "" {
		before, err := d.look(d.cables[c.Body.Previous])
		if err != nil {
			return fault.System.Wrap(err, "the order of the cable that is corrected") // no fault of this author's
		}
		sizes = before.sizes
	}
	for g, k := range o.kept {
		if k >= len(sizes) || k >= 0 && sizes[k] != o.sizes[g] {
			return fault.Input.New("the order keeps choices that the cable which is corrected does not have")
		}
	}
	return nil
}

// A version is another cable of a lineage, for dealing from one.
type version struct {
	c      *cable
	o      *opened
	groups []int          // which of its groups each group of the one is, or -1
	slots  map[string]int // of persons
}

// An origin names a choice in its lineage: where it was new.
type origin struct {
	cable string
	group int
}

// origins returns where each choice of a cable was new.
func (d *Desk) origins(c *cable, o *opened) ([]origin, error) {
	var before []origin
	if c.Body.Previous != "" {
		previous := d.cables[c.Body.Previous]
		p, err := d.look(previous)
		if err != nil {
			return nil, err
		}
		if before, err = d.origins(previous, p); err != nil {
			return nil, err
		}
	}
	out := make([]origin, len(o.kept))
	for g, k := range o.kept {
		if out[g] = (origin{c.Cable, g}); k >= 0 {
			out[g] = before[k]
		}
	}
	return out, nil
}

// join looks for the other cables of a lineage.
func (d *Desk) join(c *cable, o *opened) error {
	all := d.lineage(c)
	if o.joined || len(all) == 1 && c.Body.Previous == "" {
		return nil
	}
	mine, err := d.origins(c, o)
	if err != nil {
		return err
	}
	var versions []version
	for _, one := range all {
		if one.Cable == c.Cable {
			continue
		}
		v := version{c: one, slots: map[string]int{}}
		if v.o, err = d.look(one); err != nil {
			return err
		}
		theirs, err := d.origins(one, v.o)
		if err != nil {
			return err
		}
		at := map[origin]int{}
		for g, x := range theirs {
			at[x] = g
		}
		for _, x := range mine {
			g, kept := at[x]
			if !kept {
				g = -1
			}
			v.groups = append(v.groups, g)
		}
		for slot, copy := range v.o.copies {
			v.slots[copy.Person] = slot
		}
		versions = append(versions, v)
	}
	o.versions, o.joined = versions, true
	return nil
}

// cool forgets the orders of a lineage: they are read anew, as they are now.
func (d *Desk) cool(c *cable) {
	for _, v := range d.lineage(c) {
		delete(d.hot, v.Cable)
	}
}

// codeword returns the choices of a copy: those of the first copy of the lineage in which
// its reader was given them, and for the rest its own.
func (d *Desk) codeword(c *cable, o *opened, slot int) ([]int, error) {
	word := o.key(c, slot).Codeword(o.sizes)
	if err := d.join(c, o); err != nil || len(o.versions) == 0 {
		return word, err
	}
	since := slices.Repeat([]int{o.turns[slot]}, len(word))
	for _, v := range o.versions {
		there, has := v.slots[o.copies[slot].Person]
		if !has {
			continue
		}
		key := v.o.key(v.c, there)
		for g, k := range v.groups {
			if k >= 0 && v.o.turns[there] < since[g] {
				since[g], word[g] = v.o.turns[there], key.Symbol(k, o.sizes[g])
			}
		}
	}
	return word, nil
}
