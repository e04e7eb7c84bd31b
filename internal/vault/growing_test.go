package vault_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chancery/internal/fault"
	"chancery/internal/vault"
)

// words reads a growing file.
func words(t testing.TB, v *vault.Vault, name string) ([]string, error) {
	t.Helper()
	var out []string
	err := vault.Each(v, name, func(k kept) error {
		if k.N != len(out) {
			t.Errorf("value %d stands at %d", k.N, len(out))
		}
		out = append(out, k.Word)
		return nil
	})
	return out, err
}

// grow makes a file of five values, and says where each record ends.
func grow(t testing.TB, folder string) (all []string, ends []int) {
	t.Helper()
	v := vault.New(folder, key)
	for n := range 5 {
		all = append(all, strings.Repeat("w", n+1))
		must(t, vault.Append(v, "acts", kept{all[n], n}))
		ends = append(ends, len(read(t, folder, "acts.grown")))
	}
	return all, ends
}

func TestGrowingFile(t *testing.T) {
	folder := t.TempDir()
	v := vault.New(folder, key)
	if got, err := words(t, v, "acts"); got != nil || err != nil {
		t.Errorf("no file: %v, %v", got, err)
	}
	must(t, vault.Append[kept](v, "acts"))
	if _, err := os.Stat(filepath.Join(folder, "acts.grown")); err == nil {
		t.Error("nothing makes a file")
	}
	// Two who have the same folder open: what either adds stands behind the other's.
	other := vault.New(folder, key)
	must(t, vault.Append(v, "acts", kept{"a", 0}, kept{"b", 1}))
	must(t, vault.Append(other, "acts", kept{"c", 2}))
	must(t, vault.Append(v, "acts", kept{"d", 3}, kept{"e", 4}))
	must(t, vault.Append(other, "acts", kept{"f", 5}))
	for _, one := range []*vault.Vault{v, other, vault.New(folder, key)} {
		if got, err := words(t, one, "acts"); strings.Join(got, "") != "abcdef" || err != nil {
			t.Errorf("%v, %v", got, err)
		}
	}
	if names, err := v.Names(""); len(names) != 0 || err != nil {
		t.Errorf("among the values of one file each: %v", names)
	}
	if err := vault.Append(v, "../acts", kept{}); !errors.Is(err, fault.Input) {
		t.Errorf("a name that leads out: %v", err)
	}
	for _, word := range [][]byte{read(t, folder, "acts.grown")} {
		if strings.Contains(string(word), "word") {
			t.Error("the file is not sealed")
		}
	}
}

// TestGrowingFileCutOff cuts the file anywhere, as a crash could: what was whole is there,
// and what is added next stands behind it.
func TestGrowingFileCutOff(t *testing.T) {
	whole := t.TempDir()
	all, ends := grow(t, whole)
	data := read(t, whole, "acts.grown")
	for size := range len(data) {
		for _, tail := range []int{0, 3, 100} { // bytes that were never filled
			folder := t.TempDir()
			write(t, folder, "acts.grown", append(slices.Clone(data[:size]), make([]byte, tail)...))
			left, _ := slices.BinarySearch(ends, size+1)
			v := vault.New(folder, key)
			got, err := words(t, v, "acts")
			if err != nil && tail > 0 && !slices.Contains(append(ends, 0), size) {
				continue // a record that was filled in part, with more behind it: not known from an altered one
			}
			if !slices.Equal(got, all[:left]) || err != nil {
				t.Fatalf("cut at %d and %d zeros: %v, %v", size, tail, got, err)
			}
			must(t, vault.Append(v, "acts", kept{"new", left}))
			if got, err := words(t, vault.New(folder, key), "acts"); !slices.Equal(got, append(slices.Clone(all[:left]), "new")) || err != nil {
				t.Fatalf("cut at %d, and one added: %v, %v", size, got, err)
			}
		}
	}
}

// TestGrowingFileAltered flips every byte, and moves records, as a thief could.
func TestGrowingFileAltered(t *testing.T) {
	whole := t.TempDir()
	all, ends := grow(t, whole)
	data := read(t, whole, "acts.grown")
	check := func(what string, altered []byte) {
		t.Helper()
		folder := t.TempDir()
		write(t, folder, "acts.grown", altered)
		got, err := words(t, vault.New(folder, key), "acts")
		if err == nil && (len(got) >= len(all) || !slices.Equal(got, all[:len(got)])) || err != nil && !errors.Is(err, fault.Mismatch) {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	refused := 0
	for i := range data {
		bad := slices.Clone(data)
		bad[i] ^= 0x80
		check("a flipped bit", bad)
		folder := t.TempDir()
		write(t, folder, "acts.grown", bad)
		if _, err := words(t, vault.New(folder, key), "acts"); err != nil {
			refused++
		}
	}
	if refused < ends[3]*8/10 {
		t.Errorf("%d of %d flipped bits were noticed", refused, len(data))
	}
	one, two := data[:ends[0]], data[ends[0]:ends[1]]
	check("two exchanged", slices.Concat(two, one, data[ends[1]:]))
	check("the first taken out", data[ends[0]:])
	check("one taken out", slices.Concat(one, data[ends[1]:]))
	check("one twice", slices.Concat(one, one, data[ends[0]:]))
	folder := t.TempDir()
	write(t, folder, "other.grown", data)
	if got, err := words(t, vault.New(folder, key), "other"); !errors.Is(err, fault.Mismatch) {
		t.Errorf("under another name: %v, %v", got, err)
	}
	write(t, folder, "acts.grown", data)
	if got, err := words(t, vault.New(folder, [32]byte{9}), "acts"); !errors.Is(err, fault.Mismatch) {
		t.Errorf("under another key: %v, %v", got, err)
	}
	v := vault.New(folder, key)
	if _, err := words(t, v, "acts"); err != nil {
		t.Fatal(err)
	}
	write(t, folder, "acts.grown", one)
	if err := vault.Append(v, "acts", kept{"new", 5}); !errors.Is(err, fault.Mismatch) {
		t.Errorf("a file that shrank while it was in use: %v", err)
	}
	must(t, os.Remove(filepath.Join(folder, "acts.grown")))
	must(t, os.Symlink("elsewhere", filepath.Join(folder, "acts.grown")))
	if err := vault.Append(vault.New(folder, key), "acts", kept{"new", 5}); !errors.Is(err, fault.Exists) {
		t.Errorf("a link in its place: %v", err)
	}
}
