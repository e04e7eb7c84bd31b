package wording

import (
	"cmp"
	"embed"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"chancery/cable"
)

//go:embed rules/*.txt
var ruleFiles embed.FS

// standard is the table of all rules, read once.
var standard = sync.OnceValues(func() (*table, error) {
	entries, err := ruleFiles.ReadDir("rules")
	if err != nil {
		return nil, err
	}
	var rules []*Rule
	seen := map[string]string{}
	for _, e := range entries {
		data, err := ruleFiles.ReadFile("rules/" + e.Name())
		if err != nil {
			return nil, err
		}
		some, err := parseRules("rules/"+e.Name(), string(data))
		if err != nil {
			return nil, err
		}
		for _, r := range some {
			if at, twice := seen[r.ID]; twice {
				return nil, fmt.Errorf("%s: the id %s stands at %s already", r.place, r.ID, at)
			}
			seen[r.ID] = r.place
		}
		rules = append(rules, some...)
	}
	return newTable(rules), nil
})

// A Proposal offers other wordings for some words of a draft.
type Proposal struct {
	// ID is that of the rule or move, several joined with "+".
	ID string `json:"id"`
	// Class begins "house." where editors commonly rewrite such things by
	// their own style, else "word." or "move.".
	Class string `json:"class"`
	// Start and End are byte offsets in the file.
	Start int `json:"start"`
	End   int `json:"end"`
	// Original is what stands there, without escapes.
	Original string `json:"original"`
	// Alternatives are other wordings, the likeliest to please first; 1 to 6.
	Alternatives []string `json:"alternatives"`
	// By is the rule or move behind each alternative.
	By []string `json:"by"`
	// Bits is log2(1 + number of alternatives): what the place tells of a
	// copy if all are accepted.
	Bits float64 `json:"bits"`
	// Accept is the chance, from 0 to 1, that an author takes one of them.
	Accept float64 `json:"p_accept"`
	// Link, if not empty, joins places that must share one choice.
	Link string `json:"link,omitempty"`
	// Sentence is the whole sentence, as the record text has it.
	Sentence string `json:"sentence"`
	// Paragraph and Number count the paragraph in the draft and the sentence in
	// the paragraph, from 1.
	Paragraph int `json:"paragraph"`
	Number    int `json:"number"`
	// From and To are the byte offsets of the sentence in the file.
	From int `json:"sentence_start"`
	To   int `json:"sentence_end"`
	// Offset is where the words begin in Sentence, in bytes.
	Offset int `json:"offset"`
}

// least is the chance of being taken below which nothing is offered.
const least = 0.6

// Propose returns the proposals for a draft in the order of the text; they do
// not overlap. Suggestions of others are tried beside the rules; a taste of nil
// is that of an author nothing is known of. It fails only where cable.Parse does.
func Propose(draft []byte, taste *Learned, others ...Suggestion) ([]Proposal, error) {
	rules, err := standard()
	if err != nil {
		return nil, err
	}
	d, pages, err := pagesOf(draft)
	if err != nil {
		return nil, err
	}
	var out []Proposal
	for i, p := range pages {
		for _, c := range rules.propose(p, taste, suggestionsFor(others, i)) {
			out = append(out, p.proposal(c, i))
		}
	}
	return mostTelling(out, cable.MaxGroups-len(d.Groups)), nil
}

// mostTelling leaves out what a draft has no room for: it holds so many groups
// of sites and no more.
func mostTelling(proposals []Proposal, room int) []Proposal {
	if len(proposals) <= room {
		return proposals
	}
	slices.SortStableFunc(proposals, func(a, b Proposal) int { return cmp.Compare(b.Bits, a.Bits) })
	proposals = proposals[:room]
	slices.SortFunc(proposals, func(a, b Proposal) int { return cmp.Compare(a.Start, b.Start) })
	return proposals
}

func suggestionsFor(others []Suggestion, paragraph int) []Suggestion {
	var out []Suggestion
	for _, s := range others {
		if s.Paragraph == paragraph {
			out = append(out, s)
		}
	}
	return out
}

// pagesOf reads a draft, paragraph by paragraph: cut into sentences of tagged
// words, with what is not ours to vary masked.
func pagesOf(draft []byte) (*cable.Draft, []*page, error) {
	d, placed, err := cable.ParsePlaced(draft)
	if err != nil {
		return nil, nil, err
	}
	pages := make([]*page, len(placed))
	open := openedIn(placed)
	for i := range placed {
		p, err := read(&placed[i], open)
		if err != nil {
			return nil, nil, err
		}
		pages[i] = p
	}
	return d, pages, nil
}

// propose finds the candidates of a paragraph and keeps the best that do not
// overlap.
func (t *table) propose(p *page, taste *Learned, others []Suggestion) []candidate {
	if p.foreign() != "" {
		return nil
	}
	cands := p.suggested(others)
	for i := range p.sentences {
		cands = append(cands, t.inSentence(p, i)...)
		cands = append(cands, moves(p, i)...)
	}
	for i := range cands {
		if p.capitals {
			cands[i].nameless()
		}
		cands[i].weigh(taste)
	}
	var fitting []candidate
	for _, c := range merge(cands) {
		if c, ok := p.fit(c); ok {
			fitting = append(fitting, c)
		}
	}
	return separate(schedule(merge(fitting)))
}

// inSentence finds what rules offer in one sentence.
func (t *table) inSentence(p *page, n int) []candidate {
	s := &p.sentences[n]
	var out []candidate
	for i, w := range s.words {
		if w.fixed {
			continue
		}
		one, more := t.at(s.words, i)
		out = p.matches(out, n, i, one)
		out = p.matches(out, n, i, more)
	}
	return out
}

// matches tries the patterns that may begin at word i of a sentence, and appends
// what they offer.
func (p *page) matches(out []candidate, n, i int, entries []entry) []candidate {
	s := &p.sentences[n]
	for _, e := range entries {
		if s.instruction && !e.rule.Any && (s.agreed || !e.rule.Order) {
			continue
		}
		f, ok := e.rule.find[e.pattern].match(s.words, i)
		if !ok || !e.rule.holds(s, f) {
			continue
		}
		if c, ok := e.rule.candidate(p, n, f); ok {
			out = append(out, c)
		}
	}
	return out
}

// candidate writes the alternatives of a rule for one match.
func (r *Rule) candidate(p *page, n int, f found) (candidate, bool) {
	words := p.sentences[n].words
	c := candidate{from: words[f.from].start, to: words[f.to-1].end, sentence: n, link: r.Link}
	original := p.Text[c.from:c.to]
	c.alts = make([]alternative, 0, len(r.write))
	for _, t := range r.write {
		text, ok := t.fill(words, f)
		if ok && !strings.EqualFold(text, original) {
			c.alts = append(c.alts, alternative{text: text, id: r.ID, class: r.Class})
		}
	}
	return c, len(c.alts) > 0
}

// weigh looks up how likely each alternative is taken, and drops the unlikely.
func (c *candidate) weigh(taste *Learned) {
	kept := c.alts[:0]
	for _, a := range c.alts {
		if a.accept = taste.Accept(a.id); a.accept >= least {
			kept = append(kept, a)
		}
	}
	c.alts = kept
}

// proposal turns a candidate into what the author sees.
func (p *page) proposal(c candidate, paragraph int) Proposal {
	s := p.sentences[c.sentence]
	out := Proposal{
		Class: c.alts[0].class, Start: p.From[c.from], End: p.To[c.to-1],
		Original: p.Text[c.from:c.to], Bits: bits(len(c.alts)), Link: c.link,
		Sentence: p.Text[s.start:s.end], From: p.From[s.start], To: p.To[s.end-1], Paragraph: paragraph + 1, Number: c.sentence + 1, Offset: c.from - s.start,
	}
	none := 1.0
	var ids []string
	for _, a := range c.alts {
		out.Alternatives, out.By = append(out.Alternatives, a.text), append(out.By, a.id)
		none *= 1 - a.accept
		if !slices.Contains(ids, a.id) {
			ids = append(ids, a.id)
		}
		if isHouse(out.Class) && !isHouse(a.class) {
			out.Class = a.class
		}
	}
	out.ID = strings.Join(ids, "+")
	out.Accept = math.Round((1-none)*1e4) / 1e4
	return out
}

// House says whether the proposal is of house style, which editors undo.
func (p Proposal) House() bool { return isHouse(p.Class) }
