package cli

import (
	"context"
	"fmt"
	"strings"

	"chancery/internal/directory"
	"chancery/internal/fault"
)

type deviceOptions struct {
	Action    string `arg:"" optional:"" enum:"list,add,revoke," default:"list" help:"list, add or revoke."`
	Person    string `arg:"" optional:"" help:"Whose (your own)."`
	Name      string `arg:"" optional:"" help:"Which, by its name or the beginning of its id."`
	Out       string `short:"o" placeholder:"DIR" help:"With add: the folder of the new desk."`
	New       string `name:"new-passphrase-file" placeholder:"FILE" help:"With add: file whose first line is the new desk's passphrase."`
	Bare      bool   `name:"no-passphrase" help:"With add: keep the new desk's keys without a passphrase."`
	Yes       bool   `short:"y" help:"Do not ask."`
	Authority string `env:"CHANCERY_AUTHORITY" placeholder:"DIR" help:"To revoke another's: the folder of the appointing authority."`
	deskOptions
}

// Help is shown by chancery device --help.
func (deviceOptions) Help() string {
	return `Every desk is a device that the directory names.

  chancery device                                          yours
  chancery device add laptop --out DIR                     makes a second desk of yours, to be carried to another machine
  chancery device revoke laptop                            takes one of yours out of use, from another one
  chancery device revoke ann-clark laptop --authority DIR  takes somebody else's out of use

A second desk has your own keys and reads what was sent to you; what waits in the outbox of the first stays there. Whoever
has a lost device and its passphrase has your keys too: revoke it, and then ask the appointing authority for new ones
(chancery invite --new-keys).`
}

// Run lists devices, adds one, or revokes one.
func (o deviceOptions) Run(ctx context.Context, s Streams) error {
	switch {
	case o.Action == "revoke" && o.Name == "":
		return o.revokeOwn(ctx, s)
	case o.Action == "revoke":
		return o.revoke(ctx, s)
	case o.Action == "add":
		return o.add(ctx, s)
	}
	d, err := o.synced(ctx, s)
	if err != nil {
		return err
	}
	if o.Person == "" {
		o.Person = d.Person
	}
	return d.Directory(func(dir *directory.Directory) {
		for _, v := range dir.Devices(o.Person) {
			fmt.Fprintf(s.Out, "%s  %s\n", v.ID()[:16], fault.Escape(v.Name))
		}
	})
}

// add makes a second desk.
func (o deviceOptions) add(ctx context.Context, s Streams) error {
	name := o.Person
	if name == "" || o.Out == "" || o.Name != "" {
		return fault.Usage.New("what is the new device called, and where is its desk to be made?").WithHint("chancery device add NAME --out DIR")
	}
	d, err := o.synced(ctx, s)
	if err != nil {
		return err
	}
	passphrase, err := enrolOptions{NoPassphrase: o.Bare, deskOptions: deskOptions{o.Out, o.New}}.newPassphrase(s)
	if err != nil {
		return err
	}
	if err := d.AddDevice(ctx, o.Out, name, passphrase); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "made a desk of %s's in %s: the device %q\nmove the folder to the other machine, and keep no copy of it here\n", d.Person, o.Out, name)
	return err
}

// named returns the one device that is called so.
func named(all []directory.Device, person, name string) (directory.Device, error) {
	var found []directory.Device
	for _, v := range all {
		if v.Name == name || len(name) >= 6 && strings.HasPrefix(v.ID(), name) {
			found = append(found, v)
		}
	}
	switch len(found) {
	case 0:
		return directory.Device{}, fault.NotFound.New("%q has no device %q", person, name).WithHint("chancery device list %s", person)
	case 1:
		return found[0], nil
	}
	return directory.Device{}, fault.Usage.New("%q has %d devices %q", person, len(found), name).WithHint("name it by the beginning of its id: chancery device list %s", person)
}

// revokeOwn takes a device of the person's own out of use.
func (o deviceOptions) revokeOwn(ctx context.Context, s Streams) error {
	if o.Person == "" {
		return fault.Usage.New("which device?").WithHint("chancery device revoke NAME for one of yours; chancery device revoke PERSON NAME --authority DIR for another's")
	}
	d, err := o.synced(ctx, s)
	if err != nil {
		return err
	}
	var all []directory.Device
	if err := d.Directory(func(dir *directory.Directory) { all = dir.Devices(d.Person) }); err != nil {
		return err
	}
	v, err := named(all, d.Person, o.Person)
	if err != nil {
		return err
	}
	if err := s.confirm(o.Yes, "--yes", fmt.Sprintf("Revoke your device %q? It will get no keys and no answer.", v.Name)); err != nil {
		return err
	}
	at, err := d.RevokeDevice(ctx, v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "in the log at entry %d\nif somebody may have its keys, ask the appointing authority for new ones\n", at)
	return err
}

// revoke takes somebody's device out of use, as the authority.
func (o deviceOptions) revoke(ctx context.Context, s Streams) error {
	if o.Authority == "" {
		return fault.Permission.New("devices of others are the appointing authority's to revoke").WithHint("chancery device revoke PERSON NAME --authority DIR")
	}
	a, err := authorityOptions{Authority: o.Authority}.open()
	if err != nil {
		return err
	}
	dir, err := a.Directory(ctx)
	if err != nil {
		return err
	}
	v, err := named(dir.Devices(o.Person), o.Person, o.Name)
	if err != nil {
		return err
	}
	if err := s.confirm(o.Yes, "--yes", fmt.Sprintf("Revoke the device %q of %s? It will get no keys and no answer.", v.Name, o.Person)); err != nil {
		return err
	}
	index, err := a.Revoke(ctx, v)
	if err != nil {
		return err
	}
	return noted(ctx, s, a, index)
}
