package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"chancery/internal/attend"
	"chancery/internal/durable"
	"chancery/internal/fault"
)

type custodianOptions struct {
	Folder   string `arg:"" placeholder:"FOLDER" help:"Where the custodian keeps keys and shares."`
	New      string `placeholder:"NAME" help:"Make the keys of a new custodian of this name, such as auditor."`
	Registry string `placeholder:"FILE" help:"What the founder gave you: registry.json. Needed once."`
	Recover  string `placeholder:"OFFICE" help:"Give your shares of the archive keys of this office to somebody who sits there, because nobody is left to hand them over."`
	Absent   string `placeholder:"OFFICE" help:"Sign that whoever sat in this office is not there to hand it over to their successor."`
	For      string `placeholder:"PERSON" help:"With --recover: to whom. With --absent: the successor."`
	Yes      bool   `short:"y" help:"With --recover and --absent: do not ask."`
}

// Help is shown by chancery custodian --help.
func (custodianOptions) Help() string {
	return `A custodian holds shares without which no leak can be traced, and no single custodian can. It checks each share
when it comes and says so in the log; a draw is used only after enough custodians have.

  chancery custodian judge/ --new judge            makes keys; give judge/party.json to the founder
  chancery custodian judge/ --registry registry.json
  chancery custodian judge/

It is not in the way of any cable: it may be stopped for days, as long as draws are left.`
}

// Run makes or runs a custodian.
func (o custodianOptions) Run(ctx context.Context, s Streams) error {
	if o.New != "" {
		if _, err := makeParty(o.Folder, o.New); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.Out, "made; give %s to whoever founds the institution, and keep %s\n", filepath.Join(o.Folder, partyPublic), filepath.Join(o.Folder, partyKey))
		return err
	}
	info := filepath.Join(o.Folder, registryInfo)
	if o.Registry != "" {
		account, err := readAccount(o.Registry)
		if err != nil {
			return err
		}
		if err := durable.CreateFile(info, account.Encode()); err != nil && !errors.Is(err, fault.Exists) {
			return err
		}
	}
	account, err := readAccount(info)
	if errors.Is(err, fault.NotFound) {
		return fault.NotFound.New("the custodian does not know its registry").WithHint("give --registry registry.json once")
	}
	if err != nil {
		return err
	}
	one, err := custodian(o.Folder, account, slog.New(slog.NewTextHandler(s.Err, nil)))
	if err != nil {
		return err
	}
	switch {
	case (o.Recover != "" || o.Absent != "") && o.For == "":
		return fault.Usage.New("for whom?").WithHint("--for PERSON, who sits there")
	case o.Recover != "":
		return o.recover(ctx, s, one)
	case o.Absent != "":
		return o.standIn(ctx, s, one)
	}
	fmt.Fprintf(s.Err, "chancery: custodian for %s\n", account.Origin())
	return one.Run(ctx)
}

// recover gives shares of an archive key.
func (o custodianOptions) recover(ctx context.Context, s Streams, one *attend.Custodian) error {
	if err := s.confirm(o.Yes, "--yes", fmt.Sprintf("Give your shares of the archive keys of %s to %s? The log will say so.", o.Recover, o.For)); err != nil {
		return err
	}
	n, err := one.Recover(ctx, o.Recover, o.For)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "gave %d shares to %s; with those of enough custodians their desk restores the keys\n", n, o.For)
	return err
}

// standIn signs in the place of holders who are absent.
func (o custodianOptions) standIn(ctx context.Context, s Streams, one *attend.Custodian) error {
	all, err := one.Absences(ctx, o.Absent, o.For)
	if err != nil {
		return err
	}
	for _, h := range all {
		fmt.Fprintf(s.Out, "%s sits in %s, where %s sat before, and listed %d cables of the office (inventory %.16s...)\n", h.To, h.Office, h.From, h.N, h.Inventory)
		if err := s.confirm(o.Yes, "--yes", fmt.Sprintf("Sign that %s is not there to hand it over?", h.From)); err != nil {
			return err
		}
		if err := one.StandIn(ctx, h); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(s.Out, "signed, and %s is told; %s logs it when enough custodians have\n", h.From, h.To); err != nil {
			return err
		}
	}
	return nil
}
