package codebook

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"testing"

	"pgregory.net/rapid"

	"chancery/cable"
	"chancery/trace"
)

// telegram is the draft most tests mark. It has what a codebook must carry:
// linked sites, escapes, an empty alternative, letters beyond ASCII and the
// characters that JSON and HTML treat apart.
const telegram = `Reference: Ostrava 12/31
Subject: The harbour & <the> "customs"
Info: Trade;
 Treasury

1. The {harbour|port|quay} is {all but |}closed. {\min: The Minister|The Secretary} blames {smugglers|thieves}.

2. Costs – café \{bill\} included – are {up|higher|rising|climbing}; {\min} {knows|admits} it.
`

// stream is endless randomness that is the same each time.
type stream struct {
	seed  uint64
	block uint64
	left  []byte
}

func (s *stream) Read(p []byte) (int, error) {
	for n := range p {
		if len(s.left) == 0 {
			s.block++
			sum := sha256.Sum256(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, s.seed), s.block))
			s.left = sum[:]
		}
		p[n], s.left = s.left[0], s.left[1:]
	}
	return len(p), nil
}

func seeded(seed uint64) io.Reader { return &stream{seed: seed} }

// mustDraft parses a draft or ends the test.
func mustDraft(t testing.TB, text string) *cable.Draft {
	t.Helper()
	d, err := cable.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// mustBook marks a draft or ends the test.
func mustBook(t testing.TB, text string, random io.Reader, readers ...Reader) *Book {
	t.Helper()
	b, err := New(mustDraft(t, text), trace.DefaultRule(), readers, random)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mustParse reads a codebook back or ends the test.
func mustParse(t testing.TB, data []byte) *Book {
	t.Helper()
	b, err := Parse("codebook.json", data)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Encode(), data) {
		t.Fatal("what parsed encodes to something else")
	}
	return b
}

// ids makes readers of ids.
func ids(names ...string) []Reader {
	var out []Reader
	for _, n := range names {
		out = append(out, Reader{ID: n})
	}
	return out
}

// ostrava is the codebook of telegram, with copies in two batches.
func ostrava(t testing.TB) *Book {
	b := mustBook(t, telegram, seeded(1), Reader{ID: "trade.minister"}, Reader{ID: "treasury", Recipient: "age1pq1made-up"})
	if err := b.Add(ids("no10.private-office")); err != nil {
		t.Fatal(err)
	}
	return b
}

// mustDraftIn is mustDraft inside a property.
func mustDraftIn(t *rapid.T, text string) *cable.Draft {
	d, err := cable.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}
