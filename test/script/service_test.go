package script

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// services are the processes that a script started, by name.
type services struct {
	running map[string]*exec.Cmd
	liars   map[string]func() // how each is ended; see liar
}

type servicesKey struct{}

// started returns the script's processes.
func started(ts *testscript.TestScript) *services { return ts.Value(servicesKey{}).(*services) }

// setupServices prepares a script to start processes, which end with it.
func setupServices(env *testscript.Env) {
	s := &services{map[string]*exec.Cmd{}, map[string]func(){}}
	env.Values[servicesKey{}] = s
	env.Defer(func() {
		for _, end := range s.liars {
			end()
		}
		for _, cmd := range s.running {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
}

// freeportCommand sets a variable to an address of this machine that is free:
// freeport VARIABLE.
func freeportCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 1, "freeport VARIABLE")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Check(l.Close())
}

// startCommand runs chancery in the background until it says that it is there:
// start NAME VERB ARGUMENT... Its words go to NAME.log. With ! it must end by itself.
func startCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) > 1, "start NAME VERB ARGUMENT...")
	name := args[0]
	cmd := chancery(ts.Getenv("WORK"), args[1:]...)
	logName := filepath.Join(ts.Getenv("WORK"), name+".log")
	log, err := os.OpenFile(logName, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer log.Close()
	before, err := log.Seek(0, io.SeekEnd)
	ts.Check(err)
	cmd.Stdout, cmd.Stderr = log, log
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	if neg {
		go func() { ended <- cmd.Wait() }()
		select {
		case err := <-ended:
			if err == nil {
				ts.Fatalf("%s ended as if nothing were wrong", name)
			}
			return
		case <-time.After(20 * time.Second):
			cmd.Process.Kill()
			ts.Fatalf("%s runs, where it should have refused", name)
		}
	}
	started(ts).running[name] = cmd
	for range 200 {
		data, err := os.ReadFile(logName)
		ts.Check(err)
		if strings.Contains(string(data[before:]), "chancery: ") {
			if strings.Contains(string(data[before:]), "chancery: error") {
				ts.Fatalf("%s", data[before:])
			}
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s did not start", name)
}

// haltCommand ends a process that was started: halt NAME, or halt NAME kill. (The stop that
// testscript has ends the script.)
func haltCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) > 0, "halt NAME [kill]")
	if end := started(ts).liars[args[0]]; end != nil {
		delete(started(ts).liars, args[0])
		end()
		return
	}
	cmd := started(ts).running[args[0]]
	if cmd == nil {
		ts.Fatalf("%s does not run", args[0])
	}
	delete(started(ts).running, args[0])
	if len(args) > 1 {
		ts.Check(cmd.Process.Kill())
	} else {
		ts.Check(cmd.Process.Signal(os.Interrupt))
	}
	err := cmd.Wait()
	if len(args) == 1 && err != nil {
		ts.Fatalf("%s ended with %v", args[0], err)
	}
}

// ministryCommand founds an institution, starts it, and enrols people: ada, who sits
// in post.embassy, bo and cy, who sit in centre.desk, and di, in centre.private-office;
// the list "centre" names both offices. What it does is what its people would type;
// arguments are the founder's.
func ministryCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg, "ministry [ARGUMENT...]")
	freeportCommand(ts, false, []string{"ADDR"})
	run := func(args ...string) string {
		cmd := chancery(ts.Getenv("WORK"), args...)
		cmd.Env = append(os.Environ(), "CHANCERY_AUTHORITY=ministry/authority-1", "CHANCERY_AUTHORITY_2=ministry/authority-2")
		out, err := cmd.CombinedOutput()
		if err != nil {
			ts.Fatalf("chancery %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	ts.Setenv("CHANCERY_AUTHORITY", "ministry/authority-1")
	ts.Setenv("CHANCERY_AUTHORITY_2", "ministry/authority-2")
	run(append([]string{"init", "ministry", "--name", "Ministry of Example", "--url", "https://" + ts.Getenv("ADDR"), "--trial"}, args...)...)
	startCommand(ts, false, []string{"registry", "serve", "--data", "ministry", "--listen", ts.Getenv("ADDR"), "--custodians", "--draws", "4"})
	for _, p := range []struct{ id, office, seat string }{{"ada", "post.embassy", "head"}, {"bo", "centre.desk", "head"}, {"cy", "centre.desk", "second"}, {"di", "centre.private-office", "head"}} {
		run("invite", p.id, "Person "+p.id)
		made := run("enrol", p.id+".invite", "--desk", p.id, "--no-passphrase")
		_, after, _ := strings.Cut(made, "fingerprint: ")
		fingerprint, _, _ := strings.Cut(after, "\n")
		run("admit", p.id, "--fingerprint", fingerprint)
		if p.seat == "head" {
			run("office", p.office, "Office "+p.office)
		}
		run("seat", p.office, p.seat, "Seat "+p.seat)
		run("appoint", p.id, p.office, p.seat)
		run("appoint", "--accept", "--desk", p.id)
	}
	run("list", "centre", "centre.desk", "centre.private-office")
	ts.Logf("%s", run("status", "--desk", "ada"))
	ts.Check(os.WriteFile(filepath.Join(ts.Getenv("WORK"), "harbour.txt"), fmt.Appendf(nil, harbour, "POST 18/30"), 0o600))
}

// harbour is a cable.
const harbour = `Reference: %s
From: post.embassy
To: centre
Precedence: PRIORITY
Subject: The harbour

The minister was {evasive|guarded|unforthcoming} about the harbour and {left early|did not stay}. We {think|believe} that the {plan|scheme} will {fail|come to nothing} before the {spring|end of winter}.

His {deputy|second} {stayed on|remained} and {asked|wanted to know} {twice|two times} what we would pay.
`

// setfingerprintCommand sets a variable to the fingerprint that somebody's desk shows:
// setfingerprint VARIABLE PERSON.
func setfingerprintCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "setfingerprint VARIABLE PERSON")
	cmd := chancery(ts.Getenv("WORK"), "status", "--json", "--desk", args[1])
	out, _ := cmd.Output() // who is not admitted yet is refused by the registry
	var report struct {
		Fingerprint string `json:"fingerprint"`
	}
	ts.Check(json.Unmarshal(out, &report))
	ts.Setenv(args[0], strings.ReplaceAll(report.Fingerprint, " ", ""))
}

// readallCommand opens every cable in somebody's inbox: readall DESK.
func readallCommand(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 1, "readall DESK")
	var rows []struct{ Cable string }
	out, err := chancery(ts.Getenv("WORK"), "inbox", "--json", "--desk", args[0]).Output()
	ts.Check(err)
	ts.Check(json.Unmarshal(out, &rows))
	for _, r := range rows {
		if out, err := chancery(ts.Getenv("WORK"), "read", r.Cable, "--desk", args[0]).CombinedOutput(); err != nil {
			ts.Fatalf("%s", out)
		}
	}
}
