package reference

import (
	"context"
	"crypto/tls"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/broker"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/pki"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var authority = sync.OnceValues(func() (*pki.Authority, error) { return pki.New(clock.New(1).Now) })

// world is a TLS broker and the log of all that happens.
type world struct {
	net *internet.World
	log *evidence.Log
	env driver.Env
	b   *broker.Broker
}

func newWorld(t *testing.T, firmware string, defects ...string) *world {
	t.Helper()
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := a.Server(pki.Good, "broker.reference.test")
	if err != nil {
		t.Fatal(err)
	}
	clk := clock.New(100)
	net, err := internet.Open(internet.Config{Clock: clk, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(net.Close)
	at, err := net.Name("broker.reference.test")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Servers.Listen(netip.AddrPortFrom(at, 8883))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, a.RootsPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &world{net: net, log: evidence.NewLog(clk.Now, nil, false)}
	w.b = broker.New(broker.Options{Part: "cloud", Clock: clk, Log: w.log})
	w.env = driver.Env{
		Clock: clk, Log: w.log, Part: product.Part{Name: "thermostat"}, Variant: product.Variant{Firmware: firmware}, Seed: 1, State: dir, Defects: defects,
		Values: map[string]string{"device.id": "unit-1", "broker.host": at.String(), "broker.port": "8883", "broker.name": "broker.reference.test", "ca.file": ca},
		Host:   w.join(t),
	}
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() { w.b.Serve(tls.Server(c, &tls.Config{Certificates: []tls.Certificate{*cert}})) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		w.b.Close()
		tasks.Wait()
	})
	return w
}

// join gives one device its place.
func (w *world) join(t *testing.T) *internet.Host {
	t.Helper()
	h, _, err := w.net.Home().Host("device")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (w *world) await(t *testing.T, mark int, what string, match func(evidence.Event) bool) evidence.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	e, err := w.log.Await(ctx, mark, match)
	if err != nil {
		for _, e := range w.log.Since(0) {
			t.Logf("%s %s %s", e.Part, e.Kind, e.Text)
		}
		t.Fatalf("no %s: %v", what, err)
	}
	return e
}

func console(text string) func(evidence.Event) bool {
	return func(e evidence.Event) bool { return e.Kind == evidence.Console && strings.HasPrefix(e.Text, text) }
}

func TestDriver(t *testing.T) {
	for _, firmware := range []string{"2.1", "1.9"} {
		t.Run(firmware, func(t *testing.T) {
			w := newWorld(t, firmware)
			d, err := Kind().Open(w.env)
			if err != nil {
				t.Fatal(err)
			}
			ctx := context.Background()
			act := func(what string, err error) {
				t.Helper()
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
			}
			act("start", d.Start(ctx))
			act("start a running device", d.Start(ctx))
			w.await(t, 0, "connection", console("online"))
			mark := w.log.Len()
			act("reboot", d.(driver.Trigger).Trigger(ctx, "reboot", nil))
			w.await(t, mark, "second boot", console("boot 2"))
			w.await(t, mark, "connection", console("online"))
			act("kill", d.(driver.Killer).Kill(ctx))
			act("kill a dead device", d.(driver.Killer).Kill(ctx))
			mark = w.log.Len()
			act("start", d.Start(ctx))
			w.await(t, mark, "third boot", console("boot 3"))
			version, err := d.(driver.Querier).Query(ctx, "version")
			act("query", err)
			if string(version) != `"`+firmware+`"` {
				t.Errorf("version %s", version)
			}
			act("close", d.Close())
			act("close again", d.Close())
		})
	}
}

func TestDriverRefuses(t *testing.T) {
	w := newWorld(t, "2.1", "no-such-defect")
	if _, err := Kind().Open(w.env); err == nil {
		t.Error("an unknown defect is taken")
	}
	w.env.Defects = nil
	d, err := Kind().Open(w.env)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.(driver.Querier).Query(context.Background(), "mood"); err == nil {
		t.Error("an unknown query is answered")
	}
}

// TestDefectsEndCleanly runs devices with each of the defects at the same time in a world where commands come, and ends them.
func TestDefectsEndCleanly(t *testing.T) {
	var w *world
	var tasks sync.WaitGroup
	for i, defect := range Defects() {
		if i%32 == 0 { // as many as a home may have: each hears what the others tell it
			w = newWorld(t, "2.1")
		}
		env := w.env
		env.Values = maps.Clone(env.Values)
		env.Values["device.id"], env.Defects, env.State = defect.ID, []string{defect.ID}, filepath.Join(w.env.State, defect.ID)
		env.Host = w.join(t)
		if err := os.Mkdir(env.State, 0o700); err != nil {
			t.Fatal(err)
		}
		d, err := Kind().Open(env)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.b.Publish(broker.Message{Topic: "thermostat/" + defect.ID + "/command", Payload: []byte(`{"id":"a","set":{"target_tenths":5}}`), QoS: 1, Retain: true})
		tasks.Go(func() {
			_ = env.Clock.Sleep(context.Background(), 100*time.Second) // of a context without end
			stop := d.Stop
			if i%2 == 0 {
				stop = d.(driver.Killer).Kill
			}
			if err := stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	tasks.Wait()
}
