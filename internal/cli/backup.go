package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"chancery/internal/custody"
	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/mirror"
	"chancery/internal/registry"
)

type backupOptions struct {
	Data string `required:"" placeholder:"DIR" help:"The folder of the institution; the registry may be running."`
	Out  string `short:"o" required:"" placeholder:"DIR" help:"New folder for the backup."`
}

// Help is shown by chancery backup --help.
func (backupOptions) Help() string {
	return `Writes the registry's database as it stands at one moment, with its keys, into a new folder. Keep it as you keep the registry: who has
the keys can answer in its name. It opens no cable.

A backup alone is an old state. Put back as it is, desks, marking desk and witnesses would refuse it, and rightly: it looks like an
attack. With a mirror (chancery serve --mirror DIR, on another disk) chancery restore makes it whole again; without one, all that is left
is a new log: chancery continuation.`
}

// Run backs up.
func (o backupOptions) Run(ctx context.Context, s Streams) error {
	from := filepath.Join(o.Data, registryDir)
	st, _, err := registry.OpenStore(ctx, from, "")
	if err != nil {
		return err
	}
	defer st.Close()
	if err := durable.CreateFolder(o.Out, func(*durable.Folder) error { return nil }); err != nil {
		return err
	}
	to := filepath.Join(o.Out, registryDir)
	if err := makePrivate(to); err != nil {
		return err
	}
	snapshot := filepath.Join(to, "registry.db")
	if err := st.Snapshot(ctx, snapshot); err != nil {
		return err
	}
	if err := os.Chmod(snapshot, 0o600); err != nil {
		return fault.System.Wrap(err, "write a backup")
	}
	for _, name := range []string{"log.key", "operator.key", registryInfo} {
		data, err := durable.ReadFile(filepath.Join(from, name), 1<<20)
		if err != nil {
			return err
		}
		if err := durable.CreateFile(filepath.Join(to, name), data); err != nil {
			return err
		}
	}
	head, err := st.Log().Head(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "wrote %s: about %d entries of the log, and the registry's keys\n", o.Out, head.Size)
	return err
}

type restoreOptions struct {
	Backup string `arg:"" placeholder:"DIR" help:"A folder that chancery backup wrote, or the registry's own whose database is behind its mirror."`
	Data   string `placeholder:"DIR" help:"New folder for the restored registry (the backup is completed where it lies)."`
	Mirror string `placeholder:"DIR" help:"The mirror that chancery serve --mirror kept."`
}

// Help is shown by chancery restore --help.
func (restoreOptions) Help() string {
	return `Puts a registry back: copies the backup and completes it from the mirror. The result must be the very log that was signed last,
entry for entry, or nothing is done; so desks, marking desk and witnesses go on with it as if nothing had happened. The marking desk's
own folder is not touched: its files must be as new as the log.`
}

// Run restores.
func (o restoreOptions) Run(ctx context.Context, s Streams) error {
	if o.Mirror == "" {
		return fault.Usage.New("a backup alone is an old state: everybody who has seen a newer one would refuse it").
			WithHint("complete it from the mirror: --mirror DIR; where there is none, see chancery continuation --help")
	}
	dir := o.Backup
	if o.Data != "" {
		if err := copyBackup(o.Backup, o.Data); err != nil {
			return err
		}
		dir = o.Data
	}
	st, account, err := registry.OpenStore(ctx, filepath.Join(dir, registryDir), "")
	if err != nil {
		return err
	}
	defer st.Close()
	policy, err := custody.ParsePolicy(registryInfo, []byte(account.Policy))
	if err != nil {
		return err
	}
	had, has, err := mirror.Restore(ctx, o.Mirror, st.Log(), policy, st)
	if err != nil {
		return err
	}
	if _, err := custody.Check(ctx, st.Log(), policy, leafProgress(s)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "restored %s: the backup had %d entries, with those of the mirror it has %d, and the log holds\n", dir, had, has)
	return err
}

// copyBackup copies a backup to a new folder.
func copyBackup(from, to string) error {
	all, err := os.ReadDir(filepath.Join(from, registryDir))
	if errors.Is(err, os.ErrNotExist) {
		return fault.NotFound.New("there is no backup").At(from, 0, 0)
	}
	if err != nil {
		return fault.System.Wrap(err, "read the backup")
	}
	if err := makePrivate(filepath.Join(to, registryDir)); err != nil {
		return err
	}
	for _, e := range all {
		data, err := durable.ReadFile(filepath.Join(from, registryDir, e.Name()), 1<<40)
		if err != nil {
			return err
		}
		if err := durable.CreateFile(filepath.Join(to, registryDir, e.Name()), data); err != nil {
			return err
		}
	}
	return nil
}
