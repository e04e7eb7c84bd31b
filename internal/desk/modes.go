package desk

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"

	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/seal"
	"chancery/mark"
)

// The two modes that need no marking desk. In both the text itself is sealed: what a
// reader opens, they open without anybody handing them keys, and a recall is a request.

// plainMagic begins a text that is sealed as it is; 32 bytes of salt and the text follow.
const plainMagic = "chancery-plain/v1\n"

// plainBucket is what lengths of such texts are rounded up to, in bytes.
const plainBucket = 4 << 10

// plain writes a text to be sealed, and the commitment to it.
func plain(text string) (data []byte, root entries.Digest) {
	var salt mark.Hash
	rand.Read(salt[:])
	data = append([]byte(plainMagic), salt[:]...)
	return append(data, text...), entries.Digest(mark.Commit("text", salt, []byte(text)))
}

// parsePlain reads what plain wrote, and returns the commitment.
func parsePlain(data []byte) (text string, root entries.Digest, err error) {
	body, ok := bytes.CutPrefix(data, []byte(plainMagic))
	if !ok || len(body) < len(mark.Hash{}) {
		return "", root, fault.Mismatch.New("the sealed text is none")
	}
	salt := mark.Hash(body[:len(mark.Hash{})])
	text = string(body[len(salt):])
	return text, entries.Digest(mark.Commit("text", salt, []byte(text))), nil
}

func padded(n int) int { return (n + plainBucket - 1) / plainBucket * plainBucket }

// unmarked seals the record text, one wording for all: for wide circulars, where
// marking would be theatre.
func (o *Composed) unmarked(g *seal.Identity) error {
	data, root := plain(o.Record + o.trailer)
	var err error
	o.Body.Root = root
	if o.Kit, err = seal.SealPadded(data, padded(len(data)), g.Recipient()); err != nil {
		return err
	}
	o.Body.Kit = sha256.Sum256(o.Kit)
	return nil
}

// maxAuthored is how many copies a desk words itself: each is a file of its own.
const maxAuthored = 1000

// authored words every copy at the author's desk, from a draw of its own: the fallback
// when no marking desk answers. The author could have made any copy, and a finding about
// such a cable says so. The draw goes into the escrow.
func (o *Composed) authored(c Cable) error {
	if len(o.Copies) > maxAuthored {
		return fault.Usage.New("%d readers: this desk words at most %d copies itself", len(o.Copies), maxAuthored).WithHint("wait for the marking desk, or send it unmarked")
	}
	draw, err := mark.NewDraw(rand.Reader, len(o.Copies))
	if err != nil {
		return err
	}
	o.secret = draw.Secret
	committed, root := plain(c.Draft.Canonical())
	o.Body.Root = root
	o.salts = []mark.Hash{mark.Hash(committed[len(plainMagic):][:len(mark.Hash{})])} // a case opens the root with it
	texts, longest := make([][]byte, len(o.Copies)), 0
	for i, one := range o.Copies {
		key := mark.NewCopyKey(draw.Slot(i+1), mark.Hash(o.Body.Nonce), o.Body.Cable, mark.Hash(o.Body.Root), one.ID)
		texts[i], _ = plain(c.Draft.Render(key.Codeword(c.Draft.Sizes())) + o.trailer)
		longest = max(longest, len(texts[i]))
	}
	for i, one := range o.Copies {
		p, _, err := c.Directory.Person(one.Person)
		if err != nil {
			return err
		}
		r, err := seal.ParseRecipient(p.Recipient)
		if err != nil {
			return err
		}
		sealed, err := seal.SealPadded(texts[i], padded(longest), r)
		if err != nil {
			return err
		}
		o.Authored = append(o.Authored, sealed)
	}
	leaves := make([]mark.Hash, len(o.Authored))
	for i, data := range o.Authored {
		leaves[i] = authoredLeaf(o.Copies[i], sha256.Sum256(data))
	}
	o.tree = mark.NewTree(leaves)
	o.Body.Kit = entries.Digest(o.tree.Root())
	return nil
}

func authoredLeaf(c entries.Copy, digest [sha256.Size]byte) mark.Hash {
	return mark.Commit("authored", mark.Hash(c.Salt), digest[:])
}

// authoredLetter adds to a reader's letter which parcel is theirs.
func (o *Composed) authoredLetter(i int, l *post.Letter) {
	if len(o.Authored) == 0 {
		return
	}
	digest := sha256.Sum256(o.Authored[i])
	l.Parcel, l.Place, l.Key = digest[:], i, ""
	for _, h := range o.tree.Path(i) {
		l.Path = append(l.Path, entries.Digest(h))
	}
}

// checkParcel verifies that a reader's parcel is one that the release names.
func (i *Item) checkParcel(l *post.Letter) error {
	if i.Release.Mode != entries.ModeAuthor || i.Copy == nil {
		return nil
	}
	if len(l.Parcel) != sha256.Size {
		return fault.Mismatch.New("the letter names no copy")
	}
	var path []mark.Hash
	for _, d := range l.Path {
		path = append(path, mark.Hash(d))
	}
	if !mark.VerifyPath(mark.Hash(i.Release.Kit), i.Release.N, l.Place, authoredLeaf(*i.Copy, [sha256.Size]byte(l.Parcel)), path) {
		return fault.Mismatch.New("the copy is not one that was released")
	}
	i.Parcel = l.Parcel
	return nil
}

// openPlain opens a text that is sealed as it is.
func (i *Item) openPlain(reader *seal.Identity) (string, error) {
	with := reader
	if i.Release.Mode == entries.ModeUnmarked {
		ids, err := seal.ParseIdentities("the key of the cable", []byte(i.Key))
		if err != nil {
			return "", err
		}
		if len(ids) != 1 || ids[0].Recipient().String() != i.Release.Key {
			return "", fault.Mismatch.New("the key is not that of the cable")
		}
		with = ids[0]
	}
	data, err := seal.Open(i.Kit, with)
	if err != nil {
		return "", err
	}
	text, root, err := parsePlain(data)
	if err == nil && i.Release.Mode == entries.ModeUnmarked && root != i.Release.Root {
		err = fault.Mismatch.New("the text is not the one that was released")
	}
	return text, err
}
