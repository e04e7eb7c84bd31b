package mirror_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"chancery/internal/custody"
	"chancery/internal/fault"
	"chancery/internal/mirror"
	"chancery/internal/sign"
	"chancery/internal/store/storetest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// entry is one whose body holds about so many bytes.
func entry(n, size int) custody.Submission {
	e := custody.NewEntry(fmt.Append(nil, n))
	return custody.Submission{Commitment: e.Commitment(), Bodies: []custody.Body{{Party: "person:ada", Data: bytes.Repeat([]byte{byte(n)}, size)}}}
}

type noParcels struct{}

func (noParcels) PutParcel(context.Context, []byte, []string, bool) error {
	return fault.Internal.New("there is no parcel")
}

// TestLateMirror gives a mirror to a log that has grown for long, with large entries
// among small ones: no line of it becomes too long to be read, and it completes an old
// state of the log.
func TestLateMirror(t *testing.T) {
	ctx := t.Context()
	key, err := sign.GenerateNoteKey("mirror.example/log")
	must(t, err)
	policy, err := custody.ParsePolicy("policy", []byte("log "+strings.Join(key.LogVKeys(), "\nlog ")+"\nquorum none\n"))
	must(t, err)
	storage := &storetest.Memory{}
	must(t, custody.Create(ctx, storage, key))
	log, err := custody.Open(ctx, storage, key)
	must(t, err)
	add := func(first, n, size int) {
		t.Helper()
		for i := range n {
			_, err := log.Append(ctx, entry(first+i, size))
			must(t, err)
		}
	}
	add(0, 3, 100)
	yesterday := storage.Save()
	add(3, 24, custody.MaxEntry)
	add(27, 40, 100)
	log.Close()

	folder := t.TempDir()
	m, err := mirror.Open(folder)
	must(t, err)
	must(t, (&mirror.Log{Storage: storage, Mirror: m}).CatchUp(ctx))
	must(t, m.Close())
	data, err := os.ReadFile(filepath.Join(folder, "tail.jsonl"))
	must(t, err)
	lines := slices.DeleteFunc(bytes.SplitAfter(data, []byte("\n")), func(l []byte) bool { return len(l) == 0 })
	for i, l := range lines {
		if len(l) > 32<<20 {
			t.Errorf("line %d of %d holds %d bytes", i+1, len(lines), len(l))
		}
	}
	m, err = mirror.Open(folder)
	must(t, err)
	if m.Size() != 67 {
		t.Errorf("%d entries are mirrored", m.Size())
	}
	must(t, m.Close())

	whole, err := storage.Head(ctx)
	must(t, err)
	storage.Restore(yesterday)
	had, has, err := mirror.Restore(ctx, folder, storage, policy, noParcels{})
	must(t, err)
	if head, err := storage.Head(ctx); had != 3 || has != 67 || err != nil || !bytes.Equal(head.Checkpoint, whole.Checkpoint) {
		t.Errorf("%d entries became %d, %v", had, has, err)
	}
	// A line less is no whole log: the machine stopped before anybody was told of it.
	storage.Restore(yesterday)
	must(t, os.WriteFile(filepath.Join(folder, "tail.jsonl"), bytes.Join(lines[:len(lines)-1], nil), 0o600))
	if had, has, err := mirror.Restore(ctx, folder, storage, policy, noParcels{}); had != 3 || has != 3 || err != nil {
		t.Errorf("without its end: %d became %d, %v", had, has, err)
	}
	// The registry goes on from there with the same mirror, and loses its disk once more.
	m, err = mirror.Open(folder)
	must(t, err)
	again := &mirror.Log{Storage: storage, Mirror: m}
	must(t, again.CatchUp(ctx))
	log, err = custody.Open(ctx, again, key)
	must(t, err)
	for i := range 3 {
		_, err := log.Append(ctx, entry(1000+i, custody.MaxEntry))
		must(t, err)
	}
	log.Close()
	must(t, m.Close())
	whole, err = storage.Head(ctx)
	must(t, err)
	storage.Restore(yesterday)
	had, has, err = mirror.Restore(ctx, folder, storage, policy, noParcels{})
	if head, errHead := storage.Head(ctx); had != 3 || has != 6 || err != nil || errHead != nil || !bytes.Equal(head.Checkpoint, whole.Checkpoint) {
		t.Errorf("the second time: %d entries became %d, %v", had, has, err)
	}
	storage.Restore(yesterday)
	// One in the middle less is another log.
	must(t, os.WriteFile(filepath.Join(folder, "tail.jsonl"), bytes.Join(append(lines[:1:1], lines[2:]...), nil), 0o600))
	if _, _, err := mirror.Restore(ctx, folder, storage, policy, noParcels{}); !errors.Is(err, fault.Mismatch) {
		t.Errorf("without its middle: %v", err)
	}
}
