package post

import (
	"crypto/sha256"
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

// Add adds a letter with what its party needs beside the entry.
func (m *Mailing) Add(to Address, l Letter) {
	l.Entry, l.Checkpoint = m.entry.Bytes(), m.checkpoint
	m.letters, m.to = append(m.letters, l), append(m.to, to)
}

// A Mail is letters that are sealed and ready to leave: first the common part, if there
// is one, as a parcel for all whom the submission names; then the submission.
type Mail struct {
	Submission custody.Submission `json:"submission"`
	Common     []byte             `json:"common,omitempty"` // sealed
}

// Parties returns whom the letters are for.
func (m Mail) Parties() []string {
	var out []string
	for _, b := range m.Submission.Bodies {
		out = append(out, b.Party)
	}
	return out
}

// wide is how many letters hold the entry each: beyond, one sealed parcel holds it for
// all. Few readers are spared a request; many spare the registry a copy each.
const wide = 64

// Seal seals all letters, to one length, and makes the submission.
func (m *Mailing) Seal() (Mail, error) {
	out := Mail{Submission: custody.Submission{Commitment: m.entry.Commitment()}}
	var err error
	if len(m.letters) > wide {
		if out.Common, err = m.share(); err != nil {
			return out, err
		}
	}
	out.Submission.Bodies, err = Seal(m.letters, m.to)
	return out, err
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
	sealed, err := seal.Seal(data, id.Recipient())
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(sealed)
	for i := range m.letters {
		l := &m.letters[i]
		l.Entry, l.Checkpoint, l.Common, l.CommonKey = nil, nil, digest[:], id.Secret()
	}
	return sealed, nil
}

// OpenCommon completes a letter with the parcel that it names, and returns the entry.
func (l *Letter) OpenCommon(sealed []byte) (custody.Entry, error) {
	ids, err := seal.ParseIdentities("the key of a letter", []byte(l.CommonKey))
	if err != nil {
		return custody.Entry{}, err
	}
	plain, err := seal.Open(sealed, ids...)
	if err != nil {
		return custody.Entry{}, err
	}
	var c common
	if _, _, err := canonical.Decode(plain, &c); err != nil {
		return custody.Entry{}, fault.Input.Wrap(err, "not what letters have in common")
	}
	l.Entry, l.Checkpoint = c.Entry, c.Checkpoint
	return custody.ParseEntry(l.Entry)
}
