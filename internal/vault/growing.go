package vault

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"io"

	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/seal/gcm"
)

// grown ends the names of growing files: records one behind the other, each its length
// in 4 bytes, a nonce, and the sealed value. A record is authenticated with the name and
// with its place, so that none can be taken out, exchanged or put elsewhere. What an
// interrupted write leaves at the end was not acknowledged, and is passed over.
const grown = ".grown"

// maxRecord is the longest record, in bytes.
const maxRecord = 64 << 20

// A mark is how far a growing file was read: bytes and records.
type mark struct {
	size int64
	n    uint64
}

// Append adds values to a growing file, all or the first few of them. When it returns
// without error they are durable.
func Append[T any](v *Vault, name string, values ...T) error {
	if len(values) == 0 {
		return nil
	}
	path, err := v.folder.path(name + grown)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	at := v.ends[name]
	err = durable.Grow(path, func(held io.ReaderAt, size int64) (int64, []byte, error) {
		if at.size > size {
			return 0, nil, altered(name + grown)
		}
		var err error
		if at, err = v.records(name, held, at, size, func([]byte) error { return nil }); err != nil {
			return 0, nil, err
		}
		keep := at.size
		var data []byte
		for _, value := range values {
			plain, err := json.Marshal(value)
			if err != nil {
				return 0, nil, fault.Internal.Wrap(err, "keep %s", name)
			}
			data = append(data, v.record(name, at.n, plain)...)
			at.n++
		}
		at.size += int64(len(data))
		return keep, data, nil
	})
	if err == nil {
		v.ends[name] = at
	}
	return err
}

// Each calls take with every value of a growing file, in order; there may be no such file.
// One that was altered is fault.Mismatch.
func Each[T any](v *Vault, name string, take func(T) error) error {
	path, err := v.folder.path(name + grown)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return durable.View(path, func(held io.ReaderAt, size int64) error {
		at, err := v.records(name, held, mark{}, size, func(plain []byte) error {
			var value T
			if json.Unmarshal(plain, &value) != nil {
				return altered(name + grown)
			}
			return take(value)
		})
		if err == nil {
			v.ends[name] = at
		}
		return err
	})
}

// records reads from a mark to the end and returns the mark behind the last whole record.
func (v *Vault) records(name string, held io.ReaderAt, at mark, size int64, take func(plain []byte) error) (mark, error) {
	for at.size < size {
		var head [4]byte
		if _, err := held.ReadAt(head[:], at.size); err != nil {
			return at, unread(err)
		}
		n := int64(binary.BigEndian.Uint32(head[:]))
		end := at.size + int64(len(head)) + n
		if n > maxRecord && end <= size {
			return at, altered(name + grown)
		}
		if end > size || n < nonceSize {
			return at, v.torn(name, held, at.size, size, end > size)
		}
		sealed := make([]byte, n)
		if _, err := held.ReadAt(sealed, at.size+int64(len(head))); err != nil {
			return at, unread(err)
		}
		plain, err := gcm.New(v.key).Open(nil, sealed[:nonceSize], sealed[nonceSize:], place(name, at.n))
		if err != nil && end == size {
			return at, nil // the last: its bytes may not have come to the disk
		}
		if err != nil {
			return at, altered(name + grown)
		}
		if err := take(plain); err != nil {
			return at, err
		}
		at = mark{end, at.n + 1}
	}
	return at, nil
}

// torn says whether what stands at the end can be what an interrupted write left: a
// record that is cut off, or a part of the file that was never filled.
func (v *Vault) torn(name string, held io.ReaderAt, from, size int64, cut bool) error {
	if cut {
		return nil
	}
	rest := make([]byte, min(size-from, maxRecord))
	if _, err := held.ReadAt(rest, from); err != nil {
		return unread(err)
	}
	for _, b := range rest {
		if b != 0 {
			return altered(name + grown)
		}
	}
	return nil
}

// unread is a file that ends before its size, or cannot be read.
func unread(err error) error {
	if err == io.EOF {
		return nil // fewer bytes than a length: cut off
	}
	return fault.System.Wrap(err, "read a growing file")
}

// record seals one value.
func (v *Vault) record(name string, n uint64, plain []byte) []byte {
	out := make([]byte, 4+nonceSize, 4+nonceSize+len(plain)+16)
	rand.Read(out[4:]) // never fails: the program would end
	out = gcm.New(v.key).Seal(out, out[4:4+nonceSize], plain, place(name, n))
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return out
}

// place authenticates where a record stands.
func place(name string, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte(name), 0), n)
}
