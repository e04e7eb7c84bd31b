package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"chancery/internal/desk"
	"chancery/internal/durable"
	"chancery/internal/fault"
)

// reasons says why a cable does not come further.
func reasons(i desk.Item) string {
	var all []string
	for _, why := range []string{i.Void, i.Refused, i.Recall, i.Withheld, i.Disputed} {
		if why != "" && !slices.Contains(all, why) {
			all = append(all, why)
		}
	}
	return strings.Join(all, "; ")
}

// cableSummary is a cable in JSON, without its text.
type cableSummary struct {
	Cable      string    `json:"cable"`
	Reference  string    `json:"reference"`
	Precedence string    `json:"precedence"`
	DTG        time.Time `json:"dtg"`
	Due        time.Time `json:"due"`
	From       string    `json:"from"`
	State      string    `json:"state"`
	Subject    string    `json:"subject,omitempty"`
	ReplyTo    string    `json:"reply_to,omitempty"`
	Corrects   string    `json:"corrects,omitempty"`
	Corrected  string    `json:"corrected_by,omitempty"`
	Release    int64     `json:"release"`
	Issue      int64     `json:"issue,omitempty"`
	Copies     int       `json:"copies"`
	Why        string    `json:"why,omitempty"`
}

func summary(i desk.Item) cableSummary {
	out := cableSummary{Cable: i.Cable, Reference: i.Release.Reference, Precedence: i.Release.Precedence, DTG: i.Release.DTG.Time, Due: i.Due().UTC(), From: i.Release.Office,
		State: i.State(), ReplyTo: i.Release.ReplyTo, Corrects: i.Release.Previous, Release: i.Index, Issue: i.Issued, Copies: i.Release.N, Why: reasons(i)}
	out.Subject = desk.Subject(i.Text + i.Record)
	return out
}

type inboxOptions struct {
	Sent bool          `help:"List what you sent instead, and what others in your office did, as far as you read its archive."`
	Wait time.Duration `placeholder:"TIME" help:"Wait so long for something to come."`
	JSON bool          `name:"json" help:"Print the list as JSON."`
	deskOptions
}

// Help is shown by chancery inbox --help.
func (inboxOptions) Help() string {
	return `Lists cables: what waits first, by precedence and date-time group, with the time by which it should be read. What a cable is
about is known when it has been opened: until then nobody has told the log that you read it.`
}

// Run lists.
func (o inboxOptions) Run(ctx context.Context, s Streams) error {
	d, err := o.synced(ctx, s)
	if err != nil {
		return err
	}
	if o.Wait > 0 {
		if err := d.Sync(ctx, o.Wait); err != nil {
			return err
		}
	}
	rows, corrected := []cableSummary{}, d.Corrected()
	for _, i := range d.Items() {
		if (i.Mine || i.SentByColleague()) == o.Sent {
			one := summary(i)
			one.Corrected = corrected[i.Cable]
			rows = append(rows, one)
		}
	}
	if o.JSON {
		return writeJSON(s.Out, rows)
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(s.Out, "no cables")
		return err
	}
	return table(s, "REFERENCE\tFROM\tPRECEDENCE\tDTG\tSTATE\tDUE\tID\tSUBJECT", len(rows), func(i int) string { return row(rows[i], time.Now()) })
}

// row is one line of the inbox.
func row(c cableSummary, now time.Time) string {
	due := ""
	if c.State == desk.StateUnread || c.State == desk.StateReceived {
		due = c.Due.Format("15:04Z")
		if now.After(c.Due) {
			due = "overdue since " + c.Due.Format("2 Jan 15:04Z")
		}
	}
	state := c.State
	if c.Corrected != "" {
		state += fmt.Sprintf(", corrected by %.8s", c.Corrected)
	}
	return strings.Join([]string{fault.Escape(c.Reference), c.From, strings.ToUpper(c.Precedence), strings.ToUpper(c.DTG.Format("021504Z Jan 06")), state, due, fmt.Sprintf("%.8s", c.Cable), fault.Escape(c.Subject)}, "\t")
}

type readOptions struct {
	Wait time.Duration `default:"15s" placeholder:"TIME" help:"Wait so long for the keys (${default})."`
	Ref  string        `arg:"" help:"The cable's reference, or the beginning of its id."`
	Save string        `placeholder:"DIR" help:"Save its attachments into a new folder."`
	JSON bool          `name:"json" help:"Print it as JSON."`
	deskOptions
}

// Help is shown by chancery read --help.
func (readOptions) Help() string {
	return `Opens a cable. The first time your desk signs a receipt, which stands in the log before the keys of your copy are handed over, and
says in the log that it opened. From then on the cable is read without a line. Words that you quote are the words of your
copy: to quote it in an answer, write [[REFERENCE, PARAGRAPH]].`
}

// Run opens and prints.
func (o readOptions) Run(ctx context.Context, s Streams) error {
	d, err := o.synced(ctx, s)
	if err != nil {
		return err
	}
	d.Patience = o.Wait
	i, err := d.Read(ctx, o.Ref)
	if err != nil {
		return err
	}
	text := d.Reading(i)
	if o.JSON {
		row := summary(i)
		row.Corrected = d.Corrected()[i.Cable]
		return writeJSON(s.Out, struct {
			cableSummary
			Text string `json:"text"`
		}{row, text})
	}
	if by := d.Corrected()[i.Cable]; by != "" {
		s.warn("the cable was corrected: chancery read %.8s", by)
	}
	if before := i.Release.Previous; before != "" {
		fmt.Fprintf(s.Err, "corrects the cable %.8s\n", before)
	}
	if i.Recall != "" {
		s.warn("the cable was recalled after you had opened it: %s", i.Recall)
	}
	if _, err := io.WriteString(s.Out, escapeLines(text)); err != nil {
		return err
	}
	return o.attachments(ctx, s, d, i)
}

// attachments lists or saves what came along.
func (o readOptions) attachments(ctx context.Context, s Streams, d *desk.Desk, i desk.Item) error {
	for _, a := range i.Attachments {
		fmt.Fprintf(s.Err, "attachment: %s, %d bytes\n", fault.Escape(a.Name), a.Size)
	}
	if o.Save == "" || len(i.Attachments) == 0 {
		return nil
	}
	return durable.CreateFolder(o.Save, func(f *durable.Folder) error {
		for n := range i.Attachments {
			file, err := d.Attachment(ctx, i.Cable, n)
			if err != nil {
				return err
			}
			if err := f.WriteFile(file.Name, file.Data); err != nil {
				return err
			}
		}
		return nil
	})
}

// escapeLines shows text from outside as it is, but for what would steer a terminal.
func escapeLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = fault.Escape(l)
	}
	return strings.Join(lines, "\n")
}

type ackOptions struct {
	Ref string `arg:"" help:"The cable."`
	deskOptions
}

// Help is shown by chancery ack --help.
func (ackOptions) Help() string {
	return `Tells the originator that you have read the cable and act on it. The receipt says only that it was opened.`
}

// Run acknowledges.
func (o ackOptions) Run(ctx context.Context, s Streams) error {
	d, err := o.synced(ctx, s)
	if err != nil {
		return err
	}
	i, err := d.Ack(ctx, o.Ref)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "acknowledged %s to %s\n", fault.Escape(i.Release.Reference), i.Author)
	return err
}

type recallOptions struct {
	Ref    string `arg:"" help:"A cable that you sent, or that waits in the outbox."`
	Reason string `required:"" placeholder:"TEXT" help:"Why; those who got the cable see it."`
	Yes    bool   `short:"y" help:"Do not ask."`
	deskOptions
}

// Help is shown by chancery recall --help.
func (recallOptions) Help() string {
	return `Calls a cable back. Whoever has not opened it gets no keys any more, and the log shows that they never had them. Whoever has
opened it has read it: for them the recall is a request.

Whoever sits in the office that sent it can recall it too, once they have read the office's archive (chancery handover
OFFICE --archive).`
}

// Run recalls.
func (o recallOptions) Run(ctx context.Context, s Streams) error {
	d, err := o.open(s)
	if err != nil {
		return err
	}
	if done, err := o.drop(s, d); done || err != nil {
		return err
	}
	if err := refresh(ctx, s, d); err != nil {
		return err
	}
	i, err := d.Find(o.Ref)
	if err != nil {
		return err
	}
	if err := s.confirm(o.Yes, "--yes", fmt.Sprintf("Recall %q, sent to %d? It cannot be taken back.", i.Release.Reference, i.Release.N)); err != nil {
		return err
	}
	i, before, err := d.Recall(ctx, o.Ref, o.Reason)
	if err != nil {
		return err
	}
	if by := d.Corrected()[i.Cable]; by != "" {
		s.warn("the cable %.8s corrects it, and may refer to paragraphs of it: who has not opened this one cannot read them there", by)
	}
	if before, err := d.Find(i.Release.Previous); err == nil && i.Release.Previous != "" && before.Recall == "" {
		s.warn("the cable that it corrects can be read as before: chancery recall %.8s", before.Cable)
	}
	if len(i.Copies) == 0 { // a colleague's, or sent with keys that were lost
		_, err = fmt.Fprintf(s.Out, "recalled %s; its author and the marking desk are told\n", fault.Escape(i.Release.Reference))
		return err
	}
	_, err = fmt.Fprintf(s.Out, "recalled %s; %d of %d had receipted it before, as far as this desk was told\n", fault.Escape(i.Release.Reference), before, len(i.Copies))
	return err
}

// drop takes a cable out of the outbox, if it is there and has not left.
func (o recallOptions) drop(s Streams, d *desk.Desk) (done bool, err error) {
	for _, out := range d.Outbox() {
		if out.Reference != o.Ref || out.Tried {
			continue
		}
		if err := s.confirm(o.Yes, "--yes", fmt.Sprintf("Take %q out of the outbox? Nothing of it has left.", o.Ref)); err != nil {
			return true, err
		}
		if err := d.Drop(out.ID); err != nil {
			return true, err
		}
		_, err := fmt.Fprintf(s.Out, "%s was taken out of the outbox; it had not left\n", fault.Escape(o.Ref))
		return true, err
	}
	return false, nil
}
