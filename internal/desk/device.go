package desk

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"chancery/internal/client"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/sign"
	"chancery/internal/vault"
)

// devicesFile lists the devices that this desk knows to be its person's, by id.
const devicesFile = "devices"

// knownDevice says whether a device is this one, or one that this desk made, or was made
// by.
func (d *Desk) knownDevice(id string) bool {
	var known []string
	return id == d.Keys.Device.Public().ID().String() || d.Vault.Get(devicesFile, &known) == nil && slices.Contains(known, id)
}

// knownDevices are the devices that this desk knows to be its person's, and others.
func (d *Desk) knownDevices(more ...string) ([]string, error) {
	var known []string
	if err := d.Vault.Get(devicesFile, &known); err != nil && !errors.Is(err, fault.NotFound) {
		return nil, err
	}
	known = append(append(known, d.Keys.Device.Public().ID().String()), more...)
	slices.Sort(known)
	return slices.Compact(known), nil
}

// AddDevice makes another desk of this person's in a new folder, to be carried to another
// machine. It has the person's keys and a device key of its own, which the log names; it
// reads from the registry what came for the person, and has from here what the registry
// has not: archive keys, the cables that the person wrote, and the memory of the log.
func (d *Desk) AddDevice(ctx context.Context, folder, name, passphrase string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.knows(); err != nil {
		return err
	}
	k := Keys{d.Keys.Person.In(""), d.Keys.Identity, sign.Generate()}
	one := directory.Device{Person: d.Person, Sign: k.Device.Public(), Name: name}
	s, err := sign.Sign(directory.KindDevice, one, k.Person, k.Device)
	if err != nil {
		return err
	}
	if _, err := d.dir.Clone().Add(custody.MaxSize, s); err != nil {
		return err
	}
	if slices.ContainsFunc(d.dir.Devices(d.Person), func(v directory.Device) bool { return v.Name == name }) {
		return fault.Exists.New("you have a device %q", name).WithHint("chancery device lists them; choose another name")
	}
	if err := makeFolder(folder, d.Account, whose{deskFormat, d.Person, name, d.Again}, k, passphrase, d.Now()); err != nil {
		return err
	}
	known, err := d.knownDevices(one.ID())
	if err != nil {
		return errors.Join(err, os.RemoveAll(folder))
	}
	err = d.furnish(folder, vault.New(filepath.Join(folder, filesFolder), k.Device.In(d.Account.Origin()).Derive("desk files")), known)
	if err == nil {
		err = d.Vault.Put(devicesFile, known)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(folder))
	}
	_, err = d.Client.Submit(ctx, post.Publish(s))
	if err != nil && fault.Passing(err) {
		return fault.System.Wrap(err, "the device may be in the log, or not").At(folder, 0, 0).
			WithHint("chancery device tells when there is a line; if it is not listed, remove the folder and make another")
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(folder))
	}
	return nil
}

// furnish gives another desk of this person's what it cannot get from the registry.
func (d *Desk) furnish(folder string, to *vault.Vault, known []string) error {
	if err := to.Put(devicesFile, known); err != nil {
		return err
	}
	names, err := d.Vault.Names(post.EpochsPrefix)
	if err != nil {
		return err
	}
	for _, name := range names {
		var e post.EpochKey
		if err := d.Vault.Get(name, &e); err != nil {
			return err
		}
		if err := to.Put(name, e); err != nil {
			return err
		}
	}
	var acts []acted
	for _, i := range d.items {
		if i.Extract || !i.Mine && i.Archive == "" {
			continue
		}
		one := Item{Cable: i.Cable, Release: i.Release, Index: i.Index, Author: i.Author, Arrived: i.Arrived, Key: i.Key, Receipt: -1,
			Mine: i.Mine, Ours: i.Ours, Copies: i.Copies, Record: i.Record, Varies: i.Varies, Archive: i.Archive, Asked: i.Asked}
		if i.Mine {
			one.Attachments = i.Attachments
		}
		if err := to.Put(cableName(i.Cable), one); err != nil {
			return err
		}
		for _, a := range i.Acts {
			acts = append(acts, acted{i.Cable, a})
		}
	}
	if err := d.furnishState(to, acts); err != nil {
		return err
	}
	_, note := d.Client.View.Last()
	if len(note) == 0 {
		return nil
	}
	return durable.WriteFile(filepath.Join(folder, client.CheckpointFile), note)
}

// furnishState gives another desk what this one was told of the directory, and when: what
// was no news here is none there; and the acts on its cables.
func (d *Desk) furnishState(to *vault.Vault, acts []acted) error {
	var next state
	var known []statement
	err := vault.Each(d.Vault, directoryFile, d.state.Known, func(s statement) error {
		known = append(known, s)
		return nil
	})
	if err != nil {
		return err
	}
	if next.Known, err = vault.Append(to, directoryFile, next.Known, known...); err != nil {
		return err
	}
	if next.Acted, err = vault.Append(to, actsFile, next.Acted, acts...); err != nil {
		return err
	}
	next.Alarms = d.state.Alarms
	return to.Put("state", next)
}

// RevokeDevice takes another device of this person's out of use, and returns where the log
// says so.
func (d *Desk) RevokeDevice(ctx context.Context, v directory.Device) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if v.ID() == d.Keys.Device.Public().ID().String() {
		return 0, fault.Usage.New("this is the device %q", v.Name).WithHint("revoke it from another one, or ask the appointing authority")
	}
	s, err := sign.Sign(directory.KindRevoked, v, d.Keys.Person.In(""))
	if err != nil {
		return 0, err
	}
	if _, err := d.dir.Clone().Add(custody.MaxSize, s); err != nil {
		return 0, err
	}
	at, err := d.Client.Submit(ctx, post.Publish(s))
	if err != nil {
		return 0, err
	}
	return at[0], nil
}
