package campaign_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/campaign"
	"github.com/shakedown-test/shakedown/checks"
	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
)

// What a hostile device does to the endpoint that it is pointed at, until ctx is done.
var hostile = map[string]struct {
	act  func(ctx context.Context, address string)
	says string // the finding must say what came
}{
	"garbage before TLS": {dials(func(c net.Conn) { io.CopyN(c, rand.Reader, 1<<20) }), "opened"},
	"garbage inside TLS": {dials(inside(func(c net.Conn) { io.CopyN(c, rand.Reader, 1<<20) })), "no MQTT CONNECT"},
	"a plain CONNECT": {dials(func(c net.Conn) {
		c.Write([]byte("\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a"))
		io.Copy(io.Discard, c)
	}), "MQTT CONNECT"},
	"slow bytes":           {dials(slow), "opened"},
	"many connections":     {dials(func(net.Conn) {}), "opened"},
	"a packet without end": {dials(inside(endless)), "malformed"},
	"endless packets":      {dials(inside(flood)), ""},
}

// The run ends in its time, within bounded memory, and says what came.
func TestHostileDevices(t *testing.T) {
	for name, h := range hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, most := against(t, h.act, 20*time.Second)
			if most > 300<<20 {
				t.Errorf("the heap grew to %d MiB", most>>20)
			}
			if h.says == "" { // it did connect; what it did in all that it said then is not known, if that was more than is recorded
				if r.Outcome != evidence.Pass && !strings.Contains(r.Reason, "more than is recorded") {
					t.Errorf("outcome %s: %s", r.Outcome, r.Reason)
				}
				return
			}
			if r.Outcome != evidence.Fail || !strings.Contains(r.Findings[0].Seen, h.says) {
				t.Errorf("outcome %s %s, findings %+v; want one that says %q", r.Outcome, r.Reason, r.Findings, h.says)
			}
		})
	}
}

// against runs protocol.connect-happy on a hostile device and returns the result and the largest heap meanwhile.
func against(t *testing.T, act func(context.Context, string), limit time.Duration) (evidence.Result, uint64) {
	t.Helper()
	p, err := product.Load("hostile", []byte(hostileProduct), product.Known{Drivers: []string{"hostile"}})
	if err != nil {
		t.Fatal(err)
	}
	o := campaign.Options{
		Product: p, Risks: checks.All(), Incidents: checks.Incident, Seed: 1, Only: []string{"protocol.connect-happy"},
		Kinds: driver.Kinds{"hostile": {Name: "hostile", Open: func(env driver.Env) (driver.Driver, error) { return &attacker{env: env, act: act}, nil }}},
	}
	plan, err := campaign.Plan(o, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	run, err := evidence.CreateRun(t.TempDir(), plan)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	most := make(chan uint64)
	ctx, stop := context.WithCancel(t.Context())
	go func() { most <- largestHeap(ctx) }()
	start := time.Now()
	results, err := campaign.Run(ctx, o, run, quiet{})
	took := time.Since(start)
	stop()
	if err != nil || len(results) != 1 {
		t.Fatalf("run: %v, %d results", err, len(results))
	}
	if took > limit {
		t.Errorf("took %s, more than %s", took, limit)
	}
	return results[0], <-most
}

func largestHeap(ctx context.Context) (most uint64) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapInuse)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return most
		}
	}
}

const hostileProduct = `
product: hostile
parts:
  device: {role: device, driver: hostile}
  cloud: {role: cloud, driver: stand-in}
links:
  - {name: up, from: device, to: cloud, protocol: mqtts}
declared: {connect_within: 1s}
`

// attacker is the driver of a hostile device.
type attacker struct {
	env  driver.Env
	act  func(context.Context, string)
	stop context.CancelFunc
	done sync.WaitGroup
}

func (a *attacker) Start(context.Context) error {
	if a.stop != nil {
		return nil
	}
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	a.done.Go(func() { a.act(ctx, net.JoinHostPort(a.env.Values["broker.host"], a.env.Values["broker.port"])) })
	return nil
}

func (a *attacker) Stop(context.Context) error { return a.Close() }

func (a *attacker) Close() error {
	if a.stop != nil {
		a.stop()
		a.done.Wait()
		a.stop = nil
	}
	return nil
}

// dials opens connections as fast as they can be used up, at most 20,000.
func dials(use func(net.Conn)) func(context.Context, string) {
	return func(ctx context.Context, address string) {
		for n := 0; n < 20000 && ctx.Err() == nil; n++ {
			c, err := net.Dial("tcp", address)
			if err != nil {
				time.Sleep(time.Millisecond)
				continue
			}
			stop := context.AfterFunc(ctx, func() { c.Close() })
			use(c)
			stop()
			c.Close()
		}
	}
}

func inside(use func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		secure := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		if secure.Handshake() == nil {
			use(secure)
		}
	}
}

func slow(c net.Conn) {
	for {
		if _, err := c.Write([]byte{22}); err != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// endless announces a packet of 256 MB and keeps sending.
func endless(c net.Conn) {
	c.Write([]byte{0x10, 0xff, 0xff, 0xff, 0x7f})
	for {
		if _, err := c.Write(make([]byte, 64<<10)); err != nil {
			return
		}
	}
}

// flood connects and then sends pings as fast as it can.
func flood(c net.Conn) {
	c.Write([]byte("\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a"))
	go io.Copy(io.Discard, c)
	pings := []byte(strings.Repeat("\xc0\x00", 10000))
	for {
		if _, err := c.Write(pings); err != nil {
			return
		}
	}
}

// quiet watches a campaign without a word.
type quiet struct{}

func (quiet) Started(evidence.Job)                        {}
func (quiet) Step(evidence.Job, string)                   {}
func (quiet) Ended(evidence.Result)                       {}
func (quiet) Tell(string)                                 {}
func (quiet) Ask(context.Context, string) (string, error) { return "", context.Canceled }
