//go:build peers

package swarm

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/fleet"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
)

// play runs 20 devices of a class against a target.
func play(t *testing.T, target fleet.Target, c product.Class) *series.Record {
	t.Helper()
	c.Name = "meter"
	for k := range c.Telemetry {
		c.Telemetry[k].Every = product.Duration(200 * time.Millisecond)
	}
	f := &product.Fleet{Devices: 20, Connects: 40, Classes: []product.Class{c}}
	f.Complete()
	r, err := fleet.Do(t.Context(), fleet.Job{Target: target, Fleet: f, To: 20, Shape: "steady", For: 3 * time.Second, Settle: time.Second, Drain: 8 * time.Second, Seed: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// complete is wrong with a record in which not all was taken.
func complete(t *testing.T, r *series.Record) {
	t.Helper()
	if n := r.Totals.Counts; n[series.Accepted] < 20 || n[series.Sent] < 100 || n[series.Acked] != n[series.Sent] || n[series.Dropped]+n[series.Broken] > 0 {
		t.Errorf("accepted %d, sent %d, acknowledged %d, dropped %d, errors %v, answers %v", n[series.Accepted], n[series.Sent], n[series.Acked], n[series.Dropped],
			r.Totals.Errors, r.Totals.Answers)
	}
}

// TestLibcoap has libcoap's resource directory take what a fleet sends, over UDP and DTLS, and its server refuse it.
func TestLibcoap(t *testing.T) {
	t.Parallel()
	first := freePorts(t, 10) // each has two: CoAP, and the next with security
	for k, one := range []struct {
		name, program, psk string
		qos                int
		scheme             product.Protocol
		args               []string
	}{
		{"confirmable", "coap-rd-notls", "", 1, product.COAP, nil},
		{"non-confirmable", "coap-rd-notls", "", 0, product.COAP, nil},
		{"openssl", "coap-rd-openssl", "736563726574", 1, product.COAPS, []string{"-k", "secret"}},
		{"gnutls", "coap-rd-gnutls", "736563726574", 1, product.COAPS, []string{"-k", "secret"}},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			plain := strconv.Itoa(first + 2 + 2*k)
			port := first + 2 + 2*k
			if one.scheme == product.COAPS {
				port++
			}
			start(t, t.TempDir(), plain, one.program, append([]string{"-A", "127.0.0.1", "-p", plain}, one.args...)...)
			complete(t, play(t, fleet.Target{Scheme: one.scheme, Host: fmt.Sprintf("127.0.0.1:%d", port)}, product.Class{
				Identity:  product.Identity{PSK: one.psk},
				Telemetry: []product.Telemetry{{Post: product.Post{Topic: "/rd?ep={id}", Payload: "</{seq}>", QoS: one.qos}}},
			}))
		})
	}
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		port := strconv.Itoa(first)
		start(t, t.TempDir(), port, "coap-server-notls", "-A", "127.0.0.1", "-p", port)
		r := play(t, fleet.Target{Scheme: product.COAP, Host: "127.0.0.1:" + port}, product.Class{
			Telemetry: []product.Telemetry{{Post: product.Post{Topic: "/nowhere", Payload: "{n}", QoS: 1}}},
		})
		if n := r.Totals.Counts; n[series.Accepted] != 0 || n[series.Refused] < 20 || r.Totals.Answers["4.04"] != n[series.Refused] {
			t.Errorf("accepted %d, refused %d, answers %v", n[series.Accepted], n[series.Refused], r.Totals.Answers)
		}
	})
}

// TestNginx has nginx take what a fleet sends, end connections after some requests, and limit the rate.
func TestNginx(t *testing.T) {
	nginx, err := filepath.Abs("../../.peers/ingest/usr/sbin/nginx")
	if err != nil {
		t.Fatal(err)
	}
	id := newIdentity(t)
	dir, port, secure := t.TempDir(), freePort(t), freePort(t)
	config := fmt.Sprintf(`daemon off; master_process off; pid nginx.pid; error_log stderr; worker_rlimit_nofile 1024;
events { worker_connections 256; }
http {
	access_log log; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	limit_req_zone $request_uri zone=one:1m rate=2r/s; limit_req_status 429;
	server {
		listen 127.0.0.1:%s; listen 127.0.0.1:%s ssl; ssl_certificate %s; ssl_certificate_key %s; keepalive_requests 5;
		location /take { return 204; }
		location /chunked { add_header Connection keep-alive; return 200 "taken\n"; }
		location /few { limit_req zone=one; try_files /nothing @taken; }
		location @taken { return 202; }
	}
}
`, port, secure, id.cert, id.key)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	start(t, dir, port, nginx, "-p", dir, "-c", "nginx.conf")
	roots := x509.NewCertPool()
	text, err := os.ReadFile(id.cert)
	if err != nil || !roots.AppendCertsFromPEM(text) {
		t.Fatal(err)
	}
	plain := fleet.Target{Scheme: product.HTTP, Host: "127.0.0.1:" + port}
	post := func(path string) product.Class {
		return product.Class{Telemetry: []product.Telemetry{{Post: product.Post{Topic: path}}}}
	}
	sent := make(chan uint64, 2)
	t.Run("all", func(t *testing.T) {
		for _, target := range []fleet.Target{plain, {Scheme: product.HTTPS, Host: "127.0.0.1:" + secure, Name: "server.example", Roots: roots}} {
			t.Run(string(target.Scheme), func(t *testing.T) {
				t.Parallel()
				r := play(t, target, post("/take/{id}"))
				complete(t, r)
				if n := r.Totals.Counts; n[series.Accepted] < n[series.Sent]/5 {
					t.Errorf("%d connections for %d messages, 5 on each", n[series.Accepted], n[series.Sent])
				}
				sent <- r.Totals.Counts[series.Sent]
			})
		}
		t.Run("chunked", func(t *testing.T) {
			t.Parallel()
			complete(t, play(t, plain, post("/chunked/{id}")))
		})
		t.Run("few", func(t *testing.T) {
			t.Parallel()
			r := play(t, plain, post("/few/{id}"))
			if n := r.Totals.Counts; n[series.Accepted] == 0 || n[series.Rejected] == 0 || r.Totals.Answers["status 429"] != n[series.Rejected] || n[series.Acked]+n[series.Rejected] != n[series.Sent] {
				t.Errorf("accepted %d, sent %d, acknowledged %d, rejected %d, answers %v", n[series.Accepted], n[series.Sent], n[series.Acked], n[series.Rejected], r.Totals.Answers)
			}
		})
	})
	if t.Failed() {
		return
	}
	log, err := os.ReadFile(filepath.Join(dir, "log"))
	if n, all := strings.Count(string(log), "POST /take/"), <-sent+<-sent; err != nil || uint64(n) != all {
		t.Errorf("nginx saw %d messages, and %d were sent; %v", n, all, err)
	}
}
