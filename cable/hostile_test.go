package cable

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
)

// hostile drafts are as large as the limits let them be, each built to make
// one step of the work grow faster than the text. None may hang or fill the
// memory; the log shows what each costs.
var hostile = []struct {
	name  string
	draft func() string
	err   string // what the refusal says; empty: the draft is read
}{
	{"sites that touch, not linked", func() string { return fill("{a|b}", "") }, "more than 16384 groups"},
	{"sites that touch", func() string { return strings.Repeat("{a|b}", MaxGroups) }, "make more than 256 wordings"},
	{"sites that touch, linked", func() string { return `{\a: x|y}` + strings.Repeat(`{\a}`, some(400_000)) }, ""},
	{"one line of linked sites", func() string { return `{\a: x|y}` + strings.Repeat(`{\a} `, some(130_000)) }, ""},
	{"one line of more linked sites", func() string { return `{\a: x|y}` + strings.Repeat(`{\a} `, 400_000) }, "are more than 262144"},
	{"linked sites written out", func() string { return fill(`{\a} `, `{\a: x|y} `) }, "in canonical form"},
	{"a label used 100,000 times", func() string { return `{\a: x|y} ` + strings.Repeat("{\\a}\n", 100_000) }, ""},
	{"a long label used 100,000 times", func() string {
		return `{\a: ` + strings.Repeat("x", 1<<20) + "|y} " + strings.Repeat("{\\a}\n", 100_000)
	}, "with linked sites written out"},
	{"as many groups as can be", func() string { return strings.Repeat("{a|b} ", MaxGroups) }, ""},
	{"as many groups, 16 alternatives", func() string {
		return strings.Repeat("{a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p} ", MaxGroups)
	}, ""},
	{"more groups than can be", func() string { return fill("{a|b} ", "") }, "more than 16384 groups"},
	{"clusters of 256 wordings", func() string {
		return strings.Repeat(strings.Repeat("{a|b}", 8)+" ", MaxGroups/16)
	}, ""},
	{"linked clusters of 256 wordings", func() string {
		var first, again strings.Builder
		for i := range 8 {
			fmt.Fprintf(&first, `{\%c: a|b}`, 'a'+i)
			fmt.Fprintf(&again, `{\%c}`, 'a'+i)
		}
		return first.String() + " " + strings.Repeat(again.String()+" ", 50_000)
	}, "are more than 262144"},
	{"many labels, touching", func() string {
		var b strings.Builder
		for i := range MaxGroups {
			fmt.Fprintf(&b, `{\%d: a|b} `, i)
		}
		for i := range 300_000 {
			fmt.Fprintf(&b, `{\%d}`, i%MaxGroups)
		}
		return b.String()
	}, "make more than 256 wordings"},
	{"tiny paragraphs", func() string { return much("a\n\n", "") }, ""},
	{"tiny lines", func() string { return much("a\n", "") }, ""},
	{"blank lines", func() string { return much("\n", "a") }, ""},
	{"one word", func() string { return much("a", "") }, ""},
	{"one word with sites", func() string { return fill("a", strings.Repeat("{a|b}", 8)) }, "more than 4194304 bytes"},
	{"one word after sites", func() string { return much("a", strings.Repeat("{a|b} ", 4)) }, ""},
	{"words of one letter", func() string { return much("a ", "") }, ""},
	{"brackets", func() string { return much("[", "a") }, ""},
	{"dots", func() string { return much(". ", "a") }, ""},
	{"a figure", func() string { return much("1.", strings.Repeat("a", some(1<<21))) + "1" }, ""},
	{"hyphens", func() string { return much("a-\u200b", "") }, ""},
	{"invisible characters", func() string { return much("\u200b", "a-") }, ""},
	{"accents", func() string { return much("\u0301", "a") }, ""},
	{"expanding letters", func() string { return much("\ufdfa", "") }, ""},
	{"bars", func() string { return fill("|", "") }, "in canonical form"},
	{"escapes", func() string { return much(`\\`, "") }, ""},
	{"braces", func() string { return fill("{", "") }, "a site inside a site"},
	{"an open site", func() string { return fill("a|\n", "{") }, "not closed"},
	{"alternatives", func() string { return fill("|", "{") + "}" }, "at most 16 alternatives"},
	{"lines of sites", func() string { return "{\\a: b|c}\n" + strings.Repeat("x {\\a}\n", some(130_000)) }, ""},
}

// soak says whether the long runs are asked for; others take an eighth of
// what is at least read, which shows growth out of proportion as well.
var soak = os.Getenv("CHANCERY_SOAK") != ""

func some(n int) int {
	if soak {
		return n
	}
	return n / 8
}

// much returns first and then as much of unit as a draft holds, or an eighth.
func much(unit, first string) string {
	return first + strings.Repeat(unit, (some(MaxDraft)-64-len(first))/len(unit))
}

// fill returns first and then as many of unit as a draft holds.
func fill(unit, first string) string {
	return first + strings.Repeat(unit, (MaxDraft-64-len(first))/len(unit))
}

func TestHostileDrafts(t *testing.T) {
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			data := []byte("Subject: x\n\n" + h.draft())
			d, err := Parse(data)
			if h.err != "" {
				wantError(t, err, h.err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			exercise(d)
			logMemory(t)
		})
	}
}

func TestHostileHeaders(t *testing.T) {
	for name, header := range map[string]string{
		"continuation lines": much("\n x", "To: a"),
		"one line":           much("x", "To: a"),
		"one name":           much("x", "T") + ":",
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse([]byte(header + "\n\nx"))
			if err != nil {
				t.Fatal(err)
			}
			exercise(d)
		})
	}
	_, err := Parse([]byte(fill("x:\n", "") + "\nx"))
	wantError(t, err, "more than 1000 header lines")
}

// exercise does everything a draft can be asked for.
func exercise(d *Draft) {
	d.Canonical()
	d.RecordText()
	d.Warnings()
	for _, s := range d.Segments() {
		d.Renderings(s)
	}
	d.Lattice().BitsByWord(func(int) bool { return false })
}

func wantError(t *testing.T, err error, words string) {
	t.Helper()
	var e *ParseError
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want a ParseError", err)
	}
	if !strings.Contains(e.Msg, words) || e.Hint == "" {
		t.Fatalf("error %q, hint %q; want %q", e, e.Hint, words)
	}
	if len(e.Msg) > 2000 {
		t.Errorf("a message of %d bytes", len(e.Msg))
	}
}

func logMemory(t *testing.T) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%d MiB from the system so far", m.Sys>>20)
}
