package codebook

import (
	"fmt"
	"strings"
	"testing"

	"chancery/internal/fault"
)

func TestParseReaders(t *testing.T) {
	long := strings.Repeat("x", 100)
	tests := map[string]struct{ list, want string }{
		"plain":            {"ann\nbob\n", "[{ann 0  } {bob 0  }]"},
		"no line end":      {"ann\nbob", "[{ann 0  } {bob 0  }]"},
		"Windows":          {"\ufeffann\r\nbob age1pq1x\r\n", "[{ann 0  } {bob 0 age1pq1x }]"},
		"comments":         {"# all\n\n  # more\nann # the first\nbob age1pq1x # sealed\n", "[{ann 0  } {bob 0 age1pq1x }]"},
		"all kinds of ids": {"A\n0.9_@+-\n" + long, "[{A 0  } {0.9_@+- 0  } {" + long + " 0  }]"},
	}
	for name, tt := range tests {
		got, err := ParseReaders("list", []byte(tt.list))
		if err != nil || fmt.Sprint(got) != tt.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestParseReadersRefuses(t *testing.T) {
	tests := map[string]struct{ list, says string }{
		"empty":            {"", "list: no readers"},
		"comments alone":   {"# ann\n\n", "list: no readers"},
		"twice":            {"ann\nbob\nann\n", `list:3:1: reader "ann" stands twice; first on line 1`},
		"twice in case":    {"ann\n\nANN\n", `list:3:1: reader "ANN" stands twice; first on line 1`},
		"path":             {"ann\n ../x\n", `list:2:2: "../x" is not a reader id`},
		"inner path":       {"a/b", `list:1:1: "a/b"`},
		"Windows path":     {`a\b`, `list:1:1: "a\\b"`},
		"hidden file":      {".ann", `list:1:1: ".ann"`},
		"flag":             {"-ann", `list:1:1: "-ann"`},
		"101 characters":   {strings.Repeat("x", 101), `list:1:1: "xxx`},
		"not ASCII":        {"ann\nzoë", `list:2:1: "zoë"`},
		"look-alike":       {"\u0430nn", `list:1:1: `},
		"NUL":              {"ann\x00", `list:1:1: "ann\x00"`},
		"escape":           {"\x1b[2Jann", `list:1:1: "\x1b[2Jann"`},
		"not UTF-8":        {"ann\nzo\xebx", "list:2:3: not valid UTF-8"},
		"three words":      {"ab age1pq1b b", `list:1:13: unexpected text after reader "ab"`},
		"UTF-16":           {"\xff\xfea\x00n\x00", "list:1:1: not valid UTF-8"},
		"recipient alone":  {"ann\nage1pq1" + strings.Repeat("q", 1952), "list:2:1: a recipient with no reader id"},
		"classical alone":  {"age1" + strings.Repeat("q", 58), "list:1:1: a recipient with no reader id"},
		"binary":           {"\x7fELF\x02\x01", "list:1:1: "},
		"old Mac":          {"ann\rbob\rcyd", `list:1:9: unexpected text after reader "ann"`},
		"comma":            {"ann,bob", `list:1:1: "ann,bob"`},
		"very long line":   {strings.Repeat("x", 1<<20), `list:1:1: "xxx`},
		"byte order marks": {"\ufeff\ufeffann", "list:1:1: "},
	}
	for name, tt := range tests {
		got, err := ParseReaders("list", []byte(tt.list))
		if err == nil {
			t.Errorf("%s: accepted as %v", name, got)
		} else if !strings.HasPrefix(err.Error(), tt.says) || fault.KindOf(err) != fault.Input {
			t.Errorf("%s: %v", name, err)
		} else if len(err.Error()) > 200 {
			t.Errorf("%s: %d bytes of message", name, len(err.Error()))
		}
	}
}

// TestKeyFileAsReaders: a clerk names the key file that keygen wrote where the
// readers' file belongs. A secret key has only letters, digits and hyphens, so
// it could pass for a reader: it would become the name of a copy, stand in the
// codebook and be printed by a trace. It is refused, and not quoted.
func TestKeyFileAsReaders(t *testing.T) {
	const secret = "AGE-SECRET-KEY-PQ-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ"
	for _, list := range []string{"# created: today\n" + secret + "\n", "ann\n" + strings.ToLower(secret), secret + " age1pq1x"} {
		got, err := ParseReaders("key.txt", []byte(list))
		if fault.KindOf(orFail(t, err, got)) != fault.Key || strings.Contains(strings.ToUpper(err.Error()), "QQQQ") {
			t.Errorf("%v", err)
		}
	}
}

func orFail(t *testing.T, err error, got any) error {
	t.Helper()
	if err == nil {
		t.Fatalf("accepted as %v", got)
	}
	return err
}
