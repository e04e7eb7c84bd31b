// Chancery carries confidential cables, worded for each reader alone, and
// says whose copy the words of a leak came from, or that it cannot tell.
package main

import (
	"os"

	"chancery/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.System()))
}
