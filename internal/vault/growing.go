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
// with its place, so that none can be taken out, exchanged or put elsewhere.
const grown = ".grown"

// maxRecord is the longest record, in bytes.
const maxRecord = 64 << 20

// An End says how far a growing file counts. Its owner keeps it in a file that is written
// afterwards: what stands behind it was never acknowledged, whatever it is, and what
// stands before it must be whole.
type End struct {
	Size int64  `json:"size"` // bytes
	N    uint64 `json:"n"`    // records
}

// Append adds values behind an end and returns the new one. When it returns without
// error they are durable. One at a time may append to a file.
func Append[T any](v *Vault, name string, end End, values ...T) (End, error) {
	if len(values) == 0 {
		return end, nil
	}
	path, err := v.folder.path(name + grown)
	if err != nil {
		return end, err
	}
	next := end
	var data []byte
	for _, value := range values {
		plain, err := json.Marshal(value)
		if err != nil {
			return end, fault.Internal.Wrap(err, "keep %s", name)
		}
		if len(plain) > maxRecord-nonceSize-tagSize {
			return end, fault.Input.New("%d bytes are too much for one record", len(plain))
		}
		data = append(data, v.record(name, next.N, plain)...)
		next.N++
	}
	next.Size += int64(len(data))
	err = durable.Grow(path, end.Size, data)
	if err != nil {
		return end, err
	}
	return next, nil
}

// Each calls take with every value of a growing file up to its end, in order. A file that
// is not whole up to there is fault.Mismatch.
func Each[T any](v *Vault, name string, end End, take func(T) error) error {
	if end == (End{}) {
		return nil
	}
	path, err := v.folder.path(name + grown)
	if err != nil {
		return err
	}
	return durable.View(path, func(held io.Reader) error {
		var at End
		for at.N < end.N {
			plain, size, err := v.read(name, at.N, held)
			if err != nil {
				return err
			}
			var value T
			if json.Unmarshal(plain, &value) != nil {
				return altered(name + grown)
			}
			if err := take(value); err != nil {
				return err
			}
			at = End{at.Size + size, at.N + 1}
		}
		if at != end {
			return altered(name + grown)
		}
		return nil
	})
}

// read reads one record, and says how many bytes it took.
func (v *Vault) read(name string, n uint64, held io.Reader) (plain []byte, size int64, err error) {
	var head [4]byte
	if _, err := io.ReadFull(held, head[:]); err != nil {
		return nil, 0, altered(name + grown)
	}
	length := binary.BigEndian.Uint32(head[:])
	if length < nonceSize || length > maxRecord {
		return nil, 0, altered(name + grown)
	}
	sealed := make([]byte, length)
	if _, err := io.ReadFull(held, sealed); err != nil {
		return nil, 0, altered(name + grown)
	}
	plain, err = gcm.New(v.key).Open(nil, sealed[:nonceSize], sealed[nonceSize:], place(name, n))
	if err != nil {
		return nil, 0, altered(name + grown)
	}
	return plain, int64(len(head)) + int64(length), nil
}

// record seals one value.
func (v *Vault) record(name string, n uint64, plain []byte) []byte {
	out := make([]byte, 4+nonceSize, 4+nonceSize+len(plain)+tagSize)
	rand.Read(out[4:]) // never fails: the program would end
	out = gcm.New(v.key).Seal(out, out[4:4+nonceSize], plain, place(name, n))
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return out
}

// place authenticates where a record stands.
func place(name string, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte(name), 0), n)
}
