package interop

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/custody"
	"chancery/internal/sign"
)

// The proofs that other logs are tested with, run against what a party here
// verifies: checkpoints that are signed and opened under a policy, proof files
// that are parsed, the view that goes forward only. Their proofs of subtrees
// are left out: no log of ours gives one.

// An inclusionVector is a published proof that a leaf is in a tree. Hashes stay
// in base64, which is how our files spell them: some are of no length that a
// hash has, and it is our readers that must refuse those.
type inclusionVector struct {
	Index    uint64   `json:"leafIdx"`
	Size     uint64   `json:"treeSize"`
	Root     string   `json:"root"`
	Leaf     string   `json:"leafHash"`
	Proof    []string `json:"proof"`
	MustFail bool     `json:"wantErr"`
}

// A consistencyVector is a published proof that a tree begins with another.
type consistencyVector struct {
	OldSize  uint64   `json:"size1"`
	NewSize  uint64   `json:"size2"`
	OldRoot  string   `json:"root1"`
	NewRoot  string   `json:"root2"`
	Proof    []string `json:"proof"`
	MustFail bool     `json:"wantErr"`
}

// A verdict is what became of a proof.
type verdict string

const (
	accepted verdict = "accepted"
	refused  verdict = "refused: it proves nothing"
	unread   verdict = "refused: not a proof, or not a checkpoint"
)

// noHash names the vectors that other verifiers accept and ours cannot be
// asked: their roots are of 12 bytes, compared and never computed.
var noHash = map[string]bool{"consistency/additional/sizes-are-equal-one-and-proof-is-empty.json": true}

// merkleVectors reads an archive of vectors, by name.
func merkleVectors[V any](t *testing.T, file string) map[string]V {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]V{}
	for _, f := range archive.Files {
		var v V
		if err := json.Unmarshal(f.Data, &v); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		all[f.Name] = v
	}
	return all
}

// A signer signs the checkpoints of a log, and is the policy that names it.
type signer struct {
	key    *sign.NoteKey
	policy *custody.Policy
}

func newSigner(t *testing.T) signer {
	t.Helper()
	key, err := sign.GenerateNoteKey("registry.example/log")
	if err != nil {
		t.Fatal(err)
	}
	text := "log " + strings.Join(key.LogVKeys(), "\nlog ") + "\nquorum none\n"
	policy, err := custody.ParsePolicy("policy", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, policy}
}

// checkpoint signs whatever it is asked to, as a log that cheats would.
func (s signer) checkpoint(t *testing.T, size uint64, root string) []byte {
	t.Helper()
	signed, err := s.key.SignCheckpoint(fmt.Sprintf("%s\n%d\n%s\n", s.key.Name(), size, root))
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// inclusion reads the vector as a file that proves an entry. It differs from
// custody.Proof.Verify in the leaf alone: ours are hashes of commitments, which
// the leaves of the vectors are not.
func (s signer) inclusion(t *testing.T, v inclusionVector) verdict {
	t.Helper()
	file := fmt.Sprintf("c2sp.org/tlog-proof@v1\nindex %d\n", v.Index)
	for _, h := range v.Proof {
		file += h + "\n"
	}
	proof, err := custody.ParseProof(append([]byte(file+"\n"), s.checkpoint(t, v.Size, v.Root)...))
	if err != nil {
		return unread
	}
	c, _, err := s.policy.Open(proof.Checkpoint)
	if err != nil {
		return unread
	}
	leaf, err := tlog.ParseHash(v.Leaf)
	if err != nil {
		return unread
	}
	if tlog.CheckRecord(proof.Path, c.Size, c.Root, proof.Index, leaf) != nil {
		return refused
	}
	return accepted
}

// consistency shows a party that saw the old checkpoint the new one.
func (s signer) consistency(t *testing.T, v consistencyVector) verdict {
	t.Helper()
	proof, err := parseHashes(v.Proof)
	if err != nil {
		return unread
	}
	view, err := custody.NewView(s.policy, s.checkpoint(t, v.OldSize, v.OldRoot))
	if err != nil {
		return unread
	}
	old, _ := view.Last()
	checkpoint := s.checkpoint(t, v.NewSize, v.NewRoot)
	now, _, err := s.policy.Open(checkpoint)
	if err != nil {
		return unread
	}
	_, err = view.Advance(checkpoint, proof)
	if shown := custody.CheckConsistency(proof, old, now); shown != (err == nil) {
		t.Errorf("the proof alone is accepted: %v; the view says: %v", shown, err)
	}
	var fork *custody.Fork
	last, _ := view.Last()
	switch {
	case err == nil && last == now:
		return accepted
	case errors.As(err, &fork) && last == old:
		return refused
	}
	t.Errorf("the view stands at %d and says: %v", last.Size, err)
	return ""
}

// parseHashes reads a proof as a witness reads one.
func parseHashes(lines []string) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, line := range lines {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	return all, nil
}

// judge fails unless a proof that must fail fails, another does not, and only
// what nobody could have written is refused without a look at the proof.
func judge(t *testing.T, name string, mustFail, writable bool, got verdict) {
	t.Helper()
	if mustFail == (got == accepted) && !noHash[name] || writable == (got == unread) {
		t.Errorf("%s: %s", name, got)
	}
}

// writable reports whether the vector can be written down: its hashes are
// hashes, and its leaf is in a log that can be.
func (v inclusionVector) writable() bool {
	_, err := parseHashes(append(slices.Clone(v.Proof), v.Root, v.Leaf))
	return err == nil && v.Index < custody.MaxSize && isTree(v.Size, v.Root)
}

// writable reports whether the vector can be written down.
func (v consistencyVector) writable() bool {
	_, err := parseHashes(append(slices.Clone(v.Proof), v.OldRoot, v.NewRoot))
	return err == nil && isTree(v.OldSize, v.OldRoot) && isTree(v.NewSize, v.NewRoot)
}

// isTree is false for a root of the empty tree that is not SHA-256 of nothing.
func isTree(size uint64, root string) bool {
	return size > 0 || root == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
}

func TestInclusionVectors(t *testing.T) {
	s, ran := newSigner(t), map[verdict]int{}
	for name, v := range merkleVectors[inclusionVector](t, "testdata/merkle-inclusion.txtar") {
		got := s.inclusion(t, v)
		judge(t, name, v.MustFail, v.writable(), got)
		ran[got]++
	}
	ranAll(t, ran, map[verdict]int{accepted: 6, refused: 63, unread: 29})
}

func TestConsistencyVectors(t *testing.T) {
	s, ran := newSigner(t), map[verdict]int{}
	for name, v := range merkleVectors[consistencyVector](t, "testdata/merkle-consistency.txtar") {
		got := s.consistency(t, v)
		judge(t, name, v.MustFail, v.writable(), got)
		ran[got]++
	}
	ranAll(t, ran, map[verdict]int{accepted: 5, refused: 64, unread: 29})
}

// publishedTree holds the leaves of the tree that the vectors are about, in
// hexadecimal, as testonly/constants.go beside them lists them.
var publishedTree = []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}

// hashes is a stored log of which only the hashes are asked.
type hashes struct {
	custody.Storage
	all []tlog.Hash
}

// Nodes is that of custody.Storage.
func (s hashes) Nodes(_ context.Context, indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		out[i] = s.all[at]
	}
	return out, nil
}

// root is that of the tree of the first leaves, in base64.
func (s hashes) root(t *testing.T, size uint64) string {
	t.Helper()
	if size > uint64(len(publishedTree)) {
		return ""
	}
	root, err := tlog.TreeHash(int64(size), tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		return s.Nodes(t.Context(), indexes)
	}))
	if err != nil {
		t.Fatal(err)
	}
	return root.String()
}

// storedTree stores the published tree.
func storedTree(t *testing.T) hashes {
	t.Helper()
	var s hashes
	for n, leaf := range publishedTree {
		data, err := hex.DecodeString(leaf)
		if err != nil {
			t.Fatal(err)
		}
		more, err := tlog.StoredHashes(int64(n), data, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
			return s.Nodes(t.Context(), indexes)
		}))
		if err != nil {
			t.Fatal(err)
		}
		s.all = append(s.all, more...)
	}
	return s
}

// TestPublishedProofs makes every proof of the published tree that is right,
// and finds it hash for hash as published.
func TestPublishedProofs(t *testing.T) {
	s, ran := storedTree(t), map[string]int{}
	for name, v := range merkleVectors[inclusionVector](t, "testdata/merkle-inclusion.txtar") {
		if v.MustFail || v.Root != s.root(t, v.Size) {
			continue
		}
		ran["inclusion"]++
		proof, err := custody.ProveInclusion(t.Context(), s, int64(v.Size), int64(v.Index))
		if want, _ := parseHashes(v.Proof); err != nil || !slices.Equal(proof, want) {
			t.Errorf("%s: %v, %v", name, proof, err)
		}
	}
	for name, v := range merkleVectors[consistencyVector](t, "testdata/merkle-consistency.txtar") {
		if v.MustFail || v.NewRoot != s.root(t, v.NewSize) {
			continue
		}
		ran["consistency"]++
		proof, err := custody.ProveConsistency(t.Context(), s, int64(v.OldSize), int64(v.NewSize))
		if want, _ := parseHashes(v.Proof); err != nil || !slices.Equal(proof, want) {
			t.Errorf("%s: %v, %v", name, proof, err)
		}
	}
	ranAll(t, ran, map[string]int{"inclusion": 5, "consistency": 5})
}
