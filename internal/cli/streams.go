package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"chancery/internal/fault"
)

// Streams are what a command reads from and writes to.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Terminal says whether a person can be asked: standard input and
	// standard error are a terminal.
	Terminal bool
	// Ask reads a secret from the terminal without showing it. It ends with the
	// context and leaves the terminal as it was.
	Ask func(ctx context.Context, prompt string) (string, error)
	// Keys begins to read single keys from the terminal; the function it
	// returns leaves the terminal as it was.
	Keys func(ctx context.Context) (*keyReader, func(), error)
	// Colour says whether results may be coloured.
	Colour bool

	ctx context.Context // of the command; reads end with it
}

// within returns streams whose reads end with the context and whose output
// remembers a failure.
func (s Streams) within(ctx context.Context) (Streams, *checked) {
	out := &checked{to: s.Out}
	s.ctx, s.In, s.Out = ctx, interruptible{ctx, s.In}, out
	return s, out
}

// ask reads a secret from the terminal.
func (s Streams) ask(prompt string) (string, error) { return s.Ask(s.ctx, prompt) }

// System returns the process's own streams.
func System() Streams {
	in, out, err := int(os.Stdin.Fd()), int(os.Stdout.Fd()), int(os.Stderr.Fd())
	s := Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	s.Terminal = term.IsTerminal(in) && term.IsTerminal(err)
	s.Colour = term.IsTerminal(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	s.Keys = rawKeys
	s.Ask = func(ctx context.Context, prompt string) (string, error) { return askTerminal(ctx, in, prompt) }
	return s
}

func askTerminal(ctx context.Context, terminal int, prompt string) (string, error) {
	before, err := term.GetState(terminal)
	if err != nil {
		return "", err
	}
	fmt.Fprint(os.Stderr, prompt)
	defer fmt.Fprintln(os.Stderr)
	secret, err := waitFor(ctx, func() ([]byte, error) { return term.ReadPassword(terminal) })
	if ctx.Err() != nil {
		_ = term.Restore(terminal, before) // it was a terminal a moment ago
	}
	return string(secret), err
}

// waitFor runs what cannot be interrupted, and changes nothing on disk, and
// stops waiting for it when the context ends.
func waitFor[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, stopped(ctx)
	}
}

// stopped is the error of a command that was interrupted, nil before that.
func stopped(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return fault.Interrupted.New("stopped before it was done").WithHint("nothing was written; run it again")
}

// interruptible is a reader whose reads end with the context.
type interruptible struct {
	ctx  context.Context
	from io.Reader
}

// Read implements io.Reader. What an abandoned read brings later is lost.
func (r interruptible) Read(p []byte) (int, error) {
	data, err := waitFor(r.ctx, func() ([]byte, error) {
		part := make([]byte, len(p))
		n, err := r.from.Read(part)
		return part[:n], err
	})
	return copy(p, data), err
}

// A checked writer remembers that something could not be written, for code
// that prints line by line.
type checked struct {
	to  io.Writer
	err error
}

// Write implements io.Writer.
func (w *checked) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	if w.err == nil {
		w.err = err
	}
	return n, err
}
