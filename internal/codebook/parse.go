package codebook

import (
	"errors"

	"chancery/cable"
	"chancery/internal/canonical"
	"chancery/internal/fault"
	"chancery/mark"
)

const (
	madeHint    = "a codebook is the file codebook.json or codebook.age that chancery mark wrote"
	changedHint = "the file was changed after the copies were made; use an untouched one"
)

// Parse reads a codebook. It refuses anything but the one canonical text, and
// any codebook whose commitments do not match what they commit to
// (fault.Mismatch). Errors carry the name and, where there is one, a position.
func Parse(name string, data []byte) (*Book, error) {
	if len(data) > MaxSize {
		return nil, fault.Input.New("a codebook has at most %d bytes", MaxSize).At(name, 0, 0).WithHint(madeHint)
	}
	var f file
	if err := decode(name, data, &f); err != nil {
		return nil, err
	}
	if f.Format != Format {
		return nil, fault.Input.New("not a codebook of this version (format %q, not %q)", f.Format, Format).At(name, 0, 0).
			WithHint(madeHint)
	}
	b, err := f.book()
	if err != nil {
		return nil, fault.At(err, name, 0, 0)
	}
	if err := b.verify(&f); err != nil {
		return nil, fault.At(err, name, 0, 0)
	}
	if line, column, differs := canonical.Differ(b.Encode(), data); differs {
		return nil, fault.Input.New("the codebook is not in its canonical form").At(name, line, column).
			WithHint(changedHint)
	}
	return b, nil
}

func decode(name string, data []byte, f *file) error {
	line, column, err := canonical.Decode(data, f)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, canonical.ErrTrailing):
		return fault.Input.New("text after the codebook's end").At(name, line, column).WithHint(changedHint)
	}
	return fault.Input.Wrap(err, "not a codebook").At(name, line, column).WithHint(madeHint)
}

// book builds a Book from a file, without trusting any of its roots.
func (f *file) book() (*Book, error) {
	draft, err := cable.Parse([]byte(f.Draft))
	if err != nil {
		return nil, fault.Input.Wrap(err, "its draft cannot be read").WithHint(changedHint)
	}
	if err := f.Rule.Check(); err != nil {
		return nil, fault.Input.Wrap(err, "its rule cannot be applied").WithHint(changedHint)
	}
	if f.Slots < 1 || f.Slots > mark.MaxSlots || len(f.Batches) == 0 {
		return nil, fault.Input.New("it has no slots or no readers").WithHint(changedHint)
	}
	return &Book{
		Reference: f.Reference, Draft: draft, Rule: f.Rule,
		Released: f.Released, draw: mark.Draw{Secret: mark.Hash(f.Secret), Slots: f.Slots}, nonce: mark.Hash(f.Nonce), salt: mark.Hash(f.Salt),
	}, nil
}

// verify recomputes every root and commitment of the file.
func (b *Book) verify(f *file) error {
	b.commitRoots()
	mismatch := func(what string) error {
		return fault.Mismatch.New("its commitment does not match: %s is not what was committed to", what).
			WithHint(changedHint)
	}
	switch {
	case b.drawRoot != mark.Hash(f.DrawRoot):
		return mismatch("the draw")
	case b.draftRoot != mark.Hash(f.DraftRoot):
		return mismatch("the draft")
	case b.Reference != referenceOf(b.Draft, b.draftRoot):
		return mismatch("the reference")
	}
	for k, batch := range f.Batches {
		if err := b.Add(batch.Readers); err != nil {
			return err
		}
		if got := b.Batches[k]; got.CopiesRoot != batch.CopiesRoot || got.Commitment != batch.Commitment {
			return mismatch("the list of copies or the rule")
		}
	}
	return nil
}
