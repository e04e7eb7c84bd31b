// Package courier sends letters, and fetches what came for a party and opens it: every
// letter is opened with the party's own keys, and is verified to stand in the log before
// anybody acts on it. What a letter says, those who asked for it judge.
package courier

import (
	"cmp"
	"context"
	"crypto/sha256"

	"chancery/internal/client"
	"chancery/internal/custody"
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

// Fetch asks for what a wish says and opens it with a party's identities.
func Fetch(ctx context.Context, c *client.Client, w client.Wish, ids ...*seal.Identity) (*Delivery, error) {
	opened := map[custody.Place]Letter{}
	var broke error
	feed, err := c.Feed(ctx, w, func(r client.Received) (custody.Commitment, error) {
		mail, e, err := post.Open(r.Party, r.Data, ids...)
		if err == nil && mail.Common != nil {
			e, err = complete(ctx, c, mail)
		}
		if err != nil && fault.Passing(err) {
			broke = err
		}
		opened[r.Place] = Letter{Mail: mail, Entry: e}
		return e.Commitment(), err
	})
	// A letter whose other half did not come through is not a bad one: it is asked for again.
	if err = cmp.Or(err, broke); err != nil {
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

// complete fetches what a letter to many has in common with the others.
func complete(ctx context.Context, c *client.Client, l *post.Letter) (custody.Entry, error) {
	if len(l.Common) != sha256.Size {
		return custody.Entry{}, fault.Input.New("a letter names no parcel")
	}
	sealed, err := c.Parcel(ctx, [sha256.Size]byte(l.Common))
	if err != nil {
		return custody.Entry{}, err
	}
	return l.OpenCommon(sealed)
}

// Send logs an entry with its letters and returns its place in the log. Sending the same
// again is harmless.
func Send(ctx context.Context, c *client.Client, m post.Mail) (int64, error) {
	if m.Common != nil {
		if err := c.PutQuiet(ctx, m.Common, m.Parties()); err != nil {
			return 0, err
		}
	}
	at, err := c.Submit(ctx, m.Submission)
	if err != nil {
		return 0, err
	}
	return at[0], nil
}
