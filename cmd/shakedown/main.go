// Command shakedown finds what will break in a connected product after launch, before launch.
package main

import (
	"os"

	"github.com/shakedown-test/shakedown/checks"
	"github.com/shakedown-test/shakedown/cli"
)

func main() {
	os.Exit(cli.Main(cli.OS(), checks.All()))
}
