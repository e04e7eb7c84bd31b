package review

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"chancery/cable"
	"chancery/internal/canonical"
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
	Standing  []string           `json:"standing"`
	Quotables []wording.Quotable `json:"quotables"`
	Proposals []wording.Proposal `json:"proposals"`
}

// ErrOtherDraft says that a journal does not go with a draft, ErrNoJournal that
// a file is something else.
var (
	ErrOtherDraft = errors.New("the draft was changed since this review began")
	ErrNoJournal  = errors.New("not the journal of a review")
)

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
	last := 0
	for _, p := range o.Proposals {
		if !within(p.Start, p.End, draft) || p.Start < last || len(p.Alternatives) == 0 || len(p.Alternatives) >= cable.MaxAlternatives || len(p.By) != len(p.Alternatives) ||
			!inside(p.Offset, p.Original, p.Sentence) || !within(p.From, p.To, draft) || !printable(p.Sentence) ||
			!printable(strings.Join(p.Alternatives, "")) {
			return fmt.Errorf("the proposal %q does not stand in the draft", p.Original)
		}
		last = p.End
	}
	for _, q := range o.Quotables {
		if !within(q.Start, q.End, draft) || !printable(q.Text) || !printable(strings.Join(q.Kinds, "")) {
			return fmt.Errorf("the sentence %q does not stand in the draft", q.Text)
		}
		for _, s := range q.Slots {
			if !within(s.Start, s.End, draft) || !inside(s.Offset, s.Text, q.Text) {
				return fmt.Errorf("the words %q do not stand in the draft", s.Text)
			}
		}
	}
	return nil
}

// inside says whether a part stands in a whole at an offset.
func inside(at int, part, whole string) bool {
	return at >= 0 && at <= len(whole)-len(part) && whole[at:at+len(part)] == part
}

// printable says whether a text holds nothing that steers a terminal.
func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !strconv.IsPrint(r) && r != '\u00a0' })
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

// IsJournal says whether a file begins as the journal of a review does.
func IsJournal(data []byte) bool {
	_, _, _, ok := begun(data)
	return ok
}

// begun reads the first line of a journal.
func begun(journal []byte) (j Journal, first, rest []byte, ok bool) {
	first, rest, ok = bytes.Cut(journal, []byte("\n"))
	_, _, err := canonical.Decode(first, &j)
	ok = ok && err == nil && len(j.Draft) == hex.EncodedLen(sha256.Size)
	return j, first, rest, ok
}

// maxEvents bounds a journal that is read.
const maxEvents = 1 << 20

// Resume replays a journal over its draft. A last line without its end was
// being written when the review stopped, and is left out; size is how many
// bytes of the journal are whole.
func Resume(draft, journal []byte) (s *Session, size int, err error) {
	j, first, rest, ok := begun(journal)
	if !ok {
		return nil, 0, ErrNoJournal
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
		if _, _, err := canonical.Decode(line, &e); err != nil {
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
