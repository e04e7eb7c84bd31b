package cli

type measureOptions struct{}

// Run is filled in below.
func (measureOptions) Run(s Streams) error { return nil }
