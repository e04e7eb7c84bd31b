package entries

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"

	"chancery/internal/fault"
	"chancery/mark"
)

// An Order is what the author's desk seals to the marking desk: whose copies to
// draw, and the envelope of keys (chancery/internal/keylist).
type Order struct {
	Copies   []Copy
	Envelope []byte
}

const (
	orderMagic    = "chancery-order/v1\n"
	deliveryMagic = "chancery-delivery/v1\n"
	// maxPath is the longest path of a key list: of MaxCopies and late ones.
	maxPath = 20
)

// Encode writes the order.
func (o *Order) Encode() []byte {
	list, err := json.Marshal(o.Copies)
	if err != nil {
		panic(err) // strings
	}
	out := binary.BigEndian.AppendUint32([]byte(orderMagic), uint32(len(list)))
	return append(append(out, list...), o.Envelope...)
}

// ParseOrder reads what [Order.Encode] wrote and nothing else (fault.Input).
func ParseOrder(data []byte) (*Order, error) {
	bad := fault.Input.New("not an order to a marking desk")
	body, ok := bytes.CutPrefix(data, []byte(orderMagic))
	if !ok || len(body) < 4 || int64(binary.BigEndian.Uint32(body)) > int64(len(body)-4) {
		return nil, bad
	}
	n := int(binary.BigEndian.Uint32(body))
	o := &Order{Envelope: bytes.Clone(body[4+n:])}
	d := json.NewDecoder(bytes.NewReader(body[4 : 4+n]))
	d.DisallowUnknownFields()
	if err := d.Decode(&o.Copies); err != nil || !bytes.Equal(o.Encode(), data) {
		return nil, bad
	}
	return o, nil
}

// A SharePacket is what the marking desk seals to a custodian: the share of a
// draw, and the vector by which to check it.
type SharePacket struct {
	Draw   int    `json:"draw"`
	Share  []byte `json:"share"`
	Vector []byte `json:"vector"`
}

// Encode writes the packet.
func (p SharePacket) Encode() []byte {
	data, err := json.Marshal(p)
	if err != nil {
		panic(err) // a number and bytes
	}
	return data
}

// maxSharePacket is more than any packet takes: a point for each of 100 custodians.
const maxSharePacket = 64 << 10

// ParseSharePacket reads what [SharePacket.Encode] wrote and nothing else.
func ParseSharePacket(data []byte) (SharePacket, error) {
	var p SharePacket
	if len(data) > maxSharePacket {
		return p, fault.Input.New("a custodian's packet of %d bytes", len(data))
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil || !bytes.Equal(p.Encode(), data) {
		return SharePacket{}, fault.Input.New("not a custodian's packet")
	}
	return p, nil
}

// A Delivery is what the marking desk seals to a reader: the key list, and what
// ties it to the issue. All deliveries of a cable have one length.
type Delivery struct {
	Cable string
	Copy  string
	Slot  int // from 1
	Salt  mark.Hash
	Path  []mark.Hash // from the copy's leaf to the issue's Lists
	List  []byte
}

// Encode writes the delivery.
func (d *Delivery) Encode() []byte {
	out := append([]byte(deliveryMagic), fixed(d.Cable)...)
	out = append(out, fixed(d.Copy)...)
	out = binary.BigEndian.AppendUint32(out, uint32(d.Slot))
	out = append(out, d.Salt[:]...)
	out = append(out, byte(len(d.Path)))
	for i := range maxPath {
		var h mark.Hash
		if i < len(d.Path) {
			h = d.Path[i]
		}
		out = append(out, h[:]...)
	}
	return append(out, d.List...)
}

// fixed is an id as its 16 bytes.
func fixed(id string) []byte {
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) != 16 {
		return make([]byte, 16)
	}
	return raw
}

// ParseDelivery reads what [Delivery.Encode] wrote and nothing else (fault.Input).
func ParseDelivery(data []byte) (*Delivery, error) {
	const head = 16 + 16 + 4 + 32 + 1 + 32*maxPath
	body, ok := bytes.CutPrefix(data, []byte(deliveryMagic))
	if !ok || len(body) < head {
		return nil, fault.Input.New("not a delivery of keys")
	}
	d := &Delivery{Cable: hex.EncodeToString(body[:16]), Copy: hex.EncodeToString(body[16:32]), Slot: int(binary.BigEndian.Uint32(body[32:])),
		Salt: mark.Hash(body[36:68]), List: bytes.Clone(body[head:])}
	n := int(body[68])
	for i := range min(n, maxPath) {
		d.Path = append(d.Path, mark.Hash(body[69+32*i:][:32]))
	}
	if n > maxPath || d.Slot < 1 || !bytes.Equal(d.Encode(), data) {
		return nil, fault.Input.New("not a delivery of keys")
	}
	return d, nil
}

// Verify says whether a delivery is what an issue committed to, for the copy that
// the reader has; listRoot is the root of its key list.
func (d *Delivery) Verify(issue *Issue, copyID string, listRoot mark.Hash) bool {
	return d.Cable == issue.Cable && d.Copy == copyID &&
		mark.VerifyPath(mark.Hash(issue.Lists), issue.N, d.Slot-issue.First, ListLeaf(d.Copy, d.Slot, listRoot, d.Salt), d.Path)
}
