// Package courier sends letters, and fetches what came for a party and opens it: every
// letter is opened with the party's own keys, and is verified to stand in the log before
// anybody acts on it. What a letter says, those who asked for it judge.
package courier

import (
	"context"
	"errors"
	"slices"

	"chancery/internal/client"
	"chancery/internal/custody"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/seal"
)

// A Letter is a body of the feed, opened. If Err is not nil it counts for nothing, and
// the rest of it is empty.
type Letter struct {
	client.Received
	Mail  *post.Letter
	Entry custody.Entry
}

// A Delivery is one answer of the feed, opened.
type Delivery struct {
	*client.Feed
	Letters []Letter
}

// A Goal is how far a party wants to have read before it looks at parcels: as much as there
// was when it began to catch up, and no parcel that came later.
type Goal struct{ size, parcel int64 }

// Due returns the parcels whose turn it is, and whether it is any's: what they hold is judged by all letters that
// there were when they came. Until those were read parcels are left, and come again. Who
// writes faster than the party reads does not keep it from them. The party keeps the goal
// between answers, and forgets it when it asks anew.
func (d *Delivery) Due(goal *Goal) (parcels []client.Listed, now bool) {
	if goal.size == 0 {
		goal.size = d.Tree.Size
		if n := len(d.Parcels); n > 0 {
			goal.parcel = d.Parcels[n-1].Seq
		}
	}
	n := len(d.Letters)
	if !d.More || n == 0 {
		*goal = Goal{}
		return d.Parcels, true
	}
	if d.Letters[n-1].Index+1 < goal.size {
		return nil, false
	}
	last := goal.parcel
	*goal = Goal{}
	return slices.DeleteFunc(slices.Clone(d.Parcels), func(p client.Listed) bool { return p.Seq > last }), true
}

// Fetch asks for what a wish says and opens it with a party's identities.
func Fetch(ctx context.Context, c *client.Client, w client.Wish, ids ...*seal.Identity) (*Delivery, error) {
	opened := map[custody.Place]Letter{}
	feed, err := c.Feed(ctx, w, func(r client.Received) (custody.Commitment, error) {
		mail, e, err := post.Open(r.Party, r.Data, r.Common, ids...)
		if err == nil {
			err = entries.Belongs(e.Statement, c.Origin())
		}
		opened[r.Place] = Letter{Mail: mail, Entry: e}
		return e.Commitment(), err
	})
	if err != nil {
		return nil, err
	}
	out := &Delivery{Feed: feed, Letters: make([]Letter, len(feed.Entries))}
	for i, r := range feed.Entries {
		if r.Err == nil {
			out.Letters[i] = opened[r.Place]
		}
		out.Letters[i].Received = r
	}
	return out, nil
}

// Send logs an entry with its letters and returns its place in the log.
func Send(ctx context.Context, c *client.Client, m *post.Mailing) (int64, error) {
	s, err := m.Seal(func(from int, part []custody.Body) error { return c.Stage(ctx, m.Commitment(), from, part) })
	if err != nil {
		return 0, err
	}
	at, err := Submit(ctx, c, s)
	if err != nil {
		return 0, err
	}
	return at, nil
}

// Submit logs an entry whose letters were staged, or come with it. Letters that the
// registry dropped meanwhile, or has twice, are a failure that passes: whoever sends tries
// again.
func Submit(ctx context.Context, c *client.Client, s custody.Submission) (int64, error) {
	at, err := c.Submit(ctx, s)
	if s.Staged.Count > 0 && (errors.Is(err, fault.NotFound) || errors.Is(err, fault.Exists)) {
		return 0, fault.System.Wrap(err, "log an entry with letters to many")
	}
	if err != nil {
		return 0, err
	}
	return at[0], nil
}
