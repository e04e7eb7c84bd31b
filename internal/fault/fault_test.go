package fault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestTableIsClosed(t *testing.T) {
	exits, names := map[int]Kind{}, map[string]Kind{}
	for k := range kinds {
		if k.ExitCode() == 0 || k.HTTPStatus() < 400 || k.Error() == "" {
			t.Errorf("kind %d has no full row: %+v", k, k.row())
		}
		if other, ok := exits[k.ExitCode()]; ok {
			t.Errorf("%v and %v share exit code %d", other, k, k.ExitCode())
		}
		if _, ok := names[k.Error()]; ok {
			t.Errorf("two kinds are called %q", k.Error())
		}
		exits[k.ExitCode()], names[k.Error()] = k, k
	}
	if k := kinds + 3; k.ExitCode() != Internal.ExitCode() {
		t.Errorf("a kind outside the list exits with %d", k.ExitCode())
	}
}

func TestErrorText(t *testing.T) {
	cause := errors.New("the cause")
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"message", Input.New("bad %q", "x"), `bad "x"`},
		{"place", Input.New("bad").At("draft.txt", 3, 17), "draft.txt:3:17: bad"},
		{"line only", Input.New("bad").At("draft.txt", 3, 0), "draft.txt:3: bad"},
		{"file only", Input.New("bad").At("draft.txt", 0, 9), "draft.txt: bad"},
		{"operation", Input.New("bad").During("read draft"), "read draft: bad"},
		{"cause", Key.Wrap(cause, "bad"), "bad: the cause"},
		{"cause alone", Key.Wrap(cause, ""), "the cause"},
		{"place comes first", Wrap("mark", Input.New("bad").At("draft.txt", 3, 17)), "draft.txt:3:17: mark: bad"},
		{"two places", At(Input.New("bad").At("inner", 3, 0), "outer", 0, 0), "outer: inner:3: bad"},
		{"nothing said", &Error{Kind: Mismatch}, "mismatch"},
		{"place alone", (&Error{Kind: Exists}).At("out", 0, 0), "out: already exists"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestMethodsLeaveTheirReceiverAlone(t *testing.T) {
	base := Input.New("bad")
	_, _, _ = base.At("f", 1, 2), base.During("read"), base.WithHint("wait")
	if *base != *Input.New("bad") {
		t.Errorf("the receiver became %+v", *base)
	}
}

func TestIsAndAs(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("outside: %w", Wrap("read", NotFound.Wrap(cause, "no codebook")))
	if !errors.Is(err, NotFound) || errors.Is(err, Exists) {
		t.Error("errors.Is does not tell the kind")
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
	var e *Error
	if !errors.As(err, &e) || e.Op != "read" {
		t.Errorf("errors.As found %+v", e)
	}
	if Wrap("read", nil) != nil || At(nil, "f", 1, 1) != nil {
		t.Error("nil did not stay nil")
	}
}

func TestKindOf(t *testing.T) {
	_, missing := os.Open(filepath.Join(t.TempDir(), "nothing"))
	tests := []struct {
		err  error
		want Kind
	}{
		{errors.New("anything"), Internal},
		{Usage, Usage},
		{Mismatch.New("x"), Mismatch},
		{Wrap("op", Key.New("x")), Key},
		{Input.Wrap(Key.New("inner"), "outer"), Input},
		{missing, NotFound},
		{Wrap("op", missing), NotFound},
		{fs.ErrExist, Exists},
		{fs.ErrPermission, Permission},
		{context.Canceled, Interrupted},
		{fmt.Errorf("late: %w", context.DeadlineExceeded), Interrupted},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, System},
	}
	for _, tt := range tests {
		if got := KindOf(tt.err); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.err, got, tt.want)
		}
		if ExitCode(tt.err) != tt.want.ExitCode() || HTTPStatus(tt.err) != tt.want.HTTPStatus() {
			t.Errorf("%v: codes do not follow the kind", tt.err)
		}
	}
	if ExitCode(nil) != 0 || HTTPStatus(nil) != 200 {
		t.Error("success has a code of failure")
	}
}

func TestPrint(t *testing.T) {
	bad := Input.New("unclosed brace").At("draft.txt", 3, 17).WithHint("close it")
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"nil", nil, ""},
		{"hint", bad, "chancery: error: draft.txt:3:17: unclosed brace\nhint: close it\n"},
		{"inner hint", Wrap("mark", bad), "chancery: error: draft.txt:3:17: mark: unclosed brace\nhint: close it\n"},
		{"outer hint wins", Input.Wrap(bad, "no").WithHint("stop"), "chancery: error: draft.txt:3:17: no: unclosed brace\nhint: stop\n"},
		{"no hint", Usage.New("what"), "chancery: error: what\n"},
		{"joined", errors.Join(bad, Usage.New("what")),
			"chancery: error: draft.txt:3:17: unclosed brace\nhint: close it\nchancery: error: what\n"},
		{"two causes are one error", fmt.Errorf("%w and %w", Usage.New("a"), Usage.New("b")), "chancery: error: a and b\n"},
		{"hostile", Input.New("\x1b[2Jgone\r\nchancery: all is well"),
			`chancery: error: \x1b[2Jgone\r\nchancery: all is well` + "\n"},
		{"hostile hint", Input.New("x").WithHint("a\nb"), "chancery: error: x\nhint: a\\nb\n"},
		{"hostile file name", Input.New("x").At("a\x07b", 1, 1), `chancery: error: a\ab:1:1: x` + "\n"},
	}
	for _, tt := range tests {
		var b strings.Builder
		Print(&b, tt.err)
		if b.String() != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, b.String(), tt.want)
		}
	}
}

func TestEscape(t *testing.T) {
	tests := []struct{ in, want string }{
		{"Sir Kim’s cable, £5 – naïve", "Sir Kim’s cable, £5 – naïve"},
		{"right\u202eleft", `right\u202eleft`},
		{"zero\u200bwidth", `zero\u200bwidth`},
		{"line\u2028sep", `line\u2028sep`},
		{"c1 \u009b31m", `c1 \u009b31m`},
		{"bad \xff utf-8", `bad \xff utf-8`},
		{"nul\x00", `nul\x00`},
	}
	for _, tt := range tests {
		if got := Escape(tt.in); got != tt.want {
			t.Errorf("Escape(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
	if got := Escape(strings.Repeat("x", 1<<20)); len(got) != maxPrinted+3 {
		t.Errorf("a long message was cut to %d bytes", len(got))
	}
}
