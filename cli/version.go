package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
)

// Version of Shakedown.
const Version = "0.1.0"

func versionText() string {
	return fmt.Sprintf("shakedown %s\n%s %s/%s\n", Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func (a *app) versionCommand() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  shakedown version",
		Args:    arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			if format == "json" {
				return printJSON(a.Stdout, struct {
					Version  string `json:"version"`
					Go       string `json:"go"`
					Platform string `json:"platform"`
				}{Version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH})
			}
			return written(fmt.Fprint(a.Stdout, versionText()))
		},
	}
	formats(c, &format, "json")
	return c
}

// printJSON writes v for programs.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return failed(fmt.Errorf("print JSON: %w", err))
	}
	return nil
}

// written is the error of printing, if there was one.
func written(_ int, err error) error {
	if err != nil {
		return failed(fmt.Errorf("print: %w", err))
	}
	return nil
}
