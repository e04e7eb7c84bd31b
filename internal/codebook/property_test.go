package codebook

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chancery/mark"
	"chancery/trace"
)

// TestMain has the properties tried on 25 cases unless told otherwise: each
// draws thousands of slots.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
	flag.Parse()
	os.Exit(m.Run())
}

// anyDraft draws a draft with a few sites.
func anyDraft(t *rapid.T) string {
	word := rapid.StringMatching(`[a-zé&<]{2,8}`)
	var b strings.Builder
	fmt.Fprintf(&b, "Subject: %s\n", word.Draw(t, "subject"))
	if rapid.Bool().Draw(t, "has reference") {
		fmt.Fprintf(&b, "Reference: %s\n", word.Draw(t, "reference"))
	}
	for range rapid.IntRange(1, 3).Draw(t, "paragraphs") {
		b.WriteString("\n" + word.Draw(t, "word"))
		for range rapid.IntRange(0, 6).Draw(t, "sites") {
			alternatives := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,6}`), 2, 6, rapid.ID).Draw(t, "alternatives")
			fmt.Fprintf(&b, " {%s} %s", strings.Join(alternatives, "|"), word.Draw(t, "word"))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// anyReaders draws a list of readers without an id of taken.
func anyReaders(t *rapid.T, taken map[string]bool) []Reader {
	var out []Reader
	for range rapid.IntRange(1, 8).Draw(t, "readers") {
		id := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._@+-]{0,12}`).Draw(t, "id")
		if key := strings.ToLower(id); !taken[key] {
			taken[key] = true
			out = append(out, Reader{ID: id, Recipient: rapid.SampledFrom([]string{"", "age1pq1x"}).Draw(t, "recipient")})
		}
	}
	return out
}

func copies(b *Book) map[string]string {
	out := map[string]string{}
	for _, r := range b.Readers() {
		out[r.ID] = b.Copy(r)
	}
	return out
}

// TestRoundTrip: New, Encode and Parse keep every copy and commitment, and
// Add keeps those before it.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		taken := map[string]bool{}
		first := anyReaders(t, taken)
		b, err := New(mustDraftIn(t, anyDraft(t)), trace.DefaultRule(), first, seeded(rapid.Uint64().Draw(t, "seed")))
		if err != nil {
			t.Fatal(err)
		}
		was, commitment := copies(b), b.Commitment()
		more := anyReaders(t, taken)
		if len(more) > 0 {
			if err := b.Add(more); err != nil {
				t.Fatal(err)
			}
		}
		data := b.Encode()
		again, err := Parse("x", data)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Encode(), data) || again.Commitment() != b.Commitment() {
			t.Fatal("what was written reads as something else")
		}
		if covered, ok := again.Covered(strings.ToUpper(commitment) + "\n"); !ok || covered != len(first) {
			t.Fatalf("the first commitment covers %d of %d readers, %v", covered, len(first), ok)
		}
		now := copies(again)
		if len(now) != len(first)+len(more) {
			t.Fatalf("%d copies", len(now))
		}
		for id, text := range was {
			if now[id] != text {
				t.Fatalf("the copy of %s changed", id)
			}
		}
		for i, r := range again.Readers() {
			if r.Slot != i+1 {
				t.Fatalf("%s has slot %d", r.ID, r.Slot)
			}
		}
	})
}

// TestCommitmentTellsEverythingApart: with the same randomness, nothing can
// differ under one commitment.
func TestCommitmentTellsEverythingApart(t *testing.T) {
	const alice, bob = "alice", "bob"
	rule := trace.DefaultRule()
	rule.NoisePermille++
	one := ids(alice, bob)
	seen := map[string]string{}
	for what, made := range map[string]func() (*Book, error){
		"itself":     func() (*Book, error) { return New(mustDraft(t, telegram), trace.DefaultRule(), one, seeded(1)) },
		"randomness": func() (*Book, error) { return New(mustDraft(t, telegram), trace.DefaultRule(), one, seeded(2)) },
		"rule":       func() (*Book, error) { return New(mustDraft(t, telegram), rule, one, seeded(1)) },
		"order": func() (*Book, error) {
			return New(mustDraft(t, telegram), trace.DefaultRule(), ids(bob, alice), seeded(1))
		},
		"case of id": func() (*Book, error) {
			return New(mustDraft(t, telegram), trace.DefaultRule(), ids("Alice", bob), seeded(1))
		},
		"fewer": func() (*Book, error) { return New(mustDraft(t, telegram), trace.DefaultRule(), ids(alice), seeded(1)) },
		"recipient": func() (*Book, error) {
			return New(mustDraft(t, telegram), trace.DefaultRule(), []Reader{{ID: alice, Recipient: "age1pq1x"}, {ID: bob}}, seeded(1))
		},
		"reference":   withText(t, "12/31", "12/32"),
		"header":      withText(t, "Info: Trade", "Info: War"),
		"punctuation": withText(t, "closed.", "closed!"),
		"alternative": withText(t, "thieves", "robbers"),
		"their order": withText(t, "smugglers|thieves", "thieves|smugglers"),
		"more sites":  withText(t, "admits} it", "admits} {it|this}"),
		"links":       withText(t, `{\min} {knows`, `{The Minister|The Secretary} {knows`),
	} {
		b, err := made()
		if err != nil {
			t.Fatal(what, err)
		}
		if other, again := seen[b.Commitment()]; again {
			t.Errorf("%s and %s go under one commitment", what, other)
		}
		seen[b.Commitment()] = what
	}
}

// withText marks the telegram with one stretch of it changed.
func withText(t *testing.T, old, by string) func() (*Book, error) {
	if !strings.Contains(telegram, old) {
		t.Fatalf("no %q in the telegram", old)
	}
	return func() (*Book, error) {
		return New(mustDraft(t, strings.Replace(telegram, old, by, 1)), trace.DefaultRule(), ids("alice", "bob"), seeded(1))
	}
}

// quick is a codebook whose draw has four slots, so that many can be parsed.
func quick(t testing.TB) *Book {
	b := &Book{Draft: mustDraft(t, "A: b\n\nThe {one|other} {\\x: a|b} {\\x}.\n"), Rule: trace.DefaultRule(), draw: mark.Draw{Slots: 4}}
	b.commitRoots()
	b.Reference = referenceOf(b.Draft, b.draftRoot)
	for _, id := range []string{"ann", "bob"} {
		if err := b.Add(ids(id)); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// FuzzParse: nothing panics, and what parses has one text.
func FuzzParse(f *testing.F) {
	data, err := os.ReadFile("testdata/ostrava.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data[:len(data)/2])
	f.Add(quick(f).Encode())
	f.Add([]byte(`{"format":"chancery-codebook-1","batches":[{"readers":[{"id":"a","slot":1}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Parse("codebook.json", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "codebook.json") {
				t.Fatalf("%v does not say which file", err)
			}
			return
		}
		if !bytes.Equal(b.Encode(), data) {
			t.Fatal("a codebook with two texts")
		}
		if len(b.Readers()) == 0 || b.Copy(b.Readers()[0]) == "" {
			t.Fatal("a codebook without a copy")
		}
	})
}

// FuzzParseReaders: nothing panics, every id is one that a file may be named
// after, no two are the same, and the list written out reads as itself.
func FuzzParseReaders(f *testing.F) {
	for _, list := range []string{"a\nb\n", "# list\n\n a age1pq1x # note\r\nB\tage1pq1y", "\ufeffa", "a\nA", "../x", "a b c", "\xff", "a\x00"} {
		f.Add([]byte(list))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		readers, err := ParseReaders("readers.txt", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "readers.txt") {
				t.Fatalf("%v does not say which file", err)
			}
			return
		}
		var list strings.Builder
		seen := map[string]bool{}
		for _, r := range readers {
			if key := strings.ToLower(r.ID); !ValidID(r.ID) || seen[key] || r.Slot != 0 {
				t.Fatalf("accepted %+v", r)
			} else {
				seen[key] = true
			}
			fmt.Fprintln(&list, r.ID, r.Recipient)
		}
		again, err := ParseReaders("again", []byte(list.String()))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(readers) {
			t.Fatalf("%q reads as %v, then as %v (%v)", data, readers, again, err)
		}
	})
}
