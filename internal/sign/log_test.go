package sign

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"chancery/internal/fault"
)

// TestForOneLog: the log that a statement is for is part of what is signed.
func TestForOneLog(t *testing.T) {
	one, two := Generate(), Generate()
	body := map[string]int{"n": 7}
	sign := func(keys ...*Key) []byte {
		t.Helper()
		s, err := Sign("receipt", body, keys...)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	bound := sign(one.In("a.example/log"), two.In("a.example/log"))
	free := sign(one, two)
	for _, c := range []struct {
		statement []byte
		log       string
	}{{bound, "a.example/log"}, {free, ""}, {sign(one.In("a.example/log").In("")), ""}} {
		if log, err := LogOf(c.statement); err != nil || log != c.log {
			t.Errorf("for %q, %v, not %q", log, err, c.log)
		}
	}
	for _, s := range [][]byte{bound, free} {
		var got map[string]int
		if err := Open(s, "receipt", &got, one.Public(), two.Public()); err != nil || got["n"] != 7 {
			t.Errorf("%v, %v", got, err)
		}
		if kind, signers, err := Claims(s); kind != "receipt" || len(signers) != 2 || err != nil {
			t.Errorf("%q, %v, %v", kind, signers, err)
		}
	}
	// Nobody gives it to another log, or to any.
	for _, to := range []string{" b.example/log", ""} {
		var got map[string]int
		moved := bytes.Replace(bound, []byte(" a.example/log"), []byte(to), 1)
		if err := Open(moved, "receipt", &got, one.Public(), two.Public()); !errors.Is(err, fault.Mismatch) {
			t.Errorf("moved to %q: %v", to, err)
		}
	}
	if _, err := Join(sign(one.In("a.example/log")), sign(two)); !errors.Is(err, fault.Mismatch) {
		t.Errorf("signatures for two logs: %v", err)
	}
	if _, err := Sign("receipt", body, one.In("a.example/log"), two); err == nil {
		t.Error("keys for two logs sign one statement")
	}
	for _, log := range []string{"a log", "a\nlog", strings.Repeat("x", 256), "a\u00a0log", "a\u200blog"} {
		if _, err := Sign("receipt", body, one.In(log)); err == nil {
			t.Errorf("for the log %q", log)
		}
		if strings.Contains(log, "\n") {
			continue // that is a log with an end, and another body: its signature does not verify
		}
		if _, _, err := Claims(bytes.Replace(bound, []byte("a.example/log"), []byte(log), 1)); err == nil {
			t.Errorf("read for the log %q", log)
		}
	}
}
