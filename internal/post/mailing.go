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
	return AboutEntry(custody.NewEntry(statement), checkpoint, to...)
}

// AboutEntry is [About] for an entry that was kept, to be logged once however often it is
// sent.
func AboutEntry(e custody.Entry, checkpoint []byte, to ...Address) *Mailing {
	m := &Mailing{entry: e, checkpoint: checkpoint}
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
	m.letters, m.to = append(m.letters, l), append(m.to, to)
}

// Commitment is that of the entry.
func (m *Mailing) Commitment() custody.Commitment { return m.entry.Commitment() }

const (
	// few is how many letters hold the entry each, and go with it. In more it stands once
	// for all of them, and they go before it, in parts.
	few = 64
	// inPart is how many letters a part has.
	inPart = 256
)

// Seal seals all letters, to one length, and makes the submission. Many letters never lie
// in memory together: stage is given each part of them, and the number of its first.
func (m *Mailing) Seal(stage func(from int, part []custody.Body) error) (custody.Submission, error) {
	out := custody.Submission{Commitment: m.entry.Commitment()}
	all, prefix := Letter{Entry: m.entry.Bytes(), Checkpoint: m.checkpoint}, ""
	var part []custody.Body
	if len(m.letters) > few {
		sealed, key, err := m.share()
		if err != nil {
			return out, err
		}
		all, prefix = Letter{Common: key}, custody.InCommon
		part = []custody.Body{{Party: custody.Common, Data: sealed}}
	}
	length, err := m.padded(all)
	if err != nil {
		return out, err
	}
	for i, l := range m.letters {
		sealed, err := l.with(all).seal(m.to[i].Recipient, length)
		if err != nil {
			return out, err
		}
		part = append(part, custody.Body{Party: m.to[i].Party, Data: append([]byte(prefix), sealed...)})
		if len(m.letters) > few && (len(part) == inPart || i == len(m.letters)-1) {
			if err := stage(out.Staged.Count, part); err != nil {
				return out, err
			}
			out.Staged.Count += len(part)
			part = nil
		}
	}
	out.Bodies = part
	return out, nil
}

// with adds to a letter what is in all of them.
func (l Letter) with(all Letter) Letter {
	l.Entry, l.Checkpoint, l.Common = all.Entry, all.Checkpoint, all.Common
	return l
}

// padded is the one length to which letters are filled up.
func (m *Mailing) padded(all Letter) (int, error) {
	longest := 0
	for _, l := range m.letters {
		data, err := json.Marshal(l.with(all))
		if err != nil {
			return 0, fault.Internal.Wrap(err, "write a letter")
		}
		longest = max(longest, len(data))
	}
	return up(longest), nil
}

// common is what all letters about an entry hold.
type common struct {
	Entry      []byte `json:"entry"`
	Checkpoint []byte `json:"checkpoint,omitempty"`
}

// share seals what is common to a key that each letter gets.
func (m *Mailing) share() (sealed []byte, key string, err error) {
	data, err := json.Marshal(common{m.entry.Bytes(), m.checkpoint})
	if err != nil {
		return nil, "", fault.Internal.Wrap(err, "write letters")
	}
	id, err := seal.GenerateIdentity()
	if err != nil {
		return nil, "", err
	}
	sealed, err = seal.SealPadded(data, up(len(data)), id.Recipient())
	return sealed, id.Secret(), err
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
