package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/shakedown-test/shakedown/checks"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/report"
)

// reportFlags are the flags of report.
type reportFlags struct {
	format, out, against string
	requirements         bool
}

func (a *app) reportCommand() *cobra.Command {
	var f reportFlags
	c := &cobra.Command{
		Use:   "report RUN",
		Short: "Write the report of a run, or compare two",
		Long: `Writes the report of the run in the folder RUN, from that folder alone, also
when the run was interrupted. It is judged anew, today: an accepted deviation
may have expired. With --against, it says what is new, fixed and still there
since an older run.`,
		Example: `  shakedown report shakedown-run-20270131-120000 --format junit --out junit.xml
  shakedown report NEW --against OLD
  shakedown report RUN --requirements`,
		Args: arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error { return a.report(args[0], f) },
	}
	formats(c, &f.format, "html", "json", "junit", "sarif")
	c.Flags().StringVar(&f.out, "out", "", "the `file` to write (default: the terminal)")
	c.Flags().StringVar(&f.against, "against", "", "`folder` of an older run to compare with; as text, html or json")
	c.Flags().BoolVar(&f.requirements, "requirements", false, "say of every clause of the regulations and baselines what is known; as text or json")
	return c
}

// clauses are all that the report can speak of.
func clauses() (out []report.Clause) {
	for _, r := range checks.Requirements() {
		out = append(out, report.Clause{ID: r.ID, Scheme: r.Scheme, Clause: r.Clause, Topic: r.Topic, Level: string(r.Level)})
	}
	return out
}

func (a *app) report(dir string, f reportFlags) error {
	in, err := a.stored(dir)
	if err != nil {
		return err
	}
	look := report.Look{Colour: a.colours(a.OutTerminal) && f.out == ""}
	write := map[string]func(io.Writer) error{
		"text":  func(w io.Writer) error { return report.Text(w, in, look) },
		"html":  func(w io.Writer) error { return report.HTML(w, in) },
		"json":  func(w io.Writer) error { return report.JSON(w, in) },
		"junit": func(w io.Writer) error { return report.JUnit(w, in) },
		"sarif": func(w io.Writer) error { return report.SARIF(w, in) },
	}[f.format]
	if f.requirements {
		if f.against != "" || f.format != "text" && f.format != "json" {
			return usage(errors.New("--requirements goes with --format text or json, and without --against"))
		}
		write = func(w io.Writer) error { return report.Requirements(w, in, clauses(), report.Format(f.format)) }
	}
	if f.against != "" {
		if f.format == "junit" || f.format == "sarif" {
			return usage(fmt.Errorf("a comparison cannot be written as %s\nhint: use text, html or json", f.format))
		}
		old, err := a.stored(f.against)
		if err != nil {
			return err
		}
		write = func(w io.Writer) error { return report.Compare(w, in, old, report.Format(f.format)) }
	}
	if f.out == "" {
		if err := write(a.Stdout); err != nil {
			return failed(fmt.Errorf("print the report: %w", err))
		}
		return nil
	}
	file, err := os.Create(f.out)
	if err != nil {
		return usage(fmt.Errorf("write the report: %w", err))
	}
	defer file.Close()
	if err := write(file); err != nil {
		return failed(fmt.Errorf("write %s: %w", f.out, err))
	}
	if err := file.Close(); err != nil {
		return failed(fmt.Errorf("write %s: %w", f.out, err))
	}
	return nil
}

// stored is the run in a folder, judged today. What it lacks is said beside the output.
func (a *app) stored(dir string) (report.Input, error) {
	run, err := evidence.OpenRun(dir)
	if err != nil {
		return report.Input{}, usage(fmt.Errorf("%w\nhint: name the folder of a run", err))
	}
	if run.Torn != "" {
		a.note("%s: %s", dir, run.Torn)
	}
	if left := len(run.Pending()); left > 0 {
		a.note("%s ended early: %d of %s have no result; shakedown run --resume %s goes on", dir, left, count(len(run.Plan().Jobs), "job"), dir)
	}
	return a.judged(run), nil
}
