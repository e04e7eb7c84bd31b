package desk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"chancery/internal/client"
	"chancery/internal/courier"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/entries"
	"chancery/internal/fault"
	"chancery/internal/post"
	"chancery/internal/seal"
	"chancery/internal/seal/share"
	"chancery/internal/sign"
	"chancery/mark"
)

// NewEpoch makes the next archive key of an office in which this person sits: it is
// kept, sealed to all others who sit there, shared among the custodians, and handed to
// the appointing authority to be put into the directory.
func (d *Desk) NewEpoch(ctx context.Context, office string) (directory.Epoch, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.tenureIn(office); err != nil {
		return directory.Epoch{}, err
	}
	before, err := d.dir.Epochs(office)
	if err != nil {
		return directory.Epoch{}, err
	}
	id, err := seal.GenerateIdentity()
	if err != nil {
		return directory.Epoch{}, err
	}
	public := directory.Epoch{Office: office, Number: len(before) + 1, Recipient: id.Recipient().String()}
	secret := post.EpochKey{Office: office, Number: public.Number, Secret: string(seal.FormatIdentities(d.Now(), id))}
	s, err := sign.Sign(directory.KindEpoch, public, d.Keys.Person.In(""))
	if err != nil {
		return public, err
	}
	if err := d.keepEpoch(secret); err != nil {
		return public, err
	}
	if err := d.spread(ctx, secret); err != nil {
		return public, err
	}
	return public, d.Client.PutParcel(ctx, s, []string{directory.Authority})
}

// spread gives an archive key to the others who sit in the office, and shares of it
// to the custodians.
func (d *Desk) spread(ctx context.Context, e post.EpochKey) error {
	holders, err := d.dir.Holders(e.Office, d.Now())
	if err != nil {
		return err
	}
	for _, h := range holders {
		if h.Person == d.Person && len(d.dir.Devices(d.Person)) < 2 {
			continue // else for the other device
		}
		p, _, err := d.dir.Person(h.Person)
		if err != nil {
			return err
		}
		if err := d.hand(ctx, post.To(p), post.Handed{Office: e.Office, Keys: []post.EpochKey{e}}); err != nil {
			return err
		}
	}
	in := d.dir.Institution()
	secret := share.Generate()
	sealed, err := seal.SealKey([]byte(e.Secret), secret.Key(epochPurpose))
	if err != nil {
		return err
	}
	shares, vector, err := share.Split(secret, in.Threshold, len(in.Custodians))
	if err != nil {
		return err
	}
	for i, c := range post.Custodians(in) {
		if err := d.hand(ctx, c, post.Handed{Office: e.Office, Number: e.Number, Share: shares[i].Encode(), Vector: vector.Encode(), Sealed: sealed}); err != nil {
			return err
		}
	}
	return nil
}

// epochPurpose is for what the shared secret of an archive key gives its key.
const epochPurpose = "epoch"

// hand seals something to a party.
func (d *Desk) hand(ctx context.Context, to post.Address, h post.Handed) error {
	sealed, err := h.Seal(to.Recipient)
	if err != nil {
		return err
	}
	return d.Client.PutParcel(ctx, sealed, []string{to.Party})
}

// handed takes what was handed to this person, if that is what came. A key counts if
// it is the one whose recipient stands in the directory.
func (d *Desk) handed(data []byte) (bool, error) {
	h, ok := post.ParseHanded(data)
	if !ok {
		return false, nil
	}
	switch {
	case len(h.Share) > 0:
		name := sharesPrefix + post.EpochName(h.Office, h.Number, h.Vector)
		if known, err := d.dir.Epochs(h.Office); err != nil || h.Number < 1 || h.Number > len(known)+1 {
			return true, nil // anybody may hand such things over
		}
		// Each in a file of its own: whoever hands over thousands fills the disk and stops
		// nothing.
		if err := d.Vault.Put(fmt.Sprintf("%s-%x", name, sha256.Sum256(h.Share)), h.OfShare()); err != nil {
			return true, fault.System.Wrap(err, "keep a share of an archive key")
		}
		if err := d.recover(name); err != nil {
			if fault.Passing(err) {
				return true, err
			}
			d.alarm(-1, "a share of the archive key of %s: %v", h.Office, err)
		}
	case len(h.Statement) > 0:
		d.takesStatement(h)
	}
	for _, e := range h.Keys {
		if err := d.keepEpoch(e); err != nil {
			if fault.Passing(err) {
				return true, err
			}
			d.alarm(-1, "an archive key of %s that was handed over: %v", e.Office, err)
		}
	}
	return true, nil
}

// sharesPrefix begins the names of shares of archive keys that wait for others.
const sharesPrefix = "share-"

// takesStatement keeps a handover that waits for this person's signature, the newest of an
// office and a person, or takes a custodian's signature. The rest is somebody's noise.
func (d *Desk) takesStatement(h post.Handed) {
	var body entries.Handover
	if d.dir == nil || sign.Peek(h.Statement, entries.KindHandover, &body) != nil {
		return
	}
	if body.Absent {
		d.standsIn(h.Statement)
		return
	}
	if _, err := d.handedToMe(h); err != nil || slices.Contains(d.state.Taken, body.Inventory) {
		return
	}
	d.state.Handovers = slices.DeleteFunc(d.state.Handovers, func(o post.Handed) bool { return o.Office == h.Office && o.By == h.By })
	d.state.Handovers = append(d.state.Handovers, post.Handed{Format: h.Format, Office: h.Office, By: h.By, Keys: h.Keys, Statement: h.Statement, Inventory: h.Inventory, Salt: h.Salt})
}

// handedToMe verifies what somebody who sat in an office handed to this person.
func (d *Desk) handedToMe(h post.Handed) (entries.Handover, error) {
	var body entries.Handover
	if err := sign.Peek(h.Statement, entries.KindHandover, &body); err != nil {
		return body, err
	}
	from, _, err := d.dir.Person(body.From)
	if err != nil {
		return body, err
	}
	if err := entries.Belongs(h.Statement, d.Client.Origin()); err != nil {
		return body, err
	}
	if err := sign.Open(h.Statement, entries.KindHandover, &body, from.Sign); err != nil {
		return body, err
	}
	switch {
	case body.To != d.Person || body.From == d.Person || body.N != len(h.Inventory) || body.Inventory != inventoryRoot(h):
		return body, fault.Mismatch.New("the inventory is not the one that %q signed for you", body.From)
	case body.Office != h.Office || body.From != h.By:
		return body, fault.Mismatch.New("a handover of %q by %q that is said to be of %q by %q", body.Office, body.From, h.Office, h.By)
	case !d.dir.Sat(body.From, body.Office, custody.MaxSize):
		return body, fault.Permission.New("%q never sat in %q", body.From, body.Office)
	}
	return body, nil
}

// keepEpoch keeps an archive key of an office that there is. Whether it is the
// office's is known by the directory, when it is used.
func (d *Desk) keepEpoch(e post.EpochKey) error {
	if _, err := d.dir.Epochs(e.Office); err != nil {
		return err
	}
	ids, err := seal.ParseIdentities("archive key", []byte(e.Secret))
	if err != nil {
		return err
	}
	if len(ids) != 1 {
		return fault.Key.New("not an archive key")
	}
	name := post.EpochName(e.Office, e.Number, []byte(ids[0].Recipient().String()))
	var held post.EpochKey
	if d.Vault.Get(name, &held) == nil {
		return nil
	}
	if err := d.Vault.Put(name, e); err != nil {
		return fault.System.Wrap(err, "keep an archive key") // whatever it was: it is to come again
	}
	delete(d.state.Archives, e.Office) // letters that did not open before may open now
	return nil
}

// recover restores an archive key from custodians' shares, once there are enough.
func (d *Desk) recover(name string) error {
	names, err := d.Vault.Names(name + "-")
	if err != nil {
		return err
	}
	all := make([]post.Handed, len(names))
	for i, n := range names {
		if err := d.Vault.Get(n, &all[i]); err != nil {
			return err
		}
	}
	vector, err := share.ParseVector(all[0].Vector)
	if err != nil {
		return err
	}
	var shares []share.Share
	for _, h := range all {
		s, err := share.ParseShare(h.Share)
		if err != nil || s.Verify(vector, s.Number, vector.Threshold()) != nil {
			continue // somebody's noise
		}
		if !slices.ContainsFunc(shares, func(o share.Share) bool { return o.Number == s.Number }) {
			shares = append(shares, s)
		}
	}
	if len(shares) < vector.Threshold() {
		return nil
	}
	secret, err := share.Recover(shares, vector)
	if err != nil {
		return err
	}
	text, err := seal.OpenKey(all[0].Sealed, secret.Key(epochPurpose))
	if err != nil {
		return err
	}
	if err := d.keepEpoch(post.EpochKey{Office: all[0].Office, Number: all[0].Number, Secret: string(text)}); err != nil {
		return err
	}
	for _, n := range names {
		if err := d.Vault.Remove(n); err != nil {
			return err
		}
	}
	return nil
}

// epochs returns the archive keys of an office that this desk holds and that stand in
// the directory.
func (d *Desk) epochs(office string) ([]*seal.Identity, error) {
	public, err := d.dir.Epochs(office)
	if err != nil {
		return nil, err
	}
	var out []*seal.Identity
	for _, p := range public {
		var e post.EpochKey
		err := d.Vault.Get(post.EpochName(office, p.Number, []byte(p.Recipient)), &e)
		if errors.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		ids, err := seal.ParseIdentities("archive key", []byte(e.Secret))
		if err != nil {
			return nil, err
		}
		out = append(out, ids[0])
	}
	return out, nil
}

// Archive finds the cables that an office received, as far as this desk has its keys,
// and asks for copies of its own of those that this person has none of. It returns how
// many were found and asked for.
func (d *Desk) Archive(ctx context.Context, office string) (found, asked int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h, err := d.tenureIn(office)
	if err != nil {
		return 0, 0, err
	}
	ids, err := d.epochs(office)
	if err != nil {
		return 0, 0, err
	}
	if len(ids) == 0 {
		return 0, 0, d.noArchiveKey(office)
	}
	if found, err = d.readArchive(ctx, office, ids); err != nil {
		return found, 0, err
	}
	if err := d.askedElsewhere(ctx, office); err != nil {
		return found, 0, err
	}
	for _, i := range d.items {
		if i.Archive != office || i.Copy != nil || i.Mine || i.SentByColleague() || i.Asked || !i.Blind() {
			continue
		}
		s, err := sign.Sign(entries.KindArchive, entries.Archive{Cable: i.Cable, Release: i.Index, Office: office, Tenure: h.ID}, d.Keys.Person)
		if err != nil {
			return found, asked, err
		}
		if err := d.state1(ctx, i, entries.KindArchive, s, post.Parties(d.dir.Institution(), i.Release.Marking)...); err != nil {
			return found, asked, err
		}
		i.Asked = true
		if err := d.saveItem(i); err != nil {
			return found, asked, err
		}
		asked++
	}
	return found, asked, nil
}

// askedElsewhere reads once more what came about cables of an archive, if another device of
// this person's may have asked for them already.
func (d *Desk) askedElsewhere(ctx context.Context, office string) error {
	from := int64(custody.MaxSize)
	for _, i := range d.items {
		if i.Archive == office && i.Copy == nil && !i.Mine && !i.SentByColleague() && i.Blind() && !i.Asked {
			from = min(from, i.Index)
		}
	}
	if !d.Again && len(d.dir.Devices(d.Person)) < 2 || from == custody.MaxSize {
		return nil
	}
	wish := client.Wish{Parties: []string{directory.PartyOf(d.Person)}, From: custody.Place{Index: from}, Parcel: client.NoParcels}
	for more := true; more; {
		came, err := courier.Fetch(ctx, d.Client, wish, d.Keys.Identity)
		if err != nil {
			return err
		}
		for _, l := range came.Letters {
			if wish.From = l.Place.Next(); l.Err != nil {
				continue
			}
			i, err := d.read(ctx, l)
			if err != nil && fault.Passing(err) {
				return err
			}
			if i != nil && err == nil { // else it was said when it came
				d.touched[i.Cable] = i
			}
		}
		more = came.More
	}
	return d.save()
}

// noArchiveKey says how one comes to an office's archive key.
func (d *Desk) noArchiveKey(office string) error {
	return fault.Key.New("this desk has no archive key of %s", office).WithHint("who sits there hands it over: chancery handover %s --to %s; if nobody is left, custodians can", office, d.Person)
}

// readArchive reads the letters to an office.
func (d *Desk) readArchive(ctx context.Context, office string, ids []*seal.Identity) (found int, err error) {
	party := directory.OfficeParty(office)
	if d.state.Archives == nil {
		d.state.Archives = map[string]custody.Place{}
	}
	for more := true; more; {
		came, err := courier.Fetch(ctx, d.Client, client.Wish{Parties: []string{party}, From: d.state.Archives[office], Parcel: client.NoParcels}, ids...)
		if err != nil {
			return found, err
		}
		for _, l := range came.Letters {
			if l.Err != nil {
				continue // sealed to a key that was not handed over
			}
			i, err := d.released(d.actOf(l.Index, entries.KindRelease, l.Entry), l.Entry, &post.Letter{})
			if err != nil {
				d.alarm(l.Index, "a letter in the archive of %s: %v", office, err)
				continue
			}
			found++
			i.Archive, i.Key = office, cmp.Or(i.Key, l.Mail.Key)
			i.Ours = i.Ours || !i.Mine && i.Release.Office == office
			d.touched[i.Cable] = i
		}
		if n := len(came.Letters); n > 0 {
			d.state.Archives[office] = came.Letters[n-1].Next()
		}
		more = came.More
	}
	return found, d.save()
}

// HandOver gives an office's archive keys to one who sits there now, with an inventory
// of what this desk has of the office, signed. It is logged when they have signed too.
func (d *Desk) HandOver(ctx context.Context, office, to string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.knows(); err != nil {
		return nil, err
	}
	if to == d.Person {
		return nil, fault.Usage.New("you have the archive yourself").WithHint("name who comes after you")
	}
	if !d.dir.Sat(d.Person, office, custody.MaxSize) {
		return nil, fault.Permission.New("you never sat in %q", office)
	}
	h := post.Handed{Office: office, By: d.Person}
	sits, err := d.dir.Sits(to, office, d.Now())
	if err != nil {
		return nil, err
	}
	if !sits {
		return nil, fault.Permission.New("%q does not sit in %q", to, office).WithHint("appoint them first")
	}
	names, err := d.Vault.Names(post.EpochPrefix(office))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		var e post.EpochKey
		if err := d.Vault.Get(name, &e); err != nil {
			return nil, err
		}
		if e.Office == office {
			h.Keys = append(h.Keys, e)
		}
	}
	if public, err := d.dir.Epochs(office); err != nil || len(h.Keys) == 0 && len(public) > 0 {
		return nil, cmp.Or(err, error(fault.Key.New("this desk has no archive key of %s to hand over", office).WithHint("hand over from a desk that has one; if there is none, custodians can give it to who comes")))
	}
	h.Inventory = d.inventory(office)
	e := custody.NewEntry(nil)
	h.Salt = e.Salt[:]
	h.Statement, err = sign.Sign(entries.KindHandover, entries.Handover{Office: office, From: d.Person, To: to, N: len(h.Inventory), Inventory: inventoryRoot(h), Size: d.tree.Size}, d.Keys.Person)
	if err != nil {
		return nil, err
	}
	p, _, err := d.dir.Person(to)
	if err != nil {
		return nil, err
	}
	return h.Inventory, d.hand(ctx, post.To(p), h)
}

// inventory lists the cables of an office at this desk: what was read, what waits, and
// until when.
func (d *Desk) inventory(office string) []string {
	var out []string
	for _, i := range d.items {
		if i.Copy != nil && i.Copy.Office == office || i.Mine && i.Release.Office == office || i.Archive == office {
			due := i.Due()
			out = append(out, fmt.Sprintf("%s, %s, %s, %s, due %s", i.Release.DTG.Format("2006-01-02 15:04Z"), i.Release.Reference, i.Release.Precedence, i.State(), due.UTC().Format("2006-01-02 15:04Z")))
		}
	}
	slices.Sort(out)
	return out
}

// inventoryRoot is the Merkle root over c("inventory", salt, line).
func inventoryRoot(h post.Handed) entries.Digest {
	var salt mark.Hash
	copy(salt[:], h.Salt)
	leaves := []mark.Hash{mark.Commit("inventory", salt, []byte(h.Office))}
	for _, line := range h.Inventory {
		leaves = append(leaves, mark.Commit("inventory", salt, []byte(line)))
	}
	return entries.Digest(mark.Root(leaves))
}

// Handovers returns what was handed to this person and waits for their signature.
func (d *Desk) Handovers() []post.Handed {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.state.Handovers)
}

// TakeOver signs a handover and logs it.
func (d *Desk) TakeOver(ctx context.Context, h post.Handed) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	body, err := d.handedToMe(h)
	if err != nil {
		return 0, err
	}
	mine, err := sign.Sign(entries.KindHandover, body, d.Keys.Person)
	if err != nil {
		return 0, err
	}
	both, err := sign.Join(h.Statement, mine)
	if err != nil {
		return 0, err
	}
	at, err := d.logHandover(ctx, custody.NewEntry(both))
	if err != nil {
		return 0, err
	}
	d.state.Handovers = slices.DeleteFunc(d.state.Handovers, func(o post.Handed) bool { return string(o.Statement) == string(h.Statement) })
	return at, d.save()
}

// logHandover logs what all have signed, for the two and the overseers.
func (d *Desk) logHandover(ctx context.Context, e custody.Entry) (int64, error) {
	body, _, err := entries.OpenHandover(d.dir, d.tree.Size, e.Statement)
	if err != nil {
		return 0, err
	}
	to := post.Overseers(d.dir.Institution())
	for _, id := range []string{body.From, body.To} {
		p, _, err := d.dir.Person(id)
		if err != nil {
			return 0, err
		}
		to = append(to, post.To(p))
	}
	_, note := d.Client.View.Last()
	return courier.Send(ctx, d.Client, post.AboutEntry(e, note, to...))
}
