package review

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"chancery/internal/strength"
	"chancery/internal/wording"
)

// letters is how many proposals of a sentence have a key of their own.
const letters = 26

// quoteWords is the length of the quotation that the screen speaks of, and
// list the number of readers.
const (
	quoteWords = 20
	list       = 50
)

// Screen returns what the author sees, in lines of at most width characters.
// Sgr, if true, sets words in bold and grey with terminal codes.
func (s *Session) Screen(width int, sgr bool) string {
	v := view{width: max(width, 40), sgr: sgr}
	if s.Done() {
		s.end(&v)
	} else {
		s.unit(&v)
	}
	if s.said != "" {
		v.line("")
		v.line("  " + s.said)
	}
	return v.b.String()
}

type view struct {
	b     strings.Builder
	width int
	sgr   bool
}

func (v *view) line(text string) { v.b.WriteString(text + "\n") }

func (v *view) bold(text string) string { return v.code("1", text) }
func (v *view) grey(text string) string { return v.code("2", text) }

func (v *view) code(code, text string) string {
	if !v.sgr {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// wrap writes text between margins, cut at spaces. Terminal codes do not
// count.
func (v *view) wrap(margin int, text string) {
	column := margin
	v.b.WriteString(strings.Repeat(" ", margin))
	for i, w := range strings.Fields(text) {
		n := visible(w)
		if i > 0 && column+1+n > v.width {
			v.b.WriteString("\n" + strings.Repeat(" ", margin))
			column = margin
		} else if i > 0 {
			v.b.WriteByte(' ')
			column++
		}
		v.b.WriteString(w)
		column += n
	}
	v.b.WriteByte('\n')
}

// visible counts the characters of a word that are shown.
func visible(word string) int {
	n := 0
	for rest := word; rest != ""; {
		if strings.HasPrefix(rest, "\x1b[") {
			if end := strings.IndexByte(rest, 'm'); end >= 0 {
				rest = rest[end+1:]
				continue
			}
		}
		_, size := utf8.DecodeRuneInString(rest)
		rest = rest[size:]
		n++
	}
	return n
}

func (s *Session) unit(v *view) {
	u, m := s.units[s.at], s.marks[s.at]
	_, decided := s.Units()
	v.line(v.bold(fmt.Sprintf("Sentence %d of %d", s.at+1, len(s.units))) + v.grey(fmt.Sprintf("  %d decided, %d keys", decided, s.keys)))
	switch {
	case u.Asks && len(u.Kinds) > 0:
		v.line("A newspaper would quote this: " + strings.Join(u.Kinds, ", ") + ".")
	case u.House:
		v.line("House style: editors change such things, so it tells little.")
	}
	v.line("")
	if !u.House {
		v.wrap(2, s.sentence(v, s.at))
		v.line("")
	}
	for j, p := range u.Proposals {
		s.proposal(v, j, m, p.Original, p.Alternatives)
	}
	for _, t := range m.typed {
		v.line("  " + v.grey("yours") + "  " + oneLine(string(s.draft[t.Start:t.End])) + "  =  " + strings.Join(t.Alternatives, " | "))
	}
	v.line("")
	s.strength(v)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// proposal shows one place: its letter, the words, the wordings with figures,
// what is struck in grey and brackets.
func (s *Session) proposal(v *view, j int, m unitMarks, original string, alternatives []string) {
	var b strings.Builder
	letter := string(rune('a' + j))
	if j >= letters {
		letter = " "
	}
	if m.chosen == j {
		letter = v.bold(letter)
	}
	if m.always[j] {
		letter += " always"
	}
	b.WriteString(letter + "  " + oneLine(original) + "  ->")
	for k, alt := range alternatives {
		shown := oneLine(alt)
		if shown == "" {
			shown = "(left out)"
		}
		item := fmt.Sprintf("%d %s", k+1, shown)
		if m.struck[j][k] {
			item = v.grey("(" + item + ", struck)")
		}
		b.WriteString("  " + item)
	}
	v.wrap(2, b.String())
}

// sentence is the sentence with the places marked by their letters, and the
// words asked for in angle brackets.
func (s *Session) sentence(v *view, i int) string {
	u := s.units[i]
	type mark struct {
		at, end int
		text    string
	}
	var marks []mark
	asked := wording.Slot{Offset: -1}
	if _, asks := s.Asking(); asks {
		asked = u.Slots[s.slot]
		marks = append(marks, mark{asked.Offset, asked.Offset + len(asked.Text), "<" + oneLine(asked.Text) + ">"})
	}
	for j, p := range u.Proposals {
		end := p.Offset + len(p.Original)
		if j < letters && (asked.Offset < 0 || end <= asked.Offset || p.Offset >= asked.Offset+len(asked.Text)) {
			marks = append(marks, mark{p.Offset, end, "[" + string(rune('a'+j)) + ":" + oneLine(p.Original) + "]"})
		}
	}
	slices.SortFunc(marks, func(a, b mark) int { return a.at - b.at })
	var b strings.Builder
	at := 0
	for _, m := range marks {
		if m.at < at || m.end > len(u.Sentence) {
			continue
		}
		b.WriteString(u.Sentence[at:m.at] + v.boldWords(m.text))
		if at = m.end; strings.HasSuffix(u.Sentence[m.at:m.end], " ") {
			b.WriteByte(' ')
		}
	}
	return b.String() + u.Sentence[at:]
}

// boldWords sets each word in bold by itself, so that lines can be cut between
// them.
func (v *view) boldWords(text string) string {
	words := strings.Fields(text)
	for i := range words {
		words[i] = v.bold(words[i])
	}
	return strings.Join(words, " ")
}

// strength says what a quotation of the sentence would tell now.
func (s *Session) strength(v *view) {
	bits, words := s.bits(s.at)
	quoted := bits * math.Min(1, quoteWords/float64(max(words, 1)))
	v.line(fmt.Sprintf("  This sentence: %.1f bits. A quotation of %d words of it would leave %.1f of %d readers.",
		bits, min(words, quoteWords), strength.StillFit(list, quoted), list))
	total, all := 0.0, 0
	for i := range s.units {
		if s.marks[i].done {
			b, w := s.bits(i)
			total, all = total+b, all+w
		}
	}
	if all > 0 {
		v.line(v.grey(fmt.Sprintf("  Decided so far: %.0f bits, %.2f a word of the sentences seen.", total, total/float64(all))))
	}
}

func (s *Session) end(v *view) {
	sites := s.Result()
	bits := 0.0
	for _, site := range sites {
		bits += site.Bits()
	}
	left := 0
	for _, m := range s.marks {
		if !m.done {
			left++
		}
	}
	v.line(v.bold("Every sentence was shown.") + fmt.Sprintf(" %d places, %.0f bits, %d keys.", len(sites), bits, s.keys))
	if left > 0 {
		v.line(fmt.Sprintf("%d sentences were put off and offer nothing; < goes back.", left))
	}
}

// Help is the line of keys under the screen.
func (s *Session) Help() string {
	if s.Done() {
		return "Enter: write the draft · < back · q leave, to go on later"
	}
	if _, asks := s.Asking(); asks {
		return "Type other wordings for the words in < >, with | between them. Enter alone: none. Esc: no more for this sentence."
	}
	keys := []string{"space: take what is shown", "-: take none", "a-z: choose, once more: strike", "1-9: strike one wording", "+: always take such",
		"/: own words", "<: undo", ">: later", "q: leave"}
	if len(s.units[s.at].Proposals) == 0 {
		keys = slices.Delete(keys, 2, 5)
	}
	return strings.Join(keys, " · ")
}

// Prompt is what stands before the line where wordings are typed.
func (s *Session) Prompt() string {
	words, _ := s.Asking()
	return "other wordings for <" + oneLine(words) + ">: "
}
