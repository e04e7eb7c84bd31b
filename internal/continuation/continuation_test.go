package continuation_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/client"
	"chancery/internal/continuation"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/seal"
	"chancery/internal/sign"
)

var noon = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func second[T any](_ T, err error) error { return err }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A house is an institution with the keys of all its parties.
type house struct {
	authorities, custodians []*sign.Key
	marking                 *sign.Key
	old, renewed            client.Account
	logKey                  *sign.NoteKey // of the old log
	end                     custody.Checkpoint
	read                    []custody.Entry // of the directory
}

func recipient(t testing.TB) string { return must(seal.GenerateIdentity())(t).Recipient().String() }

func account(t testing.TB, origin string, operator *sign.Public, institution []byte) client.Account {
	return accountOf(t, must(sign.GenerateNoteKey(origin))(t), operator, institution)
}

func accountOf(t testing.TB, key *sign.NoteKey, operator *sign.Public, institution []byte) client.Account {
	a := client.Account{URL: "https://registry.example:7000", Policy: "log " + strings.Join(key.LogVKeys(), "\nlog ") + "\nquorum none\n", Operator: operator, Institution: institution}
	return must(client.ParseAccount("account", a.Encode()))(t)
}

func newHouse(t testing.TB) *house {
	h := &house{marking: sign.Generate()}
	in := directory.Institution{Name: "Ministry of Example", Operator: sign.Generate().Public(), Threshold: 2}
	in.Marking = []directory.Party{{Name: "marking", Sign: h.marking.Public(), Recipient: recipient(t)}}
	for range 2 {
		k := sign.Generate()
		h.authorities, in.Authorities = append(h.authorities, k), append(in.Authorities, k.Public())
	}
	for _, name := range []string{"auditor", "clerk", "judge"} {
		k := sign.Generate()
		h.custodians = append(h.custodians, k)
		in.Custodians = append(in.Custodians, directory.Party{Name: name, Sign: k.Public(), Recipient: recipient(t)})
	}
	h.state(t, directory.KindInstitution, in, h.authorities...)
	first := h.read[0].Bytes()
	h.logKey, h.end = must(sign.GenerateNoteKey("registry.example/log"))(t), custody.Checkpoint{Origin: "registry.example/log", Size: 54, Root: tlog.Hash{7}}
	h.old, h.renewed = accountOf(t, h.logKey, in.Operator, first), account(t, "registry.example/log-2", in.Operator, first)
	h.state(t, directory.KindOffice, directory.Office{Office: "centre.desk", Title: "Desk"}, h.authorities[0])
	h.state(t, directory.KindSeat, directory.Seat{Office: "centre.desk", Seat: "head", Title: "Head"}, h.authorities[1])
	return h
}

// state adds a statement to what was read of the directory.
func (h *house) state(t testing.TB, kind string, body any, keys ...*sign.Key) {
	t.Helper()
	h.read = append(h.read, custody.NewEntry(must(sign.Sign(kind, body, keys...))(t)))
}

func (h *house) begin(t testing.TB) *continuation.File {
	t.Helper()
	signed := must(h.logKey.SignCheckpoint(h.end.Text()))(t)
	return must(continuation.New(h.end, signed, h.renewed, h.read, "the disk failed", noon))(t)
}

// signed is a continuation that enough have signed.
func (h *house) signed(t testing.TB) *continuation.File {
	t.Helper()
	f := h.begin(t)
	for _, k := range []*sign.Key{h.custodians[2], h.authorities[1], h.custodians[0]} {
		check(t, f.Sign(k))
	}
	return f
}

func TestSignedAndFollowed(t *testing.T) {
	h := newHouse(t)
	f := h.signed(t)
	f = must(continuation.Parse("file", must(f.Encode())(t)))(t)
	c := must(f.Check(h.old))(t)
	check(t, c.Enough())
	if !slices.Equal(c.Custodians, []string{"judge", "auditor"}) || c.Authorities != 1 {
		t.Errorf("%v, %d", c.Custodians, c.Authorities)
	}
	check(t, c.Follows(h.read))
	check(t, c.Follows(h.read[:1]))
	all := c.Entries()
	if len(all) != 4 || !bytes.Equal(all[0].Bytes(), h.old.Institution) || all[3].Commitment() != h.read[2].Commitment() {
		t.Errorf("%d entries", len(all))
	}
	var b continuation.Body
	check(t, sign.Open(all[1].Statement, entries.KindContinuation, &b, h.authorities[1].Public(), h.custodians[2].Public(), h.custodians[0].Public()))
	if b != f.Body || b.Reason != "the disk failed" || b.Statements != 3 {
		t.Errorf("%+v", b)
	}
	// Made again, and with one more signature, the log begins with the same.
	check(t, f.Sign(h.custodians[1]))
	again := must(f.Check(h.old))(t).Entries()
	for i := range all {
		if all[i].Commitment() != again[i].Commitment() {
			t.Errorf("entry %d is another one when it is made again", i)
		}
	}
}

func TestTooFewSigned(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		name string
		by   []*sign.Key
		ok   bool
	}{
		{"nobody", nil, false},
		{"authorities alone", h.authorities, false},
		{"custodians alone", h.custodians, false},
		{"one custodian", []*sign.Key{h.authorities[0], h.custodians[1]}, false},
		{"one custodian twice", []*sign.Key{h.authorities[0], h.custodians[1], h.custodians[1]}, false},
		{"enough", []*sign.Key{h.custodians[0], h.custodians[1], h.authorities[0]}, true},
	} {
		f := h.begin(t)
		for _, k := range c.by {
			check(t, f.Sign(k))
		}
		checked := must(f.Check(h.old))(t)
		if err := checked.Enough(); (err == nil) != c.ok || err != nil && !errors.Is(err, fault.Permission) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestRefuses: whatever is changed, by whoever hands it on, is noticed.
func TestRefuses(t *testing.T) {
	h := newHouse(t)
	other := newHouse(t)
	thief := sign.Generate()
	for _, c := range []struct {
		name  string
		spoil func(f *continuation.File)
		want  error
	}{
		{"another reason", func(f *continuation.File) { f.Body.Reason = "nothing" }, fault.Mismatch},
		{"another end", func(f *continuation.File) { f.Body.Size++ }, fault.Mismatch},
		{"another log", func(f *continuation.File) { f.Body.Origin = "other.example/log" }, fault.Mismatch},
		{"another registry", func(f *continuation.File) {
			f.Account = account(t, "registry.example/log-2", h.old.Operator, h.old.Institution).Encode()
		}, fault.Mismatch},
		{"a statement left out", func(f *continuation.File) { f.Directory = f.Directory[:2] }, fault.Mismatch},
		{"two statements exchanged", func(f *continuation.File) { f.Directory[1], f.Directory[2] = f.Directory[2], f.Directory[1] }, fault.Mismatch},
		{"a statement added", func(f *continuation.File) { f.Directory = append(f.Directory, f.Directory[1]) }, fault.Mismatch},
		{"a signature of nobody's", func(f *continuation.File) { check(t, f.Sign(thief)) }, fault.Mismatch},
		{"the marking desk's signature", func(f *continuation.File) { check(t, f.Sign(h.marking)) }, fault.Mismatch},
		{"one signature twice", func(f *continuation.File) { f.Signatures = append(f.Signatures, f.Signatures[0]) }, fault.Mismatch},
		{"a signature cut", func(f *continuation.File) { f.Signatures[0] = f.Signatures[0][:len(f.Signatures[0])-9] }, nil},
		{"a signature of another statement", func(f *continuation.File) {
			f.Signatures = append(f.Signatures, must(sign.Sign(directory.KindOffice, f.Body, h.authorities[0]))(t))
		}, fault.Input},
		{"signatures of one who signed another", func(f *continuation.File) {
			b := f.Body
			b.Size++
			f.Signatures = append(f.Signatures, must(sign.Sign(entries.KindContinuation, b, h.authorities[0]))(t))
		}, fault.Mismatch},
		{"no account", func(f *continuation.File) { f.Account = []byte("{}") }, fault.Input},
		{"no entry", func(f *continuation.File) { f.Directory[1] = []byte("x") }, nil},
	} {
		f := h.signed(t)
		c.spoil(f)
		if _, err := f.Check(h.old); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for name, spoil := range map[string]func(*client.Account){
		"another address":   func(a *client.Account) { a.URL = "https://attacker.example:7000" },
		"other witnesses":   func(a *client.Account) { a.Policy += "# none\n" },
		"another beginning": func(a *client.Account) { a.Begins = make([]byte, 32) },
	} {
		before := h.renewed
		spoil(&h.renewed)
		if _, err := h.signed(t).Check(h.old); !errors.Is(err, fault.Mismatch) {
			t.Errorf("%s: %v", name, err)
		}
		h.renewed = before
	}
	end := h.end
	h.end.Root = tlog.Hash{8}
	other8 := h.signed(t)
	check(t, second(other8.Check(h.old)))
	if _, err := other8.Beyond(h.old, must(h.logKey.SignCheckpoint(end.Text()))(t)); !errors.Is(err, fault.Mismatch) {
		t.Errorf("another root at the same size: %v", err)
	}
	h.end = custody.Checkpoint{Origin: end.Origin, Size: 60, Root: tlog.Hash{9}}
	later := must(h.logKey.SignCheckpoint(h.end.Text()))(t)
	h.end = end
	if more, err := h.signed(t).Beyond(h.old, later); more != 6 || err != nil {
		t.Errorf("%d more, %v", more, err)
	}
	cheat := h.signed(t)
	cheat.End = later
	if _, err := cheat.Check(h.old); !errors.Is(err, fault.Mismatch) {
		t.Errorf("an end that the log did not sign: %v", err)
	}
	if _, err := h.signed(t).Check(other.old); !errors.Is(err, fault.Mismatch) {
		t.Errorf("for another institution: %v", err)
	}
	// Written so from the beginning, and signed: a name that is the old one's, another
	// institution, another operator, a directory that is none.
	same := h.renewed
	h.renewed = account(t, "registry.example/log", h.old.Operator, h.old.Institution)
	if _, err := h.signed(t).Check(h.old); !errors.Is(err, fault.Mismatch) || !strings.Contains(err.Error(), "the name of the old one") {
		t.Errorf("under the old name: %v", err)
	}
	h.renewed = account(t, "registry.example/log-2", thief.Public(), h.old.Institution)
	if _, err := h.signed(t).Check(h.old); !errors.Is(err, fault.Mismatch) {
		t.Errorf("another operator: %v", err)
	}
	h.renewed = same
	h.read = other.read
	if _, err := h.signed(t).Check(h.old); !errors.Is(err, fault.Mismatch) {
		t.Errorf("another institution's directory: %v", err)
	}
}

// TestFollows: who has read more, or otherwise, does not follow.
func TestFollows(t *testing.T) {
	h := newHouse(t)
	c := must(h.signed(t).Check(h.old))(t)
	whole := slices.Clone(h.read)
	h.state(t, directory.KindSeat, directory.Seat{Office: "centre.desk", Seat: "second", Title: "Second"}, h.authorities[0])
	if err := c.Follows(h.read); !errors.Is(err, fault.Mismatch) || !strings.Contains(err.Error(), "leaves out 1 statements") {
		t.Errorf("read more: %v", err)
	}
	h.read = slices.Clone(whole[:2])
	h.state(t, directory.KindSeat, directory.Seat{Office: "centre.desk", Seat: "other", Title: "Other"}, h.authorities[0])
	if err := c.Follows(h.read); !errors.Is(err, fault.Mismatch) || !strings.Contains(err.Error(), "another directory") {
		t.Errorf("read otherwise: %v", err)
	}
	// What nobody takes counts for nothing.
	noise := append(slices.Clone(whole[:2]), custody.NewEntry(must(sign.Sign(directory.KindOffice, directory.Office{Office: "x", Title: "X"}, sign.Generate()))(t)), whole[2])
	check(t, c.Follows(noise))
	for _, two := range [][2][]custody.Entry{{whole, whole[:2]}, {whole[:2], whole}, {noise, whole}} {
		if all, err := continuation.Longer(two[0], two[1]); err != nil || len(all) != 3 {
			t.Errorf("%d, %v", len(all), err)
		}
	}
	if _, err := continuation.Longer(whole, h.read); !errors.Is(err, fault.Mismatch) {
		t.Errorf("two directories: %v", err)
	}
}

func TestNewNeedsAReason(t *testing.T) {
	h := newHouse(t)
	for _, reason := range []string{"", strings.Repeat("x", 501)} {
		if _, err := continuation.New(h.end, nil, h.renewed, h.read, reason, noon); !errors.Is(err, fault.Usage) {
			t.Errorf("%d bytes: %v", len(reason), err)
		}
	}
}

// FuzzCheck reads files of anybody's: only what was signed is taken.
func FuzzCheck(f *testing.F) {
	h := newHouse(f)
	good := must(h.signed(f).Encode())(f)
	f.Add(good)
	f.Add([]byte(`{"format":"chancery-continuation/v1"}`))
	f.Add(bytes.Replace(good, []byte("54"), []byte("55"), 1))
	want := h.begin(f).Body
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := continuation.Parse("file", data)
		if err != nil {
			return
		}
		c, err := file.Check(h.old)
		if err != nil || c.Enough() != nil {
			return
		}
		got, _ := json.Marshal(file.Body)
		if expected, _ := json.Marshal(want); !bytes.Equal(got, expected) {
			t.Fatalf("taken: %s", got)
		}
	})
}
