package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chancery/cable"
	"chancery/internal/desk"
	"chancery/internal/durable"
	"chancery/internal/entries"
	"chancery/internal/fault"
)

// sending is what send and reply share.
type sending struct {
	To         []string `placeholder:"OFFICE" help:"Offices and lists (the draft's header lines To and Info)."`
	From       string   `placeholder:"OFFICE" help:"Your office, if you sit in several."`
	Precedence string   `placeholder:"WORD" help:"flash, immediate, priority or routine (the draft's header, or routine)."`
	Reference  string   `placeholder:"TEXT" help:"Name of the cable (the draft's header)."`
	Unreviewed bool     `help:"Accept a draft whose wordings nobody reviewed."`
	AsQuoted   bool     `help:"Send words of a cable that you received as they are."`
	NewKeys    bool     `help:"Send to people whose keys are less than a day old."`
	Corrects   string   `placeholder:"REF" help:"A cable of yours that this one corrects: paragraphs that you did not change are referred to, and read as each reader has them."`
	Anew       bool     `help:"Send alternatives that were sent to some of these people before as if they were new."`
	Attest     bool     `help:"You attest that the alternatives say the same; without it you are asked."`
	Onward     int      `placeholder:"N" help:"Standing leave: readers may pass it on to so many without asking you."`
	Mode       string   `enum:"blind,author,unmarked" default:"blind" help:"blind; author: your desk words each copy itself, without the marking desk; unmarked: one wording for all (${default})."`
	Attach     []string `placeholder:"FILE" help:"A file that goes along as it is. It carries no mark."`
	JSON       bool     `name:"json" help:"Print the result as JSON."`
	deskOptions
}

type sendOptions struct {
	Draft string `arg:"" help:"The draft; - is standard input."`
	sending
}

// Help is shown by chancery send --help.
func (sendOptions) Help() string {
	return `Sends a cable to offices. Each reader gets a copy worded for them alone; your desk does not learn which, and the registry
cannot read any. Without a line it waits in the outbox: chancery status sends what waits.

  chancery send draft.txt --to centre.desk --to europe-list

The alternatives of the draft must say the same in substance: you attest that with your signature. To quote a cable
that you received, write [[REFERENCE, PARAGRAPH]]: each reader sees it in the words of their own copy.

A cable that was wrong is corrected, not sent anew: change the draft and say --corrects REF. Who had one sentence in two
wordings would see where your wordings differ from reader to reader. So paragraphs that you left alone go as references to
the first, and a paragraph that you change in part is better left alone too, with one beside it that says what to read.`
}

// Run sends.
func (o sendOptions) Run(ctx context.Context, s Streams) error {
	d, err := o.synced(ctx, s)
	if err != nil {
		return err
	}
	draft, err := readDraft(s, o.Draft)
	if err != nil {
		return err
	}
	return o.send(ctx, s, d, o.Draft, draft, "")
}

type replyOptions struct {
	Ref   string `arg:"" help:"The cable that is answered."`
	Draft string `arg:"" help:"The draft; - is standard input."`
	sending
}

// Help is shown by chancery reply --help.
func (replyOptions) Help() string {
	return `Sends a cable that answers another, to the office it came from unless --to or the draft says otherwise.`
}

// Run replies.
func (o replyOptions) Run(ctx context.Context, s Streams) error {
	d, i, err := o.cable(ctx, s, o.Ref)
	if err != nil {
		return err
	}
	draft, err := readDraft(s, o.Draft)
	if err != nil {
		return err
	}
	if len(o.To) == 0 && draft.Get("To") == "" {
		o.To = []string{i.Release.Office}
	}
	return o.send(ctx, s, d, o.Draft, draft, i.Cable)
}

// send queues a draft and sends what waits.
func (o sending) send(ctx context.Context, s Streams, d *desk.Desk, name string, draft draftFile, replyTo string) error {
	draft, err := reviewed(draft, name, o.Unreviewed)
	if err != nil {
		return err
	}
	out, err := o.outgoing(draft, replyTo)
	if err != nil {
		return err
	}
	if err := o.attach(s, &out); err != nil {
		return err
	}
	if pasted := d.Pasted(draft.Draft); len(pasted) > 0 && !o.AsQuoted {
		p := pasted[0]
		return fault.Input.New("the draft holds words of your own copy of %q: \"%s ...\"", p.Reference, p.Words).At(label(name), 0, 0).
			WithHint("write [[%s, %d]] instead: each reader sees the paragraph in their own words; or say --as-quoted", p.Reference, p.Paragraph)
	}
	for _, c := range d.Uncited(draft.RecordText()) {
		s.warn("%s: %s", fault.Escape(c.Text), c.Why)
	}
	if draft, err = o.once(s, d, name, draft, &out); err != nil {
		return err
	}
	if err := o.reach(s, d, &out, len(draft.Sites) > 0); err != nil {
		return err
	}
	if _, err := d.Sent(out.Reference); err == nil && o.Corrects == "" {
		s.warn("you sent a cable called %s before: its readers tell the two apart by their ids alone", fault.Escape(out.Reference))
	}
	id, err := d.Queue(out)
	if err != nil {
		return err
	}
	if left, err := o.leaves(ctx, s, d, out.Reference, id); err != nil || !left {
		return err
	}
	return o.follow(ctx, s, d, out.Reference)
}

// once makes of a draft what is sent: references to the paragraphs of an earlier cable that
// it corrects. It refuses places that went to some of the same people before.
func (o sending) once(s Streams, d *desk.Desk, name string, draft draftFile, out *desk.Outgoing) (draftFile, error) {
	r, err := d.Reach(out.To)
	if err != nil {
		return draft, err
	}
	if err := draft.become(d.Pin(string(draft.data))); err != nil {
		return draft, err
	}
	if o.Corrects != "" {
		text, err := o.correct(s, d, draft, r, out)
		if err == nil {
			err = draft.become(text)
		}
		if err != nil {
			return draft, err
		}
	}
	out.Draft = string(draft.data)
	again := d.Repeated(draft.Draft, r)
	if again.Places == 0 || o.Anew {
		return draft, nil
	}
	refused := fault.Input.New("%d places of this draft went to some of the same people in %q: in two wordings these would show where the places are", again.Places, again.Reference).At(label(name), 0, 0)
	switch {
	case again.Cable == "":
		return draft, refused.WithHint("that one waits in the outbox; chancery recall takes it out")
	case o.Corrects != "":
		return draft, refused.WithHint("leave those paragraphs as they were, and say in one of its own: in paragraph 2, for ... read ...; or --anew if you know better")
	}
	return draft, refused.WithHint("if this corrects that one, say --corrects %.8s; to repeat a paragraph, write [[%s, NUMBER]]; or --anew if you know better", again.Cable, again.Reference)
}

// become makes a draft of another text: that which is sent.
func (d *draftFile) become(text string) error {
	parsed, err := cable.Parse([]byte(text))
	if err != nil {
		return fault.Input.Wrap(err, "the draft with its references").WithHint("write them by the ids of their cables: [[#ID, NUMBER]]")
	}
	d.Draft, d.data = parsed, []byte(text)
	return nil
}

// correct makes a correction of a draft.
func (o sending) correct(s Streams, d *desk.Desk, draft draftFile, r desk.Reach, out *desk.Outgoing) (string, error) {
	office, err := d.Office(o.From)
	if err != nil {
		return "", err
	}
	c, err := d.Correct(draft.Draft, o.Corrects, office, r)
	if err != nil {
		return "", err
	}
	if by := d.Corrected()[c.Cable]; by != "" {
		s.warn("the cable %.8s corrects %s already", by, fault.Escape(c.Reference))
	}
	fmt.Fprintf(s.Err, "corrects %s: %d of %d paragraphs that vary stay as each reader has them\n", fault.Escape(c.Reference), c.Stay, c.Of)
	if len(c.Without) > 0 {
		s.warn("%s has no copy of what stays, and reads it when one is forwarded or asked for from the archive", strings.Join(c.Without, ", "))
	}
	out.Corrects = c.Cable
	return c.Draft, nil
}

// A waitingRow is a cable that stays in the outbox.
type waitingRow struct {
	Reference string `json:"reference"`
	State     string `json:"state"`
	Why       string `json:"why"`
}

// leaves waits until a cable has left the outbox, or says why it stays there.
func (o sending) leaves(ctx context.Context, s Streams, d *desk.Desk, reference, id string) (left bool, err error) {
	stays := func(why string) error {
		if o.JSON {
			return writeJSON(s.Out, waitingRow{reference, "waits", why})
		}
		s.warn("%s", why)
		_, err := fmt.Fprintf(s.Out, "%s waits in the outbox; chancery status sends it when it can\n", fault.Escape(reference))
		return err
	}
	until := time.Now().Add(issueTime)
	for wait := time.Duration(0); ; wait = 2 * time.Second {
		err := d.Sync(ctx, wait)
		var unsent *desk.Unsent
		switch {
		case errors.As(err, &unsent) && slices.Contains(unsent.IDs, id):
			return false, errors.Join(err, d.Drop(id)) // the person is told now, and may try again
		case errors.As(err, &unsent) && wait == 0:
			s.warn("another cable stays in the outbox: %v", err)
		case errors.As(err, &unsent): // said already
		case errors.Is(err, fault.System):
			return false, stays(err.Error())
		case errors.Is(err, fault.Interrupted):
			return false, fault.Interrupted.Wrap(err, "%s is in the outbox and leaves with the next command", fault.Escape(reference)).WithHint("chancery recall takes it out, if it has not left")
		case err != nil:
			return false, err
		}
		at := slices.IndexFunc(d.Outbox(), func(o desk.Outgoing) bool { return o.ID == id })
		if at < 0 {
			return true, nil
		}
		if !time.Now().Before(until) {
			return false, stays(d.Outbox()[at].Why)
		}
	}
}

// attach reads the attachments, and says what they do not do.
func (o sending) attach(s Streams, out *desk.Outgoing) error {
	for _, name := range o.Attach {
		data, err := durable.ReadFile(name, desk.MaxAttachment)
		if err != nil {
			return err
		}
		out.Files = append(out.Files, desk.File{Name: filepath.Base(name), Data: data})
		s.warn("%s carries no mark: a leak of it points to nobody; put into the text what matters", filepath.Base(name))
	}
	switch o.Mode {
	case entries.ModeAuthor:
		s.warn("your desk words the copies itself: every finding about this cable will say that you could have made any of them, and a recall is a request")
	case entries.ModeUnmarked:
		s.warn("every reader gets the same words: a leak of them points to nobody, and a recall is a request")
	}
	return nil
}

// outgoing fills in what the draft says and the flags do not.
func (o sending) outgoing(draft draftFile, replyTo string) (desk.Outgoing, error) {
	out := desk.Outgoing{Draft: string(draft.data), From: o.From, To: o.To, Precedence: strings.ToLower(o.Precedence), Reference: o.Reference, ReplyTo: replyTo, Onward: o.Onward, Mode: o.Mode}
	if len(out.To) == 0 {
		for _, field := range []string{"To", "Info"} {
			for _, one := range strings.FieldsFunc(draft.Get(field), func(r rune) bool { return r == ',' || r == ';' }) {
				out.To = append(out.To, strings.TrimSpace(one))
			}
		}
	}
	if out.Precedence == "" {
		out.Precedence = strings.ToLower(strings.TrimSpace(draft.Get("Precedence")))
	}
	if out.Precedence == "" {
		out.Precedence = entries.Precedences[len(entries.Precedences)-1]
	}
	if out.Reference == "" {
		out.Reference = strings.TrimSpace(draft.Get("Reference"))
	}
	switch {
	case len(out.To) == 0:
		return out, fault.Usage.New("to whom?").WithHint("name offices or lists with --to, or in the draft's header line To")
	case out.Reference == "":
		return out, fault.Usage.New("the cable has no reference").WithHint("give --reference, or a header line Reference in the draft")
	case !slices.Contains(entries.Precedences, out.Precedence):
		return out, fault.Usage.New("%q is not a precedence", out.Precedence).WithHint("flash, immediate, priority or routine")
	}
	return out, nil
}

// reach says whom the cable reaches and asks for what only a person can attest.
func (o sending) reach(s Streams, d *desk.Desk, out *desk.Outgoing, varied bool) error {
	r, err := d.Reach(out.To)
	if err != nil {
		return err
	}
	var who []string
	for _, p := range r.People {
		who = append(who, p.ID+" ("+p.Holdings[0].Office+")")
	}
	fmt.Fprintf(s.Err, "%s to %d: %s\n", out.Precedence, len(who), strings.Join(who, ", "))
	for _, office := range r.Empty {
		s.warn("nobody sits in %s", office)
	}
	if len(r.Fresh) > 0 {
		question := fmt.Sprintf("The keys of %s came into the directory less than a day ago. Are they theirs?", strings.Join(r.Fresh, ", "))
		if err := s.confirm(o.NewKeys, "--new-keys if you know that the keys of "+strings.Join(r.Fresh, ", ")+" are theirs", question); err != nil {
			return err
		}
	}
	if varied {
		if err := s.confirm(o.Attest, "--attest if the alternatives say the same in substance", "Do the alternatives in this cable say the same in substance?"); err != nil {
			return err
		}
	}
	out.Attested, out.People = true, r.Shown()
	return nil
}

// issueTime is how long send waits for the marking desk.
const issueTime = 10 * time.Second

// follow waits for the issue and says how far the cable came.
func (o sending) follow(ctx context.Context, s Streams, d *desk.Desk, reference string) error {
	i, err := d.Sent(reference)
	if err != nil {
		return err
	}
	for until := time.Now().Add(issueTime); i.Blind() && i.Issue == nil && i.Void == "" && time.Now().Before(until); {
		if err := d.Sync(ctx, 2*time.Second); err != nil {
			return err
		}
		if i, err = d.Find(i.Cable); err != nil {
			return err
		}
	}
	if o.JSON {
		return writeJSON(s.Out, summary(i))
	}
	switch {
	case i.Void != "":
		return fault.Permission.New("the cable was not issued: %s", i.Void).WithHint("send it again; it stands in the log as void")
	case !i.Blind():
		_, err = fmt.Fprintf(s.Out, "%s sent: released at entry %d of the log, %d copies, mode %s\n", fault.Escape(reference), i.Index, i.Release.N, i.Release.Mode)
		return err
	case i.Issue == nil:
		s.warn("released at entry %d of the log; the marking desk has not issued it yet", i.Index)
		return nil
	}
	_, err = fmt.Fprintf(s.Out, "%s sent: released at entry %d of the log, %d copies issued at entry %d\n", fault.Escape(reference), i.Index, i.Issue.N, i.Issued)
	return err
}
