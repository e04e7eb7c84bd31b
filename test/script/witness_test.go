package script

import (
	"bufio"
	"crypto/rand"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"chancery/internal/custody"
	"chancery/internal/custody/witness"
	"chancery/internal/sign"
	"chancery/internal/store/storetest"
)

// TestWitnessProcess runs a witness as its own process beside a log in SQLite,
// kills it at once after an answer, and sees that it remembers.
func TestWitnessProcess(t *testing.T) {
	dir := t.TempDir()
	key, err := sign.GenerateNoteKey("registry.example/log")
	if err != nil {
		t.Fatal(err)
	}
	logs := "log " + strings.Join(key.LogVKeys(), "\nlog ") + "\n"
	if err := os.WriteFile(filepath.Join(dir, "registry.policy"), []byte(logs+"quorum none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	made, err := chancery(dir, "witness", "watch", "--new", "witness.example/1", "--logs", "registry.policy", "--listen", "HERE").Output()
	if err != nil {
		t.Fatal(err)
	}
	l, s := storetest.NewLog(t, key)
	var last int64
	for round := range 3 {
		process, address := startWitness(t, dir)
		policy, err := custody.ParsePolicy("parties", []byte(logs+strings.ReplaceAll(string(made), "HERE", address)+"quorum witness-example-1\n"))
		if err != nil {
			t.Fatalf("%v\n%s", err, made)
		}
		for range 3 {
			var c custody.Commitment
			rand.Read(c[:])
			at, err := l.Append(t.Context(), custody.Submission{Commitment: c})
			if err != nil {
				t.Fatal(err)
			}
			g := &witness.Gatherer{Storage: s, Policy: policy, Client: http.DefaultClient}
			if err := g.Round(t.Context()); err != nil {
				t.Fatal(err)
			}
			last = at[0] + 1
		}
		process.Process.Kill()
		process.Wait()
		note, err := s.Cosigned(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if c, cosigned, err := policy.Open(note); err != nil || !cosigned || c.Size != last {
			t.Errorf("round %d: %+v, %v, %v", round, c, cosigned, err)
		}
		if _, err := custody.Check(t.Context(), s, policy, nil); err != nil {
			t.Error(err)
		}
	}
	// Without its memory it does not run.
	if err := os.Remove(filepath.Join(dir, "watch", "witness.state")); err != nil {
		t.Fatal(err)
	}
	if out, err := chancery(dir, "witness", "watch", "--listen", "127.0.0.1:0").CombinedOutput(); err == nil {
		t.Errorf("a witness without memory runs: %s", out)
	}
}

var served = regexp.MustCompile(`at http://(\S+)`)

// startWitness starts the witness and returns where it listens.
func startWitness(t *testing.T, dir string) (*exec.Cmd, string) {
	t.Helper()
	c := chancery(dir, "witness", "watch", "--listen", "127.0.0.1:0")
	out, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := served.FindStringSubmatch(lines.Text()); m != nil {
			return c, m[1]
		}
	}
	t.Fatalf("the witness did not start: %v", lines.Err())
	return nil, ""
}
