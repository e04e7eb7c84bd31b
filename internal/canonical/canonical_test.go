package canonical

import (
	"errors"
	"testing"
)

func TestDecode(t *testing.T) {
	tests := []struct {
		data         string
		line, column int
		trailing     bool
	}{
		{`{"a":1}`, 0, 0, false},
		{"{\n \"é\":1}", 2, 8, false}, // unknown field, found at the end
		{"{\"a\":\n \"x\"}", 2, 5, false},
		{"{\"a\":1", 1, 7, false},
		{"{\"a\":1,}", 1, 8, false},
		{"{\"a\":1}\n{}", 2, 2, true},
	}
	for _, tt := range tests {
		var v struct {
			A int `json:"a"`
		}
		line, column, err := Decode([]byte(tt.data), &v)
		if line != tt.line || column != tt.column || (err == nil) != (tt.line == 0) || errors.Is(err, ErrTrailing) != tt.trailing {
			t.Errorf("%q: %d:%d %v", tt.data, line, column, err)
		}
	}
}

func TestDiffer(t *testing.T) {
	if _, _, differs := Differ([]byte("ab"), []byte("ab")); differs {
		t.Error("equal texts differ")
	}
	if line, column, differs := Differ([]byte("é\nab"), []byte("é\nax")); !differs || line != 2 || column != 2 {
		t.Errorf("%d:%d %v", line, column, differs)
	}
}
