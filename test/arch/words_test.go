package arch

import (
	"bytes"
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// forbidden lists words that are never said, and where. A finding tells what
// was compared and how likely that is by chance; it does not judge anybody.
var forbidden = []struct {
	words []string
	rooms []string // packages whose string literals are searched, tests left out
}{
	{
		words: []string{"guilty", "innocent", "leaker"},
		rooms: []string{"internal/cli", "internal/demo", "internal/inquiry", "trace"},
	},
}

func TestForbiddenWords(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for text, node := range literals(s) {
			for _, word := range wordsSaid(s.dir(), text) {
				t.Errorf("%s: the word %q is never said here", s.at(node), word)
			}
		}
	}
}

// wordsSaid returns the forbidden words in a text of a package.
func wordsSaid(dir, text string) []string {
	var said []string
	for _, f := range forbidden {
		for _, word := range f.words {
			if within(dir, f.rooms) && strings.Contains(strings.ToLower(text), word) {
				said = append(said, word)
			}
		}
	}
	return said
}

// literals returns the string literals of a file, import paths left out.
func literals(s source) map[string]ast.Node {
	all := map[string]ast.Node{}
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if _, ok := n.(*ast.ImportSpec); ok {
			return false
		}
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				all[text] = lit
			}
		}
		return true
	})
	return all
}

// TestErrorWords holds the sentences given to package fault to the form of
// the house: lower case, no full stop.
func TestErrorWords(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if text, ok := toldBy(call); ok && !wellTold(text) {
				t.Errorf("%s: %q: an error is told in lower case, without a full stop", s.at(call), text)
			}
			return true
		})
	}
}

// toldBy returns the sentence that a call gives to package fault, as in
// fault.Input.New(text), fault.Key.Wrap(err, text) and WithHint(text).
func toldBy(call *ast.CallExpr) (string, bool) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	index := 0
	switch method.Sel.Name {
	case "WithHint":
	case "New", "Wrap":
		kind, ok := method.X.(*ast.SelectorExpr)
		if !ok {
			return "", false
		}
		if from, ok := kind.X.(*ast.Ident); !ok || from.Name != "fault" {
			return "", false
		}
		if method.Sel.Name == "Wrap" {
			index = 1
		}
	default:
		return "", false
	}
	if len(call.Args) <= index {
		return "", false
	}
	lit, ok := call.Args[index].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// wellTold reports whether a sentence has the form of the house. A first word
// in capitals throughout, such as a name, is let through.
func wellTold(text string) bool {
	if strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "...") || strings.HasSuffix(text, "!") {
		return false
	}
	first, size := utf8.DecodeRuneInString(text)
	second, _ := utf8.DecodeRuneInString(text[size:])
	return !unicode.IsUpper(first) || !unicode.IsLower(second)
}

func TestWordRulesRefuse(t *testing.T) {
	for text, want := range map[string]bool{
		"unclosed brace": true, "UTF-8 is broken": true, "and so on ...": true, "": true, "%q is taken": true,
		"Unclosed brace": false, "it broke.": false, "it broke!": false,
	} {
		if wellTold(text) != want {
			t.Errorf("%q is well told: %v", text, !want)
		}
	}
	if len(wordsSaid("trace", "Guilty as charged")) != 1 || len(wordsSaid("cable", "guilty")) != 0 {
		t.Error("the forbidden words are looked for in the wrong place")
	}
}

// machinePath matches paths that only exist on the machine of whoever wrote
// them. It is put together from parts so as not to match itself.
var machinePath = regexp.MustCompile(`(^|[^A-Za-z0-9._~-])/` + `(work|root)/`)

func TestNoMachinePaths(t *testing.T) {
	walk(t, func(name string) {
		data := read(t, name)
		if bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data) {
			return
		}
		for i, line := range bytes.Split(data, []byte("\n")) {
			if machinePath.Match(line) {
				t.Errorf("%s:%d: a path of one machine", name, i+1)
			}
		}
	})
}
