package testbed_test

import (
	"context"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/checks"
	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/profile"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/reference"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/pki"
)

// The reference sensor reports, gets its configuration and follows its settings, over DTLS.
func TestSensor(t *testing.T) {
	t.Parallel()
	known := product.Known{Drivers: []string{"reference"}, Profiles: profile.Names()}
	for _, r := range checks.All() {
		known.Risks = append(known.Risks, r.ID)
	}
	p, err := product.Load(reference.FileName, reference.File(), known)
	if err != nil {
		t.Fatal(err)
	}
	clk := clock.New(10)
	authority, err := pki.New(clk.Now)
	if err != nil {
		t.Fatal(err)
	}
	log := evidence.NewLog(clk.Now, nil, false)
	bed, err := testbed.Open(testbed.Config{
		Product: p, Variant: p.Variants[0], Real: product.Device, Speaks: product.COAP, Kinds: driver.Kinds{"reference": reference.Kind()},
		PKI: authority, Clock: clk, Log: log, Seed: 1, Dir: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer bed.Close()
	defer func() {
		if t.Failed() {
			for _, e := range log.Since(0) {
				t.Logf("%s %s %s", e.At.Format("05.000"), e.Kind, e.Text)
			}
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	d := bed.Device
	if d.Part.Name != "sensor" {
		t.Fatalf("the device is %s", d.Part.Name)
	}
	config := d.Body("config", 700)
	bed.CoAP.Put("/config", config.Bytes, 50)
	c, err := d.Contact(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if said, ok, err := d.AwaitSaying(ctx, "config", c.Mark, time.Minute, config.Is); !ok || err != nil {
		t.Fatalf("configuration %q, want %s: %v", said, config.Sum, err)
	}
	settings := d.Body("settings", 0)
	bed.CoAP.Put("/settings", settings.Bytes, 50)
	if said, ok, err := d.AwaitSaying(ctx, "settings", c.Mark, time.Minute, settings.Is); !ok || err != nil {
		t.Fatalf("settings %q, want %d: %v", said, settings.N, err)
	}
	if _, err := bed.CoAP.Peers()[0].Request(ctx, get("/state"), 20*time.Second); err != nil {
		t.Error(err)
	}
	if err := d.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func get(path string) *coap.Message { return (&coap.Message{Code: coap.GET}).SetPath(path) }
