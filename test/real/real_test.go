// Package real holds the tests that read real articles and real cables, from
// folders that CHANCERY_PRESS and CHANCERY_CABLES name. Without them they are
// skipped. Nothing of what they read is kept here.
package real

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chancery/cable"
	"chancery/internal/cli"
	"chancery/internal/testworld"
)

// seed fixes everything that is drawn in the tests of this package.
const seed = 20190710

// folder returns the folder that a variable names, or skips the test.
func folder(t *testing.T, variable string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		t.Skipf("SKIP: %s does not name a folder of real input", variable)
	}
	return dir
}

// A telegram is one real cable.
type telegram struct {
	ID    string   `json:"id"`
	Body  []string `json:"body"`
	Words int      `json:"words"`
	Style string   `json:"style"`
}

// telegrams returns the cables of a folder that are in full prose and have
// least to most words, in an order that the seed gives.
func telegrams(t *testing.T, dir string, least, most int) []telegram {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "dev.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []telegram
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var c telegram
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if c.Style == "prose" && least <= c.Words && c.Words <= most {
			all = append(all, c)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	testworld.Random(seed, "telegrams").Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

const (
	// perWord is what drafts of real cables carry, in bits a word. A cable
	// whose words offer less than leastPerWord is passed over: most of it is
	// quotation.
	perWord      = 0.22
	leastPerWord = 0.15
)

// An original is a real cable and a draft made of it.
type original struct {
	id, text, source string
	draft            *cable.Draft
}

// drafts makes drafts of n cables of a folder, of least to most words, in the
// order of the seed.
func drafts(t *testing.T, dir string, n, least, most int) []original {
	t.Helper()
	var out []original
	passed := 0
	for _, c := range telegrams(t, dir, least, most) {
		source := testworld.Draft(c.ID, c.Body, perWord, testworld.Random(seed, "draft", c.ID))
		d := parse(t, source)
		if d.Bits() < leastPerWord*float64(c.Words) {
			passed++
			continue
		}
		if out = append(out, original{c.ID, strings.Join(c.Body, "\n\n"), source, d}); len(out) == n {
			t.Logf("%d cables passed over, whose words could not be varied", passed)
			return out
		}
	}
	t.Fatalf("%d cables can be varied, want %d", len(out), n)
	return nil
}

// chancery runs one command as a user does and returns what it printed.
func chancery(t *testing.T, args ...string) string {
	t.Helper()
	var out, errors bytes.Buffer
	s := cli.Streams{In: bytes.NewReader(nil), Out: &out, Err: &errors}
	if code := cli.Main(args, s); code != 0 {
		t.Fatalf("chancery %q: exit code %d\n%s", args, code, errors.String())
	}
	return out.String()
}

// A finding is what chancery trace --json prints.
type finding struct {
	Outcome string  `json:"outcome"`
	Eps     float64 `json:"eps"`
	Readers int     `json:"readers"`
	Named   []struct {
		Reader string  `json:"reader"`
		PUpper float64 `json:"p_upper"`
		PLimit float64 `json:"p_limit"`
		E      float64 `json:"e"`
	} `json:"named"`
	Fit          []fitting `json:"fit"`
	FitExpected  float64   `json:"fit_expected"`
	NoneOfThese  []float64 `json:"none_of_these"`
	Look         int       `json:"look"`
	BitsRead     float64   `json:"bits_read"`
	SitesRead    int       `json:"sites_read"`
	WordsMatched int       `json:"words_matched"`
	WordsNeeded  struct {
		Median *int `json:"median"`
		P90    *int `json:"p90"`
	} `json:"words_needed"`
	Passages []struct {
		Leak      string `json:"leak"`
		Text      string `json:"text"`
		Cable     string `json:"cable"`
		Paragraph int    `json:"paragraph"`
		Counted   bool   `json:"counted"`
	} `json:"passages"`
}

// A fitting is a copy that fits.
type fitting struct {
	Reader    string    `json:"reader"`
	Posterior []float64 `json:"posterior"`
}

// traceJSON runs chancery trace --json.
func traceJSON(t *testing.T, args ...string) finding {
	t.Helper()
	var f finding
	text := chancery(t, append([]string{"trace", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return f
}

// write puts a file into a folder and returns its name.
func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func parse(t *testing.T, text string) *cable.Draft {
	t.Helper()
	d, err := cable.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in a draft", err)
	}
	return d
}
