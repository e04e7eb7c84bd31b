package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"chancery/internal/continuation"
	"chancery/internal/desk"
	"chancery/internal/durable"
	"chancery/internal/fault"
)

type rejoinOptions struct {
	Folder         string `arg:"" placeholder:"DIR" help:"Your folder: a desk, a marking desk, a custodian, an overseer, an authority."`
	Continuation   string `required:"" placeholder:"FILE" help:"The signed continuation."`
	Out            string `short:"o" required:"" placeholder:"DIR" help:"New folder, for the new log."`
	PassphraseFile string `placeholder:"FILE" help:"File whose first line is the passphrase of the desk."`
	Yes            bool   `short:"y" help:"Do not ask."`
}

// Help is shown by chancery rejoin --help.
func (rejoinOptions) Help() string {
	return `Follows your institution into a new log, after the end of the old one was lost: see chancery continuation. It is verified who signed that,
and for a desk that all it has read of the directory goes over. The new folder has your keys and the archive keys of your offices.
The old folder stays as it is: keep it. In it are the cables that you have opened, and with a custodian the shares that trace them.`
}

// Run makes the new folder.
func (o rejoinOptions) Run(s Streams) error {
	f, c, old, err := openContinuation(o.Continuation, filepath.Join(o.Folder, registryInfo))
	if err != nil {
		return err
	}
	if err := c.Enough(); err != nil {
		return fault.At(err, o.Continuation, 0, 0)
	}
	sayContinuation(s, f, c)
	if err := compareEnd(s, o.Folder, f, old); err != nil {
		return err
	}
	_, err = os.Stat(filepath.Join(o.Folder, desk.PersonFile))
	isDesk := err == nil
	if isDesk {
		if err := o.compare(s, f, c); err != nil {
			return err
		}
	}
	if err := s.confirm(o.Yes, "--yes", "Follow into the new log?"); err != nil {
		return err
	}
	if err := move(o.Folder, o.Out, c.Own().Encode()); err != nil {
		return err
	}
	if isDesk {
		if err := o.tell(s, f, c); err != nil {
			return errors.Join(err, os.RemoveAll(o.Out))
		}
	}
	_, err = fmt.Fprintf(s.Out, "made %s; keep %s\n", o.Out, o.Folder)
	return err
}

// compare verifies that a desk's directory goes over, and says what of its cables does not
// stand in what is left of the old log.
func (o rejoinOptions) compare(s Streams, f *continuation.File, c *continuation.Checked) error {
	d, err := deskOptions{Desk: o.Folder, PassphraseFile: o.PassphraseFile}.open(s)
	if err != nil {
		return err
	}
	defer d.Close()
	read, err := d.Statements()
	if err != nil {
		return err
	}
	if err := c.Follows(read); err != nil {
		return err
	}
	for _, i := range d.Items() {
		switch {
		case i.Mine && i.Index >= f.Body.Size:
			s.warn("%s, which you sent, is not in what is left: send it again", fault.Escape(i.Release.Reference))
		case !i.Mine && i.Text == "":
			s.warn("%s was not opened: its keys will not come, ask %s to send it again", fault.Escape(i.Release.Reference), fault.Escape(i.Author))
		}
	}
	if n := len(d.Outbox()); n > 0 {
		s.warn("%d cables wait in the outbox of the old folder: send them from the new one", n)
	}
	return nil
}

// tell leaves word of the continuation at the new desk.
func (o rejoinOptions) tell(s Streams, f *continuation.File, c *continuation.Checked) error {
	d, err := deskOptions{Desk: o.Out, PassphraseFile: o.PassphraseFile}.open(s)
	if err != nil {
		return err
	}
	before, err := filepath.Abs(o.Folder)
	if err != nil {
		before = o.Folder
	}
	return errors.Join(d.Tell("this log continues %s, whose end was lost (%s): what stood behind its entry %d is not in it; signed by an authority and the custodians %s; the cables of before are in %s",
		f.Body.Origin, f.Body.Reason, f.Body.Size, strings.Join(c.Custodians, ", "), before), d.Close())
}

// A party's folder has one of these keys.
var partyKeys = []string{desk.KeysFile, partyKey, authorityKey}

// moved are the files of a party that go over to the new log.
var moved = append([]string{desk.PersonFile, partyPublic}, partyKeys...)

// move makes a new folder with a party's keys and the archive keys of offices, and nothing
// else of the old one.
func move(from, to string, account []byte) error {
	archives, err := filepath.Glob(filepath.Join(from, partyFiles, "epoch-*"))
	if err != nil {
		return fault.Internal.Wrap(err, "list archive keys")
	}
	files := map[string][]byte{registryInfo: account, filepath.Join(partyFiles, "README"): []byte("What is kept here belongs to the log in registry.json. Do not edit.\n")}
	for _, name := range moved {
		data, err := durable.ReadFile(filepath.Join(from, name), 1<<24)
		if errors.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		files[name] = data
	}
	if !slices.ContainsFunc(partyKeys, func(name string) bool { return files[name] != nil }) {
		return fault.NotFound.New("there are no keys of a party").At(from, 0, 0).WithHint("name the folder of a desk, a marking desk, a custodian, an overseer or an authority")
	}
	for _, name := range archives {
		if files[filepath.Join(partyFiles, filepath.Base(name))], err = durable.ReadFile(name, 1<<28); err != nil {
			return err
		}
	}
	if err := makePrivate(filepath.Dir(filepath.Clean(to))); err != nil {
		return err
	}
	return durable.CreateFolder(to, func(f *durable.Folder) error {
		for name, data := range files {
			if err := f.WriteFile(name, data); err != nil {
				return err
			}
		}
		return nil
	})
}
