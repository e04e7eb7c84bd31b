package script

import (
	"context"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"

	"chancery/internal/client"
	"chancery/internal/continuation"
	"chancery/internal/custody"
	"chancery/internal/directory"
	"chancery/internal/post"
	"chancery/internal/registry"
	"chancery/internal/sign"
)

// beginShort begins a continued log as a dishonest operator does, without the statements
// of some kinds: beginshort BACKUP FILE DATA KIND...
func beginShort(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) > 3, "beginshort BACKUP FILE DATA KIND...")
	old, err := client.ParseAccount("registry.json", []byte(ts.ReadFile(args[0]+"/registry/registry.json")))
	ts.Check(err)
	f, err := continuation.Parse(args[1], []byte(ts.ReadFile(args[1])))
	ts.Check(err)
	c, err := f.Check(old)
	ts.Check(err)
	all := c.Entries()
	first := slices.DeleteFunc(slices.Clone(all), func(e custody.Entry) bool {
		kind, _, err := sign.Claims(e.Statement)
		ts.Check(err)
		return slices.Contains(args[3:], kind)
	})
	need(ts, len(first) < len(all), "something of these kinds")
	ts.Check(registry.Begin(context.Background(), ts.MkAbs(args[2]+"/registry"), first))
}

// restate logs statements that lay open in an old log once more, over the line of a desk:
// restate FOLDER WHO KIND...
func restate(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) > 2, "restate FOLDER WHO KIND...")
	ctx := context.Background()
	s, _, err := registry.OpenStore(ctx, ts.MkAbs(args[0]+"/registry"), "")
	ts.Check(err)
	defer s.Close()
	c := speaking(ts, args[1])
	seen := map[string]bool{}
	for _, party := range []string{directory.Everyone, directory.Draws} {
		bodies, err := s.Log().Bodies(ctx, party, custody.Place{}, 10000)
		ts.Check(err)
		for _, b := range bodies {
			e, err := custody.ParseEntry(b.Data)
			ts.Check(err)
			kind, _, err := sign.Claims(e.Statement)
			ts.Check(err)
			if slices.Contains(args[2:], kind) {
				seen[kind] = true
				_, err := c.Submit(ctx, post.Publish(e.Statement))
				ts.Check(err)
			}
		}
	}
	for _, kind := range args[2:] {
		need(ts, seen[kind], "a statement of kind "+kind)
	}
}
