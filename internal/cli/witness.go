package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chancery/internal/client"
	"chancery/internal/custody"
	"chancery/internal/custody/witness"
	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/internal/sign"
)

// Files in the folder of a witness.
const (
	witnessKey   = "witness.key"
	witnessLogs  = "logs.policy"
	witnessState = "witness.state"
)

type witnessOptions struct {
	Folder string `arg:"" placeholder:"FOLDER" help:"Where the witness keeps its key and its memory."`
	New    string `placeholder:"NAME" help:"Make a new witness of this name, such as witness.example/1, in a new folder."`
	Logs   string `placeholder:"FILE" help:"Which logs to watch, once: a policy file, or the registry.json of an institution."`
	Listen string `default:"127.0.0.1:7010" placeholder:"ADDR" help:"Serve at this address (${default})."`
	Keys   bool   `help:"Print the public keys, as lines of a policy, and end."`
}

// Help is shown by chancery witness --help.
func (witnessOptions) Help() string {
	return `A witness is somebody outside who watches a custody log: it cosigns each newer state of the log that
extends the one it cosigned before, and no other. It sees how long the log is and a hash, never an entry.

  chancery witness watch/ --new witness.example/1 --listen 192.0.2.7:7010
  chancery witness watch/ --logs registry.json --listen 192.0.2.7:7010

The first makes the folder and prints the lines that a founder gives to chancery init --witness; the second is told
once which logs to watch, and watches. A log that exists already can be named with --new. Keep the folder's file
witness.state: a witness that lost its memory, or was put back to an old one, could cosign a second history.
The protocol is C2SP tlog-witness; requests are not secret and prove themselves, so plain HTTP is enough.`
}

// Run makes or runs a witness.
func (o witnessOptions) Run(ctx context.Context, s Streams) error {
	if o.New != "" {
		return o.make(s)
	}
	key, err := o.key()
	if err != nil {
		return err
	}
	if o.Keys {
		return printWitness(s, key, o.Listen)
	}
	policy, err := o.logs()
	if err != nil {
		return err
	}
	w, err := witness.Open(key, policy, filepath.Join(o.Folder, witnessState))
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(s.Err, nil))
	handler := w.Handler(func(status int, why string) { logger.Warn("refused", "status", status, "why", fault.Escape(why)) })
	return listen(ctx, s, o.Listen, "witness "+key.Name(), handler)
}

func (o witnessOptions) make(s Streams) error {
	key, err := sign.GenerateNoteKey(o.New)
	if err != nil {
		return err
	}
	err = durable.CreateFolder(o.Folder, func(f *durable.Folder) error {
		if err := f.WriteFile(witnessKey, []byte(key.Secret())); err != nil {
			return err
		}
		if err := f.WriteFile(witnessState, witness.NewState()); err != nil {
			return err
		}
		return nil
	})
	if err == nil && o.Logs != "" {
		_, err = o.logs()
	}
	if err != nil {
		return err
	}
	return printWitness(s, key, o.Listen)
}

// logs reads which logs the witness watches. A log that it was told of stays; another one
// may be added.
func (o witnessOptions) logs() (*custody.Policy, error) {
	name := filepath.Join(o.Folder, witnessLogs)
	if o.Logs != "" {
		policy, err := readPolicy(o.Logs)
		if err != nil {
			return nil, err
		}
		if err := addLogs(name, policy); err != nil {
			return nil, err
		}
	}
	policy, err := readPolicy(name)
	if errors.Is(err, fault.NotFound) {
		return nil, fault.NotFound.New("the witness does not know which logs to watch").WithHint("give --logs registry.json once")
	}
	return policy, err
}

// addLogs makes the file of the logs that a witness watches, or adds others to it.
func addLogs(name string, policy *custody.Policy) error {
	err := durable.CreateFile(name, policy.Text())
	if !errors.Is(err, fault.Exists) {
		return err
	}
	known, err := readPolicy(name)
	if err != nil {
		return err
	}
	for _, origin := range policy.Origins() {
		if slices.Contains(known.Origins(), origin) {
			return fault.Exists.New("the witness was told already to watch %s", origin).WithHint("start it without --logs")
		}
	}
	text := ""
	for line := range strings.Lines(string(policy.Text())) {
		if strings.HasPrefix(line, "log ") {
			text += line
		}
	}
	text += string(known.Text())
	if _, err := custody.ParsePolicy(name, []byte(text)); err != nil {
		return err
	}
	return durable.WriteFile(name, []byte(text))
}

func (o witnessOptions) key() (*sign.NoteKey, error) {
	name := filepath.Join(o.Folder, witnessKey)
	text, err := durable.ReadFile(name, 1<<16)
	if errors.Is(err, fault.NotFound) {
		return nil, fault.NotFound.New("there is no witness").At(o.Folder, 0, 0).WithHint("make one: chancery witness %s --new NAME --logs FILE", o.Folder)
	}
	if err != nil {
		return nil, err
	}
	key, err := sign.ParseNoteKey(string(text))
	return key, fault.At(err, name, 0, 0)
}

// printWitness prints what parties add to their policies.
func printWitness(s Streams, key *sign.NoteKey, listen string) error {
	var b strings.Builder
	names := []string{"ed25519", "mldsa44"}
	short := strings.Map(func(r rune) rune {
		if r == '/' || r == '.' || r == ':' {
			return '-'
		}
		return r
	}, key.Name())
	for i, vkey := range key.WitnessVKeys() {
		fmt.Fprintf(&b, "witness %s-%s %s http://%s\n", short, names[i], vkey, listen)
	}
	fmt.Fprintf(&b, "group %s all %s-%s %s-%s\n", short, short, names[0], short, names[1])
	_, err := fmt.Fprint(s.Out, b.String())
	return err
}

// readPolicy reads a policy file, or the policy in what is known of a registry.
func readPolicy(name string) (*custody.Policy, error) {
	data, err := durable.ReadFile(name, custody.MaxPolicy)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(string(data), "{") {
		account, err := client.ParseAccount(name, data)
		if err != nil {
			return nil, err
		}
		data = []byte(account.Policy)
	}
	return custody.ParsePolicy(name, data)
}

// Limits of the servers that the command starts.
const (
	headerTimeout = 10 * time.Second
	bodyTimeout   = time.Minute
	idleTimeout   = 2 * time.Minute
	shutdownTime  = 10 * time.Second
	maxHeader     = 16 << 10
)

// listen serves until ctx ends, and then lets what is being answered end.
func listen(ctx context.Context, s Streams, address, what string, handler http.Handler) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fault.System.Wrap(err, "listen at %s", address).WithHint("is the address another program's? choose one with --listen")
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, WriteTimeout: bodyTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(slog.NewTextHandler(s.Err, nil), slog.LevelDebug),
	}
	fmt.Fprintf(s.Err, "chancery: %s at http://%s\n", what, l.Addr())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fault.System.Wrap(err, "serve")
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if err := server.Shutdown(last); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fault.System.Wrap(err, "end")
	}
	return nil
}
