package entries

import (
	"chancery/internal/directory"
	"chancery/internal/fault"
	"chancery/internal/sign"
)

// An Enrolment is what somebody who was invited hands in: the invitation, their
// keys as a statement signed by them alone, and their device's.
type Enrolment struct {
	Invite []byte `json:"invite"`
	Person []byte `json:"person"`
	Device []byte `json:"device"`
}

// Check verifies what somebody hands in: an authority invited them under
// this id, they hold the keys, and so does the device.
func (e *Enrolment) Check(in directory.Institution) (Invite, error) {
	var invite Invite
	_, signers, err := sign.Claims(e.Invite)
	if err != nil {
		return invite, err
	}
	for _, a := range in.Authorities {
		if a.ID() == signers[0] {
			err = sign.Open(e.Invite, KindInvite, &invite, a)
			if err != nil {
				return invite, err
			}
			return invite, e.checkKeys(invite)
		}
	}
	return invite, fault.Permission.New("no authority of %s signed the invitation", in.Name)
}

func (e *Enrolment) checkKeys(invite Invite) error {
	var p directory.Person
	if err := sign.Peek(e.Person, directory.KindPerson, &p); err != nil {
		return err
	}
	if p.ID != invite.Person || p.Name != invite.Name || p.Sign == nil {
		return fault.Mismatch.New("the keys are handed in for another person than was invited")
	}
	if err := sign.Open(e.Person, directory.KindPerson, &p, p.Sign); err != nil {
		return err
	}
	var v directory.Device
	if err := sign.Peek(e.Device, directory.KindDevice, &v); err != nil {
		return err
	}
	if v.Person != p.ID || v.Sign == nil {
		return fault.Mismatch.New("the device is another person's")
	}
	return sign.Open(e.Device, directory.KindDevice, &v, p.Sign, v.Sign)
}
