package real

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"chancery/cable"
	"chancery/internal/codebook"
	"chancery/internal/press"
	"chancery/internal/testworld"
	"chancery/trace"
)

// A scene is one marked cable and what somebody did with it.
type scene struct {
	*marked
	readers []trace.Copies
	sources []int // readers whose copies the words come from
	files   []file
	// printed is the codeword whose words the files print without an error,
	// if they do; whole says that they print the copy from end to end, and
	// quoted is what reports quote of it.
	printed []int
	whole   bool
	quoted  []string
}

// A file is one leak as it lies on disk.
type file struct {
	name string
	data []byte
}

// A kind is one way for words of a cable to reach a newspaper.
type kind struct {
	name    string
	sources int
	leak    func(s *scene, r *rand.Rand)
}

var kinds = []kind{
	{"retyped whole, 1 % slips", 1, func(s *scene, r *rand.Rand) {
		s.print(testworld.Retype(s.copyOf(0), 0.01, r))
	}},
	{"one word put in first", 1, func(s *scene, r *rand.Rand) {
		s.printed, s.whole = s.words(0), true
		s.print("Exclusive " + s.copyOf(0))
	}},
	{"35 % excerpt", 1, func(s *scene, r *rand.Rand) {
		s.printed = s.words(0)
		s.print(testworld.Excerpt(bodyOf(s.copyOf(0)), 0.35, r))
	}},
	{"three articles pooled", 1, func(s *scene, r *rand.Rand) { s.publish(3, r) }},
	{"house style changed", 1, func(s *scene, r *rand.Rand) {
		s.print(testworld.House(r.IntN(2)).Edit(s.copyOf(0)))
	}},
	{"two copies spliced", 2, func(s *scene, r *rand.Rand) {
		s.print(testworld.Splice([]string{s.copyOf(0), s.copyOf(1)}, r))
	}},
	{"an outsider's wording", 0, func(s *scene, r *rand.Rand) {
		s.print(s.draft.Render(testworld.Outsider(s.draft.Sizes(), r)))
	}},
	{"15 % of wordings swapped", 1, func(s *scene, r *rand.Rand) {
		s.print(s.draft.Render(testworld.Swap(s.words(0), s.draft.Sizes(), 0.15, r)))
	}},
	{"40 % of wordings swapped", 1, func(s *scene, r *rand.Rand) {
		s.print(s.draft.Render(testworld.Swap(s.words(0), s.draft.Sizes(), 0.4, r)))
	}},
	foreign,
	articleByArticle,
}

// foreign is an article that has nothing to do with the cable, but is written
// in the same language and often about the same matter.
var foreign = kind{"another cable's words", 0, func(s *scene, r *rand.Rand) { s.print(s.other) }}

// articleByArticle is a leak that comes out over some weeks.
var articleByArticle = kind{"four looks, one article each", 1, func(s *scene, r *rand.Rand) { s.publish(4, r) }}

// listSize is the number of readers that a leak is traced among.
const listSize = 50

// A marked is a cable with copies enough for a list of readers of its own for
// every kind of leak, so that what is found about one tells nothing about
// another.
type marked struct {
	draft *cable.Draft
	graph *trace.Graph
	book  *codebook.Book
	other string // the text of another cable
}

func newMarked(d *cable.Draft, id, other string) (*marked, error) {
	book, err := codebook.New(d, trace.DefaultRule(), readers(listSize*len(kinds)), testworld.Source(seed, "book", id))
	return &marked{d, trace.NewGraph(d.Lattice()), book, other}, err
}

// newScene lets the words of a cable out in the k-th way.
func newScene(m *marked, k int, id string) *scene {
	s := &scene{marked: m}
	for _, r := range m.book.Readers()[k*listSize : (k+1)*listSize] {
		s.readers = append(s.readers, trace.Copies{Reader: r.ID, Words: [][]int{m.book.Codeword(r)}})
	}
	r := testworld.Random(seed, "leak", kinds[k].name, id)
	s.sources = r.Perm(listSize)[:kinds[k].sources]
	kinds[k].leak(s, r)
	return s
}

func (s *scene) words(source int) []int { return s.readers[s.sources[source]].Words[0] }

func (s *scene) copyOf(source int) string { return s.draft.Render(s.words(source)) }

// bodyOf returns a copy without its header.
func bodyOf(text string) string {
	_, body, _ := strings.Cut(text, "\n\n")
	return body
}

func (s *scene) print(text string) { s.files = append(s.files, file{"leak.txt", []byte(text)}) }

// publish writes reports in turn for a wire, a broadsheet and a web site, each
// with four fragments of one copy.
func (s *scene) publish(n int, r *rand.Rand) {
	s.printed = s.words(0)
	body := bodyOf(s.copyOf(0))
	for i := range n {
		paper := testworld.Paper(i % 3)
		fragments := testworld.Fragments(body, 4, 10, 25, r)
		s.quoted = append(s.quoted, fragments...)
		s.files = append(s.files, file{paper.Name(i + 1), paper.Report(fragments, r)})
	}
}

// articles reads the files as chancery trace does.
func (s *scene) articles() ([]cable.Article, error) {
	var out []cable.Article
	for _, f := range s.files {
		a, err := press.Read(f.name, f.data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		out = append(out, a)
	}
	return out, nil
}

// judge returns how many of those named gave nothing to the leak, and whether
// all of its sources are named, or any.
func (s *scene) judge(named []trace.Named) (wrong int, all, some bool) {
	hits := 0
	for _, n := range named {
		if s.gave(n.Reader) {
			hits++
		} else {
			wrong++
		}
	}
	return wrong, hits > 0 && hits == len(s.sources), hits > 0
}

// gave says whether a reader is a source of the leak.
func (s *scene) gave(reader string) bool {
	return slices.ContainsFunc(s.sources, func(i int) bool { return s.readers[i].Reader == reader })
}

// printedBy says whether the files hold a passage that was read in them as
// words of the cable, and in that paragraph. In reports half of its pairs of
// words must be quoted.
func (s *scene) printedBy(p trace.Passage) bool {
	words := spaced(p.Text)
	if s.quoted == nil {
		return strings.Contains(spaced(s.draft.RenderParagraph(p.Paragraph-1, s.printed)), words)
	}
	quoted, pairs, found := "", 0, 0
	for _, q := range s.quoted {
		quoted += "|" + spaced(q)
	}
	in := strings.Fields(words)
	for i := range len(in) - 1 {
		pairs++
		if strings.Contains(quoted, " "+in[i]+" "+in[i+1]+" ") {
			found++
		}
	}
	return 2*found >= pairs
}

// spaced returns the words of a text with a space before and after each.
func spaced(text string) string { return " " + strings.Join(cable.Words(text), " ") + " " }
