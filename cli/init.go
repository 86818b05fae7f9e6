package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shakedown-test/shakedown/product"
)

// initFlags are the flags of init, and what is asked for where they are not given.
type initFlags struct {
	o        product.TemplateOptions
	protocol string
	out      string
	fleet    bool
	force    bool
}

// devices are the drivers that a device of one's own can have.
var devices = []string{"process", "external", "human", "exec"}

func (a *app) initCommand() *cobra.Command {
	var f initFlags
	f.o.Driver, f.protocol = devices[0], string(product.MQTTS)
	c := &cobra.Command{
		Use:   "init",
		Short: "Write a product file to start with, or a fleet file",
		Long: `Writes a commented product file. On a terminal it asks for what the flags do
not say; elsewhere it takes the flags, and examples for what they leave open.

The device is driven in one of four ways (--device):
  process   a program on this machine, which Shakedown starts and stops (--command)
  external  a device that connects by itself to an address of this machine
  human     the same, and a person at the terminal switches it on and off
  exec      a program of yours that acts on the device and speaks JSON lines (--command)

With --fleet it writes a fleet file, for load runs.`,
		Example: `  shakedown init
  shakedown init --device process --command "./lamp --broker {broker.host}:{broker.port} --ca {ca.file}"
  shakedown init --fleet`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.init(cmd, f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.o.Name, "name", "", "`name` of the product in reports")
	fl.Var(choice{&f.o.Driver, devices}, "device", "how the device is driven: "+strings.Join(devices, ", "))
	fl.StringVar(&f.o.Command, "command", "", "process: the device's `command line`; exec: that of your program")
	fl.Var(choice{&f.protocol, []string{"mqtts", "mqtt"}}, "protocol", "what the device speaks: mqtts (over TLS) or mqtt")
	fl.StringVar(&f.o.Telemetry, "telemetry", "", "`topics` of its measurements")
	fl.StringVar(&f.o.CommandTopic, "command-topic", "", "`topic` of a command that it takes; {id} is the device id")
	fl.StringVar(&f.o.CommandPayload, "command-payload", "", "`payload` of that command; {n} is a number, {token} a word")
	fl.StringVar(&f.o.Effect.Console, "effect-console", "", "`pattern` of what it prints when the command was carried out")
	fl.StringVar(&f.o.Effect.Topic, "effect-topic", "", "`topic` on which it tells that the command was carried out")
	fl.StringVar(&f.o.Effect.When, "effect-when", "", "CEL `condition` over the payload on that topic")
	fl.BoolVar(&f.fleet, "fleet", false, "write a fleet file; the other flags say nothing for it but --out and --force")
	fl.StringVar(&f.out, "out", "", "the `file` to write; default product.yaml, or fleet.yaml")
	fl.BoolVar(&f.force, "force", false, "overwrite the file if it is there")
	complete(c, "device", devices)
	return c
}

func (a *app) init(cmd *cobra.Command, f initFlags) error {
	if f.out == "" {
		f.out = "product.yaml"
		if f.fleet {
			f.out = "fleet.yaml"
		}
	}
	if _, err := os.Lstat(f.out); err == nil && !f.force {
		return usage(fmt.Errorf("%s is there already\nhint: --force overwrites it, --out names another file", f.out))
	}
	if f.fleet {
		if err := create(f.out, product.FleetTemplate, f.force); err != nil {
			return usage(fmt.Errorf("write the fleet file: %w", err))
		}
		return written(fmt.Fprintf(a.Stdout, "%s is written. docs/fleet-file.md explains every key.\n", f.out))
	}
	if a.InTerminal && a.ErrTerminal {
		if err := a.interview(cmd.Context(), cmd.Flags().Changed, &f); err != nil {
			return err
		}
	}
	f.o.Protocol = product.Protocol(f.protocol)
	if f.o.CommandTopic != "" && f.o.Effect == (product.Effect{}) {
		return usage(errors.New("it is not said how a command shows its effect\nhint: give --effect-console, or --effect-topic with --effect-when"))
	}
	src := product.Template(f.o)
	if _, err := a.parse(f.out, src); err != nil {
		return err
	}
	if err := create(f.out, src, f.force); err != nil {
		return usage(fmt.Errorf("write the product file: %w", err))
	}
	return written(fmt.Fprintf(a.Stdout, "%s is written. Read it through; then:\n  shakedown plan %s   says what can be tested, and what is still missing\n  shakedown run %s    tests it\n", f.out, f.out, f.out))
}

// create writes a file, which must not be there yet unless it may be overwritten.
func create(name string, data []byte, overwrite bool) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if overwrite {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	file, err := os.OpenFile(name, flags, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
}
