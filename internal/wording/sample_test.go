package wording

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chancery/cable"
)

// These two are tools for whoever writes rules. They run when
// CHANCERY_SAMPLE names a file of cables, JSON lines with "id" and "body", and
// write beside it.

// A real cable as a draft.
type sampled struct {
	id    string
	draft []byte
}

func sampledCables(t *testing.T) (string, []sampled) {
	t.Helper()
	name := os.Getenv("CHANCERY_SAMPLE")
	if name == "" {
		t.Skip("a tool: CHANCERY_SAMPLE names no file of cables")
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []sampled
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var c struct {
			ID   string
			Body []string
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		text := "Subject: x\n"
		for _, p := range c.Body {
			text += "\n" + cable.Escape(strings.Join(strings.Fields(p), " ")) + "\n"
		}
		out = append(out, sampled{c.ID, []byte(text)})
	}
	return strings.TrimSuffix(name, filepath.Ext(name)), out
}

// TestSampleForJudges writes 330 random sentences with what is offered in them,
// for a strict reader: a line each with number, cable, paragraph, sentence, the
// sentence with its places in braces, and the ids of the rules.
func TestSampleForJudges(t *testing.T) {
	name, cables := sampledCables(t)
	var lines []string
	for _, c := range cables {
		proposals, err := Propose(c.draft, nil)
		if err != nil {
			continue // a control character of the scan
		}
		for _, sentence := range bySentence(proposals) {
			lines = append(lines, judgeLine(c.id, sentence))
		}
	}
	rng := rand.New(rand.NewPCG(20190710, 15))
	rng.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	var b strings.Builder
	for i, l := range lines[:min(330, len(lines))] {
		fmt.Fprintf(&b, "%d\t%s\n", i+1, l)
	}
	if err := os.WriteFile(name+"-judge.tsv", []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// bySentence groups proposals that are not of house style.
func bySentence(proposals []Proposal) [][]Proposal {
	var out [][]Proposal
	for _, p := range proposals {
		if p.House() {
			continue
		}
		if n := len(out); n > 0 && out[n-1][0].From == p.From {
			out[n-1] = append(out[n-1], p)
		} else {
			out = append(out, []Proposal{p})
		}
	}
	return out
}

func judgeLine(id string, sentence []Proposal) string {
	var text strings.Builder
	var ids []string
	at := 0
	for _, p := range sentence {
		text.WriteString(p.Sentence[at:p.Offset] + "{" + p.Original + "|" + strings.Join(p.Alternatives, "|") + "}")
		at = p.Offset + len(p.Original)
		ids = append(ids, p.ID)
	}
	p := sentence[0]
	return fmt.Sprintf("%s\t%d\t%d\t%s%s\t%s", id, p.Paragraph, p.Number, text.String(), p.Sentence[at:], strings.Join(ids, " "))
}

// TestUncovered writes the words of substance for which nothing is offered,
// the most frequent first: how often, how often in all, the word and its tag.
func TestUncovered(t *testing.T) {
	name, cables := sampledCables(t)
	rules, err := standard()
	if err != nil {
		t.Fatal(err)
	}
	all, open := map[string]int{}, map[string]int{}
	for _, c := range cables {
		_, pages, err := pagesOf(c.draft)
		if err != nil {
			continue // a control character of the scan
		}
		for _, p := range pages {
			countOpen(p, rules.propose(p, nil, nil), all, open)
		}
	}
	keys := slices.Sorted(maps.Keys(open))
	slices.SortStableFunc(keys, func(a, b string) int { return open[b] - open[a] })
	var b strings.Builder
	for _, k := range keys[:min(3000, len(keys))] {
		fmt.Fprintf(&b, "%d\t%d\t%s\n", open[k], all[k], k)
	}
	if err := os.WriteFile(name+"-uncovered.tsv", []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func countOpen(p *page, cands []candidate, all, open map[string]int) {
	for n, s := range p.sentences {
		for _, w := range s.words {
			if w.fixed || !substantial(w.lower) {
				continue
			}
			key := w.lower + "/" + w.tag
			all[key]++
			if !slices.ContainsFunc(cands, func(c candidate) bool {
				return c.sentence == n && c.from <= w.start && w.end <= c.to
			}) {
				open[key]++
			}
		}
	}
}
