package cli

import (
	"fmt"
	"runtime/debug"

	"chancery/internal/codebook"
	"chancery/trace"
)

// release is the version of this tree.
const release = "0.1.0-dev"

type versionOptions struct{}

// Run prints the version, and those of its formats.
func (versionOptions) Run(s Streams) error {
	toolchain := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		toolchain = info.GoVersion
	}
	_, err := fmt.Fprintf(s.Out, "chancery %s (%s; %s, %s)\n", release, toolchain, trace.Version, codebook.Format)
	return err
}
