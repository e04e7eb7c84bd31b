package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"chancery/internal/desk"
	"chancery/internal/fault"
)

type forwardOptions struct {
	Ref    string `arg:"" help:"The cable."`
	To     string `placeholder:"OFFICE" help:"Ask for copies for those who sit in this office, or for one person."`
	Reason string `placeholder:"TEXT" help:"Why; the originator sees it."`
	Allow  string `placeholder:"PERSON" help:"As the originator: allow the copy that was asked for, for this person or at this entry (chancery whohas)."`
	deskOptions
}

// Help is shown by chancery forward --help.
func (forwardOptions) Help() string {
	return `Passes a cable on to somebody to whom it was not addressed: they get a copy in wordings of their own, once its originator allows it,
or at once if the originator gave standing leave (send --onward N). Your own copy never leaves your desk.

  chancery forward "POST 18/30" --to centre.private-office --reason "needs it for the meeting"
  chancery forward "POST 18/30" --allow di                                     on the originator's desk`
}

// Run asks or allows.
func (o forwardOptions) Run(ctx context.Context, s Streams) error {
	if (o.To == "") == (o.Allow == "") {
		return fault.Usage.New("to whom, or whom do you allow?").WithHint("--to OFFICE as a reader, --allow PERSON as the originator")
	}
	d, err := o.synced(ctx, s)
	if err != nil {
		return err
	}
	if o.Allow != "" {
		ask, err := d.Allow(ctx, o.Ref, o.Allow)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.Out, "allowed %s a copy, as %s asked at entry %d of the log\n", ask.Person, ask.By, ask.Index)
		return err
	}
	who, err := d.Forward(ctx, o.Ref, o.To, o.Reason)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "asked for copies for %s; they come when the originator allows it, or at once within the standing leave\n", strings.Join(who, ", "))
	return err
}

type extractOptions struct {
	Ref        string `arg:"" help:"The cable."`
	Paragraphs []int  `required:"" placeholder:"N" help:"Which paragraphs, from 1."`
	To         string `required:"" placeholder:"PERSON" help:"For whom: an office, or one person."`
	Reason     string `placeholder:"TEXT" help:"Why; the originator sees it."`
	deskOptions
}

// Help is shown by chancery extract --help.
func (extractOptions) Help() string {
	return `Passes some paragraphs of a cable on, to somebody who is not to have the rest: in wordings of their own, once the originator allows
it. They get keys of these paragraphs and of no other.

  chancery extract "POST 18/30" --paragraphs 2,3 --to di --reason "her question of Monday"`
}

// Run asks.
func (o extractOptions) Run(ctx context.Context, s Streams) error {
	if len(o.Paragraphs) == 0 {
		return fault.Usage.New("which paragraphs?").WithHint("--paragraphs 2,3; to pass all of it on: chancery forward")
	}
	d, err := o.synced(ctx, s)
	if err != nil {
		return err
	}
	who, err := d.Forward(ctx, o.Ref, o.To, o.Reason, o.Paragraphs...)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "asked for an extract for %s; it comes at once within the standing leave, or when the originator allows it: chancery forward %q --allow PERSON\n", strings.Join(who, ", "), o.Ref)
	return err
}

type handoverOptions struct {
	Office  string `arg:"" optional:"" help:"The office."`
	To      string `placeholder:"PERSON" help:"Hand the archive keys and the inventory over to this person, who sits there."`
	Absent  string `placeholder:"PERSON" help:"List what the archive holds because this person left and is not there to hand it over; two custodians sign in their place."`
	Accept  bool   `help:"Sign what was handed over to you, or log what custodians signed."`
	Archive bool   `help:"Find what the office received before you, and ask for copies in wordings of your own."`
	NewKey  bool   `help:"Make the next archive key of the office, for cables from then on."`
	Yes     bool   `short:"y" help:"Do not ask."`
	deskOptions
}

// Help is shown by chancery handover --help.
func (handoverOptions) Help() string {
	return `An office keeps its archive when its people change. Its archive key opens what was sent to it, but no wording: a successor gets
copies of their own, and the log shows every reading.

  chancery handover centre.desk --new-key           somebody who sits there makes the key; an authority puts it
  chancery admit --office-keys                      into the directory
  chancery handover centre.desk --to eve            who leaves, or stays, hands it to who comes, with an inventory
  chancery handover --accept                        who comes signs for it
  chancery handover centre.desk --archive           and asks for the cables of the office

When nobody is left who has the key: chancery custodian FOLDER --recover OFFICE --for PERSON, at enough custodians.
When who left is not there to sign:

  chancery handover centre.desk --absent bo         who came lists what the archive holds, and signs
  chancery custodian FOLDER --absent centre.desk --for eve      at two custodians, who sign that bo is gone
  chancery handover --accept                        logs it`
}

// Run does one of its things.
func (o handoverOptions) Run(ctx context.Context, s Streams) error {
	d, err := o.synced(ctx, s)
	if err != nil {
		return err
	}
	if o.Accept {
		return o.accept(ctx, s, d)
	}
	if o.Office == "" {
		return fault.Usage.New("of which office?").WithHint("see chancery handover --help")
	}
	switch {
	case o.NewKey:
		e, err := d.NewEpoch(ctx, o.Office)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.Out, "made archive key %d of %s; it counts when an authority puts it into the directory: chancery admit --office-keys\n", e.Number, e.Office)
		return err
	case o.To != "":
		lines, err := d.HandOver(ctx, o.Office, o.To)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.Out, "handed over to %s, with an inventory of %d cables:\n", o.To, len(lines))
		printLines(s, lines)
		return nil
	case o.Absent != "":
		a, err := d.TakeAbsent(ctx, o.Office, o.Absent)
		if err != nil {
			return err
		}
		printAbsence(s, a)
		_, err = fmt.Fprintf(s.Out, "%d custodians are asked to sign; when they have: chancery handover --accept\n", a.Needed)
		return err
	case o.Archive:
		found, asked, err := d.Archive(ctx, o.Office)
		if err != nil {
			return err
		}
		err = d.Sync(ctx, 0)
		if err != nil && !errors.Is(err, fault.System) {
			return err
		}
		_, err = fmt.Fprintf(s.Out, "found %d cables that are new to this desk, asked for %d copies; chancery inbox lists them as they are issued\n", found, asked)
		return err
	}
	return fault.Usage.New("what is to be done?").WithHint("--to PERSON, --absent PERSON, --accept, --archive or --new-key")
}

// accept signs for what was handed over, and logs what custodians signed.
func (o handoverOptions) accept(ctx context.Context, s Streams, d *desk.Desk) error {
	absences, err := d.Absences()
	if err != nil {
		return err
	}
	all := d.Handovers()
	if len(all)+len(absences) == 0 {
		_, err := fmt.Fprintln(s.Out, "nothing was handed over to you")
		return err
	}
	for _, a := range absences {
		printAbsence(s, a)
		if len(a.Signed) < a.Needed {
			fmt.Fprintf(s.Out, "%d of %d custodians have signed\n", len(a.Signed), a.Needed)
			continue
		}
		at, err := d.LogAbsent(ctx, a.Office, a.From)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.Out, "signed by %s in the place of %s, at entry %d of the log\n", strings.Join(a.Signed, " and "), a.From, at)
	}
	for _, h := range all {
		fmt.Fprintf(s.Out, "%s, from %s: %d archive keys, %d cables\n", h.Office, h.By, len(h.Keys), len(h.Inventory))
		printLines(s, h.Inventory)
		if err := s.confirm(o.Yes, "--yes", "Sign that this was handed over to you?"); err != nil {
			return err
		}
		at, err := d.TakeOver(ctx, h)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.Out, "signed, at entry %d of the log\n", at)
	}
	return nil
}

// printAbsence shows what an office's archive held when somebody was not there to hand it
// over.
func printAbsence(s Streams, a desk.Absence) {
	fmt.Fprintf(s.Out, "%s, in the absence of %s: %d cables\n", a.Office, a.From, len(a.Cables))
	printLines(s, a.Cables)
}

func printLines(s Streams, lines []string) {
	for _, l := range lines {
		fmt.Fprintf(s.Out, "  %s\n", fault.Escape(l))
	}
}
