package post_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/seal"
	"chancery/internal/sign"
)

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func identity(t testing.TB) *seal.Identity {
	t.Helper()
	return must(seal.GenerateIdentity())(t)
}

func address(party string, id *seal.Identity) post.Address {
	return post.Address{Party: party, Recipient: id.Recipient().String()}
}

// TestLettersAreOfOneLength: from sizes a registry must not learn who got a copy, who
// a share and who nothing.
func TestLettersAreOfOneLength(t *testing.T) {
	ada, bo := identity(t), identity(t)
	e := custody.NewEntry([]byte(strings.Repeat("statement ", 600))).Bytes()
	lengths := func(letters ...post.Letter) []int {
		var to []post.Address
		for i := range letters {
			to = append(to, address("person:x", []*seal.Identity{ada, bo}[i%2]))
		}
		var out []int
		for _, b := range must(post.Seal(letters, to))(t) {
			out = append(out, len(b.Data))
		}
		return out
	}
	for _, c := range []struct {
		name    string
		letters []post.Letter
	}{
		{"copy, share, nothing", []post.Letter{{Entry: e, Copy: &entries.Copy{ID: "c", Person: "bo", Office: strings.Repeat("o", 90)}, Key: strings.Repeat("K", 3000)},
			{Entry: e, Share: make([]byte, 1500)}, {Entry: e}, {Entry: e, Checkpoint: make([]byte, 4000)}}},
		{"over several chunks of a file", []post.Letter{{Entry: make([]byte, 100000)}, {Entry: []byte("x")}, {Entry: make([]byte, 49000)}}},
		{"empty", []post.Letter{{}, {Entry: []byte("x")}}},
	} {
		got := lengths(c.letters...)
		if slices.Min(got) != slices.Max(got) {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	// And of letters apart, the length tells their size to a kilobyte alone.
	if one, two := lengths(post.Letter{Entry: make([]byte, 100)}), lengths(post.Letter{Entry: make([]byte, 500)}); one[0] != two[0] {
		t.Errorf("%v and %v", one, two)
	}
	if one, two := lengths(post.Letter{Entry: make([]byte, 100)}), lengths(post.Letter{Entry: make([]byte, 5000)}); one[0] == two[0] {
		t.Error("everything has one length: the test could not fail")
	}
}

func TestSubmitAndOpen(t *testing.T) {
	ada, bo := identity(t), identity(t)
	statement := []byte("statement")
	s := must(post.Submit(statement, []byte("checkpoint"), address("person:ada", ada), address("person:bo", bo), address("person:ada", ada)))(t).Submission
	if len(s.Bodies) != 2 || s.Bodies[0].Party != "person:ada" || s.Bodies[1].Party != "person:bo" {
		t.Fatalf("bodies for %v", s.Bodies)
	}
	l, e, err := post.Open("person:ada", s.Bodies[0].Data, ada)
	if err != nil || !bytes.Equal(e.Statement, statement) || e.Commitment() != s.Commitment || string(l.Checkpoint) != "checkpoint" {
		t.Errorf("%v, %v, %v", l, e, err)
	}
	open := post.Publish(statement)
	l, e, err = post.Open(directory.Everyone, open.Bodies[0].Data)
	if err != nil || e.Commitment() != open.Commitment || !bytes.Equal(l.Entry, open.Bodies[0].Data) || len(open.Bodies) != 1 {
		t.Errorf("%v, %v, %v", l, e, err)
	}
	again := must(post.PublishEntry(open.Bodies[0].Data))(t)
	if again.Commitment != open.Commitment || !bytes.Equal(again.Bodies[0].Data, open.Bodies[0].Data) {
		t.Error("an entry that was kept is another when it is submitted again")
	}
	if one, two := post.Publish(statement), post.Publish(statement); one.Commitment == two.Commitment {
		t.Error("two entries of one statement have one salt")
	}
}

// TestLettersToMany: the entry is sealed once for all of them, each letter opens it, and
// only with what the letter names.
func TestLettersToMany(t *testing.T) {
	ada, bo := identity(t), identity(t)
	statement := []byte(strings.Repeat("statement ", 900))
	mail := post.NewMailing(statement, []byte("checkpoint"))
	for i := range 100 {
		l := post.Letter{Key: "key"}
		if i == 7 {
			l = post.Letter{Share: make([]byte, 900)}
		}
		mail.Add(address(fmt.Sprintf("person:p%d", i), []*seal.Identity{ada, bo}[i%2]), l)
	}
	m := must(mail.Seal())(t)
	if m.Common == nil || len(m.Submission.Bodies) != 100 || len(m.Parties()) != 100 || m.Parties()[99] != "person:p99" {
		t.Fatalf("%d bodies for %d parties", len(m.Submission.Bodies), len(m.Parties()))
	}
	for i, b := range m.Submission.Bodies {
		if len(b.Data) != len(m.Submission.Bodies[0].Data) || len(b.Data) > len(statement) {
			t.Errorf("letter %d has %d bytes", i, len(b.Data))
		}
		l, _, err := post.Open(b.Party, b.Data, []*seal.Identity{ada, bo}[i%2])
		if err != nil || l.Entry != nil || sha256.Sum256(m.Common) != [32]byte(l.Common) || (i == 7) != (l.Share != nil) {
			t.Fatalf("letter %d: %v, %v", i, l, err)
		}
		e, err := l.OpenCommon(m.Common)
		if err != nil || !bytes.Equal(e.Statement, statement) || e.Commitment() != m.Submission.Commitment || string(l.Checkpoint) != "checkpoint" || !bytes.Equal(l.Entry, e.Bytes()) {
			t.Errorf("letter %d: %v, %v", i, l, err)
		}
	}
	l, _, err := post.Open(m.Submission.Bodies[0].Party, m.Submission.Bodies[0].Data, ada)
	if err != nil {
		t.Fatal(err)
	}
	to := func(plain string) []byte {
		id := must(seal.ParseIdentities("", []byte(l.CommonKey)))(t)[0]
		return must(seal.SealTo([]byte(plain), id.Recipient().String()))(t)
	}
	for _, c := range []struct {
		name string
		key  string
		data []byte
		want error
	}{
		{"another key", ada.Secret(), m.Common, fault.Key},
		{"no key", "", m.Common, fault.Key},
		{"cut", l.CommonKey, m.Common[:len(m.Common)-9], fault.Input},
		{"nothing", l.CommonKey, nil, fault.Input},
		{"no entry", l.CommonKey, to(`{}`), fault.Input},
		{"more", l.CommonKey, to(`{"entry":"` + strings.Repeat("A", 64) + `","key":"x"}`), fault.Input},
	} {
		bad := post.Letter{Common: l.Common, CommonKey: c.key}
		if _, err := bad.OpenCommon(c.data); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestCircle: overseers, and nobody else, learn whose copies there are.
func TestCircle(t *testing.T) {
	ada, bo := identity(t), identity(t)
	in := directory.Institution{Overseers: []directory.Party{{Name: "inspector", Recipient: ada.Recipient().String()}}}
	copies := []entries.Copy{{ID: "c", Person: "bo", Office: "o", Seat: "s", Tenure: "t"}}
	sealed := must(post.SealCircle(copies, in))(t)
	if got, err := post.OpenCircle(sealed, ada); err != nil || !slices.Equal(got, copies) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := post.OpenCircle(sealed, bo); !errors.Is(err, fault.Key) {
		t.Errorf("opened by another: %v", err)
	}
	if _, err := post.OpenCircle(must(seal.SealTo([]byte(`[{"id":1}]`), ada.Recipient().String()))(t), ada); !errors.Is(err, fault.Input) {
		t.Errorf("not a circle: %v", err)
	}
	if none, err := post.SealCircle(copies, directory.Institution{}); none != nil || err != nil {
		t.Errorf("sealed to nobody: %v", err)
	}
}

func TestBadLettersAreRefused(t *testing.T) {
	ada, bo := identity(t), identity(t)
	sealed := func(plain string) []byte { return must(seal.SealTo([]byte(plain), ada.Recipient().String()))(t) }
	good := must(post.Submit([]byte("statement"), nil, address("person:ada", ada)))(t).Submission.Bodies[0].Data
	altered := bytes.Clone(good)
	altered[len(altered)-1] ^= 1
	for _, c := range []struct {
		name  string
		party string
		data  []byte
		ids   []*seal.Identity
		want  error
	}{
		{"another's key", "person:ada", good, []*seal.Identity{bo}, fault.Key},
		{"no key", "person:ada", good, nil, fault.Key},
		{"altered", "person:ada", altered, []*seal.Identity{ada}, fault.Input},
		{"cut", "person:ada", good[:len(good)-20], []*seal.Identity{ada}, fault.Input},
		{"nothing", "person:ada", nil, []*seal.Identity{ada}, fault.Input},
		{"not sealed", "person:ada", []byte("statement"), []*seal.Identity{ada}, fault.Input},
		{"no letter", "person:ada", sealed("hello"), []*seal.Identity{ada}, fault.Input},
		{"an unknown field", "person:ada", sealed(`{"entry":"` + strings.Repeat("A", 64) + `","more":1}`), []*seal.Identity{ada}, fault.Input},
		{"two letters", "person:ada", sealed(`{"entry":"` + strings.Repeat("A", 64) + `"}{}`), []*seal.Identity{ada}, fault.Input},
		{"no entry", "person:ada", sealed(`{}`), []*seal.Identity{ada}, fault.Input},
		{"an entry of salt alone", "person:ada", sealed(`{"entry":"` + strings.Repeat("A", 40) + `"}`), []*seal.Identity{ada}, fault.Input},
		{"a sealed letter as if it lay open", directory.Everyone, []byte("short"), []*seal.Identity{ada}, fault.Input},
	} {
		if _, _, err := post.Open(c.party, c.data, c.ids...); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := post.Seal([]post.Letter{{}}, []post.Address{{Party: "person:ada", Recipient: "age1x"}}); !errors.Is(err, fault.Key) {
		t.Errorf("sealed to no recipient: %v", err)
	}
}

// TestParties names the desk that marks, no other, and every overseer.
func TestParties(t *testing.T) {
	one, two := sign.Generate(), sign.Generate()
	in := directory.Institution{Marking: []directory.Party{{Name: "north", Sign: one.Public(), Recipient: "n"}, {Name: "south", Sign: two.Public(), Recipient: "s"}},
		Overseers: []directory.Party{{Name: "inspector", Recipient: "i"}}}
	got := post.Parties(in, two.Public().ID().String())
	if !slices.Equal(got, []post.Address{{Party: "marking:south", Recipient: "s"}, {Party: "overseer:inspector", Recipient: "i"}}) {
		t.Errorf("%v", got)
	}
	if got := post.Parties(in, "nobody"); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

// FuzzOpen opens letters that anybody could have sealed.
func FuzzOpen(f *testing.F) {
	ada := identity(f)
	e := custody.NewEntry([]byte("statement"))
	f.Add(`{"entry":"`+strings.Repeat("A", 64)+`"}`, e.Bytes(), false)
	f.Add(`{"entry":null,"copy":{"id":"x"},"share":"AA=="}`, []byte("age-encryption.org/v1\n"), false)
	f.Add(`{"common":"AAAA","common_key":"`+ada.Secret()+`"}`, must(seal.SealTo([]byte(`{"entry":"`+strings.Repeat("A", 64)+`"}`), ada.Recipient().String()))(f), false)
	f.Add("", []byte{}, true)
	f.Fuzz(func(t *testing.T, plain string, raw []byte, open bool) {
		party := "person:ada"
		if open {
			party = directory.Everyone
		}
		for _, data := range [][]byte{raw, must(seal.SealTo([]byte(plain), ada.Recipient().String()))(t)} {
			l, e, err := post.Open(party, data, ada)
			if err == nil && l.Common != nil {
				e, err = l.OpenCommon(raw)
			}
			if err == nil && (l == nil || len(e.Statement) == 0) {
				t.Fatal("nothing was opened")
			}
			if err != nil && fault.KindOf(err) == fault.Internal {
				t.Fatal(err)
			}
		}
	})
}
