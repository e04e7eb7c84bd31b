package attend

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/marking"
	"chancery/internal/post"
	"chancery/internal/seal/share"
	"chancery/internal/sign"
)

// drawn is a draw as the log tells of it to a custodian.
type drawn struct {
	entries.Draw
	good     map[int]bool   // custodians who said that their share is good, by number
	answered bool           // we said so, or chose to open it
	by       *sign.Public   // of the marking desk
	void     bool           // the marking desk said that it serves no cable
	told     bool           // a custodian said whether it is what was committed to
	given    map[int][]byte // shares that lie open, not verified, by number
	judged   bool           // we said whether it is what was committed to
}

// is says whether a statement is about the draw as it was committed to.
func (d *drawn) is(s entries.ShareOK) bool {
	return d != nil && s == d.word()
}

// chooses says whether this custodian opens a draw: the one of twenty that it drew when
// its turn came, by a secret of its own. Before it answers, nobody can tell which.
func (c *Custodian) chooses(draw int) bool {
	if entries.Auditor(draw, len(c.dir.Institution().Custodians)) != c.number {
		return false
	}
	key := c.Key.Derive("audit")
	mac := hmac.New(sha256.New, key[:])
	mac.Write(binary.BigEndian.AppendUint64([]byte(c.Client.Origin()+"\n"), uint64(entries.Block(draw)))) // another log, another choice
	return int(binary.BigEndian.Uint64(mac.Sum(nil))%entries.AuditBlock) == (draw-1)%entries.AuditBlock
}

// open takes what the log says of draws to everyone who looks after them.
func (c *Custodian) open(statement []byte) {
	if c.dir == nil {
		return
	}
	in := c.dir.Institution()
	for i, p := range in.Custodians {
		if p.Name == c.Name {
			c.number = i + 1
		}
	}
	kind, _, err := sign.Claims(statement)
	if err != nil {
		return // somebody's noise
	}
	switch kind {
	case entries.KindDraw:
		var d entries.Draw
		for _, m := range in.Marking {
			if sign.Open(statement, kind, &d, m.Sign) == nil && c.draws[d.Draw] == nil {
				c.draws[d.Draw] = &drawn{Draw: d, by: m.Sign, good: map[int]bool{}, given: map[int][]byte{}}
			}
		}
	case entries.KindShareOK, entries.KindAudit:
		var s entries.ShareOK
		if by, err := in.Custodian(statement, kind, &s); err == nil && c.draws[s.Draw].is(s) {
			c.answer(in, by, kind, s.Draw)
		}
	case entries.KindGiven:
		var g entries.Given
		if by, err := in.Custodian(statement, kind, &g); err == nil && c.draws[g.Draw].is(g.ShareOK) && c.draws[g.Draw].given[by] == nil {
			c.draws[g.Draw].given[by] = g.Share
		}
	case entries.KindVerdict:
		var v entries.Verdict
		if by, err := in.Custodian(statement, kind, &v); err == nil && c.draws[v.Draw].is(v.ShareOK) {
			c.draws[v.Draw].told = true
			if by == c.number {
				c.judged(v)
			}
		}
	case entries.KindVoid:
		var v entries.Void
		if sign.Peek(statement, kind, &v) == nil && v.Release < 0 && c.draws[v.Draw] != nil && sign.Open(statement, kind, &v, c.draws[v.Draw].by) == nil {
			c.draws[v.Draw].void = true
		}
	}
}

// answer takes a custodian's answer to a draw, in the order of the log: whether a draw is
// opened or may serve a cable is the same for all who read it.
func (c *Custodian) answer(in directory.Institution, by int, kind string, draw int) {
	d := c.draws[draw]
	d.answered = d.answered || by == c.number
	if kind == entries.KindShareOK {
		d.good[by] = true
		return
	}
	block := entries.Block(draw)
	if c.chosen[block] != nil || by != entries.Auditor(draw, len(in.Custodians)) || len(d.good) >= in.Enough() {
		return
	}
	c.chosen[block], c.opening = d, append(c.opening, d)
}

// judged remembers what we said of a draw.
func (c *Custodian) judged(v entries.Verdict) {
	c.draws[v.Draw].judged = true
	if !v.Good && c.bad == nil {
		c.bad = fault.Mismatch.New("the secret of draw %d is not what the marking desk committed to", v.Draw)
		c.Logger.Error("a marking desk that deceives: no draw of it is answered any more", "draw", v.Draw, "why", c.bad.Error())
	}
}

// unsettled says whether a draw is to be opened and nobody said yet what came of it: the
// marking desk gets no more answers before that.
func (c *Custodian) unsettled() bool {
	return slices.ContainsFunc(c.opening, func(d *drawn) bool { return !d.told && !d.judged })
}

// audit opens the draws that are to be opened, once the marking desk said in the log that
// they serve no cable: it gives our share of each, and, when there are enough, says
// whether they restore what was committed to.
func (c *Custodian) audit(ctx context.Context) error {
	c.opening = slices.DeleteFunc(c.opening, func(d *drawn) bool { return d.judged })
	for _, d := range c.opening {
		if !d.void {
			continue
		}
		var kept Share
		err := c.Vault.Get(DrawName(d.Draw.Draw), &kept)
		if errors.Is(err, fault.NotFound) {
			continue // our share has not come, or is bad
		}
		if err != nil {
			return err
		}
		if err := c.giveShare(ctx, d, kept.Share); err != nil {
			return err
		}
		if err := c.judge(ctx, d, kept); err != nil {
			return err
		}
	}
	return nil
}

// giveShare lays our share of a draw open.
func (c *Custodian) giveShare(ctx context.Context, d *drawn, own []byte) error {
	if d.given[c.number] != nil {
		return nil
	}
	err := c.say(ctx, entries.KindGiven, entries.Given{ShareOK: d.word(), Share: own})
	if err == nil {
		d.given[c.number] = own
	}
	return err
}

// word names a draw in what a custodian says of it.
func (d *drawn) word() entries.ShareOK {
	return entries.ShareOK{Draw: d.Draw.Draw, Root: d.Root, Vector: d.Vector}
}

// judge restores the secret of a draw, if enough good shares lie open, and says whether
// it gives the root that was committed to.
func (c *Custodian) judge(ctx context.Context, d *drawn, kept Share) error {
	vector, err := share.ParseVector(kept.Vector)
	if err != nil {
		return err
	}
	threshold := c.dir.Institution().Threshold
	var shares []share.Share
	for _, by := range slices.Sorted(maps.Keys(d.given)) {
		one, err := share.ParseShare(d.given[by])
		if err != nil || one.Verify(vector, by, threshold) != nil {
			c.Logger.Error("a custodian laid a bad share open", "draw", d.Draw.Draw, "custodian", by)
			continue
		}
		shares = append(shares, one)
	}
	if len(shares) < threshold {
		return nil
	}
	secret, err := share.Recover(shares[:threshold], vector)
	if err != nil {
		return err
	}
	v := entries.Verdict{ShareOK: d.word(), Good: marking.Root(secret) == d.Root}
	if err := c.say(ctx, entries.KindVerdict, v); err != nil {
		return err
	}
	c.judged(v)
	c.Logger.Info("opened", "draw", d.Draw.Draw, "as committed to", v.Good)
	return nil
}

// say logs a statement of this custodian's about a draw.
func (c *Custodian) say(ctx context.Context, kind string, body any) error {
	s, err := sign.Sign(kind, body, c.key())
	if err != nil {
		return err
	}
	_, err = c.Client.Submit(ctx, post.Publish(s))
	return err
}
