package driver

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/clock"
)

func TestMain(m *testing.M) {
	flag.Set("test.parallel", "16") // they wait more than they compute
	goleak.VerifyTestMain(m)
}

// subject is a driver under acceptance. A part that runs on this machine prints "up PID" when it is up.
type subject struct {
	part   product.Part
	open   func(Env) (Driver, error)
	ask    func(context.Context, string) (string, error)
	local  bool   // the part is a process here
	killed string // the power event of Kill
}

func testEnv(t *testing.T, part product.Part) Env {
	t.Helper()
	c := clock.New(1)
	log := evidence.NewLog(c.Now, nil, false)
	t.Cleanup(func() { _ = log.Close() })
	state := t.TempDir()
	return Env{
		Clock: c, Log: log, Part: part, State: state, Tell: func(string) {},
		Values: map[string]string{"broker.host": "127.0.0.1", "broker.port": "1883", "state.dir": state},
	}
}

// await is the first event of the kind at or after mark whose text matches.
func await(t *testing.T, env Env, mark int, kind evidence.Kind, pattern string) evidence.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	re := regexp.MustCompile(pattern)
	e, err := env.Log.Await(ctx, mark, func(e evidence.Event) bool { return e.Kind == kind && re.MatchString(e.Text) })
	if err != nil {
		t.Fatalf("no %s event matching %q: %v; the log has %v", kind, pattern, err, env.Log.Since(0))
	}
	if e.Part != env.Part.Name {
		t.Fatalf("event of part %q, want %q", e.Part, env.Part.Name)
	}
	return e
}

func has(env Env, mark int, kind evidence.Kind, text string) bool {
	for _, e := range env.Log.Since(mark) {
		if e.Kind == kind && strings.Contains(e.Text, text) {
			return true
		}
	}
	return false
}

// pidOf is the number after the first word of a console line that matches.
func pidOf(t *testing.T, env Env, mark int, word string) int {
	t.Helper()
	e := await(t, env, mark, evidence.Console, "^"+word+" [0-9]+$")
	pid, err := strconv.Atoi(strings.TrimPrefix(e.Text, word+" "))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// living lists the processes that are pid or in its group, without zombies.
func living(t *testing.T, pid int) string {
	t.Helper()
	out, err := exec.Command("ps", "-A", "-o", "pid=,pgid=,stat=,args=").Output()
	if err != nil {
		t.Fatalf("ps: %v", err)
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) > 2 && (f[0] == strconv.Itoa(pid) || f[1] == strconv.Itoa(pid)) && !strings.HasPrefix(f[2], "Z") {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}

func gone(t *testing.T, pid int, after string) {
	t.Helper()
	if left := living(t, pid); left != "" {
		t.Errorf("after %s there is still:\n%s", after, left)
	}
}

// testDriver is what every driver must do.
func testDriver(t *testing.T, s subject) {
	env := testEnv(t, s.part)
	env.Ask = s.ask
	d, err := s.open(env)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	step := func(what string, f func(context.Context) error) (pid int) {
		t.Helper()
		mark := env.Log.Len()
		if err := f(ctx); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if s.local && what == "start" {
			pid = pidOf(t, env, mark, "up")
			if living(t, pid) == "" {
				t.Errorf("after start the part does not run")
			}
		}
		event := what
		if what == "kill" {
			event = s.killed
		}
		await(t, env, mark, evidence.Power, "^"+event+"$")
		return pid
	}

	if err := d.Stop(ctx); err != nil {
		t.Errorf("stop before the first start: %v", err)
	}
	pid := step("start", d.Start)
	mark := env.Log.Len()
	if err := d.Start(ctx); err != nil {
		t.Errorf("start while running: %v", err)
	}
	if has(env, mark, evidence.Power, "start") {
		t.Error("start while running started again")
	}
	step("stop", d.Stop)
	if s.local {
		gone(t, pid, "stop")
	}
	pid = step("start", d.Start)
	step("kill", d.(Killer).Kill)
	if s.local {
		gone(t, pid, "kill")
	}
	pid = step("start", d.Start)
	if has(env, 0, evidence.Exit, "") {
		t.Error("an ordered end was reported as an exit")
	}
	if s.local {
		mark := env.Log.Len()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		await(t, env, mark, evidence.Exit, "killed|-9")
		pid = step("start", d.Start)
	}
	if err := d.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if s.local {
		gone(t, pid, "close")
	}
	if err := d.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

const loop = `echo "up $$"; while :; do sleep 0.05; done`

func TestAcceptProcess(t *testing.T) {
	t.Parallel()
	testDriver(t, subject{
		part:  product.Part{Name: "lamp", Driver: "process", Command: []string{"/bin/sh", "-c", loop}, Ready: "^up "},
		open:  func(env Env) (Driver, error) { return Open(Builtin(), env) },
		local: true, killed: "kill",
	})
}

func TestAcceptExec(t *testing.T) {
	t.Parallel()
	needPython(t)
	testDriver(t, subject{
		part: product.Part{
			Name: "lamp", Driver: "exec", Can: []product.Capability{product.PowerCut, product.Restart},
			Control: []string{"python3", "../docs/control-example.py", "/bin/sh", "-c", loop},
		},
		open:  func(env Env) (Driver, error) { return Open(Builtin(), env) },
		local: true, killed: "cut",
	})
}

func TestAcceptHuman(t *testing.T) {
	testDriver(t, subject{
		part:   product.Part{Name: "lamp", Driver: "human"},
		open:   func(env Env) (Driver, error) { return Open(Builtin(), env) },
		ask:    func(context.Context, string) (string, error) { return " Done\n", nil },
		killed: "cut",
	})
}

func needPython(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("NOT TESTED: python3 is not installed, so the example of docs/control-protocol.md was not run")
	}
}

// hinted fails unless err says all of want and ends in a hint.
func hinted(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if !strings.Contains(err.Error(), "\nhint: ") {
		t.Errorf("error without a hint: %v", err)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error does not say %q: %v", w, err)
		}
	}
}

func TestOpenFails(t *testing.T) {
	for _, tt := range []struct {
		part product.Part
		want string
	}{
		{product.Part{Name: "lamp", Driver: "proces"}, "exec, external, file, human, process"},
		{product.Part{Name: "lamp", Driver: "process"}, "no command"},
		{product.Part{Name: "lamp", Driver: "process", Command: []string{"x"}, Ready: "("}, "RE2"},
		{product.Part{Name: "lamp", Driver: "exec"}, "no control program"},
		{product.Part{Name: "lamp", Driver: "exec", Control: []string{"/does/not/exist"}}, "/does/not/exist"},
		{product.Part{Name: "lamp", Driver: "exec", Control: []string{"true"}}, "before it said hello"},
		{product.Part{Name: "lamp", Driver: "exec", Control: []string{"sh", "-c", `echo '{"hello":{}}'; read x`}, Can: []product.Capability{"power.cut"}}, "does not offer power.cut"},
		{product.Part{Name: "lamp", Driver: "human"}, "no terminal"},
	} {
		t.Run(fmt.Sprint(tt.part.Driver, " ", tt.want), func(t *testing.T) {
			_, err := Open(Builtin(), testEnv(t, tt.part))
			hinted(t, err, tt.want, `"lamp"`)
		})
	}
}

func TestHumanCannot(t *testing.T) {
	env := testEnv(t, product.Part{Name: "lamp", Driver: "human"})
	env.Ask = func(context.Context, string) (string, error) { return "the fuse is blown", nil }
	d, err := Open(Builtin(), env)
	if err != nil {
		t.Fatal(err)
	}
	hinted(t, d.Start(t.Context()), "the fuse is blown")
	await(t, env, 0, evidence.Step, "Power on lamp")
	await(t, env, 0, evidence.Seen, "fuse")
	gone := errors.New("no more input")
	env.Ask = func(context.Context, string) (string, error) { return "", gone }
	if d, err = Open(Builtin(), env); err != nil {
		t.Fatal(err)
	}
	if err := d.Start(t.Context()); !errors.Is(err, gone) {
		t.Errorf("got %v, want %v", err, gone)
	}
}

func TestExternalTellsOnce(t *testing.T) {
	env := testEnv(t, product.Part{Name: "lamp", Driver: "external"})
	var told []string
	env.Tell = func(line string) { told = append(told, line) }
	d, err := Open(Builtin(), env)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := strings.Join(told, "\n"), "Set up lamp so that it connects to:\n  host: 127.0.0.1\n  port: 1883"; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
	if err := errors.Join(d.Stop(t.Context()), d.Close()); err != nil {
		t.Error(err)
	}
}
