package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"chancery/internal/attend"
	"chancery/internal/entries"
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
	if all, ok := seen.Archives[o.Ref]; ok {
		return o.showArchive(s, all)
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
		return fault.NotFound.New("no cable %q was released, and nobody was given the archive of an office of that name", o.Ref)
	}
	return o.show(s, rows)
}

// An archiveRow says how one holder came to an office's archive.
type archiveRow struct {
	Entry      int64    `json:"entry"`
	Person     string   `json:"person"`
	From       string   `json:"from,omitempty"`
	Absent     bool     `json:"absent,omitempty"`
	Custodians []string `json:"custodians,omitempty"`
	Cables     int      `json:"cables,omitempty"`
	how        string
}

// showArchive prints who came to an office's archive.
func (o whohasOptions) showArchive(s Streams, all []attend.Passed) error {
	rows := []archiveRow{}
	for _, p := range all {
		r := archiveRow{Entry: p.Index, Person: p.To, From: p.From, Absent: p.Absent, Custodians: p.Custodians, Cables: p.Cables}
		by := strings.Join(p.Custodians, " and ")
		switch {
		case p.Kind == entries.KindRecovery:
			r.how = "a share of its key from the custodian " + by
		case p.Kind == attend.KindStandIn:
			r.how = fmt.Sprintf("asked for it: the custodian %s signed that %s is absent", by, p.From)
		case p.Absent:
			r.how = fmt.Sprintf("took over from %s, who was absent: signed by the custodians %s; %d cables", p.From, by, p.Cables)
		default:
			r.how = fmt.Sprintf("handed over by %s, with %d cables", p.From, p.Cables)
		}
		rows = append(rows, r)
	}
	if o.JSON {
		return writeJSON(s.Out, rows)
	}
	return table(s, "PERSON\tENTRY\tARCHIVE", len(rows), func(k int) string {
		return fmt.Sprintf("%s\t%d\t%s", rows[k].Person, rows[k].Entry, rows[k].how)
	})
}
