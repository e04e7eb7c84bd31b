package service

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chancery/internal/attend"
	"chancery/internal/client"
	"chancery/internal/custody"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/seal"
	"chancery/internal/sign"
	"chancery/internal/store"
	"chancery/internal/vault"
)

// elsewhere runs the marking desk and the custodians in this process: the server has
// none of their folders.
func (h *house) elsewhere(ctx context.Context) {
	h.t.Helper()
	for _, name := range custodians {
		k, dir := h.keys("custodians", name), h.path("ministry", "custodians", name)
		c, err := h.account.DialFrom(k.Sign, dir, time.Now)
		must(h.t, err)
		one := &attend.Custodian{Name: name, Key: k.Sign, Identity: k.Identity, Vault: vault.New(filepath.Join(dir, "files"), k.Sign.Derive("custodian files")), Client: c, Logger: quiet}
		h.attend(ctx, one.Run)
	}
	h.marking(ctx, h.account, 8)
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// attend runs a party in this process until the test ends.
func (h *house) attend(ctx context.Context, run func(context.Context) error) {
	ended := make(chan struct{})
	ctx, end := context.WithCancel(ctx)
	go func() {
		defer close(ended)
		if err := run(ctx); err != nil && ctx.Err() == nil {
			h.t.Errorf("a party ended: %v", err)
		}
	}()
	h.t.Cleanup(func() { end(); <-ended })
}

// marking runs the marking desk in this process. It keeps so many draws.
func (h *house) marking(ctx context.Context, account client.Account, draws int) *attend.Marking {
	h.t.Helper()
	k, dir := h.keys("marking"), h.path("ministry", "marking")
	c, err := account.DialFrom(k.Sign, dir, time.Now)
	must(h.t, err)
	m := &attend.Marking{Name: k.Name, Key: k.Sign, Identity: k.Identity, Keeper: vault.Folder(filepath.Join(dir, "files")), Client: c, Now: time.Now, Logger: quiet, Stock: draws}
	h.attend(ctx, m.Run)
	return m
}

var custodians = []string{"auditor", "clerk", "judge"}

// keys reads those of a party that is no person.
func (h *house) keys(parts ...string) attend.Keys {
	h.t.Helper()
	k, err := attend.ParseKeys("party.key", h.party(append(parts, "party.key")...))
	must(h.t, err)
	return k
}

// drafts are what is sent. Their words are such as no program says.
var drafts = map[string]string{
	"POST 18/30": `Reference: POST 18/30
Date: 2030-05-11
From: Embassy
To: Centre
Precedence: PRIORITY
Subject: Dredging quarrels at Lowmouth

The harbourmaster was {evasive|guarded|unforthcoming} about Lowmouth dredging and {sulked through luncheon|did not so much as touch the sturgeon}. We {think|believe} his {barge|lighter} scheme will {founder|come to nothing at all} before the {thaw|end of skating}.

His {deputy|second} {lingered afterwards|remained} and {wheedled|wanted to know} {twice|two separate times} which tariff Lowmouth chandlers would swallow. "Nobody here dredges for love," he muttered, and pocketed three marzipan anchors.
`,
	"POST 19/30": `Reference: POST 19/30
Date: 2030-05-12
From: Embassy
To: Centre
Precedence: IMMEDIATE
Subject: Chancellor Quillfeather's temper

Chancellor Quillfeather {bellowed at|shouted down} his archivist over misfiled herring ledgers; the {outburst|tantrum} lasted {forty|about forty} minutes and {rattled|visibly unsettled} the Swedish harpist.

Our {guess|reading}: Quillfeather {resigns|goes} by {midsummer|the longest day} unless the beekeepers' faction {relents|gives way}. He is {inept|clumsy|out of his depth} with beekeepers.
`,
	"POST 20/30": `Reference: POST 20/30
Date: 2030-05-13
From: Embassy
To: Centre
Precedence: ROUTINE
Subject: Withdrawn remarks

These remarks on Ambassador Thistlewick's {appalling|dreadful} accordion recital were {drafted in haste|hastily drafted} and ought never {have travelled|to have been sent}; his {vanity|conceit} is {boundless|without limit}.
`,
	"CENTRE 7/30": `Reference: CENTRE 7/30
Date: 2030-05-14
From: Centre
To: Embassy
Precedence: PRIORITY
Subject: Answering your dredging cable
Reply-To-Ref: POST 18/30

Lowmouth chandlers {swallow|will swallow} whatever tariff keeps marzipan {cheap|inexpensive}. Please {wheedle back|press him}, and {spare|do not offer} no sturgeon.
`}

// send sends a draft and waits until its copies are issued.
func (h *house) send(ctx context.Context, from *desk.Desk, ref, replyTo string, to ...string) {
	h.t.Helper()
	_, err := from.Queue(desk.Outgoing{Draft: drafts[ref], To: to, Precedence: "priority", Reference: ref, ReplyTo: replyTo, Attested: true})
	must(h.t, err)
	must(h.t, from.Sync(ctx, 0))
	until(h.t, "the issue of "+ref, time.Minute, func() bool {
		must(h.t, from.Sync(ctx, time.Second))
		i, err := from.Sent(ref)
		must(h.t, err)
		return i.Issue != nil
	})
}

// read has desks open a cable and say that it was read.
func (h *house) read(ctx context.Context, ref string, ids ...string) {
	h.t.Helper()
	parallel(ids, func(id string) {
		d := h.desks[id]
		until(h.t, ref+" at "+id, time.Minute, func() bool {
			if err := d.Sync(ctx, time.Second); err != nil {
				h.t.Error(err)
			}
			i, err := d.Find(ref)
			return err == nil && i.Issue != nil
		})
		if _, err := d.Read(ctx, ref); err != nil {
			h.t.Errorf("%s reads %s: %v", id, ref, err)
		}
		if _, err := d.Ack(ctx, ref); err != nil {
			h.t.Errorf("%s acks %s: %v", id, ref, err)
		}
	})
}

var readers = []string{"bo", "cornelia-amalia-of-the-long-name", "di"}

// correspond is a morning of an embassy: two cables, one that is called back, one
// reply, all opened and acknowledged.
func (h *house) correspond(ctx context.Context) {
	h.t.Helper()
	ada, bo := h.desks["ada"], h.desks["bo"]
	h.send(ctx, ada, "POST 18/30", "", "centre.desk", "centre.private-office")
	h.send(ctx, ada, "POST 19/30", "", "centre.desk", "centre.private-office")
	h.send(ctx, ada, "POST 20/30", "", "centre.desk", "centre.private-office")
	h.read(ctx, "POST 18/30", readers...)
	h.read(ctx, "POST 19/30", readers...)
	h.read(ctx, "POST 20/30", "bo")
	_, _, err := ada.Recall(ctx, "POST 20/30", "written in haste")
	must(h.t, err)
	until(h.t, "the recall at the others", time.Minute, func() bool {
		must(h.t, h.desks["di"].Sync(ctx, time.Second))
		i, err := h.desks["di"].Find("POST 20/30")
		return err == nil && i.Recall != ""
	})
	if _, err := h.desks["di"].Read(ctx, "POST 20/30"); !errors.Is(err, fault.Permission) {
		h.t.Errorf("a recalled cable was read: %v", err)
	}
	first, err := bo.Find("POST 18/30")
	must(h.t, err)
	h.send(ctx, bo, "CENTRE 7/30", first.Cable, "post.embassy")
	h.read(ctx, "CENTRE 7/30", "ada")
	h.calm()
}

// TestStolenServer: somebody has the registry's machine while it runs. They take its
// folder with the database and all keys, a dump of the database, its talkative log
// and its whole memory, right after a morning of cables, and look for any three words
// of any wording, and for anything that would open one or sign for somebody. There is
// nothing. Then a careless desk sends its cable and its key unsealed, and the same
// search finds them in every one of these places.
func TestStolenServer(t *testing.T) {
	long(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	h := foundWitnessed(t)
	server := h.path("server")
	must(t, os.Mkdir(server, 0o700))
	must(t, os.Rename(h.path("ministry", "registry"), filepath.Join(server, "registry")))
	h.serving = h.serve("registry", server, h.address, "--no-marking", "-v")
	h.enrol(ctx, "ada", "post.embassy", "head")
	for i, id := range readers {
		h.enrol(ctx, id, []string{"centre.desk", "centre.desk", "centre.private-office"}[i], fmt.Sprintf("seat-%d%s", i, strings.Repeat("x", 9*i)))
	}
	_, err := h.desks["bo"].NewEpoch(ctx, "centre.desk")
	must(t, err)
	if made, err := h.authority.OfficeKeys(ctx); err != nil || len(made) != 1 {
		t.Fatalf("an office's key: %v, %v", made, err)
	}
	for _, d := range h.desks {
		must(t, d.Sync(ctx, 0))
	}
	h.elsewhere(ctx)
	places := func() map[string]place {
		return map[string]place{"files": files(t, server), "dump": dump(t, filepath.Join(server, "registry", "registry.db")), "log": {"log": h.serving.said(t)}, "memory": memory(t, h.serving)}
	}
	words := newHunt()
	words.words(t)
	for name, p := range places() {
		if found := words.found(p); len(found) > 0 {
			t.Fatalf("before anything was sent, %s held %q: the drafts say what the program says", name, found)
		}
	}
	h.correspond(ctx)
	s, err := store.Open(ctx, filepath.Join(server, "registry", "registry.db"))
	must(t, err)
	defer s.Close()
	words.people(t, h)
	boxes := words.cables(t, h, s)
	t.Logf("looking for %d runs of words and secrets, in %d spellings", len(words.loose.what), len(words.loose.what)+len(words.exact.what))
	for name, p := range places() {
		found := words.found(p)
		t.Logf("%s: %d pieces, %d bytes: %d found", name, len(p), p.size(), len(found))
		if len(found) > 0 {
			t.Errorf("%s: a thief finds %q", name, found)
		}
	}
	t.Run("what is the registry's own is found", func(t *testing.T) { ownKeys(t, server, places()) })
	t.Run("keys of boxes are the marking desk's alone", func(t *testing.T) { boxKeys(t, h, boxes) })
	t.Run("sizes", func(t *testing.T) { sizes(t, h, s) })
	t.Run("what is planted is found", func(t *testing.T) { planted(t, h, server, words, places) })
}

// ownKeys finds the operator's key and the log's in the registry's files and memory.
func ownKeys(t *testing.T, server string, places map[string]place) {
	own := newHunt()
	for _, name := range []string{"operator.key", "log.key"} {
		text, err := os.ReadFile(filepath.Join(server, "registry", name))
		must(t, err)
		if name == "log.key" {
			own.note(t, name, string(text))
			continue
		}
		k, err := sign.ParseKey(string(text))
		must(t, err)
		own.signing(t, name, k)
	}
	for _, where := range []string{"files", "memory"} {
		found := own.found(places[where])
		t.Logf("%s: %q", where, found)
		if !slices.ContainsFunc(found, func(s string) bool { return strings.HasPrefix(s, "operator") }) || !slices.ContainsFunc(found, func(s string) bool { return strings.HasPrefix(s, "log") }) {
			t.Errorf("%s: the registry's own keys were not found: %q", where, found)
		}
	}
	for _, where := range []string{"dump", "log"} {
		if found := own.found(places[where]); len(found) > 0 {
			t.Errorf("%s: %q", where, found)
		}
	}
}

// boxKeys shows that nobody's files hold keys of boxes as they are, and that those of
// the marking desk's files that do open with its identity and no other.
func boxKeys(t *testing.T, h *house, boxes *hunt) {
	if found := boxes.found(files(t, h.dir)); len(found) > 0 {
		t.Errorf("unsealed in somebody's files: %q", found)
	}
	others := []*seal.Identity{h.keys("overseers", "inspector").Identity}
	for _, name := range custodians {
		others = append(others, h.keys("custodians", name).Identity)
	}
	for _, d := range h.desks {
		others = append(others, d.Keys.Identity)
	}
	own := h.keys("marking").Identity
	holding := 0
	for path, sealed := range files(t, h.path("ministry", "marking", "files")) {
		if filepath.Base(path) == "place" {
			continue
		}
		if _, err := seal.Open(sealed, others...); err == nil {
			t.Errorf("%s opens with another's identity", filepath.Base(path))
		}
		plain, err := seal.Open(sealed, own)
		if err != nil {
			t.Errorf("%s does not open with the marking desk's identity: %v", filepath.Base(path), err)
			continue
		}
		if strings.HasPrefix(filepath.Base(path), "order-") && slices.Contains(boxes.look(plain), "secret of the boxes") {
			holding++
		}
	}
	if holding != len(drafts) {
		t.Errorf("the marking desk's files hold the secrets of %d cables of %d", holding, len(drafts))
	}
}

// sizes shows that copies of one cable cannot be told apart by length: not the
// letters, not the keys. One kit serves all.
func sizes(t *testing.T, h *house, s *store.Store) {
	ctx := t.Context()
	for _, ref := range []string{"POST 18/30", "POST 19/30"} {
		sent, err := h.desks["ada"].Sent(ref)
		must(t, err)
		letters, keys := map[int]int{}, map[int]int{}
		for _, id := range readers {
			bodies, err := s.Log().Bodies(ctx, directory.PartyOf(id), custody.Place{Index: sent.Index}, 1)
			must(t, err)
			if len(bodies) != 1 || bodies[0].Index != sent.Index {
				t.Fatalf("%s has no letter of %s", id, ref)
			}
			letters[len(bodies[0].Data)]++
			l, _, err := post.Open(directory.PartyOf(id), bodies[0].Data, nil, h.desks[id].Keys.Identity)
			must(t, err)
			if l.Copy == nil || l.Copy.Person != id {
				t.Errorf("the letter for %s is about another copy", id)
			}
			listed, err := s.Parcels(ctx, directory.PartyOf(id), 0, 100)
			must(t, err)
			for _, p := range listed {
				data, err := s.Parcel(ctx, p.Digest, []string{directory.PartyOf(id)})
				must(t, err)
				plain, err := seal.Open(data, h.desks[id].Keys.Identity)
				must(t, err)
				if d, err := entries.ParseDelivery(plain); err == nil && d.Cable == sent.Cable {
					keys[len(data)]++
				}
			}
			kit, err := s.Parcel(ctx, sent.Release.Kit, []string{directory.PartyOf(id)})
			must(t, err)
			if sha256.Sum256(kit) != sent.Release.Kit {
				t.Error("another kit")
			}
		}
		if len(letters) != 1 || len(keys) != 1 {
			t.Errorf("%s: lengths of letters %v, of keys %v (by length, how many)", ref, letters, keys)
		}
		t.Logf("%s, %d readers: letters %v, keys %v (by length, how many)", ref, len(readers), letters, keys)
	}
}

// planted has a careless desk hand over what it should have sealed, and finds it.
func planted(t *testing.T, h *house, server string, words *hunt, places func() map[string]place) {
	ctx := t.Context()
	ada := h.desks["ada"]
	item, err := ada.Sent("POST 18/30")
	must(t, err)
	key := ada.Keys.Person.Secret()
	lines := strings.Fields(string(seal.FormatIdentities(time.Now(), ada.Keys.Identity)))
	raw := bech32Data(t, lines[len(lines)-1])
	for _, careless := range [][]byte{[]byte(item.Record), utf16of(strings.ToUpper(item.Record)), []byte(base64.StdEncoding.EncodeToString([]byte("x" + item.Record))), []byte(key), raw} {
		must(t, ada.Client.PutQuiet(ctx, append(bytes.Repeat([]byte{'-'}, 100), careless...), []string{directory.PartyOf("bo")}))
	}
	log, err := os.OpenFile(h.serving.log, os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = fmt.Fprintf(log, "level=DEBUG text=%q key=%s raw=%x b=%s\n", item.Record, key, raw, base64.StdEncoding.EncodeToString([]byte(item.Record)))
	must(t, err)
	must(t, log.Close())
	for name, p := range places() {
		found := words.found(p)
		for _, want := range []string{"words", "words in base64", "key of a person", "identity of a person, seed"} {
			if !slices.Contains(found, want) {
				t.Errorf("%s: %s was planted and not found: %q", name, want, found)
			}
		}
	}
	must(t, os.WriteFile(filepath.Join(server, "registry", "notes.txt"), utf16of(item.Record), 0o600))
	if found := words.found(place{"notes": files(t, server)[filepath.Join(server, "registry", "notes.txt")]}); !slices.Contains(found, "words") {
		t.Errorf("a file beside the database was not searched: %q", found)
	}
}
