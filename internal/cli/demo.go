package cli

type demoOptions struct{}

// Run is filled in below.
func (demoOptions) Run(s Streams) error { return nil }
