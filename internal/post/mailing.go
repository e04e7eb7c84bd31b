package post

import "chancery/internal/custody"

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

// Add adds a letter with what its party needs beside the entry.
func (m *Mailing) Add(to Address, l Letter) {
	l.Entry, l.Checkpoint = m.entry.Bytes(), m.checkpoint
	m.letters, m.to = append(m.letters, l), append(m.to, to)
}

// Seal seals all letters, to one length, and makes the submission.
func (m *Mailing) Seal() (custody.Submission, error) {
	bodies, err := Seal(m.letters, m.to)
	return custody.Submission{Commitment: m.entry.Commitment(), Bodies: bodies}, err
}
