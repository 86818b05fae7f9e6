package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"

	"github.com/spf13/cobra"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/reference"
)

// app is what the subcommands share.
type app struct {
	System
	risks []check.Risk
	kinds driver.Kinds

	mu     sync.Mutex
	screen *screen // the live area that must be taken down before the process ends; nil when there is none
	folder string  // of the run that is on, if one is
}

// enough is how many bytes of memory a run should do with: a part that floods its endpoint makes garbage faster than it is collected.
const enough = 256 << 20

// Main runs the command line with these checks and returns the exit code. Risks of the same id are one, so that checks can be added
// to a bundled risk. The first signal that asks for an end makes an orderly one,
// the second ends the process at once.
func Main(sys System, risks []check.Risk) (code int) {
	a := &app{System: sys, kinds: driver.Builtin()}
	ref := reference.Kind()
	a.kinds[ref.Name] = ref
	defer func() {
		if p := recover(); p != nil {
			code = a.crashed(p, debug.Stack())
		}
	}()
	a.risks = check.Merge(risks)
	if a.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(enough)
	}
	ctx, stop := a.interruptible()
	defer stop()
	root := a.root()
	root.SetArgs(sys.Args)
	root.SetIn(sys.Stdin)
	root.SetOut(sys.Stdout)
	root.SetErr(sys.Stderr)
	return a.end(root.ExecuteContext(ctx))
}

// interruptible is a context that the first signal ends. The second one ends the process.
func (a *app) interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals, ignore := a.Signals()
	done := make(chan struct{})
	go func() {
		for n := 1; ; n++ {
			select {
			case <-signals:
				cancel()
			case <-done:
				return
			}
			if n > 1 {
				a.restore()
				a.Exit(exitInterrupted)
			}
		}
	}()
	return ctx, func() {
		ignore()
		cancel()
		close(done)
	}
}

// restore gives the terminal back as it was.
func (a *app) restore() {
	a.mu.Lock()
	s := a.screen
	a.screen = nil
	a.mu.Unlock()
	if s != nil {
		s.close()
	}
}

// keepCrash writes the stack into the folder of the run that is on, and says where.
func (a *app) keepCrash(p any, stack []byte) (string, error) {
	a.mu.Lock()
	folder := a.folder
	a.mu.Unlock()
	if folder == "" {
		return "", nil
	}
	name := filepath.Join(folder, "crash.txt")
	return name, os.WriteFile(name, fmt.Appendf(nil, "shakedown %s\n%v\n\n%s", Version, p, stack), 0o600)
}

// The groups of subcommands in help.
const (
	aboutProducts = "products"
	aboutChecks   = "checks"
	aboutItself   = "itself"
)

func (a *app) root() *cobra.Command {
	cobra.EnableCommandSorting = false // they stand in the order of their use
	root := &cobra.Command{
		Use:   "shakedown",
		Short: "Finds what will break in a connected product after launch, before launch",
		Long: `Shakedown finds what will break in a connected product after launch, before launch.

It plays the world around your device, its cloud and its network, makes that
world misbehave, watches what the device does, and says whether the product is ready to launch, with
the evidence.`,
		Example: `  shakedown run                   test the bundled reference product, to see what a run is like
  shakedown init                  describe your own product
  shakedown run product.yaml      test it`,
		SilenceUsage:       true,
		SilenceErrors:      true,
		DisableSuggestions: true,
		Version:            Version,
		Args:               a.subcommand,
		RunE:               func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(flagError)
	root.SetVersionTemplate(versionText())
	root.AddGroup(&cobra.Group{ID: aboutProducts, Title: "Test a product:"}, &cobra.Group{ID: aboutChecks, Title: "Look things up:"},
		&cobra.Group{ID: aboutItself, Title: "About Shakedown itself:"})
	root.SetHelpCommandGroupID(aboutItself)
	root.SetCompletionCommandGroupID(aboutItself)
	for _, c := range []*cobra.Command{a.initCommand(), a.planCommand(), a.runCommand(), a.inspectCommand(), a.swarmCommand(), a.agentCommand(), a.reportCommand(), a.netCommand()} {
		c.GroupID = aboutProducts
		root.AddCommand(c)
	}
	for _, c := range []*cobra.Command{a.checksCommand(), a.schemaCommand()} {
		c.GroupID = aboutChecks
		root.AddCommand(c)
	}
	for _, c := range []*cobra.Command{a.selftestCommand(), a.doctorCommand(), a.versionCommand()} {
		c.GroupID = aboutItself
		root.AddCommand(c)
	}
	return root
}
