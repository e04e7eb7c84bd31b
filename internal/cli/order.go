package cli

import (
	"strings"

	"github.com/alecthomas/kong"
)

// flagsFirst puts the arguments of a verb after its flags, since people mix
// them and the parser takes a list of arguments in one piece only. What
// follows -- is never a flag, and a single - is an argument.
func flagsFirst(app *kong.Application, args []string) []string {
	verb, ok := verbOf(app, args)
	if !ok {
		return args
	}
	flags, rest := []string{args[0]}, []string(nil)
	for i := 1; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case arg == "-" || !strings.HasPrefix(arg, "-"):
			rest = append(rest, arg)
		case takesNext(verb, arg) && i+1 < len(args):
			flags = append(flags, arg, args[i+1])
			i++
		default:
			flags = append(flags, arg)
		}
	}
	if len(rest) == 0 {
		return flags
	}
	return append(append(flags, "--"), rest...)
}

func verbOf(app *kong.Application, args []string) (*kong.Node, bool) {
	for _, n := range app.Children {
		if n.Name == args[0] {
			return n, true
		}
	}
	return nil, false
}

// takesNext says whether the argument after a flag is its value.
func takesNext(verb *kong.Node, arg string) bool {
	for _, group := range verb.AllFlags(false) {
		for _, f := range group {
			if arg == "--"+f.Name || f.Short != 0 && arg == "-"+string(f.Short) {
				return !f.IsBool()
			}
		}
	}
	return false
}
