package town_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"chancery/internal/desk"
	"chancery/internal/town"
)

const draft = `Reference: POST 18/30
Date: 2030-05-11
From: Embassy
To: Centre
Precedence: PRIORITY
Subject: The harbour

The minister was {evasive|guarded|unforthcoming} about the harbour and {left early|did not stay}. We {think|believe} that the {plan|scheme} will {fail|come to nothing} before the {spring|end of winter}.

His {deputy|second} {stayed on|remained} and {asked|wanted to know} {twice|two times} what we would pay.
`

func found(t *testing.T) *town.Town {
	t.Helper()
	level := slog.LevelWarn
	if testing.Verbose() {
		level = slog.LevelInfo
	}
	w, err := town.Found(t.Context(), town.Config{Folder: t.TempDir(), Name: "Ministry", Custodians: []string{"auditor", "clerk", "judge"}, Threshold: 2, Overseers: []string{"inspector"},
		Stock: 2, Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// computes begins a test that computes long; make figures runs it, without the race
// detector.
func computes(t *testing.T) {
	t.Helper()
	if os.Getenv("CHANCERY_RACE") != "" {
		t.Skip("make figures runs it, without the race detector")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func enrol(t *testing.T, w *town.Town, id, office string) *desk.Desk {
	t.Helper()
	d, err := w.Enrol(t.Context(), id, "Person "+id)
	must(t, err)
	must(t, w.Seat(t.Context(), d, office, id))
	return d
}

// TestCableEndToEnd sends a cable through a real registry to two readers.
func TestCableEndToEnd(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w := found(t)
	ada, bo, cy := enrol(t, w, "ada", "post.embassy"), enrol(t, w, "bo", "centre.desk"), enrol(t, w, "cy", "centre.private-office")
	must(t, w.Ready(ctx, 20*time.Second))
	must(t, ada.Sync(ctx, 0))
	_, err := ada.Queue(desk.Outgoing{Draft: draft, To: []string{"centre.desk", "centre.private-office"}, Precedence: "priority", Reference: "POST 18/30", Attested: true})
	must(t, err)
	must(t, ada.Sync(ctx, 0))
	for _, d := range []*desk.Desk{bo, cy} {
		for {
			must(t, d.Sync(ctx, 5*time.Second))
			if i, err := d.Find("POST 18/30"); err == nil && i.Issue != nil {
				break
			}
		}
		i, err := d.Read(ctx, "POST 18/30")
		must(t, err)
		if !strings.Contains(i.Text, "about the harbour and") {
			t.Errorf("read %q", i.Text)
		}
		_, err = d.Ack(ctx, "POST 18/30")
		must(t, err)
	}
	must(t, ada.Sync(ctx, 2*time.Second))
	i, proofs, err := ada.Prove(ctx, "POST 18/30")
	must(t, err)
	var kinds []string
	for _, a := range i.Acts {
		kinds = append(kinds, a.Kind+" "+a.Who)
	}
	if got := strings.Join(kinds, ", "); !strings.Contains(got, "ack cy") || len(proofs) != len(i.Acts) {
		t.Errorf("acts: %s", got)
	}
	for _, d := range []*desk.Desk{ada, bo, cy} {
		for _, a := range d.Alarms() {
			t.Errorf("%s is alarmed: %s", d.Person, a.Text)
		}
	}
}
