package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A life is an institution on the disk, and what its people were told was done.
type life struct {
	program, folder, at, address string
	draft                        string // outside the disk

	mu       sync.Mutex
	running  map[int]bool
	dark     bool // the power has gone: what is said now does not count
	next     int
	sent     []string
	read     []string
	told     []string // acknowledged
	registry *exec.Cmd
}

const draft = `Reference: %s
From: post.embassy
To: centre
Precedence: PRIORITY
Subject: The harbour

The minister was {evasive|guarded} about the harbour and {left early|did not stay}. We {think|believe} that it will {fail|come to nothing}.
`

func run(program string, rounds int) (err error) {
	folder, err := os.MkdirTemp("", "chancery-power-")
	if err != nil {
		return err
	}
	l := &life{program: program, folder: folder, at: filepath.Join(folder, "disk"), draft: filepath.Join(folder, "draft.txt"), running: map[int]bool{}}
	if err := os.Mkdir(l.at, 0o700); err != nil {
		return err
	}
	m, ok, err := start(l.at)
	if err != nil || !ok {
		return err
	}
	defer func() {
		l.dies()
		err = errors.Join(err, m.tell("unmount"))
		if err == nil {
			err = os.RemoveAll(folder)
		}
	}()
	if err := l.found(); err != nil {
		return err
	}
	for n := range rounds {
		strict := n%2 == 0
		if err := l.lives(func() error { return m.tell(fmt.Sprintf("crash %v", strict)) }); err != nil {
			return err
		}
		if err := m.tell("restart"); err != nil {
			return err
		}
		if err := l.wakes(); err != nil {
			return fmt.Errorf("round %d, strict %v: %w", n+1, strict, err)
		}
	}
	fmt.Printf("power: went %d times; %d cables sent, %d read, %d acknowledged, and nothing was lost\n", rounds, len(l.sent), len(l.read), len(l.told))
	return nil
}

// do runs a command on the disk.
func (l *life) do(args ...string) (string, error) {
	cmd := exec.Command(l.program, args...)
	cmd.Dir = l.at
	cmd.Env = append(os.Environ(), "CHANCERY_AUTHORITY=ministry/authority-1", "CHANCERY_AUTHORITY_2=ministry/authority-2")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	l.mu.Lock()
	err := cmd.Start()
	if err == nil {
		l.running[cmd.Process.Pid] = true
	}
	l.mu.Unlock()
	if err != nil {
		return "", err
	}
	err = cmd.Wait()
	l.mu.Lock()
	delete(l.running, cmd.Process.Pid)
	l.mu.Unlock()
	if err != nil {
		err = fmt.Errorf("chancery %s: %w\n%s", strings.Join(args, " "), err, out.String())
	}
	return out.String(), err
}

// all runs commands, one after the other.
func (l *life) all(commands ...[]string) error {
	for _, c := range commands {
		if _, err := l.do(c...); err != nil {
			return err
		}
	}
	return nil
}

// found makes the institution: ada writes from an embassy, bo and cy read.
func (l *life) found() error {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	l.address = free.Addr().String()
	free.Close()
	if _, err := l.do("init", "ministry", "--name", "Ministry of Example", "--url", "https://"+l.address, "--trial"); err != nil {
		return err
	}
	if err := l.serve(); err != nil {
		return err
	}
	for _, p := range [][3]string{{"ada", "post.embassy", "head"}, {"bo", "centre.desk", "head"}, {"cy", "centre.desk", "second"}} {
		if _, err := l.do("invite", p[0], "Person "+p[0]); err != nil {
			return err
		}
		made, err := l.do("enrol", p[0]+".invite", "--desk", p[0], "--no-passphrase")
		if err != nil {
			return err
		}
		_, after, _ := strings.Cut(made, "fingerprint: ")
		fingerprint, _, _ := strings.Cut(after, "\n")
		steps := [][]string{{"admit", p[0], "--fingerprint", fingerprint}}
		if p[2] == "head" {
			steps = append(steps, []string{"office", p[1], "Office " + p[1]})
		}
		steps = append(steps, []string{"seat", p[1], p[2], "Seat"}, []string{"appoint", p[0], p[1], p[2]}, []string{"appoint", "--accept", "--desk", p[0]})
		if err := l.all(steps...); err != nil {
			return err
		}
	}
	return l.all([]string{"list", "centre", "centre.desk"})
}

// serve starts the registry and waits until it answers.
func (l *life) serve() error {
	log, err := os.OpenFile(filepath.Join(l.folder, "serve.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	l.registry = exec.Command(l.program, "serve", "--data", "ministry", "--listen", l.address, "--custodians", "--draws", "8")
	l.registry.Dir, l.registry.Stdout, l.registry.Stderr = l.at, log, log
	if err := l.registry.Start(); err != nil {
		return err
	}
	for range 600 {
		c, err := net.Dial("tcp", l.address)
		if err == nil {
			return c.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("the registry does not start: see %s", log.Name())
}

// lives sends and reads for a while, until the power goes.
func (l *life) lives(crash func() error) error {
	l.dark = false
	var wait sync.WaitGroup
	wait.Go(func() { l.whileLit(l.send) })
	wait.Go(func() { l.whileLit(l.open) })
	time.Sleep(300*time.Millisecond + rand.N(2500*time.Millisecond))
	l.mu.Lock()
	l.dark = true // what was said until now counts, and nothing after it
	l.mu.Unlock()
	err := crash()
	l.dies()
	wait.Wait()
	return err
}

func (l *life) whileLit(step func()) {
	for {
		l.mu.Lock()
		dark := l.dark
		l.mu.Unlock()
		if dark {
			return
		}
		step()
	}
}

// done remembers what was said to be done, if it was said in time.
func (l *life) done(list *[]string, reference string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && !l.dark {
		*list = append(*list, reference)
	}
}

func (l *life) send() {
	l.next++
	reference := fmt.Sprintf("POST %d/30", l.next)
	if err := os.WriteFile(l.draft, fmt.Appendf(nil, draft, reference), 0o600); err != nil {
		return
	}
	said, err := l.do("send", l.draft, "--desk", "ada", "--attest", "--new-keys", "--anew")
	if err == nil && !strings.Contains(said, "released at entry") {
		err = errors.New(said)
	}
	l.done(&l.sent, reference, err)
}

// open reads the next cable at bo's desk, and acknowledges it.
func (l *life) open() {
	l.mu.Lock()
	n, sent := len(l.read), slices.Clone(l.sent)
	l.mu.Unlock()
	if n >= len(sent) {
		time.Sleep(20 * time.Millisecond)
		return
	}
	_, err := l.do("read", sent[n], "--desk", "bo")
	l.done(&l.read, sent[n], err)
	if err == nil {
		_, err = l.do("ack", sent[n], "--desk", "bo")
		l.done(&l.told, sent[n], err)
	}
}

// dies ends all processes at once.
func (l *life) dies() {
	l.mu.Lock()
	for pid := range l.running {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	l.mu.Unlock()
	if l.registry != nil {
		l.registry.Process.Kill()
		l.registry.Wait()
		l.registry = nil
	}
}

// recent is how many of the last cables are looked at after each round.
const recent = 8

// wakes starts everything again and looks for what was said to be done.
func (l *life) wakes() error {
	if err := l.serve(); err != nil {
		return err
	}
	if said, err := l.do("log", "verify", "--desk", "ada"); err != nil || !strings.Contains(said, "it holds") {
		return errors.Join(err, errors.New(said))
	}
	tail := func(all []string) []string { return all[max(0, len(all)-recent):] }
	for _, c := range []struct {
		cables  []string
		command []string
		want    string
	}{{tail(l.sent), []string{"custody", "--desk", "ada"}, "release"}, {tail(l.read), []string{"read", "--desk", "bo"}, "The minister"},
		{tail(l.read), []string{"custody", "--desk", "ada"}, "opened"}, {tail(l.told), []string{"custody", "--desk", "ada"}, "ack"}} {
		for _, reference := range c.cables {
			said, err := l.do(slices.Insert(slices.Clone(c.command), 1, reference)...)
			if err != nil || !strings.Contains(said, c.want) {
				return errors.Join(fmt.Errorf("%s: no %q by chancery %s:\n%s", reference, c.want, strings.Join(c.command, " "), said), err)
			}
		}
	}
	for _, person := range []string{"ada", "bo", "cy"} {
		if said, err := l.do("status", "--desk", person); err != nil || strings.Contains(said, "alarm") {
			return errors.Join(fmt.Errorf("%s:\n%s", person, said), err)
		}
	}
	return nil
}
