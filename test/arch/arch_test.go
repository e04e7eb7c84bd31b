// Package arch holds the rules of the house as tests: who may import whom,
// which modules we depend on and why, how long files and functions are, and
// which words are never said. It has no code of its own and looks only at
// sources; it never runs them.
package arch

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// root is the top of the checkout as seen from this package.
const root = "../.."

// module is the path of our module.
const module = "chancery"

// A source is one Go file of ours.
type source struct {
	path  string // from the top of the checkout, slash-separated
	test  bool   // a _test.go file
	lines int
	fset  *token.FileSet
	ast   *ast.File
}

// dir is the package's place in the checkout.
func (s source) dir() string { return path.Dir(s.path) }

// at tells a position for messages.
func (s source) at(n ast.Node) string {
	p := s.fset.Position(n.Pos())
	p.Filename = s.path
	return p.String()
}

// imports returns what the file imports, by path, with the name it uses.
func (s source) imports() map[string]string {
	all := map[string]string{}
	for _, spec := range s.ast.Imports {
		p := strings.Trim(spec.Path.Value, `"`)
		all[p] = path.Base(p)
		if spec.Name != nil {
			all[p] = spec.Name.Name
		}
	}
	return all
}

// walk visits every file of the checkout that is part of the project.
func walk(t *testing.T, visit func(name string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		switch {
		case e.IsDir() && (name == ".git" || name == "bin"):
			return filepath.SkipDir
		case e.Type().IsRegular() && name != ".git":
			visit(name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sources parses every Go file of ours, test data left out, and tools, which are another
// module: nothing of them is in the program.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	walk(t, func(name string) {
		if !strings.HasSuffix(name, ".go") || strings.Contains("/"+name, "/testdata/") || strings.HasPrefix(name, "tools/") {
			return
		}
		data := read(t, name)
		s := source{path: name, test: strings.HasSuffix(name, "_test.go"), fset: token.NewFileSet()}
		s.lines = bytes.Count(data, []byte("\n"))
		parsed, err := parser.ParseFile(s.fset, name, data, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		s.ast = parsed
		all = append(all, s)
	})
	if len(all) < 10 {
		t.Fatalf("only %d files found: the walk looks in the wrong place", len(all))
	}
	return all
}

// read returns a file of the checkout.
func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// within reports whether p is one of the packages or lies below one.
func within(p string, packages []string) bool {
	for _, q := range packages {
		if p == q || strings.HasPrefix(p, q+"/") {
			return true
		}
	}
	return false
}
