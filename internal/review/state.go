package review

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"chancery/cable"
	"chancery/internal/wording"
)

// A Session is one review under way.
type Session struct {
	draft []byte
	offer Offer
	units []Unit
	at    int // the unit on the screen; len(units) at the end
	marks []unitMarks
	slot  int // the slot asked for, or len(Slots)
	past  []step
	keys  int // pressed so far, typed wordings apart
	said  string
}

// unitMarks is what the author decided in one unit.
type unitMarks struct {
	done   bool
	struck [][]bool // by proposal and alternative
	typed  []wording.Site
	chosen int    // the proposal that figures apply to
	always []bool // by proposal: its rules are to be taken unseen from now on
}

// A step is what undo goes back to.
type step struct {
	at, slot int
	unit     int
	marks    unitMarks
}

// New starts a review of a draft: ask is how many quotable sentences the author
// is asked to reword, others what somebody else suggested.
func New(draft []byte, taste *wording.Learned, ask int, others ...wording.Suggestion) (*Session, error) {
	proposals, err := wording.Propose(draft, taste, others...)
	if err != nil {
		return nil, err
	}
	quotables, err := wording.Quotables(draft)
	if err != nil {
		return nil, err
	}
	quotables = slices.DeleteFunc(quotables, func(q wording.Quotable) bool { return q.Score <= 0 || len(q.Slots) < leastSlots })
	return newSession(draft, Offer{slices.Clone(taste.Standing), quotables[:min(ask, len(quotables))], proposals}), nil
}

// newSession begins at the first sentence that is not taken unseen.
func newSession(draft []byte, offer Offer) *Session {
	s := &Session{draft: draft, offer: offer, units: units(offer), at: -1}
	for _, u := range s.units {
		m := unitMarks{chosen: -1, done: !u.Asks && u.standing(offer.Standing)}
		for _, p := range u.Proposals {
			m.struck = append(m.struck, make([]bool, len(p.Alternatives)))
		}
		m.always = make([]bool, len(u.Proposals))
		s.marks = append(s.marks, m)
	}
	s.move()
	return s
}

// standing says whether all proposals of a unit have a standing approval: then
// it need not be seen.
func (u Unit) standing(approved []string) bool {
	for _, p := range u.Proposals {
		for _, id := range p.By {
			if !slices.Contains(approved, id) {
				return false
			}
		}
	}
	return true
}

// Done says whether every unit was seen.
func (s *Session) Done() bool { return s.at == len(s.units) }

// Units returns how many units there are and how many are decided.
func (s *Session) Units() (all, decided int) {
	for _, m := range s.marks {
		if m.done {
			decided++
		}
	}
	return len(s.units), decided
}

// Unit returns the unit on the screen.
func (s *Session) Unit() Unit { return s.units[s.at] }

// Keys returns how many keys were pressed, typed wordings apart.
func (s *Session) Keys() int { return s.keys }

// Asking returns the words that the author is asked to reword now, if so.
func (s *Session) Asking() (string, bool) {
	if s.Done() || s.marks[s.at].done || s.slot >= len(s.units[s.at].Slots) {
		return "", false
	}
	return s.units[s.at].Slots[s.slot].Text, true
}

// An Event is one key, or one line typed when asked for wordings.
type Event struct {
	Key  string `json:"key"`
	Text string `json:"text,omitempty"`
}

// The keys. A letter chooses a proposal, and once more strikes it or takes it
// back; a figure does so for one alternative of the chosen one.
const (
	KeyAccept  = " "
	KeyNone    = "-"
	KeyUndo    = "<"
	KeyApprove = "+"
	KeyEdit    = "/"
	KeyNext    = ">"
	KeyTyped   = "text"
	KeyEnough  = "esc" // no more wordings for this sentence
)

// Press applies one event. It returns false if the key means nothing here.
func (s *Session) Press(e Event) bool {
	s.said = ""
	if e.Key == KeyUndo {
		s.keys++
		return s.undo()
	}
	if s.Done() {
		return false
	}
	before := step{s.at, s.slot, s.at, s.marks[s.at].clone()}
	if !s.apply(e) {
		return false
	}
	if e.Key != KeyTyped || e.Text == "" {
		s.keys++
	}
	s.past = append(s.past, before)
	return true
}

func (m unitMarks) clone() unitMarks {
	out := m
	out.struck = make([][]bool, len(m.struck))
	for i := range m.struck {
		out.struck[i] = slices.Clone(m.struck[i])
	}
	out.typed, out.always = slices.Clone(m.typed), slices.Clone(m.always)
	return out
}

func (s *Session) undo() bool {
	if len(s.past) == 0 {
		s.said = "there is nothing to undo"
		return false
	}
	last := s.past[len(s.past)-1]
	s.past = s.past[:len(s.past)-1]
	s.at, s.slot, s.marks[last.unit] = last.at, last.slot, last.marks
	return true
}

func (s *Session) apply(e Event) bool {
	m, u := &s.marks[s.at], &s.units[s.at]
	switch {
	case e.Key == KeyTyped:
		return s.typed(e.Text)
	case e.Key == KeyEnough && s.slot < len(u.Slots):
		s.slot = len(u.Slots)
	case e.Key == KeyAccept:
		m.done = true
		s.move()
	case e.Key == KeyNone:
		for _, struck := range m.struck {
			for k := range struck {
				struck[k] = true
			}
		}
		m.done = true
		s.move()
	case e.Key == KeyNext:
		s.move()
	case e.Key == KeyApprove:
		return s.approve()
	case len(e.Key) == 1 && e.Key[0] >= 'a' && int(e.Key[0]-'a') < len(u.Proposals):
		m.letter(int(e.Key[0] - 'a'))
	case len(e.Key) == 1 && e.Key[0] >= '1' && m.chosen >= 0 && int(e.Key[0]-'1') < len(m.struck[m.chosen]):
		k := int(e.Key[0] - '1')
		m.struck[m.chosen][k] = !m.struck[m.chosen][k]
	default:
		s.said = "that key means nothing here"
		return false
	}
	return true
}

// letter chooses a proposal; chosen already, or with one wording only, it is
// struck or taken back.
func (m *unitMarks) letter(j int) {
	if m.chosen == j || len(m.struck[j]) == 1 {
		toggleAll(m.struck[j])
	}
	m.chosen = j
}

// toggleAll strikes a whole proposal, or takes all of it back.
func toggleAll(struck []bool) {
	all := !slices.Contains(struck, false)
	for k := range struck {
		struck[k] = !all
	}
}

// approve gives the chosen proposal's rules a standing approval.
func (s *Session) approve() bool {
	m := s.marks[s.at]
	if m.chosen < 0 {
		s.said = "choose a proposal by its letter first"
		return false
	}
	m.always[m.chosen] = !m.always[m.chosen]
	return true
}

// move goes to the next unit that is not decided.
func (s *Session) move() {
	s.slot = 0
	for s.at++; s.at < len(s.units) && s.marks[s.at].done; s.at++ {
	}
}

// typed takes the author's own wordings for the slot asked for, or, written
// "words = one | two", for other words of the sentence. An empty line leaves
// the slot as it is.
func (s *Session) typed(line string) bool {
	u, m := &s.units[s.at], &s.marks[s.at]
	words, list, named := strings.Cut(line, "=")
	if !named {
		list = line
		if s.slot >= len(u.Slots) {
			s.said = "write: words of the sentence = other wordings"
			return false
		}
	}
	if !printable(line) {
		s.said = "a character there cannot be printed"
		return false
	}
	site, ok := s.siteFor(u, strings.TrimSpace(words), named, strings.TrimSpace(list))
	switch {
	case !ok:
		return false
	case len(site.Alternatives) > 0:
		m.typed = append(slices.DeleteFunc(m.typed, func(t wording.Site) bool { return t.Start < site.End && site.Start < t.End }), site)
	}
	if !named {
		s.slot++
	}
	return true
}

// siteFor makes a site of a typed list.
func (s *Session) siteFor(u *Unit, words string, named bool, list string) (wording.Site, bool) {
	var site wording.Site
	var original string
	if named {
		from, to := wholeWords(string(s.draft[u.Start:u.End]), words)
		if from < 0 {
			s.said = "those words do not stand in the sentence"
			return site, false
		}
		site.Start, site.End, original = u.Start+from, u.Start+to, words
	} else {
		slot := u.Slots[s.slot]
		site.Start, site.End, original = slot.Start, slot.End, slot.Text
	}
	seen := []string{key(original)}
	for _, alt := range strings.Split(list, "|") {
		alt = strings.Join(strings.Fields(alt), " ")
		if alt == "" {
			continue
		}
		if slices.Contains(seen, key(alt)) {
			s.said = fmt.Sprintf("%q reads like another wording", alt)
			return site, false
		}
		seen = append(seen, key(alt))
		site.Alternatives = append(site.Alternatives, alt)
	}
	if len(site.Alternatives) >= cable.MaxAlternatives {
		s.said = fmt.Sprintf("at most %d wordings", cable.MaxAlternatives-1)
		return site, false
	}
	if len(site.Alternatives) > 0 {
		if _, err := wording.Apply(s.draft, []wording.Site{site}); err != nil {
			s.said = "that cannot be a site: " + err.Error()
			return site, false
		}
	}
	return site, true
}

// wholeWords returns where words first stand in a text, not as a part of
// longer ones, or -1. A line may end between them.
func wholeWords(text, words string) (from, to int) {
	var parts []string
	for _, w := range strings.Fields(words) {
		parts = append(parts, regexp.QuoteMeta(w))
	}
	if len(parts) == 0 {
		return -1, -1
	}
	for _, at := range regexp.MustCompile(strings.Join(parts, `\s+`)).FindAllStringIndex(text, -1) {
		before, _ := utf8.DecodeLastRuneInString(text[:at[0]])
		after, _ := utf8.DecodeRuneInString(text[at[1]:])
		if !inWord(before) && !inWord(after) {
			return at[0], at[1]
		}
	}
	return -1, -1
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

// key is what the tracer reads of a text.
func key(text string) string { return strings.Join(cable.Words(text), " ") }

// sites returns what the author took in a unit; what is typed goes before
// proposals on the same words.
func (s *Session) sites(i int) []wording.Site {
	u, m := s.units[i], s.marks[i]
	out := slices.Clone(m.typed)
	for j, p := range u.Proposals {
		site := wording.Site{Start: p.Start, End: p.End, Link: p.Link}
		for k, alt := range p.Alternatives {
			if !m.struck[j][k] {
				site.Alternatives = append(site.Alternatives, alt)
			}
		}
		overlaps := slices.ContainsFunc(m.typed, func(t wording.Site) bool { return t.Start <= site.End && site.Start <= t.End })
		if len(site.Alternatives) > 0 && !overlaps {
			out = append(out, site)
		}
	}
	slices.SortFunc(out, func(a, b wording.Site) int { return a.Start - b.Start })
	return out
}

// bits returns what the wordings of a unit tell now, and how many words it has.
func (s *Session) bits(i int) (float64, int) {
	sum := 0.0
	for _, site := range s.sites(i) {
		sum += site.Bits()
	}
	return sum, len(cable.Words(s.units[i].Sentence))
}

// Result returns the sites taken so far, in order. Where two touch, the one
// reviewed first stands.
func (s *Session) Result() []wording.Site {
	var out []wording.Site
	for i := range s.units {
		if !s.marks[i].done {
			continue
		}
		for _, site := range s.sites(i) {
			if !slices.ContainsFunc(out, func(t wording.Site) bool { return t.Start <= site.End && site.Start <= t.End }) {
				out = append(out, site)
			}
		}
	}
	slices.SortFunc(out, func(a, b wording.Site) int { return a.Start - b.Start })
	return out
}

// Learn counts what was taken and struck in the decided units into an
// author's taste, and adds the standing approvals.
func (s *Session) Learn(taste *wording.Learned) {
	for i, u := range s.units {
		if !s.marks[i].done {
			continue
		}
		for j, p := range u.Proposals {
			for k, id := range p.By {
				taste.Count(id, !s.marks[i].struck[j][k])
				if s.marks[i].always[j] {
					taste.Approve(id)
				}
			}
		}
	}
}

// Asked returns the units for which the author was asked.
func (s *Session) Asked() []Unit {
	var out []Unit
	for _, u := range s.units {
		if u.Asks {
			out = append(out, u)
		}
	}
	return out
}

// Strikes returns the keys that strike those wordings of the unit on the
// screen that bad says, asked once for each in order.
func (s *Session) Strikes(bad func() bool) []Event {
	var out []Event
	if s.Done() {
		return nil
	}
	for j, p := range s.units[s.at].Proposals {
		var struck []int
		for k := range p.Alternatives {
			if bad() {
				struck = append(struck, k)
			}
		}
		letter := Event{Key: string(rune('a' + j))}
		switch {
		case len(struck) == 0 || j >= letters:
		case len(p.Alternatives) == 1:
			out = append(out, letter)
		case len(struck) == len(p.Alternatives):
			out = append(out, letter, letter)
		default:
			out = append(out, letter)
			for _, k := range struck {
				out = append(out, Event{Key: string(rune('1' + k))})
			}
		}
	}
	return out
}
