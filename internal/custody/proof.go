package custody

import (
	"context"

	formats "github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/tlog"

	"chancery/internal/fault"
)

// MaxProof is the longest tlog-proof file, in bytes.
const MaxProof = 1 << 20

// A Proof is a file that ties one entry to a signed and perhaps cosigned
// checkpoint, to be verified offline (C2SP tlog-proof). Its extra data is the
// entry's salt and statement if the writer chose to open it, and is not trusted:
// the leaf is recomputed from it.
type Proof struct {
	Index      int64
	Entry      []byte // as Entry.Bytes, or nil
	Path       tlog.RecordProof
	Checkpoint []byte
}

// MakeProof proves the entry at index in the tree of a checkpoint; entry may be
// nil.
func MakeProof(ctx context.Context, s Storage, size, index int64, checkpoint, entry []byte) (*Proof, error) {
	path, err := ProveInclusion(ctx, s, size, index)
	if err != nil {
		return nil, err
	}
	return &Proof{index, entry, path, checkpoint}, nil
}

// Encode writes the file.
func (p *Proof) Encode() []byte {
	out := formats.TLogProof{Index: uint64(p.Index), Checkpoint: p.Checkpoint, ExtraData: p.Entry}
	for _, h := range p.Path {
		out.Hashes = append(out.Hashes, h)
	}
	return out.Marshal()
}

// ParseProof reads what Encode wrote, or another writer of the format. It
// verifies nothing.
func ParseProof(data []byte) (*Proof, error) {
	var in formats.TLogProof
	if len(data) > MaxProof {
		return nil, fault.Input.New("a proof has at most %d bytes", MaxProof)
	}
	if err := in.Unmarshal(data); err != nil {
		return nil, fault.Input.Wrap(err, "not a proof from a log")
	}
	if in.Index >= MaxSize || len(in.Hashes) > 63 {
		return nil, fault.Input.New("not a proof from a log")
	}
	p := &Proof{Index: int64(in.Index), Checkpoint: in.Checkpoint, Entry: in.ExtraData}
	for _, h := range in.Hashes {
		p.Path = append(p.Path, tlog.Hash(h))
	}
	return p, nil
}

// Verify checks the proof for a commitment under a policy. It returns the
// checkpoint, and whether the policy's witnesses cosigned it.
func (p *Proof) Verify(policy *Policy, commitment Commitment) (c Checkpoint, cosigned bool, err error) {
	c, cosigned, err = policy.Open(p.Checkpoint)
	if err != nil {
		return Checkpoint{}, false, err
	}
	if p.Entry != nil {
		if e, err := ParseEntry(p.Entry); err != nil || e.Commitment() != commitment {
			return Checkpoint{}, false, fault.Mismatch.New("the entry in the proof is not the one that is proven")
		}
	}
	return c, cosigned, c.Includes(commitment, p.Index, p.Path)
}
