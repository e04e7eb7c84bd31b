package cli

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"chancery/internal/fault"
)

func TestReadCables(t *testing.T) {
	good := `{"id": "1", "body": ["One.", "Two."]}` + "\n" + `{"body": ["Three."]}` + "\n"
	tests := []struct {
		name string
		file []byte
		line int // of the error; 0 for none
		want [][]string
	}{
		{"two cables", packed(t, good), 0, [][]string{{"One.", "Two."}, {"Three."}}},
		{"none", packed(t, ""), 0, nil},
		{"a line that is no cable", packed(t, good+"x\n"), 3, nil},
		{"cut off", packed(t, good)[:30], 1, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "dev.jsonl.gz")
			if err := os.WriteFile(name, tt.file, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := readCables(name)
			var f *fault.Error
			switch {
			case tt.line == 0 && err != nil:
				t.Fatal(err)
			case tt.line > 0 && (!errors.As(err, &f) || f.Kind != fault.Input || f.File != name || f.Line != tt.line):
				t.Errorf("got %v, want bad input in line %d", err, tt.line)
			case !reflect.DeepEqual(got, tt.want):
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestReadCablesRefusesOtherFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "dev.jsonl.gz")
	if _, err := readCables(name); !errors.Is(err, fault.NotFound) {
		t.Errorf("no file gives %v", err)
	}
	if err := os.WriteFile(name, []byte("plain"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readCables(name); !errors.Is(err, fault.Input) {
		t.Errorf("a file that is not packed gives %v", err)
	}
}

func packed(t *testing.T, text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
