package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"chancery/internal/appoint"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/fault"
)

type statusOptions struct {
	Seen bool `help:"Put away the alarms that are shown."`
	JSON bool `name:"json" help:"Print it as JSON."`
	deskOptions
}

// Help is shown by chancery status --help.
func (statusOptions) Help() string {
	return `Reads what came, sends what waits, and says how your desk stands: who you are in the directory, which offices you sit in,
what waits for you, what went wrong.`
}

type statusReport struct {
	Person      string       `json:"person"`
	Admitted    bool         `json:"admitted"`
	Fingerprint string       `json:"fingerprint"`
	Offices     []string     `json:"offices"`
	Offers      []string     `json:"offers"`
	Registry    string       `json:"registry"`
	Entries     int64        `json:"entries"`
	Unread      int          `json:"unread"`
	Outbox      []string     `json:"outbox"`
	Alarms      []desk.Alarm `json:"alarms"`
	Files       string       `json:"files"`
}

// Run reports.
func (o statusOptions) Run(ctx context.Context, s Streams) error {
	d, err := o.open(s)
	if err != nil {
		return err
	}
	r := statusReport{Person: d.Person, Fingerprint: appoint.Fingerprint(d.Keys.Person.Public()), Registry: d.Account.URL, Files: filepath.Clean(o.Desk)}
	synced := d.Sync(ctx, 0)
	r.fill(d)
	if !r.Admitted && errors.Is(synced, fault.Permission) {
		synced = nil // the registry knows the device when the person is admitted
	}
	if o.Seen {
		if err := d.ClearAlarms(); err != nil {
			return err
		}
	}
	if o.JSON {
		if err := writeJSON(s.Out, r); err != nil {
			return err
		}
		return synced
	}
	r.print(s)
	return synced
}

// fill asks the desk.
func (r *statusReport) fill(d *desk.Desk) {
	_ = d.Directory(func(dir *directory.Directory) { // a new desk has none
		p, _, err := dir.Person(d.Person)
		r.Admitted = err == nil && p.Sign.ID() == d.Keys.Person.Public().ID()
		for _, h := range dir.Tenures(d.Person) {
			if h.Runs(time.Now()) {
				r.Offices = append(r.Offices, h.Office+" ("+h.Seat+")")
			}
		}
	})
	for _, f := range d.Offers() {
		r.Offers = append(r.Offers, f.Office+" ("+f.Seat+")")
	}
	for _, i := range d.Items() {
		if i.State() == desk.StateUnread {
			r.Unread++
		}
	}
	for _, i := range d.Items() {
		if kind := i.Waits(); kind != "" {
			r.Outbox = append(r.Outbox, kind+" of "+i.Release.Reference)
		}
	}
	for _, out := range d.Outbox() {
		line := out.Reference
		if out.Why != "" {
			line += ": " + out.Why
		}
		r.Outbox = append(r.Outbox, line)
	}
	r.Entries, r.Alarms = d.Tree().Size, d.Alarms()
}

// print says it to a person.
func (r *statusReport) print(s Streams) {
	admitted := "admitted"
	if !r.Admitted {
		admitted = "not admitted yet: read your fingerprint, " + r.Fingerprint + ", to the appointing authority"
	}
	fmt.Fprintf(s.Out, "%s, %s\nregistry: %s, a log of %d entries\n", r.Person, admitted, r.Registry, r.Entries)
	for _, line := range []struct {
		what string
		all  []string
	}{{"offices", r.Offices}, {"appointments that wait for your word (chancery appoint --accept)", r.Offers}, {"outbox", r.Outbox}} {
		if len(line.all) > 0 {
			fmt.Fprintf(s.Out, "%s: %s\n", line.what, fault.Escape(strings.Join(line.all, ", ")))
		}
	}
	fmt.Fprintf(s.Out, "cables to read: %d\n", r.Unread)
	for _, a := range r.Alarms {
		fmt.Fprintf(s.Out, "alarm, %s: %s\n", a.At.Format("2006-01-02 15:04Z"), fault.Escape(a.Text))
	}
}
