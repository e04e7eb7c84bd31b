package arch

import (
	"go/ast"
	"path"
	"strings"
	"testing"
)

// The sizes beyond which code becomes hard to hold in the head, in lines.
const (
	maxMain     = 40
	maxFile     = 600
	maxFunction = 100
)

func TestSizes(t *testing.T) {
	for _, s := range sources(t) {
		limit := maxFile
		if path.Base(s.path) == "main.go" {
			limit = maxMain
		}
		if s.lines > limit {
			t.Errorf("%s has %d lines, the most is %d", s.path, s.lines, limit)
		}
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
			if lines > maxFunction {
				t.Errorf("%s: %s has %d lines, the most is %d", s.at(f), f.Name.Name, lines, maxFunction)
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	said := map[string]bool{}
	for _, s := range sources(t) {
		dir := s.dir()
		said[dir] = said[dir] || opensWell(s)
	}
	for dir, ok := range said {
		if !ok {
			t.Errorf("%s: no file has a package comment that starts with %q", dir, "Package "+path.Base(dir))
		}
	}
}

// opensWell reports whether the file has a package comment of the usual form.
func opensWell(s source) bool {
	if s.ast.Doc == nil {
		return false
	}
	text, name := s.ast.Doc.Text(), s.ast.Name.Name
	if name == "main" {
		return strings.HasPrefix(text, "Command ") || strings.HasPrefix(text, "Chancery ")
	}
	return strings.HasPrefix(text, "Package "+name+" ")
}
