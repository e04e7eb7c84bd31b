package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"strings"
	"time"

	"chancery/internal/desk"
	"chancery/internal/durable"
	"chancery/internal/fault"
)

type exportOptions struct {
	Ref string `arg:"" help:"The cable."`
	Out string `short:"o" placeholder:"FILE" help:"Where to (standard output)."`
	deskOptions
}

// Help is shown by chancery export --help.
func (exportOptions) Help() string {
	return `Writes a cable as an ordinary mail message (RFC 5322) with the header fields of military messaging (RFC 6477), to be read by other programs.
It is unsigned, on purpose: a signed copy would prove itself to whoever it reached. The words are those of your own copy: keep the
file as you would keep the copy.`
}

// Run exports.
func (o exportOptions) Run(ctx context.Context, s Streams) error {
	d, i, err := o.cable(ctx, s, o.Ref)
	if err != nil {
		return err
	}
	if i.Text == "" && !i.Mine {
		return fault.Usage.New("the cable was not read yet").WithHint("chancery read opens it")
	}
	var files []desk.File
	for n := range i.Attachments {
		f, err := d.Attachment(ctx, i.Cable, n)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	message, err := mail(i, d.Reading(i), d.Account.Origin(), files)
	if err != nil {
		return err
	}
	if o.Out != "" {
		return durable.CreateFile(o.Out, message)
	}
	_, err = s.Out.Write(message)
	return err
}

// mmhsPrecedence are the numbers of RFC 6477, 3.10.
var mmhsPrecedence = map[string]string{"routine": "1", "priority": "2", "immediate": "3", "flash": "4"}

// mail writes a cable as a message.
func mail(i desk.Item, text, origin string, files []desk.File) ([]byte, error) {
	_, body, _ := strings.Cut(text, "\n\n")
	host, _, _ := strings.Cut(origin, "/")
	host, _, _ = strings.Cut(host, ":")
	var b bytes.Buffer
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", name, mime.QEncoding.Encode("utf-8", strings.Join(strings.Fields(value), " ")))
		}
	}
	fmt.Fprintf(&b, "Date: %s\r\nMessage-ID: <%s@%s>\r\nFrom: %s@%s\r\n", i.Release.DTG.Format(time.RFC1123Z), i.Cable, host, i.Release.Office, host)
	fmt.Fprintf(&b, "To: undisclosed-recipients:;\r\n")
	if i.Release.Previous != "" {
		fmt.Fprintf(&b, "Supersedes: <%s@%s>\r\n", i.Release.Previous, host)
	}
	if i.Release.ReplyTo != "" {
		fmt.Fprintf(&b, "In-Reply-To: <%s@%s>\r\n", i.Release.ReplyTo, host)
	}
	field("Subject", desk.Subject(text))
	field("MMHS-Primary-Precedence", mmhsPrecedence[i.Release.Precedence])
	field("MMHS-Originator-Reference", i.Release.Reference)
	field("MMHS-Handling-Instructions", headerOf(text, "Handling"))
	field("MMHS-Message-Type", "operation")
	fmt.Fprintf(&b, "MMHS-Extended-Authorisation-Info: %s\r\nMIME-Version: 1.0\r\n", i.Release.DTG.Format(time.RFC1123Z))
	if len(files) == 0 {
		fmt.Fprint(&b, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
		err := quoted(&b, body)
		return b.Bytes(), err
	}
	err := parts(&b, body, files)
	return b.Bytes(), err
}

// quoted writes text as quoted-printable.
func quoted(w io.Writer, text string) error {
	q := quotedprintable.NewWriter(w)
	if _, err := io.WriteString(q, text); err != nil {
		return fault.Internal.Wrap(err, "write a message")
	}
	return q.Close()
}

// parts writes a text with attachments.
func parts(b *bytes.Buffer, body string, files []desk.File) error {
	m := multipart.NewWriter(b)
	fmt.Fprintf(b, "Content-Type: multipart/mixed; boundary=%q\r\n\r\n", m.Boundary())
	w, err := m.CreatePart(textproto.MIMEHeader{"Content-Type": {"text/plain; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"}})
	if err == nil {
		err = quoted(w, body)
	}
	for _, f := range files {
		if err != nil {
			break
		}
		disposition := mime.FormatMediaType("attachment", map[string]string{"filename": f.Name})
		w, err = m.CreatePart(textproto.MIMEHeader{"Content-Type": {"application/octet-stream"}, "Content-Disposition": {disposition}, "Content-Transfer-Encoding": {"base64"}})
		if err == nil {
			err = wrapped(w, base64.StdEncoding.EncodeToString(f.Data))
		}
	}
	if err != nil {
		return fault.Internal.Wrap(err, "write a message")
	}
	return m.Close()
}

// wrapped writes base64 in lines.
func wrapped(w io.Writer, text string) error {
	for len(text) > 0 {
		n := min(76, len(text))
		if _, err := fmt.Fprintf(w, "%s\r\n", text[:n]); err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}

// headerOf returns a header line of a copy.
func headerOf(text, name string) string {
	head, _, _ := strings.Cut(text, "\n\n")
	for line := range strings.Lines(head) {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
