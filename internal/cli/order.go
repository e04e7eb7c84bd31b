package cli

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"chancery/internal/fault"
)

// flagsFirst puts the arguments of a verb after its flags, since people mix
// them and the parser takes a list of arguments in one piece only. What
// follows -- is never a flag, and a single - is an argument.
func flagsFirst(app *kong.Application, args []string) []string {
	verb, n := verbOf(app, args)
	if n == 0 {
		return args
	}
	flags, rest := slices.Clone(args[:n]), []string(nil)
	for i := n; i < len(args); i++ {
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

// verbOf returns the verb that the arguments begin with, and of how many words it is;
// 0 if there is none.
func verbOf(app *kong.Application, args []string) (verb *kong.Node, words int) {
	verb = app.Node
	for _, arg := range args {
		i := slices.IndexFunc(verb.Children, func(n *kong.Node) bool { return n.Name == arg })
		if i < 0 {
			break
		}
		verb, words = verb.Children[i], words+1
	}
	return verb, words
}

// takesNext says whether the argument after a flag is its value.
func takesNext(verb *kong.Node, arg string) bool {
	f := flagOf(verb, arg)
	return f != nil && !f.IsBool()
}

// flagOf returns the verb's flag that is written so, dashes and all, or nil.
func flagOf(verb *kong.Node, arg string) *kong.Flag {
	for _, group := range verb.AllFlags(false) {
		for _, f := range group {
			if arg == "--"+f.Name || f.Short != 0 && arg == "-"+string(f.Short) {
				return f
			}
		}
	}
	return nil
}

// oneDash refuses a long flag with a single dash, in arguments whose flags
// stand first. The parser would take -out for -o with the value ut.
func oneDash(app *kong.Application, args []string) error {
	verb, n := verbOf(app, args)
	if n == 0 {
		return nil
	}
	for i := n; i < len(args) && args[i] != "--"; i++ {
		name, _, _ := strings.Cut(strings.TrimPrefix(args[i], "-"), "=")
		if len(name) > 1 && flagOf(verb, "--"+name) != nil {
			return fault.Usage.New("%s has one dash", args[i]).WithHint("a long flag has two: --%s", name)
		}
		if takesNext(verb, args[i]) {
			i++
		}
	}
	return nil
}
