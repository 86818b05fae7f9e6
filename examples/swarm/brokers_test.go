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

// rabbitmq starts RabbitMQ, which takes some seconds.
func rabbitmq(t *testing.T) (port string) {
	t.Helper()
	port = freePort(t)
	script, err := filepath.Abs("rabbitmq")
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../../.peers/rabbitmq")
	if err != nil {
		t.Fatal(err)
	}
	start(t, t.TempDir(), port, script, root, "node", port, freePort(t), freePort(t))
	return port
}

// TestAccount puts a fleet in front of each broker, and follows every message.
func TestAccount(t *testing.T) {
	needsPeers(t)
	for name, begin := range map[string]func(*testing.T) string{
		"mosquitto": func(t *testing.T) string {
			dir, port := t.TempDir(), freePort(t)
			conf := fmt.Sprintf("user root\nlistener %s 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n", port)
			if err := os.WriteFile(filepath.Join(dir, "mosquitto.conf"), []byte(conf), 0o600); err != nil {
				t.Fatal(err)
			}
			start(t, dir, port, "mosquitto", "-c", "mosquitto.conf")
			return port
		},
		"rabbitmq": rabbitmq,
		"nats-server": func(t *testing.T) string {
			dir, port := t.TempDir(), freePort(t)
			conf := fmt.Sprintf("server_name: broker\nlisten: \"127.0.0.1:-1\"\njetstream: {store_dir: store}\nmqtt: {listen: \"127.0.0.1:%s\"}\n", port)
			if err := os.WriteFile(filepath.Join(dir, "nats.conf"), []byte(conf), 0o600); err != nil {
				t.Fatal(err)
			}
			server, err := filepath.Abs(natsServer)
			if err != nil {
				t.Fatal(err)
			}
			start(t, dir, port, server, "-c", "nats.conf")
			return port
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &product.Fleet{Devices: 300, Connects: 150, Classes: []product.Class{{
				Name: "meter", Persist: true,
				Telemetry: []product.Telemetry{{Post: product.Post{Topic: "meter/{id}/telemetry", QoS: 1}, Every: product.Duration(500 * time.Millisecond)}},
				Subscribe: []product.Filter{{Topic: "meter/{id}/command", QoS: 1}},
				Commands: []product.Answered{{
					Post: product.Post{Topic: "meter/{id}/command", QoS: 1}, Every: product.Duration(2 * time.Second),
					Answer: &product.Post{Topic: "meter/{id}/answer", QoS: 1},
				}},
			}}}
			f.Complete()
			r, err := fleet.Do(t.Context(), fleet.Job{
				Target: fleet.Target{Scheme: product.MQTT, Host: "127.0.0.1:" + begin(t)}, Fleet: f, To: f.Devices, Shape: "steady", For: 8 * time.Second,
				Settle: time.Second, Drain: 8 * time.Second, Seed: 1, Watch: true,
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("counts %v, account %+v", r.Totals.Counts, *r.Messages)
			n, m := r.Totals.Counts, r.Messages
			if n[series.Accepted] != 300 || n[series.Sent] < 3000 || n[series.Acked] != n[series.Sent] || n[series.Dropped]+n[series.Refused]+n[series.Broken] > 0 {
				t.Errorf("counts %v, errors %v", n, r.Totals.Errors)
			}
			if m.Sent < n[series.Sent] || m.Arrived != m.Sent || m.Acked != m.Sent || m.Duplicates+m.Strange+m.Late+m.Leaked+m.Unsent+m.Lost > 0 {
				t.Errorf("account %+v", *m)
			}
		})
	}
}

