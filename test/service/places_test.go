package service

import (
	"bytes"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A place is where a thief looks: pieces of bytes, by name.
type place map[string][]byte

// found looks at a place.
func (h *hunt) found(p place) []string {
	found := map[string]bool{}
	for _, data := range p {
		h.lookInto(data, found)
	}
	var out []string
	for name := range found {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// files is every file below a folder.
func files(t testing.TB, dir string) place {
	t.Helper()
	out := place{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		out[path] = data
		return err
	}))
	return out
}

// dump is every value of every table: in the file a long one lies in pieces.
func dump(t testing.TB, file string) place {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	must(t, err)
	defer db.Close()
	rows, err := db.Query("SELECT name FROM sqlite_master WHERE type = 'table'")
	must(t, err)
	var tables []string
	for rows.Next() {
		var name string
		must(t, rows.Scan(&name))
		tables = append(tables, name)
	}
	must(t, rows.Close())
	out := place{}
	for _, table := range tables {
		rows, err := db.Query(`SELECT * FROM "` + table + `"`)
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		for n := 0; rows.Next(); n++ {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(sql.RawBytes)
			}
			must(t, rows.Scan(values...))
			for i, v := range values {
				if data := []byte(*v.(*sql.RawBytes)); len(data) >= window {
					out[fmt.Sprintf("%s %d %s", table, n, columns[i])] = bytes.Clone(data)
				}
			}
		}
		must(t, rows.Close())
	}
	return out
}

// memory is what a running process has in its memory, apart from the pages that are
// its program's file and nothing else. It is read while the process runs, as a debugger would.
func memory(t testing.TB, p *process) place {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.Process.Pid))
	must(t, err)
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", p.Process.Pid))
	must(t, err)
	defer mem.Close()
	out := place{}
	for line := range strings.Lines(string(maps)) {
		f := strings.Fields(line)
		var from, to int64
		if _, err := fmt.Sscanf(f[0], "%x-%x", &from, &to); err != nil || f[1][0] != 'r' || f[1][1] != 'w' && len(f) > 5 {
			continue
		}
		data := make([]byte, to-from)
		n, err := mem.ReadAt(data, from)
		if n == 0 {
			t.Logf("not read: %s: %v", strings.TrimSpace(line), err)
			continue
		}
		out[f[0]] = data[:n]
	}
	return out
}

func (p place) size() (n int) {
	for _, data := range p {
		n += len(data)
	}
	return n
}
