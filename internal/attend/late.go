package attend

import (
	"context"

	"chancery/internal/courier"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/marking"
	"chancery/internal/post"
	"chancery/internal/sign"
)

// lateCopy does what an onward copy's request, its leave, or a successor's request
// asks, or says in the log why not.
func (m *Marking) lateCopy(ctx context.Context, kind string, l letter) error {
	var out *marking.LateCopy
	var err error
	switch kind {
	case entries.KindOnward:
		out, err = m.desk.Onward(l.Seen)
	case entries.KindLeave:
		out, err = m.desk.Leave(l.Seen)
	default:
		out, err = m.desk.Archive(l.Seen)
	}
	if err != nil && !fault.Passing(err) {
		request := entries.NewRequest(kind)
		if peeked := sign.Peek(l.Entry.Statement, kind, request); peeked != nil {
			return peeked
		}
		cable, _ := request.About()
		return m.refuse(ctx, l, cable, err)
	}
	if err != nil || out.Statement == nil {
		return err
	}
	return m.logLate(ctx, out)
}

// logLate logs the issue of a late copy. Its reader learns with it which copy it is.
func (m *Marking) logLate(ctx context.Context, out *marking.LateCopy) error {
	reader, _, err := m.dir.Person(out.Copy.Person)
	if err != nil {
		return err
	}
	_, note := m.Client.View.Last()
	mail := post.NewMailing(out.Statement, note)
	for _, a := range append(post.Overseers(m.dir.Institution()), post.To(reader)) {
		mail.Add(a, post.Letter{Copy: &out.Copy})
	}
	if author, _, err := m.dir.Person(out.Author); err == nil && author.ID != reader.ID {
		mail.Add(post.To(author), post.Letter{Copy: &out.Copy})
	}
	mail.Add(m.self(), post.Letter{})
	_, err = courier.Send(ctx, m.Client, mail)
	return err
}
