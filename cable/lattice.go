package cable

import (
	"math"
	"strings"
)

// A Lattice is every wording of a draft's body as one graph of words, read
// from left to right. Fixed words follow each other; at each cluster of sites
// the graph forks into one branch per wording and joins again. Nodes are
// numbered so that every edge leads to a higher number.
type Lattice struct {
	// Vocabulary holds the normalised words; nodes refer to it by index.
	Vocabulary []string
	// Index finds a word in Vocabulary.
	Index map[string]int32
	// Nodes are the words and the silent forks and joins between them.
	Nodes []Node
	// Clusters are the forks, in reading order.
	Clusters []Cluster
	// WordCount is the number of nodes that are words.
	WordCount int
	// Groups and Sizes: number of groups, and alternatives of each.
	Sizes []int
}

// Silent is the Word of a node that stands for no word.
const Silent int32 = -1

// A Node is one word, or a silent point, of a lattice.
type Node struct {
	Word      int32   // index into Vocabulary, or Silent
	Paragraph int32   // 0-based
	Cluster   int32   // index of the cluster whose branch holds the node, or -1
	Prev      []int32 // nodes that may stand before; empty for the first only
	// Entry is the prior probability of entering the node from its
	// predecessor: 1 but at the head of a branch.
	Entry float64
	// Gap is what leaving the node out costs, in words. The branches of one
	// cluster cost the same to leave out, however long, so that an omission
	// speaks for none of them.
	Gap float64
}

// A Cluster is a fork of the lattice: one branch for each joint choice of
// the groups that meet there, and one more for a passage where somebody put
// words that are in none of them.
type Cluster struct {
	Groups   []int
	Branches []Branch
	Other    int32 // silent node of the branch for other words
	Join     int32
	// FirstWord counts the words of the record text before the cluster.
	FirstWord int
}

// A Branch is one wording of a cluster.
type Branch struct {
	Head    int32 // silent node at its head
	Choices []int // choice for each of the cluster's Groups
	Words   int
}

// OtherPrior is the prior probability that a site was worded by somebody
// else: its words dropped or replaced.
const OtherPrior = 0.02

// Lattice builds the lattice of the draft.
func (d *Draft) Lattice() *Lattice {
	b := latticeBuilder{draft: d, l: &Lattice{Index: map[string]int32{}, Sizes: d.Sizes()}, last: -1}
	b.last = b.node(Node{Word: Silent, Cluster: -1, Entry: 1})
	for i, p := range d.Paragraphs {
		b.paragraph = int32(i)
		clusters, err := d.runs(p)
		if err != nil {
			panic(err) // Parse refuses such drafts
		}
		for _, c := range clusters {
			if len(c.groups) == 0 {
				b.fixed(c.pieces[0].Text)
			} else {
				b.cluster(c)
			}
		}
	}
	return b.l
}

type latticeBuilder struct {
	draft     *Draft
	l         *Lattice
	last      int32 // node that the next one follows
	paragraph int32
	words     int // words of the record text so far
}

func (b *latticeBuilder) node(n Node) int32 {
	n.Paragraph = b.paragraph
	if b.last >= 0 && n.Prev == nil {
		n.Prev = []int32{b.last}
	}
	b.l.Nodes = append(b.l.Nodes, n)
	if n.Word != Silent {
		b.l.WordCount++
	}
	return int32(len(b.l.Nodes) - 1)
}

func (b *latticeBuilder) intern(word string) int32 {
	id, ok := b.l.Index[word]
	if !ok {
		id = int32(len(b.l.Vocabulary))
		word = strings.Clone(word)
		b.l.Vocabulary = append(b.l.Vocabulary, word)
		b.l.Index[word] = id
	}
	return id
}

func (b *latticeBuilder) fixed(text string) {
	for _, t := range Tokenize(text) {
		b.last = b.node(Node{Word: b.intern(t.Word), Cluster: -1, Entry: 1, Gap: 1})
		b.words++
	}
}

func (b *latticeBuilder) cluster(c cluster) {
	id := int32(len(b.l.Clusters))
	out := Cluster{Groups: c.groups, FirstWord: b.words}
	wordings := b.wordings(c)
	mean := 0.0
	for _, w := range wordings {
		mean += float64(len(w)) / float64(len(wordings))
	}
	fork, prior := b.last, (1-OtherPrior)/float64(len(wordings))
	var ends []int32
	for k, words := range wordings {
		b.last = fork
		b.last = b.node(Node{Word: Silent, Cluster: id, Entry: prior})
		out.Branches = append(out.Branches, Branch{b.last, b.draft.digits(c.groups, k), len(words)})
		if len(words) == 0 {
			b.l.Nodes[b.last].Gap = mean
		}
		for _, w := range words {
			b.last = b.node(Node{Word: b.intern(w), Cluster: id, Entry: 1, Gap: mean / float64(len(words))})
		}
		ends = append(ends, b.last)
	}
	b.last = fork
	out.Other = b.node(Node{Word: Silent, Cluster: id, Entry: OtherPrior, Gap: mean})
	out.Join = b.node(Node{Word: Silent, Cluster: -1, Entry: 1, Prev: append(ends, out.Other)})
	b.last = out.Join
	b.words += len(wordings[0])
	b.l.Clusters = append(b.l.Clusters, out)
}

func (b *latticeBuilder) wordings(c cluster) [][]string {
	out := make([][]string, c.combos)
	for k := range out {
		out[k] = Words(b.draft.renderCombo(c.pieces, c.groups, k))
	}
	return out
}

// BitsByWord spreads the bits of each group over the words of the record
// text: a group's bits stand at the first word of its first site. Groups that
// the function leaves out count nothing.
func (l *Lattice) BitsByWord(leaveOut func(group int) bool) []float64 {
	words := 0
	for _, n := range l.Nodes {
		if n.Word != Silent && n.Cluster < 0 {
			words++
		}
	}
	for _, c := range l.Clusters {
		words += c.Branches[0].Words
	}
	bits := make([]float64, words)
	seen := map[int]bool{}
	for _, c := range l.Clusters {
		for _, g := range c.Groups {
			if at := min(c.FirstWord, words-1); at >= 0 && !seen[g] && !leaveOut(g) {
				bits[at] += math.Log2(float64(l.Sizes[g]))
			}
			seen[g] = true
		}
	}
	return bits
}
