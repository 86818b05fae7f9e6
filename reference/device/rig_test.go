package device

import (
	"context"
	"flag"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
	"github.com/shakedown-test/shakedown/world/clock"
)

func TestMain(m *testing.M) {
	flag.Parse()
	parallel := "16" // they wait more than they compute
	if testing.Short() {
		parallel = "6" // but for the race detector
	}
	flag.Set("test.parallel", parallel)
	goleak.VerifyTestMain(m)
}

// rig is a device with a broker before it.
type rig struct {
	t   *testing.T
	clk *clock.Clock
	log *evidence.Log
	b   *broker.Broker
	l   net.Listener
	cfg Config

	mu    sync.Mutex
	conns map[net.Conn]bool
	down  bool // accept and close
	wg    sync.WaitGroup
}

// newRig starts a broker. Time runs 100 times as fast as on the wall, unless a test says otherwise.
func newRig(t *testing.T, version mqtt.Version, defects ...string) *rig {
	t.Helper()
	clk := clock.New(100)
	r := &rig{t: t, clk: clk, log: evidence.NewLog(clk.Now, nil, false), conns: map[net.Conn]bool{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.l = l
	r.b = broker.New(broker.Options{Part: "cloud", Clock: clk, Log: r.log})
	r.wg.Go(r.accept)
	r.cfg = Config{
		ID: "t1", Firmware: "test", Host: "broker.reference.test", Port: "1883", Version: version, Clock: clk, State: t.TempDir(), Seed: 7,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, l.Addr().String())
		},
		Out:     func(line string) { r.log.Add(evidence.Event{Part: "t1", Kind: evidence.Console, Text: line}) },
		Defects: map[string]bool{},
	}
	for _, d := range defects {
		r.cfg.Defects[d] = true
	}
	t.Cleanup(func() {
		_ = l.Close()
		r.b.Close()
		r.wg.Wait()
		if t.Failed() {
			r.dump()
		}
	})
	return r
}

func (r *rig) accept() {
	for {
		c, err := r.l.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		down := r.down
		r.mu.Unlock()
		if down {
			r.log.Add(evidence.Event{Part: "cloud", Kind: evidence.Refused})
			_ = c.Close()
			continue
		}
		r.wg.Go(func() { r.b.Serve(c) })
	}
}

func (r *rig) setDown(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

// start switches a device on; the function returned says goodbye to it.
func (r *rig) start() (d *Device, stop func()) {
	r.t.Helper()
	d = New(r.cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil && !strings.Contains(err.Error(), "crash") {
				r.t.Errorf("run: %v", err)
			}
		})
	}
	r.t.Cleanup(stop)
	return d, stop
}

// await waits for an event from mark on and returns it.
func (r *rig) await(mark int, what string, match func(evidence.Event) bool) evidence.Event {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	e, err := r.log.Await(ctx, mark, match)
	if err != nil {
		r.t.Fatalf("no %s: %v", what, err)
	}
	return e
}

func (r *rig) console(mark int, prefix string) evidence.Event {
	r.t.Helper()
	return r.await(mark, "console line "+prefix, func(e evidence.Event) bool {
		return e.Kind == evidence.Console && strings.HasPrefix(e.Text, prefix)
	})
}

func (r *rig) packet(mark int, what string, match func(*mqtt.Packet) bool) evidence.Event {
	r.t.Helper()
	return r.await(mark, what, func(e evidence.Event) bool {
		p, ok := e.Data.(*mqtt.Packet)
		return ok && e.Kind == evidence.In && match(p)
	})
}

// published waits for a publication with a payload that holds text.
func (r *rig) published(mark int, topic, text string) evidence.Event {
	r.t.Helper()
	return r.packet(mark, "publication "+topic+" "+text, func(p *mqtt.Packet) bool {
		return p.Type == mqtt.PUBLISH && p.Topic == topic && strings.Contains(string(p.Payload), text)
	})
}

// subscribed waits until the broker has taken the subscriptions: what is published before is not for the device.
func (r *rig) subscribed(mark int) {
	r.t.Helper()
	r.await(mark, "SUBACK", func(e evidence.Event) bool { _, ok := broker.Sent(e, mqtt.SUBACK); return ok })
}

func (r *rig) command(payload string) {
	r.b.Publish(broker.Message{Topic: "thermostat/t1/command", Payload: []byte(payload), QoS: 1})
}

// counts the events from mark on for which match holds.
func (r *rig) count(mark int, match func(evidence.Event) bool) (n int) {
	for _, e := range r.log.Since(mark) {
		if match(e) {
			n++
		}
	}
	return n
}

func (r *rig) dump() {
	for _, e := range r.log.Since(0) {
		data := ""
		if p, ok := e.Data.(*mqtt.Packet); ok {
			data = p.String() + " " + string(p.Payload[:min(len(p.Payload), 80)])
		}
		r.t.Logf("%s %s %d %s %s %s", e.At.Format("15:04:05.000"), e.Part, e.Conn, e.Kind, e.Text, data)
	}
}
