package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"chancery/cable"
	"chancery/internal/attend"
	"chancery/internal/codebook"
	"chancery/internal/demo"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/durable"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/seal/share"
	"chancery/internal/town"
	"chancery/internal/vault"
	"chancery/mark"
	"chancery/trace"
)

// Where the demo's people sit. The last two are not on the list: one gets an onward
// copy, one succeeds.
const (
	ambassador = "eleanor-vaisey"
	secretary  = "miles-farrow"
	overseas   = "ada-quill"
	velmara    = "tom-birch"
	adviser    = "nora-lisle"
	successor  = "clara-hume"

	pmOffice = "pm.private-office"
)

var cast = []struct{ id, name, office, seat string }{
	{ambassador, "Dame Eleanor Vaisey", "istrel.embassy", "ambassador"},
	{secretary, "Miles Farrow", pmOffice, "principal"},
	{overseas, "Ada Quill", "cabinet-office.overseas", "secretary"},
	{velmara, "Tom Birch", "foreign.velmara-desk", "head"},
	{adviser, "Nora Lisle", "fs.special-adviser", "adviser"},
}

// noCase is what the released codebook says of its grounds.
const noCase = "demo: no case: no legal basis, no veto window, no logged reading"

// A service is the demo's institution while it runs.
type service struct {
	*town.Town
	out   io.Writer
	desks map[string]*desk.Desk
	first string // the cable that leaks

	places int // in it, with alternatives
}

// playService founds an institution in the demo's folder and plays a week of it: a
// cable is sent, read, passed on, another is recalled, a post is handed over. It
// returns the codebook that the custodians' shares give for the first cable, and
// which of its copies were opened.
func (p *play) playService(ctx context.Context, out io.Writer) (book *codebook.Book, opened []string, err error) {
	t, err := town.Found(ctx, town.Config{Folder: p.dir, Name: "Kingdom of Northmere", Custodians: []string{"auditor", "clerk", "judge"}, Threshold: 2,
		Overseers: []string{"inspector"}, Witness: true, Stock: 3})
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if closed := t.Close(); err == nil {
			err = closed
		}
	}()
	s := &service{t, out, map[string]*desk.Desk{}, p.draft.Get("Reference"), len(p.draft.Groups)}
	for _, step := range []func(context.Context, *demo.Scene) error{s.people, s.send, s.read, s.passOn, s.recall, s.handOver, s.check} {
		if err := step(ctx, p.scene); err != nil {
			return nil, nil, err
		}
	}
	if book, err = s.release(ctx); err != nil {
		return nil, nil, err
	}
	return book, []string{secretary, velmara, adviser, successor}, s.proof(ctx, p.dir)
}

func (s *service) say(title, format string, args ...any) {
	fmt.Fprintf(s.out, "%-10s %s\n", title, fmt.Sprintf(format, args...))
}

// people enrols everyone and seats them.
func (s *service) people(ctx context.Context, _ *demo.Scene) error {
	for _, c := range cast {
		d, err := s.Enrol(ctx, c.id, c.name)
		if err != nil {
			return err
		}
		s.desks[c.id] = d
		if err := s.Seat(ctx, d, c.office, c.seat); err != nil {
			return err
		}
	}
	if _, err := s.Authority.List(ctx, "velmara", []string{pmOffice, "cabinet-office.overseas", "foreign.velmara-desk"}); err != nil {
		return err
	}
	if _, err := s.desks[secretary].NewEpoch(ctx, pmOffice); err != nil {
		return err
	}
	if _, err := s.Authority.OfficeKeys(ctx); err != nil {
		return err
	}
	s.say("Founded", "a registry that cannot read, a marking desk that sees no word, three custodians, a witness, five desks.")
	return s.Ready(ctx, 20*time.Second)
}

// post sends a draft to the list and waits for the issue.
func (s *service) post(ctx context.Context, draft []byte, to string) (desk.Item, error) {
	d := s.desks[ambassador]
	if err := d.Sync(ctx, 0); err != nil {
		return desk.Item{}, err
	}
	parsed, err := cable.Parse(draft)
	if err != nil {
		return desk.Item{}, err
	}
	ref := parsed.Get("Reference")
	if _, err := d.Queue(desk.Outgoing{Draft: string(draft), To: []string{to}, Precedence: strings.ToLower(parsed.Get("Precedence")), Reference: ref, Attested: true}); err != nil {
		return desk.Item{}, err
	}
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); {
		if err := d.Sync(ctx, time.Second); err != nil {
			return desk.Item{}, err
		}
		if i, err := d.Find(ref); err == nil && i.Issue != nil {
			return i, nil
		}
	}
	return desk.Item{}, fault.System.New("the marking desk did not issue %s", ref)
}

func (s *service) send(ctx context.Context, scene *demo.Scene) error {
	i, err := s.post(ctx, scene.Draft, "velmara")
	if err != nil {
		return err
	}
	s.say("Sent", "%s to the list velmara: %s, %d places with alternatives; the ambassador does not know who has which.", i.Release.Reference, count(i.Issue.N, "copy"), s.places)
	return nil
}

// open reads a cable at somebody's desk.
func (s *service) open(ctx context.Context, who, ref string) (desk.Item, error) {
	d := s.desks[who]
	if err := d.Sync(ctx, 0); err != nil {
		return desk.Item{}, err
	}
	return d.Read(ctx, ref)
}

func (s *service) read(ctx context.Context, _ *demo.Scene) error {
	for _, who := range []string{secretary, velmara} {
		if _, err := s.open(ctx, who, s.first); err != nil {
			return err
		}
	}
	s.say("Read", "by %s and %s, each after a receipt in the log; %s is away.", secretary, velmara, overseas)
	return nil
}

func (s *service) passOn(ctx context.Context, _ *demo.Scene) error {
	if _, err := s.desks[velmara].Forward(ctx, s.first, adviser, "for Thursday's meeting"); err != nil {
		return err
	}
	a := s.desks[ambassador]
	if err := a.Sync(ctx, 0); err != nil {
		return err
	}
	if _, err := a.Allow(ctx, s.first, adviser); err != nil {
		return err
	}
	if err := s.awaitCopy(ctx, adviser); err != nil {
		return err
	}
	if _, err := s.open(ctx, adviser, s.first); err != nil {
		return err
	}
	s.say("Passed on", "by %s to %s, with the ambassador's leave: a fourth wording.", velmara, adviser)
	return nil
}

// awaitCopy waits until somebody's late copy was issued.
func (s *service) awaitCopy(ctx context.Context, who string) error {
	d := s.desks[who]
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); {
		if err := d.Sync(ctx, time.Second); err != nil {
			return err
		}
		if i, err := d.Find(s.first); err == nil && i.Copy != nil && i.Issue != nil {
			return nil
		}
	}
	return fault.System.New("no copy came for %s", who)
}

func (s *service) recall(ctx context.Context, scene *demo.Scene) error {
	i, err := s.post(ctx, scene.Second, pmOffice)
	if err != nil {
		return err
	}
	if _, _, err := s.desks[ambassador].Recall(ctx, i.Cable, "sent to the wrong list"); err != nil {
		return err
	}
	if _, err := s.open(ctx, secretary, i.Cable); err == nil || fault.KindOf(err) != fault.Permission {
		return fault.Internal.New("a recalled cable was opened: %v", err)
	}
	s.say("Recalled", "%s before anybody opened it: nobody has its keys, and the log shows it.", i.Release.Reference)
	return nil
}

// handOver ends the private secretary's tenure and has the successor read the archive.
func (s *service) handOver(ctx context.Context, _ *demo.Scene) error {
	dir, err := s.Authority.Directory(ctx)
	if err != nil {
		return err
	}
	leaves := dir.Tenures(secretary)[0]
	at, err := s.Authority.Depart(ctx, leaves.ID, s.Now())
	if err != nil {
		return err
	}
	if err := s.Authority.Noted(ctx, at, 10*time.Second); err != nil {
		return err
	}
	d, err := s.Enrol(ctx, successor, "Clara Hume")
	if err != nil {
		return err
	}
	s.desks[successor] = d
	if err := s.succeed(ctx, d); err != nil {
		return err
	}
	old := s.desks[secretary]
	if err := old.Sync(ctx, 0); err != nil {
		return err
	}
	if _, err := old.HandOver(ctx, pmOffice, successor); err != nil {
		return err
	}
	if err := d.Sync(ctx, time.Second); err != nil {
		return err
	}
	for _, h := range d.Handovers() {
		if _, err := d.TakeOver(ctx, h); err != nil {
			return err
		}
	}
	if _, _, err := d.Archive(ctx, pmOffice); err != nil {
		return err
	}
	if _, err := s.open(ctx, successor, s.first); err != nil {
		return err
	}
	s.say("Succeeded", "%s leaves, and his desk tells him so; %s comes and reads the archive in a wording of her own, a fifth.", secretary, successor)
	return nil
}

// succeed appoints the successor to the seat that is empty now.
func (s *service) succeed(ctx context.Context, d *desk.Desk) error {
	// A tenure begins when the one before it has ended, to the second.
	if err := s.Appoint(ctx, d, pmOffice, "principal", s.Now().Add(time.Second)); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return fault.Interrupted.Wrap(ctx.Err(), "demo")
	case <-time.After(1100 * time.Millisecond):
	}
	return d.Sync(ctx, 0)
}

// check refuses to go on if a desk was alarmed. The one whose tenure ended is, and
// rightly: the statement is about him, and he did not sign it.
func (s *service) check(context.Context, *demo.Scene) error {
	for who, d := range s.desks {
		for _, a := range d.Alarms() {
			if who == secretary && strings.Contains(a.Text, ": "+directory.KindTenureEnd+", of the seat") {
				continue
			}
			return fault.Internal.New("%s was alarmed: %s", who, a.Text)
		}
	}
	return s.Err()
}

// release does in this process what k custodians do in a case: it restores the draw
// and the escrow of the first cable, and makes a codebook of them.
func (s *service) release(ctx context.Context) (*codebook.Book, error) {
	a := s.desks[ambassador]
	if err := a.Sync(ctx, time.Second); err != nil {
		return nil, err
	}
	i, err := a.Find(s.first)
	if err != nil {
		return nil, err
	}
	rho, err := s.restore(attend.DrawName(i.Issue.Draw))
	if err != nil {
		return nil, err
	}
	e, err := s.escrow(ctx, i)
	if err != nil {
		return nil, err
	}
	draft, err := cable.Parse([]byte(e.Draft))
	if err != nil {
		return nil, err
	}
	var readers []codebook.Reader
	for _, c := range i.Copies {
		readers = append(readers, codebook.Reader{ID: c.Person, Copy: c.ID})
	}
	book, err := codebook.FromRelease(draft, trace.DefaultRule(), mark.Draw{Secret: rho.Key("draw"), Slots: attend.Slots}, mark.Hash(i.Release.Nonce),
		codebook.NewRelease(i.Cable, mark.Hash(i.Release.Root), noCase), readers, rand.Reader)
	if err != nil {
		return nil, err
	}
	// What the shares give must be what people read.
	for _, r := range book.Readers() {
		if read, err := s.desks[r.ID].Find(s.first); err == nil && read.Text != "" && read.Text != book.Copy(r) {
			return nil, fault.Internal.New("the shares give %s another copy than was read", r.ID)
		}
	}
	s.say("Released", "for %s the shares of two custodians, here in one process; in earnest that is a case.", s.first)
	return book, nil
}

// restore restores a secret from two custodians' shares.
func (s *service) restore(name string) (share.Secret, error) {
	var shares []share.Share
	var vector *share.Vector
	for _, who := range []string{"auditor", "judge"} {
		k := s.Keepers[who]
		v := vault.New(filepath.Join(s.Folder, "custodians", who, "files"), k.Sign.Derive("custodian files"))
		var kept attend.Share
		if err := v.Get(name, &kept); err != nil {
			return share.Secret{}, err
		}
		one, err := share.ParseShare(kept.Share)
		if err != nil {
			return share.Secret{}, err
		}
		if vector, err = share.ParseVector(kept.Vector); err != nil {
			return share.Secret{}, err
		}
		shares = append(shares, one)
	}
	return share.Recover(shares, vector)
}

// escrow opens the draft of a cable.
func (s *service) escrow(ctx context.Context, i desk.Item) (*desk.Escrow, error) {
	secret, err := s.restore(attend.EscrowName(i.Cable))
	if err != nil {
		return nil, err
	}
	c, err := s.Dial(s.Keepers["judge"].Sign, filepath.Join(s.Folder, "custodians", "judge"))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	sealed, err := c.Parcel(ctx, i.Release.Escrow)
	if err != nil {
		return nil, err
	}
	return desk.OpenEscrow(sealed, secret)
}

// proof leaves the proof of the first release.
func (s *service) proof(ctx context.Context, dir string) error {
	i, proofs, err := s.desks[ambassador].Prove(ctx, s.first)
	if err != nil {
		return err
	}
	for k, a := range i.Acts {
		if a.Kind == entries.KindRelease {
			return durable.CreateFile(filepath.Join(dir, "log.tlog-proof"), proofs[k].Encode())
		}
	}
	return fault.Internal.New("the release is not among the acts of %s", s.first)
}
