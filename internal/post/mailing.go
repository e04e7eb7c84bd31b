package post

import (
	"encoding/json"

	"chancery/internal/canonical"
	"chancery/internal/custody"
	"chancery/internal/fault"
	"chancery/internal/seal"
)

// A Mailing is the letters about one entry, as they are gathered.
type Mailing struct {
	entry      custody.Entry
	checkpoint []byte
	letters    []Letter
	to         []Address
}

// NewMailing begins the letters about a statement. checkpoint is the newest that their
// writer saw.
func NewMailing(statement, checkpoint []byte) *Mailing {
	return &Mailing{entry: custody.NewEntry(statement), checkpoint: checkpoint}
}

// About is the letters about a statement that go to all addresses alike, each once.
func About(statement, checkpoint []byte, to ...Address) *Mailing {
	m := NewMailing(statement, checkpoint)
	seen := map[string]bool{}
	for _, a := range to {
		if !seen[a.Party] {
			seen[a.Party] = true
			m.Add(a, Letter{})
		}
	}
	return m
}

// Add adds a letter with what its party needs beside the entry.
func (m *Mailing) Add(to Address, l Letter) {
	l.Entry, l.Checkpoint = m.entry.Bytes(), m.checkpoint
	m.letters, m.to = append(m.letters, l), append(m.to, to)
}

// wide is how many letters hold the entry each. In more, it stands once for all of them.
const wide = 64

// Seal seals all letters, to one length, and makes the submission.
func (m *Mailing) Seal() (custody.Submission, error) {
	out := custody.Submission{Commitment: m.entry.Commitment()}
	prefix := ""
	if len(m.letters) > wide {
		common, err := m.share()
		if err != nil {
			return out, err
		}
		out.Bodies, prefix = []custody.Body{{Party: custody.Common, Data: common}}, custody.InCommon
	}
	length, err := padded(m.letters)
	if err != nil {
		return out, err
	}
	for i, l := range m.letters {
		sealed, err := l.seal(m.to[i].Recipient, length)
		if err != nil {
			return out, err
		}
		out.Bodies = append(out.Bodies, custody.Body{Party: m.to[i].Party, Data: append([]byte(prefix), sealed...)})
	}
	return out, nil
}

// common is what all letters about an entry hold.
type common struct {
	Entry      []byte `json:"entry"`
	Checkpoint []byte `json:"checkpoint,omitempty"`
}

// share takes what is common out of the letters and seals it to a key that each gets.
func (m *Mailing) share() ([]byte, error) {
	data, err := json.Marshal(common{m.entry.Bytes(), m.checkpoint})
	if err != nil {
		return nil, fault.Internal.Wrap(err, "write letters")
	}
	id, err := seal.GenerateIdentity()
	if err != nil {
		return nil, err
	}
	for i := range m.letters {
		l := &m.letters[i]
		l.Entry, l.Checkpoint, l.Common = nil, nil, id.Secret()
	}
	return seal.SealPadded(data, up(len(data)), id.Recipient())
}

// complete puts what is common into a letter.
func (l *Letter) complete(sealed []byte) error {
	ids, err := seal.ParseIdentities("the key of a letter", []byte(l.Common))
	if err != nil {
		return err
	}
	plain, err := seal.Open(sealed, ids...)
	if err != nil {
		return err
	}
	var c common
	if _, _, err := canonical.Decode(plain, &c); err != nil {
		return fault.Input.Wrap(err, "not what letters have in common")
	}
	l.Entry, l.Checkpoint = c.Entry, c.Checkpoint
	return nil
}
