package trace

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"chancery/cable"
)

const smallDraft = `Subject: The reform programme

The President is {inept|clumsy|out of his depth}, and his {cabinet|ministers} {know|knows} it. He told me in March that
he {reads|opens} nothing {longer|bulkier} than {a menu|a postcard|the football results}. {Very |Really |}few of his
friends {believe|think} otherwise.

We should {postpone|put off|delay} the visit {until|till} the autumn, when the {knife fights|quarrels|brawls} within the
palace {will|may} have {ended|stopped|run their course}. The {worst|gravest outcome} cannot be ruled out. {But|Yet|Still,} there is time.
`

func parse(t testing.TB, text string) *cable.Draft {
	t.Helper()
	d, err := cable.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func sceneDraft(t testing.TB) *cable.Draft {
	data, err := os.ReadFile("../internal/demo/scene/draft.txt")
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(data))
}

// article makes one block of text; parts in double quotation marks are
// quotations.
func article(text string) cable.Article {
	b := cable.Block{Text: text}
	for at := 0; ; {
		open := strings.IndexByte(text[at:], '"')
		if open < 0 {
			break
		}
		open += at + 1
		shut := strings.IndexByte(text[open:], '"')
		if shut < 0 {
			break
		}
		b.Quotes = append(b.Quotes, cable.Span{Start: open, End: open + shut})
		at = open + shut + 1
	}
	return cable.Article{Name: "paper", Blocks: []cable.Block{b}}
}

// reading lists the groups read, as "group=alternative", for an article on one
// draft.
func reading(t testing.TB, draft, text string) (string, []Passage) {
	t.Helper()
	d := parse(t, draft)
	g := NewGraph(d.Lattice())
	passages := NewReader([]*Graph{g}).Find([]cable.Article{article(text)})
	var out []string
	for _, o := range DefaultRule().Observe([]*Graph{g}, passages, nil) {
		best := 0
		for x, w := range o.Weights {
			if w > o.Weights[best] {
				best = x
			}
		}
		site := d.Sites[d.Groups[o.Group].Sites[0]]
		out = append(out, site.Alternatives[best])
	}
	return strings.Join(out, "/"), passages
}

func TestReading(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"one quoted word", `The envoy called him "inept", a paper said.`, "inept"},
		{"other people's words", `"We regret this," said the minister. "The visit is a matter of great regret to all of us, and we are grateful."`, ""},
		{"an article about something else", `The autumn fair opens on Friday with a football match and few surprises.`, ""},
		{"a phrase", `He writes of "knife fights within the palace" and more.`, "knife fights"},
		{"a whole sentence", `"The President is out of his depth, and his ministers know it."`, "out of his depth/ministers/know"},
		{"without quotation marks", `In the envoy's telling the President is clumsy, and his cabinet knows it, which few deny.`, "clumsy/cabinet/knows"},
		{"misprints", `"Tbe Presidemt is clurnsy, aud his minsters knows it."`, "clumsy/ministers/knows"},
		{"dots of omission", `"The President is inept ... opens nothing bulkier than a menu"`, "inept/opens/bulkier/a menu"},
		{"an editor's brackets", `"The President [of the republic] is inept, and his cabinet know it"`, "inept/cabinet/know"},
		{"a word put in", `"The President is really quite clumsy, and his cabinet know it"`, "clumsy/cabinet/know"},
		{"capitals", `"THE PRESIDENT IS CLUMSY, AND HIS CABINET KNOW IT"`, "clumsy/cabinet/know"},
		{"an empty alternative", `"a menu. Few of his friends think otherwise"`, "a menu//think"},
		{"which a quotation's beginning hides", `"Few of his friends think otherwise"`, "think"},
		{"and a full one", `"Really few of his friends think otherwise"`, "Really /think"},
		{"a site reworded says nothing", `"The President is a disaster, and his cabinet know it"`, "cabinet/know"},
		{"a site left out says nothing", `"he reads nothing ... few of his friends believe otherwise"`, "reads/believe"},
		{"a journalist's word after the mark", `He adds that "The worst cannot be ruled out." But nobody at the ministry agreed.`, "worst"},
		{"two stretches in the wrong order", `"The worst cannot be ruled out", and "he reads nothing longer than a menu".`, "reads/longer/a menu/worst"},
	}
	for _, tt := range tests {
		got, passages := reading(t, smallDraft, tt.text)
		if got != tt.want {
			t.Errorf("%s: read %q, not %q", tt.name, got, tt.want)
			for _, p := range passages {
				t.Logf("  %q %.1f", p.Text, p.LogRatio)
			}
		}
	}
}

func TestRepeatsCountOnce(t *testing.T) {
	g := NewGraph(parse(t, smallDraft).Lattice())
	r := NewReader([]*Graph{g})
	one := article(`"The President is clumsy, and his cabinet know it."`)
	two := article(`The paper's leader returned to it: "his cabinet know it", it said, "The President is clumsy, and his cabinet know it."`)
	var repeats int
	passages := r.Find([]cable.Article{one, two, one})
	for _, p := range passages {
		if p.Repeats {
			repeats++
		}
	}
	if repeats != len(passages)-1 {
		t.Errorf("%d of %d passages are repeats", repeats, len(passages))
	}
	rule := DefaultRule()
	once, thrice := rule.Observe([]*Graph{g}, r.Find([]cable.Article{one}), nil), rule.Observe([]*Graph{g}, passages, nil)
	if fmt.Sprint(once) != fmt.Sprint(thrice) {
		t.Errorf("printed three times: %v, once: %v", thrice, once)
	}
}

// Words that stand in two cables are evidence for neither.
func TestSharedWordsAreAmbiguous(t *testing.T) {
	other := parse(t, "Subject: x\n\nThe harvest was {poor|bad|thin}. We should {postpone|put off|delay} the visit until the autumn.\n")
	graphs := []*Graph{NewGraph(parse(t, smallDraft).Lattice()), NewGraph(other.Lattice())}
	p := NewReader(graphs).Find([]cable.Article{article(`"We should put off the visit until the autumn"`)})
	if len(p) != 1 || !p[0].Ambiguous {
		t.Fatalf("%+v", p)
	}
	if obs := DefaultRule().Observe(graphs, p, nil); len(obs) != 0 {
		t.Errorf("read %v", obs)
	}
}

// The posterior of a site must not prefer the shorter alternative when the
// words there were left out or replaced.
func TestOmissionIsNeutral(t *testing.T) {
	draft := "Subject: x\n\nThe ambassador wrote that the minister was {inept|entirely out of his depth and visibly so|hopeless} when he met the others.\n"
	for _, text := range []string{
		`"The ambassador wrote that the minister was ... when he met the others"`,
		`"The ambassador wrote that the minister was when he met the others"`,
		`"The ambassador wrote that the minister was magnificent when he met the others"`,
		`"The ambassador wrote that the minister was [sic] when he met the others"`,
	} {
		if got, _ := reading(t, draft, text); got != "" {
			t.Errorf("%s: read %q", text, got)
		}
	}
}

// Forward-backward against a sum over all copies of a small draft: with
// hard words the posterior is that of the one wording printed.
func TestEveryWordingIsRead(t *testing.T) {
	d := parse(t, smallDraft)
	g := NewGraph(d.Lattice())
	r := NewReader([]*Graph{g})
	choices := make([]int, len(d.Groups))
	for k := range 300 {
		for i := range choices {
			choices[i] = (k*7919 + i*104729 + k*i) % d.Groups[i].Size
		}
		a := cable.Article{Name: "x"}
		for i := range d.Paragraphs {
			a.Blocks = append(a.Blocks, cable.Block{Text: d.RenderParagraph(i, choices)})
		}
		obs := DefaultRule().Observe([]*Graph{g}, r.Find([]cable.Article{a}), nil)
		if len(obs) != len(d.Groups) {
			t.Fatalf("copy %d: %d of %d groups read", k, len(obs), len(d.Groups))
		}
		for _, o := range obs {
			if o.Weights[choices[o.Group]] < One*9/10 {
				t.Errorf("copy %d, group %d: %v for choice %d", k, o.Group, o.Weights, choices[o.Group])
			}
		}
	}
}

func TestNoWords(t *testing.T) {
	g := NewGraph(parse(t, "Subject: x\n\n{… .|word}\n").Lattice())
	for _, text := range []string{"", "...", "word", strings.Repeat("word ", 3000)} {
		NewReader([]*Graph{g}).Find([]cable.Article{article(text)})
	}
	if math.IsNaN(frequency("")) {
		t.Error("no frequency")
	}
}

func BenchmarkRead100Words(b *testing.B) {
	d := sceneDraft(b)
	g := NewGraph(d.Lattice())
	zero := make([]int, len(d.Groups))
	tokens := cable.Tokenize(d.RenderParagraph(2, zero) + " " + d.RenderParagraph(3, zero))
	text := d.RenderParagraph(2, zero) + " " + d.RenderParagraph(3, zero)
	a := cable.Article{Blocks: []cable.Block{{Text: text[:tokens[99].End]}}}
	r := NewReader([]*Graph{g})
	for b.Loop() {
		r.Find([]cable.Article{a})
	}
}
