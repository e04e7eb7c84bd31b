// Package canonical reads JSON formats that have one text each: unknown
// fields, text after the end, and any other spelling are refused, and every
// refusal has a place. It knows no format and opens no file.
package canonical

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// ErrTrailing says that text follows the value.
var ErrTrailing = errors.New("text after its end")

// Decode reads the one value of data into v. With an error it returns the
// place, 1-based, columns in characters.
func Decode(data []byte, v any) (line, column int, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err = d.Decode(v)
	at := d.InputOffset()
	if err == nil {
		if _, more := d.Token(); more == io.EOF {
			return 0, 0, nil
		}
		at, err = d.InputOffset(), ErrTrailing
	}
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset - 1
	case errors.Is(err, io.ErrUnexpectedEOF):
		at = int64(len(data))
	case errors.As(err, &typed):
		at = typed.Offset
	}
	line, column = position(data, at)
	return line, column, err
}

// Differ returns the place in data where it first differs from the canonical
// text, and whether it does.
func Differ(canonical, data []byte) (line, column int, differs bool) {
	if bytes.Equal(canonical, data) {
		return 0, 0, false
	}
	same := 0
	for same < min(len(canonical), len(data)) && canonical[same] == data[same] {
		same++
	}
	line, column = position(data, int64(same))
	return line, column, true
}

// position turns a byte offset into a line and a column.
func position(data []byte, offset int64) (line, column int) {
	before := data[:min(max(offset, 0), int64(len(data)))]
	last := before[bytes.LastIndexByte(before, '\n')+1:]
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(last) + 1
}
