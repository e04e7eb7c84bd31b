package cable

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Parse reads a draft. It refuses what it cannot read exactly, with a
// *ParseError that gives line and column. Windows line ends, a byte order
// mark and white space at line ends are read as if they were not there.
func Parse(data []byte) (*Draft, error) {
	return parse(data, nil)
}

// parse reads a draft, and where its words stand if places is not nil.
func parse(data []byte, places *placer) (*Draft, error) {
	if len(data) > MaxDraft {
		return nil, &ParseError{1, 1, fmt.Sprintf("the draft has %d bytes; the limit is %d", len(data), MaxDraft),
			"send long material as an attachment"}
	}
	lines, err := splitLines(strings.TrimPrefix(string(data), "\ufeff"))
	if err != nil {
		return nil, err
	}
	d := &Draft{}
	p := &parser{draft: d, lines: lines, labels: map[string]int{}, places: places}
	places.findLines(data)
	if err := p.header(); err != nil {
		return nil, err
	}
	if err := p.body(); err != nil {
		return nil, err
	}
	if n := len(d.Canonical()); n > MaxDraft {
		return nil, &ParseError{1, 1, fmt.Sprintf("in canonical form the draft has %d bytes; the limit is %d", n, MaxDraft),
			"send long material as an attachment"}
	}
	if err := d.distinct(); err != nil {
		return nil, err
	}
	return d, nil
}

// splitLines checks the characters of a text and cuts it into lines.
func splitLines(text string) ([]string, error) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.TrimSuffix(line, "\r")
		column := 1
		for j, r := range line {
			if r == utf8.RuneError && !strings.HasPrefix(line[j:], "\ufffd") {
				return nil, &ParseError{i + 1, column, "not valid UTF-8", "save the draft as UTF-8 text"}
			}
			if unicode.IsControl(r) && r != '\t' || r == '\u2028' || r == '\u2029' {
				return nil, &ParseError{i + 1, column, fmt.Sprintf("control character U+%04X", r), "remove it"}
			}
			column++
		}
		lines[i] = strings.TrimRightFunc(line, unicode.IsSpace)
	}
	return lines, nil
}

type parser struct {
	draft  *Draft
	lines  []string
	line   int            // index of the next line
	labels map[string]int // label -> group
	fields []int          // index of the first line of each header field
	bytes  int            // of all alternatives so far, linked ones written out
	at     place          // the last place whose column was asked for
	places *placer        // nil: nobody asks where words stand
}

type place struct{ line, offset, column int }

func (p *parser) fail(line, column int, hint, format string, args ...any) error {
	return &ParseError{line, column, fmt.Sprintf(format, args...), hint}
}

// column turns a byte offset in line i into a 1-based column of characters.
// It counts on from the last place, so that a long line is counted once.
func (p *parser) column(i, offset int) int {
	if p.at.column == 0 || p.at.line != i || p.at.offset > offset {
		p.at = place{i, 0, 1}
	}
	p.at.column += utf8.RuneCountInString(p.lines[i][p.at.offset:offset])
	p.at.offset = offset
	return p.at.column
}

const headerHint = "a draft begins with lines such as 'Subject: ...', then a blank line, then its text"

func (p *parser) header() error {
	seen := map[string]int{}
	for ; p.line < len(p.lines) && p.lines[p.line] != ""; p.line++ {
		if err := p.headerLine(p.lines[p.line], seen); err != nil {
			return err
		}
	}
	if len(p.draft.Header) == 0 {
		return p.fail(1, 1, headerHint, "the draft has no header block")
	}
	return p.headerValues()
}

// headerValues joins the lines of each field once all are read.
func (p *parser) headerValues() error {
	for i := range p.draft.Header {
		f := &p.draft.Header[i]
		values := []string{strings.TrimSpace(f.Lines[0][len(f.Name)+1:])}
		for _, line := range f.Lines[1:] {
			values = append(values, strings.TrimSpace(line))
		}
		f.Value = strings.TrimSpace(strings.Join(values, " "))
		if err := p.checkPrecedence(*f, p.fields[i]); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) headerLine(line string, seen map[string]int) error {
	fields, at := p.draft.Header, p.line+1
	if line[0] == ' ' || line[0] == '\t' {
		if len(fields) == 0 {
			return p.fail(at, 1, headerHint, "a continuation line with no header line before it")
		}
		f := &fields[len(fields)-1]
		f.Lines = append(f.Lines, line)
		return nil
	}
	name, _, ok := strings.Cut(line, ":")
	if !ok || !validName(name) {
		return p.fail(at, 1, headerHint, "not a header line (Name: value)")
	}
	if len(fields) == MaxHeaderFields {
		return p.fail(at, 1, "put what is not addressing into the text", "more than %d header lines", MaxHeaderFields)
	}
	key := strings.ToLower(name)
	if first, again := seen[key]; again && knownNames[key] {
		return p.fail(at, 1, "put both values on one line", "%s stands twice; first on line %d", name, first)
	}
	seen[key] = at
	p.draft.Header = append(fields, Field{Name: name, Lines: []string{line}})
	p.fields = append(p.fields, p.line)
	return nil
}

// validName follows RFC 5322: printable ASCII but colon and space.
func validName(name string) bool {
	for _, r := range name {
		if r <= ' ' || r > '~' {
			return false
		}
	}
	return name != ""
}

var knownNames = map[string]bool{
	"reference": true, "date": true, "from": true, "to": true, "info": true, "precedence": true,
	"marking": true, "handling": true, "subject": true, "reply-to-ref": true,
}

// precedences are those of RFC 6477 and the older ones still met.
var precedences = map[string]bool{
	"": true, "deferred": true, "routine": true, "priority": true, "immediate": true, "flash": true,
	"override": true, "emergency": true, "niact": true, "niact immediate": true, "operational immediate": true,
}

// checkPrecedence refuses an unknown value of a field that begins at line i.
func (p *parser) checkPrecedence(f Field, i int) error {
	if !strings.EqualFold(f.Name, "Precedence") || precedences[strings.ToLower(f.Value)] {
		return nil
	}
	value := strings.TrimLeftFunc(f.Lines[0][len(f.Name)+1:], unicode.IsSpace)
	return p.fail(i+1, p.column(i, len(f.Lines[0])-len(value)), "use Deferred, Routine, Priority, Immediate, Flash or Override",
		"unknown precedence %q", clip(f.Value))
}

func (p *parser) body() error {
	for {
		for p.line < len(p.lines) && p.lines[p.line] == "" {
			p.line++
		}
		if p.line == len(p.lines) {
			break
		}
		if err := p.paragraph(); err != nil {
			return err
		}
	}
	if len(p.draft.Paragraphs) == 0 {
		return p.fail(len(p.lines), 1, headerHint, "the draft has no text after its header block")
	}
	return nil
}

// paragraph reads the lines up to the next blank one.
func (p *parser) paragraph() error {
	var par Paragraph
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			par = append(par, Piece{text.String(), -1})
			text.Reset()
		}
	}
	for first := true; p.line < len(p.lines) && p.lines[p.line] != ""; first = false {
		if !first {
			text.WriteByte('\n')
			p.places.lineEnd(p.line-1, len(p.lines[p.line-1]))
		}
		i := 0
		for i < len(p.lines[p.line]) {
			line := p.lines[p.line]
			switch c := line[i]; c {
			case '\\':
				r, err := p.escape(p.line, i)
				if err != nil {
					return err
				}
				text.WriteByte(r)
				p.places.add(r, p.line, i, i+2)
				i += 2
			case '}':
				return p.fail(p.line+1, p.column(p.line, i), `write \} for a brace that is text`, "a closing brace with no opening one")
			case '{':
				flush()
				line := p.line
				end, err := p.site(i)
				if err != nil {
					return err
				}
				p.places.site(p.draft.Sites[len(p.draft.Sites)-1].Alternatives[0], line, i)
				par = append(par, Piece{"", len(p.draft.Sites) - 1})
				i = end
			default:
				text.WriteByte(c)
				p.places.add(c, p.line, i, i+1)
				i++
			}
		}
		p.line++
	}
	flush()
	p.places.paragraphEnd()
	p.draft.Paragraphs = append(p.draft.Paragraphs, par)
	return p.noBlankLine(par)
}

// noBlankLine refuses a line that some choice would leave blank: it would cut
// the paragraph in two in some copies and not in others.
func (p *parser) noBlankLine(par Paragraph) error {
	solid := false
	var site Site // the last one: a line that is not solid holds one
	for _, piece := range par {
		if piece.Site >= 0 {
			site = p.draft.Sites[piece.Site]
			solid = solid || alwaysText(site.Alternatives)
			continue
		}
		for i, text := range strings.Split(piece.Text, "\n") {
			if i > 0 {
				if !solid {
					return p.blankLine(site)
				}
				solid = false
			}
			solid = solid || strings.TrimSpace(text) != ""
		}
	}
	if !solid {
		return p.blankLine(site)
	}
	return nil
}

func (p *parser) blankLine(s Site) error {
	return p.fail(s.Line, s.Column, "keep some fixed text on every line", "a choice would leave this line blank")
}

func alwaysText(alternatives []string) bool {
	for _, a := range alternatives {
		if strings.TrimSpace(a) == "" {
			return false
		}
	}
	return true
}

// escape reads the escape sequence at offset i of a line.
func (p *parser) escape(line, i int) (byte, error) {
	if rest := p.lines[line][i+1:]; rest != "" && strings.IndexByte(`{|}\`, rest[0]) >= 0 {
		return rest[0], nil
	}
	return 0, p.fail(line+1, p.column(line, i), `only \{ \| \} and \\ are escapes; write \\ for a backslash`, "unknown escape")
}

// site reads the site whose brace stands at offset i of the current line and
// returns the offset after it; a site may run over line ends, which count as
// spaces.
func (p *parser) site(i int) (int, error) {
	s := Site{Group: -1, Paragraph: len(p.draft.Paragraphs), Line: p.line + 1, Column: p.column(p.line, i)}
	label, i, err := p.label(i+1, s)
	if err != nil {
		return 0, err
	}
	var alt strings.Builder
	for {
		line := p.lines[p.line]
		if i >= len(line) {
			if p.line+1 >= len(p.lines) || p.lines[p.line+1] == "" {
				return 0, p.fail(s.Line, s.Column, `close the site with }, or write \{ for a brace that is text`,
					"this brace is not closed in its paragraph")
			}
			p.line, i = p.line+1, 0
			alt.WriteByte(' ')
			continue
		}
		switch c := line[i]; c {
		case '{':
			return 0, p.fail(p.line+1, p.column(p.line, i), "sites do not nest; write the alternatives out", "a site inside a site")
		case '\\':
			r, err := p.escape(p.line, i)
			if err != nil {
				return 0, err
			}
			alt.WriteByte(r)
			i += 2
		case '|':
			s.Alternatives = append(s.Alternatives, alt.String())
			alt.Reset()
			i++
		case '}':
			s.Alternatives = append(s.Alternatives, alt.String())
			return i + 1, p.addSite(s, label)
		default:
			alt.WriteByte(c)
			i++
		}
	}
}

// label reads an optional link label, {\name: ...} or {\name}.
func (p *parser) label(i int, s Site) (string, int, error) {
	line := p.lines[p.line]
	if !strings.HasPrefix(line[i:], `\`) {
		return "", i, nil
	}
	end := i + 1
	for end < len(line) && isLabelByte(line[end]) {
		end++
	}
	name := line[i+1 : end]
	if name == "" {
		return "", i, nil // an ordinary escape, or an unknown one
	}
	switch rest := line[end:]; {
	case strings.HasPrefix(rest, "}"):
		return name, end, nil
	case strings.HasPrefix(rest, ": "):
		return name, end + 2, nil
	case strings.HasPrefix(rest, ":"):
		return name, end + 1, nil
	}
	return "", 0, p.fail(s.Line, s.Column, `write {\name: first|second}, letters, digits and hyphens in the name`,
		"a link label without its colon")
}

func isLabelByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-'
}

// addSite checks one site and gives it its group.
func (p *parser) addSite(s Site, label string) error {
	d := p.draft
	group, linked := p.labels[label]
	linked = linked && label != ""
	if label != "" && len(s.Alternatives) == 1 && s.Alternatives[0] == "" {
		if !linked {
			return p.fail(s.Line, s.Column, "give its alternatives where it first stands", "nothing is linked under %q yet", label)
		}
		s.Alternatives = d.Sites[d.Groups[group].Sites[0]].Alternatives
	}
	switch n := len(s.Alternatives); {
	case n < 2:
		return p.fail(s.Line, s.Column, `write {one|other}, or \{ for a brace that is text`, "a site needs at least two alternatives")
	case n > MaxAlternatives:
		return p.fail(s.Line, s.Column, "leave some out, or make two sites of it", "a site has at most %d alternatives; this one has %d", MaxAlternatives, n)
	case linked && n != d.Groups[group].Size:
		return p.fail(s.Line, s.Column, "linked sites share one choice and need the same number of alternatives",
			"%d alternatives here, %d where %q first stands", n, d.Groups[group].Size, label)
	case !linked && len(d.Groups) == MaxGroups:
		return p.fail(s.Line, s.Column, "use fewer sites, or link some", "more than %d groups of sites", MaxGroups)
	}
	for _, a := range s.Alternatives {
		p.bytes += len(a)
	}
	if p.bytes > MaxDraft {
		return p.fail(s.Line, s.Column, "link fewer sites, or shorten their alternatives",
			"with linked sites written out, the alternatives up to here have more than %d bytes", MaxDraft)
	}
	if !linked {
		group = len(d.Groups)
		d.Groups = append(d.Groups, Group{Label: label, Size: len(s.Alternatives)})
		if label != "" {
			p.labels[label] = group
		}
	}
	s.Group = group
	d.Groups[group].Sites = append(d.Groups[group].Sites, len(d.Sites))
	d.Sites = append(d.Sites, s)
	return nil
}
