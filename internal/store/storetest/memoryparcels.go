package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"maps"
	"slices"

	"chancery/internal/fault"
	"chancery/internal/store"
)

var _ Parcels = (*Memory)(nil)

// kept is what a memory keeps beside the log.
type kept struct {
	files      map[[sha256.Size]byte][]byte
	parcels    []forParty // in the order of their numbers
	seq        int64
	enrolments map[string][]byte // by nonce
}

// forParty says for whom a parcel is; a quiet one has the number 0.
type forParty struct {
	party string
	store.Listed
}

func (k kept) clone() kept {
	return kept{maps.Clone(k.files), slices.Clone(k.parcels), k.seq, maps.Clone(k.enrolments)}
}

func gaveUp(ctx context.Context, doing string) error {
	if ctx.Err() != nil {
		return fault.Interrupted.Wrap(ctx.Err(), "%s", doing)
	}
	return nil
}

// PutParcel is that of [store.Store].
func (m *Memory) PutParcel(ctx context.Context, data []byte, parties []string, quiet bool) error {
	if err := gaveUp(ctx, "keep a parcel"); err != nil {
		return err
	}
	return m.write("parcel", func() error {
		digest := sha256.Sum256(data)
		if m.kept.files == nil {
			m.kept.files = map[[sha256.Size]byte][]byte{}
		}
		m.kept.files[digest] = slices.Clone(data)
		for _, party := range parties {
			m.kept.add(party, digest, quiet)
		}
		return nil
	})
}

// add makes a file one for a party; one that was quiet may come to be listed.
func (k *kept) add(party string, digest [sha256.Size]byte, quiet bool) {
	i := slices.IndexFunc(k.parcels, func(p forParty) bool { return p.party == party && p.Digest == digest })
	if i >= 0 && (quiet || k.parcels[i].Seq > 0) {
		return
	}
	if i >= 0 {
		k.parcels = slices.Delete(slices.Clone(k.parcels), i, i+1)
	}
	p := forParty{party, store.Listed{Digest: digest}}
	if !quiet {
		k.seq++
		p.Seq = k.seq
	}
	k.parcels = append(k.parcels, p)
}

// Parcel is that of [store.Store].
func (m *Memory) Parcel(ctx context.Context, digest [sha256.Size]byte, parties []string) ([]byte, error) {
	if err := gaveUp(ctx, "read a parcel"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.ContainsFunc(m.kept.parcels, func(p forParty) bool { return p.Digest == digest && slices.Contains(parties, p.party) }) {
		return nil, fault.NotFound.New("there is no such parcel for you")
	}
	return slices.Clone(m.kept.files[digest]), nil
}

// Parcels is that of [store.Store].
func (m *Memory) Parcels(ctx context.Context, party string, after int64, n int) ([]store.Listed, error) {
	if err := gaveUp(ctx, "list parcels"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []store.Listed
	for _, p := range m.kept.parcels {
		if p.party == party && p.Seq > max(after, 0) && len(out) < n {
			out = append(out, p.Listed)
		}
	}
	return out, nil
}

// PutEnrolment is that of [store.Store].
func (m *Memory) PutEnrolment(ctx context.Context, nonce, data []byte) error {
	if err := gaveUp(ctx, "keep an enrolment"); err != nil {
		return err
	}
	return m.write("enrolment", func() error {
		if old, used := m.kept.enrolments[string(nonce)]; used {
			if !bytes.Equal(old, data) {
				return fault.Exists.New("the invitation was used already")
			}
			return nil
		}
		if m.kept.enrolments == nil {
			m.kept.enrolments = map[string][]byte{}
		}
		m.kept.enrolments[string(nonce)] = slices.Clone(data)
		return nil
	})
}

// Enrolments is that of [store.Store].
func (m *Memory) Enrolments(ctx context.Context) ([][]byte, error) {
	if err := gaveUp(ctx, "list enrolments"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out [][]byte
	for _, nonce := range slices.Sorted(maps.Keys(m.kept.enrolments)) {
		out = append(out, slices.Clone(m.kept.enrolments[nonce]))
	}
	return out, nil
}
