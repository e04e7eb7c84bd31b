package attend

import (
	"context"

	"chancery/internal/custody"
	"chancery/internal/entries"
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
	if err != nil && !passing(err) {
		return m.refuse(ctx, l, cableOf(kind, l.Entry.Statement), err)
	}
	if err != nil || out.Statement == nil {
		return err
	}
	return m.logLate(ctx, out)
}

// cableOf reads the cable's id out of a request.
func cableOf(kind string, statement []byte) string {
	switch kind {
	case entries.KindOnward:
		var b entries.Onward
		sign.Peek(statement, kind, &b)
		return b.Cable
	case entries.KindLeave:
		var b entries.Leave
		sign.Peek(statement, kind, &b)
		return b.Cable
	}
	var b entries.Archive
	sign.Peek(statement, kind, &b)
	return b.Cable
}

// logLate logs the issue of a late copy. Its reader learns with it which copy it is.
func (m *Marking) logLate(ctx context.Context, out *marking.LateCopy) error {
	e := custody.NewEntry(out.Statement)
	_, note := m.Client.View.Last()
	reader, _, err := m.dir.Person(out.Copy.Person)
	if err != nil {
		return err
	}
	to := append(post.Overseers(m.dir.Institution()), post.Address{Party: m.own(), Recipient: m.Identity.Recipient().String()}, post.To(reader))
	letters := make([]post.Letter, len(to))
	letters[len(to)-1].Copy = &out.Copy
	for i := range post.Overseers(m.dir.Institution()) {
		letters[i].Copy = &out.Copy // overseers stand first
	}
	if author, _, err := m.dir.Person(out.Author); err == nil && author.ID != reader.ID {
		to, letters = append(to, post.To(author)), append(letters, post.Letter{Copy: &out.Copy})
	}
	for i := range letters {
		letters[i].Entry, letters[i].Checkpoint = e.Bytes(), note
	}
	bodies, err := post.Seal(letters, to)
	if err != nil {
		return err
	}
	_, err = m.Client.Submit(ctx, custody.Submission{Commitment: e.Commitment(), Bodies: bodies})
	return err
}
