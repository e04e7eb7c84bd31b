package trace

import (
	"chancery/cable"
	"fmt"
	"testing"
)

func TestCells(t *testing.T) {
	d := scene(t)
	g := NewGraph(d.Lattice())
	text := d.RenderParagraph(2, make([]int, len(d.Groups))) + " " + d.RenderParagraph(3, make([]int, len(d.Groups)))
	tokens := cable.Tokenize(text)[:100]
	e := newEmitter(g.shapes, g.Lattice.Index, tokens)
	a := align(g, tokens, e, 0)
	n := 0
	for _, s := range a.steps {
		n += len(s)
	}
	fmt.Println(n, len(g.word), len(g.Lattice.Vocabulary))
	for i := 50; i < 60; i++ {
		fmt.Print(len(a.steps[i]), " ")
	}
	fmt.Println()
}
