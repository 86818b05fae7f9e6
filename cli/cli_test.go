package cli_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/checks"
	"github.com/shakedown-test/shakedown/checks/expiry"
	"github.com/shakedown-test/shakedown/checks/protocol"
	"github.com/shakedown-test/shakedown/cli"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/join"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/report"
	"github.com/shakedown-test/shakedown/world/broker"
	"github.com/shakedown-test/shakedown/world/clock"
)

var update = flag.Bool("update", false, "write the golden parts of the scripts anew")

// The scripts have two commands: shakedown as it is shipped, and own, which a team could build with two of the bundled checks and one
// of its own. A third one has a broken catalogue.
func TestMain(m *testing.M) {
	flag.Set("test.parallel", "12") // the scripts wait more than they compute
	testscript.Main(m, map[string]func(){
		"shakedown": func() { os.Exit(cli.Main(cli.OS(), checks.All())) },
		"own":       func() { os.Exit(cli.Main(cli.OS(), ownRisks())) },
		"broken":    func() { os.Exit(cli.Main(cli.OS(), []check.Risk{{ID: "fault", Checks: []*check.Check{nil}}})) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata",
		UpdateScripts:      *update,
		RequireUniqueNames: true,
		Condition: func(name string) (bool, error) {
			if name == "namespaces" {
				return join.Available() == nil, nil
			}
			return false, fmt.Errorf("there is no condition %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"broker":    startBroker,
			"waitfor":   waitfor,
			"same":      same,
			"normal":    normal,
			"chopped":   chopped,
			"hasfields": hasfields,
		},
	})
}

// ownRisks are three risks with one check each, and those that the bundled product leaves out because there are no checks yet.
func ownRisks() []check.Risk {
	own := map[string]*check.Check{"protocol": protocol.ConnectHappy, "fault": patient, "expiry": expiry.CertExpired}
	var risks []check.Risk
	for _, r := range checks.All() {
		if c := own[r.ID]; c != nil {
			r.Checks = []*check.Check{c}
			risks = append(risks, r)
		} else if len(r.Checks) == 0 {
			risks = append(risks, r)
		}
	}
	return risks
}

// patient takes a second of wall time on the reference product, so that there is time to interrupt it.
var patient = &check.Check{
	ID: "fault.patient", Title: "Stays online for a while", Why: "It must.", Pass: "online for 10 s", Fix: "stay", Severity: check.Major,
	Needs: check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"keep_alive"}}, Impact: check.Observes, Typical: 10 * time.Second, Limit: time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		if _, err := t.Online(ctx); err != nil {
			return err
		}
		t.Step("look on")
		return t.Clock.Sleep(ctx, 10*time.Second)
	},
}

// exits runs a command that must end with a code: exits CODE COMMAND…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := err.(*exec.ExitError); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got := strconv.Itoa(code); got != args[0] || neg {
		ts.Fatalf("exit code %s, want %s\n%s%s", got, args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// startBroker starts a broker on loopback and puts its URL into a variable: broker NAME
func startBroker(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	clk := clock.New(1)
	b := broker.New(broker.Options{Part: "broker", Clock: clk, Log: evidence.NewLog(clk.Now, nil, false)})
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { b.Serve(nc) })
		}
	})
	ts.Setenv(args[0], "mqtt://"+l.Addr().String())
	ts.Defer(func() {
		l.Close()
		b.Close()
		serving.Wait()
	})
}

// waitfor waits until a file has a pattern: waitfor FILE PATTERN
func waitfor(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[1])
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if data, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && pattern.Match(data) {
			return
		}
	}
	ts.Fatalf("%s never had %s", args[0], args[1])
}

// same compares the outcomes and findings of two results.json: same A B
func same(ts *testscript.TestScript, neg bool, args []string) {
	var docs [2]report.Document
	for i := range docs {
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[i])), &docs[i]))
		docs[i].Started, docs[i].Seconds = time.Time{}, 0
		for j := range docs[i].Results {
			r := &docs[i].Results[j]
			r.Seconds, r.Measurements = 0, nil
			for k := range r.Findings {
				f := &r.Findings[k]
				f.Since, f.Evidence, f.Seen = time.Time{}, nil, "" // when, at which connection and after how long differs
			}
		}
	}
	if diff := cmp.Diff(docs[0], docs[1]); (diff == "") == neg {
		ts.Fatalf("(-%s +%s):\n%s", args[0], args[1], diff)
	}
}

// normal writes the last output to a file, with what differs from run to run replaced: normal stdout|stderr FILE
func normal(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	text = strings.ReplaceAll(text, ts.Getenv("WORK"), "WORK")
	for _, r := range []struct{ pattern, by string }{
		{`\d+\.\d s\b`, "T s"}, {`go1\.\S+ \w+/\w+`, "GO"}, {`(?m)[ \t]+$`, ""},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.by)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o644))
}

// chopped cuts bytes off the end of a file, as a kill in the middle of a write does: chopped FILE N
func chopped(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), info.Size()-n))
}

// hasfields checks that the last output is JSON, an object or an array of them, with these fields: hasfields a b.c …
func hasfields(ts *testscript.TestScript, _ bool, args []string) {
	var value any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &value))
	for _, path := range args {
		if !has(value, strings.Split(path, ".")) {
			ts.Fatalf("the output has no %s", path)
		}
	}
}

// has reports whether there is a field at path; in a list, whether an element has it.
func has(value any, path []string) bool {
	switch value := value.(type) {
	case []any:
		return slices.ContainsFunc(value, func(one any) bool { return has(one, path) })
	case map[string]any:
		field, ok := value[path[0]]
		return ok && (len(path) == 1 || has(field, path[1:]))
	}
	return false
}

// inProcess is a system without a terminal.
func inProcess(stdout, stderr io.Writer, args ...string) cli.System {
	return cli.System{
		Args: args, Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr, Getenv: func(string) string { return "" }, Now: time.Now,
		Signals: func() (<-chan os.Signal, func()) { return nil, func() {} }, Size: func() (int, int) { return 80, 24 },
	}
}

// TestOwnBinary holds that a team's own catalogue can be joined to the bundled one.
func TestOwnBinary(t *testing.T) {
	defer goleak.VerifyNone(t)
	all := append(checks.All(), check.Risk{ID: "own", Title: "Own", Checks: []*check.Check{patient}})
	var out, errs strings.Builder
	if code := cli.Main(inProcess(&out, &errs, "checks", "fault.patient"), all); code != 0 || !strings.Contains(out.String(), "Stays online for a while") {
		t.Errorf("code %d, %s%s", code, &out, &errs)
	}
}

// TestSecondSignal holds that a run whose check does not heed its end can still be ended: by the second signal, at once.
func TestSecondSignal(t *testing.T) {
	defer goleak.VerifyNone(t)
	started, release := make(chan struct{}, 8), make(chan struct{})
	stubborn := *patient
	stubborn.ID, stubborn.Run = "fault.stubborn", func(context.Context, *check.T) error {
		started <- struct{}{}
		<-release
		return nil
	}
	signals := make(chan os.Signal)
	exit := make(chan int, 1)
	var errs strings.Builder
	sys := inProcess(io.Discard, &errs, "run", "--only", "fault", "--out", filepath.Join(t.TempDir(), "run"))
	sys.Signals = func() (<-chan os.Signal, func()) { return signals, func() {} }
	sys.Exit = func(code int) { exit <- code }
	code := make(chan int, 1)
	risks := ownRisks()
	for i := range risks {
		if risks[i].ID == "fault" {
			risks[i].Checks = []*check.Check{&stubborn}
		}
	}
	go func() { code <- cli.Main(sys, risks) }()
	select {
	case <-started:
	case got := <-code:
		t.Fatalf("it ended at once with %d: %s", got, &errs)
	}
	signals <- os.Interrupt
	select {
	case <-exit:
		t.Error("the first signal ended the process")
	case signals <- os.Interrupt:
	}
	if got := <-exit; got != 130 {
		t.Errorf("the second signal ended the process with %d", got)
	}
	close(release)
	if got := <-code; got != 130 || !strings.Contains(errs.String(), "error: interrupted: 0 of 2 jobs had ended") {
		t.Errorf("code %d, %s", got, &errs)
	}
}

// explosive panics when it is written to.
type explosive struct{}

func (explosive) Write([]byte) (int, error) { panic("out of ink") }

// TestCrashLeavesItsStack holds that a panic during a run is told in one line, and its stack kept in the run folder.
func TestCrashLeavesItsStack(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := filepath.Join(t.TempDir(), "run")
	var errs strings.Builder
	code := cli.Main(inProcess(explosive{}, &errs, "run", "--only", "protocol.connect-happy", "--out", dir), ownRisks())
	text := errs.String()
	if code != 4 || !strings.Contains(text, "error: shakedown itself failed: out of ink\nhint: please report it, with the file ") || strings.Contains(text, "goroutine") {
		t.Errorf("code %d\n%s", code, text)
	}
	if stack, err := os.ReadFile(filepath.Join(dir, "crash.txt")); err != nil || !strings.Contains(string(stack), "goroutine") {
		t.Errorf("%v, %s", err, stack)
	}
}
