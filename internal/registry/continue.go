package registry

import (
	"context"
	"strings"

	"chancery/internal/client"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/fault"
	"chancery/internal/sign"
)

// A Left log is what a backup has of a log whose end is lost.
type Left struct {
	Account client.Account
	End     custody.Checkpoint
	Signed  []byte          // the checkpoint of the end, as the log signed it
	Open    []custody.Entry // what lies open for everyone, in its order
}

// ReadLeft reads what is left of a registry in a folder.
func ReadLeft(ctx context.Context, folder string) (*Left, error) {
	s, account, err := OpenStore(ctx, folder, "")
	if err != nil {
		return nil, err
	}
	defer s.Close()
	policy, err := custody.ParsePolicy("policy", []byte(account.Policy))
	if err != nil {
		return nil, err
	}
	out := &Left{Account: account}
	if out.End, err = custody.Check(ctx, s.Log(), policy, nil); err != nil {
		return nil, err
	}
	head, err := s.Log().Head(ctx)
	if err != nil {
		return nil, err
	}
	out.Signed = head.Checkpoint
	var from custody.Place
	for {
		some, err := s.Log().Bodies(ctx, directory.Everyone, from, atOnce)
		if err != nil {
			return nil, err
		}
		for _, b := range some {
			e, err := custody.ParseEntry(b.Data)
			if err != nil {
				return nil, err
			}
			out.Open = append(out.Open, e)
			from = b.Place.Next()
		}
		if len(some) < atOnce {
			return out, nil
		}
	}
}

// Renew makes the folder of a registry that goes on under a new log, beside that of the
// old one: with a new key of the log, and the operator's. It serves nobody before
// [Begin].
func Renew(old, folder, origin, database string) (client.Account, error) {
	_, account, err := readAccount(old)
	if err != nil {
		return account, err
	}
	_, operator, err := readKeys(old)
	if err != nil {
		return account, err
	}
	if origin == account.Origin() {
		return account, fault.Usage.New("the new log needs a name of its own")
	}
	logKey, err := sign.GenerateNoteKey(origin)
	if err != nil {
		return account, err
	}
	lines := "log " + strings.Join(logKey.LogVKeys(), "\nlog ") + "\n"
	for line := range strings.Lines(account.Policy) {
		if !strings.HasPrefix(line, "log ") {
			lines += line
		}
	}
	account.Policy = lines
	if _, err := client.ParseAccount(AccountFile, account.Encode()); err != nil {
		return account, err
	}
	return account, makeFolder(folder, database, logKey, operator, account)
}

// Begin logs the first entries of a renewed registry.
func Begin(ctx context.Context, folder string, first []custody.Entry) error {
	database, _, err := readAccount(folder)
	if err != nil {
		return err
	}
	logKey, _, err := readKeys(folder)
	if err != nil {
		return err
	}
	return begin(ctx, folder, database, logKey, true, first...)
}
