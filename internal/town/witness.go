package town

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chancery/internal/custody"
	"chancery/internal/custody/witness"
	"chancery/internal/fault"
	"chancery/internal/sign"
	"chancery/internal/vault"
)

// outside is the witness of a town: its own key, its own state file.
type outside struct {
	key      *sign.NoteKey
	listener net.Listener
}

// newWitness makes a witness's key and address, and the lines by which a policy names
// it.
func (t *Town) newWitness() error {
	key, err := sign.GenerateNoteKey("witness.example/1")
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fault.System.Wrap(err, "listen")
	}
	t.outside = &outside{key, l}
	var b strings.Builder
	for i, vkey := range key.WitnessVKeys() {
		fmt.Fprintf(&b, "witness w%d %s http://%s\n", i, vkey, l.Addr())
	}
	t.Witnesses = []byte(b.String() + "group w all w0 w1\nquorum w\n")
	return nil
}

// startWitness runs the witness over the log's keys.
func (t *Town) startWitness() error {
	dir := filepath.Join(t.Folder, "witness")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.System.Wrap(err, "make a folder")
	}
	var logs string
	for line := range strings.Lines(t.Account.Policy) {
		if strings.HasPrefix(line, "log ") {
			logs += line
		}
	}
	logs += "quorum none\n"
	files := vault.Folder(dir)
	for name, data := range map[string][]byte{"witness.key": []byte(t.outside.key.Secret()), "witness.state": witness.NewState(), "logs.policy": []byte(logs)} {
		if err := files.Write(name, data); err != nil {
			return err
		}
	}
	policy, err := custody.ParsePolicy("logs.policy", []byte(logs))
	if err != nil {
		return err
	}
	w, err := witness.Open(t.outside.key, policy, filepath.Join(dir, "witness.state"))
	if err != nil {
		return err
	}
	s := &http.Server{Handler: w.Handler(nil), ReadHeaderTimeout: 10 * time.Second}
	t.run("witness", func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { s.Close() })
		defer stop()
		if err := s.Serve(t.outside.listener); !errors.Is(err, http.ErrServerClosed) {
			return fault.System.Wrap(err, "serve")
		}
		return nil
	})
	return nil
}
