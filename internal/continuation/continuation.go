// Package continuation is the last resort when the end of a log is lost: no mirror has
// it, and a backup alone looks to everybody like an attack. A new log begins, under
// another name and another key; what it continues, where the old one ended, and which
// statements of the directory it carries over, one appointing authority and enough
// custodians sign. Whoever was in the old log checks that against what they had read
// before they go on, so an operator cannot leave a departure out, and cannot rewind a log
// alone. Cables of the old log stay where they are, to be read and to be traced.
package continuation

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"chancery/internal/canonical"
	"chancery/internal/client"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/sign"
)

// A Body is what is signed.
type Body struct {
	Origin string         `json:"origin"` // of the log that ended
	Size   int64          `json:"size"`   // of it, as far as it is left
	Root   entries.Digest `json:"root"`
	// Account is the SHA-256 of what parties are to know of the new registry: its log, its
	// witnesses, its address.
	Account entries.Digest `json:"account"`
	// Directory is the SHA-256 of the statements that are carried over, each as an entry
	// after its SHA-256.
	Directory  entries.Digest `json:"directory"`
	Statements int            `json:"statements"`
	Reason     string         `json:"reason"`
	At         directory.Time `json:"at"`
}

// A File is a continuation on its way from hand to hand, to be signed.
type File struct {
	Format     string   `json:"format"`
	Body       Body     `json:"body"`
	End        []byte   `json:"end"` // the old log's checkpoint, as it signed it
	Account    []byte   `json:"account"`
	Directory  [][]byte `json:"directory"`  // entries; the first is the institution's
	Signatures [][]byte `json:"signatures"` // statements of one text, each signed by one key
}

const format = "chancery-continuation/v1"

// MaxFile is the longest file, in bytes.
const MaxFile = 512 << 20

// maxReason is the longest reason, in bytes.
const maxReason = 500

// CheckReason refuses a reason that is none, or that nobody would read.
func CheckReason(reason string) error {
	if reason == "" || len(reason) > maxReason {
		return fault.Usage.New("say why, in 1 to %d bytes: everybody will read it", maxReason)
	}
	return nil
}

// New describes how a registry goes on that had logged as far as a checkpoint, which its
// log signed.
func New(end custody.Checkpoint, signed []byte, account client.Account, carried []custody.Entry, reason string, now time.Time) (*File, error) {
	if err := CheckReason(reason); err != nil {
		return nil, err
	}
	f := &File{Format: format, End: signed, Account: account.Encode()}
	for _, e := range taken(carried) {
		f.Directory = append(f.Directory, e.Bytes())
	}
	f.Body = Body{Origin: end.Origin, Size: end.Size, Root: entries.Digest(end.Root), Account: sha256.Sum256(f.Account), Directory: digest(f.Directory),
		Statements: len(f.Directory), Reason: reason, At: directory.At(now)}
	return f, nil
}

func digest(all [][]byte) entries.Digest {
	h := sha256.New()
	for _, one := range all {
		sum := sha256.Sum256(one)
		h.Write(sum[:])
		h.Write(one)
	}
	return entries.Digest(h.Sum(nil))
}

// taken leaves out entries that a directory does not take.
func taken(all []custody.Entry) []custody.Entry {
	var d *directory.Directory
	var out []custody.Entry
	for i, e := range all {
		var ok bool
		if d, ok = directory.Take(d, int64(i), e.Statement); ok {
			out = append(out, e)
		}
	}
	return out
}

// Encode writes the file.
func (f *File) Encode() ([]byte, error) {
	data, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return nil, fault.Internal.Wrap(err, "write a continuation")
	}
	return append(data, '\n'), nil
}

// Parse reads what Encode wrote. What it says is still to be checked.
func Parse(name string, data []byte) (*File, error) {
	var f File
	if line, column, err := canonical.Decode(data, &f); err != nil {
		return nil, fault.Input.Wrap(err, "not a continuation").At(name, line, column)
	}
	if f.Format != format {
		return nil, fault.Input.New("not a continuation").At(name, 0, 0)
	}
	return &f, nil
}

// Sign adds the signature of an authority or a custodian; a second one of the same key
// changes nothing.
func (f *File) Sign(key *sign.Key) error {
	s, err := sign.Sign(entries.KindContinuation, f.Body, key)
	if err != nil {
		return err
	}
	for _, other := range f.Signatures {
		if _, signers, err := sign.Claims(other); err == nil && slices.Contains(signers, key.Public().ID()) {
			return nil
		}
	}
	f.Signatures = append(f.Signatures, s)
	return nil
}

// A Checked continuation is one whose parts belong together.
type Checked struct {
	Account     client.Account
	Directory   []custody.Entry
	Institution directory.Institution
	Authorities int      // that signed
	Custodians  []string // that signed
	statement   []byte
}

// Check verifies everything but that enough have signed, for somebody who knows the
// registry by its old account.
func (f *File) Check(old client.Account) (*Checked, error) {
	c := &Checked{}
	var err error
	if c.Account, err = client.ParseAccount("the new account", f.Account); err != nil {
		return nil, err
	}
	switch {
	case f.Body.Origin != old.Origin():
		return nil, fault.Mismatch.New("the continuation is of the log %q, and yours is %q", f.Body.Origin, old.Origin())
	case c.Account.Origin() == old.Origin():
		return nil, fault.Mismatch.New("the new log has the name of the old one")
	case c.Account.URL != old.URL || !slices.Equal(withoutLog(c.Account.Policy), withoutLog(old.Policy)) || len(c.Account.Begins) > 0:
		return nil, fault.Mismatch.New("the new registry has another address or other witnesses than the old one").WithHint("a continuation changes neither: both are what people know it by")
	case !bytes.Equal(c.Account.Institution, old.Institution) || c.Account.Operator.ID() != old.Operator.ID():
		return nil, fault.Mismatch.New("the new registry is of another institution, or of another operator")
	case sha256.Sum256(f.Account) != f.Body.Account || digest(f.Directory) != f.Body.Directory || len(f.Directory) != f.Body.Statements:
		return nil, fault.Mismatch.New("the continuation was altered after it was written").WithHint("ask the operator for it again")
	}
	if more, err := f.Beyond(old, f.End); err != nil || more != 0 {
		return nil, errors.Join(fault.Mismatch.New("the old log did not sign that it ended there"), err)
	}
	if c.Directory, err = f.entries(); err != nil {
		return nil, err
	}
	if len(c.Directory) == 0 || !bytes.Equal(f.Directory[0], old.Institution) || len(taken(c.Directory)) != len(c.Directory) {
		return nil, fault.Mismatch.New("the continuation carries over what is no directory of this institution")
	}
	d, err := directory.New(0, c.Directory[0].Statement)
	if err != nil {
		return nil, err
	}
	c.Institution = d.Institution()
	return c, f.signed(c)
}

// withoutLog are the lines of a policy but those that name the log.
func withoutLog(policy string) []string {
	return slices.DeleteFunc(strings.Split(policy, "\n"), func(l string) bool { return strings.HasPrefix(l, "log ") })
}

// Beyond says how many entries a checkpoint of the old log goes beyond its end as the
// continuation has it; less than none if it falls short. One of the same size and another
// root is a fault.Mismatch: the old log was forked.
func (f *File) Beyond(old client.Account, checkpoint []byte) (int64, error) {
	policy, err := custody.ParsePolicy("policy", []byte(old.Policy))
	if err != nil {
		return 0, err
	}
	c, _, err := policy.Open(checkpoint)
	if err != nil {
		return 0, err
	}
	if c.Size == f.Body.Size && entries.Digest(c.Root) != f.Body.Root {
		return 0, fault.Mismatch.New("the continuation is of another log than was seen: at %d entries it has another root", c.Size).
			WithHint("do not sign and do not follow; keep this folder, and tell an overseer")
	}
	return c.Size - f.Body.Size, nil
}

// Digest is that of what is signed.
func (f *File) Digest() (entries.Digest, error) {
	data, err := json.Marshal(f.Body)
	if err != nil {
		return entries.Digest{}, fault.Internal.Wrap(err, "write a continuation")
	}
	return sha256.Sum256(data), nil
}

func (f *File) entries() ([]custody.Entry, error) {
	var out []custody.Entry
	for _, data := range f.Directory {
		e, err := custody.ParseEntry(data)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// signed verifies the signatures: authorities first, then custodians, each once.
func (f *File) signed(c *Checked) error {
	var authorities, custodians [][]byte
	seen := map[sign.ID]bool{}
	for _, s := range f.Signatures {
		var b Body
		_, signers, err := sign.Claims(s)
		if err != nil {
			return err
		}
		if len(signers) != 1 || seen[signers[0]] {
			return fault.Mismatch.New("a signature of the continuation stands there twice")
		}
		seen[signers[0]] = true
		if i := slices.IndexFunc(c.Institution.Authorities, func(p *sign.Public) bool { return p.ID() == signers[0] }); i >= 0 {
			err = sign.Open(s, entries.KindContinuation, &b, c.Institution.Authorities[i])
			authorities = append(authorities, s)
		} else {
			var who int
			who, err = c.Institution.Custodian(s, entries.KindContinuation, &b)
			custodians = append(custodians, s)
			if err == nil {
				c.Custodians = append(c.Custodians, c.Institution.Custodians[who-1].Name)
			}
		}
		if err != nil {
			return err
		}
		if b != f.Body {
			return fault.Mismatch.New("somebody signed another continuation than this one")
		}
	}
	c.Authorities = len(authorities)
	var err error
	// The first that suffice stand in the log: later ones change nothing there.
	for _, s := range slices.Concat(authorities[:min(1, len(authorities))], custodians[:min(c.Institution.Threshold, len(custodians))]) {
		if c.statement == nil {
			c.statement = s
		} else if c.statement, err = sign.Join(c.statement, s); err != nil {
			return err
		}
	}
	return nil
}

// Missing says who has still to sign: how many authorities, and how many custodians.
func (c *Checked) Missing() (authorities, custodians int) {
	return max(0, 1-c.Authorities), max(0, c.Institution.Threshold-len(c.Custodians))
}

// Enough refuses a continuation that too few have signed (fault.Permission).
func (c *Checked) Enough() error {
	if c.Institution.Threshold+1 > sign.MaxSigners {
		return fault.Usage.New("an institution in which %d custodians must agree cannot be continued so: one statement has at most %d signers", c.Institution.Threshold, sign.MaxSigners)
	}
	a, k := c.Missing()
	if a+k == 0 {
		return nil
	}
	return fault.Permission.New("the continuation is not signed by enough: %d of 1 authorities, %d of %d custodians", min(1, c.Authorities), len(c.Custodians), c.Institution.Threshold).
		WithHint("each signs with: chancery continuation sign FILE --as FOLDER")
}

// Entries is what the new log begins with: the institution, the continuation with all its
// signatures, and the directory. They are the same whenever they are made.
func (c *Checked) Entries() []custody.Entry {
	e := custody.Entry{Salt: sha256.Sum256(c.statement), Statement: c.statement} // it lies open: the salt hides nothing
	return slices.Insert(slices.Clone(c.Directory), 1, e)
}

// Own is what a party that follows is to know of the new registry: the account, with the
// commitments of all entries that its log must begin with.
func (c *Checked) Own() client.Account {
	a := c.Account
	for _, e := range c.Entries() {
		commitment := e.Commitment()
		a.Begins = append(a.Begins, commitment[:]...)
	}
	return a
}

// Follows verifies that what somebody has read of the directory is carried over, all of
// it and in its order. Who was left out of a continuation, or a departure that was, is
// found by everybody who had read of it.
func (c *Checked) Follows(read []custody.Entry) error {
	known := taken(read)
	for i, e := range known {
		if i >= len(c.Directory) {
			return fault.Mismatch.New("the continuation leaves out %d statements of the directory that this desk has read, the first of kind %q", len(known)-i, kindOf(e)).
				WithHint("the operator lacks them: give them this desk's folder to begin anew with, --desk DIR")
		}
		if e.Commitment() != c.Directory[i].Commitment() {
			return fault.Mismatch.New("the continuation carries over another directory than this desk has read: statement %d is of kind %q, and was of kind %q", i+1, kindOf(c.Directory[i]), kindOf(e)).
				WithHint("do not go on: keep this desk's files as they are, and tell an overseer")
		}
	}
	return nil
}

// Longer returns the longer of two lists of entries that lie open, of which one must go on
// where the other ends.
func Longer(one, two []custody.Entry) ([]custody.Entry, error) {
	short, long := taken(one), taken(two)
	if len(short) > len(long) {
		short, long = long, short
	}
	for i, e := range short {
		if e.Commitment() != long[i].Commitment() {
			return nil, fault.Mismatch.New("this desk has read another directory: its statement %d is another one", i+1).WithHint("keep its files as they are, and tell an overseer")
		}
	}
	return long, nil
}

func kindOf(e custody.Entry) string {
	kind, _, err := sign.Claims(e.Statement)
	if err != nil {
		return "unknown"
	}
	return kind
}
