package arch

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// A room says what one package may import. Tests of the package are free.
type room struct {
	ours   []string // packages of ours, from the top of the module
	others []string // packages of other modules, and what lies below them
	never  []string // packages of the standard library, and what lies below them
}

// anything, in ours, stands for every package of ours.
const anything = "*"

// outside is what a pure package does not touch.
var outside = []string{"net", "os", "database/sql", "syscall", "log", "plugin"}

// rooms is the table: who may import what, and why it is so is said in
// docs and in the comment of each package. A package that is not here has no
// place in the house yet.
var rooms = map[string]room{
	"cmd/chancery": {ours: []string{"internal/cli"}},

	// The message: no code, no secrets, no machine.
	"cable": {
		others: []string{"golang.org/x/text"},
		never:  append([]string{"crypto", "math/rand"}, outside...),
	},
	// Draws and commitments: integers only, no text.
	"mark": {
		others: []string{"golang.org/x/mod/sumdb/tlog"},
		never:  append([]string{"strings", "regexp", "text", "unicode", "html", "math/rand"}, outside...),
	},
	// The tracer: what an outsider replays, so nothing of the machine.
	"trace": {
		ours:   []string{"cable", "mark"},
		others: []string{"golang.org/x/text"},
		never:  append([]string{"crypto/rand"}, outside...),
	},

	"internal/fault":   {never: []string{"net", "os", "database/sql"}},
	"internal/durable": {ours: []string{"internal/fault"}, never: []string{"net", "database/sql"}},
	// Private keys: nothing else in the room.
	"internal/seal": {
		ours:   []string{"internal/fault", "internal/seal/gcm"},
		others: []string{"filippo.io/age"},
		never:  outside,
	},
	// Signatures, and the private keys that sign. It opens nothing.
	"internal/sign": {
		ours:   []string{"internal/canonical", "internal/fault"},
		others: []string{"filippo.io/mldsa", "github.com/transparency-dev/formats/note", "golang.org/x/mod/sumdb/note"},
		never:  outside,
	},
	// The log: commitments, proofs, heads. Nothing here could open an entry.
	"internal/custody": {
		ours:   []string{"mark", "internal/fault", "internal/sign"},
		others: []string{"github.com/transparency-dev/formats/proof", "golang.org/x/mod/sumdb"},
		never:  outside,
	},
	"internal/custody/witness": {
		ours:   []string{"internal/canonical", "internal/custody", "internal/durable", "internal/fault", "internal/sign"},
		others: []string{"golang.org/x/mod/sumdb"},
		never:  []string{"os", "database/sql"},
	},
	// Who holds which seat, from signed statements alone: no clock, no machine.
	"internal/directory": {
		ours:  []string{"internal/fault", "internal/sign"},
		never: append([]string{"crypto/rand", "math/rand"}, outside...),
	},
	// What the protocol states: shapes alone.
	"internal/entries": {
		ours:  []string{"mark", "internal/directory", "internal/fault", "internal/sign"},
		never: append([]string{"crypto/rand", "math/rand"}, outside...),
	},
	// How entries travel, sealed: no route, no store.
	"internal/post": {
		ours: []string{"internal/canonical", "internal/custody", "internal/directory", "internal/entries", "internal/fault", "internal/seal",
			"internal/sign"},
		never: outside,
	},
	// What came for a party, fetched, opened and verified.
	"internal/courier": {ours: []string{"internal/client", "internal/custody", "internal/entries", "internal/fault", "internal/post", "internal/seal"}, never: outside},
	// Who is at the other end of a connection: keys, not persons.
	"internal/pass": {ours: []string{"internal/fault", "internal/sign"}, never: []string{"net", "os", "database/sql"}},
	"internal/wire": {
		ours:   []string{"internal/custody", "internal/fault"},
		others: []string{"golang.org/x/mod/sumdb/tlog"},
		never:  []string{"os", "database/sql"},
	},
	// The registry: it keeps what it cannot open.
	"internal/server": {
		ours: []string{"internal/canonical", "internal/custody", "internal/directory", "internal/entries", "internal/fault", "internal/pass",
			"internal/sign", "internal/store", "internal/wire"},
		others: []string{"golang.org/x/time/rate"},
		never:  []string{"os", "database/sql"},
	},
	"internal/registry": {
		ours: []string{"internal/client", "internal/custody", "internal/custody/witness", "internal/directory", "internal/durable", "internal/fault",
			"internal/mirror", "internal/pass", "internal/server", "internal/sign", "internal/store"},
		never: []string{"os", "database/sql"},
	},
	// A second copy of what the registry keeps: sealed bodies, as it has them.
	// The last resort: what goes on where the end of a log is lost, and who signed that.
	"internal/continuation": {
		ours:  []string{"internal/canonical", "internal/client", "internal/custody", "internal/directory", "internal/entries", "internal/fault", "internal/sign"},
		never: append([]string{"crypto/rand", "math/rand"}, outside...),
	},
	"internal/mirror": {ours: []string{"internal/custody", "internal/durable", "internal/fault"}, never: []string{"net", "database/sql"}},
	"internal/client": {
		ours: []string{"internal/canonical", "internal/custody", "internal/durable", "internal/entries", "internal/fault", "internal/pass",
			"internal/sign", "internal/wire"},
		others: []string{"golang.org/x/mod/sumdb/tlog"},
		never:  []string{"os", "database/sql"},
	},
	// A registry with its people, for tests.
	"internal/server/servertest": {ours: []string{anything}},
	// Sealed files of one party.
	"internal/vault": {ours: []string{"internal/durable", "internal/fault", "internal/seal/gcm"}, never: []string{"net", "database/sql"}},
	// The parties that nobody sits at.
	"internal/attend": {
		ours: []string{"internal/canonical", "internal/client", "internal/courier", "internal/custody", "internal/directory", "internal/entries", "internal/fault",
			"internal/marking", "internal/post", "internal/seal", "internal/seal/share", "internal/sign", "internal/vault"},
		others: []string{"golang.org/x/mod/sumdb/tlog"},
		never:  []string{"net", "os", "database/sql"},
	},
	"internal/appoint": {
		ours: []string{"internal/client", "internal/courier", "internal/custody", "internal/directory", "internal/entries", "internal/fault", "internal/post",
			"internal/seal", "internal/sign"},
		never: []string{"net", "os", "database/sql"},
	},
	// A whole institution in one process.
	"internal/town": {
		ours: []string{"internal/appoint", "internal/attend", "internal/client", "internal/custody", "internal/custody/witness", "internal/desk",
			"internal/directory", "internal/fault", "internal/registry", "internal/sign", "internal/vault"},
		never: []string{"database/sql"},
	},
	// Who gets which wording, without a word: never the text, never the kit.
	"internal/marking": {
		ours: []string{"mark", "internal/canonical", "internal/custody", "internal/directory", "internal/entries", "internal/fault",
			"internal/keylist", "internal/seal", "internal/seal/share", "internal/sign"},
		others: []string{"golang.org/x/mod/sumdb/tlog"},
		never:  outside,
	},
	// A user's own Chancery: the one room where text, keys and log meet.
	"internal/desk": {
		ours: []string{"cable", "mark", "internal/canonical", "internal/client", "internal/courier", "internal/custody", "internal/directory", "internal/durable",
			"internal/entries", "internal/fault", "internal/keylist", "internal/post", "internal/seal", "internal/seal/kit", "internal/seal/share",
			"internal/sign", "internal/vault"},
		never: []string{"net", "database/sql"},
	},
	// SQL stands here and nowhere else; the engines in dialect alone.
	"internal/store": {
		ours:   []string{"internal/custody", "internal/fault", "internal/store/dialect", "internal/store/schema"},
		others: []string{"github.com/pressly/goose/v3", "golang.org/x/mod/sumdb/tlog"},
		never:  []string{"net", "os"},
	},
	"internal/store/dialect": {
		ours:   []string{"internal/durable", "internal/fault"},
		others: []string{"github.com/jackc/pgx/v5", "github.com/pressly/goose/v3", "modernc.org/sqlite"},
		never:  []string{"net/http"},
	},
	"internal/store/schema":    {never: outside},
	"internal/store/storetest": {ours: []string{"internal/custody", "internal/fault", "internal/sign", "internal/store"}, others: []string{"golang.org/x/mod/sumdb/tlog"}},
	// Keys of boxes without a word of text, and boxes without a codeword: the
	// two never meet but at a reader's.
	"internal/keylist": {ours: []string{"mark", "internal/fault"}, never: append([]string{"strings", "regexp", "unicode", "html"}, outside...)},
	"internal/seal/share": {
		ours:   []string{"mark", "internal/fault"},
		others: []string{"github.com/cloudflare/circl"},
		never:  outside,
	},
	"internal/seal/gcm": {never: outside},
	"internal/seal/kit": {
		ours:  []string{"mark", "internal/fault", "internal/keylist", "internal/seal/gcm"},
		never: outside,
	},
	"internal/press": {
		ours: []string{"cable"},
		others: []string{
			"codeberg.org/readeck/go-readability",
			"github.com/PuerkitoBio/goquery",
			"golang.org/x/net/html",
			"golang.org/x/text",
		},
		never: []string{"net/http", "database/sql", "os"},
	},
	"internal/canonical": {never: []string{"net", "database/sql", "os"}},
	"internal/codebook": {
		ours:  []string{"cable", "mark", "trace", "internal/canonical", "internal/fault"},
		never: []string{"net", "database/sql", "os"},
	},
	"internal/inquiry": {
		ours:  []string{"trace", "internal/canonical", "internal/codebook", "internal/fault", "internal/durable"},
		never: []string{"net", "database/sql"},
	},
	// Other wordings for a draft: no copy, no reader, no network.
	"internal/wording": {
		ours:   []string{"cable", "internal/canonical"},
		others: []string{"github.com/jdkato/prose/v3"},
		never:  append([]string{"math/rand"}, outside...),
	},
	"internal/review": {
		ours:  []string{"cable", "internal/canonical", "internal/strength", "internal/wording"},
		never: append([]string{"math/rand"}, outside...),
	},
	// A model on this machine: the one room that speaks HTTP so far.
	"internal/model": {
		ours:  []string{"internal/fault", "internal/wording"},
		never: []string{"os", "database/sql"},
	},
	// Figures for documents: from the pure packages alone.
	"internal/measure": {
		ours: []string{"cable", "mark", "trace", "internal/press", "internal/codebook", "internal/fault",
			"internal/review", "internal/wording"},
		never: []string{"net", "database/sql"},
	},
	"internal/demo": {
		ours: []string{"cable", "mark", "trace", "internal/press", "internal/codebook",
			"internal/inquiry", "internal/seal", "internal/durable", "internal/fault"},
		never: []string{"net", "database/sql"},
	},
	// What authors and finders look at; both draw on nothing but their input.
	"internal/strength":  {ours: []string{"cable"}, never: []string{"net", "database/sql", "os"}},
	"internal/picture":   {never: []string{"net", "database/sql", "os"}},
	"internal/testworld": {ours: []string{anything}},

	// The only room that wires the others and sees the terminal.
	"internal/cli": {
		ours: []string{anything},
		others: []string{
			"github.com/alecthomas/kong",
			"golang.org/x/term",
		},
		never: []string{"database/sql"},
	},
}

// testOnly are imported by tests alone.
var testOnly = []string{"internal/testworld", "internal/store/storetest", "internal/server/servertest"}

// testRooms hold tests alone and may import anything.
var testRooms = []string{"test"}

func TestImports(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || within(s.dir(), testRooms) {
			continue
		}
		r, ok := rooms[s.dir()]
		if !ok {
			t.Errorf("%s: package %s is not in the table of rooms: say there what it may import", s.path, s.dir())
			continue
		}
		for p := range s.imports() {
			if why := r.refuses(p); why != "" {
				t.Errorf("%s: %s may not import %s: %s", s.path, s.dir(), p, why)
			}
		}
	}
}

// refuses says why the room does not let p in, or "".
func (r room) refuses(p string) string {
	first, _, _ := strings.Cut(p, "/")
	switch {
	case p == module || first == module:
		p = strings.TrimPrefix(p, module+"/")
		switch {
		case slices.Contains(testOnly, p) || within(p, testRooms):
			return "it is for tests alone"
		case !slices.Contains(r.ours, p) && !slices.Contains(r.ours, anything):
			return "the table of rooms does not list it"
		}
	case p == "C" || p == "unsafe":
		return "the binary is pure Go"
	case strings.Contains(first, "."):
		if !within(p, r.others) {
			return "the table of rooms does not list that module for it"
		}
	case within(p, r.never):
		return "the table of rooms keeps it out"
	}
	return ""
}

func TestRoomsRefuse(t *testing.T) {
	tests := []struct {
		room, imported string
		refused        bool
	}{
		{"cable", "chancery/mark", true},
		{"cable", "crypto/sha256", true},
		{"cable", "net/url", true},
		{"cable", "strings", false},
		{"mark", "chancery/cable", true},
		{"mark", "unicode/utf8", true},
		{"mark", "crypto/hmac", false},
		{"trace", "chancery/internal/fault", true},
		{"trace", "chancery/cable", false},
		{"trace", "os", true},
		{"trace", "filippo.io/age", true},
		{"internal/seal", "filippo.io/age", false},
		{"internal/seal", "filippo.io/age/armor", false},
		{"internal/seal", "chancery/cable", true},
		{"internal/cli", "chancery/internal/testworld", true},
		{"internal/cli", "chancery/internal/store/storetest", true},
		{"internal/custody", "chancery/internal/seal", true},
		{"internal/keylist", "chancery/internal/seal/kit", true},
		{"internal/keylist", "chancery/cable", true},
		{"internal/marking", "chancery/cable", true},
		{"internal/marking", "chancery/internal/seal/kit", true},
		{"internal/marking", "chancery/trace", true},
		{"internal/store", "chancery/internal/seal", true},
		{"internal/store", "modernc.org/sqlite", true},
		{"internal/custody", "database/sql", true},
		{"internal/cli", "chancery/trace", false},
		{"cmd/chancery", "chancery/cable", true},
	}
	for _, tt := range tests {
		why := rooms[tt.room].refuses(tt.imported)
		if (why != "") != tt.refused {
			t.Errorf("%s importing %s: refused with %q", tt.room, tt.imported, why)
		}
	}
}

// unreachable names what a package must not reach, however many packages lie
// between: the registry cannot open a cable, the marking desk cannot read one.
var unreachable = map[string][]string{
	"internal/server":   {"internal/seal", "internal/desk", "internal/marking", "cable", "filippo.io/age"},
	"internal/registry": {"internal/seal", "internal/desk", "internal/marking", "cable", "filippo.io/age"},
	"internal/custody":  {"internal/seal", "filippo.io/age"},
	"internal/store":    {"internal/seal", "filippo.io/age"},
	"internal/client":   {"internal/seal", "cable", "filippo.io/age"},
	"internal/marking":  {"cable", "trace", "internal/desk", "internal/seal/kit"},
	"internal/attend":   {"cable", "trace", "internal/desk", "internal/seal/kit"},
	"trace":             {"internal", "filippo.io/age"},
}

func TestUnreachable(t *testing.T) {
	next := map[string][]string{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for p := range s.imports() {
			next[s.dir()] = append(next[s.dir()], strings.TrimPrefix(p, module+"/"))
		}
	}
	for from, never := range unreachable {
		if len(next[from]) == 0 {
			t.Errorf("%s imports nothing: is the name right?", from)
		}
		came := map[string]string{from: ""}
		for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
			at := queue[0]
			if at != from && within(at, never) {
				way := at
				for p := came[at]; p != ""; p = came[p] {
					way = p + " > " + way
				}
				t.Errorf("%s reaches %s: %s", from, at, way)
				continue
			}
			for _, p := range next[at] {
				if _, seen := came[p]; !seen {
					came[p] = at
					queue = append(queue, p)
				}
			}
		}
	}
}

// holders names the only packages that may import what handles keys or the
// terminal. It repeats the table on purpose: these must not be widened by a
// careless line there.
var holders = map[string][]string{
	"database/sql":                {"internal/store"},
	"filippo.io/age":              {"internal/seal"},
	"filippo.io/mldsa":            {"internal/sign"},
	"flag":                        {"internal/cli"},
	"github.com/cloudflare/circl": {"internal/seal/share"},
	"github.com/jackc/pgx/v5":     {"internal/store/dialect"},
	"modernc.org/sqlite":          {"internal/store/dialect"},
	"github.com/alecthomas/kong":  {"internal/cli"},
	"golang.org/x/term":           {"internal/cli"},
}

func TestHolders(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for p := range s.imports() {
			for held, by := range holders {
				if within(p, []string{held}) && !within(s.dir(), by) {
					t.Errorf("%s: only %s may import %s", s.path, strings.Join(by, ", "), held)
				}
			}
		}
	}
}

// terminal lists the names that read or write the terminal, the arguments or
// the environment.
var terminal = map[string][]string{
	"os":  {"Args", "Getenv", "LookupEnv", "Environ", "ExpandEnv", "Stdin", "Stdout", "Stderr", "Exit"},
	"fmt": {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
}

func TestOnlyTheCommandLineSeesTheTerminal(t *testing.T) {
	for _, s := range sources(t) {
		// The command hands the terminal to internal/cli and does no more.
		if s.test || within(s.dir(), []string{"internal/cli", "cmd/chancery"}) {
			continue
		}
		used := s.imports()
		ast.Inspect(s.ast, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := selector.X.(*ast.Ident)
			if !ok {
				return true
			}
			for p, names := range terminal {
				if used[p] == x.Name && slices.Contains(names, selector.Sel.Name) {
					t.Errorf("%s: %s.%s is for internal/cli alone", s.at(n), p, selector.Sel.Name)
				}
			}
			return true
		})
		for p, name := range used {
			if name == "." {
				t.Errorf("%s: %s is imported with a dot, which hides where names come from", s.path, p)
			}
		}
	}
}
