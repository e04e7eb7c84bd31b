package cli

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"chancery/internal/durable"
	"chancery/internal/fault"
)

// Limits of a file of real cables, packed and unpacked, and of one cable.
const (
	maxCables   = 64 << 20
	maxUnpacked = 1 << 30
	maxCable    = 16 << 20
)

// readCables returns the paragraphs of each cable of a file, or of
// dev.jsonl.gz in a folder: one JSON object a line, with the paragraphs as
// "body". The file may be packed with gzip.
func readCables(name string) ([][]string, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		name = filepath.Join(name, "dev.jsonl.gz")
	}
	data, err := durable.ReadFile(name, maxCables)
	if err != nil {
		return nil, err
	}
	var unpacked io.Reader = bytes.NewReader(data)
	if bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		if unpacked, err = gzip.NewReader(unpacked); err != nil {
			return nil, fault.Input.Wrap(err, "not a packed file of cables").At(name, 0, 0).WithHint("pack it with gzip, or leave it unpacked")
		}
	}
	lines := bufio.NewScanner(io.LimitReader(unpacked, maxUnpacked))
	lines.Buffer(nil, maxCable)
	var cables [][]string
	for lines.Scan() {
		var c struct {
			Body []string `json:"body"`
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, fault.Input.Wrap(err, "not a cable").At(name, len(cables)+1, 0).WithHint("each line is a JSON object whose body is a list of paragraphs")
		}
		cables = append(cables, c.Body)
	}
	if err := lines.Err(); err != nil {
		return nil, fault.Input.Wrap(err, "").At(name, len(cables)+1, 0)
	}
	return cables, nil
}
