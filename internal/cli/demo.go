package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"

	"chancery/cable"
	"chancery/internal/codebook"
	"chancery/internal/demo"
	"chancery/internal/durable"
	"chancery/internal/fault"
	"chancery/mark"
)

type demoOptions struct {
	Out  string `short:"o" placeholder:"DIR" help:"New or empty folder for the demo's files; otherwise a new temporary one."`
	JSON bool   `name:"json" help:"Print the three findings as JSON."`
}

// Help is shown by chancery demo --help.
func (demoOptions) Help() string {
	return `A whole service in one process: registry, marking desk, witness, three custodians, six desks. An ambassador's telegram goes to a
list, each reader in words of their own that nobody chose; one reader is away, one passes it on with leave, another cable is
recalled, a post is handed over. Then one copy, drawn at random, reaches three newspapers, and the demo traces it; it traces an
article about something else, and one that prints a wording sent to nobody. Everything is done by the code that the other verbs
use, and every file of every party is left in a folder to look at.`
}

// A play is one run of the demo.
type play struct {
	scene  *demo.Scene
	draft  *cable.Draft
	book   *codebook.Book
	source codebook.Reader
	dir    string
}

// Run plays the demo.
func (o demoOptions) Run(ctx context.Context, s Streams) error {
	p, err := o.prepare(ctx, s)
	if err != nil {
		return err
	}
	leaks, err := p.leak()
	if err != nil {
		return err
	}
	finding, err := p.trace(ctx, s, "leak.case", leaks...)
	if err != nil {
		return err
	}
	control, err := p.trace(ctx, s, "", filepath.Join(p.dir, "leaks", p.scene.Control.Name))
	if err != nil {
		return err
	}
	outsider, err := p.trace(ctx, s, "", filepath.Join(p.dir, "leaks", p.scene.Outsider.Name))
	if err != nil {
		return err
	}
	if err := durable.CreateFile(filepath.Join(p.dir, "finding.svg"), finding.picture()); err != nil {
		return err
	}
	if o.JSON {
		return writeJSON(s.Out, struct {
			Source   string      `json:"source"`
			Folder   string      `json:"folder"`
			Finding  findingJSON `json:"finding"`
			Control  findingJSON `json:"control"`
			Outsider findingJSON `json:"outsider"`
		}{p.source.ID, p.dir, finding.json(), control.json(), outsider.json()})
	}
	p.tell(s, finding, control, outsider)
	return nil
}

// prepare plays the service, and draws the copy that leaks.
func (o demoOptions) prepare(ctx context.Context, s Streams) (*play, error) {
	scene, err := demo.Load()
	if err != nil {
		return nil, fault.Internal.Wrap(err, "demo")
	}
	p := &play{scene: scene}
	if p.dir, err = demoFolder(o.Out); err != nil {
		return nil, err
	}
	if p.draft, err = cable.Parse(scene.Draft); err != nil {
		return nil, fault.Internal.Wrap(err, "demo")
	}
	if err := p.writeDrafts(); err != nil {
		return nil, err
	}
	out := s.Out
	if o.JSON {
		out = io.Discard
	}
	p.begin(out, s.Colour)
	var opened []string
	if p.book, opened, err = p.playService(ctx, out); err != nil {
		return nil, err
	}
	if err := writeMarked(ctx, filepath.Join(p.dir, "released"), p.book, p.book.Readers(), lock{plain: true}); err != nil {
		return nil, err
	}
	return p, p.choose(opened)
}

// choose draws the copy that leaks among those that were opened.
func (p *play) choose(opened []string) error {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(len(opened))))
	if err != nil {
		return fault.System.Wrap(err, "no randomness")
	}
	for _, r := range p.book.Readers() {
		if r.ID == opened[n.Int64()] {
			p.source = r
		}
	}
	return nil
}

// writeDrafts leaves the telegram as it was written, and as it was reviewed, and the
// second one.
func (p *play) writeDrafts() error {
	return durable.CreateFolder(filepath.Join(p.dir, "drafts"), func(f *durable.Folder) error {
		if err := f.WriteFile("plain.txt", p.scene.Plain); err != nil {
			return err
		}
		if err := f.WriteFile("second.txt", p.scene.Second); err != nil {
			return err
		}
		return f.WriteFile("reviewed.txt", p.scene.Draft)
	})
}

func demoFolder(name string) (string, error) {
	if name == "" {
		dir, err := os.MkdirTemp("", "chancery-demo-")
		if err != nil {
			return "", fault.System.Wrap(err, "no temporary folder")
		}
		return dir, nil
	}
	return name, durable.CreateFolder(name, func(*durable.Folder) error { return nil })
}

// leak writes what the newspapers print, and returns the files of the three
// that had the source's copy.
func (p *play) leak() ([]string, error) {
	stranger, err := p.stranger()
	if err != nil {
		return nil, err
	}
	var leaks []string
	err = durable.CreateFolder(filepath.Join(p.dir, "leaks"), func(f *durable.Folder) error {
		print := func(a demo.Article, choices []int) error {
			text, err := p.scene.Print(a, p.draft, choices)
			if err != nil {
				return fault.Internal.Wrap(err, "demo")
			}
			return f.WriteFile(a.Name, []byte(text))
		}
		for _, a := range p.scene.Outlets {
			leaks = append(leaks, filepath.Join(p.dir, "leaks", a.Name))
			if err := print(a, p.book.Codeword(p.source)); err != nil {
				return err
			}
		}
		if err := print(p.scene.Control, nil); err != nil {
			return err
		}
		return print(p.scene.Outsider, stranger)
	})
	return leaks, err
}

// stranger draws a wording that was sent to nobody.
func (p *play) stranger() ([]int, error) {
	draw, err := mark.NewDraw(rand.Reader, 1)
	if err != nil {
		return nil, fault.System.Wrap(err, "no randomness")
	}
	key := mark.NewCopyKey(draw.Slot(1), mark.Hash{}, "", mark.Hash{}, "nobody")
	return key.Codeword(p.draft.Sizes()), nil
}

// trace runs the trace verb's own code over the files.
func (p *play) trace(ctx context.Context, s Streams, caseName string, leaks ...string) (*tracing, error) {
	o := traceOptions{Leaks: leaks, Codebook: []string{filepath.Join(p.dir, "released", "codebook.json")}, Eps: defaultEps}
	if caseName != "" {
		o.Case = filepath.Join(p.dir, caseName)
	}
	t, err := o.load(s)
	if err != nil {
		return nil, err
	}
	return t, t.look(ctx)
}

// begin tells the story so far.
func (p *play) begin(w io.Writer, colour bool) {
	b := bold(colour)
	fmt.Fprintf(w, "%s\n\n%s\n\n", b(p.scene.Title), wrap(p.scene.Story, 96))
	fmt.Fprintf(w, "%-10s In plain words, in drafts/plain.txt; the other wordings were offered, typed and struck in a review.\n", "Written")
}

// tell explains the finding to somebody who has never seen one.
func (p *play) tell(s Streams, finding, control, outsider *tracing) {
	w := s.Out
	b := bold(s.Colour)
	fmt.Fprintf(w, "\n%s  One sentence, as they have it:\n", b("Wordings"))
	p.showWordings(w)
	fmt.Fprintf(w, "\n%s  The copy of %s, drawn at random, reaches three newspapers.\n\n", b("Leaked"), b(p.source.ID))
	fmt.Fprintf(w, "%s  The newspapers are read first, without looking at any copy.\n\n", b("Traced"))
	finding.print(w, traceOptions{Case: filepath.Join(p.dir, "leak.case")})
	fmt.Fprintf(w, "\n%s  The same question for an article about something else:\n\n", b("Control"))
	control.printPassages(w)
	control.printOutcome(w, false)
	fmt.Fprintf(w, "\n%s  And for one that prints a wording of the telegram that was sent to nobody:\n\n", b("Outsider"))
	outsider.printPassages(w)
	fmt.Fprintln(w)
	outsider.printOutcome(w, false)
	fmt.Fprintf(w, "\nAll files are in %s: every party's folder, articles, released codebook, case, and the\nfinding as a picture, finding.svg. Try (chancery may be: go run ./cmd/chancery):\n", fault.Escape(p.dir))
	fmt.Fprintf(w, "  chancery trace --codebook %s --case %s %s\n", filepath.Join(p.dir, "released", "codebook.json"),
		filepath.Join(p.dir, "leak.case"), filepath.Join(p.dir, "leaks", p.scene.Outlets[0].Name))
}

// showWordings prints one sentence as three of the readers have it.
func (p *play) showWordings(w io.Writer) {
	for _, r := range p.book.Readers() {
		text := p.draft.RenderParagraph(2, p.book.Codeword(r))
		fmt.Fprintf(w, "  %-30s %s\n", r.ID, shorten(text, 110))
	}
}
