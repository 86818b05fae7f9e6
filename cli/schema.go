package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/report"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema product|fleet|results",
		Short: "Print the JSON Schema of the product file, the fleet file or results.json",
		Long: `Prints a JSON Schema: of the product file or the fleet file, with which editors
complete and explain its keys, or of results.json, for programs that read it.`,
		Example:   "  shakedown schema product > product.schema.json",
		Args:      arguments(1, 1),
		ValidArgs: []string{"product", "fleet", "results"},
		RunE: func(_ *cobra.Command, args []string) error {
			switch args[0] {
			case "results":
				return report.Schema(a.Stdout)
			case "product":
				schema, err := product.Schema()
				if err != nil {
					return failed(err)
				}
				return written(a.Stdout.Write(schema))
			case "fleet":
				schema, err := product.FleetSchema()
				if err != nil {
					return failed(err)
				}
				return written(a.Stdout.Write(schema))
			}
			return usage(fmt.Errorf("there is no schema %q\nhint: %s", args[0], product.DidYouMean(args[0], []string{"product", "fleet", "results"})))
		},
	}
}
