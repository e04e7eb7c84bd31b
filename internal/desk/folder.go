package desk

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"chancery/internal/canonical"
	"chancery/internal/client"
	"chancery/internal/directory"
	"chancery/internal/durable"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/seal"
	"chancery/internal/sign"
	"chancery/internal/vault"
)

// Files in the folder of a desk. What is not among the sealed files says where the
// registry is and whose desk this is, no more.
const (
	registryFile = "registry.json"
	PersonFile   = "desk.json"
	KeysFile     = "desk.key"
	filesFolder  = "files"
	lockFile     = "lock"
)

// whose is the file that says whose desk a folder is.
type whose struct {
	Format string `json:"format"`
	Person string `json:"person"`
	Device string `json:"device"`
	Again  bool   `json:"again,omitempty"` // the person had other keys before
}

const deskFormat = "chancery-desk/v1"

// Enrol makes a desk in a new folder for somebody who was invited, and hands in its
// keys. They count once an authority has admitted them. With a passphrase the keys
// are sealed with it.
func Enrol(ctx context.Context, folder string, account client.Account, invite []byte, device, passphrase string, now func() time.Time) (*Desk, error) {
	var in entries.Invite
	if err := sign.Peek(invite, entries.KindInvite, &in); err != nil {
		return nil, err
	}
	k, err := NewKeys()
	if err != nil {
		return nil, err
	}
	e := entries.Enrolment{Invite: invite}
	person := directory.Person{ID: in.Person, Name: in.Name, Sign: k.Person.Public(), Recipient: k.Identity.Recipient().String()}
	if e.Person, err = sign.Sign(directory.KindPerson, person, k.Person); err != nil {
		return nil, err
	}
	one := directory.Device{Person: in.Person, Sign: k.Device.Public(), Name: device}
	if e.Device, err = sign.Sign(directory.KindDevice, one, k.Person, k.Device); err != nil {
		return nil, err
	}
	if err := makeFolder(folder, account, whose{deskFormat, in.Person, device, in.Again}, k, passphrase, now()); err != nil {
		return nil, err
	}
	stranger, err := account.Dial(nil, nil, nil, now)
	if err != nil {
		return nil, err
	}
	defer stranger.Close()
	if err := stranger.Enrol(ctx, e); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return OpenFolder(folder, func() (string, error) { return passphrase, nil }, now)
}

func makeFolder(folder string, account client.Account, w whose, k Keys, passphrase string, now time.Time) error {
	about, err := json.MarshalIndent(w, "", " ")
	if err != nil {
		return fault.Internal.Wrap(err, "make a desk")
	}
	secret := k.Secret(now)
	if passphrase != "" {
		if secret, err = seal.SealPassphrase(secret, passphrase); err != nil {
			return err
		}
	}
	if err := durable.MakeFolders(filepath.Dir(folder)); err != nil {
		return err
	}
	return durable.CreateFolder(folder, func(f *durable.Folder) error {
		for name, data := range map[string][]byte{registryFile: account.Encode(), PersonFile: append(about, '\n'), KeysFile: secret, filesFolder + "/README": []byte("Sealed files of a desk. Do not edit.\n")} {
			if err := f.WriteFile(name, data); err != nil {
				return err
			}
		}
		return nil
	})
}

// OpenFolder opens the desk of a folder. passphrase is asked for if the keys are
// sealed with one.
func OpenFolder(folder string, passphrase func() (string, error), now func() time.Time) (*Desk, error) {
	data, err := durable.ReadFile(filepath.Join(folder, PersonFile), 1<<16)
	if errors.Is(err, fault.NotFound) {
		return nil, fault.NotFound.New("there is no desk").At(folder, 0, 0).WithHint("chancery enrol makes one from an invitation; --desk says where it is")
	}
	if err != nil {
		return nil, err
	}
	// Two commands on one desk would each write over what the other did.
	held, err := durable.Hold(filepath.Join(folder, lockFile), patience)
	if err != nil {
		return nil, err
	}
	d, err := openHeld(folder, data, passphrase, now)
	if err != nil {
		return nil, errors.Join(err, held.Close())
	}
	d.held = held
	return d, nil
}

// patience is how long a command waits for another one on the same desk.
const patience = 30 * time.Second

func openHeld(folder string, data []byte, passphrase func() (string, error), now func() time.Time) (*Desk, error) {
	var w whose
	if _, _, err := canonical.Decode(data, &w); err != nil || w.Format != deskFormat {
		return nil, fault.Input.New("not the file of a desk").At(filepath.Join(folder, PersonFile), 0, 0)
	}
	data, err := durable.ReadFile(filepath.Join(folder, registryFile), client.MaxAccount)
	if err != nil {
		return nil, err
	}
	account, err := client.ParseAccount(filepath.Join(folder, registryFile), data)
	if err != nil {
		return nil, err
	}
	k, err := readKeys(filepath.Join(folder, KeysFile), passphrase)
	if err != nil {
		return nil, err
	}
	k = k.in(account.Origin())
	c, err := account.DialFrom(k.Device, folder, now)
	if err != nil {
		return nil, err
	}
	return Open(Config{Keys: k, Person: w.Person, Again: w.Again, Account: account, Client: c, Vault: vault.New(filepath.Join(folder, filesFolder), k.Device.Derive("desk files")), Now: now})
}

func readKeys(name string, passphrase func() (string, error)) (Keys, error) {
	secret, err := durable.ReadFile(name, 1<<20)
	if err != nil {
		return Keys{}, err
	}
	if seal.IsSealed(secret) {
		p, err := passphrase()
		if err != nil {
			return Keys{}, err
		}
		if secret, err = seal.OpenPassphrase(secret, p); err != nil {
			return Keys{}, fault.At(err, name, 0, 0)
		}
	}
	return ParseKeys(name, secret)
}
