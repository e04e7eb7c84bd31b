package desk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"regexp"
	"strings"

	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/seal"
	"chancery/internal/seal/kit"
)

// A File goes with a cable as it is. It carries no mark: every reader gets the same
// bytes, and a leak of it points to nobody.
type File struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

// An Attachment is a file of a cable that was opened. Its key stood in the copy, so
// nobody had it before the receipt.
type Attachment struct {
	Name   string         `json:"name"`
	Size   int            `json:"size"`
	Digest entries.Digest `json:"digest"` // of the sealed file
	Key    entries.Digest `json:"key"`
}

// Limits of attachments.
const (
	MaxAttachments = 16
	MaxAttachment  = 32 << 20 // bytes
	MaxAttached    = 64 << 20 // bytes, of all together
)

var fileName = regexp.MustCompile(`^[\pL\pN][\pL\pN ._-]{0,99}$`)

// separator ends the text of a copy where a list of attachments follows. No draft can
// hold it.
const separator = "\x1e"

// checkFiles refuses attachments that cannot be sent.
func checkFiles(files []File) error {
	if len(files) > MaxAttachments {
		return fault.Usage.New("%d attachments: at most %d", len(files), MaxAttachments)
	}
	total, names := 0, map[string]bool{}
	for _, f := range files {
		if names[f.Name] {
			return fault.Usage.New("two attachments are called %q", f.Name).WithHint("nobody could save both: give one another name")
		}
		names[f.Name] = true
		if !fileName.MatchString(f.Name) || len(f.Data) > MaxAttachment {
			return fault.Usage.New("an attachment %.40q of %d bytes", f.Name, len(f.Data)).WithHint("a plain file name of at most 100 characters, at most %d MB", MaxAttachment>>20)
		}
		total += len(f.Data)
	}
	if total > MaxAttached {
		return fault.Usage.New("attachments of %d MB together: at most %d", total>>20, MaxAttached>>20).WithHint("send them with several cables")
	}
	return nil
}

// attach seals files, each under a key of its own, and writes the list that follows the
// text in every copy.
func (o *Composed) attach(files []File) error {
	if len(files) == 0 {
		return nil
	}
	if err := checkFiles(files); err != nil {
		return err
	}
	var list []Attachment
	for _, f := range files {
		a := Attachment{Name: f.Name, Size: len(f.Data)}
		rand.Read(a.Key[:])
		sealed, err := seal.SealKey(f.Data, a.Key)
		if err != nil {
			return err
		}
		a.Digest = sha256.Sum256(sealed)
		o.Attached, list = append(o.Attached, sealed), append(list, a)
	}
	data, err := json.Marshal(list)
	if err != nil {
		return fault.Internal.Wrap(err, "list the attachments")
	}
	o.trailer = separator + string(data)
	return nil
}

// chunkSize is how much of the list of attachments one box holds, about as much as of
// text.
const chunkSize = 60

// chunks cuts the list of attachments for a kit.
func chunks(trailer string) []kit.Segment {
	var out []kit.Segment
	for len(trailer) > 0 {
		n := min(chunkSize, len(trailer))
		out = append(out, kit.Segment{Renderings: [][]byte{[]byte(trailer[:n])}})
		trailer = trailer[n:]
	}
	return out
}

// detach splits what was opened into text and attachments, which must be those that
// the release names.
func (i *Item) detach(opened string) error {
	text, list, some := strings.Cut(opened, separator)
	var all []Attachment
	if some {
		if err := json.Unmarshal([]byte(list), &all); err != nil {
			return fault.Mismatch.Wrap(err, "the list of attachments")
		}
	}
	if len(all) != len(i.Release.Attachments) {
		return fault.Mismatch.New("the copy lists %d attachments, the release %d", len(all), len(i.Release.Attachments))
	}
	for k, a := range all {
		if a.Digest != i.Release.Attachments[k] || !fileName.MatchString(a.Name) {
			return fault.Mismatch.New("an attachment is not the one that was released")
		}
	}
	i.Text, i.Attachments = text, all
	return nil
}

// Attachment fetches and opens an attachment of a cable that was read.
func (d *Desk) Attachment(ctx context.Context, ref string, n int) (File, error) {
	i, err := d.Find(ref)
	if err != nil {
		return File{}, err
	}
	if n < 0 || n >= len(i.Attachments) {
		return File{}, fault.NotFound.New("the cable has no attachment %d that was opened", n+1)
	}
	a := i.Attachments[n]
	sealed, err := d.Client.Parcel(ctx, a.Digest)
	if err != nil {
		return File{}, err
	}
	data, err := seal.OpenKey(sealed, a.Key)
	if err == nil && len(data) != a.Size {
		err = fault.Mismatch.New("the attachment has %d bytes, not %d", len(data), a.Size)
	}
	return File{a.Name, data}, err
}
