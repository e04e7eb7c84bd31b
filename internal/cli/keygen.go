package cli

import (
	"fmt"
	"time"

	"chancery/internal/durable"
	"chancery/internal/seal"
)

type keygenOptions struct {
	Out string `short:"o" placeholder:"FILE" help:"Write the key to a new file instead of standard output."`
}

// Help is shown by chancery keygen --help.
func (keygenOptions) Help() string {
	return `The key is an age identity, hybrid and post-quantum (ML-KEM-768 with X25519); the age tool reads it
too. Give its public half, age1pq1..., to chancery mark --keeper or as a reader's recipient. Whoever has
the file can open what is sealed to it; there is no way to get it back when it is lost.`
}

// Run makes a key.
func (o keygenOptions) Run(s Streams) error {
	id, err := seal.GenerateIdentity()
	if err != nil {
		return err
	}
	text := seal.FormatIdentities(time.Now(), id)
	if o.Out == "" {
		_, err = s.Out.Write(text)
		return err
	}
	if err := durable.CreateFile(o.Out, text); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.Out, id.Recipient())
	return err
}
