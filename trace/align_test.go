package trace

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"chancery/cable"
)

func scene(t testing.TB) *cable.Draft {
	data, err := os.ReadFile("../internal/demo/scene/draft.txt")
	if err != nil {
		t.Fatal(err)
	}
	d, err := cable.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestLook(t *testing.T) {
	d := scene(t)
	g := NewGraph(d.Lattice())
	rng := rand.New(rand.NewPCG(1, 2))
	choices := make([]int, len(d.Groups))
	for i := range choices {
		choices[i] = rng.IntN(d.Groups[i].Size)
	}
	text := d.RenderParagraph(2, choices)
	fmt.Println(text)
	r := NewReader([]*Graph{g})
	for _, p := range r.Find([]cable.Article{{Name: "x", Blocks: []cable.Block{{Text: "The minister said that all was well and " + text + " He then left the building by the back door without a word."}}}}) {
		fmt.Printf("%q par %d words %d lr %.1f\n", p.Text, p.Paragraph, p.Words, p.LogRatio)
		for k, b := range p.branches {
			c := g.Lattice.Clusters[k]
			fmt.Println(k, c.Groups, choices[c.Groups[0]], b)
		}
	}
}

func BenchmarkAlign100(b *testing.B) {
	d := scene(b)
	g := NewGraph(d.Lattice())
	text := d.RenderParagraph(2, make([]int, len(d.Groups))) + " " + d.RenderParagraph(3, make([]int, len(d.Groups)))
	tokens := cable.Tokenize(text)[:100]
	for b.Loop() {
		e := newEmitter(g.shapes, g.Lattice.Index, tokens)
		a := align(g, tokens, e, 0)
		a.branches()
	}
}
