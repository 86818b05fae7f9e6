//go:build peers

package swarm

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
)

// natsServer is Debian's, where scripts/peers unpacks it.
const natsServer = "../../.peers/nats/usr/sbin/nats-server"

// command is a program that can be killed.
type command struct {
	*exec.Cmd
	said *program
	over chan struct{}
}

// run starts one; what is left of it at the end of the test is killed.
func run(t *testing.T, env []string, name string, args ...string) *command {
	t.Helper()
	c := &command{Cmd: exec.Command(name, args...), said: &program{}, over: make(chan struct{})}
	c.Env, c.Stdout, c.Stderr = append(os.Environ(), env...), c.said, c.said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.over)
		_ = c.Wait()
	}()
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(name), c.said.said())
		}
	})
	return c
}

func (c *command) kill() {
	_ = c.Process.Kill()
	<-c.over
}

// field is a broker, a NATS server and four agents.
type field struct {
	program, broker, nats, port, dir string
	server                           *command
	agents                           []*command
}

var who = []string{"NATS_USER=agent", "NATS_PASSWORD=of-this-test"}

func newField(t *testing.T, program string) *field {
	t.Helper()
	f := &field{program: program, dir: t.TempDir(), port: freePort(t)}
	mqtt := freePort(t)
	f.broker, f.nats = "mqtt://127.0.0.1:"+mqtt, "nats://127.0.0.1:"+f.port
	for name, text := range map[string]string{
		"mosquitto.conf": fmt.Sprintf("user root\nlistener %s 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\n", mqtt),
		"nats.conf":      fmt.Sprintf("listen: 127.0.0.1:%s\njetstream {store_dir: %q}\nauthorization {user: agent, password: of-this-test}\n", f.port, filepath.Join(f.dir, "store")),
		"fleet.yaml":     "classes:\n  meter:\n    telemetry:\n      - {topic: 'meter/{id}/telemetry', qos: 1, every: 500ms}\n",
	} {
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start(t, f.dir, mqtt, "mosquitto", "-c", filepath.Join(f.dir, "mosquitto.conf"))
	f.serve(t)
	for range 4 {
		f.agents = append(f.agents, run(t, who, f.program, "agent", "--nats", f.nats))
	}
	return f
}

// serve starts the NATS server.
func (f *field) serve(t *testing.T) {
	t.Helper()
	f.server = run(t, nil, natsServer, "-c", filepath.Join(f.dir, "nats.conf"))
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", "127.0.0.1:"+f.port)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// swarm plays a fleet, and does something in the middle of the run. The record is nil when there is none, which fails the test.
func (f *field) swarm(t *testing.T, broker string, length time.Duration, middle func(), args ...string) *series.Record {
	t.Helper()
	out := filepath.Join(t.TempDir(), "run")
	args = append([]string{"swarm", broker, "--devices", "400", "--for", length.String(), "--seed", "7", "--fleet", filepath.Join(f.dir, "fleet.yaml"), "--out", out}, args...)
	c := run(t, who, f.program, args...)
	if middle != nil {
		time.Sleep(length / 2)
		middle()
	}
	<-c.over
	text, err := os.ReadFile(filepath.Join(out, "series.json"))
	if err != nil {
		t.Errorf("%v\n%s", err, c.said.said())
		return nil
	}
	r, err := series.Read(bytes.NewReader(text))
	if err != nil {
		t.Error(err)
		return nil
	}
	t.Logf("counts %v, account %+v, notes %q", r.Totals.Counts, *r.Messages, r.Notes)
	return r
}

// TestAgents has four agents give the result of one process, and go on when the NATS server is killed, and when one of them is.
func TestAgents(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "shakedown")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/shakedown").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Run("all", func(t *testing.T) {
		t.Run("as one", func(t *testing.T) {
			t.Parallel()
			asOne(t, newField(t, program))
		})
		t.Run("less one", func(t *testing.T) {
			t.Parallel()
			lessOne(t, newField(t, program))
		})
	})
}

// asOne compares four agents with one process, at the same time, and has the server of the agents killed.
func asOne(t *testing.T, f *field) {
	alone := make(chan *series.Record)
	other := mosquitto(t)
	go func() { alone <- f.swarm(t, "mqtt://127.0.0.1:"+other, 8*time.Second, nil, "--workers", "1") }()
	four := f.swarm(t, f.broker, 8*time.Second, nil, "--nats", f.nats, "--agents", "4")
	one := <-alone
	if one == nil || four == nil {
		return
	}
	for _, c := range []series.Counter{series.Accepted, series.Sent, series.Acked, series.Received} {
		ours, theirs := float64(four.Totals.Counts[c]), float64(one.Totals.Counts[c])
		if theirs == 0 || ours < 0.95*theirs || ours > 1.05*theirs {
			t.Errorf("%s: %v of four agents, %v of one process", c, ours, theirs)
		}
	}
	whole(t, four)
	whole(t, f.swarm(t, f.broker, 20*time.Second, func() {
		f.server.kill()
		time.Sleep(time.Second)
		f.serve(t)
	}, "--nats", f.nats, "--agents", "4"))
}

// whole is wrong with a record in which a message is missing.
func whole(t *testing.T, r *series.Record) {
	t.Helper()
	if r == nil {
		return
	}
	if m := r.Messages; m.Sent != r.Totals.Counts[series.Sent] || m.Arrived != m.Sent || m.Duplicates+m.Strange+m.Late+m.Leaked+m.Unsent > 0 || len(r.Notes) > 0 {
		t.Errorf("sent %d, account %+v, notes %q", r.Totals.Counts[series.Sent], *m, r.Notes)
	}
}

// lessOne kills an agent.
func lessOne(t *testing.T, f *field) {
	r := f.swarm(t, f.broker, 20*time.Second, func() { f.agents[2].kill() }, "--nats", f.nats, "--agents", "4")
	if r == nil {
		return
	}
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "was lost in second") {
		t.Fatalf("notes %q", r.Notes)
	}
	low, back := 0, 0
	for _, p := range r.Points {
		if low == 0 && p.Second > 6 && p.Connected < 400 {
			low = p.Second
		}
		if low > 0 && back == 0 && p.Connected == 400 {
			back = p.Second
		}
	}
	if low == 0 || back == 0 || back-low > 10 || r.Messages.Lost+r.Messages.Duplicates+r.Messages.Strange > 0 {
		t.Errorf("down in second %d, back in second %d, account %+v", low, back, *r.Messages)
	}
	t.Logf("an agent was killed: its devices were away from second %d to %d", low, back)
}
