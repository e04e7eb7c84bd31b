package measure

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A Table is one result, ready to print.
type Table struct {
	Name    string     `json:"name"`
	Title   string     `json:"title"`
	How     string     `json:"how"` // what was run, in a sentence or two
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
	Notes   []string   `json:"notes"`
	Checks  []Check    `json:"checks"`
}

// A Check is one claim of a table and whether the run bears it out.
type Check struct {
	Claim string `json:"claim"`
	Got   string `json:"got"`
	Limit string `json:"limit"`
	OK    bool   `json:"ok"`
}

// OK says whether every check held.
func (t Table) OK() bool {
	for _, c := range t.Checks {
		if !c.OK {
			return false
		}
	}
	return true
}

func (t *Table) row(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = cell(c)
	}
	t.Rows = append(t.Rows, row)
}

// cell prints figures to three digits.
func cell(v any) string {
	switch v := v.(type) {
	case float64:
		return fmt.Sprintf("%.3g", v)
	case string:
		return v
	}
	return fmt.Sprint(v)
}

func (t *Table) note(format string, args ...any) {
	t.Notes = append(t.Notes, fmt.Sprintf(format, args...))
}

func (t *Table) check(ok bool, claim string, got, limit any) {
	t.Checks = append(t.Checks, Check{claim, cell(got), cell(limit), ok})
}

// atMost adds the check that got is no more than limit.
func (t *Table) atMost(claim string, got, limit float64) {
	t.check(got <= limit, claim, got, "at most "+cell(limit))
}

// atLeast adds the check that got is no less than limit.
func (t *Table) atLeast(claim string, got, limit float64) {
	t.check(got >= limit, claim, got, "at least "+cell(limit))
}

// WriteText writes the table with aligned columns, for a terminal.
func (t Table) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n%s\n\n", t.Name, t.Title, t.How)
	columns(&b, append([][]string{t.Columns}, t.Rows...))
	for _, n := range t.Notes {
		fmt.Fprintf(&b, "\n%s\n", n)
	}
	b.WriteByte('\n')
	var checks [][]string
	for _, c := range t.Checks {
		checks = append(checks, []string{verdict(c.OK), c.Claim + ":", c.Got, "(" + c.Limit + ")"})
	}
	columns(&b, checks)
	_, err := io.WriteString(w, b.String())
	return err
}

func verdict(ok bool) string {
	if ok {
		return "holds"
	}
	return "FAILS"
}

// columns writes rows with columns of equal width, two spaces apart.
func columns(b *strings.Builder, rows [][]string) {
	var width []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, c := range row {
			line.WriteString(c + strings.Repeat(" ", width[i]-utf8.RuneCountInString(c)+2))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// WriteMarkdown writes the table for the pages in docs.
func (t Table) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n`chancery measure %s`. %s\n\n", t.Title, t.Name, t.How)
	markdownRow(&b, t.Columns)
	b.WriteString(strings.Repeat("|---", len(t.Columns)) + "|\n")
	for _, row := range t.Rows {
		markdownRow(&b, row)
	}
	for _, n := range t.Notes {
		fmt.Fprintf(&b, "\n%s\n", n)
	}
	b.WriteByte('\n')
	for _, c := range t.Checks {
		fmt.Fprintf(&b, "- %s: %s: %s (%s)\n", verdict(c.OK), c.Claim, c.Got, c.Limit)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func markdownRow(b *strings.Builder, cells []string) {
	for _, c := range cells {
		b.WriteString("| " + strings.ReplaceAll(c, "|", `\|`) + " ")
	}
	b.WriteString("|\n")
}

// WriteJSON writes the table as one JSON object; lists are never null.
func (t Table) WriteJSON(w io.Writer) error {
	t.Columns, t.Notes = append([]string{}, t.Columns...), append([]string{}, t.Notes...)
	t.Rows, t.Checks = append([][]string{}, t.Rows...), append([]Check{}, t.Checks...)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(t)
}
