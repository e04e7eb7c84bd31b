package attend

import (
	"context"
	"errors"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/courier"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/marking"
	"chancery/internal/post"
	"chancery/internal/sign"
)

// A letter is an entry that somebody sent to the marking desk, and when it came.
type letter struct {
	marking.Seen
	came time.Time
}

// orderTime is how long an order is waited for. Its author sends it before the release.
const orderTime = 10 * time.Minute

// attend does what a letter asks. What fails for a while is kept and tried again;
// what is refused is said in the log to those it concerns.
func (m *Marking) attend(ctx context.Context, l letter) error {
	var err error
	if l.Tree, err = m.again(ctx, &l.Seen); err != nil {
		return err
	}
	kind, _, err := sign.Claims(l.Entry.Statement)
	switch {
	case err != nil:
	case kind == entries.KindRelease:
		err = m.release(ctx, l)
	case kind == entries.KindReceipt:
		err = m.receipt(ctx, l)
	case kind == entries.KindRecall:
		_, err = m.desk.Recall(l.Seen)
	case kind == entries.KindOnward || kind == entries.KindLeave || kind == entries.KindArchive:
		err = m.lateCopy(ctx, kind, l)
	}
	return m.outcome(ctx, l, kind, err)
}

// outcome keeps a letter that is to be tried again, and tells the operator of one that
// was refused.
func (m *Marking) outcome(ctx context.Context, l letter, kind string, err error) error {
	if err == nil {
		return nil
	}
	if fault.Passing(err) || errors.Is(err, errWaits) {
		m.Logger.Warn("tries again", "entry", l.Index, "why", fault.Escape(err.Error()))
		m.behind = append(m.behind, l)
		return ctx.Err()
	}
	m.Logger.Warn("refused", "kind", kind, "entry", l.Index, "why", fault.Escape(err.Error()))
	return nil
}

// errWaits says that something has not arrived yet.
var errWaits = errors.New("it has not arrived yet")

// maxOrders is how many orders of one author are waited for: each is asked for again and
// again.
const maxOrders = 16

// waitFor counts the letters by whom signed this one that are tried again.
func (m *Marking) waitFor(l letter) int {
	_, by, err := sign.Claims(l.Entry.Statement)
	if err != nil {
		return 0
	}
	n := 0
	for _, one := range m.behind {
		if _, signers, err := sign.Claims(one.Entry.Statement); err == nil && signers[0] == by[0] {
			n++
		}
	}
	return n
}

// release draws the copies of a cable and logs the issue, or says why not.
func (m *Marking) release(ctx context.Context, l letter) error {
	var body entries.Release
	if err := sign.Peek(l.Entry.Statement, entries.KindRelease, &body); err != nil {
		return err
	}
	if err := m.desk.MayRelease(l.Seen); err != nil && !fault.Passing(err) {
		return m.refuse(ctx, l, body.Cable, err)
	} else if err != nil {
		return err
	}
	order, err := m.Client.Parcel(ctx, body.Envelope)
	if errors.Is(err, fault.NotFound) && m.Now().Sub(l.came) < orderTime && m.waitFor(l) < maxOrders {
		return errWaits
	}
	if errors.Is(err, fault.NotFound) {
		return m.refuse(ctx, l, body.Cable, fault.NotFound.New("the order of the release did not come"))
	}
	if err != nil {
		return err
	}
	statement, err := m.desk.Release(l.Seen, order)
	if err != nil && !fault.Passing(err) {
		return m.refuse(ctx, l, body.Cable, err)
	}
	if err != nil {
		return err
	}
	if err := m.tell(ctx, m.noted); err != nil {
		return err
	}
	to := append(post.Overseers(m.dir.Institution()), m.self())
	persons, err := m.desk.Persons(body.Cable)
	if err != nil {
		return err
	}
	for _, id := range persons {
		if p, _, err := m.dir.Person(id); err == nil {
			to = append(to, post.To(p))
		}
	}
	return m.log(ctx, statement, to...)
}

// refuse says in the log, to the one who asked and the overseers, that a release or a
// request was not taken.
func (m *Marking) refuse(ctx context.Context, l letter, cable string, why error) error {
	_, signers, err := sign.Claims(l.Entry.Statement)
	if err != nil {
		return err
	}
	author, err := m.dir.SignerAt(signers[0], l.Index)
	if err != nil {
		return why // nobody to tell
	}
	s, err := sign.Sign(entries.KindRefused, entries.Refused{Cable: cable, Release: l.Index, Reason: why.Error()}, m.Key)
	if err != nil {
		return err
	}
	m.Logger.Warn("refused", "entry", l.Index, "why", fault.Escape(why.Error()))
	return m.log(ctx, s, append(post.Overseers(m.dir.Institution()), post.To(author))...)
}

// log seals a statement to addresses and logs it.
func (m *Marking) log(ctx context.Context, statement []byte, to ...post.Address) error {
	_, note := m.Client.View.Last()
	_, err := courier.Send(ctx, m.Client, post.About(statement, note, to...))
	return err
}

// receipt hands over keys, or says in the log why they are withheld.
func (m *Marking) receipt(ctx context.Context, l letter) error {
	var body entries.Receipt
	if err := sign.Peek(l.Entry.Statement, entries.KindReceipt, &body); err != nil {
		return err
	}
	seen := custody.Checkpoint{Origin: l.Tree.Origin, Size: body.Size, Root: tlog.Hash(body.Root)}
	proof, err := m.Client.Consistency(ctx, seen, l.Tree)
	if err != nil {
		return err
	}
	out, err := m.desk.Deliver(marking.Receipt{Seen: l.Seen, Consistency: proof})
	if err != nil {
		return err
	}
	reader, _, err := m.dir.Person(out.Person)
	if err != nil {
		return err
	}
	if out.Withheld != nil {
		m.Logger.Info("withheld", "entry", l.Index, "why", fault.Escape(out.Reason))
		to := append(post.Overseers(m.dir.Institution()), post.To(reader))
		if author, _, err := m.dir.Person(out.Author); err == nil {
			to = append(to, post.To(author))
		}
		return m.log(ctx, out.Withheld, to...)
	}
	return m.Client.PutParcel(ctx, out.Sealed, []string{directory.PartyOf(out.Person)})
}
