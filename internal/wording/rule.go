package wording

import (
	"fmt"
	"slices"
	"strings"
)

// A Rule offers alternatives for some words under some conditions. Rules are
// data: the tables in rules/ hold them, and docs/wording.md has the format.
type Rule struct {
	ID    string // such as "verb.attempt-to"
	Class string // such as "word.verb"
	// Any says that the rule holds everywhere, also in a sentence that
	// instructs somebody, because it cannot touch what is ordered.
	Any bool
	// Order says that it holds in orders to a post, if they are no text of a treaty.
	Order bool
	// Link, where given, says that all places of a cable with this key share
	// one choice.
	Link  string
	find  []pattern
	write []template
	guard []guard
	yes   []example
	no    []string
	place string // file:line, for messages
}

// An example is a sentence and the words in it that a rule must find.
type example struct{ before, found, after string }

// A pattern is a run of words to find.
type pattern []element

// An element matches one word: a literal, or a form of a verb or noun, and
// perhaps only one tagged so.
type element struct {
	word  string
	tag   string // "", a class letter (V N J A P D) or a Penn tag
	lower string
	verb  [formsOfVerb]string // the forms of a verb
	many  string              // the plural of a noun
}

// A template writes an alternative: words, of which verbs and nouns take the
// form of those found. An empty one drops the words found.
type template struct {
	elements []element
	text     string // what it writes, if fixed
	fixed    bool   // no word takes the form of those found
}

// newTemplate prepares a template: most write the same everywhere.
func newTemplate(elements []element) template {
	t := template{elements: elements, fixed: true}
	var words []string
	for _, e := range elements {
		t.fixed = t.fixed && !strings.HasPrefix(e.tag, "V") && !strings.HasPrefix(e.tag, "N")
		words = append(words, e.word)
	}
	t.text = strings.ReplaceAll(strings.Join(words, " "), " ,", ",")
	return t
}

// parseRules reads a table. The class of its rules is prefix and the part of
// their ids before the first full stop.
func parseRules(name, text string) ([]*Rule, error) {
	var rules []*Rule
	var open *Rule
	line := 0
	for l := range strings.Lines(text) {
		line++
		l = strings.TrimSpace(l)
		if l == "" || strings.HasPrefix(l, "#") {
			continue
		}
		key, value, _ := strings.Cut(l, " ")
		value = strings.TrimSpace(value)
		if key == "rule" {
			open = &Rule{ID: value, place: fmt.Sprintf("%s:%d", name, line)}
			rules = append(rules, open)
			continue
		}
		if open == nil {
			return nil, fmt.Errorf("%s:%d: a line before the first rule", name, line)
		}
		if err := open.line(key, value); err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", name, line, open.ID, err)
		}
	}
	for _, r := range rules {
		if err := r.finish(); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", r.place, r.ID, err)
		}
	}
	return rules, nil
}

// line reads one line of a rule.
func (r *Rule) line(key, value string) error {
	switch key {
	case "find":
		for _, p := range strings.Split(value, "|") {
			e, err := parseElements(p)
			if err != nil {
				return err
			}
			r.find = append(r.find, e)
		}
	case "write":
		for _, p := range strings.Split(value, "|") {
			if p = strings.TrimSpace(p); p == "-" {
				p = ""
			}
			e, err := parseElements(p)
			if err != nil {
				return err
			}
			r.write = append(r.write, newTemplate(e))
		}
	case "prev", "prev!", "next", "next!", "in", "in!":
		g, err := parseGuard(key, value)
		if err != nil {
			return err
		}
		r.guard = append(r.guard, g)
	case "register":
		switch value {
		case "any":
			r.Any = true
		case "order":
			r.Order = true
		default:
			return fmt.Errorf("register %q is not known; there are any and order", value)
		}
	case "link":
		r.Link = value
	case "yes":
		before, rest, ok1 := strings.Cut(value, "[")
		found, after, ok2 := strings.Cut(rest, "]")
		if !ok1 || !ok2 {
			return fmt.Errorf("no [brackets] in %q", value)
		}
		r.yes = append(r.yes, example{before, found, after})
	case "no":
		r.no = append(r.no, value)
	default:
		return fmt.Errorf("unknown key %q", key)
	}
	return nil
}

// houseKinds are the tables of house style.
var houseKinds = set("spelling abbreviation contraction")

// finish checks that a rule is whole.
func (r *Rule) finish() error {
	kind, _, ok := strings.Cut(r.ID, ".")
	if !ok || strings.ContainsAny(r.ID, " \t") {
		return fmt.Errorf("an id is a class, a full stop and a name")
	}
	r.Class = "word." + kind
	if houseKinds[kind] {
		r.Class = "house." + kind
	}
	switch {
	case len(r.find) == 0:
		return fmt.Errorf("nothing to find")
	case len(r.write) == 0:
		return fmt.Errorf("nothing to write")
	case len(r.yes) == 0:
		return fmt.Errorf("no example")
	}
	for _, p := range r.find {
		if len(p) == 0 {
			return fmt.Errorf("an empty pattern")
		}
	}
	return nil
}

func parseElements(text string) (pattern, error) {
	var out pattern
	for _, f := range strings.Fields(text) {
		w, tag, _ := strings.Cut(f, "/")
		if w == "" || tag != "" && !knownTags[tag] {
			return nil, fmt.Errorf("cannot read %q", f)
		}
		e := element{word: w, tag: tag, lower: strings.ToLower(w)}
		switch {
		case strings.HasPrefix(tag, "V"):
			e.verb = conjugate(e.lower)
		case strings.HasPrefix(tag, "N"):
			e.many = plural(e.lower)
		}
		out = append(out, e)
	}
	return out, nil
}

// knownTags are what may stand after a slash: class letters and Penn tags.
var knownTags = set("V N J A P D VB VBZ VBD VBN VBG VBP NN NNS JJ RB IN DT PRP CD CC TO MD JJR JJS RBR")

// A guard says what must, or must not, stand beside the words found, or
// anywhere in the sentence.
type guard struct {
	where string // prev, next, in
	not   bool
	items [][]condition
}

// A condition is about one word.
type condition struct {
	word  string   // a literal
	forms []string // of a verb, one of which it must be
	tag   string   // a class, such as N
}

func parseGuard(key, value string) (guard, error) {
	g := guard{where: strings.TrimSuffix(key, "!"), not: strings.HasSuffix(key, "!")}
	for _, item := range strings.Fields(value) {
		var chain []condition
		for _, part := range strings.Split(item, "_") {
			c, err := parseCondition(part)
			if err != nil {
				return g, err
			}
			chain = append(chain, c)
		}
		g.items = append(g.items, chain)
	}
	if len(g.items) == 0 {
		return g, fmt.Errorf("an empty guard")
	}
	return g, nil
}

func parseCondition(part string) (condition, error) {
	switch {
	case part == "":
		return condition{}, fmt.Errorf("an empty word in a guard")
	case strings.HasPrefix(part, "<") && strings.HasSuffix(part, ">"):
		tag := part[1 : len(part)-1]
		if !guardTags[tag] {
			return condition{}, fmt.Errorf("unknown tag <%s>", tag)
		}
		return condition{tag: tag}, nil
	case strings.HasPrefix(part, "=") && len(part) > 1:
		return condition{forms: formsOf(part[1:])}, nil
	}
	return condition{word: strings.ToLower(part)}, nil
}

var guardTags = set("N NN NNS V VB VBD VBN VBG VBZ VBP J JJR JJS A D P PRP NUM CD NAME TO MD CC W , . PUNCT START END")

// holds says whether a condition is true of a word; nil stands for the place
// before the first and after the last.
func (c *condition) holds(w *word, atStart, atEnd bool) bool {
	if w == nil {
		return c.tag == "START" && atStart || c.tag == "END" && atEnd
	}
	switch {
	case c.word != "":
		return w.lower == c.word
	case c.forms != nil:
		return slices.Contains(c.forms, w.lower)
	}
	return hasTag(*w, c.tag)
}

// hasTag says whether a word belongs to a class of the guard language.
func hasTag(w word, class string) bool {
	t := w.tag
	switch class {
	case "N":
		return t == "NN" || t == "NNS"
	case "V":
		return strings.HasPrefix(t, "VB")
	case "J":
		return strings.HasPrefix(t, "JJ")
	case "A":
		return strings.HasPrefix(t, "RB")
	case "D":
		return t == "DT" || t == "PRP$" || t == "PDT" || t == "WDT" && w.lower != "which" && w.lower != "that"
	case "P":
		return t == "IN"
	case "PRP":
		return t == "PRP"
	case "NUM":
		return t == "CD"
	case "NAME":
		return strings.HasPrefix(t, "NNP") || w.fixed && isName(w.text)
	case "W":
		return strings.HasPrefix(t, "W")
	case ".":
		return t == "." || t == ":"
	case "PUNCT":
		return t == "." || t == ":" || t == "," || t == "(" || t == ")" || t == "''" || t == "SYM"
	}
	return t == class
}
