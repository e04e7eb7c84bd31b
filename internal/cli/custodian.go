package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"chancery/internal/durable"
	"chancery/internal/fault"
)

type custodianOptions struct {
	Folder   string `arg:"" placeholder:"FOLDER" help:"Where the custodian keeps keys and shares."`
	New      string `placeholder:"NAME" help:"Make the keys of a new custodian of this name, such as auditor."`
	Registry string `placeholder:"FILE" help:"What the founder gave you: registry.json. Needed once."`
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
	run, err := custodian(o.Folder, account, slog.New(slog.NewTextHandler(s.Err, nil)))
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Err, "chancery: custodian for %s\n", account.Origin())
	return run(ctx)
}
