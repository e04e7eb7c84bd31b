package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"chancery/internal/appoint"
	"chancery/internal/canonical"
	"chancery/internal/client"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/durable"
	"chancery/internal/fault"
)

// invitation is the file that somebody who is invited gets.
type invitation struct {
	Format   string         `json:"format"`
	Registry client.Account `json:"registry"`
	Invite   []byte         `json:"invite"`
}

type inviteOptions struct {
	ID   string        `arg:"" help:"What the person is called in the directory, such as ann-clark; it stays when keys change."`
	Name string        `arg:"" help:"The person's name."`
	Out  string        `short:"o" placeholder:"FILE" help:"The invitation (ID.invite)."`
	For  time.Duration `default:"168h" help:"How long it is good (${default})."`
	New  bool          `name:"new-keys" help:"For one who is in the directory and lost the old keys."`
	authorityOptions
}

// Help is shown by chancery invite --help.
func (inviteOptions) Help() string {
	return `Writes an invitation: where the registry is, whose it is, how its log is recognised, and leave to hand in keys once.
Give it to the person by a way that you trust; it is not secret, but whoever changed it on the way could lead
the person to another registry.

Who lost the folder of their desk and has no backup of it gets new keys (--new-keys): revoke the lost device first
(chancery device revoke), then invite and admit as before, with two authorities. Seats stay. Cables that were sent to the
old keys come again from the archives of the person's offices, in the same wording (chancery handover OFFICE --archive).`
}

// Run writes an invitation.
func (o inviteOptions) Run(ctx context.Context, s Streams) error {
	if o.For <= 0 {
		return fault.Usage.New("an invitation that is good for %s", o.For)
	}
	a, err := o.open()
	if err != nil {
		return err
	}
	account, err := readAccount(filepath.Join(o.Authority, registryInfo))
	if err != nil {
		return err
	}
	invite, err := a.Invite(o.ID, o.Name, time.Now().Add(o.For), o.New)
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(invitation{inviteFormat, account, invite}, "", " ")
	if err != nil {
		return fault.Internal.Wrap(err, "write an invitation")
	}
	if o.Out == "" {
		o.Out = o.ID + ".invite"
	}
	if err := durable.CreateFile(o.Out, append(data, '\n')); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "wrote %s; the person runs: chancery enrol %s\n", o.Out, o.Out)
	return err
}

type enrolOptions struct {
	Invitation   string `arg:"" placeholder:"FILE" help:"The invitation that you were given."`
	Device       string `default:"first device" help:"What this device is called in the directory (${default})."`
	NoPassphrase bool   `help:"Keep the keys without a passphrase: whoever has the folder is you."`
	deskOptions
}

// Help is shown by chancery enrol --help.
func (enrolOptions) Help() string {
	return `Makes your desk: your keys, which never leave it, and the folder in which it keeps what you send and read.
It prints a fingerprint. Read it to the appointing authority by telephone or face to face: the authority admits
you when it is the one they see. Keep a backup of the folder: nobody can give you your keys again.`
}

// Run makes a desk.
func (o enrolOptions) Run(ctx context.Context, s Streams) error {
	data, err := durable.ReadFile(o.Invitation, client.MaxAccount)
	if err != nil {
		return err
	}
	var in invitation
	if line, column, err := canonical.Decode(data, &in); err != nil || in.Format != inviteFormat {
		return fault.Input.New("not an invitation").At(o.Invitation, line, column)
	}
	passphrase, err := o.newPassphrase(s)
	if err != nil {
		return err
	}
	d, err := desk.Enrol(ctx, o.Desk, in.Registry, in.Invite, o.Device, passphrase, time.Now)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "made your desk in %s and handed in your keys\nfingerprint: %s\nread it to the appointing authority; chancery status tells when you are admitted\n",
		o.Desk, appoint.Fingerprint(d.Keys.Person.Public()))
	return err
}

func (o enrolOptions) newPassphrase(s Streams) (string, error) {
	switch {
	case o.NoPassphrase:
		return "", nil
	case o.PassphraseFile != "":
		return readPassphrase(s, o.PassphraseFile)
	case !s.Terminal:
		return "", fault.Usage.New("a desk is sealed with a passphrase, and nobody is here to choose one").WithHint("give --passphrase-file FILE, or say --no-passphrase")
	}
	p, err := s.ask("New passphrase for " + o.Desk + ": ")
	if err != nil {
		return "", err
	}
	again, err := s.ask("The same once more: ")
	switch {
	case err != nil:
	case again != p:
		err = fault.Input.New("the two are not the same")
	case p == "":
		err = fault.Input.New("an empty passphrase seals nothing").WithHint("say --no-passphrase if whoever has the folder may be you")
	}
	return p, err
}

type admitOptions struct {
	ID          string `arg:"" optional:"" help:"Whom to admit; without it, who waits is listed."`
	Fingerprint string `placeholder:"TEXT" help:"What the person read to you. Without it you are asked."`
	OfficeKeys  bool   `help:"Put the archive keys that holders of offices made into the directory."`
	JSON        bool   `name:"json" help:"Print who waits as JSON."`
	authorityOptions
}

// Help is shown by chancery admit --help.
func (admitOptions) Help() string {
	return `Puts a person's keys into the directory. Compare the fingerprint with the person by telephone or face to face first: keys
that somebody exchanged on the way would read everything that is sent to this person.`
}

// Run lists or admits.
func (o admitOptions) Run(ctx context.Context, s Streams) error {
	a, err := o.open()
	if err != nil {
		return err
	}
	if o.OfficeKeys {
		all, err := a.OfficeKeys(ctx)
		for _, e := range all {
			fmt.Fprintf(s.Out, "archive key %d of %s is in the directory\n", e.Number, e.Office)
		}
		return err
	}
	waiting, err := a.Candidates(ctx)
	if err != nil {
		return err
	}
	if o.ID == "" {
		return o.list(s, waiting)
	}
	one, err := o.choose(waiting)
	if err != nil {
		return err
	}
	if one.Again {
		s.warn("%s (%s) has keys: these take their place, and devices that speak with the old ones are shut out", fault.Escape(one.Name), o.ID)
	}
	if err := s.confirm(o.Fingerprint != "", "--fingerprint", fmt.Sprintf("%s (%s): is the fingerprint that they read to you %s?", one.Name, o.ID, appoint.Fingerprint(one.Sign))); err != nil {
		return err
	}
	index, err := a.Admit(ctx, one)
	if err != nil {
		return err
	}
	return noted(ctx, s, a, index)
}

// choose returns who is meant: of several who handed in keys under one id, by several
// invitations, whose have the fingerprint that was given.
func (o admitOptions) choose(waiting []appoint.Candidate) (appoint.Candidate, error) {
	waiting = slices.DeleteFunc(slices.Clone(waiting), func(c appoint.Candidate) bool { return c.ID != o.ID })
	if len(waiting) == 0 {
		return appoint.Candidate{}, fault.NotFound.New("%q has not handed in keys", o.ID).WithHint("chancery admit lists who has; who is in the directory already needs an invitation with --new-keys")
	}
	if o.Fingerprint == "" {
		if len(waiting) > 1 {
			return appoint.Candidate{}, fault.Usage.New("%q handed in keys %d times", o.ID, len(waiting)).WithHint("say which with --fingerprint; chancery admit lists them")
		}
		return waiting[0], nil
	}
	plain := func(text string) string {
		return strings.ToLower(strings.NewReplacer(" ", "", "-", "", "\t", "").Replace(text))
	}
	var have []string
	for _, c := range waiting {
		f := appoint.Fingerprint(c.Sign)
		if plain(f) == plain(o.Fingerprint) {
			return c, nil
		}
		have = append(have, f)
	}
	return appoint.Candidate{}, fault.Mismatch.New("the keys that were handed in have another fingerprint: %s", strings.Join(have, ", ")).WithHint("somebody may have exchanged them; do not admit, and ask the person to enrol again")
}

func (o admitOptions) list(s Streams, waiting []appoint.Candidate) error {
	type row struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		Fingerprint string `json:"fingerprint"`
	}
	rows := []row{}
	for _, c := range waiting {
		rows = append(rows, row{c.ID, c.Name, appoint.Fingerprint(c.Sign)})
	}
	if o.JSON {
		return writeJSON(s.Out, rows)
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(s.Out, "nobody waits to be admitted")
		return err
	}
	return table(s, "ID\tNAME\tFINGERPRINT", len(rows), func(i int) string { return rows[i].ID + "\t" + fault.Escape(rows[i].Name) + "\t" + rows[i].Fingerprint })
}

// table prints rows under a heading, in columns.
func table(s Streams, heading string, n int, row func(i int) string) error {
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, heading)
	for i := range n {
		fmt.Fprintln(w, row(i))
	}
	return w.Flush()
}

type officeOptions struct {
	Name  string `arg:"" help:"Such as centre.private-office."`
	Title string `arg:"" help:"What it is called."`
	authorityOptions
}

// Run makes an office.
func (o officeOptions) Run(ctx context.Context, s Streams) error {
	return appointing(ctx, s, o.authorityOptions, func(a *appoint.Authority) (int64, error) { return a.Office(ctx, o.Name, o.Title) })
}

type seatOptions struct {
	Office string `arg:"" help:"The office."`
	Seat   string `arg:"" help:"The seat in it, such as head."`
	Title  string `arg:"" help:"What it is called."`
	authorityOptions
}

// Run makes a seat.
func (o seatOptions) Run(ctx context.Context, s Streams) error {
	return appointing(ctx, s, o.authorityOptions, func(a *appoint.Authority) (int64, error) { return a.Seat(ctx, o.Office, o.Seat, o.Title) })
}

// appointing does one thing as the authority and says how far it came.
func appointing(ctx context.Context, s Streams, o authorityOptions, f func(*appoint.Authority) (int64, error)) error {
	a, err := o.open()
	if err != nil {
		return err
	}
	index, err := f(a)
	if err != nil {
		return err
	}
	return noted(ctx, s, a, index)
}

type listOptions struct {
	Name      string   `arg:"" optional:"" help:"The restricted list; without it, all are shown."`
	Offices   []string `arg:"" optional:"" help:"The offices on it from now on."`
	At        string   `placeholder:"TIME" help:"Who sat where at that time (now)."`
	Authority string   `env:"CHANCERY_AUTHORITY" placeholder:"DIR" help:"To change it: the folder of the appointing authority."`
	deskOptions
}

// Run shows lists, or sets one.
func (o listOptions) Run(ctx context.Context, s Streams) error {
	if len(o.Offices) > 0 {
		if o.Authority == "" {
			return fault.Permission.New("lists are the appointing authority's").WithHint("say --authority DIR")
		}
		return appointing(ctx, s, authorityOptions{Authority: o.Authority}, func(a *appoint.Authority) (int64, error) { return a.List(ctx, o.Name, o.Offices) })
	}
	at, err := date(o.At, time.Now())
	if err != nil {
		return err
	}
	d, err := o.synced(ctx, s)
	if err != nil {
		return err
	}
	var failed error
	err = d.Directory(func(dir *directory.Directory) { failed = o.show(s, dir, at) })
	return errors.Join(err, failed)
}

// show prints the lists as they are, and who sat in each office at a time.
func (o listOptions) show(s Streams, dir *directory.Directory, at time.Time) error {
	for _, name := range dir.Lists() {
		l, err := dir.List(name)
		if err != nil {
			return err
		}
		if o.Name == "" || o.Name == name {
			fmt.Fprintf(s.Out, "%s (version %d): %s\n", name, l.Version, strings.Join(l.Offices, ", "))
		}
	}
	if o.Name != "" {
		_, err := dir.List(o.Name)
		return err
	}
	for _, name := range dir.Offices() {
		holders, err := dir.Holders(name, at)
		if err != nil {
			return err
		}
		var who []string
		for _, h := range holders {
			who = append(who, h.Seat+": "+h.Person)
		}
		fmt.Fprintf(s.Out, "%s: %s\n", name, cmp.Or(strings.Join(who, ", "), "nobody"))
	}
	return nil
}

type appointOptions struct {
	Person    string `arg:"" optional:"" help:"Whom to appoint."`
	Office    string `arg:"" optional:"" help:"To which office."`
	Seat      string `arg:"" optional:"" help:"To which seat in it."`
	From      string `placeholder:"TIME" help:"From when (now)."`
	Accept    bool   `help:"Accept the appointments that wait for you, with your own desk."`
	Authority string `env:"CHANCERY_AUTHORITY" placeholder:"DIR" help:"The folder of the appointing authority."`
	deskOptions
}

// Help is shown by chancery appoint --help.
func (appointOptions) Help() string {
	return `Offers a person a seat. A tenure needs two signatures, the authority's and the person's own, so that nobody is made a
reader without knowing it:

  chancery appoint ann-clark centre.desk head --authority ministry/authority-1
  chancery appoint --accept                                                        on Ann Clark's desk`
}

// Run offers or accepts.
func (o appointOptions) Run(ctx context.Context, s Streams) error {
	if o.Accept {
		return o.accept(ctx, s)
	}
	if o.Person == "" || o.Office == "" || o.Seat == "" || o.Authority == "" {
		return fault.Usage.New("whom to which seat?").WithHint("chancery appoint PERSON OFFICE SEAT --authority DIR, or --accept")
	}
	a, err := authorityOptions{Authority: o.Authority}.open()
	if err != nil {
		return err
	}
	from, err := date(o.From, time.Now())
	if err != nil {
		return err
	}
	t, err := a.Appoint(ctx, o.Person, o.Office, o.Seat, from)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "offered %s the seat %s of %s from %s (tenure %s)\nit begins when they accept: chancery appoint --accept\n", o.Person, o.Seat, o.Office, t.From.Format("2006-01-02 15:04Z"), t.ID)
	return err
}

func (o appointOptions) accept(ctx context.Context, s Streams) error {
	d, err := o.synced(ctx, s)
	if err != nil {
		return err
	}
	offers := d.Offers()
	if len(offers) == 0 {
		_, err := fmt.Fprintln(s.Out, "no appointment waits for you")
		return err
	}
	for _, one := range offers {
		if err := s.confirm(o.Person == "" && !s.Terminal, "--accept", fmt.Sprintf("Accept the seat %s of %s from %s?", one.Seat, one.Office, one.From.Format("2006-01-02 15:04Z"))); err != nil {
			return err
		}
		t, err := d.Accept(ctx, one.ID)
		if errors.Is(err, fault.Permission) {
			s.warn("%v", err)
			continue
		}
		if err != nil {
			return err
		}
		from := ""
		if t.From.After(time.Now()) {
			from = " from " + t.From.Format("2006-01-02 15:04Z") + " on"
		}
		fmt.Fprintf(s.Out, "you hold the seat %s of %s%s (tenure %s)\n", t.Seat, t.Office, from, t.ID)
	}
	return d.Sync(ctx, 0)
}

type departOptions struct {
	Person string `arg:"" help:"Whose tenure ends."`
	Office string `arg:"" help:"In which office."`
	Until  string `placeholder:"TIME" help:"When (now)."`
	Yes    bool   `short:"y" help:"Do not ask."`
	authorityOptions
}

// Help is shown by chancery depart --help.
func (departOptions) Help() string {
	return `Ends a tenure: from then on the marking desk hands this person no keys for cables to that office. It takes two authorities, so
that one alone cannot shut anybody out. The command waits until the marking desk says in the log that it has read it.`
}

// Run ends a tenure.
func (o departOptions) Run(ctx context.Context, s Streams) error {
	a, err := o.open()
	if err != nil {
		return err
	}
	until, err := date(o.Until, time.Now())
	if err != nil {
		return err
	}
	dir, err := a.Directory(ctx)
	if err != nil {
		return err
	}
	for _, h := range dir.Tenures(o.Person) {
		if h.Office != o.Office || h.Until != nil {
			continue
		}
		if err := s.confirm(o.Yes, "--yes", fmt.Sprintf("End the tenure of %s as %s of %s at %s? It cannot be taken back.", o.Person, h.Seat, h.Office, until.UTC().Format("2006-01-02 15:04:05Z"))); err != nil {
			return err
		}
		index, err := a.Depart(ctx, h.ID, until)
		if err != nil {
			return err
		}
		return noted(ctx, s, a, index)
	}
	return fault.NotFound.New("%q holds no seat of %q", o.Person, o.Office).WithHint("chancery list shows who holds which")
}
