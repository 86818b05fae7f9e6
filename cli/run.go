package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/shakedown-test/shakedown/campaign"
	"github.com/shakedown-test/shakedown/evidence"
)

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run [PRODUCT.yaml]",
		Short: "Test a product and say whether it is ready to launch",
		Long: `Tests the product that PRODUCT.yaml describes, or the bundled reference
product, and says whether it is ready to launch.

Everything that was seen goes into a run folder, with the report (report.html)
and files for programs (results.json, junit.xml, results.sarif). Ctrl-C ends a
run in good order, a second one at once; --resume goes on with it.

Exit codes:
  0    ready, or ready with named risks
  1    not ready
  2    the command line or the product file is wrong
  3    not enough evidence
  4    Shakedown itself failed
  130  interrupted`,
		Example: `  shakedown run
  shakedown run product.yaml --risk fault --repeat 3
  shakedown run --resume shakedown-run-20270131-120000`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.resume != "" {
				return a.resume(cmd, args, f)
			}
			return a.run(cmd.Context(), optional(args), f)
		},
	}
	a.selectionFlags(c, &f)
	fl := c.Flags()
	fl.StringVar(&f.resume, "resume", "", "go on with the run in this `folder`: its product file, seed and selection")
	fl.StringVar(&f.out, "out", "", "run `folder` (default shakedown-run-TIME in this folder)")
	fl.BoolVar(&f.keepSecrets, "keep-secrets", false, "do not blank passwords, tokens and keys in what is written")
	formats(c, &f.format, "json")
	return c
}

func (a *app) run(ctx context.Context, file string, f runFlags) error {
	p, src, err := a.load(file)
	if err != nil {
		return err
	}
	o, err := a.options(p, file, f)
	if err != nil {
		return err
	}
	return a.begin(ctx, o, src, f)
}

// begin plans a campaign, makes its run folder and carries it out. Src is the product file.
func (a *app) begin(ctx context.Context, o campaign.Options, src []byte, f runFlags) error {
	plan, err := campaign.Plan(o, a.Now())
	if err != nil {
		return usage(err)
	}
	dir, err := a.newFolder(f.out)
	if err != nil {
		return err
	}
	run, err := evidence.CreateRun(dir, plan)
	if err != nil {
		return usage(fmt.Errorf("%w\nhint: choose another folder with --out", err))
	}
	defer run.Close()
	if err := run.KeepProduct(src); err != nil {
		return unwritten(err, dir)
	}
	return a.carryOut(ctx, o, run, dir, f.format)
}

// newFolder is the run folder: what the user wants, or a name with the time that is still free.
func (a *app) newFolder(out string) (string, error) {
	if out != "" {
		return out, nil
	}
	base := "shakedown-run-" + a.Now().Format("20060102-150405")
	for n, name := 1, base; n < 100; n++ {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name, nil
		}
		name = fmt.Sprintf("%s-%d", base, n+1)
	}
	return "", usage(fmt.Errorf("every run folder %s… is there already\nhint: choose one with --out", base))
}
