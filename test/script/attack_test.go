package script

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"chancery/internal/appoint"
	"chancery/internal/attend"
	"chancery/internal/client"
	"chancery/internal/custody"
	"chancery/internal/desk"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/keylist"
	"chancery/internal/post"
	"chancery/internal/seal"
	"chancery/internal/sign"
	"chancery/internal/store"
)

// What attackers do that no command does for them. Each takes exactly the keys and
// files that the story of its script says were stolen.

// saysCommand is: says NAME PATTERN. What a process that was started tells comes to
// match; with ! it does not match now.
func saysCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 2, "says NAME PATTERN")
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	var told string
	for range 200 {
		told = ts.ReadFile(args[0] + ".log")
		if pattern.MatchString(told) == !neg {
			return
		}
		if neg {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s told\n%s", args[0], told)
}

// waitForCommand is: waitfor PATTERN VERB ARGUMENT... chancery is run until it prints what
// matches.
func waitForCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) > 1, "waitfor PATTERN VERB ARGUMENT...")
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	var out []byte
	for range 100 {
		if out, err = chancery(ts.Getenv("WORK"), args[1:]...).CombinedOutput(); pattern.Match(out) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("chancery %s: %v\n%s", strings.Join(args[1:], " "), err, out)
}

// values are the arguments NAME=VALUE of a command.
type values map[string]string

func valuesOf(ts *testscript.TestScript, args []string) values {
	out := values{}
	for _, a := range args {
		name, value, ok := strings.Cut(a, "=")
		need(ts, ok, "... NAME=VALUE...")
		out[name] = value
	}
	return out
}

// stolenDesk opens the desk of a person, of whose folder the attacker has a copy.
func stolenDesk(ts *testscript.TestScript, person string, now func() time.Time) *desk.Desk {
	copied, err := os.MkdirTemp(ts.Getenv("WORK"), "stolen-*")
	ts.Check(err)
	ts.Check(exec.Command("cp", "-a", ts.MkAbs(person)+"/.", copied).Run())
	d, err := desk.OpenFolder(copied, nil, now)
	ts.Check(err)
	ts.Defer(func() { d.Close() })
	return d
}

// syncedDesk is stolenDesk, with what came read.
func syncedDesk(ts *testscript.TestScript, person string) *desk.Desk {
	d := stolenDesk(ts, person, time.Now)
	ts.Check(d.Sync(context.Background(), 0))
	return d
}

// keyOf reads the key of an authority, or the operator's.
func keyOf(ts *testscript.TestScript, who string) *sign.Key {
	file := "ministry/" + who + "/authority.key"
	if who == "operator" {
		file = "ministry/registry/operator.key"
	}
	key, err := sign.ParseKey(ts.ReadFile(file))
	ts.Check(err)
	return key
}

// party reads the keys of a marking desk, or of another party in the ministry.
func party(ts *testscript.TestScript, folder string) attend.Keys {
	k, err := attend.ParseKeys(folder, []byte(ts.ReadFile("ministry/"+folder+"/party.key")))
	ts.Check(err)
	return k
}

func account(ts *testscript.TestScript) client.Account {
	a, err := client.ParseAccount("registry.json", []byte(ts.ReadFile("ministry/registry/registry.json")))
	ts.Check(err)
	return a
}

// speaking is a client that speaks for a desk, an authority, the operator or the marking
// desk.
func speaking(ts *testscript.TestScript, who string) *client.Client {
	if who != "operator" && who != "marking" && !strings.HasPrefix(who, "authority") {
		return stolenDesk(ts, who, time.Now).Client
	}
	key := party(ts, "marking").Sign
	if who != "marking" {
		key = keyOf(ts, who)
	}
	c, err := account(ts).Dial(key, nil, nil, time.Now)
	ts.Check(err)
	return c
}

// forgers are what forge makes.
var forgers = map[string]func(*testscript.TestScript, values){
	"receipt":  forgeReceipt,
	"delivery": forgeDelivery,
	"person":   forgePerson,
	"device":   forgeDevice,
	"release":  forgeRelease,
}

// forgeCommand is: forge WHAT NAME=VALUE...
func forgeCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) > 0 && forgers[args[0]] != nil, "forge receipt|delivery|person|device|release NAME=VALUE...")
	forgers[args[0]](ts, valuesOf(ts, args[1:]))
}

// copyOf returns a person's copy of a cable, as its author ada knows it.
func copyOf(ts *testscript.TestScript, cable, person string) entries.Copy {
	i, err := stolenDesk(ts, "ada", time.Now).Find(cable)
	ts.Check(err)
	k := slices.IndexFunc(i.Copies, func(c entries.Copy) bool { return c.Person == person })
	if k < 0 {
		ts.Fatalf("%s has no copy", person)
	}
	return i.Copies[k]
}

// forgeReceipt signs a receipt and logs it: cable=REFERENCE, copy= whose copy it names,
// person= and device= with whose keys, by= over whose connection; seen= a checkpoint
// file that it claims to have seen last.
func forgeReceipt(ts *testscript.TestScript, v values) {
	d := stolenDesk(ts, "ada", time.Now) // whoever told the attacker what is in the log
	if v["by"] != "operator" {
		d = syncedDesk(ts, v["by"])
	}
	i, err := d.Find(v["cable"])
	ts.Check(err)
	seen := d.Tree()
	if v["seen"] != "" {
		seen, err = d.Client.View.Parse([]byte(ts.ReadFile(v["seen"])))
		ts.Check(err)
	}
	var signer *sign.Key
	device := sign.Generate()
	if v["person"] == "operator" {
		signer = keyOf(ts, "operator")
	} else {
		signer = stolenDesk(ts, v["person"], time.Now).Keys.Person
	}
	if v["device"] != "new" {
		device = stolenDesk(ts, v["device"], time.Now).Keys.Device
	}
	one := copyOf(ts, v["cable"], v["copy"])
	body := entries.Receipt{Cable: i.Cable, Release: i.Index, Issue: i.Issued, Copy: one.ID, Kit: i.Release.Kit, Size: seen.Size, Root: entries.Digest(seen.Root),
		Device: device.Public().ID().String(), Tenure: one.Tenure}
	var to []post.Address
	ts.Check(d.Directory(func(dir *directory.Directory) {
		body.Register = dir.Head(seen.Size)
		to = post.Parties(dir.Institution(), i.Release.Marking)
		for _, id := range []string{"ada", v["copy"]} {
			p, _, err := dir.Person(id)
			ts.Check(err)
			to = append(to, post.To(p))
		}
	}))
	s, err := sign.Sign(entries.KindReceipt, body, signer.In(d.Client.Origin()), device.In(d.Client.Origin()))
	ts.Check(err)
	submit(ts, v["by"], s, to...)
}

// submit logs a statement over somebody's connection, open if it goes to nobody.
func submit(ts *testscript.TestScript, by string, statement []byte, to ...post.Address) {
	c := speaking(ts, by)
	s := post.Publish(statement)
	if len(to) > 0 {
		var err error
		s, err = post.About(statement, nil, to...).Seal(nil)
		ts.Check(err)
	}
	_, err := c.Submit(context.Background(), s)
	ts.Check(err)
}

// forgeDelivery sends keys to somebody: cable=REFERENCE, to= whom, keys= whose keys they
// are (or marking: it deals another list than it issued), copy= whose copy they are said
// to be for, by= over whose connection.
func forgeDelivery(ts *testscript.TestScript, v values) {
	var d *entries.Delivery
	if v["keys"] == "marking" {
		d = deal(ts, v["cable"])
	} else {
		own := stolenDesk(ts, v["keys"], time.Now)
		i, err := own.Find(v["cable"])
		ts.Check(err)
		plain, err := seal.Open(i.Delivered, own.Keys.Identity)
		ts.Check(err)
		d, err = entries.ParseDelivery(plain)
		ts.Check(err)
	}
	d.Copy = copyOf(ts, v["cable"], v["copy"]).ID
	var p directory.Person
	ts.Check(stolenDesk(ts, "ada", time.Now).Directory(func(dir *directory.Directory) { p, _, _ = dir.Person(v["to"]) }))
	sealed, err := seal.SealTo(d.Encode(), p.Recipient)
	ts.Check(err)
	ts.Check(speaking(ts, v["by"]).PutParcel(context.Background(), sealed, []string{p.Party()}))
}

// deal is what a marking desk does that hands out another list than it issued: boxes
// that are in the kit, with the keys that open them.
func deal(ts *testscript.TestScript, cable string) *entries.Delivery {
	i, err := stolenDesk(ts, "ada", time.Now).Find(cable)
	ts.Check(err)
	k := party(ts, "marking")
	data, err := seal.Open([]byte(ts.ReadFile("ministry/marking/files/cable-"+i.Cable)), k.Identity)
	ts.Check(err)
	var kept struct {
		Salts []entries.Digest `json:"salts"`
	}
	ts.Check(json.Unmarshal(data[32:], &kept)) // after what authenticates it
	data, err = seal.Open([]byte(ts.ReadFile("ministry/marking/files/order-"+i.Cable)), k.Identity)
	ts.Check(err)
	order, err := entries.ParseOrder(data)
	ts.Check(err)
	envelope, err := keylist.ParseEnvelope(order.Envelope)
	ts.Check(err)
	list := envelope.Deck().Deal(make([]int, len(envelope.Sizes())))
	return &entries.Delivery{Cable: i.Cable, Slot: 1, Salt: [32]byte(kept.Salts[0]), List: list.Encode()}
}

// forgePerson logs new keys for somebody: who= whose, by= one or two who sign, with a
// comma between; the new key signs second.
func forgePerson(ts *testscript.TestScript, v values) {
	k, err := desk.NewKeys()
	ts.Check(err)
	body := directory.Person{ID: v["who"], Name: "Person " + v["who"], Sign: k.Person.Public(), Recipient: k.Identity.Recipient().String()}
	by := strings.Split(v["by"], ",")
	keys := []*sign.Key{keyOf(ts, by[0]), k.Person}
	for _, name := range by[1:] {
		keys = append(keys, keyOf(ts, name))
	}
	s, err := sign.Sign(directory.KindPerson, body, keys...)
	ts.Check(err)
	submit(ts, by[0], s)
}

// forgeDevice enrols a device of the attacker's for somebody: who= whose, by= who signs,
// over= whose connection.
func forgeDevice(ts *testscript.TestScript, v values) {
	device := sign.Generate()
	body := directory.Device{Person: v["who"], Sign: device.Public(), Name: "second device"}
	signer := keyOf
	if v["by"] == v["who"] {
		signer = func(ts *testscript.TestScript, who string) *sign.Key {
			return stolenDesk(ts, who, time.Now).Keys.Person.In("")
		}
	}
	s, err := sign.Sign(directory.KindDevice, body, signer(ts, v["by"]), device)
	ts.Check(err)
	submit(ts, v["over"], s)
}

// forgeRelease sends a cable from a desk whose clock stands a moment before its tenure
// ended: desk=, draft=, to=, reference=.
func forgeRelease(ts *testscript.TestScript, v values) {
	var clock time.Time
	ts.Check(syncedDesk(ts, v["desk"]).Directory(func(dir *directory.Directory) {
		for _, h := range dir.Tenures(v["desk"]) {
			clock = h.Until.Add(-time.Millisecond)
		}
	}))
	d := stolenDesk(ts, v["desk"], func() time.Time { return clock })
	_, err := d.Queue(desk.Outgoing{Draft: ts.ReadFile(v["draft"]), To: []string{v["to"]}, Precedence: "routine", Reference: v["reference"], Attested: true})
	ts.Check(err)
	ts.Check(d.Sync(context.Background(), 0))
}

// replayCommand is: replay KIND of=DESK by=WHO [holding=TEXT] [same=yes]. A statement that a
// desk was sent, or read in the open part of the log, is logged once more, under another
// salt unless the same entry is meant.
func replayCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) > 2, "replay KIND of=DESK by=WHO [holding=TEXT] [same=yes]")
	v := valuesOf(ts, args[1:])
	d := stolenDesk(ts, v["of"], time.Now)
	kept := held(ts, d, args[0], v["holding"])
	e, err := custody.ParseEntry(kept)
	ts.Check(err)
	if entries.LiesOpen(args[0]) {
		if v["same"] == "" {
			submit(ts, v["by"], e.Statement)
			return
		}
		s, err := post.PublishEntry(kept)
		ts.Check(err)
		_, err = speaking(ts, v["by"]).Submit(context.Background(), s)
		ts.Check(err)
		return
	}
	var to []post.Address
	ts.Check(d.Directory(func(dir *directory.Directory) {
		in := dir.Institution()
		to = post.Parties(in, in.Marking[0].Sign.ID().String())
	}))
	submit(ts, v["by"], e.Statement, to...)
}

// held returns the first entry of a kind that a desk keeps and that holds a text.
func held(ts *testscript.TestScript, d *desk.Desk, kind, text string) []byte {
	var all [][]byte
	for _, i := range d.Items() {
		for _, a := range i.Acts {
			all = append(all, a.Entry)
		}
	}
	open, err := d.Statements()
	ts.Check(err)
	for _, e := range open {
		all = append(all, e.Bytes())
	}
	for _, data := range all {
		e, err := custody.ParseEntry(data)
		ts.Check(err)
		if k, _, err := sign.Claims(e.Statement); err == nil && k == kind && strings.Contains(string(e.Statement), text) {
			return data
		}
	}
	ts.Fatalf("%s holds no %s with %q", d.Person, kind, text)
	return nil
}

// relogCommand is: relog FROM TO PARTY. The operator makes a second log as long as the
// first: each entry that stands in one database beyond the end of the other is logged
// there too, but for the first that is for a party, in whose place something else stands.
func relogCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 3, "relog FROM TO PARTY")
	ctx := context.Background()
	from, err := store.Open(ctx, ts.MkAbs(args[0]))
	ts.Check(err)
	defer from.Close()
	to, err := store.Open(ctx, ts.MkAbs(args[1]))
	ts.Check(err)
	defer to.Close()
	key, err := sign.ParseNoteKey(ts.ReadFile("ministry/registry/log.key"))
	ts.Check(err)
	log, err := custody.Open(ctx, to.Log(), key)
	ts.Check(err)
	defer log.Close()
	fork, err := to.Log().Head(ctx)
	ts.Check(err)
	head, err := from.Log().Head(ctx)
	ts.Check(err)
	leaves, err := from.Log().Leaves(ctx, fork.Size, head.Size-fork.Size)
	ts.Check(err)
	all := make([]custody.Submission, len(leaves))
	for i, leaf := range leaves {
		all[i].Commitment = leaf
	}
	left := false
	for _, party := range []string{args[2], directory.Everyone, directory.Draws} {
		bodies, err := from.Log().Bodies(ctx, party, custody.Place{Index: fork.Size}, 1000)
		ts.Check(err)
		for _, b := range bodies {
			one := &all[b.Index-fork.Size]
			if !left {
				left, one.Commitment = true, custody.NewEntry(nil).Commitment()
				continue
			}
			one.Bodies = append(one.Bodies, custody.Body{Party: party, Data: b.Data})
		}
	}
	_, err = log.Append(ctx, all...)
	ts.Check(err)
}

// nameOf is how a key is called in requests.
func nameOf(k *sign.Key) string { id := k.Public().ID(); return hex.EncodeToString(id[:]) }

// fingerprintCommand is: fingerprint VARIABLE DESK. The variable is what the person reads
// to the authority.
func fingerprintCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "fingerprint VARIABLE DESK")
	ts.Setenv(args[0], appoint.Fingerprint(stolenDesk(ts, args[1], time.Now).Keys.Person.Public()))
}

// desksOf returns the desks of the people in a script, by the id of their device.
func desksOf(ts *testscript.TestScript) map[string]string {
	out := map[string]string{nameOf(party(ts, "marking").Sign): "marking"}
	all, err := filepath.Glob(ts.MkAbs("*/desk.key"))
	ts.Check(err)
	for _, file := range all {
		data, err := os.ReadFile(file)
		ts.Check(err)
		k, err := desk.ParseKeys(file, data)
		ts.Check(err)
		out[nameOf(k.Device)] = filepath.Base(filepath.Dir(file))
	}
	return out
}
