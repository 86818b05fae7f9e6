package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shakedown-test/shakedown/product"
)

// choice is a flag that takes one of a few words.
type choice struct {
	value *string
	words []string
}

// String is the present value.
func (c choice) String() string { return *c.value }

// Type is what help calls the value.
func (c choice) Type() string { return "word" }

// Set takes one of the words.
func (c choice) Set(s string) error {
	if !slices.Contains(c.words, s) {
		return fmt.Errorf("it must be one of: %s", strings.Join(c.words, ", "))
	}
	*c.value = s
	return nil
}

// formats adds --format, of which the first word is the default.
func formats(c *cobra.Command, into *string, words ...string) {
	words = append([]string{"text"}, words...)
	*into = words[0]
	c.Flags().Var(choice{into, words}, "format", "what to print: "+strings.Join(words, ", "))
	complete(c, "format", words)
}

// complete offers words to the shell for a flag.
func complete(c *cobra.Command, flag string, words []string) {
	// It fails only for a flag that is not there: a mistake in this package.
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err)
	}
}

// arguments takes from least to most arguments, called by what the usage line says.
func arguments(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= most {
			return nil
		}
		what := "too many arguments"
		if len(args) < least {
			what = "an argument is missing"
		}
		return fmt.Errorf("%s: %s\nhint: the command is: %s", c.CommandPath(), what, c.UseLine())
	}
}

// optional is the one argument that a command may have, or empty.
func optional(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// subcommand explains a word that is none.
func (a *app) subcommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return fmt.Errorf("there is no command %q\nhint: %s", args[0], product.DidYouMean(args[0], names))
}

// flagError adds the nearest flag to what pflag says of one that it does not know.
func flagError(c *cobra.Command, err error) error {
	text := err.Error()
	name, unknown := strings.CutPrefix(text, "unknown flag: --")
	if !unknown {
		return fmt.Errorf("%s\nhint: %s --help lists the flags", text, c.CommandPath())
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	for i, n := range names {
		names[i] = "--" + n
	}
	return fmt.Errorf("%s has no flag --%s\nhint: %s", c.CommandPath(), name, product.DidYouMean("--"+name, names))
}
