package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"chancery/internal/client"
	"chancery/internal/continuation"
	"chancery/internal/custody"
	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/registry"
	"chancery/internal/sign"
)

// continuationFile is written beside a renewed registry.
const continuationFile = "continuation.json"

type continuationOptions struct {
	Begin  continueBeginOptions  `cmd:"" help:"Prepare a new log from what is left of the old one (operator)."`
	Show   continueShowOptions   `cmd:"" help:"Say what a continuation carries over, and who has signed it."`
	Sign   continueSignOptions   `cmd:"" help:"Sign a continuation (authority, custodian)."`
	Finish continueFinishOptions `cmd:"" help:"Begin the new log, once enough have signed (operator)."`
}

// Help is shown by chancery continuation --help.
func (continuationOptions) Help() string {
	return `The last resort, when the registry's disk is gone, no mirror has the end of the log, and the backup alone is refused by everybody - or
when the log's key was stolen. A new log begins, with a new name and key. One appointing authority and enough custodians sign what it
continues; each party then follows with chancery rejoin, into a new folder with the keys they have.

  chancery continuation begin yesterday/ --data new/ --reason "the disk failed on 3 May" --desk ~/.chancery
  chancery continuation sign continuation.json --as ministry/authority-1
  chancery continuation sign continuation.json --as judge/
  chancery continuation finish yesterday/ --data new/ --signed continuation.json

The directory goes over: people, devices, offices, tenures, as far as the backup or a desk named with --desk has read them. Cables do not:
they stay in the old folders, to be read and to be traced. What was not opened yet is sent again.`
}

type continueBeginOptions struct {
	Backup         string   `arg:"" placeholder:"DIR" help:"What is left: a folder that chancery backup wrote, or the registry's own."`
	Data           string   `required:"" placeholder:"DIR" help:"New folder for the registry that goes on."`
	Reason         string   `required:"" placeholder:"TEXT" help:"Why, in a sentence that everybody will read."`
	Log            string   `placeholder:"NAME" help:"Name of the new log (the old one's and a number)."`
	Database       string   `placeholder:"URL" help:"postgres://… (a file in the folder)."`
	Desk           []string `placeholder:"DIR" help:"A desk that read the directory further than the backup did; may be given several times."`
	PassphraseFile string   `placeholder:"FILE" help:"File whose first line is the passphrase of those desks."`
}

// Run prepares a continuation.
func (o continueBeginOptions) Run(ctx context.Context, s Streams) error {
	if err := continuation.CheckReason(o.Reason); err != nil {
		return err
	}
	from := filepath.Join(o.Backup, registryDir)
	left, err := registry.ReadLeft(ctx, from)
	if err != nil {
		return err
	}
	carried := left.Open
	for _, folder := range o.Desk {
		if carried, err = o.further(s, folder, carried); err != nil {
			return err
		}
	}
	if err := makePrivate(o.Data); err != nil {
		return err
	}
	account, err := registry.Renew(from, filepath.Join(o.Data, registryDir), cmp.Or(o.Log, nextOrigin(left.Account.Origin())), o.Database)
	if err != nil {
		return err
	}
	f, err := continuation.New(left.End, left.Signed, account, carried, o.Reason, time.Now())
	if err != nil {
		return err
	}
	c, err := f.Check(left.Account)
	if err != nil {
		return err
	}
	name := filepath.Join(o.Data, continuationFile)
	if err := writeContinuation(name, f); err != nil {
		return err
	}
	sayContinuation(s, f, c)
	_, err = fmt.Fprintf(s.Out, "next: an authority and %d custodians sign %s: chancery continuation sign %s --as FOLDER\n", c.Institution.Threshold, name, name)
	return err
}

// further returns the statements that a desk has read, if they go on where those that are
// known end.
func (o continueBeginOptions) further(s Streams, folder string, known []custody.Entry) ([]custody.Entry, error) {
	d, err := deskOptions{Desk: folder, PassphraseFile: o.PassphraseFile}.open(s)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	read, err := d.Statements()
	if err != nil {
		return nil, err
	}
	longer, err := continuation.Longer(known, read)
	return longer, fault.At(err, folder, 0, 0)
}

var numbered = regexp.MustCompile(`^(.*)-([0-9]{1,6})$`)

// nextOrigin is the name of a log with the next number behind it.
func nextOrigin(old string) string {
	if m := numbered.FindStringSubmatch(old); m != nil {
		n, _ := strconv.Atoi(m[2])
		return fmt.Sprintf("%s-%d", m[1], n+1)
	}
	return old + "-2"
}

func writeContinuation(name string, f *continuation.File) error {
	data, err := f.Encode()
	if err != nil {
		return err
	}
	return durable.WriteFile(name, data)
}

func readContinuation(name string) (*continuation.File, error) {
	data, err := durable.ReadFile(name, continuation.MaxFile)
	if err != nil {
		return nil, err
	}
	return continuation.Parse(name, data)
}

// openContinuation reads a continuation and checks it against what is known of the old
// log: registry.json in a folder, or that file.
func openContinuation(name, known string) (*continuation.File, *continuation.Checked, client.Account, error) {
	old, err := readAccount(known)
	if err != nil {
		return nil, nil, old, err
	}
	f, err := readContinuation(name)
	if err != nil {
		return nil, nil, old, err
	}
	c, err := f.Check(old)
	return f, c, old, fault.At(err, name, 0, 0)
}

// sayContinuation tells what a continuation says.
func sayContinuation(s Streams, f *continuation.File, c *continuation.Checked) {
	fmt.Fprintf(s.Out, "%s goes on as %s\n", f.Body.Origin, c.Account.Origin())
	fmt.Fprintf(s.Out, "  why          %s\n", fault.Escape(f.Body.Reason))
	fmt.Fprintf(s.Out, "  written      %s\n", f.Body.At.Format("2006-01-02 15:04Z"))
	fmt.Fprintf(s.Out, "  the old log  ended, as far as it is left, at %d entries\n", f.Body.Size)
	fmt.Fprintf(s.Out, "  carried over %d statements of the directory\n", f.Body.Statements)
	fmt.Fprintf(s.Out, "  signed by    %d of 1 authorities, %d of %d custodians", min(1, c.Authorities), len(c.Custodians), c.Institution.Threshold)
	if len(c.Custodians) > 0 {
		fmt.Fprintf(s.Out, " (%s)", strings.Join(c.Custodians, ", "))
	}
	fmt.Fprintln(s.Out)
}

type continueShowOptions struct {
	File     string `arg:"" placeholder:"FILE" help:"The continuation."`
	Registry string `required:"" placeholder:"FILE" help:"registry.json of the old log, as you have it."`
}

// Run shows a continuation.
func (o continueShowOptions) Run(s Streams) error {
	f, c, _, err := openContinuation(o.File, o.Registry)
	if err != nil {
		return err
	}
	sayContinuation(s, f, c)
	return nil
}

type continueSignOptions struct {
	File  string `arg:"" placeholder:"FILE" help:"The continuation; your signature is put into it."`
	As    string `required:"" placeholder:"DIR" help:"Your folder: of an appointing authority, or of a custodian."`
	Again bool   `help:"Sign although you signed another continuation of the same log: that one must be worth nothing now."`
	Yes   bool   `short:"y" help:"Do not ask."`
}

// Help is shown by chancery continuation sign --help.
func (continueSignOptions) Help() string {
	return `Before you sign, ask the operator by another way what happened, and hear from people that their desks refuse the old log. Who signs
lets a shorter log stand for a longer one: a device that was revoked, or a tenure that ended, after the point where the old log is left
would count again, unless the directory was completed from a desk that had read of it. Every desk compares that before it follows.`
}

// Run signs a continuation.
func (o continueSignOptions) Run(s Streams) error {
	f, c, old, err := openContinuation(o.File, filepath.Join(o.As, registryInfo))
	if err != nil {
		return err
	}
	key, err := signingKey(o.As)
	if err != nil {
		return err
	}
	sayContinuation(s, f, c)
	if err := compareEnd(s, o.As, f, old); err != nil {
		return err
	}
	remembered, err := o.once(f)
	if err != nil {
		return err
	}
	if err := s.confirm(o.Yes, "--yes", "Sign that this log goes on so?"); err != nil {
		return err
	}
	if err := f.Sign(key); err != nil {
		return err
	}
	if c, err = f.Check(old); err != nil {
		return err
	}
	if err := durable.WriteFile(filepath.Join(o.As, signedFile), []byte(remembered)); err != nil {
		return err
	}
	if err := writeContinuation(o.File, f); err != nil {
		return err
	}
	a, k := c.Missing()
	_, err = fmt.Fprintf(s.Out, "signed; still to sign: %d authorities, %d custodians\n", a, k)
	return err
}

// signedFile remembers, in the folder of who signed, what was signed: a line for each.
const signedFile = "continued"

// once refuses to sign two continuations of one log, which would divide everybody into two.
// It returns what is to be remembered when this one is signed.
func (o continueSignOptions) once(f *continuation.File) (remembered string, err error) {
	digest, err := f.Digest()
	if err != nil {
		return "", err
	}
	before, err := durable.ReadFile(filepath.Join(o.As, signedFile), 1<<20)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return "", err
	}
	line := f.Body.Origin + " " + digest.String() + "\n"
	if strings.Contains(string(before), line) {
		return string(before), nil
	}
	for other := range strings.Lines(string(before)) {
		if !o.Again && strings.HasPrefix(other, f.Body.Origin+" ") {
			return "", fault.Exists.New("you signed another continuation of %s already", f.Body.Origin).
				WithHint("if that one was given up and nobody followed it, say --again; else two logs go on, and people are divided between them")
		}
	}
	return string(before) + line, nil
}

// compareEnd tells whoever signs or follows how much more of the old log their own folder
// remembers than is left.
func compareEnd(s Streams, folder string, f *continuation.File, old client.Account) error {
	note, err := durable.ReadFile(filepath.Join(folder, "checkpoint"), 1<<20)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	more, err := f.Beyond(old, note)
	if err == nil && more > 0 {
		s.warn("this folder remembers %d entries of the old log, %d more than are left", f.Body.Size+more, more)
	}
	return err
}

// signingKey reads the key of an authority or of a custodian.
func signingKey(folder string) (*sign.Key, error) {
	name := filepath.Join(folder, authorityKey)
	text, err := durable.ReadFile(name, 1<<16)
	if errors.Is(err, fault.NotFound) {
		k, err := readPartyKeys(folder)
		if errors.Is(err, fault.NotFound) {
			err = fault.NotFound.New("there is no key of an authority or a custodian").At(folder, 0, 0).WithHint("a desk signs no continuation; it follows one: chancery rejoin")
		}
		return k.Sign, err
	}
	if err != nil {
		return nil, err
	}
	key, err := sign.ParseKey(string(text))
	return key, fault.At(err, name, 0, 0)
}

type continueFinishOptions struct {
	Backup string `arg:"" placeholder:"DIR" help:"What is left, as given to begin."`
	Data   string `required:"" placeholder:"DIR" help:"The folder that begin made."`
	Signed string `placeholder:"FILE" help:"The signed continuation (that in the folder)."`
}

// Run begins the new log.
func (o continueFinishOptions) Run(ctx context.Context, s Streams) error {
	name := cmp.Or(o.Signed, filepath.Join(o.Data, continuationFile))
	f, c, _, err := openContinuation(name, filepath.Join(o.Backup, registryDir, registryInfo))
	if err != nil {
		return err
	}
	if err := c.Enough(); err != nil {
		return fault.At(err, name, 0, 0)
	}
	folder := filepath.Join(o.Data, registryDir)
	mine, err := readAccount(filepath.Join(folder, registryInfo))
	if err != nil {
		return err
	}
	if !sameAccount(mine, c.Account) {
		return fault.Mismatch.New("the continuation is for another registry than that in %s", o.Data)
	}
	if err := registry.Begin(ctx, folder, c.Entries()); err != nil {
		return err
	}
	if err := writeContinuation(filepath.Join(o.Data, continuationFile), f); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "%s begins, with %d entries\nnext: hand %s to everybody, who follows with: chancery rejoin FOLDER --continuation %s --out NEW\n      the marking desk, each custodian, overseer and authority too; a witness is told with --logs %s\n",
		c.Account.Origin(), len(c.Entries()), filepath.Join(o.Data, continuationFile), continuationFile, filepath.Join(folder, registryInfo))
	return err
}

func sameAccount(a, b client.Account) bool { return string(a.Encode()) == string(b.Encode()) }
