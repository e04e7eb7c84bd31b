package cli

import (
	"context"
	"fmt"
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
	all, strange, err := (&attend.Overseer{Name: k.Name, Identity: k.Identity, Client: c}).Cables(ctx)
	if err != nil {
		return err
	}
	if strange > 0 {
		s.warn("%d letters say what cannot be and were passed over", strange)
	}
	rows := []holderRow{}
	found := 0
	for id, one := range all {
		if one.Release.Reference != o.Ref && !strings.HasPrefix(id, o.Ref) {
			continue
		}
		found++
		for _, copied := range one.Copies {
			state := "not opened"
			for _, a := range one.Acts {
				if a.Copy == copied.ID && holderWords[a.Kind] != "" {
					state = holderWords[a.Kind]
				}
			}
			rows = append(rows, holderRow{copied.Person, copied.Office, copied.Seat, copied.ID, state, false})
		}
	}
	if found == 0 {
		return fault.NotFound.New("no cable %q was released", o.Ref)
	}
	if o.JSON {
		return writeJSON(s.Out, rows)
	}
	return table(s, "PERSON\tOFFICE\tSEAT\tCOPY\tSTATE", len(rows), func(i int) string {
		r := rows[i]
		return fmt.Sprintf("%s\t%s\t%s\t%.8s\t%s", r.Person, r.Office, r.Seat, r.Copy, r.State)
	})
}
