package cli

import (
	"context"
	"fmt"
	"strings"

	"chancery/internal/demo"
	"chancery/internal/fault"
	"chancery/internal/measure"
)

type measureOptions struct {
	Tables   []string `arg:"" optional:"" name:"table" help:"Tables to make; all when none is named."`
	Scale    float64  `default:"1" help:"Share of the full run; 0.05 takes minutes, 1 takes an hour or more."`
	Cables   string   `env:"CHANCERY_CABLES" placeholder:"PATH" help:"Real cables for the tables index and wording: a file of JSON lines, or a folder with dev.jsonl.gz."`
	List     bool     `help:"List the tables."`
	Markdown bool     `help:"Print Markdown, as in docs/figures.md."`
	JSON     bool     `name:"json" help:"Print JSON."`
}

// Help is shown by chancery measure --help.
func (measureOptions) Help() string {
	return `Runs the real code from fixed seeds, so that the figures of docs/figures.md can be had again; only times
differ from machine to machine, and those are printed beside a limit measured in the same run. Every claim
is checked against its limit with the sampling error of the run; one that does not hold makes the exit
code 1.`
}

// Run makes tables.
func (o measureOptions) Run(ctx context.Context, s Streams) error {
	if o.List {
		for _, e := range measure.Tables {
			fmt.Fprintf(s.Out, "%-10s %s\n", e.Name, e.Title)
		}
		return nil
	}
	scene, err := demo.Load()
	if err != nil {
		return fault.Internal.Wrap(err, "measure")
	}
	c := measure.Config{Scale: o.Scale, Draft: scene.Draft, Times: true}
	if o.Cables != "" {
		if c.Cables, err = readCables(o.Cables); err != nil {
			return err
		}
	}
	if s.Terminal {
		c.Progress = s.Err
	}
	names := o.Tables
	if len(names) == 0 {
		for _, e := range measure.Tables {
			names = append(names, e.Name)
		}
	}
	var failed []string
	for _, name := range names {
		t, err := measure.Run(ctx, name, c)
		if err != nil {
			return fault.Usage.Wrap(err, "").WithHint("chancery measure --list shows the tables")
		}
		if err := o.write(s, t); err != nil {
			return err
		}
		if !t.OK() {
			failed = append(failed, name)
		}
	}
	if len(failed) > 0 {
		return fault.Internal.New("claims that did not hold in %s", strings.Join(failed, ", "))
	}
	return nil
}

func (o measureOptions) write(s Streams, t measure.Table) error {
	switch {
	case o.JSON:
		return t.WriteJSON(s.Out)
	case o.Markdown:
		return t.WriteMarkdown(s.Out)
	}
	return t.WriteText(s.Out)
}
