package sensor

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/origin"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a server over plain UDP on the loopback with a sensor, a hundred times as fast.
type rig struct {
	t      *testing.T
	server *origin.Server
	log    *evidence.Log
	cfg    Config
	mu     sync.Mutex
	bodies []string // of telemetry
}

func newRig(t *testing.T, defects ...string) *rig {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	clk := clock.New(100)
	r := &rig{t: t, log: evidence.NewLog(clk.Now, nil, false)}
	r.server = origin.New(origin.Options{Part: "server", Clock: clk, Log: r.log, Conn: conn, Rand: rand.New(rand.NewPCG(1, 1))})
	t.Cleanup(r.server.Close)
	r.server.Serve(telemetryPath, origin.Resource{Handle: func(_ *origin.Peer, _ *coap.Message, body []byte) origin.Response {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies = append(r.bodies, string(body))
		return origin.Response{Code: coap.Changed, Format: -1}
	}})
	r.cfg = Config{
		ID: "t1", Firmware: "test", Server: r.server.Addr(), Clock: clk, State: t.TempDir(), Seed: 1, Defects: map[string]bool{},
		Listen: func() (net.PacketConn, error) { return net.ListenPacket("udp", "127.0.0.1:0") },
		Out:    func(line string) { r.log.Add(evidence.Event{Kind: evidence.Console, Text: line}) },
	}
	for _, d := range defects {
		r.cfg.Defects[d] = true
	}
	return r
}

// run runs a sensor until the test is over, or until stop.
func (r *rig) run() (stop func() error) {
	ctx, cancel := context.WithCancel(r.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- New(r.cfg).Run(ctx) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	r.t.Cleanup(func() {
		_ = stop()
		if r.t.Failed() {
			for _, e := range r.log.Since(0) {
				r.t.Logf("%s %s %s", e.At.Format("04:05.000"), e.Kind, e.Text)
			}
		}
	})
	return stop
}

// await waits for a measurement.
func (r *rig) await(what string, match func(map[string]any) bool) {
	r.t.Helper()
	for range 500 {
		r.mu.Lock()
		bodies := r.bodies
		r.mu.Unlock()
		for _, b := range bodies {
			var v map[string]any
			if json.Unmarshal([]byte(b), &v) == nil && match(v) {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Fatalf("no measurement: %s", what)
}

func (r *rig) says(text string) bool {
	for _, e := range r.log.Since(0) {
		if e.Kind == evidence.Console && strings.Contains(e.Text, text) {
			return true
		}
	}
	return false
}

func TestLife(t *testing.T) {
	r := newRig(t)
	r.server.Set(configPath, []byte(`{"text":"`+strings.Repeat("x", 400)+`"}`), coap.JSON)
	r.server.Set(settingsPath, []byte(`{"alarm_tenths":250}`), coap.JSON)
	stop := r.run()
	r.await("the configuration", func(v map[string]any) bool { s, _ := v["config"].(string); return len(s) == 8 })
	r.await("the first settings", func(v map[string]any) bool { return v["alarm_tenths"] == 250.0 })
	r.server.Put(settingsPath, []byte(`{"alarm_tenths":260}`), coap.JSON)
	r.await("the next settings", func(v map[string]any) bool { return v["alarm_tenths"] == 260.0 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for range 100 { // the goodbye may be on its way
		if r.server.Observers(settingsPath) == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := r.server.Observers(settingsPath); n != 0 {
		t.Errorf("%d observers after the goodbye", n)
	}
	r.run()
	r.await("numbers go on after a restart", func(v map[string]any) bool { n, _ := v["seq"].(float64); return n > 5 })
}

// What was not acknowledged is sent again, and a server that was away gets all readings.
func TestServerAway(t *testing.T) {
	r := newRig(t)
	r.run()
	r.await("the first", func(v map[string]any) bool { return v["seq"] == 1.0 })
	heal := r.server.Path.Silence()
	time.Sleep(400 * time.Millisecond) // 40 s
	heal()
	r.await("a later one", func(v map[string]any) bool { n, _ := v["seq"].(float64); return n > 12 })
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[float64]bool{}
	for _, b := range r.bodies {
		var v map[string]any
		if json.Unmarshal([]byte(b), &v) == nil {
			n, _ := v["seq"].(float64)
			seen[n] = true
		}
	}
	for n := 1.0; n < 12; n++ {
		if !seen[n] {
			t.Errorf("reading %v is missing", n)
		}
	}
}

func TestConfigurationIsRefused(t *testing.T) {
	r := newRig(t)
	r.server.Set(configPath, []byte(`{"half":`), coap.JSON)
	r.run()
	r.await("a measurement", func(v map[string]any) bool { return v["seq"] == 2.0 })
	if !r.says("configuration refused") {
		t.Error("it took a configuration that is no JSON")
	}
}

func TestServes(t *testing.T) {
	r := newRig(t)
	r.run()
	r.await("a measurement", func(v map[string]any) bool { return v["seq"] == 1.0 })
	p := r.server.Peers()[0]
	for _, c := range []struct {
		m    *coap.Message
		want coap.Code
	}{
		{(&coap.Message{Code: coap.GET}).SetPath("/.well-known/core"), coap.Content},
		{(&coap.Message{Code: coap.GET}).SetPath("/state"), coap.Content},
		{(&coap.Message{Code: coap.PUT}).SetPath("/state"), coap.MethodNotAllowed},
		{(&coap.Message{Code: coap.GET}).SetPath("/state").AddUint(coap.Accept, coap.CBOR), coap.NotAcceptable},
		{(&coap.Message{Code: coap.GET}).SetPath("/state").Add(65001, nil), coap.BadOption},
		{(&coap.Message{Code: coap.GET}).SetPath("/state").SetBlock(coap.Block2, coap.Block{Num: 99}), coap.BadOption},
		{(&coap.Message{Code: coap.POST}).SetPath("/identify"), coap.Changed},
		{(&coap.Message{Code: coap.POST}).SetPath("/identify").AddUint(coap.ContentFormat, coap.CBOR), coap.UnsupportedFormat},
		{(&coap.Message{Code: coap.GET}).SetPath("/none"), coap.NotFound},
	} {
		m, err := p.Request(t.Context(), c.m, time.Minute)
		if err != nil || m.Code != c.want {
			t.Errorf("%v: %v %v, want %s", c.m, m, err, c.want)
		}
	}
	_, body, err := p.Fetch(t.Context(), "/.well-known/core", 0, time.Minute)
	if err != nil || string(body) != links {
		t.Errorf("in blocks of 16: %q %v", body, err)
	}
}

func TestCrashes(t *testing.T) {
	r := newRig(t, "coap-malformed-crash")
	ended := make(chan error, 1)
	go func() { ended <- New(r.cfg).Run(t.Context()) }()
	r.await("a measurement", func(v map[string]any) bool { return v["seq"] == 1.0 })
	long := &coap.Message{Code: coap.GET, ID: 1, Token: make([]byte, 15)}
	r.server.Peers()[0].SendRaw(long.Bytes(), "a long token")
	if err := <-ended; !errors.Is(err, ErrCrashed) {
		t.Error(err)
	}
}

func TestCut(t *testing.T) {
	r := newRig(t)
	s := New(r.cfg)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(t.Context()) }()
	r.await("a measurement", func(v map[string]any) bool { return v["seq"] == 1.0 })
	s.Cut()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if r.says("stopped") {
		t.Error("it said goodbye without power")
	}
}
