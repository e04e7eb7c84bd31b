package script

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"
)

// commands are what scripts have beside testscript's own.
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"json":     jsonCommand,
	"finding":  findingCommand,
	"holds":    holdsCommand,
	"private":  privateCommand,
	"samesize": sameSizeCommand,
	"leakfrom": leakFromCommand,
	"write":    writeCommand,
	"seal":     sealCommand,
	"cut":      cutCommand,
	"patch":    patchCommand,

	"setenv":    setenvCommand,
	"jsonenv":   jsonenvCommand,
	"namedleak": namedLeakCommand,
	"fails":     failsCommand,
	"baddraft":  badDraftCommand,

	"freeport": freeportCommand,
	"start":    startCommand,
	"halt":     haltCommand,
	"ministry": ministryCommand,

	"setfingerprint": setfingerprintCommand,
	"readall":        readallCommand,

	"says":        saysCommand,
	"waitfor":     waitForCommand,
	"fingerprint": fingerprintCommand,
	"forge":       forgeCommand,
	"replay":      replayCommand,
	"relog":       relogCommand,
	"beginshort":  beginShort,
	"restate":     restate,
	"liar":        liarCommand,
}

// need ends the script unless it called a command rightly.
func need(ts *testscript.TestScript, ok bool, usage string) {
	if !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

// document reads a JSON file, or stdout.
func document(ts *testscript.TestScript, name string) any {
	var v any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(name)))
	d.UseNumber()
	ts.Check(d.Decode(&v))
	return v
}

// at follows a path such as named.0.reader; len is the length of a list.
func at(v any, path string) (any, bool) {
	for _, step := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = x[step]; !ok {
				return nil, false
			}
		case []any:
			if step == "len" {
				v = json.Number(strconv.Itoa(len(x)))
				continue
			}
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(x) {
				return nil, false
			}
			v = x[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// jsonCommand is: json FILE PATH VALUE. A string is compared as it is, all
// else in compact JSON; with ! the path must be missing or hold another value.
func jsonCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 3, "json FILE PATH VALUE")
	v, ok := at(document(ts, args[0]), args[1])
	got, isString := v.(string)
	if !isString {
		text, err := json.Marshal(v)
		ts.Check(err)
		got = string(text)
	}
	if (ok && got == args[2]) == neg {
		ts.Fatalf("%s of %s is %s (there: %v)", args[1], args[0], got, ok)
	}
}

// findingCommand is: finding FILE [PATH]. It holds a finding to the form that
// other programs rely on.
func findingCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && (len(args) == 1 || len(args) == 2), "finding FILE [PATH]")
	v := document(ts, args[0])
	if len(args) == 2 {
		var ok bool
		if v, ok = at(v, args[1]); !ok {
			ts.Fatalf("no finding at %s", args[1])
		}
	}
	if err := checkFinding(v); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
}

// holdsCommand is: holds DIR NAME... The folder has these files and folders,
// those in folders included, and nothing else, hidden or not.
func holdsCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) >= 1, "holds DIR NAME...")
	dir := ts.MkAbs(args[0])
	found := []string{}
	ts.Check(filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if rel, _ := filepath.Rel(dir, path); err == nil && !e.IsDir() {
			found = append(found, filepath.ToSlash(rel))
		}
		return err
	}))
	want := slices.Sorted(slices.Values(args[1:]))
	if slices.Sort(found); !slices.Equal(found, want) {
		ts.Fatalf("%s holds %q", args[0], found)
	}
}

// privateCommand is: private DIR|FILE... Everything there is for its owner
// alone.
func privateCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) >= 1, "private DIR|FILE...")
	for _, name := range args {
		ts.Check(filepath.WalkDir(ts.MkAbs(name), func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := e.Info()
			want := fs.FileMode(0o600)
			if e.IsDir() {
				want = 0o700
			}
			if err == nil && info.Mode().Perm() != want {
				err = fmt.Errorf("%s has mode %v", e.Name(), info.Mode())
			}
			return err
		}))
	}
}

// sameSizeCommand is: samesize FILE FILE...
func sameSizeCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) >= 2, "samesize FILE FILE...")
	sizes := map[int]bool{}
	for _, name := range args {
		sizes[len(ts.ReadFile(name))] = true
	}
	if (len(sizes) == 1) == neg {
		ts.Fatalf("sizes: %v", sizes)
	}
}

// unquote reads a Go string without its quotation marks.
func unquote(text string) (string, error) {
	return strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
}

// leakFromCommand is: leakfrom COPY ARTICLE [FROM TO]. The article quotes the
// words FROM up to TO of the copy's text, all of them if none are said.
func leakFromCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && (len(args) == 2 || len(args) == 4), "leakfrom COPY ARTICLE [FROM TO]")
	_, body, _ := strings.Cut(ts.ReadFile(args[0]), "\n\n")
	words := strings.Fields(body)
	if len(args) == 4 {
		from, err := strconv.Atoi(args[2])
		ts.Check(err)
		to, err := strconv.Atoi(args[3])
		ts.Check(err)
		words = words[from:min(to, len(words))]
	}
	said := strings.Join(words, " ")
	text := "Our correspondent has seen a telegram.\n\nIt says: “" + said + "”\n\nNobody would comment.\n"
	if strings.HasSuffix(args[1], ".html") {
		text = "<!doctype html><title>News</title><article><h1>News</h1><p>Our correspondent has seen a telegram, and so have others.</p><p>It says: &ldquo;" +
			said + "&rdquo;</p><p>Also Read: Something else</p></article>"
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// writeCommand is: write FILE COUNT PIECE [COUNT PIECE]... Pieces are written
// as Go strings without their quotation marks, each so many times.
func writeCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) >= 3 && len(args)%2 == 1, "write FILE COUNT PIECE...")
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	for i := 1; i < len(args); i += 2 {
		count, err := strconv.Atoi(args[i])
		ts.Check(err)
		piece, err := unquote(args[i+1])
		ts.Check(err)
		// One megabyte at a time: some of the files are large.
		at := max(1, (1<<20)/max(1, len(piece)))
		chunk := []byte(strings.Repeat(piece, min(at, count)))
		for ; count > 0; count -= at {
			_, err := f.Write(chunk[:len(piece)*min(at, count)])
			ts.Check(err)
		}
	}
}

// sealCommand is: seal FILE SEALED PASSPHRASE. It seals as mark does, with
// little work, so that scripts do not wait for each opening.
func sealCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 3, "seal FILE SEALED PASSPHRASE")
	r, err := age.NewScryptRecipient(args[2])
	ts.Check(err)
	r.SetWorkFactor(8)
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, r)
	ts.Check(err)
	_, err = w.Write([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), sealed.Bytes(), 0o600))
}

// cutCommand is: cut FILE PART BYTES. The part is the first so many bytes, or
// with a minus all but the last so many.
func cutCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 3, "cut FILE PART BYTES")
	text := ts.ReadFile(args[0])
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	if n < 0 {
		n += len(text)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text[:n]), 0o600))
}

// patchCommand is: patch FILE PATCHED OLD NEW. OLD and NEW are written as Go
// strings without their quotation marks; the first OLD is replaced.
func patchCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 4, "patch FILE PATCHED OLD NEW")
	old, err := unquote(args[2])
	ts.Check(err)
	by, err := unquote(args[3])
	ts.Check(err)
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, old) {
		ts.Fatalf("%s has no %q", args[0], old)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Replace(text, old, by, 1)), 0o600))
}

// setenvCommand is: setenv NAME FILE. The variable is the first line of the
// file.
func setenvCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "setenv NAME FILE")
	line, _, _ := strings.Cut(ts.ReadFile(args[1]), "\n")
	ts.Setenv(args[0], line)
}

// jsonenvCommand is: jsonenv NAME FILE PATH. The variable is a string of a
// JSON file.
func jsonenvCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 3, "jsonenv NAME FILE PATH")
	v, _ := at(document(ts, args[1]), args[2])
	text, ok := v.(string)
	need(ts, ok && text != "", "jsonenv of a string")
	ts.Setenv(args[0], text)
}

// namedLeakCommand is: namedleak NAME FILE. The file gets a name that is
// written as a Go string, and NAMED is set to it.
func namedLeakCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "namedleak NAME FILE")
	name, err := unquote(args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(name), []byte(ts.ReadFile(args[1])), 0o600))
	ts.Setenv("NAMED", name)
}

// failsCommand is: fails CODE COMMAND... The command ends with that exit code,
// says why and what to do on standard error, and nothing on standard output.
func failsCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) >= 2, "fails CODE COMMAND...")
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || strconv.Itoa(exit.ExitCode()) != args[0] {
		ts.Fatalf("%q ended with %v", args[1:], err)
	}
	if said := ts.ReadFile("stderr"); !strings.HasPrefix(said, "chancery: error: ") || strings.Contains(said, "panic") {
		ts.Fatalf("it said %q", said)
	}
	if said := ts.ReadFile("stderr"); !strings.Contains(said, "\nhint: ") {
		ts.Fatalf("no hint in %q", said)
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("it printed %q", out)
	}
}

// badDraftCommand is: baddraft FILE LINE:COLUMN WORDS. check and mark refuse
// the draft there, with a hint, and mark writes nothing.
func badDraftCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 3, "baddraft FILE LINE:COLUMN WORDS")
	pattern := regexp.MustCompile(`^chancery: error: ` + regexp.QuoteMeta(args[0]) + `:` + args[1] + `: .*(` + args[2] + `).*\nhint: .+\n$`)
	for _, command := range [][]string{{"check", args[0]}, {"mark", args[0], "--readers", "readers.txt", "--out", "refused", "--plain"}} {
		failsCommand(ts, false, append([]string{"3", "chancery"}, command...))
		if said := ts.ReadFile("stderr"); !pattern.MatchString(said) {
			ts.Fatalf("%s said %q", command[0], said)
		}
	}
	if _, err := os.Lstat(ts.MkAbs("refused")); err == nil {
		ts.Fatalf("something was written")
	}
}
