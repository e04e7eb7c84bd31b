package desk

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"time"

	"chancery/internal/custody"
	"chancery/internal/entries"
)

// An Item is a cable at one desk: what was released, what was done with it as far
// as this desk was told, and, once opened, its text.
type Item struct {
	Cable   string          `json:"cable"`
	Release entries.Release `json:"release"`
	Index   int64           `json:"index"` // of the release in the log
	Author  string          `json:"author"`
	Arrived time.Time       `json:"arrived"`

	Issue   *entries.Issue `json:"issue"`
	Issued  int64          `json:"issued"` // index in the log
	Void    string         `json:"void"`   // why there will be no copies
	Recall  string         `json:"recall"` // why the originator called it back
	Mine    bool           `json:"mine"`   // this person wrote it
	Ours    bool           `json:"ours"`   // somebody else in an office of this person's did
	Copies  []entries.Copy `json:"copies"` // if it is mine
	Record  string         `json:"record"` // if it is mine
	Copy    *entries.Copy  `json:"copy"`   // if I am a reader
	Key     string         `json:"key"`    // the identity that opens the kit
	Kit     []byte         `json:"-"`      // sealed; a file of its own
	Parcel  []byte         `json:"parcel"` // in mode author: digest of my copy
	Sending *pending       `json:"sending"`
	Receipt int64          `json:"receipt"` // index in the log, or -1

	Delivered []byte `json:"delivered"` // the keys, sealed
	Extract   bool   `json:"extract"`   // my copy is of some paragraphs alone
	Archive   string `json:"archive"`   // the office in whose archive it was found
	Asked     bool   `json:"asked"`     // a copy was asked for
	Refused   string `json:"refused"`   // why a copy that was asked for is not given
	Asks      []Ask  `json:"asks"`      // if it is mine: onward copies that were asked for
	Again     bool   `json:"again"`     // no keys came on the receipt: the next one is signed anew
	Withheld  string `json:"withheld"`
	Disputed  string `json:"disputed"`
	Text      string `json:"text"`
	Acts      []Act  `json:"-"` // in the order of the log; in a file that grows

	Attachments []Attachment `json:"attachments"` // once opened
	Varies      Sent         `json:"varies"`      // if it is mine

	fresh []Act             // acts that are not in the file yet
	kept  [sha256.Size]byte // of the item as it was kept last
}

// Blind says whether the cable came through the marking desk.
func (i *Item) Blind() bool { return i.Release.Mode == entries.ModeBlind }

// An Ask is an onward copy that somebody asked the originator for.
type Ask struct {
	Index  int64  `json:"index"` // in the log
	By     string `json:"by"`
	Person string `json:"person"`
	Reason string `json:"reason"`
	Given  bool   `json:"given"`
}

// An Act is an entry about a cable that this desk was sent.
type Act struct {
	Index int64     `json:"index"`
	Kind  string    `json:"kind"`
	Who   string    `json:"who"`
	Entry []byte    `json:"entry"`
	Seen  time.Time `json:"seen"`
	Copy  string    `json:"copy"`
	Note  string    `json:"note"`
}

// pending is a statement that was made and is not known to be logged.
type pending struct {
	Kind       string             `json:"kind"`
	Submission custody.Submission `json:"submission"`
}

// Waits says what was stated about the cable and is not known to be in the log; empty if
// nothing.
func (i *Item) Waits() string {
	if i.Sending == nil {
		return ""
	}
	return i.Sending.Kind
}

// States of an item, for people.
const (
	StateComing   = "not issued yet"
	StateArchived = "in the archive"
	StateAsked    = "asked for"
	StateRefused  = "refused"
	StateUnread   = "unread"
	StateReceived = "receipted"
	StateRead     = "read"
	StateReadElse = "read on another device"
	StateRecalled = "recalled"
	StateWithheld = "withheld"
	StateVoid     = "void"
	StateDisputed = "disputed"
	StateSent     = "sent"
	StateIssued   = "issued"
	StateOurs     = "sent by a colleague"
)

// State says in a word how far the cable came.
func (i *Item) State() string {
	switch {
	case i.Void != "":
		return StateVoid
	case i.Mine && i.Recall != "":
		return StateRecalled
	case i.Mine && (i.Issue != nil || !i.Blind()):
		return StateIssued
	case i.Mine:
		return StateSent
	case i.Disputed != "":
		return StateDisputed
	case i.Text != "":
		return StateRead
	case i.openedElsewhere():
		return StateReadElse
	case i.Recall != "":
		return StateRecalled
	case i.Withheld != "":
		return StateWithheld
	case i.SentByColleague():
		return StateOurs
	case i.Copy == nil && i.Refused != "":
		return StateRefused
	case i.Copy == nil && i.Asked:
		return StateAsked
	case i.Copy == nil && i.Archive != "":
		return StateArchived
	case i.Issue == nil && i.Blind():
		return StateComing
	case i.Receipt >= 0:
		return StateReceived
	}
	return StateUnread
}

// SentByColleague says whether the cable is known as one of the person's office, and not as
// one to it.
func (i *Item) SentByColleague() bool { return i.Ours && i.Copy == nil && i.Key == "" }

// openedElsewhere says whether the log has this person's word that they opened the copy.
func (i *Item) openedElsewhere() bool {
	return i.Copy != nil && slices.ContainsFunc(i.Acts, func(a Act) bool {
		return a.Kind == entries.KindOpened && a.Copy == i.Copy.ID && a.Who == i.Copy.Person
	})
}

// within is how soon a cable is to be read, by precedence (after ACP 121).
var within = map[string]time.Duration{"flash": 10 * time.Minute, "immediate": 30 * time.Minute, "priority": 3 * time.Hour, "routine": 6 * time.Hour}

// Due is when the cable ought to have been read.
func (i *Item) Due() time.Time { return i.Release.DTG.Add(within[i.Release.Precedence]) }

// compareItems puts what waits first, then the more urgent, then the older.
func compareItems(a, b Item) int {
	waits := func(i Item) int {
		if s := i.State(); s == StateUnread || s == StateReceived {
			return 0
		}
		return 1
	}
	urgent := func(i Item) int { return slices.Index(entries.Precedences, i.Release.Precedence) }
	return cmp.Or(cmp.Compare(waits(a), waits(b)), cmp.Compare(urgent(a), urgent(b)), a.Release.DTG.Compare(b.Release.DTG.Time), cmp.Compare(a.Cable, b.Cable))
}

// act adds an entry to what was done with the cable, once.
func (i *Item) act(a Act) {
	at, _ := slices.BinarySearchFunc(i.Acts, a.Index+1, func(b Act, index int64) int { return cmp.Compare(b.Index, index) })
	for k := at; k > 0 && i.Acts[k-1].Index == a.Index; k-- {
		if i.Acts[k-1].Kind == a.Kind {
			return
		}
	}
	i.Acts, i.fresh = slices.Insert(i.Acts, at, a), append(i.fresh, a)
}
