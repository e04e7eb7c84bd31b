// Package fault names every way in which an act of Chancery can go wrong.
//
// The list of kinds is closed, and one table gives each kind its exit code
// and its HTTP status. An [Error] says what was being done, where in which
// file, what went wrong and what to do next. The package never prints by
// itself, never ends the program and never looks into a file.
//
// At a call site it reads as
//
//	return fault.Input.New("alternatives %q and %q are the same", a, b).
//		At(name, 3, 17).
//		WithHint("remove one of them")
//
// and where the error arrives, as
//
//	if errors.Is(err, fault.NotFound) { ... }
package fault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// A Kind says what sort of thing went wrong. It is itself an error, so that
// errors.Is(err, fault.Input) asks whether an error is of that kind.
type Kind uint8

// The kinds. There are no others: what fits none of them is Internal.
const (
	Internal    Kind = iota // a defect of Chancery itself
	Usage                   // the command or request was not understood
	Input                   // a file or message does not say what its format asks for
	NotFound                // a named thing does not exist
	Exists                  // a thing is in the way and is not overwritten
	Permission              // the system or a rule does not allow it
	Key                     // a key or passphrase is missing or is the wrong one
	Mismatch                // two things that must agree do not: a commitment, a digest, a rule
	System                  // the machine failed: full disk, broken device
	Interrupted             // the user or a time limit ended it
	kinds                   // how many there are
)

// A row says how one kind is told to people, to scripts and to clients.
type row struct {
	name   string
	exit   int
	status int
}

// table is the only place that gives kinds their codes. Exit codes are part
// of the command's interface: they are added to and never renumbered.
var table = [kinds]row{
	Internal:    {"internal error", 1, 500},
	Usage:       {"wrong usage", 2, 400},
	Input:       {"bad input", 3, 422},
	NotFound:    {"not found", 4, 404},
	Exists:      {"already exists", 5, 409},
	Permission:  {"not permitted", 6, 403},
	Key:         {"wrong or missing key", 7, 401},
	Mismatch:    {"mismatch", 8, 412},
	System:      {"system failure", 9, 503},
	Interrupted: {"interrupted", 130, 408},
}

// Error names the kind in lower case.
func (k Kind) Error() string { return k.row().name }

// ExitCode is the exit code of a command that fails with this kind.
func (k Kind) ExitCode() int { return k.row().exit }

// HTTPStatus is the status of a reply that fails with this kind.
func (k Kind) HTTPStatus() int { return k.row().status }

// row looks k up; a number outside the list counts as Internal.
func (k Kind) row() row {
	if k >= kinds {
		k = Internal
	}
	return table[k]
}

// New makes an error of kind k. The message is in lower case and has no full
// stop; it may quote hostile content, which [Print] escapes.
func (k Kind) New(format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an error of kind k out of err, which must not be nil. The
// message is put before the text of err; an empty one adds nothing.
func (k Kind) Wrap(err error, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...), Err: err}
}

// An Error is something that went wrong, told to a person. Values are not
// changed once made: the methods return changed copies.
type Error struct {
	Kind    Kind
	Op      string // what was being done, such as "read codebook"; may be empty
	File    string // the file concerned, as the user named it; may be empty
	Line    int    // from 1; 0 if no line is meant
	Column  int    // from 1, in characters; 0 if no column is meant
	Message string // what went wrong
	Hint    string // what to do next; may be empty
	Err     error  // the cause; may be nil
}

// At says where it went wrong. Line and column may be 0: the whole file, the
// whole line.
func (e *Error) At(file string, line, column int) *Error {
	c := *e
	c.File, c.Line, c.Column = file, line, column
	return &c
}

// During says what was being done.
func (e *Error) During(op string) *Error {
	c := *e
	c.Op = op
	return &c
}

// WithHint says what to do next.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// Error gives the place, the operations, the message and the cause, without
// hints. The first place named in the chain comes first, so that an editor
// can jump to it whatever was wrapped around it.
func (e *Error) Error() string {
	var place string
	var parts []string
	for {
		if p := e.place(); place == "" {
			place = p
		} else {
			parts = appendText(parts, p)
		}
		parts = appendText(parts, e.Op, e.Message)
		inner, ok := e.Err.(*Error)
		if !ok {
			break
		}
		e = inner
	}
	if e.Err != nil {
		parts = appendText(parts, e.Err.Error())
	}
	if len(parts) == 0 {
		parts = []string{e.Kind.Error()}
	}
	return strings.Join(appendText(nil, append([]string{place}, parts...)...), ": ")
}

// place is "file:line:column" as far as it is known.
func (e *Error) place() string {
	switch {
	case e.File == "":
		return ""
	case e.Line == 0:
		return e.File
	case e.Column == 0:
		return e.File + ":" + strconv.Itoa(e.Line)
	}
	return e.File + ":" + strconv.Itoa(e.Line) + ":" + strconv.Itoa(e.Column)
}

// appendText appends the texts that are not empty.
func appendText(parts []string, texts ...string) []string {
	for _, t := range texts {
		if t != "" {
			parts = append(parts, t)
		}
	}
	return parts
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the kind of e. An error that was given another
// kind on its way up is of the kind it was given last: see [KindOf].
func (e *Error) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && k == e.Kind
}

// Wrap says what was being done when err happened and keeps its kind. It
// returns nil for nil.
func Wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: KindOf(err), Op: op, Err: err}
}

// At says where err happened and keeps its kind. It returns nil for nil.
func At(err error, file string, line, column int) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: KindOf(err), File: file, Line: line, Column: column, Err: err}
}

// Passing says whether a failure may be over in a while: of the machine, or of the
// line, or because somebody ended it. The same is tried again then.
func Passing(err error) bool { return errors.Is(err, System) || errors.Is(err, Interrupted) }

// KindOf returns the outermost kind in the chain of err. The errors of the
// standard library that have a counterpart here are given it; anything else
// is Internal. err must not be nil.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	var k Kind
	if errors.As(err, &k) {
		return k
	}
	var p *fs.PathError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Interrupted
	case errors.Is(err, fs.ErrNotExist):
		return NotFound
	case errors.Is(err, fs.ErrExist):
		return Exists
	case errors.Is(err, fs.ErrPermission):
		return Permission
	case errors.As(err, &p):
		return System
	}
	return Internal
}

// HintOf returns the outermost hint in the chain of err, or "".
func HintOf(err error) string {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return ""
		}
		if e.Hint != "" {
			return e.Hint
		}
		err = e.Err
	}
	return ""
}

// ExitCode is the exit code for err: 0 for nil, else that of its kind.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	return KindOf(err).ExitCode()
}

// HTTPStatus is the status for err: 200 for nil, else that of its kind.
func HTTPStatus(err error) int {
	if err == nil {
		return 200
	}
	return KindOf(err).HTTPStatus()
}
