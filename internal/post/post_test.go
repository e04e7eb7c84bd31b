package post_test

import (
	"bytes"
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

// whole seals letters. Those that go before their entry, in parts, are put into it.
func whole(t testing.TB, m *post.Mailing) custody.Submission {
	t.Helper()
	var staged []custody.Body
	s := must(m.Seal(func(from int, part []custody.Body) error {
		if from != len(staged) || len(part) == 0 {
			t.Errorf("%d letters from %d on after %d", len(part), from, len(staged))
		}
		staged = append(staged, part...)
		return nil
	}))(t)
	if s.Commitment != m.Commitment() || s.Staged.Count != len(staged) || len(s.Bodies) > 0 && len(staged) > 0 {
		t.Errorf("%d letters with the entry, %d of %d before it", len(s.Bodies), len(staged), s.Staged.Count)
	}
	s.Bodies = append(s.Bodies, staged...)
	return s
}

// TestStageFails: letters that could not be handed over end the mailing.
func TestStageFails(t *testing.T) {
	parts := 0
	mail := post.About([]byte("statement"), nil, addresses(t, 600)...)
	_, err := mail.Seal(func(int, []custody.Body) error {
		if parts++; parts == 2 {
			return fault.System.New("no line")
		}
		return nil
	})
	if !errors.Is(err, fault.System) || parts != 2 {
		t.Errorf("%d parts, %v", parts, err)
	}
}

// TestLettersAreOfOneLength: from sizes a registry must not learn who got a copy, who
// a share and who nothing.
func TestLettersAreOfOneLength(t *testing.T) {
	ada, bo := identity(t), identity(t)
	lengths := func(statement int, letters ...post.Letter) []int {
		m := post.NewMailing(make([]byte, statement), make([]byte, 4000))
		for i, l := range letters {
			m.Add(address(fmt.Sprintf("person:%d", i), []*seal.Identity{ada, bo}[i%2]), l)
		}
		var out []int
		for _, b := range whole(t, m).Bodies {
			out = append(out, len(b.Data))
		}
		return out
	}
	for _, c := range []struct {
		name    string
		letters []post.Letter
	}{
		{"copy, share, nothing", []post.Letter{{Copy: &entries.Copy{ID: "c", Person: "bo", Office: strings.Repeat("o", 90)}, Key: strings.Repeat("K", 3000)}, {Share: make([]byte, 1500)}, {}}},
		{"over several chunks of a file", []post.Letter{{Share: make([]byte, 100000)}, {}, {Share: make([]byte, 49000)}}},
		{"empty", []post.Letter{{}, {Key: "x"}}},
	} {
		got := lengths(6000, c.letters...)
		if slices.Min(got) != slices.Max(got) {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	// And of letters apart, the length tells their size to a kilobyte alone.
	if one, two := lengths(100, post.Letter{}), lengths(500, post.Letter{}); one[0] != two[0] {
		t.Errorf("%v and %v", one, two)
	}
	if one, two := lengths(100, post.Letter{}), lengths(5000, post.Letter{}); one[0] == two[0] {
		t.Error("everything has one length: the test could not fail")
	}
}

func TestSubmitAndOpen(t *testing.T) {
	ada, bo := identity(t), identity(t)
	statement := []byte("statement")
	s := whole(t, post.About(statement, []byte("checkpoint"), address("person:ada", ada), address("person:bo", bo), address("person:ada", ada)))
	if len(s.Bodies) != 2 || s.Bodies[0].Party != "person:ada" || s.Bodies[1].Party != "person:bo" {
		t.Fatalf("bodies for %v", s.Bodies)
	}
	l, e, err := post.Open("person:ada", s.Bodies[0].Data, nil, ada)
	if err != nil || !bytes.Equal(e.Statement, statement) || e.Commitment() != s.Commitment || string(l.Checkpoint) != "checkpoint" {
		t.Errorf("%v, %v, %v", l, e, err)
	}
	open := post.Publish(statement)
	l, e, err = post.Open(directory.Everyone, open.Bodies[0].Data, nil)
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
	m := whole(t, mail)
	if len(m.Bodies) != 101 || m.Bodies[0].Party != custody.Common {
		t.Fatalf("%d bodies", len(m.Bodies))
	}
	common, letters := m.Bodies[0].Data, m.Bodies[1:]
	for i, b := range letters {
		if b.Party != fmt.Sprintf("person:p%d", i) || len(b.Data) != len(letters[0].Data) || len(b.Data) > len(statement)/2 {
			t.Errorf("letter %d for %s has %d bytes", i, b.Party, len(b.Data))
		}
		l, e, err := post.Open(b.Party, b.Data, common, []*seal.Identity{ada, bo}[i%2])
		if err != nil || !bytes.Equal(e.Statement, statement) || e.Commitment() != m.Commitment || string(l.Checkpoint) != "checkpoint" || !bytes.Equal(l.Entry, e.Bytes()) || (i == 7) != (l.Share != nil) {
			t.Fatalf("letter %d: %v, %v", i, l, err)
		}
	}
	// Its length tells no more than that of other letters.
	longer := whole(t, post.About([]byte(string(statement)+"more"), []byte("checkpoint"), addresses(t, 100)...))
	if one, two := len(common), len(longer.Bodies[0].Data); one != two {
		t.Errorf("the common part has %d bytes, and of a statement longer by four %d", one, two)
	}
	altered := bytes.Clone(common)
	altered[len(altered)-1] ^= 1
	for _, c := range []struct {
		name   string
		common []byte
		want   error
	}{
		{"another letter's", longer.Bodies[0].Data, fault.Key},
		{"altered", altered, fault.Input},
		{"cut", common[:len(common)-9], fault.Input},
		{"nothing", nil, fault.Input},
	} {
		if _, _, err := post.Open("person:p0", letters[0].Data, c.common, ada); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, _, err := post.Open("person:p0", bytes.TrimPrefix(letters[0].Data, []byte(custody.InCommon)), common, ada); !errors.Is(err, fault.Input) {
		t.Errorf("without the word that there is more: %v", err)
	}
}

// addresses are those of people whom one key serves.
func addresses(t testing.TB, n int) (all []post.Address) {
	id := identity(t)
	for i := range n {
		all = append(all, address(fmt.Sprintf("person:p%d", i), id))
	}
	return all
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
	good := whole(t, post.About([]byte("statement"), nil, address("person:ada", ada))).Bodies[0].Data
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
		if _, _, err := post.Open(c.party, c.data, nil, c.ids...); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := post.About([]byte("x"), nil, post.Address{Party: "person:ada", Recipient: "age1x"}).Seal(nil); !errors.Is(err, fault.Key) {
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
	f.Add(`{"common":"`+ada.Secret()+`"}`, must(seal.SealTo([]byte(`{"entry":"`+strings.Repeat("A", 64)+`"}`), ada.Recipient().String()))(f), false)
	f.Add("", []byte{}, true)
	f.Fuzz(func(t *testing.T, plain string, raw []byte, open bool) {
		party := "person:ada"
		if open {
			party = directory.Everyone
		}
		for _, data := range [][]byte{raw, must(seal.SealTo([]byte(plain), ada.Recipient().String()))(t),
			append([]byte(custody.InCommon), must(seal.SealTo([]byte(plain), ada.Recipient().String()))(t)...)} {
			if _, err := post.OpenCircle(data, ada); err != nil && fault.KindOf(err) == fault.Internal {
				t.Fatal(err)
			}
			l, e, err := post.Open(party, data, raw, ada)
			if err == nil && (l == nil || len(e.Statement) == 0) {
				t.Fatal("nothing was opened")
			}
			if err != nil && fault.KindOf(err) == fault.Internal {
				t.Fatal(err)
			}
		}
	})
}
