package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chancery/internal/attend"
	"chancery/internal/client"
	"chancery/internal/directory"
	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/registry"
	"chancery/internal/sign"
)

type initOptions struct {
	Folder    string   `arg:"" placeholder:"DIR" help:"New folder for the institution."`
	Name      string   `required:"" placeholder:"NAME" help:"What the institution is called."`
	URL       string   `name:"url" required:"" placeholder:"URL" help:"Where desks reach the registry, such as https://registry.example:7000."`
	Log       string   `placeholder:"NAME" help:"Name of the custody log (the host of the URL, and /log)."`
	Database  string   `placeholder:"URL" help:"postgres://… (a file in the folder)."`
	Custodian []string `placeholder:"FILE" help:"Public half of a custodian (chancery custodian --new makes it); two or more."`
	Overseer  []string `placeholder:"FILE" help:"Public half of an overseer."`
	Trial     bool     `help:"Make three custodians and an overseer here, to try things out: whoever has this folder has all their keys."`
	Threshold int      `default:"2" help:"How many custodians must agree to open a case (${default})."`
	Witness   string   `placeholder:"FILE" help:"Lines that name outside witnesses (chancery witness --new prints them)."`
}

// Help is shown by chancery init --help.
func (initOptions) Help() string {
	return `Founds an institution: the registry's log and keys, a marking desk, two appointing authorities.
What it makes is for different people, and the keys must not stay together:

  DIR/registry       the registry's operator: log and keys; it opens no cable
  DIR/marking        the marking desk: draws wordings without seeing one
  DIR/authority-1    the first appointing authority
  DIR/authority-2    the second one

  chancery custodian judge/ --new judge            on each custodian's own machine
  chancery init ministry/ --name "Ministry of Example" --url https://registry.example:7000 \
      --custodian judge.json --custodian clerk.json --custodian auditor.json
  chancery serve --data ministry/ --listen :7000

To try it out on one machine: --trial in place of --custodian.`
}

// Run founds an institution.
func (o initOptions) Run(ctx context.Context, s Streams) error {
	origin, err := o.origin()
	if err != nil {
		return err
	}
	var witnesses []byte
	if o.Witness != "" {
		if witnesses, err = o.witnesses(); err != nil {
			return err
		}
	}
	if err := durable.CreateFolder(o.Folder, func(*durable.Folder) error { return nil }); err != nil {
		return err
	}
	if err := o.found(ctx, origin, witnesses); err != nil {
		// Half an institution is none; the folder was made a moment ago.
		return errors.Join(err, os.RemoveAll(o.Folder))
	}
	return o.say(s)
}

// found makes the keys and the registry.
func (o initOptions) found(ctx context.Context, origin string, witnesses []byte) error {
	in, authorities, err := o.institution()
	if err != nil {
		return err
	}
	account, err := registry.Found(ctx, filepath.Join(o.Folder, registryDir), registry.Founding{URL: o.URL, Origin: origin, Database: o.Database, Witnesses: witnesses,
		Institution: func(operator *sign.Public) ([]byte, error) {
			in.Operator = operator
			return sign.Sign(directory.KindInstitution, in, authorities...)
		}})
	if err != nil {
		return err
	}
	return o.tellParties(account)
}

func (o initOptions) origin() (string, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.Path != "" && u.Path != "/" {
		return "", fault.Usage.New("%q is not where a registry is", o.URL).WithHint("https://HOST:PORT")
	}
	if o.Log != "" {
		return o.Log, nil
	}
	return u.Hostname() + "/log", nil
}

// witnesses reads lines of a policy and makes their group the quorum.
func (o initOptions) witnesses() ([]byte, error) {
	data, err := durable.ReadFile(o.Witness, 1<<20)
	if err != nil {
		return nil, err
	}
	text := string(data)
	if !strings.Contains("\n"+text, "\nquorum ") {
		group := ""
		for line := range strings.Lines(text) {
			if f := strings.Fields(line); len(f) > 1 && f[0] == "group" {
				group = f[1]
			}
		}
		if group == "" {
			return nil, fault.Input.New("the file names no group of witnesses").At(o.Witness, 0, 0).WithHint("use the lines that chancery witness --new printed")
		}
		text += "quorum " + group + "\n"
	}
	return []byte(text), nil
}

// institution makes the keys and the first statement, without the operator.
func (o initOptions) institution() (directory.Institution, []*sign.Key, error) {
	in := directory.Institution{Name: o.Name, Threshold: o.Threshold}
	var authorities []*sign.Key
	for i := range 2 {
		key := sign.Generate()
		authorities, in.Authorities = append(authorities, key), append(in.Authorities, key.Public())
		dir := filepath.Join(o.Folder, fmt.Sprintf("%s-%d", authorityDir, i+1))
		if err := makePrivate(dir); err != nil {
			return in, nil, err
		}
		if err := durable.CreateFile(filepath.Join(dir, authorityKey), []byte(key.Secret())); err != nil {
			return in, nil, err
		}
	}
	m, err := makeParty(filepath.Join(o.Folder, markingDir), "marking")
	if err != nil {
		return in, nil, err
	}
	in.Marking = []directory.Party{m.Party()}
	if o.Trial {
		err = o.trial(&in)
		return in, authorities, err
	}
	if len(o.Custodian) < 2 {
		return in, nil, fault.Usage.New("an institution has two or more custodians").WithHint("name each with --custodian FILE, or say --trial to try things out")
	}
	if in.Custodians, err = readParties(o.Custodian); err != nil {
		return in, nil, err
	}
	in.Overseers, err = readParties(o.Overseer)
	return in, authorities, err
}

// trial makes custodians and an overseer in the folder itself.
func (o initOptions) trial(in *directory.Institution) error {
	if len(o.Custodian) > 0 {
		return fault.Usage.New("--trial makes custodians; --custodian names them").WithHint("say one of the two")
	}
	for _, name := range []string{"auditor", "clerk", "judge"} {
		k, err := makeParty(filepath.Join(o.Folder, custodianDir, name), name)
		if err != nil {
			return err
		}
		in.Custodians = append(in.Custodians, k.Party())
	}
	k, err := makeParty(filepath.Join(o.Folder, overseerDir, "inspector"), "inspector")
	in.Overseers = []directory.Party{k.Party()}
	return err
}

// tellParties puts what is to be known of the registry beside every key.
func (o initOptions) tellParties(a client.Account) error {
	dirs := []string{authorityDir + "-1", authorityDir + "-2", markingDir}
	for _, parent := range []string{custodianDir, overseerDir} {
		all, err := filepath.Glob(filepath.Join(o.Folder, parent, "*"))
		if err != nil {
			return fault.Internal.Wrap(err, "list parties")
		}
		for _, name := range all {
			dirs = append(dirs, filepath.Join(parent, filepath.Base(name)))
		}
	}
	for _, dir := range dirs {
		if err := durable.CreateFile(filepath.Join(o.Folder, dir, registryInfo), a.Encode()); err != nil {
			return err
		}
	}
	return nil
}

func (o initOptions) say(s Streams) error {
	next := "hand " + filepath.Join(o.Folder, registryDir, registryInfo) + " to each custodian: chancery custodian FOLDER --registry registry.json\n"
	if o.Trial {
		next = "this is a trial: all keys lie in one folder, so nobody is protected from whoever has it\n"
	}
	_, err := fmt.Fprintf(s.Out, "founded %s in %s\n%snext: chancery serve --data %s --listen %s\n      chancery invite ID \"NAME\" --authority %s --out ID.invite\n", o.Name, o.Folder, next, o.Folder,
		listenOf(o.URL), filepath.Join(o.Folder, authorityDir+"-1"))
	return err
}

// listenOf is the address to listen at for a URL.
func listenOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Port() == "" {
		return ":443"
	}
	return u.Host
}

// makeParty makes the folder and the keys of a party.
func makeParty(folder, name string) (attend.Keys, error) {
	k, err := attend.NewKeys(name)
	if err != nil {
		return k, err
	}
	if err := makePrivate(filepath.Join(folder, partyFiles)); err != nil {
		return k, err
	}
	public, err := json.MarshalIndent(k.Party(), "", " ")
	if err != nil {
		return k, fault.Internal.Wrap(err, "write a key")
	}
	if err := durable.CreateFile(filepath.Join(folder, partyPublic), append(public, '\n')); err != nil {
		return k, err
	}
	return k, durable.CreateFile(filepath.Join(folder, partyKey), k.Secret(time.Now()))
}

// readParties reads public halves.
func readParties(names []string) ([]directory.Party, error) {
	var out []directory.Party
	for _, name := range names {
		data, err := durable.ReadFile(name, 1<<20)
		if err != nil {
			return nil, err
		}
		var p directory.Party
		if err := json.Unmarshal(data, &p); err != nil || p.Sign == nil {
			return nil, fault.Input.New("not the public half of a party's keys").At(name, 0, 0).WithHint("chancery custodian FOLDER --new NAME makes one: %s", partyPublic)
		}
		out = append(out, p)
	}
	return out, nil
}

// makePrivate makes a folder for its owner alone.
func makePrivate(folder string) error {
	return durable.MakeFolders(folder)
}
