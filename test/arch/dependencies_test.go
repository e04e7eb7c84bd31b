package arch

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// product lists the modules that the binary is built with, each with the
// reason why we do not write it ourselves.
var product = map[string]string{
	"codeberg.org/readeck/go-readability": "finds the article in a page of a newspaper",
	"filippo.io/age":                      "seals and opens: a reviewed format with post-quantum recipients",
	"github.com/PuerkitoBio/goquery":      "reads the HTML that newspapers really serve",
	"filippo.io/mldsa":                    "ML-DSA-44 signatures (FIPS 204), until the standard library has them",
	"github.com/alecthomas/kong":          "verbs, flags and their help from one struct a verb",
	"github.com/cloudflare/circl":         "Shamir's sharing with Feldman's check",
	"github.com/jackc/pgx/v5":             "speaks to PostgreSQL",
	"github.com/jdkato/prose/v3":          "tags the words of a draft with their parts of speech (tag alone; pinned, its tags are part of our rules)",
	"github.com/pressly/goose/v3":         "migrations, one text for both engines (v3.28.0: later ones pull another libc under SQLite)",
	"github.com/transparency-dev/formats": "cosignatures and proof files as C2SP specifies them",
	"golang.org/x/mod":                    "Merkle hashing and signed notes as transparency logs do them (sumdb)",
	"golang.org/x/net":                    "the HTML parser of the Go project",
	"golang.org/x/term":                   "asks for a passphrase without showing it",
	"golang.org/x/text":                   "Unicode normalisation and the encodings of old web pages",
	"golang.org/x/time":                   "how often a device may ask (rate)",
	"modernc.org/sqlite":                  "SQLite without C (v1.60.1: its libc must be the one it was made with)",
}

// testsOnly lists the modules that only tests use.
var testsOnly = map[string]string{
	"c2sp.org/CCTV/age":               "the test vectors of age's format, as its authors publish them (the version that age itself is tested with)",
	"github.com/rogpeppe/go-internal": "testscript: whole-system scripts, and archives of test vectors",
	"golang.org/x/sys":                "a real terminal for a command under test (already needed by x/term)",
	"pgregory.net/rapid":              "property tests that shrink what they find (MPL-2.0: never in the binary)",
}

func TestDependencies(t *testing.T) {
	mod, err := modfile.Parse("go.mod", read(t, "go.mod"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var required []string
	for _, r := range mod.Require {
		required = append(required, r.Mod.Path)
		_, isProduct := product[r.Mod.Path]
		_, isTest := testsOnly[r.Mod.Path]
		if !r.Indirect && !isProduct && !isTest {
			t.Errorf("go.mod requires %s: write the reason into the list of test/arch", r.Mod.Path)
		}
	}
	if len(mod.Replace) > 0 {
		t.Error("go.mod replaces a module: what we build must be what others can fetch")
	}
	for _, s := range sources(t) {
		for p := range s.imports() {
			checkDependency(t, s, moduleOf(p, required))
		}
	}
	for _, m := range slices.Sorted(maps.Keys(merge(product, testsOnly))) {
		if !slices.Contains(required, m) {
			t.Errorf("%s has a reason in test/arch but is not in go.mod: remove the reason", m)
		}
	}
}

// checkDependency fails if a file imports from a module without a reason.
func checkDependency(t *testing.T, s source, m string) {
	t.Helper()
	allowed := product
	if s.test {
		allowed = merge(product, testsOnly)
	}
	if reason, ok := allowed[m]; m != "" && (!ok || reason == "") {
		t.Errorf("%s imports from %s, which has no reason in the list of test/arch", s.path, m)
	}
}

// moduleOf returns the module that a package is of: "" for the standard
// library and for us, and the package's own path if go.mod requires none.
func moduleOf(p string, required []string) string {
	first, _, _ := strings.Cut(p, "/")
	if first == module || !strings.Contains(first, ".") {
		return ""
	}
	found := ""
	for _, m := range required {
		if within(p, []string{m}) && len(m) > len(found) {
			found = m
		}
	}
	if found == "" {
		return p
	}
	return found
}

// merge returns the entries of both.
func merge(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func TestNoTestModuleHasTwoReasons(t *testing.T) {
	for m := range testsOnly {
		if _, ok := product[m]; ok {
			t.Errorf("%s is listed both for the product and for tests", m)
		}
	}
}
