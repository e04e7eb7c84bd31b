package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"chancery/internal/fault"
)

// readPage reads a file of the project.
func readPage(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestReadmeDraft: the first draft that anybody tries is the one of the
// README. It is read as it stands, without a warning, and tells a dozen
// readers apart.
func TestReadmeDraft(t *testing.T) {
	parts := strings.Split(readPage(t, "README.md"), "\n```\n")
	if len(parts) != 3 {
		t.Fatalf("%d fences", len(parts)-1)
	}
	s, _, said := streams(parts[1])
	d, err := readDraft(s, "-")
	if err != nil || len(d.warnings()) > 0 {
		t.Fatalf("%v, %v", d, err)
	}
	markOptions{}.warnWeak(s, d, 12)
	if said.Len() > 0 {
		t.Error(said)
	}
}

// TestExitCodesAreDocumented: the page on files and the help list every code.
func TestExitCodesAreDocumented(t *testing.T) {
	page := readPage(t, "docs/files.md")
	for k := fault.Internal; k <= fault.Interrupted; k++ {
		if row := fmt.Sprintf("\n| %d | %v", k.ExitCode(), k); !strings.Contains(page, row) {
			t.Errorf("docs/files.md has no row %q", row)
		}
		if text := fmt.Sprintf("%d %v", k.ExitCode(), k); !strings.Contains(description(), text) {
			t.Errorf("the help does not say %q", text)
		}
	}
}
