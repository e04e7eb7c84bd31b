package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/internal/custody"
	"chancery/internal/fault"
)

func TestProblemsCrossTheWire(t *testing.T) {
	for _, c := range []struct {
		name          string
		err           error
		kind          fault.Kind
		status        int
		message, hint string
	}{
		{"of a kind", fault.Permission.New("not for you").WithHint("ask"), fault.Permission, 403, "not for you", "ask"},
		{"wrapped", fault.Wrap("feed", fault.NotFound.New("none")), fault.NotFound, 404, "feed: none", ""},
		{"the machine's", fault.System.New("disk sda1 of host pluto").WithHint("root password"), fault.System, 503, "the registry could not do it", "its operator"},
		{"a defect", errors.New("nil pointer at plan.go"), fault.Internal, 500, "the registry could not do it", "its operator"},
	} {
		w := httptest.NewRecorder()
		WriteProblem(w, c.err)
		err := ReadProblem(w.Code, w.Body.Bytes())
		if w.Code != c.status || !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.message) || !strings.Contains(fault.HintOf(err), c.hint) {
			t.Errorf("%s: %d, %v, %q", c.name, w.Code, err, fault.HintOf(err))
		}
		if text := w.Body.String(); strings.Contains(text, "pluto") || strings.Contains(text, "password") || strings.Contains(text, "plan.go") {
			t.Errorf("%s: strangers are told %s", c.name, text)
		}
	}
}

// TestBusyIsOverInAWhile: whoever asks too often is to try again, not to give up.
func TestBusyIsOverInAWhile(t *testing.T) {
	w := httptest.NewRecorder()
	WriteBusy(w, "too many requests", "wait", time.Second)
	err := ReadProblem(w.Code, w.Body.Bytes())
	if w.Code != http.StatusTooManyRequests || !errors.Is(err, fault.System) || !strings.Contains(err.Error(), "too many") {
		t.Errorf("%d: %v", w.Code, err)
	}
}

func TestReadProblemBelievesLittle(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       fault.Kind
	}{
		{"no JSON", "<html>", fault.System},
		{"nothing", "", fault.System},
		{"no message", `{"kind":"not found"}`, fault.System},
		{"a kind that there is not", `{"kind":"guilty","message":"x"}`, fault.System},
	} {
		if err := ReadProblem(500, []byte(c.body)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	long, _ := json.Marshal(Problem{"not found", strings.Repeat("m", 1<<20), strings.Repeat("h", 1<<20)})
	err := ReadProblem(404, long)
	if n := len(err.Error()) + len(fault.HintOf(err)); n > 3*maxTold {
		t.Errorf("a message of %d bytes is passed on", n)
	}
}

func TestParseParcel(t *testing.T) {
	many, tooMany := slices.Repeat([]string{"person:a"}, MaxFor), slices.Repeat([]string{"person:a"}, MaxFor+1)
	for _, c := range []struct {
		name string
		body []byte
		ok   bool
	}{
		{"a parcel", FormatParcel([]string{"person:ada", "marking:one", "office:a.b-c", "authority"}, []byte("x\ny")), true},
		{"for many", FormatParcel(many, []byte("x")), true},
		{"for too many", FormatParcel(tooMany, []byte("x")), false},
		{"nothing", nil, false},
		{"no line", []byte(`["person:ada"]`), false},
		{"no file", []byte("[\"person:ada\"]\n"), false},
		{"for nobody", []byte("[]\nx"), false},
		{"for null", []byte("null\nx"), false},
		{"for everyone", []byte("[\"\"]\nx"), false},
		{"for a number", []byte("[1]\nx"), false},
		{"for an object", []byte("{}\nx"), false},
		{"two lists", []byte("[\"person:ada\"][]\nx"), false},
		{"capitals", []byte("[\"Person:ada\"]\nx"), false},
		{"a space", []byte("[\"person: ada\"]\nx"), false},
		{"a line break", []byte("[\"person:ada\\n\"]\nx"), false},
		{"two colons", []byte("[\"person:ada:bo\"]\nx"), false},
		{"a long party", []byte("[\"person:" + strings.Repeat("a", custody.MaxParty) + "\"]\nx"), false},
		{"a line of air", slices.Concat([]byte(`["person:ada"`), bytes.Repeat([]byte(" "), 4<<20), []byte("]\nx")), false},
	} {
		parties, data, err := ParseParcel(c.body)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, fault.Input) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.ok && !bytes.Equal(FormatParcel(parties, data), c.body) {
			t.Errorf("%s: read otherwise than written", c.name)
		}
	}
}

func TestToCustody(t *testing.T) {
	one := Submission{Commitment: make([]byte, 32), Bodies: []Body{{"person:ada", []byte("x")}}}
	for _, c := range []struct {
		name string
		in   Submit
		want error
	}{
		{"one", Submit{Submissions: []Submission{one}}, nil},
		{"none", Submit{}, nil},
		{"a short commitment", Submit{Submissions: []Submission{one, {Commitment: make([]byte, 31)}}}, fault.Input},
		{"a long commitment", Submit{Submissions: []Submission{{Commitment: make([]byte, 33)}}}, fault.Input},
		{"a log of less than nothing", Submit{Since: -1, Submissions: []Submission{one}}, fault.Usage},
		{"as many as go", Submit{Submissions: slices.Repeat([]Submission{one}, MaxSubmissions)}, nil},
		{"too many", Submit{Submissions: slices.Repeat([]Submission{one}, MaxSubmissions+1)}, fault.Input},
	} {
		out, err := c.in.ToCustody("me")
		if c.want == nil && (err != nil || len(out) != len(c.in.Submissions)) || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.want == nil && len(out) > 0 && out[0].Staged != (custody.Staged{}) {
			t.Errorf("%s: letters from nowhere", c.name)
		}
		if c.want == nil && len(out) > 0 && string(FromCustody(out)[0].Bodies[0].Data) != "x" {
			t.Errorf("%s: changed on the way", c.name)
		}
	}
}

func TestStagedToCustody(t *testing.T) {
	in := Submit{Submissions: []Submission{{Commitment: make([]byte, 32), Staged: 300}}}
	two := Submit{Submissions: append(in.Submissions, in.Submissions...)}
	if _, err := two.ToCustody("me"); !errors.Is(err, fault.Input) {
		t.Errorf("two in one request: %v", err)
	}
	out, err := in.ToCustody("me")
	if err != nil || out[0].Staged != (custody.Staged{Owner: "me", Count: 300}) {
		t.Errorf("%v, %v", out, err)
	}
	if back := FromCustody(out)[0]; back.Staged != 300 || back.Bodies != nil {
		t.Errorf("%v", back)
	}
}

// TestShortJSONIsNoLongMemory: a request of legal length must not decode to many times
// its size, and the largest one in earnest must pass.
func TestShortJSONIsNoLongMemory(t *testing.T) {
	bodies := slices.Repeat([]Body{{"person:ada", []byte("x,y")}}, custody.MaxBodies)
	earnest, err := json.Marshal(Submit{Submissions: []Submission{{make([]byte, 32), bodies, 0}, {make([]byte, 32), bodies, 0}}})
	if err != nil || CheckSubmit(earnest) != nil {
		t.Errorf("%v, %v", err, CheckSubmit(earnest))
	}
	for _, element := range []string{"{},", "null,", `{"bodies":[{},{}]},`} {
		bomb := []byte(`{"submissions":[` + strings.Repeat(element, 1<<17) + "{}]}")
		if err := CheckSubmit(bomb); !errors.Is(err, fault.Input) {
			t.Errorf("%q again and again: %v", element, err)
		}
	}
}

func FuzzParseParcel(f *testing.F) {
	f.Add(FormatParcel([]string{"person:ada", "authority"}, []byte("sealed")))
	f.Add([]byte("[\"\"]\nx"))
	f.Add([]byte("[\"person:a\", \"person:a\" ] \n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		parties, data, err := ParseParcel(body)
		if err != nil {
			if !errors.Is(err, fault.Input) {
				t.Fatal(err)
			}
			return
		}
		for _, p := range parties {
			if p == "" || len(p) > custody.MaxParty || strings.ContainsAny(p, " \n\"%/\\") {
				t.Fatalf("for %q", p)
			}
		}
		again, same, err := ParseParcel(FormatParcel(parties, data))
		if err != nil || !slices.Equal(again, parties) || !bytes.Equal(same, data) {
			t.Fatal(err)
		}
	})
}

func FuzzReadProblem(f *testing.F) {
	f.Add(404, []byte(`{"kind":"not found","message":"x","hint":"y"}`))
	f.Add(0, []byte(`{"kind":"internal error","message":"%s%d"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		err := ReadProblem(status, body)
		if err == nil || len(err.Error()) > 2*maxTold || len(fault.HintOf(err)) > 2*maxTold {
			t.Fatalf("%d bytes", len(err.Error()))
		}
	})
}

func FuzzSubmit(f *testing.F) {
	f.Add([]byte(`{"since":0,"submissions":[{"commitment":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","bodies":[{"party":"","data":"eA=="}]}]}`))
	f.Add([]byte(`{"since":-1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var in Submit
		if CheckSubmit(data) != nil || json.Unmarshal(data, &in) != nil {
			return
		}
		out, err := in.ToCustody("me")
		if err != nil {
			if fault.KindOf(err) == fault.Internal {
				t.Fatal(err)
			}
			return
		}
		again, err := (&Submit{Submissions: FromCustody(out)}).ToCustody("me")
		if err != nil || len(again) != len(out) {
			t.Fatal(err)
		}
	})
}
