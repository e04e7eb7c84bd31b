package press

import "fmt"

// An Error says why a leak cannot be read, and where.
type Error struct {
	// Name is the name given to [Read]; empty for standard input.
	Name string
	// Line and Column count from 1, the column in characters. Line 0 means
	// that the error has no position.
	Line, Column int
	// Msg says what is wrong, in lower case and without a full stop.
	Msg string
	// Hint says what to do next; it may be empty.
	Hint string
}

// Error returns the message with its position, as in
// "report.txt:3:17: not valid UTF-8".
func (e *Error) Error() string {
	name := e.Name
	if name == "" {
		name = "standard input"
	}
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", name, e.Msg)
	}
	return fmt.Sprintf("%s:%d:%d: %s", name, e.Line, e.Column, e.Msg)
}
