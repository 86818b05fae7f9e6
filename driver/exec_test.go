package driver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
)

// openScript opens a part whose control program is a shell script: it says hello, then reads requests and says what answer says.
func openScript(t *testing.T, can, answer string) (Env, *program) {
	t.Helper()
	script := `echo '{"hello":{"can":[` + can + `]}}'; while read -r line; do n=$((n+1)); ` + answer + `; done`
	env := testEnv(t, product.Part{Name: "lamp", Driver: "exec", Control: []string{"/bin/sh", "-c", script}})
	d, err := Open(Builtin(), env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return env, d.(*program)
}

const yes = `echo "{\"id\":$n,\"ok\":true}"`

func TestControlRequests(t *testing.T) {
	env, p := openScript(t, `"power.cut","trigger.factory-reset","query.version"`,
		`echo "{\"event\":\"console\",\"line\":\"got $(echo "$line" | tr -d '\\\\"')\"}"; echo "{\"id\":$n,\"ok\":true,\"value\":{\"v\":$n}}"`)
	ctx := t.Context()
	if err := errors.Join(p.Start(ctx), p.Kill(ctx), p.Start(ctx), p.Trigger(ctx, "factory-reset", map[string]string{"hold": "5s"}), p.Stop(ctx)); err != nil {
		t.Fatal(err)
	}
	value, err := p.Query(ctx, "version")
	if err != nil || string(value) != `{"v":7}` {
		t.Errorf("query: %s, %v", value, err)
	}
	for _, want := range []string{
		"^got {id:1,do:start,args:{broker.host:127.0.0.1,broker.port:1883,state.dir:",
		"^got {id:2,do:power,args:{state:off}}$", "^got {id:3,do:power,args:{state:on}}$", "^got {id:4,do:start,args:{",
		"^got {id:5,do:trigger,args:{name:factory-reset,with:{hold:5s}}}$", "^got {id:6,do:stop}$", "^got {id:7,do:query,args:{name:version}}$",
	} {
		await(t, env, 0, evidence.Console, want)
	}
}

func TestControlLacks(t *testing.T) {
	_, p := openScript(t, ``, yes)
	_, query := p.Query(t.Context(), "version")
	for _, err := range []error{p.Kill(t.Context()), p.Trigger(t.Context(), "x", nil), query} {
		if !errors.Is(err, ErrCannot) {
			t.Errorf("got %v, want ErrCannot", err)
		}
		hinted(t, err, `"lamp"`)
	}
}

func TestControlMisbehaves(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, answer, want, console string }{
		{"refuses", `echo "{\"id\":$n,\"ok\":false,\"error\":\"no relay\"}"`, "no relay", ""},
		{"is silent", `:`, "no reply with id 1", ""},
		{"answers another", `echo '{"id":99,"ok":true}'`, "no reply with id 1", `"id":99`},
		{"babbles", `echo 'Traceback'; echo '[1'; echo '{"id":"x"}'; ` + yes, "", "^Traceback$"},
		{"says hello again", `echo '{"hello":{}}'; ` + yes, "", "hello"},
		{"ends", `echo oops >&2; exit 2`, "has ended", "^oops$"},
		{"says a line too long", `head -c 3000000 /dev/zero | tr '\0' x; echo; ` + yes, "", `^x+ \[cut\]$`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env, p := openScript(t, ``, tt.answer)
			if strings.HasPrefix(tt.want, "no reply") {
				p.control.patience = 100 * time.Millisecond
			}
			err := p.Start(t.Context())
			if tt.want != "" {
				hinted(t, err, tt.want, `"lamp"`, "start")
				if errors.Is(err, ErrCannot) {
					t.Errorf("%v is ErrCannot", err)
				}
			} else if err != nil {
				t.Error(err)
			}
			if tt.console != "" {
				await(t, env, 0, evidence.Console, tt.console)
			}
		})
	}
}

func TestControlEnds(t *testing.T) {
	env, p := openScript(t, ``, yes+`; exit 2`)
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, env, 0, evidence.Console, "control program ended: exit status 2")
	hinted(t, p.Start(t.Context()), "has ended") // not taken for a part that runs already
}

// A program that does not read must not hold us once the pipe is full, and a request given up before it was written does no harm.
func TestControlDoesNotRead(t *testing.T) {
	t.Parallel()
	env := testEnv(t, product.Part{Name: "lamp", Control: []string{"/bin/sh", "-c", `echo '{"hello":{}}'; exec sleep 60`}})
	env.Values["big"] = strings.Repeat("x", 1<<20)
	c, err := OpenControl(env, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.patience = 200 * time.Millisecond
	_, err = c.Do(t.Context(), "start", env.Values)
	hinted(t, err, "no reply")
	_, err = c.Do(t.Context(), "stop", nil)
	hinted(t, err, "stop")
	if err := c.group.kill(); err != nil { // Close would give it 5 s
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestControlSurvivesCancelledRequest(t *testing.T) {
	_, p := openScript(t, ``, `id=${line#*:}; echo "{\"id\":${id%%,*},\"ok\":true}"`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Start(ctx); !errors.Is(err, context.Canceled) && err != nil {
		t.Errorf("got %v", err)
	}
	p.on.Store(false)
	if err := p.Start(t.Context()); err != nil {
		t.Errorf("after a cancelled request: %v", err)
	}
}

func TestWithControl(t *testing.T) {
	script := `echo '{"hello":{"can":["power.cut"]}}'; while read -r line; do n=$((n+1)); echo "asked $line" >&2; ` + yes + `; done`
	env := testEnv(t, product.Part{Name: "lamp", Driver: "external", Control: []string{"/bin/sh", "-c", script}})
	told := 0
	env.Tell = func(string) { told++ }
	d, err := Open(Builtin(), env)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx := t.Context()
	if err := errors.Join(d.Start(ctx), d.(Killer).Kill(ctx), d.Start(ctx), d.Stop(ctx)); err != nil {
		t.Fatal(err)
	}
	if told == 0 {
		t.Error("the person was told nothing")
	}
	await(t, env, 0, evidence.Console, `"id":1,.*"off"`)
	await(t, env, 0, evidence.Console, `"id":2,.*"on"`)
	if has(env, 0, evidence.Console, `"start"`) {
		t.Error("a program without restart was told to start")
	}
	if err := d.(Trigger).Trigger(ctx, "x", nil); !errors.Is(err, ErrCannot) {
		t.Errorf("got %v, want ErrCannot", err)
	}
}

func TestProtocolPage(t *testing.T) {
	page, err := os.ReadFile("../docs/control-protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("../docs/control-example.py")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```python\n"+string(example)+"```\n") {
		t.Error("docs/control-protocol.md does not show docs/control-example.py as it is")
	}
	shell := regexp.MustCompile("(?s)```sh\n(.*?)```").FindSubmatch(page)
	if shell == nil {
		t.Fatal("no shell example")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"control.sh": string(shell[1]), "uhubctl": "#!/bin/sh\necho \"uhubctl $*\"\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	env := testEnv(t, product.Part{Name: "lamp", Driver: "external", Control: []string{filepath.Join(dir, "control.sh")}, Can: []product.Capability{product.PowerCut}})
	d, err := Open(Builtin(), env)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := errors.Join(d.Start(t.Context()), d.(Killer).Kill(t.Context()), d.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	await(t, env, 0, evidence.Console, "uhubctl -l 1-1 -p 2 -a off")
	await(t, env, 0, evidence.Console, "uhubctl -l 1-1 -p 2 -a on")
}

func TestPythonExampleAnswers(t *testing.T) {
	t.Parallel()
	needPython(t)
	env := testEnv(t, product.Part{Name: "lamp", Driver: "exec", Control: []string{"python3", "../docs/control-example.py", "sh", "-c", `echo "port $BROKER_PORT"; exit 4`}})
	d, err := Open(Builtin(), env)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if v, err := d.(Querier).Query(t.Context(), "version"); err != nil || string(v) != `"1.0.3"` {
		t.Errorf("version %s, %v", v, err)
	}
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, env, 0, evidence.Console, "^port 1883$")
	await(t, env, 0, evidence.Exit, "^exit status 4$")
}
