// Command makers makes and checks images with libraries in Go that nobody wrote for Shakedown, for the tests in examples/firmware. It is a
// module of its own, so that Shakedown does not depend on them.
//
//	makers mcuboot make SPEC OUT              makes the image that SPEC, a file in JSON, describes
//	makers mcuboot check IMAGE                reads an image, and fails when it does not fit its hash
//	makers macho sign IN OUT ID ENTITLEMENTS  signs a program, without a certificate, with a file of entitlements
//	makers macho join OUT FILE…               makes one for several processors
//	makers macho show FILE                    prints what it says of itself, as JSON: of every processor, in order
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

var errUsage = errors.New("usage: see the comment of the package")

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) < 2 {
		return errUsage
	}
	switch args[0] {
	case "mcuboot":
		return mcuboot(args[1], args[2:])
	case "macho":
		return program(args[1], args[2:], out)
	}
	return errUsage
}
