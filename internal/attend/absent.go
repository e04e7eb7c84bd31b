package attend

import (
	"context"
	"crypto/sha256"
	"fmt"

	"chancery/internal/courier"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/sign"
)

// absencePrefix begins the names of what holders of an office ask custodians to sign in
// the place of earlier ones who are absent.
func absencePrefix(office, to string) string {
	return fmt.Sprintf("absent-%x-", sha256.Sum256([]byte(office+"\n"+to)))
}

func absenceName(h entries.Handover) string {
	return fmt.Sprintf("%s%x", absencePrefix(h.Office, h.To), sha256.Sum256([]byte(h.From)))
}

// absence keeps a successor's word that an earlier holder is absent, until this custodian
// is told to sign it: the newest, since anybody may send an old one again. What does not
// hold is passed over.
func (c *Custodian) absence(h post.Handed) error {
	if c.dir == nil {
		return nil
	}
	body, err := c.absent(h.Statement)
	if err != nil {
		c.Logger.Warn("passed over", "why", fault.Escape(err.Error()))
		return nil
	}
	var before post.Handed
	var old entries.Handover
	if err := c.Vault.Get(absenceName(body), &before); err == nil && sign.Peek(before.Statement, entries.KindHandover, &old) == nil && old.Size > body.Size {
		return nil
	}
	if err := c.Vault.Put(absenceName(body), post.Handed{Office: h.Office, Statement: h.Statement}); err != nil {
		return err
	}
	c.Logger.Info("a successor asks custodians to sign that an earlier holder is absent", "office", body.Office, "from", body.From, "to", body.To)
	return nil
}

// absent checks that a holder of an office signed that an earlier one is absent, and that
// by the directory the one sits there now and the other did and does not.
func (c *Custodian) absent(statement []byte) (entries.Handover, error) {
	var h entries.Handover
	if err := entries.Belongs(statement, c.Client.Origin()); err != nil {
		return h, err
	}
	if err := sign.Peek(statement, entries.KindHandover, &h); err != nil {
		return h, err
	}
	p, _, err := c.dir.Person(h.To)
	if err != nil {
		return h, err
	}
	if err := sign.Open(statement, entries.KindHandover, &h, p.Sign); err != nil {
		return h, err
	}
	if known, _ := c.Client.View.Last(); h.Size > known.Size {
		return h, fault.Mismatch.New("a handover by a directory of %d entries, of which there are %d", h.Size, known.Size)
	}
	if !h.Absent || h.N < 0 {
		return h, fault.Mismatch.New("a handover of %d cables that says of nobody that they are absent", h.N)
	}
	return h, c.dir.Succeeds(h.To, h.From, h.Office, c.Now())
}

// Absences returns what a holder of an office wants this custodian to sign in the place of
// earlier holders who are absent. What no longer holds by the directory of now is left out.
func (c *Custodian) Absences(ctx context.Context, office, to string) ([]entries.Handover, error) {
	if err := c.catchUp(ctx); err != nil {
		return nil, err
	}
	sits, err := c.dir.Sits(to, office, c.Now())
	if err != nil {
		return nil, err
	}
	if !sits {
		return nil, fault.Permission.New("%q does not sit in %q", to, office)
	}
	names, err := c.Vault.Names(absencePrefix(office, to))
	if err != nil {
		return nil, err
	}
	var out []entries.Handover
	for _, name := range names {
		var h post.Handed
		if err := c.Vault.Get(name, &h); err != nil {
			return nil, err
		}
		if body, err := c.absent(h.Statement); err == nil {
			out = append(out, body)
		}
	}
	if len(out) == 0 {
		return nil, fault.NotFound.New("%q asked for no signature in the place of one who left %s", to, office).WithHint("they ask with chancery handover %s --absent PERSON", office)
	}
	return out, nil
}

// StandIn signs in the place of one who is absent what [Custodian.Absences] returned, if
// it still holds. It says so in the log, to who is absent and the overseers, and gives the
// signature to the successor, whose desk logs it with the others'.
func (c *Custodian) StandIn(ctx context.Context, want entries.Handover) error {
	if err := c.catchUp(ctx); err != nil {
		return err
	}
	var h post.Handed
	if err := c.Vault.Get(absenceName(want), &h); err != nil {
		return err
	}
	body, err := c.absent(h.Statement)
	if err != nil {
		return err
	}
	if body != want {
		return fault.Mismatch.New("%q asks for something else by now", want.To).WithHint("look again")
	}
	s, err := sign.Sign(entries.KindHandover, body, c.key())
	if err != nil {
		return err
	}
	from, _, err := c.dir.Person(want.From)
	if err != nil {
		return err
	}
	_, note := c.Client.View.Last()
	if _, err := courier.Send(ctx, c.Client, post.About(s, note, append(post.Overseers(c.dir.Institution()), post.To(from))...)); err != nil {
		return err
	}
	p, _, err := c.dir.Person(want.To)
	if err != nil {
		return err
	}
	sealed, err := post.Handed{Office: body.Office, Statement: s, By: c.Name}.Seal(p.Recipient)
	if err != nil {
		return err
	}
	return c.Client.PutParcel(ctx, sealed, []string{p.Party()})
}
