//go:build peers

package swarm

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/fleet"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
)

// TestBrokers puts a fleet in front of each broker: one of which every message is followed, and those of the checks of load. For the
// checks Mosquitto and the NATS server are started anew each time; RabbitMQ, which takes some seconds to start, is started once.
func TestBrokers(t *testing.T) {
	t.Parallel()
	for _, b := range []struct {
		name  string
		begin func(*testing.T) (port string)
		brokerFile
	}{
		{"mosquitto", mosquitto, brokerFile{heaps: 1, jobs: 6, speed: 10}},
		{"nats-server", nats, brokerFile{heaps: 1, jobs: 6, speed: 10}},
		{"rabbitmq", rabbitmq, brokerFile{heaps: 5, jobs: 1, shared: true, speed: 5, slow: []string{"load.fan-out", "load.will-flood"}}},
	} {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			port := b.begin(t)
			b.file = b.name
			if b.shared {
				b.address = "127.0.0.1:" + port
			}
			t.Run("account", func(t *testing.T) {
				t.Parallel()
				account(t, port, b.name == "nats-server")
			})
			t.Run("checks", func(t *testing.T) {
				t.Parallel()
				b.compare(t)
			})
		})
	}
}

// served starts a broker that has a configuration, in a folder of its own.
func served(t *testing.T, port, config, name string, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, dir, port, name, args...)
	return port
}

// peer is a file that scripts/peers has unpacked.
func peer(t *testing.T, path string) string {
	t.Helper()
	at, err := filepath.Abs(filepath.Join("../../.peers", path))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func mosquitto(t *testing.T) string {
	port := freePort(t)
	config := fmt.Sprintf("user root\nlistener %s 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n", port)
	return served(t, port, config, "mosquitto", "-c", "conf")
}

func nats(t *testing.T) string {
	port := freePort(t)
	config := fmt.Sprintf("server_name: broker\nlisten: \"127.0.0.1:-1\"\njetstream: {store_dir: store}\nmqtt: {listen: \"127.0.0.1:%s\", ack_wait: \"5s\"}\n", port)
	return served(t, port, config, peer(t, "nats/usr/sbin/nats-server"), "-c", "conf")
}

func rabbitmq(t *testing.T) string {
	port := freePort(t)
	script, err := filepath.Abs("rabbitmq")
	if err != nil {
		t.Fatal(err)
	}
	start(t, t.TempDir(), port, script, peer(t, "rabbitmq"), "node", port, freePort(t), freePort(t))
	return port
}

// account has 300 devices send at QoS 1, take commands and answer them, and looks for every message. Some may come again or after younger ones,
// where a busy broker sends what it could not hand over only after its ack_wait.
func account(t *testing.T, port string, again bool) {
	f := &product.Fleet{Devices: 300, Connects: 150, Classes: []product.Class{{
		Name: "counted", Persist: true,
		Telemetry: []product.Telemetry{{Post: product.Post{Topic: "counted/{id}/telemetry", QoS: 1}, Every: product.Duration(500 * time.Millisecond)}},
		Subscribe: []product.Filter{{Topic: "counted/{id}/command", QoS: 1}},
		Commands: []product.Answered{{
			Post: product.Post{Topic: "counted/{id}/command", QoS: 1}, Every: product.Duration(2 * time.Second),
			Answer: &product.Post{Topic: "counted/{id}/answer", QoS: 1},
		}},
	}}}
	f.Operator = &product.Client{ID: "counted-operator"}
	f.Complete()
	r, err := fleet.Do(t.Context(), fleet.Job{
		Target: fleet.Target{Scheme: product.MQTT, Host: "127.0.0.1:" + port}, Fleet: f, To: f.Devices, Shape: "steady", For: 7 * time.Second,
		Settle: time.Second, Drain: 20 * time.Second, Seed: 1, Watch: true,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	n, m := r.Totals.Counts, r.Messages
	if n[series.Accepted] != 300 || n[series.Sent] < 1500 || n[series.Acked] != n[series.Sent] || n[series.Dropped]+n[series.Refused]+n[series.Broken] > 0 {
		t.Errorf("counts %v, errors %v", n, r.Totals.Errors)
	}
	if m.Sent < n[series.Sent] || m.Arrived != m.Sent || m.Acked != m.Sent || m.Duplicates+m.Late > 0 && !again || m.Strange+m.Leaked+m.Unsent+m.Lost > 0 {
		t.Errorf("account %+v", *m)
	}
	t.Logf("sent %d, arrived %d, of these again %d, after younger ones %d", m.Sent, m.Arrived, m.Duplicates, m.Late)
}
