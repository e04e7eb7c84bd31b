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

// knownDevices are all devices that this person has or had, as far as this desk can tell.
func (d *Desk) knownDevices(more ...string) []string {
	var known []string
	for _, e := range d.dir.About(d.Person) {
		if v, ok := e.Body.(directory.Device); ok && !slices.Contains(known, v.ID()) {
			known = append(known, v.ID())
		}
	}
	return append(known, more...)
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
	known := d.knownDevices(one.ID())
	err = d.furnish(folder, vault.New(filepath.Join(folder, filesFolder), k.Device.In(d.Account.Origin()).Derive("desk files")), known)
	if err == nil {
		err = d.Vault.Put(devicesFile, known)
	}
	if err == nil {
		_, err = d.Client.Submit(ctx, post.Publish(s))
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
	for _, i := range d.items {
		if !i.Mine && i.Archive == "" {
			continue
		}
		one := Item{Cable: i.Cable, Release: i.Release, Index: i.Index, Author: i.Author, Arrived: i.Arrived, Key: i.Key, Receipt: -1,
			Mine: i.Mine, Copies: i.Copies, Record: i.Record, Wordings: i.Wordings, Archive: i.Archive, Asked: i.Asked}
		if i.Mine {
			one.Attachments = i.Attachments
		}
		if err := to.Put(cableName(i.Cable), one); err != nil {
			return err
		}
	}
	_, note := d.Client.View.Last()
	if len(note) == 0 {
		return nil
	}
	return durable.WriteFile(filepath.Join(folder, client.CheckpointFile), note)
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
