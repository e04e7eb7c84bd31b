package measure

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"chancery/cable"
	"chancery/trace"
)

// A scene is a draft ready to be leaked and read.
type scene struct {
	draft  *cable.Draft
	reader *trace.Reader
	graphs []*trace.Graph
	sizes  []int
}

func newScene(d *cable.Draft) *scene {
	g := []*trace.Graph{trace.NewGraph(d.Lattice())}
	return &scene{draft: d, reader: trace.NewReader(g), graphs: g, sizes: d.Sizes()}
}

// scenes returns n made-up drafts, and the configured one if there is one.
func scenes(c Config, series string, n int) ([]*scene, error) {
	var out []*scene
	if len(c.Draft) > 0 {
		d, err := cable.Parse(c.Draft)
		if err != nil {
			return nil, fmt.Errorf("measure: draft: %w", err)
		}
		out = append(out, newScene(d))
	}
	for i := range n {
		d, err := madeUp(random(series+" draft", i))
		if err != nil {
			return nil, err
		}
		out = append(out, newScene(d))
	}
	return out, nil
}

// words returns the words of a text that prints wording(site) at each site,
// with the groups that each word belongs to.
func (s *scene) words(wording func(site int) string) []word {
	var out []word
	open := false // the last word may go on
	for _, p := range s.draft.Paragraphs {
		open = false
		for _, piece := range p {
			text, group := piece.Text, -1
			if piece.Site >= 0 {
				text, group = wording(piece.Site), s.draft.Sites[piece.Site].Group
			}
			out, open = addWords(out, open, text, group)
		}
	}
	return out
}

// addWords adds the words of a piece; the first goes on from the last word if
// no white space parts them.
func addWords(out []word, open bool, text string, group int) ([]word, bool) {
	for i, f := range strings.Fields(text) {
		if i > 0 || !open || text[0] == ' ' {
			out = append(out, word{})
		}
		w := &out[len(out)-1]
		w.text += f
		if group >= 0 {
			w.groups = append(w.groups, group)
		}
	}
	if text != "" {
		open = text[len(text)-1] != ' '
	}
	return out, open
}

// copyWords returns the words of the copy with the given choices.
func (s *scene) copyWords(choices []int) []word {
	return s.words(func(site int) string {
		x := s.draft.Sites[site]
		return x.Alternatives[choices[x.Group]]
	})
}

// read finds the words in an article that prints them as one quotation and
// returns what they tell.
func (s *scene) read(rule trace.Rule, words []string) []trace.Observation {
	text := strings.Join(words, " ")
	block := cable.Block{Text: text, Quotes: []cable.Span{{Start: 0, End: len(text)}}}
	found := s.reader.Find([]cable.Article{{Name: "article", Blocks: []cable.Block{block}}})
	return rule.Observe(s.graphs, found, nil)
}

// window returns n words in a row, or all.
func window(rng *rand.Rand, words []word, n int) []word {
	if n >= len(words) {
		return words
	}
	from := rng.IntN(len(words) - n + 1)
	return words[from : from+n]
}
