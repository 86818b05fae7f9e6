package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) doctorCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "doctor",
		Short:   "Say what this machine lacks, for which checks, and how to get it",
		Example: "  shakedown doctor",
		Args:    arguments(0, 0),
		RunE:    func(*cobra.Command, []string) error { return a.doctor(format) },
	}
	formats(c, &format, "json")
	return c
}

func (a *app) doctor(format string) error {
	symptoms := a.examine()
	if format == "json" {
		if err := printJSON(a.Stdout, symptoms); err != nil {
			return err
		}
	}
	lacking := 0
	for _, s := range symptoms {
		mark := "ok      "
		if !s.OK {
			mark = "missing "
			lacking++
		}
		if format == "json" {
			continue
		}
		wrap(a.Stdout, mark, s.What+": "+s.Seen)
		if !s.OK {
			wrap(a.Stdout, "          for: ", s.For)
			if s.Fix != "" {
				fmt.Fprintln(a.Stdout, "          get: "+s.Fix) // not wrapped: it is there to be copied
			}
		}
	}
	if format != "json" && lacking == 0 {
		fmt.Fprintln(a.Stdout, "\nNothing is missing.")
	}
	for _, s := range symptoms {
		if s.Essential && !s.OK {
			return failed(fmt.Errorf("shakedown cannot work here: %s: %s", s.What, s.Seen))
		}
	}
	return nil
}
