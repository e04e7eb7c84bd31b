// Package interop lets programs that nobody here wrote, or that share no code
// with ours, read what Chancery writes.
package interop

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"chancery/internal/custody"
	"chancery/internal/sign"
	"chancery/internal/store/storetest"
)

const entriesInLog = 600

// logFolder writes a log in SQLite and lays it out as tiles, as a mirror would.
func logFolder(t *testing.T) (folder, vkey string, entry custody.Entry) {
	t.Helper()
	key, err := sign.GenerateNoteKey("registry.example/log")
	if err != nil {
		t.Fatal(err)
	}
	l, s := storetest.NewLog(t, key)
	var all []custody.Submission
	for i := range entriesInLog {
		entry = custody.NewEntry(fmt.Appendf(nil, "statement %d", i))
		all = append(all, custody.Submission{Commitment: entry.Commitment()})
	}
	if _, err := l.Append(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
	return export(t, s, entry), key.LogVKeys()[0], entry
}

// export writes checkpoint, tiles and the proof of the last entry.
func export(t *testing.T, s custody.Storage, last custody.Entry) string {
	t.Helper()
	dir := t.TempDir()
	put := func(name string, data []byte, err error) {
		t.Helper()
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	head, err := s.Head(t.Context())
	put("checkpoint", head.Checkpoint, err)
	for _, kind := range []string{"entries", "0"} {
		for n := range 3 {
			path := fmt.Sprintf("tile/%s/%03d", kind, n)
			if n == 2 {
				path += fmt.Sprintf(".p/%d", entriesInLog-512)
			}
			data, err := custody.Tile(t.Context(), s, path)
			put(path, data, err)
		}
	}
	data, err := custody.Tile(t.Context(), s, "tile/1/000.p/2")
	put("tile/1/000.p/2", data, err)
	proof, err := custody.MakeProof(t.Context(), s, head.Size, entriesInLog-1, head.Checkpoint, last.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	put("last.tlog-proof", proof.Encode(), nil)
	proof, err = custody.MakeProof(t.Context(), s, head.Size, entriesInLog-1, head.Checkpoint, nil)
	if err != nil {
		t.Fatal(err)
	}
	put("closed.tlog-proof", proof.Encode(), nil)
	return dir
}

// verify runs the verifier in Python.
func verify(t *testing.T, args ...string) (said string, ok bool) {
	t.Helper()
	out, err := exec.Command("python3", append([]string{"../../contrib/verify_log.py"}, args...)...).CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatalf("python3: %v: run scripts/setup", err)
	}
	return string(out), err == nil
}

// TestSecondVerifier reads the log with a program that shares no code with it,
// and sees that it refuses every altered file.
func TestSecondVerifier(t *testing.T) {
	dir, vkey, entry := logFolder(t)
	if said, ok := verify(t, "log", dir, vkey); !ok || !strings.HasPrefix(said, "log of 600 entries, root ") {
		t.Fatal(said)
	}
	proof := filepath.Join(dir, "last.tlog-proof")
	if said, ok := verify(t, "proof", proof, vkey); !ok || said != "entry 599 of 600\n" {
		t.Fatal(said)
	}
	c := entry.Commitment()
	closed := filepath.Join(dir, "closed.tlog-proof")
	if said, ok := verify(t, "proof", closed, vkey, hex.EncodeToString(c[:])); !ok {
		t.Fatal(said)
	}
	if said, ok := verify(t, "proof", closed, vkey); ok {
		t.Errorf("a proof without an entry verifies: %s", said)
	}
	for name, at := range map[string]int{"checkpoint": 30, "tile/0/001": 77, "tile/entries/000": 5000, "tile/1/000.p/2": 3, "tile/entries/002.p/88": 9} {
		alter(t, filepath.Join(dir, name), at, func() {
			if said, ok := verify(t, "log", dir, vkey); ok {
				t.Errorf("%s altered: %s", name, said)
			}
		})
	}
	data, err := os.ReadFile(proof)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{30, 200, bytes.Index(data, []byte("— ")) + 60} { // the last in the Ed25519 signature
		alter(t, proof, at, func() {
			if said, ok := verify(t, "proof", proof, vkey); ok {
				t.Errorf("the proof altered at %d: %s", at, said)
			}
		})
	}
	other, err := sign.GenerateNoteKey("registry.example/log")
	if err != nil {
		t.Fatal(err)
	}
	if said, ok := verify(t, "log", dir, other.LogVKeys()[0]); ok {
		t.Errorf("another key: %s", said)
	}
}

// alter changes one byte of a file while f runs.
func alter(t *testing.T, name string, at int, f func()) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(data)
	if changed[at] ^= 1; changed[at] == '\n' {
		changed[at] = 'x'
	}
	if err := os.WriteFile(name, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	f()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
