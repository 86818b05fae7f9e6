package fleet

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/pki"
)

// far is an endpoint with a real broker behind it.
type far struct {
	Target
	broker *broker.Broker
}

// open starts one; cfg may be nil. What it does to connections is up to tamper, which may be nil.
func open(t *testing.T, cfg *tls.Config, tamper func(net.Conn) net.Conn) *far {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	clk := clock.New(1)
	b := broker.New(broker.Options{Part: "broker", Clock: clk, Log: evidence.NewLog(clk.Now, nil, false)})
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			if tamper != nil {
				nc = tamper(nc)
			}
			if cfg != nil {
				nc = tls.Server(nc, cfg)
			}
			serving.Go(func() { b.Serve(nc) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		b.Close()
		serving.Wait()
	})
	return &far{Target{Scheme: product.MQTT, Host: l.Addr().String()}, b}
}

// secure is an endpoint with TLS.
func secure(t *testing.T, newest uint16) *far { return secureWith(t, newest, func(*tls.Config) {}) }

func secureWith(t *testing.T, newest uint16, change func(*tls.Config)) *far {
	t.Helper()
	authority, err := pki.New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := authority.Server(pki.Good, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{*cert}, MaxVersion: newest}
	change(cfg)
	f := open(t, cfg, nil)
	f.Scheme, f.Name, f.Roots = product.MQTTS, "localhost", x509.NewCertPool()
	f.Roots.AppendCertsFromPEM(authority.RootsPEM())
	return f
}

// unhurried gives a test the time that it needs under the race detector, which makes all of it several times as slow: CI runs that with -short.
func unhurried(d time.Duration) time.Duration {
	if testing.Short() {
		return 4 * d
	}
	return d
}

// job is a fleet of one class that sends a numbered message every so often.
func job(f *far, devices int, every time.Duration, change func(*product.Class)) Job {
	c := product.Class{
		Name: "meter", Share: 1, KeepAlive: product.Duration(time.Minute), Window: 1000,
		Telemetry: []product.Telemetry{{Post: product.Post{Topic: "meter/{id}/telemetry", Payload: `{"id":"{id}","stamp":"{stamp}"}`, QoS: 1}, Every: product.Duration(every)}},
	}
	if change != nil {
		change(&c)
	}
	return Job{
		Target: f.Target, Fleet: &product.Fleet{Devices: devices, Tenants: devices, Connects: float64(devices) * 4, Classes: []product.Class{c}},
		To: devices, Shape: "steady", For: unhurried(1500 * time.Millisecond), Drain: 20 * time.Second, Settle: 300 * time.Millisecond, Watch: true, Seed: 7,
	}
}

func do(t *testing.T, j Job) *series.Record {
	t.Helper()
	r, err := Do(t.Context(), j, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestEveryTransport counts every message, on each way that a device can be connected.
func TestEveryTransport(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		name   string
		open   func(t *testing.T) *far
		change func(*product.Class)
		by     bool
	}{
		{name: "tcp", open: func(t *testing.T) *far { return open(t, nil, nil) }},
		{name: "tcp by goroutines", open: func(t *testing.T) *far { return open(t, nil, nil) }, by: true},
		{name: "tls 1.3", open: func(t *testing.T) *far { return secure(t, tls.VersionTLS13) }},
		{name: "tls 1.2", open: func(t *testing.T) *far { return secure(t, tls.VersionTLS12) }},
		{name: "tls by goroutines", open: func(t *testing.T) *far { return secure(t, tls.VersionTLS13) }, by: true},
		{name: "mqtt 5", open: func(t *testing.T) *far { return open(t, nil, nil) }, change: func(c *product.Class) { c.Version = "5.0" }},
		{name: "qos 0", open: func(t *testing.T) *far { return open(t, nil, nil) }, change: func(c *product.Class) { c.Telemetry[0].QoS = 0 }},
		{name: "qos 2", open: func(t *testing.T) *far { return open(t, nil, nil) }, change: func(c *product.Class) { c.Telemetry[0].QoS = 2 }},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			j := job(one.open(t), 40, 100*time.Millisecond, one.change)
			j.Goroutine = one.by
			r := do(t, j)
			n := r.Totals.Counts
			if n[series.Accepted] != 40 || n[series.Sent] < 100 || r.Messages.Arrived != r.Messages.Sent || r.Messages.Sent != n[series.Sent] ||
				r.Messages.Duplicates+r.Messages.Late+r.Messages.Strange+r.Messages.Leaked != 0 {
				t.Errorf("accepted %d, sent %d, account %+v, errors %v, answers %v", n[series.Accepted], n[series.Sent], *r.Messages, r.Totals.Errors, r.Totals.Answers)
			}
			if qos := j.Fleet.Classes[0].Telemetry[0].QoS; qos > 0 && n[series.Acked] != n[series.Sent] {
				t.Errorf("%d of %d acknowledged", n[series.Acked], n[series.Sent])
			}
		})
	}
}

// TestComesBack cuts all connections half-way.
func TestComesBack(t *testing.T) {
	t.Parallel()
	f := open(t, nil, nil)
	j := job(f, 60, 100*time.Millisecond, func(c *product.Class) {
		c.Backoff = &product.Backoff{First: product.Duration(300 * time.Millisecond), Factor: 2, Cap: product.Duration(time.Second), Jitter: "full"}
		c.Buffer, c.Persist = 100, true
	})
	j.Shape, j.For = "reconnect-storm", 2*time.Second
	r := do(t, j)
	if len(r.Outages) != 1 || r.Outages[0].Devices != 60 || r.Outages[0].Away != 0 || r.Outages[0].Back <= 0 || r.Outages[0].Back > 1 {
		t.Errorf("outages %+v", r.Outages)
	}
	if n := r.Totals.Counts; n[series.Accepted] != 120 || r.Messages.Lost != 0 {
		t.Errorf("accepted %d, account %+v", n[series.Accepted], *r.Messages)
	}
}

// TestCommands has the operator ask every device, in two loops, and one tenant's command go astray.
func TestCommands(t *testing.T) {
	t.Parallel()
	f := open(t, nil, nil)
	j := job(f, 120, time.Second, func(c *product.Class) {
		c.Subscribe = []product.Filter{{Topic: "meter/{id}/command", QoS: 1}}
		c.Commands = []product.Answered{{
			Post: product.Post{Topic: "meter/{id}/command", Payload: `{"stamp":"{stamp}"}`, QoS: 1}, Every: product.Duration(300 * time.Millisecond),
			Answer: &product.Post{Topic: "meter/{id}/answer", Payload: `{"stamp":"{stamp}"}`, QoS: 1},
		}}
	})
	var answers atomic.Int64
	f.broker.When(broker.Rule{Dir: broker.In, Type: mqtt.PUBLISH, Match: func(_ *broker.Conn, p *mqtt.Packet) bool {
		if strings.HasSuffix(p.Topic, "/answer") && p.QoS == 1 {
			answers.Add(1)
		}
		return false
	}})
	var commands atomic.Int64
	f.broker.When(broker.Rule{Dir: broker.In, Type: mqtt.PUBLISH, Match: func(_ *broker.Conn, p *mqtt.Packet) bool {
		return strings.HasSuffix(p.Topic, "/command")
	}, Do: func(ex *broker.Exchange) {
		if commands.Add(1) == 200 { // when all are there
			go f.broker.Publish(broker.Message{Topic: "meter/meter-119/command", Payload: slices.Clone(ex.Packet.Payload)})
		}
	}})
	r := do(t, j)
	command, _ := r.Latency(series.Command)
	answer, _ := r.Latency(series.Answer)
	if command.Count < 200 || uint64(answers.Load()) != answer.Count || answer.Count != command.Count || r.Messages.Leaked != 1 || r.Messages.Lost != 0 {
		t.Errorf("%d commands, %d answers, account %+v", command.Count, answer.Count, *r.Messages)
	}
}

// TestLossIsCounted has the broker lose every tenth message without a word.
func TestLossIsCounted(t *testing.T) {
	t.Parallel()
	f := open(t, nil, nil)
	var mu sync.Mutex
	seen, lost := 0, 0
	f.broker.When(broker.Rule{Dir: broker.Out, Type: mqtt.PUBLISH, Match: func(*broker.Conn, *mqtt.Packet) bool {
		mu.Lock()
		defer mu.Unlock()
		if seen++; seen%10 == 0 {
			lost++
			return true
		}
		return false
	}, Do: broker.Drop()})
	j := job(f, 20, 50*time.Millisecond, func(c *product.Class) { c.Telemetry[0].QoS = 0 })
	j.Drain = 4 * time.Second
	r := do(t, j)
	mu.Lock()
	defer mu.Unlock()
	if lost == 0 || int(r.Messages.Lost) != lost || r.Messages.Arrived+r.Messages.Lost != r.Messages.Sent {
		t.Errorf("%d were lost; account %+v", lost, *r.Messages)
	}
}

// TestRefusals has the broker refuse, with the reason in the record.
func TestRefusals(t *testing.T) {
	t.Parallel()
	f := open(t, nil, nil)
	f.broker.Set(func(o *broker.Options) {
		o.Authenticate = func(p *mqtt.Connect, _ net.Conn) byte {
			if strings.HasPrefix(p.ClientID, "meter") {
				return 0x97
			}
			return 0
		}
	})
	r := do(t, job(f, 10, time.Second, nil))
	if n := r.Totals.Counts; n[series.Accepted] != 0 || n[series.Refused] < 10 || len(r.Totals.Answers) != 1 {
		t.Errorf("accepted %d, refused %d, answers %v", n[series.Accepted], n[series.Refused], r.Totals.Answers)
	}
}

// TestNobodyThere says why the fleet does not get anywhere.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.77:0") // of 127.0.0.1 another test may listen at the port a moment later
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	j := job(&far{Target: Target{Scheme: product.MQTT, Host: l.Addr().String()}}, 5, time.Second, nil)
	j.Watch, j.For = false, 500*time.Millisecond
	r := do(t, j)
	if n := r.Totals.Counts; n[series.Accepted] != 0 || r.Totals.Errors["connection refused"] < 5 {
		t.Errorf("accepted %d, errors %v", n[series.Accepted], r.Totals.Errors)
	}
}

// TestTimers holds the heap against a plain search.
func TestTimers(t *testing.T) {
	t.Parallel()
	const n = 50
	h, plain := newTimers(n), map[int32]int64{}
	x := uint32(1)
	for step := range 20000 {
		x = x*1664525 + 1013904223
		id, due := int32(x>>8%n), int64(x>>12%1000)
		switch x >> 28 % 3 {
		case 0:
			h.set(id, due)
			plain[id] = due
		case 1:
			h.stop(id)
			delete(plain, id)
		default:
			got, at, ok := h.pop(due)
			least := int64(1 << 62)
			for _, d := range plain {
				least = min(least, d)
			}
			if ok != (least <= due) || ok && (at != least || plain[got] != at) {
				t.Fatalf("step %d: pop(%d) gave %d at %d, %v; the first is at %d", step, due, got, at, ok, least)
			}
			if ok {
				delete(plain, got)
			}
		}
	}
}

// TestQuietCut has a fleet that sends nothing be cut off and end when it is time, not when the second is over.
func TestQuietCut(t *testing.T) {
	t.Parallel()
	j := job(open(t, nil, nil), 5, time.Second, func(c *product.Class) {
		c.Telemetry = nil
		c.Backoff = &product.Backoff{First: product.Duration(10 * time.Millisecond), Factor: 1, Cap: product.Duration(10 * time.Millisecond), Jitter: "none"}
	})
	j.Shape, j.For, j.Settle, j.Watch = "reconnect-storm", 2400*time.Millisecond, 10*time.Millisecond, false
	r := do(t, j)
	if len(r.Outages) != 1 || r.Outages[0].Devices != 5 || r.Outages[0].Back > 0.7 {
		t.Errorf("outages %+v", r.Outages)
	}
}
