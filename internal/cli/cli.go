// Package cli is the command line: one file for each verb. It alone reads
// flags, the environment and the terminal, opens files for the other packages
// and wires them together. It decides nothing about a finding.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"

	"chancery/internal/fault"
)

// verbs is the whole command line.
type verbs struct {
	Check   checkOptions   `cmd:"" help:"Look over a draft: sites, bits, warnings, and what a quotation of it would tell."`
	Keygen  keygenOptions  `cmd:"" help:"Make a key that codebooks or copies can be sealed to."`
	Propose proposeOptions `cmd:"" help:"Offer other wordings for the words of a draft, and review them."`
	Mark    markOptions    `cmd:"" help:"Make an individually worded copy of a draft for each reader."`
	Trace   traceOptions   `cmd:"" help:"Say whose copy the words of a leak came from, or that it cannot be told."`
	Measure measureOptions `cmd:"" help:"Measure what the tracer reaches: the tables of docs/figures.md."`
	Demo    demoOptions    `cmd:"" help:"Play a leak from end to end: an invented embassy, twelve readers, three newspapers."`

	Init         initOptions         `cmd:"" group:"service" help:"Found an institution: its log, its marking desk, its keys."`
	Serve        serveOptions        `cmd:"" group:"service" help:"Run the registry and the marking desk."`
	Custodian    custodianOptions    `cmd:"" group:"service" help:"Keep shares without which no leak is traced."`
	Witness      witnessOptions      `cmd:"" group:"service" help:"Watch a custody log from outside and cosign what extends it."`
	Backup       backupOptions       `cmd:"" group:"service" help:"Write the registry as it stands into a new folder."`
	Restore      restoreOptions      `cmd:"" group:"service" help:"Put a registry back from a backup and its mirror."`
	Continuation continuationOptions `cmd:"" group:"service" help:"Begin a new log where the old one's last entries are lost: the last resort."`
	Rejoin       rejoinOptions       `cmd:"" group:"service" help:"Follow your institution into a new log, with the keys that you have."`
	Log          logOptions          `cmd:"" group:"service" help:"Verify the custody log, or a proof from it."`

	Invite  inviteOptions  `cmd:"" group:"people" help:"Invite somebody (authority)."`
	Enrol   enrolOptions   `cmd:"" group:"people" help:"Make your desk from an invitation."`
	Admit   admitOptions   `cmd:"" group:"people" help:"Put somebody's keys into the directory (authority)."`
	Office  officeOptions  `cmd:"" group:"people" help:"Make an office (authority)."`
	Seat    seatOptions    `cmd:"" group:"people" help:"Make a seat in an office (authority)."`
	Appoint appointOptions `cmd:"" group:"people" help:"Offer somebody a seat (authority), or accept one."`
	Depart  departOptions  `cmd:"" group:"people" help:"End a tenure (two authorities)."`
	List    listOptions    `cmd:"" group:"people" help:"Show offices and restricted lists, or set a list (authority)."`
	Device  deviceOptions  `cmd:"" group:"people" help:"List devices, or revoke one (authority)."`

	Status   statusOptions   `cmd:"" group:"desk" help:"How your desk stands; sends what waits."`
	Send     sendOptions     `cmd:"" group:"desk" help:"Send a cable to offices."`
	Reply    replyOptions    `cmd:"" group:"desk" help:"Send a cable that answers another."`
	Inbox    inboxOptions    `cmd:"" group:"desk" help:"List cables, the most urgent first."`
	Read     readOptions     `cmd:"" group:"desk" help:"Open a cable."`
	Ack      ackOptions      `cmd:"" group:"desk" help:"Tell the originator that you act on a cable."`
	Forward  forwardOptions  `cmd:"" group:"desk" help:"Pass a cable on: ask for copies, or allow them."`
	Extract  extractOptions  `cmd:"" group:"desk" help:"Pass some paragraphs of a cable on."`
	Handover handoverOptions `cmd:"" group:"desk" help:"Hand an office's archive over, or take it over."`
	Recall   recallOptions   `cmd:"" group:"desk" help:"Call a cable back from those who have not opened it."`
	Custody  custodyOptions  `cmd:"" group:"desk" help:"List every act on a cable, with proofs."`
	Whohas   whohasOptions   `cmd:"" group:"desk" help:"List who holds a copy of a cable of yours."`
	Export   exportOptions   `cmd:"" group:"desk" help:"Write a cable as an ordinary mail message, unsigned."`
	Exposure exposureOptions `cmd:"" group:"desk" help:"List every cable of which you hold a copy."`

	Version versionOptions `cmd:"" help:"Print the version."`
}

// groups are the parts of the help.
var groups = []kong.Group{
	{Key: "service", Title: "The service"},
	{Key: "people", Title: "People and offices"},
	{Key: "desk", Title: "Your desk"},
}

// description opens the help of the whole command.
func description() string {
	text := `Chancery words every copy of a confidential cable for one reader alone, and reads
in the newspaper whose copy the words came from - with a proven bound on naming a copy they
did not come from.

Exit codes: 0 done`
	for k := fault.Internal; k <= fault.Interrupted; k++ {
		text += fmt.Sprintf(", %d %v", k.ExitCode(), k)
	}
	return text + "."
}

// stop is how the parser ends after printing help.
type stop struct{ code int }

// Main runs one command and returns its exit code.
func Main(args []string, s Streams) (code int) {
	defer func() {
		if r := recover(); r != nil {
			st, ok := r.(stop)
			if !ok {
				panic(r)
			}
			code = st.code
		}
	}()
	ctx, cancel := signal.NotifyContext(context.Background(), endings()...)
	defer cancel()
	context.AfterFunc(ctx, cancel) // a second Ctrl-C ends the process at once
	s, out := s.within(ctx)
	var v verbs
	parser, err := kong.New(&v, kong.Name("chancery"), kong.Description(description()), kong.Writers(s.Out, s.Err),
		kong.Exit(func(code int) { panic(stop{code}) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Vars{"desk": deskFolder()},
		kong.ExplicitGroups(groups))
	if err != nil {
		panic(err) // the grammar above is wrong
	}
	args = flagsFirst(parser.Model, asVerb(args))
	if err := oneDash(parser.Model, args); err != nil {
		return s.fail(err)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return s.fail(usageError(err))
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(s)
	if err := parsed.Run(); err != nil {
		return s.fail(err)
	}
	if out.err != nil {
		return s.fail(fault.System.Wrap(out.err, "the result could not be printed"))
	}
	return 0
}

// asVerb reads what people type for a verb before they know any.
func asVerb(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	case args[0] == "--version":
		return append([]string{"version"}, args[1:]...)
	}
	return args
}

func (s Streams) fail(err error) int {
	fault.Print(s.Err, err)
	return fault.ExitCode(err)
}

func usageError(err error) error {
	hint := "see chancery --help"
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil && parse.Context.Selected() != nil {
		hint = "see chancery " + parse.Context.Selected().Name + " --help"
	}
	return fault.Usage.Wrap(err, "").WithHint("%s", hint)
}

// warn writes a warning for the user.
func (s Streams) warn(format string, args ...any) {
	fmt.Fprintf(s.Err, "chancery: warning: %s\n", fault.Escape(fmt.Sprintf(format, args...)))
}

// progress returns a function that says on a terminal what is going on, and
// nothing elsewhere.
func (s Streams) progress(doing string) func(string) {
	if !s.Terminal {
		return nil
	}
	return func(what string) { fmt.Fprintf(s.Err, "chancery: %s %s\n", doing, what) }
}

// endings are the signals that end a command in order: files whole, the
// terminal as it was. One started to outlive its terminal does.
func endings() []os.Signal {
	out := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		out = append(out, syscall.SIGHUP)
	}
	return out
}
