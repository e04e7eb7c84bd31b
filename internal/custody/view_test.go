package custody_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/custody"
	"chancery/internal/fault"
	"chancery/internal/sign"
	"chancery/internal/store/storetest"
)

// head returns the newest checkpoint and the proof that it extends one of a size.
func (w *world) head(from int64) ([]byte, tlog.TreeProof) {
	w.t.Helper()
	h, err := w.Head(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	proof, err := custody.ProveConsistency(w.t.Context(), w, from, h.Size)
	if err != nil {
		w.t.Fatal(err)
	}
	return h.Checkpoint, proof
}

func (w *world) view(last []byte) *custody.View {
	w.t.Helper()
	v, err := custody.NewView(w.policy, last)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func TestViewFollows(t *testing.T) {
	w := newWorld(t)
	v := w.view(nil)
	size := int64(0)
	for _, n := range []int{0, 1, 2, 5, 300, 0, 1} {
		w.append(int(size), n)
		note, proof := w.head(size)
		size += int64(n)
		c, err := v.Advance(note, proof)
		if err != nil || c.Size != size {
			t.Fatalf("%d: %+v, %v", size, c, err)
		}
		for i := range size {
			proof, err := custody.ProveInclusion(t.Context(), w, size, i)
			if err != nil {
				t.Fatal(err)
			}
			if err := v.Includes(submission(int(i)).Commitment, i, proof); err != nil {
				t.Fatal(err)
			}
			if err := v.Includes(submission(int(i)+1).Commitment, i, proof); err == nil {
				t.Fatalf("another entry is taken for %d", i)
			}
		}
	}
	// Kept and read again, as after a restart.
	_, note := v.Last()
	if c, _ := w.view(note).Last(); c.Size != size {
		t.Errorf("%+v", c)
	}
	if err := v.Includes(submission(0).Commitment, size, nil); !errors.Is(err, fault.Mismatch) {
		t.Errorf("behind the end: %v", err)
	}
	if err := v.Includes(submission(0).Commitment, -1, nil); !errors.Is(err, fault.Mismatch) {
		t.Errorf("before the beginning: %v", err)
	}
}

// TestRollback: the registry's operator puts back yesterday's backup, so that a
// receipt disappears. Every party that saw the receipt's log refuses.
func TestRollback(t *testing.T) {
	w := newWorld(t)
	w.append(0, 3)
	old, _ := w.head(0)
	v := w.view(nil)
	w.append(3, 2)
	now, _ := w.head(0)
	if _, err := v.Advance(now, nil); err != nil {
		t.Fatal(err)
	}
	var fork *custody.Fork
	_, err := v.Advance(old, nil)
	if !errors.As(err, &fork) || !errors.Is(err, fault.Mismatch) || !strings.Contains(err.Error(), "had 5 before") {
		t.Fatalf("%v", err)
	}
	if !bytes.Equal(fork.Old, now) || !bytes.Equal(fork.New, old) {
		t.Error("the two checkpoints that prove it are not kept")
	}
	if c, _ := v.Last(); c.Size != 5 {
		t.Errorf("the view went back to %d", c.Size)
	}
}

// TestSplitView: the registry shows one log to the author and another, in which
// the receipt never was, to the reader. They compare checkpoints, which every
// message carries.
func TestSplitView(t *testing.T) {
	w := newWorld(t)
	w.append(0, 4)
	other := newWorldWith(t, w.key)
	other.append(10, 4)
	mine, _ := w.head(0)
	theirs, _ := other.head(0)
	v := w.view(mine)
	if _, err := v.Advance(theirs, nil); !errors.Is(err, fault.Mismatch) || !strings.Contains(err.Error(), "different things to different parties") {
		t.Errorf("the same size: %v", err)
	}
	other.append(20, 3)
	theirs, proof := other.head(4)
	if _, err := v.Advance(theirs, proof); !errors.Is(err, fault.Mismatch) || !strings.Contains(err.Error(), "not shown to begin with") {
		t.Errorf("a longer one: %v", err)
	}
	if _, err := v.Advance(theirs, nil); !errors.Is(err, fault.Mismatch) {
		t.Errorf("without proof: %v", err)
	}
	// The honest one still goes on.
	w.append(4, 1)
	note, proof := w.head(4)
	if _, err := v.Advance(note, proof); err != nil {
		t.Error(err)
	}
	if _, err := v.Advance(note, proof); err == nil {
		t.Error("a proof that proves nothing is taken")
	}
}

func newWorldWith(t testing.TB, key *sign.NoteKey) *world {
	t.Helper()
	w := &world{Memory: &storetest.Memory{}, t: t, key: key}
	if err := custody.Create(t.Context(), w, key); err != nil {
		t.Fatal(err)
	}
	w.log = w.open()
	w.policy = policyOf(t, key)
	return w
}

// TestWhoSigned: a checkpoint counts with both signatures of the log that the
// policy names, and not otherwise.
func TestWhoSigned(t *testing.T) {
	w := newWorld(t)
	w.append(0, 2)
	note, _ := w.head(0)
	lines := bytes.SplitAfter(note, []byte("\n"))
	stranger, err := sign.GenerateNoteKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := stranger.SignCheckpoint(string(bytes.Join(lines[:3], nil)))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := newWorldNamed(t, "other.example/log")
	foreign, _ := elsewhere.head(0)
	for name, bad := range map[string][]byte{
		"without ML-DSA-44":  bytes.Join(lines[:5], nil),
		"without Ed25519":    bytes.Join([][]byte{bytes.Join(lines[:4], nil), lines[5]}, nil),
		"unsigned":           bytes.Join(lines[:4], nil),
		"signed by another":  forged,
		"of another log":     foreign,
		"another root":       bytes.Replace(note, lines[2], []byte("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"), 1),
		"another size":       bytes.Replace(note, []byte("\n2\n"), []byte("\n3\n"), 1),
		"nothing":            nil,
		"very long":          bytes.Repeat(note, 200),
		"an extension line":  w.text(t, fmt.Sprintf("%s\n2\n%scomment\n", origin, lines[2])),
		"a size with a zero": w.text(t, fmt.Sprintf("%s\n02\n%s", origin, lines[2])),
		"a negative size":    w.text(t, fmt.Sprintf("%s\n-2\n%s", origin, lines[2])),
		"a huge size":        w.text(t, fmt.Sprintf("%s\n9223372036854775807\n%s", origin, lines[2])),
		"an empty tree":      w.text(t, fmt.Sprintf("%s\n0\n%s", origin, lines[2])),
	} {
		if _, _, err := w.policy.Open(bad); !errors.Is(err, fault.Mismatch) && !errors.Is(err, fault.Input) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := custody.NewView(w.policy, bad); len(bad) > 0 && err == nil {
			t.Errorf("%s: remembered", name)
		}
	}
}

// text signs what no log of ours would.
func (w *world) text(t *testing.T, text string) []byte {
	t.Helper()
	out, err := w.key.SignCheckpoint(text)
	if err != nil {
		return nil
	}
	return out
}

func newWorldNamed(t testing.TB, name string) *world {
	t.Helper()
	key, err := sign.GenerateNoteKey(name)
	if err != nil {
		t.Fatal(err)
	}
	return newWorldWith(t, key)
}

// TestPolicy asks for witnesses in groups.
func TestPolicy(t *testing.T) {
	w := newWorld(t)
	var witnesses []*sign.NoteKey
	lines := []string{"# two of three, each with both keys"}
	var groups []string
	for i := range 3 {
		k, err := sign.GenerateNoteKey(fmt.Sprintf("witness.example/%d", i))
		if err != nil {
			t.Fatal(err)
		}
		witnesses = append(witnesses, k)
		for j, vkey := range k.WitnessVKeys() {
			lines = append(lines, fmt.Sprintf("witness w%d%c %s https://w%d.example", i, 'a'+j, vkey, i))
		}
		lines = append(lines, fmt.Sprintf("group w%d all w%da w%db", i, i, i))
		groups = append(groups, fmt.Sprintf("w%d", i))
	}
	lines = append(lines, "group enough 2 "+strings.Join(groups, " "), "quorum\tenough")
	policy := policyOf(t, w.key, lines...)
	if got := policy.Witnesses(); len(got) != 3 || len(got[0].Keys) != 2 || got[1].URL != "https://w1.example" {
		t.Errorf("%+v", got)
	}
	if got := policy.Origins(); len(got) != 1 || got[0] != origin {
		t.Errorf("%v", got)
	}
	note, _ := w.head(0)
	text := string(note[:bytes.Index(note, []byte("\n\n"))+1])
	for i, want := range []bool{false, true, true} {
		lines, err := witnesses[i].Cosign(text)
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 { // half of a witness is none
			half := lines[:bytes.IndexByte(lines, '\n')+1]
			if _, cosigned, err := policy.Open(append(bytes.Clone(note), half...)); err != nil || cosigned {
				t.Errorf("one key of the second: %v, %v", cosigned, err)
			}
		}
		note = append(note, lines...)
		if _, cosigned, err := policy.Open(note); err != nil || cosigned != want {
			t.Errorf("%d witnesses: %v, %v", i+1, cosigned, err)
		}
	}
}

func TestPolicyRefuses(t *testing.T) {
	k, err := sign.GenerateNoteKey(origin)
	if err != nil {
		t.Fatal(err)
	}
	v := k.LogVKeys()
	for name, text := range map[string]string{
		"nothing":             "",
		"no quorum":           "log " + v[0] + "\n",
		"no log":              "quorum none\n",
		"two quorums":         "log " + v[0] + "\nquorum none\nquorum none\n",
		"an unknown quorum":   "log " + v[0] + "\nquorum w\n",
		"a key twice":         "log " + v[0] + "\nlog " + v[0] + "\nquorum none\n",
		"an unknown word":     "log " + v[0] + "\nfrog x\nquorum none\n",
		"no key":              "log\nquorum none\n",
		"a bad key":           "log " + v[0] + "x\nquorum none\n",
		"a control character": "log " + v[0] + "\x00\nquorum none\n",
		"a group of none":     "log " + v[0] + "\ngroup g all\nquorum g\n",
		"a group unknown":     "log " + v[0] + "\ngroup g all w\nquorum g\n",
		"named none":          "log " + v[0] + "\nwitness none " + v[1] + "\nquorum none\n",
		"too many":            "log " + v[0] + "\nwitness w " + v[1] + "\ngroup g 2 w\nquorum g\n",
		"zero":                "log " + v[0] + "\nwitness w " + v[1] + "\ngroup g 0 w\nquorum g\n",
		"a number with zero":  "log " + v[0] + "\nwitness w " + v[1] + "\ngroup g 01 w\nquorum g\n",
		"a member twice":      "log " + v[0] + "\nwitness w " + v[1] + "\ngroup g any w w\nquorum g\n",
		"very long":           strings.Repeat("#\n", custody.MaxPolicy),
	} {
		if _, err := custody.ParsePolicy("policy", []byte(text)); !errors.Is(err, fault.Input) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestProofFile writes the proof of an entry and verifies it elsewhere.
func TestProofFile(t *testing.T) {
	w := newWorld(t)
	entry := custody.NewEntry([]byte("a statement"))
	at, err := w.log.Append(t.Context(), append(submissions(0, 9), custody.Submission{Commitment: entry.Commitment()})...)
	if err != nil {
		t.Fatal(err)
	}
	note, _ := w.head(0)
	p, err := custody.MakeProof(t.Context(), w, 10, at[9], note, entry.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	file := p.Encode()
	if dir := os.Getenv("CHANCERY_KEEP"); dir != "" {
		os.WriteFile(dir+"/log.tlog-proof", file, 0o600)
	}
	q, err := custody.ParseProof(file)
	if err != nil {
		t.Fatal(err)
	}
	e, err := custody.ParseEntry(q.Entry)
	if err != nil || string(e.Statement) != "a statement" {
		t.Fatalf("%+v, %v", e, err)
	}
	if c, cosigned, err := q.Verify(w.policy, e.Commitment()); err != nil || !cosigned || c.Size != 10 {
		t.Errorf("%+v, %v, %v", c, cosigned, err)
	}
	e.Salt[0] ^= 1
	if _, _, err := q.Verify(w.policy, e.Commitment()); !errors.Is(err, fault.Mismatch) {
		t.Errorf("another salt: %v", err)
	}
	other := *q
	other.Entry = custody.NewEntry([]byte("a statement")).Bytes()
	if _, _, err := other.Verify(w.policy, entry.Commitment()); !errors.Is(err, fault.Mismatch) {
		t.Errorf("with another entry inside: %v", err)
	}
	q.Index--
	if _, _, err := q.Verify(w.policy, entry.Commitment()); !errors.Is(err, fault.Mismatch) {
		t.Errorf("another index: %v", err)
	}
	for _, bad := range [][]byte{nil, []byte("c2sp.org/tlog-proof@v1\n"), bytes.Replace(file, []byte("index 9"), []byte("index 99999999999999999999"), 1),
		bytes.Repeat([]byte("x"), custody.MaxProof+1)} {
		if _, err := custody.ParseProof(bad); !errors.Is(err, fault.Input) {
			t.Errorf("%.30q: %v", bad, err)
		}
	}
	for _, n := range []int{0, 32, custody.MaxEntry + 1} {
		if _, err := custody.ParseEntry(make([]byte, n)); !errors.Is(err, fault.Input) {
			t.Errorf("an entry of %d bytes: %v", n, err)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	k, err := sign.GenerateNoteKey(origin)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("log " + k.LogVKeys()[0] + "\nwitness w " + k.WitnessVKeys()[1] + " https://x\ngroup g any w\nquorum g\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := custody.ParsePolicy("policy", data)
		if err != nil {
			if !errors.Is(err, fault.Input) {
				t.Fatal(err)
			}
			return
		}
		if len(p.Origins()) == 0 || !bytes.Equal(p.Text(), data) {
			t.Fatal("a policy without a log")
		}
		p.Witnesses()
	})
}

func FuzzParseProof(f *testing.F) {
	w := newWorld(f)
	w.append(0, 3)
	note, _ := w.head(0)
	p, err := custody.MakeProof(f.Context(), w, 3, 1, note, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.Encode())
	good := submission(1).Commitment
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := custody.ParseProof(data)
		if err != nil {
			if !errors.Is(err, fault.Input) {
				t.Fatal(err)
			}
			return
		}
		if again, err := custody.ParseProof(p.Encode()); err != nil || again.Index != p.Index || len(again.Path) != len(p.Path) {
			t.Fatalf("written and read it is another: %v", err)
		}
		if c, _, err := p.Verify(w.policy, good); err == nil && (p.Index != 1 || c.Size != 3) {
			t.Fatalf("a second proof of entry %d in %d", p.Index, c.Size)
		}
	})
}
