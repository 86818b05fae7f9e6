//go:build linux

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
)

// tried is a broker that is measured under a fleet.
type tried struct {
	name  string
	start func(r *run) (*daemon, error)
}

var brokers = []tried{
	{"mosquitto", (*run).mosquitto},
	{"RabbitMQ", (*run).rabbitmq},
	{"nats-server", (*run).nats},
}

// brokersPart has each broker take a paced fleet of QoS 1, counts what came through it, and takes what the broker used.
func brokersPart(r *run) error {
	const (
		devices = 5000
		rate    = 2500
		length  = time.Minute
	)
	for _, b := range brokers {
		what := fmt.Sprintf("%s: %d devices, %d messages of QoS 1 a second", b.name, devices, rate)
		d, err := b.start(r)
		if err != nil {
			v := absent
			if errors.Is(err, errNotInstalled) {
				v = leftOut
			}
			r.row(what, "", err.Error(), v)
			continue
		}
		t, err := r.through(d, amount{role: "mqtt", conns: devices, rate: rate, qos: 1, join: devices / 20, window: 1000, watch: true}, length)
		d.stop()
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		r.row(what, "all connected; sent = received", t.String(), holds(t.complete(devices)))
	}
	return nil
}

// through is what came through a broker, and what it used for that.
type through struct {
	*series.Record
	cpu  time.Duration
	most float64 // bytes of PSS
}

// through plays a fleet in front of a broker, and looks at the broker once a second.
func (r *run) through(d *daemon, a amount, length time.Duration) (t through, err error) {
	before, err := cpu(d.pid)
	if err != nil {
		return t, err
	}
	over, looked := make(chan struct{}), make(chan float64)
	go func() {
		most := 0.0
		for beat := time.NewTicker(time.Second); ; {
			select {
			case <-beat.C:
				if m, err := held(d.pid); err == nil {
					most = max(most, m.pss)
				}
			case <-over:
				beat.Stop()
				looked <- most
				return
			}
		}
	}()
	t.Record, _, err = r.whole(a, &farEnd{addr: d.addr}, length)
	close(over)
	t.most = <-looked
	if err != nil {
		return t, err
	}
	after, err := cpu(d.pid)
	t.cpu = after - before
	return t, err
}

// complete reports whether all devices were let in and every message came once.
func (t through) complete(devices int) bool {
	n, m := t.Totals.Counts, t.Messages
	return n[series.Accepted] >= uint64(devices) && n[series.Refused]+n[series.Broken]+n[series.Dropped]+n[series.Unanswered]+n[series.Withheld] == 0 &&
		m.Sent > 0 && m.Sent == n[series.Sent] && m.Acked == m.Sent && m.Arrived == m.Sent && m.Duplicates+m.Strange+m.Late == 0
}

func (t through) String() string {
	n, m := t.Totals.Counts, t.Messages
	text := fmt.Sprintf("%d connected, sent %d, acknowledged %d, received %d; the broker used %.0f µs of CPU a message, connecting included, and %.0f MB of PSS", n[series.Accepted],
		m.Sent, m.Acked, m.Arrived, float64(t.cpu.Microseconds())/float64(max(1, m.Sent)), t.most/1e6)
	if n[series.Dropped]+n[series.Refused]+n[series.Broken] > 0 {
		text += fmt.Sprintf("; dropped %d, refused %d, broken %d", n[series.Dropped], n[series.Refused], n[series.Broken])
	}
	if n[series.Withheld]+m.Duplicates+m.Late > 0 {
		text += fmt.Sprintf("; withheld %d, twice %d, late %d", n[series.Withheld], m.Duplicates, m.Late)
	}
	return text
}

// daemon is a server of another project that runs.
type daemon struct {
	addr string // host:port
	pid  int
	stop func() string // gives the end of what it said
}

// serve starts a command and waits until it listens.
func serve(addr string, c *exec.Cmd) (*daemon, error) {
	end, err := launch(c)
	if err != nil {
		return nil, err
	}
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if up, err := net.Dial("tcp", addr); err == nil {
			return &daemon{addr, c.Process.Pid, end}, up.Close()
		}
		if time.Now().After(until) {
			return nil, fmt.Errorf("%s does not listen: %s", filepath.Base(c.Path), end())
		}
	}
}

// mosquitto starts Debian's broker at a free port.
func (r *run) mosquitto() (*daemon, error) {
	p, err := exec.LookPath("mosquitto")
	if err != nil {
		p, err = exec.LookPath("/usr/sbin/mosquitto")
	}
	if err != nil {
		if p, err = program("mosquitto/usr/sbin/mosquitto"); err != nil {
			return nil, err
		}
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(r.dir, "mosquitto.conf")
	config := "user root\nlistener " + port + " 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\nset_tcp_nodelay true\n"
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	return serve("127.0.0.1:"+port, exec.Command(p, "-c", file))
}

// rabbitmq starts RabbitMQ with its MQTT plugin, by a script of the examples.
func (r *run) rabbitmq() (*daemon, error) {
	server, err := program("rabbitmq/usr/lib/rabbitmq/bin/rabbitmq-server")
	if err != nil {
		return nil, err
	}
	args := []string{filepath.Join(filepath.Dir(server), "../../../.."), filepath.Join(r.dir, "rabbitmq")}
	for range 3 {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		args = append(args, port)
	}
	return serve("127.0.0.1:"+args[2], exec.Command("examples/swarm/rabbitmq", args...))
}

// nats starts the NATS server with MQTT and JetStream, which keeps the sessions.
func (r *run) nats() (*daemon, error) {
	p, err := program("nats/usr/sbin/nats-server")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(r.dir, "nats.conf")
	config := fmt.Sprintf("server_name: broker\nlisten: \"127.0.0.1:-1\"\njetstream: {store_dir: %q}\nmqtt: {listen: \"127.0.0.1:%s\"}\n", filepath.Join(r.dir, "mqtt-store"), port)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	return serve("127.0.0.1:"+port, exec.Command(p, "-c", file))
}
