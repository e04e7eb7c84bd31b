package inquiry

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chancery/internal/fault"
	"chancery/trace"
)

var (
	first  = strings.Repeat("0a", 32)
	second = strings.Repeat("0b", 32)
)

// sure are weights that leave no doubt of alternative x among q.
func sure(x, q int) trace.Weights {
	w := make(trace.Weights, q)
	w[x] = trace.One
	return w
}

// twoLooks is a case on two cables in which three groups were read.
func twoLooks() *Case {
	c := New(1e-3, trace.DefaultRule(), []string{first, second})
	c.Add([]Exhibit{{"courier.html", first}}, []trace.Observation{{Cable: 0, Group: 1, Weights: sure(1, 2)}, {Cable: 1, Group: 0, Weights: sure(0, 3)}})
	c.Add([]Exhibit{{"post <&> 'x'.txt", second}}, []trace.Observation{{Cable: 0, Group: 7, Weights: sure(3, 4)}})
	return c
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		eps := rapid.Float64Range(1e-300, 0.5).Draw(t, "eps")
		c := New(eps, trace.DefaultRule(), []string{first, second}[:rapid.IntRange(1, 2).Draw(t, "cables")])
		for look := range rapid.IntRange(0, 4).Draw(t, "looks") {
			var exhibits []Exhibit
			for range rapid.IntRange(0, 3).Draw(t, "exhibits") {
				exhibits = append(exhibits, Exhibit{string(rapid.SliceOf(rapid.Byte()).Draw(t, "name")), first})
			}
			var read []trace.Observation
			for group := range rapid.IntRange(0, 5).Draw(t, "groups") {
				q := rapid.IntRange(2, 16).Draw(t, "q")
				read = append(read, trace.Observation{Cable: 0, Group: 5*look + group, Weights: sure(rapid.IntRange(0, q-1).Draw(t, "x"), q)})
			}
			c.Add(exhibits, read)
		}
		again, err := Parse("leak.case", c.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Encode(), c.Encode()) {
			t.Fatal("what was written reads as something else")
		}
		if err := again.Match(eps, trace.DefaultRule(), c.Cables); err != nil {
			t.Fatal(err)
		}
	})
}

// TestFirstLook: the first look is the first that read anything, and each
// group is scored once.
func TestFirstLook(t *testing.T) {
	c := New(1e-3, trace.DefaultRule(), []string{first})
	c.Add(nil, nil)
	c.Add(nil, []trace.Observation{{Group: 2, Weights: sure(0, 2)}})
	c.Add(nil, []trace.Observation{{Group: 0, Weights: sure(1, 2)}, {Group: 1, Weights: sure(1, 2)}})
	a, b, err := c.Observations([][]int{{2, 2, 2}})
	if err != nil || len(a) != 1 || a[0].Group != 2 || len(b) != 2 {
		t.Errorf("first %v, later %v, %v", a, b, err)
	}
	for group, want := range []bool{true, true, true, false} {
		if got := c.Scored()(0, group); got != want {
			t.Errorf("group %d scored: %v", group, got)
		}
	}
	if c.Scored()(1, 0) {
		t.Error("a group of another cable counts as scored")
	}
}

// TestMatch tells of an inquiry that did not like its finding and asks again:
// with a wider bound, with another rule, with a list that has grown, with one
// cable fewer. Each would spend the bound a second time.
func TestMatch(t *testing.T) {
	c := twoLooks()
	other := trace.DefaultRule()
	other.FitPercent = 50
	same := trace.DefaultRule()
	for what, err := range map[string]error{
		"a wider bound":    c.Match(1e-2, same, []string{first, second}),
		"a narrower bound": c.Match(1e-4, same, []string{first, second}),
		"another rule":     c.Match(1e-3, other, []string{first, second}),
		"a cable fewer":    c.Match(1e-3, same, []string{first}),
		"a cable more":     c.Match(1e-3, same, []string{first, second, first}),
		"another cable":    c.Match(1e-3, same, []string{first, first}),
		"another order":    c.Match(1e-3, same, []string{second, first}),
		"no cable":         c.Match(1e-3, same, nil),
	} {
		if !errors.Is(err, fault.Mismatch) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := c.Match(1e-3, same, []string{first, second}); err != nil {
		t.Error(err)
	}
}

// TestForged tells of somebody who edits the case to have a copy named that
// the words did not come from: weights that count for more than they can,
// groups that count twice, readings of what is not there. What one look cannot
// have written is refused. Weights that a look could have written are not told
// apart: a case is as trustworthy as the hands it is in.
func TestForged(t *testing.T) {
	good := string(twoLooks().Encode())
	weights := "[\n      0,\n      1048576\n     ]"
	tests := map[string]struct{ old, by, says string }{
		"weights that sum to more":  {"0,\n      1048576", "1048576,\n      1048576", "sum"},
		"weights that sum to less":  {"0,\n      1048576", "0,\n      1048575", "sum"},
		"a sum that wraps round":    {"0,\n      1048576", "4294967295,\n      1048577", "sum"},
		"weights that tell nothing": {"0,\n      1048576", "524288,\n      524288", "too little"},
		"no weights":                {weights, "[]", "sum"},
		"weights null":              {weights, "null", "sum"},
		"one weight":                {"0,\n      1048576", "1048576", "too little"},
		"a negative weight":         {"0,\n      1048576", "-1,\n      1048577", "cannot unmarshal"},
		"a fraction":                {"1048576", "1048576.0", "cannot unmarshal"},
		"a huge number":             {"1048576", "99999999999999999999", "cannot unmarshal"},
		"a huge exponent":           {"1048576", "1e999999999", "cannot unmarshal"},
		"a negative group":          {`"group": 7`, `"group": -7`, "no group -7"},
		"a negative cable":          {`"cable": 1`, `"cable": -1`, "of cable -1"},
		"a cable too many":          {`"cable": 1`, `"cable": 2`, "of cable 2"},
		"a huge cable":              {`"cable": 1`, `"cable": 9223372036854775807`, "of cable 9223372036854775807"},
		"the same group twice":      {`"group": 7`, `"group": 1`, "scored twice"},
		"another format":            {Format, "chancery-case-9", "version"},
		"eps of one":                {`"0.001"`, `"1"`, "not a probability"},
		"eps below zero":            {`"0.001"`, `"-0.001"`, "not a probability"},
		"eps not a number":          {`"0.001"`, `"NaN"`, "not a probability"},
		"eps written otherwise":     {`"0.001"`, `"1e-3"`, "not a probability"},
		"a rule of no bets":         {`"bets_permille": [`, `"bets_permille": [0,`, "bets"},
		"a digest cut short":        {`"` + first + `"`, `"` + first[2:] + `"`, "is not a"},
		"a digest in capitals":      {`"` + first + `"`, `"` + strings.ToUpper(first) + `"`, "is not a"},
		"an unknown field":          {`"looks"`, `"note": 1, "looks"`, "unknown field"},
		"looks twice":               {`"looks"`, `"looks": [], "looks"`, "canonical"},
		"no looks":                  {good[strings.Index(good, `"looks"`):], "\"looks\": null\n}\n", "no looks"},
		"no readings":               {good[strings.LastIndex(good, `"readings"`):], "\"readings\": null\n  }\n ]\n}\n", "no readings"},
		"white space":               {`"eps": `, `"eps":  `, "leak.case:3:9: the case is not in its canonical form"},
		"text after its end":        {"]\n}\n", "]\n}\nx", "after its end"},
		"no line end":               {"]\n}\n", "]\n}", "canonical"},
		"a broken line":             {`"eps": `, `"eps" `, "leak.case:3:8: not a case"},
		"half a case":               {good[len(good)/2:], "", "EOF"},
		"nothing":                   {good, "", "EOF"},
		"null":                      {good, "null", "version"},
		"depth":                     {good, strings.Repeat(`{"looks":[`, 1<<18), "depth"},
	}
	for name, tt := range tests {
		if !strings.Contains(good, tt.old) {
			t.Fatalf("%s: nothing to change", name)
		}
		_, err := Parse("leak.case", []byte(strings.Replace(good, tt.old, tt.by, 1)))
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if !strings.Contains(err.Error(), tt.says) || !strings.HasPrefix(err.Error(), "leak.case") || fault.KindOf(err) != fault.Input {
			t.Errorf("%s: %v (%v)", name, err, fault.KindOf(err))
		}
	}
}

// TestObservationsFit: a reading must be one of these cables'.
func TestObservationsFit(t *testing.T) {
	c := twoLooks()
	ok := [][]int{{9, 2, 9, 9, 9, 9, 9, 4}, {3}}
	if _, _, err := c.Observations(ok); err != nil {
		t.Fatal(err)
	}
	for what, sizes := range map[string][][]int{
		"no such group":   {{9, 2}, {3}},
		"another size":    {{9, 3, 9, 9, 9, 9, 9, 4}, {3}},
		"no such cable":   {{9, 2, 9, 9, 9, 9, 9, 4}},
		"no cable at all": nil,
	} {
		if _, _, err := c.Observations(sizes); !errors.Is(err, fault.Input) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestStrangeNames tells of an article saved under a name that is not UTF-8.
// The first look recorded it; the second could not read its own case.
func TestStrangeNames(t *testing.T) {
	c := New(1e-3, trace.DefaultRule(), []string{first})
	names := []string{"\xff.txt", "a\x00b", "\x1b[2J", "<&>", "\u2028", "\ufeff", strings.Repeat("n", 1<<16), ""}
	for _, n := range names {
		c.Add([]Exhibit{{n, first}}, nil)
	}
	again, err := Parse("leak.case", c.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again, c) {
		t.Error("the names changed on the way")
	}
}

// FuzzParse: nothing panics, what parses has one text, and its readings are
// either refused or ones a look can have made.
func FuzzParse(f *testing.F) {
	f.Add(twoLooks().Encode())
	f.Add(New(0.5, trace.DefaultRule(), []string{first}).Encode())
	f.Add([]byte(fmt.Sprintf(`{"format":%q,"looks":[{"readings":[{"cable":0,"group":-1,"weights":[1]}]}]}`, Format)))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("leak.case", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "leak.case") {
				t.Fatalf("%v does not say which file", err)
			}
			return
		}
		if !bytes.Equal(c.Encode(), data) {
			t.Fatal("a case with two texts")
		}
		a, b, err := c.Observations([][]int{{2, 2, 4}, {3}})
		if err != nil {
			return
		}
		seen := map[[2]int]bool{}
		for _, o := range append(a, b...) {
			if seen[[2]int{o.Cable, o.Group}] || !c.Scored()(o.Cable, o.Group) {
				t.Fatalf("%+v counts twice or not at all", o)
			}
			seen[[2]int{o.Cable, o.Group}] = true
		}
	})
}
