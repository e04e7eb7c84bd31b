package attend

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/sign"
)

// absenceName is the name of the newest list that a holder of an office made in the
// absence of an earlier one.
func absenceName(office, to string) string {
	return fmt.Sprintf("absent-%x", sha256.Sum256([]byte(office+"\n"+to)))
}

// absence keeps a successor's word that an earlier holder is absent, until this custodian
// is told to sign it. What does not hold is passed over.
func (c *Custodian) absence(h post.Handed) error {
	if c.dir == nil {
		return nil
	}
	body, err := c.absent(h.Statement)
	if err != nil {
		c.Logger.Warn("passed over", "why", fault.Escape(err.Error()))
		return nil
	}
	if err := c.Vault.Put(absenceName(body.Office, body.To), h); err != nil {
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
	if !h.Absent {
		return h, fault.Mismatch.New("a handover that says of nobody that they are absent")
	}
	return h, c.dir.Succeeds(h.To, h.From, h.Office, c.Now())
}

// Absence returns what a holder of an office wants this custodian to sign in the place of
// an earlier holder who is absent.
func (c *Custodian) Absence(ctx context.Context, office, to string) (entries.Handover, error) {
	if err := c.catchUp(ctx); err != nil {
		return entries.Handover{}, err
	}
	_, body, err := c.asked(office, to)
	return body, err
}

// asked looks up what was asked, and checks it by the directory of now.
func (c *Custodian) asked(office, to string) (post.Handed, entries.Handover, error) {
	var h post.Handed
	holders, err := c.dir.Holders(office, c.Now())
	if err != nil {
		return h, entries.Handover{}, err
	}
	if !slices.ContainsFunc(holders, func(one directory.Holding) bool { return one.Person == to }) {
		return h, entries.Handover{}, fault.Permission.New("%q does not sit in %q", to, office)
	}
	err = c.Vault.Get(absenceName(office, to), &h)
	if errors.Is(err, fault.NotFound) {
		return h, entries.Handover{}, fault.NotFound.New("%q asked for no signature in the place of one who left %s", to, office).WithHint("they ask with chancery handover %s --absent PERSON", office)
	}
	if err != nil {
		return h, entries.Handover{}, err
	}
	body, err := c.absent(h.Statement)
	return h, body, err
}

// StandIn signs in the place of the one who is absent, what [Custodian.Absence] returned,
// and gives it to the successor, whose desk logs it with the others' signatures.
func (c *Custodian) StandIn(ctx context.Context, want entries.Handover) error {
	_, body, err := c.asked(want.Office, want.To)
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
