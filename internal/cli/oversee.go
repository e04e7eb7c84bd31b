package cli

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"chancery/internal/attend"
	"chancery/internal/fault"
)

// oversee lists the holders of a cable as an overseer knows them.
func (o whohasOptions) oversee(ctx context.Context, s Streams) error {
	k, err := readPartyKeys(o.Overseer)
	if err != nil {
		return err
	}
	account, err := readAccount(filepath.Join(o.Overseer, registryInfo))
	if err != nil {
		return err
	}
	c, err := account.DialFrom(k.Sign, o.Overseer, time.Now)
	if err != nil {
		return err
	}
	overseer := &attend.Overseer{Name: k.Name, Identity: k.Identity, Client: c}
	seen, err := overseer.Survey(ctx)
	if err != nil {
		return err
	}
	if seen.Strange > 0 {
		s.warn("%d letters say what cannot be and were passed over", seen.Strange)
	}
	for _, draw := range seen.Bad {
		s.warn("%d custodians say that the marking desk deceives: they opened draw %d, and it is not what was committed to", seen.Denied[draw], draw)
	}
	rows := []holderRow{}
	found := 0
	for id, one := range seen.Cables {
		if one.Release.Reference != o.Ref && !strings.HasPrefix(id, o.Ref) {
			continue
		}
		found++
		copies, err := overseer.Circle(ctx, one)
		if err != nil {
			s.warn("whose copies of %s there were from the first is not known: %v", fault.Escape(one.Release.Reference), err)
			copies = one.Copies
		}
		for _, copied := range copies {
			row := holder(copied)
			for _, a := range one.Acts {
				row.take(a.Kind, a.Copy)
			}
			rows = append(rows, row)
		}
	}
	if found == 0 {
		return fault.NotFound.New("no cable %q was released", o.Ref)
	}
	return o.show(s, rows)
}
