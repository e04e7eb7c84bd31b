package desk

import (
	"slices"
	"testing"

	"chancery/cable"
	"chancery/internal/directory"
	"chancery/internal/entries"
)

// author is a desk that sent drafts, oldest first, each correcting the one before.
func author(t *testing.T, drafts ...string) *Desk {
	t.Helper()
	k, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	d := &Desk{Config: Config{Keys: k, Person: "ada"}, items: map[string]*Item{}, out: map[string]*Outgoing{}}
	previous := ""
	for n, text := range drafts {
		id := string(rune('a'+n)) + "0000000000000000000000000000000"
		i := &Item{Cable: id, Index: int64(n + 1), Mine: true, Varies: d.names(draftOf(t, text)), Copies: []entries.Copy{{ID: "x", Person: "bo"}},
			Release: entries.Release{Cable: id, Reference: "POST 1/30", Office: "post", Mode: entries.ModeBlind, Previous: previous}, Issue: &entries.Issue{}, Record: draftOf(t, text).RecordText()}
		d.items[id], previous = i, id
	}
	return d
}

func draftOf(t *testing.T, text string) *cable.Draft {
	t.Helper()
	d, err := cable.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// draftWith joins paragraphs of the corrected cable, from 1; others are written out.
func draftWith(parts ...any) string {
	all := []string{"The minister was {evasive|guarded} about the harbour and {left early|did not stay}.",
		"{\\THE: He|The man} will {go|leave} before {long|the year is out}.", "Nobody else spoke.",
		"His second said that {\\THE: he|the man} would, and {smiled|grinned}."}
	out := "Subject: The harbour\n"
	for _, p := range parts {
		if n, ok := p.(int); ok {
			p = all[n-1]
		}
		out += "\n" + p.(string) + "\n"
	}
	return out
}

// TestStays: a paragraph stays if it stands in the cable as it did, wherever, and what its
// choices are linked to stays with it.
func TestStays(t *testing.T) {
	tests := []struct {
		name  string
		parts []any
		want  []int // paragraph of the first cable, 0 if it does not stay
	}{
		{"all", []any{1, 2, 3, 4}, []int{1, 2, 0, 4}}, // the third varies nothing
		{"in another order", []any{4, 3, 2, 1}, []int{4, 0, 2, 1}},
		{"a word changed", []any{"The minister was {evasive|guarded} about the port and {left early|did not stay}.", 2, 4}, []int{0, 2, 4}},
		{"an alternative added", []any{"The minister was {evasive|guarded|shy} about the harbour and {left early|did not stay}.", 2, 4}, []int{0, 2, 4}},
		{"alternatives in another order", []any{"The minister was {guarded|evasive} about the harbour and {left early|did not stay}."}, []int{0}},
		{"half of what is linked changed", []any{1, 2, "His second said that {\\THE: he|the man} would, and {smiled|laughed}."}, []int{1, 0, 0}},
		{"half of what is linked gone", []any{1, "{He|The man} will {go|leave} before {long|the year is out}."}, []int{1, 0}},
		{"twice", []any{1, 1}, []int{1, 1}},
		{"something new between", []any{1, "A {new|fresh} day.", 2, 4}, []int{1, 0, 2, 4}},
	}
	d := author(t, draftWith(1, 2, 3, 4))
	for _, tt := range tests {
		found := d.stays(draftOf(t, draftWith(tt.parts...)), d.lineage(d.items["a0000000000000000000000000000000"]))
		var got []int
		for _, p := range found {
			got = append(got, p.number)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, not %v", tt.name, got, tt.want)
		}
	}
}

// TestRepeated: what went to the same people is known again after edits beside it, and an
// ordinary cable is not taken for it.
func TestRepeated(t *testing.T) {
	d := author(t, draftWith(1, 2, 3, 4))
	bo := Reach{People: []directory.Addressee{{Person: directory.Person{ID: "bo"}}}}
	tests := []struct {
		name  string
		draft string
		reach Reach
		want  int
	}{
		{"the very same", draftWith(1, 2, 3, 4), bo, 7},
		{"to somebody else", draftWith(1, 2, 3, 4), Reach{People: []directory.Addressee{{Person: directory.Person{ID: "cy"}}}}, 0},
		{"one paragraph of it", draftWith(1), bo, 2},
		{"two places in a new cable", draftWith(1, "It {rained|poured} and was {dark|late} when {we|all of us} left."), bo, 0},
		{"a word changed", draftWith("The minister was {evasive|guarded} about the port and {left early|did not stay}.", 2, 4), bo, 5},
		{"alternatives in another order", draftWith("The minister was {guarded|evasive} about the harbour and {did not stay|left early}."), bo, 2},
		{"another cable", draftWith("We {think|believe} that it will {fail|come to nothing} in the {spring|new year}."), bo, 0},
		{"nothing that varies", draftWith("Nobody else spoke."), bo, 0},
	}
	for _, tt := range tests {
		if got := d.Repeated(draftOf(t, tt.draft), tt.reach); got.Places != tt.want {
			t.Errorf("%s: %d places, not %d", tt.name, got.Places, tt.want)
		}
	}
}

// TestRepeatedAfterRecall: what was called back unread may go out again as it was.
func TestRepeatedAfterRecall(t *testing.T) {
	d := author(t, draftWith(1, 2, 3, 4))
	bo := Reach{People: []directory.Addressee{{Person: directory.Person{ID: "bo"}}}}
	i := d.items["a0000000000000000000000000000000"]
	i.Recall = "the wrong list"
	if got := d.Repeated(draftOf(t, draftWith(1, 2, 3, 4)), bo); got.Places != 0 {
		t.Errorf("%d places of what nobody read", got.Places)
	}
	i.act(Act{Index: 9, Kind: entries.KindReceipt, Who: "bo", Copy: "x"})
	if got := d.Repeated(draftOf(t, draftWith(1, 2, 3, 4)), bo); got.Places != 7 {
		t.Errorf("%d places of what bo may have read", got.Places)
	}
}

// TestPin: references name the cable that they meant when they were written.
func TestPin(t *testing.T) {
	d := author(t, draftWith(1, 2, 3, 4))
	for text, want := range map[string]string{
		"as in [[POST 1/30, 2]], and": "as in [[POST 1/30 #a0000000000000000000000000000000, 2]], and",
		"[[POST 1/30 #a0000000, 2]]":  "[[POST 1/30 #a0000000, 2]]", "[[POST 1/30 #a0000000000000000000000000000000, 2]]": "[[POST 1/30 #a0000000000000000000000000000000, 2]]",
		"[[POST 9/30, 2]] is not here":     "[[POST 9/30, 2]] is not here",
		"[[a0000000, 2]]":                  "[[a0000000 #a0000000000000000000000000000000, 2]]",
		"[[POST 1/30, 2]] [[POST 1/30,1]]": "[[POST 1/30 #a0000000000000000000000000000000, 2]] [[POST 1/30 #a0000000000000000000000000000000, 1]]",
		"{[[POST 1/30, 2]]|nothing}":       "{[[POST 1/30 #a0000000000000000000000000000000, 2]]|nothing}",
		"[[]] [[, 1]] [[x, y]] [[":         "[[]] [[, 1]] [[x, y]] [[",
	} {
		if got := d.Pin(text); got != want {
			t.Errorf("%q: %q, not %q", text, got, want)
		}
	}
}
