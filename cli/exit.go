package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/verdict"
)

// The exit codes of every subcommand.
const (
	exitReady       = 0   // ready, or ready with named risks; other subcommands: done
	exitNotReady    = 1   // not ready; selftest: a law does not hold
	exitUsage       = 2   // the command line or the product file is wrong
	exitNotEnough   = 3   // not enough evidence
	exitFailed      = 4   // Shakedown itself failed
	exitInterrupted = 130 // Ctrl-C
)

// exitError ends a subcommand with a code of its own; err may be nil.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usage(err error) error  { return &exitError{exitUsage, err} }
func failed(err error) error { return &exitError{exitFailed, err} }

func codeOf(r verdict.Readiness) int {
	switch r {
	case verdict.Ready, verdict.ReadyWithRisks:
		return exitReady
	case verdict.NotEnough:
		return exitNotEnough
	}
	return exitNotReady
}

// end prints how a subcommand ended, if it did not end well, and gives the exit code.
func (a *app) end(err error) int {
	if err == nil {
		return exitReady
	}
	var exit *exitError
	if !errors.As(err, &exit) {
		exit = &exitError{exitUsage, err} // cobra's own errors are about the command line
	}
	if exit.err != nil {
		fmt.Fprint(a.Stderr, explained(exit.err))
	}
	return exit.code
}

// explained writes an error as one "error:" line, what belongs to it, and its "hint:" lines. Errors carry hints as lines of their own.
func explained(err error) string {
	var mistakes *product.Mistakes
	if errors.As(err, &mistakes) && len(mistakes.List) > 1 {
		return fmt.Sprintf("error: %s has %d mistakes\n%s\n", plain(mistakes.File), len(mistakes.List), mistakes.Error())
	}
	var text, hints strings.Builder
	for i, line := range strings.Split(err.Error(), "\n") {
		switch {
		case i == 0:
			fmt.Fprintf(&text, "error: %s\n", plain(line))
		case strings.HasPrefix(line, "hint: "):
			fmt.Fprintln(&hints, plain(line))
		default:
			fmt.Fprintln(&text, plain(line))
		}
	}
	return text.String() + hints.String()
}

// crashed says that Shakedown itself failed. The stack goes to a file in the run folder, or where there is none to whoever asked.
func (a *app) crashed(p any, stack []byte) int {
	a.restore()
	hint := "run it again with SHAKEDOWN_DEBUG=1 and report what it prints"
	switch name, err := a.keepCrash(p, stack); {
	case a.Getenv("SHAKEDOWN_DEBUG") == "1":
		fmt.Fprintf(a.Stderr, "%s\n", stack)
		hint = "please report it"
	case err == nil && name != "":
		hint = "please report it, with the file " + name
	}
	fmt.Fprint(a.Stderr, explained(fmt.Errorf("shakedown itself failed: %s\nhint: %s\nhint: https://github.com/shakedown-test/shakedown/issues",
		strings.ReplaceAll(fmt.Sprint(p), "\n", " "), hint)))
	return exitFailed
}
