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
func words(t testing.TB, v *vault.Vault, name string, end vault.End) ([]string, error) {
	t.Helper()
	var out []string
	err := vault.Each(v, name, end, func(k kept) error {
		if k.N != len(out) {
			t.Errorf("value %d stands at %d", k.N, len(out))
		}
		out = append(out, k.Word)
		return nil
	})
	return out, err
}

// grow makes a file of five values, and says where each ends.
func grow(t testing.TB, folder string) (all []string, ends []vault.End) {
	t.Helper()
	v := vault.New(folder, key)
	var end vault.End
	for n := range 5 {
		all = append(all, strings.Repeat("w", n+1))
		var err error
		end, err = vault.Append(v, "acts", end, kept{all[n], n})
		must(t, err)
		ends = append(ends, end)
	}
	return all, ends
}

func TestGrowingFile(t *testing.T) {
	folder := t.TempDir()
	v := vault.New(folder, key)
	if got, err := words(t, v, "acts", vault.End{}); got != nil || err != nil {
		t.Errorf("no file: %v, %v", got, err)
	}
	end, err := vault.Append[kept](v, "acts", vault.End{})
	must(t, err)
	if _, err := os.Stat(filepath.Join(folder, "acts.grown")); err == nil {
		t.Error("nothing makes a file")
	}
	for n, word := range []string{"a", "b", "c"} {
		end, err = vault.Append(v, "acts", end, kept{word, 2 * n}, kept{word, 2*n + 1})
		must(t, err)
	}
	if got, err := words(t, vault.New(folder, key), "acts", end); strings.Join(got, "") != "aabbcc" || err != nil || end.N != 6 {
		t.Errorf("%v, %v", got, err)
	}
	if names, err := v.Names(""); len(names) != 0 || err != nil {
		t.Errorf("among the values of one file each: %v", names)
	}
	if _, err := vault.Append(v, "../acts", end, kept{}); !errors.Is(err, fault.Input) {
		t.Errorf("a name that leads out: %v", err)
	}
	if strings.Contains(string(read(t, folder, "acts.grown")), "word") {
		t.Error("the file is not sealed")
	}
	if _, err := vault.Append(v, "acts", end, strings.Repeat("x", 65<<20)); !errors.Is(err, fault.Input) {
		t.Errorf("a record that could not be read again: %v", err)
	}
	if err := v.Put("long", strings.Repeat("x", 257<<20)); !errors.Is(err, fault.Input) {
		t.Errorf("a file that could not be read again: %v", err)
	}
}

// TestGrowingFileCrash leaves anything behind the end that is known, as a crash in the
// middle of an append can: it is passed over, and written over.
func TestGrowingFileCrash(t *testing.T) {
	whole := t.TempDir()
	all, ends := grow(t, whole)
	data := read(t, whole, "acts.grown")
	for n, end := range ends {
		tail := data[end.Size:]
		damaged := slices.Clone(tail)
		for i := range damaged {
			damaged[i] ^= 0x55
		}
		for what, rest := range map[string][]byte{"nothing": nil, "all that was added": tail, "a part": tail[:len(tail)/2], "zeros": make([]byte, 5000), "noise": damaged} {
			folder := t.TempDir()
			write(t, folder, "acts.grown", slices.Concat(data[:end.Size], rest))
			v := vault.New(folder, key)
			if got, err := words(t, v, "acts", end); !slices.Equal(got, all[:n+1]) || err != nil {
				t.Fatalf("%d records and %s: %v, %v", n+1, what, got, err)
			}
			next, err := vault.Append(v, "acts", end, kept{"new", n + 1})
			must(t, err)
			if got, err := words(t, vault.New(folder, key), "acts", next); !slices.Equal(got, append(slices.Clone(all[:n+1]), "new")) || err != nil {
				t.Fatalf("%d records and %s, and one added: %v, %v", n+1, what, got, err)
			}
		}
	}
}

// TestGrowingFileAltered flips every bit, cuts anywhere and moves records, as a thief
// could: all of it is noticed.
func TestGrowingFileAltered(t *testing.T) {
	whole := t.TempDir()
	_, ends := grow(t, whole)
	data := read(t, whole, "acts.grown")
	end := ends[len(ends)-1]
	refused := func(what string, altered []byte) {
		t.Helper()
		folder := t.TempDir()
		write(t, folder, "acts.grown", altered)
		if got, err := words(t, vault.New(folder, key), "acts", end); !errors.Is(err, fault.Mismatch) {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
	for i := range data {
		bad := slices.Clone(data)
		bad[i] ^= 1 << (i % 8)
		refused("a flipped bit", bad)
		refused("cut off", data[:i])
	}
	one, two := data[:ends[0].Size], data[ends[0].Size:ends[1].Size]
	refused("two exchanged", slices.Concat(two, one, data[ends[1].Size:]))
	refused("the first taken out", data[ends[0].Size:])
	refused("one twice", slices.Concat(one, one, data[ends[0].Size:]))
	folder := t.TempDir()
	if got, err := words(t, vault.New(folder, key), "acts", end); !errors.Is(err, fault.Mismatch) {
		t.Errorf("taken away: %v, %v", got, err)
	}
	if _, err := vault.Append(vault.New(folder, key), "acts", end, kept{"new", 5}); !errors.Is(err, fault.NotFound) {
		t.Errorf("added to a file that was taken away: %v", err)
	}
	write(t, folder, "other.grown", data)
	if got, err := words(t, vault.New(folder, key), "other", end); !errors.Is(err, fault.Mismatch) {
		t.Errorf("under another name: %v, %v", got, err)
	}
	write(t, folder, "acts.grown", data)
	if got, err := words(t, vault.New(folder, [32]byte{9}), "acts", end); !errors.Is(err, fault.Mismatch) {
		t.Errorf("under another key: %v, %v", got, err)
	}
	write(t, folder, "acts.grown", one)
	if _, err := vault.Append(vault.New(folder, key), "acts", end, kept{"new", 5}); !errors.Is(err, fault.Mismatch) {
		t.Errorf("added to a file that shrank: %v", err)
	}
}

// FuzzEach reads growing files that are anything. What it takes was appended.
func FuzzEach(f *testing.F) {
	folder := f.TempDir()
	_, ends := grow(f, folder)
	data := read(f, folder, "acts.grown")
	f.Add(data, int64(ends[4].Size), uint64(5))
	f.Add(data[:ends[2].Size], int64(ends[2].Size), uint64(3))
	f.Add([]byte{0, 0, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, int64(16), uint64(1))
	f.Add([]byte{}, int64(-1), uint64(1)<<63)
	f.Fuzz(func(t *testing.T, held []byte, size int64, n uint64) {
		folder := t.TempDir()
		write(t, folder, "acts.grown", held)
		got, err := words(t, vault.New(folder, key), "acts", vault.End{Size: size, N: n})
		if err != nil && !errors.Is(err, fault.Mismatch) {
			t.Fatal(err)
		}
		if err == nil && (uint64(len(got)) != n || len(got) > 0 && got[0] != "w") {
			t.Fatalf("%d values of %d: %q", len(got), n, got)
		}
	})
}
