package codebook

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"chancery/internal/fault"
	"chancery/mark"
	"chancery/trace"
)

var update = flag.Bool("update", false, "write the known answers anew: the format changes with them")

// TestKnownAnswer holds the format to a file that an earlier version wrote. A
// codebook must open years after it was made: if this test fails, the format
// has changed and needs a new name.
func TestKnownAnswer(t *testing.T) {
	const name = "testdata/ostrava.json"
	b := ostrava(t)
	if *update {
		if err := os.WriteFile(name, b.Encode(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Encode(), data) {
		t.Fatal("the same draft, readers and randomness give another codebook than before")
	}
	old := mustParse(t, data)
	const want = `Reference: Ostrava 12/31
Subject: The harbour & <the> "customs"
Info: Trade;
 Treasury

1. The harbour is closed. The Secretary blames thieves.

2. Costs – café {bill} included – are climbing; The Secretary admits it.
`
	if got := old.Copy(old.Readers()[2]); got != want {
		t.Errorf("the copy of %s is now\n%s", old.Readers()[2].ID, got)
	}
	commitments := []string{
		"5a8c2e5cce6e31a8fbc70c0ea934605ebac8f3ff1b595f169849308384b5b28c",
		"89f75689a9622f9538273327a77654042768eeaf95203f7d208cfd2329c0ff7d",
	}
	for k, c := range commitments {
		if got := old.Batches[k].Commitment.String(); got != c {
			t.Errorf("commitment %d is now %s", k+1, got)
		}
	}
}

// scalars returns the offsets of the values of a JSON text, the first and
// the last character of each, and of its names.
func scalars(t *testing.T, data []byte) []int {
	t.Helper()
	var at []int
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			return at
		}
		end := int(d.InputOffset())
		var from int
		switch v := token.(type) {
		case string:
			end-- // the quotation mark
			from = bytes.LastIndex(data[:end], []byte{'"'}) + 1
			if quoted, _ := json.Marshal(v); len(quoted) > 2 && bytes.ContainsRune(quoted, '\\') {
				from = end - 10 // the draft; its end will do here, the rest below
			}
		case json.Number:
			from = end - len(v)
		default:
			continue
		}
		if from < end {
			at = append(at, from, end-1)
		}
	}
}

// TestEveryFieldIsCovered tells of somebody who got at a codebook between the
// mailing of the copies and the trace, and changes one character, so that
// another reader's copy, rule or text is traced than was sent. Every character
// of every value must be under the commitment.
func TestEveryFieldIsCovered(t *testing.T) {
	data := ostrava(t).Encode()
	places := scalars(t, data)
	draft := bytes.Index(data, []byte("1. The {harbour"))
	for i := range 10 {
		places = append(places, draft+17*i)
	}
	if len(places) < 90 {
		t.Fatalf("only %d characters to change", len(places))
	}
	slices.Sort(places)
	for _, at := range slices.Compact(places) {
		changed := bytes.Clone(data)
		changed[at] = flip(changed[at])
		if _, err := Parse("codebook.json", changed); err == nil {
			t.Errorf("accepted with %q in the place of %q at %d: ...%s...", changed[at], data[at], at, changed[max(0, at-40):at+20])
		} else if k := fault.KindOf(err); k != fault.Mismatch && k != fault.Input && k != fault.Key {
			t.Errorf("byte %d: %v is of kind %v", at, err, k)
		} else if !strings.HasPrefix(err.Error(), "codebook.json:") {
			t.Errorf("byte %d: %v does not name the file", at, err)
		}
	}
}

// TestMismatchSays: a codebook that was tampered with is told from one that is
// only written otherwise, and what does not match is named.
func TestMismatchSays(t *testing.T) {
	b := ostrava(t)
	data := b.Encode()
	for what, tt := range map[string]struct{ old, by, says string }{
		"draw secret": {hexDigest(b.draw.Secret).String()[:8], "01234567", "the draw"},
		"draw root":   {hexDigest(b.drawRoot).String()[:8], "01234567", "the draw"},
		"salt":        {hexDigest(b.salt).String()[:8], "01234567", "the draft"},
		"draft root":  {hexDigest(b.draftRoot).String()[:8], "01234567", "the draft"},
		"slots":       {"1024", "1023", "the draw"},
		"reference":   {"Ostrava 12/31", "Ostrava 12/32", "the reference"},
		"nonce":       {hexDigest(b.nonce).String()[:8], "01234567", "copies or the rule"},
		"rule":        {`"fit_percent": 10`, `"fit_percent": 11`, "copies or the rule"},
		"reader":      {"trade.minister", "trade.minixter", "copies or the rule"},
		"recipient":   {"made-up", "made-op", "copies or the rule"},
		"copies root": {b.Batches[1].CopiesRoot.String()[:8], "01234567", "copies or the rule"},
		"commitment":  {b.Batches[0].Commitment.String()[:8], "01234567", "copies or the rule"},
	} {
		_, err := Parse("x", bytes.Replace(data, []byte(tt.old), []byte(tt.by), 1))
		if !errors.Is(err, fault.Mismatch) || !strings.Contains(err.Error(), tt.says) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// flip turns a character into another that could stand there.
func flip(c byte) byte {
	switch {
	case c == '9':
		return '8'
	case c >= '0' && c < '9':
		return c + 1
	case c >= 'a' && c < 'f', c >= 'A' && c < 'Z', c > 'f' && c < 'z':
		return c + 1
	case c == 'f':
		return 'e'
	}
	return 'y'
}

// TestChangedAndMadeConsistent changes what the roots are made over and mends
// the roots, as somebody would who has the program: the commitment, which was
// published, still tells.
func TestChangedAndMadeConsistent(t *testing.T) {
	data := ostrava(t).Encode()
	forged := mustBook(t, strings.Replace(telegram, "smugglers", "customs", 1), seeded(1),
		Reader{ID: "trade.minister"}, Reader{ID: "treasury", Recipient: "age1pq1made-up"})
	if err := forged.Add(ids("no10.private-office")); err != nil {
		t.Fatal(err)
	}
	honest := mustParse(t, data)
	for _, batch := range honest.Batches {
		if _, ok := forged.Covered(batch.Commitment.String()); ok {
			t.Error("a forged draft goes under a commitment that was published")
		}
	}
	mixed := bytes.Replace(data, []byte("smugglers"), []byte("customs"), 1)
	mixed = bytes.Replace(mixed, []byte(hexDigest(honest.draftRoot).String()), []byte(hexDigest(forged.draftRoot).String()), 1)
	if _, err := Parse("x", mixed); !errors.Is(err, fault.Mismatch) {
		t.Errorf("a forged draft with its own root: %v", err)
	}
}

func TestRefused(t *testing.T) {
	good := string(ostrava(t).Encode())
	swap := func(old, by string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %s to replace", old)
		}
		return strings.Replace(good, old, by, 1)
	}
	tests := map[string]struct {
		text string
		kind fault.Kind
		says string
	}{
		"empty":            {"", fault.Input, "EOF"},
		"not JSON":         {"age", fault.Input, "x:1:1"},
		"half":             {good[:len(good)/2], fault.Input, "unexpected EOF"},
		"nothing in it":    {"{}", fault.Input, "not a codebook of this version"},
		"null":             {"null", fault.Input, "not a codebook of this version"},
		"a list":           {"[]", fault.Input, "cannot unmarshal"},
		"unknown field":    {swap(`"format"`, `"hidden": 1, "format"`), fault.Input, "unknown field"},
		"field twice":      {swap(`"draw_slots": 1024`, `"draw_slots": 7, "draw_slots": 1024`), fault.Input, "canonical"},
		"other case":       {swap(`"format"`, `"Format"`), fault.Input, "canonical"},
		"white space":      {swap(`": "Ostrava`, `":  "Ostrava`), fault.Input, "canonical"},
		"capital digits":   {swap(`"nonce": "`, `"nonce": "AB`), fault.Input, "hexadecimal"},
		"text after":       {good + "x", fault.Input, "after the codebook's end"},
		"line end missing": {strings.TrimSuffix(good, "\n"), fault.Input, "canonical"},
		"huge slots":       {swap("1024", "99999999999999999999"), fault.Input, "cannot unmarshal"},
		"many slots":       {swap("1024", "1048577"), fault.Input, "no slots"},
		"no slots":         {swap("1024", "0"), fault.Input, "no slots"},
		"negative slots":   {swap("1024", "-1"), fault.Input, "no slots"},
		"fraction":         {swap("1024", "1024.0"), fault.Input, "cannot unmarshal"},
		"negative slot":    {swap(`"slot": 2`, `"slot": -2`), fault.Input, "canonical"},
		"another slot":     {swap(`"slot": 2`, `"slot": 3`), fault.Input, "canonical"},
		"path as id":       {swap("trade.minister", "../minister"), fault.Input, "not a reader id"},
		"same id":          {swap("no10.private-office", "TREASURY"), fault.Input, "already"},
		"not UTF-8":        {swap("caf", "\xffcaf"), fault.Mismatch, "the draft"},
		"open brace":       {swap("thieves}", "thieves"), fault.Input, "its draft cannot be read"},
		"no batches":       {good[:strings.Index(good, `"batches"`)] + "\"batches\": []\n}\n", fault.Input, "no readers"},
		"null batches":     {good[:strings.Index(good, `"batches"`)] + "\"batches\": null\n}\n", fault.Input, "no readers"},
		"deep":             {strings.Repeat("[", 1<<20), fault.Input, "depth"},
		"deep in a field":  {`{"draft":` + strings.Repeat(`{"a":`, 1<<20), fault.Input, "depth"},
		"unknown decoder":  {swap("interleave", "interleaf"), fault.Input, "unknown decoder"},
	}
	for name, tt := range tests {
		_, err := Parse("x", []byte(tt.text))
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if fault.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v (%v), not %q (%v)", name, err, fault.KindOf(err), tt.says, tt.kind)
		}
	}
}

// TestErrorsKeepSecrets looks for the codebook's secrets in what is said of a
// broken one.
func TestErrorsKeepSecrets(t *testing.T) {
	b := ostrava(t)
	data := b.Encode()
	for _, old := range []string{`"draw_secret": "`, `"salt": "`, `"nonce": "`} {
		for _, by := range []string{old + "x", strings.TrimSuffix(old, `"`) + `7, "x": "`, old + "00"} {
			_, err := Parse("x", bytes.Replace(data, []byte(old), []byte(by), 1))
			if err == nil {
				t.Fatalf("accepted with %q", by)
			}
			for _, secret := range []mark.Hash{b.draw.Secret, b.salt, b.nonce} {
				if strings.Contains(err.Error()+fault.HintOf(err), hexDigest(secret).String()[:12]) {
					t.Errorf("%q: a secret in %v", by, err)
				}
			}
		}
	}
}

// TestAddRefused adds the same reader again in every way that could look like
// another.
func TestAddRefused(t *testing.T) {
	b := ostrava(t)
	was := b.Encode()
	for _, list := range [][]Reader{
		nil, ids("treasury"), ids("TREASURY"), ids("new", "NEW"), ids("ok", "../x"), ids(""), ids("a b"), ids("-x"),
		ids(strings.Repeat("x", 101)), make([]Reader, 1022),
	} {
		if err := b.Add(list); err == nil {
			t.Errorf("added %.40v", list)
		}
		if !bytes.Equal(b.Encode(), was) {
			t.Fatalf("a refused list changed the codebook: %.40v", list)
		}
	}
}

// TestRuleIsFixed marks one draft under two rules.
func TestRuleIsFixed(t *testing.T) {
	other := trace.DefaultRule()
	other.FitPercent++
	a, err := New(mustDraft(t, telegram), trace.DefaultRule(), ids("a"), seeded(1))
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(mustDraft(t, telegram), other, ids("a"), seeded(1))
	if err != nil {
		t.Fatal(err)
	}
	if a.Commitment() == b.Commitment() {
		t.Error("two rules under one commitment")
	}
}

// TestNoRandomness fails rather than mark with what is predictable.
func TestNoRandomness(t *testing.T) {
	for _, n := range []int{0, 31, 32, 64, 95} {
		if _, err := New(mustDraft(t, telegram), trace.DefaultRule(), ids("a"), bytes.NewReader(make([]byte, n))); err == nil {
			t.Errorf("marked with %d bytes of randomness", n)
		}
	}
}
