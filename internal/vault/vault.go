// Package vault keeps the small files of one party in a folder: durable, sealed
// under a key that is only theirs, and authenticated with their names, so that a
// file that was altered, exchanged or put under another name is refused. An older
// copy of the same file is not noticed here; the log is what tells.
package vault

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/seal/gcm"
)

// maxFile is the longest file, in bytes.
const maxFile = 256 << 20

// A Folder keeps files as they are. Names are single path elements.
type Folder string

// path is where a file lies. A name may come from somebody else's statement: one that
// leads out of the folder, or that Names passes over, is fault.Input.
func (f Folder) path(name string) (string, error) {
	if name != filepath.Base(name) || strings.HasPrefix(name, ".") || strings.ContainsAny(name, "/\\\x00") {
		return "", fault.Input.New("%q cannot be the name of a file", fault.Clip(name, maxQuoted))
	}
	return filepath.Join(string(f), name), nil
}

// maxQuoted is how much of a bad name a message holds, in bytes.
const maxQuoted = 64

// Write keeps a file. When it returns the file is durable, whole or as it was.
func (f Folder) Write(name string, data []byte) error {
	path, err := f.path(name)
	if err != nil {
		return err
	}
	return durable.WriteFile(path, data)
}

// Read returns a file; fault.NotFound if there is none.
func (f Folder) Read(name string) ([]byte, error) {
	path, err := f.path(name)
	if err != nil {
		return nil, err
	}
	return durable.ReadFile(path, maxFile)
}

// Remove removes a file, if it is there.
func (f Folder) Remove(name string) error {
	path, err := f.path(name)
	if err != nil {
		return err
	}
	err = os.Remove(path)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fault.System.Wrap(err, "remove a file")
}

// Names returns the names that begin with a prefix, sorted. What writing left
// behind when it was interrupted is passed over.
func (f Folder) Names(prefix string) ([]string, error) {
	all, err := os.ReadDir(string(f))
	if err != nil {
		return nil, fault.System.Wrap(err, "list a folder")
	}
	var out []string
	for _, e := range all {
		if e.Type().IsRegular() && strings.HasPrefix(e.Name(), prefix) && !strings.HasPrefix(e.Name(), ".") {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out, nil
}

// A Vault keeps values, sealed: one a file, or many in a file that grows.
type Vault struct {
	folder Folder
	key    [32]byte
}

// New makes a vault of a folder that exists, under a key of 32 random bytes.
func New(folder string, key [32]byte) *Vault { return &Vault{Folder(folder), key} }

// suffix marks sealed files.
const suffix = ".sealed"

// Sizes of AES-GCM, in bytes; nonces are random.
const (
	nonceSize = 12
	tagSize   = 16
)

// Put keeps a value under a name.
func (v *Vault) Put(name string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fault.Internal.Wrap(err, "keep %s", name)
	}
	if len(data) > maxFile-nonceSize-tagSize {
		return fault.Input.New("%d bytes are too much for one file", len(data)).At(name+suffix, 0, 0)
	}
	nonce := make([]byte, nonceSize, nonceSize+len(data)+tagSize)
	rand.Read(nonce)
	return v.folder.Write(name+suffix, gcm.New(v.key).Seal(nonce, nonce, data, []byte(name)))
}

// Get reads a value; fault.NotFound if there is none, fault.Mismatch if the file
// was altered, or is another's.
func (v *Vault) Get(name string, value any) error {
	sealed, err := v.folder.Read(name + suffix)
	if err != nil {
		return err
	}
	if len(sealed) < nonceSize {
		return altered(name + suffix)
	}
	data, err := gcm.New(v.key).Open(nil, sealed[:nonceSize], sealed[nonceSize:], []byte(name))
	if err != nil || json.Unmarshal(data, value) != nil {
		return altered(name + suffix)
	}
	return nil
}

func altered(file string) error {
	return fault.Mismatch.New("the file was altered, or belongs to another key").At(file, 0, 0).WithHint("restore it from a backup of this folder")
}

// Remove removes a value.
func (v *Vault) Remove(name string) error { return v.folder.Remove(name + suffix) }

// Names returns the names of values that begin with a prefix, sorted.
func (v *Vault) Names(prefix string) ([]string, error) {
	all, err := v.folder.Names(prefix)
	var out []string
	for _, name := range all {
		if name, ok := strings.CutSuffix(name, suffix); ok {
			out = append(out, name)
		}
	}
	return out, err
}
