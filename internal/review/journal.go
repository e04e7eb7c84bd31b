package review

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"chancery/cable"
	"chancery/internal/wording"
)

// A Journal is the first line of the file of one review: what was offered, and
// what of. One line follows for each event. Replaying them gives the same
// review, whatever rules are known by then, so a crash loses at most the key
// that was being pressed.
type Journal struct {
	Draft string `json:"draft_sha256"` // of the file under review
	Offer
}

// An Offer is all that a review shows.
type Offer struct {
	Ask       int                `json:"quotable"`
	Standing  []string           `json:"standing"`
	Quotables []wording.Quotable `json:"quotables"`
	Proposals []wording.Proposal `json:"proposals"`
}

// ErrOtherDraft says that a journal does not go with a draft.
var ErrOtherDraft = errors.New("the draft was changed since this review began")

// Begin returns the first line of the journal of a session.
func (s *Session) Begin() []byte {
	line, err := json.Marshal(Journal{digest(s.draft), s.offer})
	if err != nil {
		panic(err) // strings and numbers
	}
	return append(line, '\n')
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// check refuses an offer that does not stand in the draft. A journal is a file,
// and files are not trusted.
func (o Offer) check(draft []byte) error {
	for _, p := range o.Proposals {
		if !within(p.Start, p.End, draft) || len(p.Alternatives) == 0 || len(p.Alternatives) >= cable.MaxAlternatives ||
			p.Offset < 0 || p.Offset+len(p.Original) > len(p.Sentence) || !within(p.From, p.To, draft) {
			return fmt.Errorf("the proposal %q does not stand in the draft", p.Original)
		}
	}
	for _, q := range o.Quotables {
		if !within(q.Start, q.End, draft) {
			return fmt.Errorf("the sentence %q does not stand in the draft", q.Text)
		}
		for _, s := range q.Slots {
			if !within(s.Start, s.End, draft) || s.Offset < 0 || s.Offset+len(s.Text) > len(q.Text) {
				return fmt.Errorf("the words %q do not stand in the draft", s.Text)
			}
		}
	}
	return nil
}

func within(start, end int, draft []byte) bool { return 0 <= start && start < end && end <= len(draft) }

// Line returns the line of one event.
func (e Event) Line() []byte {
	line, err := json.Marshal(e)
	if err != nil {
		panic(err) // two strings
	}
	return append(line, '\n')
}

// maxEvents bounds a journal that is read.
const maxEvents = 1 << 20

// Resume replays a journal over its draft. A last line without its end was
// being written when the review stopped, and is left out; size is how many
// bytes of the journal are whole.
func Resume(draft, journal []byte) (s *Session, size int, err error) {
	first, rest, ok := bytes.Cut(journal, []byte("\n"))
	var j Journal
	if !ok || strict(first, &j) != nil {
		return nil, 0, errors.New("not the journal of a review")
	}
	if j.Draft != digest(draft) {
		return nil, 0, ErrOtherDraft
	}
	if err := j.check(draft); err != nil {
		return nil, 0, err
	}
	s = newSession(draft, j.Offer)
	size = len(first) + 1
	for n := 2; n < maxEvents; n++ {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		if !ok {
			return s, size, nil
		}
		var e Event
		if err := strict(line, &e); err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", n, err)
		}
		if !s.Press(e) {
			return nil, 0, fmt.Errorf("line %d: the key %q means nothing there", n, e.Key)
		}
		size += len(line) + 1
		rest = after
	}
	return nil, 0, fmt.Errorf("more than %d lines", maxEvents)
}

func strict(line []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return err
	}
	if d.More() {
		return errors.New("text after the end of the line's value")
	}
	return nil
}
