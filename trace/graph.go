package trace

import (
	"math"

	"chancery/cable"
)

// A Graph is a lattice made ready for reading: flat arrays, and for each
// word the nodes that carry it. It is read-only after NewGraph and may be
// shared.
type Graph struct {
	Lattice *cable.Lattice

	word      []int32
	prevStart []int32 // predecessors of v: prev[prevStart[v]:prevStart[v+1]]
	prev      []int32
	entry     []float64
	start     []float64 // share of the start probability: the branch's prior
	floor     []float64
	skip      [2][]float64 // cost of leaving v out: [0] as a slip, [1] at an ellipsis
	reach     [2][]int32   // last node that a step from v can lead to
	other     []bool
	shapes    []wordShape
	byWord    [][]int32
}

// NewGraph prepares a lattice.
func NewGraph(l *cable.Lattice) *Graph {
	n := len(l.Nodes)
	g := &Graph{
		Lattice: l, word: make([]int32, n), prevStart: make([]int32, n+1), entry: make([]float64, n),
		start: make([]float64, n), floor: make([]float64, n), other: make([]bool, n),
		byWord: make([][]int32, len(l.Vocabulary)),
	}
	for _, w := range l.Vocabulary {
		g.shapes = append(g.shapes, shapeOf(w))
	}
	for k, ext := range []float64{slipExtend, ellipsisExtend} {
		g.skip[k] = make([]float64, n)
		for v, node := range l.Nodes {
			g.skip[k][v] = math.Pow(ext, node.Gap)
		}
	}
	for v := range l.Nodes {
		g.addNode(v)
	}
	for _, c := range l.Clusters {
		g.other[c.Other] = true
	}
	g.reach[0], g.reach[1] = g.reaches(slipReach), g.reaches(ellipsisReach)
	return g
}

func (g *Graph) addNode(v int) {
	node := g.Lattice.Nodes[v]
	g.word[v], g.entry[v] = node.Word, node.Entry
	g.prev = append(g.prev, node.Prev...)
	g.prevStart[v+1] = int32(len(g.prev))
	g.start[v], g.floor[v] = 1, fixedFloor
	if node.Cluster >= 0 {
		// The head of a branch carries the branch's prior; its words inherit it.
		g.start[v], g.floor[v] = node.Entry, branchFloor
		if node.Word != cable.Silent {
			g.start[v] = g.start[node.Prev[0]]
		}
	}
	if node.Word != cable.Silent {
		g.byWord[node.Word] = append(g.byWord[node.Word], int32(v))
	}
}

// reaches returns for each node the last node at most so many words further.
func (g *Graph) reaches(words int) []int32 {
	n := len(g.word)
	within := make([]int32, n) // last node reached with the words left
	for v := range within {
		within[v] = int32(v)
	}
	for range words {
		next := make([]int32, n)
		for v := n - 1; v >= 0; v-- {
			next[v] = max(next[v], int32(v))
			for _, u := range g.prev[g.prevStart[v]:g.prevStart[v+1]] {
				to := next[v]
				if g.word[v] != cable.Silent {
					to = max(int32(v), within[v])
				}
				next[u] = max(next[u], to)
			}
		}
		within = next
	}
	return within
}
