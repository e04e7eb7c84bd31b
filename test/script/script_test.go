// Package script runs the whole command as a user would: each script in
// testdata is one subject, and has the telegram and the readers of
// testdata/world in its folder. Scripts that hold a defence open with the
// story of the attack.
package script

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"chancery/internal/cli"
)

// raceDetector says that this test was built with -race.
var raceDetector bool

// TestMain has scripts run this test itself as the command chancery. The race
// detector would make them thirty times slower, sealing with a passphrase
// above all, so then they run the command as users build it.
func TestMain(m *testing.M) {
	if raceDetector {
		os.Exit(withBinary(m))
	}
	testscript.Main(m, map[string]func(){
		"chancery": func() { os.Exit(cli.Main(os.Args[1:], cli.System())) },
	})
}

// withBinary builds the command and runs the tests with it.
func withBinary(m *testing.M) int {
	dir, err := os.MkdirTemp("", "chancery-script-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-buildvcs=false", "-o", dir, "chancery/cmd/chancery")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	if err := os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		panic(err)
	}
	return m.Run()
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		Setup:               setup,
		Cmds:                commands,
		Condition:           condition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// setup puts the world into the folder of a script.
func setup(env *testscript.Env) error {
	env.Setenv("TMPDIR", filepath.Join(env.WorkDir, ".tmp"))
	setupServices(env)
	return fs.WalkDir(os.DirFS("testdata/world"), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join("testdata/world", name))
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(env.WorkDir, name), data, 0o644)
	})
}

// condition knows [root]: for root no folder is closed.
func condition(name string) (bool, error) {
	return name == "root" && os.Geteuid() == 0, nil
}
