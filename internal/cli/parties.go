package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chancery/internal/appoint"
	"chancery/internal/attend"
	"chancery/internal/client"
	"chancery/internal/desk"
	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/sign"
)

// Files in the folder of a party.
const (
	partyKey     = "party.key"     // of a marking desk, a custodian, an overseer
	partyPublic  = "party.json"    // its public half
	partyFiles   = "files"         // what it keeps
	authorityKey = "authority.key" // of an appointing authority
	registryInfo = "registry.json" // what a party knows of its registry
	registryDir  = "registry"      // in the folder of an institution, as those below
	markingDir   = "marking"       //
	authorityDir = "authority"     // authority-1, authority-2
	custodianDir = "custodians"    //
	overseerDir  = "overseers"     //
	inviteFormat = "chancery-invitation/v1"
)

// deskOptions say which desk a command is for.
type deskOptions struct {
	Desk           string `env:"CHANCERY_DESK" default:"${desk}" placeholder:"DIR" help:"The folder of your desk (${default})."`
	PassphraseFile string `placeholder:"FILE" help:"File whose first line is the passphrase of the desk."`
}

func (o deskOptions) open(s Streams) (*desk.Desk, error) {
	return desk.OpenFolder(o.Desk, func() (string, error) {
		if o.PassphraseFile != "" {
			return readPassphrase(s, o.PassphraseFile)
		}
		if !s.Terminal {
			return "", fault.Key.New("the desk is sealed with a passphrase, and nobody is here to ask").WithHint("name a file that holds it with --passphrase-file")
		}
		return s.ask("Passphrase of " + o.Desk + ": ")
	}, time.Now)
}

// synced opens the desk and reads what came. Without a line it says so and goes on
// with what the desk holds.
func (o deskOptions) synced(ctx context.Context, s Streams) (*desk.Desk, error) {
	d, err := o.open(s)
	if err != nil {
		return nil, err
	}
	return d, refresh(ctx, s, d)
}

// refresh reads what came, as synced does.
func refresh(ctx context.Context, s Streams, d *desk.Desk) error {
	err := d.Sync(ctx, 0)
	if errors.Is(err, fault.System) {
		s.warn("%v; what follows is what this desk knew before", err)
		err = nil
	}
	var unsent *desk.Unsent
	if errors.As(err, &unsent) {
		s.warn("a cable stays in the outbox: %v", err)
		err = nil
	}
	sayAlarms(s, d)
	return err
}

// cable opens the desk, reads what came, and finds a cable.
func (o deskOptions) cable(ctx context.Context, s Streams, ref string) (*desk.Desk, desk.Item, error) {
	d, err := o.synced(ctx, s)
	if err != nil {
		return nil, desk.Item{}, err
	}
	i, err := d.Find(ref)
	return d, i, err
}

// sayAlarms warns of what the person must know.
func sayAlarms(s Streams, d *desk.Desk) {
	for _, a := range d.Alarms() {
		s.warn("%s: %s", a.At.Format("2006-01-02 15:04Z"), a.Text)
	}
	if len(d.Alarms()) > 0 {
		fmt.Fprintln(s.Err, "hint: chancery status --seen puts these away once you have acted on them")
	}
}

// authorityOptions say with whose keys an authority acts.
type authorityOptions struct {
	Authority string        `env:"CHANCERY_AUTHORITY" required:"" placeholder:"DIR" help:"The folder of the appointing authority."`
	Second    string        `env:"CHANCERY_AUTHORITY_2" placeholder:"DIR" help:"The folder of a second authority, for what one alone must not do."`
	Wait      time.Duration `default:"10s" placeholder:"TIME" help:"Wait so long until the marking desk has taken note (${default})."`
}

func (o authorityOptions) open() (*appoint.Authority, error) {
	account, err := readAccount(filepath.Join(o.Authority, registryInfo))
	if err != nil {
		return nil, err
	}
	a := &appoint.Authority{Now: time.Now, Patience: cmp.Or(o.Wait, notedTime)}
	for _, dir := range []string{o.Authority, o.Second} {
		if dir == "" {
			continue
		}
		name := filepath.Join(dir, authorityKey)
		text, err := durable.ReadFile(name, 1<<16)
		if err != nil {
			return nil, err
		}
		key, err := sign.ParseKey(string(text))
		if err != nil {
			return nil, fault.At(err, name, 0, 0)
		}
		a.Keys = append(a.Keys, key)
	}
	a.Client, err = account.DialFrom(a.Keys[0], o.Authority, time.Now)
	return a, err
}

func readAccount(name string) (client.Account, error) {
	data, err := durable.ReadFile(name, client.MaxAccount)
	if err != nil {
		return client.Account{}, err
	}
	return client.ParseAccount(name, data)
}

func readPartyKeys(folder string) (attend.Keys, error) {
	name := filepath.Join(folder, partyKey)
	data, err := durable.ReadFile(name, 1<<20)
	if err != nil {
		return attend.Keys{}, err
	}
	return attend.ParseKeys(name, data)
}

// notedTime is how long an authority's command waits for the marking desk, unless it is
// told.
const notedTime = 10 * time.Second

// noted says whether the marking desk has taken note of a statement.
func noted(ctx context.Context, s Streams, a *appoint.Authority, index int64) error {
	err := a.Noted(ctx, index, a.Patience)
	switch {
	case err == nil:
		_, err = fmt.Fprintf(s.Out, "in the log at entry %d; the marking desk has taken note\n", index)
	case errors.Is(err, fault.System):
		s.warn("in the log at entry %d, but %v", index, err)
		err = nil
	}
	return err
}

// confirm asks a yes-or-no question. Where nobody can be asked, yes must have been
// said beforehand.
func (s Streams) confirm(yes bool, flag, question string) error {
	if yes {
		return nil
	}
	if !s.Terminal {
		return fault.Usage.New("this needs a yes, and nobody is here to give it").WithHint("say %s", flag)
	}
	fmt.Fprintf(s.Err, "%s [y/N] ", question)
	line, err := bufio.NewReader(s.In).ReadString('\n')
	if answer := strings.ToLower(strings.TrimSpace(line)); answer == "y" || answer == "yes" {
		return nil
	}
	if errors.Is(err, fault.Interrupted) {
		return err
	}
	return fault.Interrupted.New("nothing was done")
}

// deskFolder is where a desk is if nobody says otherwise.
func deskFolder() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return "chancery-desk"
	}
	return filepath.Join(home, ".chancery")
}

// date reads a day or a time.
func date(text string, def time.Time) (time.Time, error) {
	if text == "" {
		return def, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fault.Usage.New("%q is not a time", text).WithHint("2030-05-01, 2030-05-01 09:00 (UTC), or 2030-05-01T09:00:00Z")
}
