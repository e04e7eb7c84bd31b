package seal

import (
	"bytes"
	"errors"
	"testing"

	"chancery/internal/fault"
)

func TestSealKey(t *testing.T) {
	key, other := [32]byte{1}, [32]byte{2}
	sealed, err := SealKey([]byte("the draft"), key)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := OpenKey(sealed, key); err != nil || string(text) != "the draft" {
		t.Fatalf("%q, %v", text, err)
	}
	if _, err := OpenKey(sealed, other); !errors.Is(err, fault.Key) {
		t.Errorf("with another key: %v", err)
	}
	if bytes.Contains(sealed, []byte("AGE-SECRET")) || bytes.Contains(sealed, []byte("draft")) {
		t.Error("it lies open")
	}
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		if _, err := OpenKey(altered, key); err == nil {
			t.Fatalf("byte %d altered, and it opens", i)
		}
	}
	for n := range 120 {
		if _, err := OpenKey(sealed[:n], key); err == nil {
			t.Fatalf("%d bytes of it open", n)
		}
	}
}

func FuzzOpenKey(f *testing.F) {
	key := [32]byte{1}
	sealed, err := SealKey([]byte("the draft"), key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Fuzz(func(t *testing.T, data []byte) {
		if text, err := OpenKey(data, key); err == nil && string(text) != "the draft" {
			t.Fatalf("another text: %q", text)
		}
	})
}
