package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"chancery/internal/durable"
	"chancery/internal/entries"
	"chancery/internal/fault"
)

type custodyOptions struct {
	Ref    string `arg:"" help:"The cable."`
	Proofs string `placeholder:"DIR" help:"Write a proof file for every act into a new folder."`
	JSON   bool   `name:"json" help:"Print the acts as JSON."`
	deskOptions
}

// Help is shown by chancery custody --help.
func (custodyOptions) Help() string {
	return `Lists every act on a cable that your desk was told of, in the order of the log, each proven anew to stand in it. With --proofs
the proofs are written as files (C2SP tlog-proof) that chancery log verify --proof, and other programs, check offline.`
}

// actRow is an act in JSON.
type actRow struct {
	Entry int64     `json:"entry"`
	Act   string    `json:"act"`
	By    string    `json:"by"`
	Copy  string    `json:"copy,omitempty"`
	Note  string    `json:"note,omitempty"`
	Seen  time.Time `json:"seen"`
}

// Run lists the acts.
func (o custodyOptions) Run(ctx context.Context, s Streams) error {
	d, err := o.synced(ctx, s)
	if err != nil {
		return err
	}
	i, proofs, err := d.Prove(ctx, o.Ref)
	if err != nil {
		return err
	}
	if o.Proofs != "" {
		err := durable.CreateFolder(o.Proofs, func(f *durable.Folder) error {
			for k, p := range proofs {
				if err := f.WriteFile(fmt.Sprintf("%08d-%s.tlog-proof", i.Acts[k].Index, i.Acts[k].Kind), p.Encode()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	rows := []actRow{}
	for _, a := range i.Acts {
		rows = append(rows, actRow{a.Index, a.Kind, a.Who, a.Copy, a.Note, a.Seen})
	}
	if o.JSON {
		return writeJSON(s.Out, rows)
	}
	if err := table(s, "ENTRY\tACT\tBY\tCOPY\tSEEN HERE\tNOTE", len(rows), func(k int) string {
		r := rows[k]
		return fmt.Sprintf("%d\t%s\t%s\t%.8s\t%s\t%s", r.Entry, r.Act, r.By, r.Copy, r.Seen.Format("2006-01-02 15:04Z"), fault.Escape(r.Note))
	}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "all %d stand in the log of %d entries\n", len(rows), d.Tree().Size)
	return err
}

type whohasOptions struct {
	Ref      string `arg:"" help:"A cable that you sent; with --overseer also an office, whose archive came to whom."`
	Overseer string `placeholder:"DIR" help:"As an overseer: your folder. You see every cable's, never a word of one."`
	JSON     bool   `name:"json" help:"Print the list as JSON."`
	deskOptions
}

// Help is shown by chancery whohas --help.
func (whohasOptions) Help() string {
	return `Lists who holds a copy of a cable of yours, and how far each came. Who has not opened a cable by its due time is marked.
Overseers see it of every cable, with --overseer, and of an office who came to its archive, and by whose hand.`
}

type holderRow struct {
	Person string `json:"person"`
	Office string `json:"office"`
	Seat   string `json:"seat"`
	Copy   string `json:"copy"`
	State  string `json:"state"`
	Late   bool   `json:"late"`
}

// Run lists the holders.
func (o whohasOptions) Run(ctx context.Context, s Streams) error {
	if o.Overseer != "" {
		return o.oversee(ctx, s)
	}
	_, i, err := o.cable(ctx, s, o.Ref)
	if err != nil {
		return err
	}
	if !i.Mine {
		return fault.Permission.New("who holds the cable is for its originator and the overseers to know")
	}
	rows := []holderRow{}
	for _, c := range i.Copies {
		row := holder(c)
		for _, a := range i.Acts {
			row.take(a.Kind, a.Copy)
		}
		row.Late = row.State == notOpened && time.Now().After(i.Due())
		rows = append(rows, row)
	}
	if err := o.show(s, rows); err != nil || o.JSON {
		return err
	}
	for _, a := range i.Asks {
		if !a.Given {
			fmt.Fprintf(s.Out, "%s asks for a copy for %s, at entry %d: %s\n", a.By, a.Person, a.Index, fault.Escape(a.Reason))
		}
	}
	return nil
}

// holderWords say what an act means for the copy it is about.
var holderWords = map[string]string{entries.KindReceipt: "receipted", entries.KindOpened: "opened", entries.KindAck: "acknowledged",
	entries.KindWithheld: "withheld", entries.KindDispute: "disputed"}

const notOpened = "not opened"

// holder begins the row of a copy.
func holder(c entries.Copy) holderRow {
	return holderRow{Person: c.Person, Office: c.Office, Seat: c.Seat, Copy: c.ID, State: notOpened}
}

// furthest are the words in the order in which none takes another's place that comes after
// it: who opened a cable has opened it, whatever was withheld from them later.
var furthest = []string{"", notOpened, "receipted", "withheld", "opened", "acknowledged", "disputed"}

// take lets an act tell how far the copy came.
func (r *holderRow) take(kind, copyID string) {
	if word := holderWords[kind]; copyID == r.Copy && slices.Index(furthest, word) > slices.Index(furthest, r.State) {
		r.State = word
	}
}

// show prints the holders.
func (o whohasOptions) show(s Streams, rows []holderRow) error {
	if o.JSON {
		return writeJSON(s.Out, rows)
	}
	return table(s, "PERSON\tOFFICE\tSEAT\tCOPY\tSTATE", len(rows), func(k int) string {
		r := rows[k]
		if r.Late {
			r.State += ", overdue"
		}
		return fmt.Sprintf("%s\t%s\t%s\t%.8s\t%s", r.Person, r.Office, r.Seat, r.Copy, r.State)
	})
}

type exposureOptions struct {
	JSON bool `name:"json" help:"Print the list as JSON."`
	deskOptions
}

// Help is shown by chancery exposure --help.
func (exposureOptions) Help() string {
	return `Lists every cable of which you hold a copy: what you would have to answer for.`
}

// Run lists.
func (o exposureOptions) Run(ctx context.Context, s Streams) error {
	d, err := o.synced(ctx, s)
	if err != nil {
		return err
	}
	rows := []cableSummary{}
	for _, i := range d.Items() {
		if i.Copy != nil && i.Receipt >= 0 {
			rows = append(rows, summary(i))
		}
	}
	slices.SortFunc(rows, func(a, b cableSummary) int { return a.DTG.Compare(b.DTG) })
	if o.JSON {
		return writeJSON(s.Out, rows)
	}
	if err := table(s, "REFERENCE\tFROM\tDTG\tSTATE\tCOPIES IN ALL", len(rows), func(k int) string {
		r := rows[k]
		return fmt.Sprintf("%s\t%s\t%s\t%s\t%d", fault.Escape(r.Reference), r.From, strings.ToUpper(r.DTG.Format("021504Z Jan 06")), r.State, r.Copies)
	}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "%d cables\n", len(rows))
	return err
}
