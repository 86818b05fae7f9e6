package driver

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
)

// runScript starts a shell script as a part.
func runScript(t *testing.T, script string) (Env, *process) {
	t.Helper()
	env := testEnv(t, product.Part{
		Name: "lamp", Driver: "process", Command: []string{"/bin/sh", "-c", script, "sh", "{broker.port}"},
		Env: map[string]string{"HOST": "mqtt://{broker.host}"},
	})
	d, err := Open(Builtin(), env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return env, d.(*process)
}

func TestProcessIsToldAndHeard(t *testing.T) {
	env, _ := runScript(t, `printf 'port %s\r\n' "$1"; echo "host $HOST" >&2; printf 'no newline'; exit 3`)
	exit := await(t, env, 0, evidence.Exit, "^exit status 3$")
	for _, want := range []string{"^port 1883$", "^host mqtt://127.0.0.1$", "^no newline$"} {
		if e := await(t, env, 0, evidence.Console, want); e.N > exit.N {
			t.Errorf("%q came after the exit", want)
		}
	}
}

func TestProcessThatIgnoresSIGTERM(t *testing.T) {
	t.Parallel()
	env, p := runScript(t, `trap '' TERM; echo "up $$"; while :; do sleep 0.05; done`)
	pid := pidOf(t, env, 0, "up")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := p.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	gone(t, pid, "stop")
	await(t, env, 0, evidence.Power, "kill")
}

func TestGrandchildrenDie(t *testing.T) {
	t.Parallel()
	const outlives = `sh -c 'trap "" TERM; echo "child $$"; while :; do sleep 0.05; done' & `
	t.Run("with the power", func(t *testing.T) {
		env, p := runScript(t, outlives+`echo "up $$"; wait`)
		pid := pidOf(t, env, 0, "up")
		pidOf(t, env, 0, "child")
		if err := p.Kill(t.Context()); err != nil {
			t.Fatal(err)
		}
		gone(t, pid, "kill")
	})
	t.Run("when the leader ends by itself", func(t *testing.T) {
		env, _ := runScript(t, outlives+`echo "up $$"; sleep 0.2; exit 7`)
		child := pidOf(t, env, 0, "child")
		await(t, env, 0, evidence.Exit, "^exit status 7$")
		gone(t, child, "the exit of its parent")
	})
	t.Run("after their time for an orderly end", func(t *testing.T) {
		env, p := runScript(t, `sh -c 'trap "sleep 0.2; echo saved; exit" TERM; echo "child $$"; while :; do sleep 0.05; done' & echo "up $$"; wait`)
		pid := pidOf(t, env, 0, "up")
		pidOf(t, env, 0, "child")
		if err := p.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		gone(t, pid, "stop")
		await(t, env, 0, evidence.Console, "^saved$")
	})
}

func TestEscapedProcessDoesNotHoldUs(t *testing.T) {
	t.Parallel()
	env, p := runScript(t, `setsid sh -c 'echo "away $$"; sleep 3' & echo "up $$"; wait`)
	pidOf(t, env, 0, "away")
	if err := p.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, env, 0, evidence.Console, "left its group")
}

func TestReady(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, script, want string
		within             time.Duration
	}{
		{"ends before", `echo no; exit 1`, "ended before", 10 * time.Second},
		{"never", `echo no; exec sleep 60`, "deadline exceeded", 50 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := testEnv(t, product.Part{Name: "lamp", Command: []string{"/bin/sh", "-c", tt.script}, Ready: "^online$"})
			d, err := openProcess(env)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			ctx, cancel := context.WithTimeout(t.Context(), tt.within)
			defer cancel()
			hinted(t, d.Start(ctx), tt.want, "online")
			if d.(*process).running() {
				t.Error("it still runs")
			}
		})
	}
}

func TestProcessCannotRun(t *testing.T) {
	before := openFiles(t)
	d, err := openProcess(testEnv(t, product.Part{Name: "lamp", Command: []string{"./does-not-exist"}}))
	if err != nil {
		t.Fatal(err)
	}
	hinted(t, d.Start(t.Context()), "does-not-exist", `"lamp"`)
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if after := openFiles(t); after > before {
		t.Errorf("%d open files, %d before", after, before)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Skip("no /dev/fd here")
	}
	return len(list)
}

func TestConsoleStaysBounded(t *testing.T) {
	t.Parallel()
	t.Run("one line without end", func(t *testing.T) {
		env, _ := runScript(t, `head -c 100000000 /dev/zero | tr '\0' x; echo; echo after`)
		await(t, env, 0, evidence.Exit, "")
		var size int
		for _, e := range env.Log.Since(0) {
			if e.Kind == evidence.Console {
				size += len(e.Text)
			}
		}
		if want := lineLimit + len("after"); size != want {
			t.Errorf("kept %d bytes, want %d", size, want)
		}
		await(t, env, 0, evidence.Console, "^after$")
	})
	t.Run("lines without end", func(t *testing.T) {
		env, p := runScript(t, `exec yes`)
		await(t, env, 0, evidence.Console, `^\[shakedown: [0-9]+ more lines in this second, not kept\]$`)
		if err := p.Kill(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := env.Log.Len(); n > 3*lineRate {
			t.Errorf("%d events in little more than a second", n)
		}
	})
}

func FuzzReadLines(f *testing.F) {
	for _, s := range []string{"", "\n", "a\r\nb", strings.Repeat("x", 40) + "\ny", "\n\n\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var lines int
		readLines(strings.NewReader(s), 16, func(line []byte, cut bool) {
			lines++
			if len(line) > 16 || strings.Contains(string(line), "\n") {
				t.Errorf("line %q of %q", line, s)
			}
		})
		if most := strings.Count(s, "\n") + 1; lines > most {
			t.Errorf("%d lines, there are at most %d in %q", lines, most, s)
		}
	})
}
