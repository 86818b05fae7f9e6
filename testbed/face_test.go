package testbed

import (
	"context"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/clock"
)

// facedWith looks on while events are already there, and gives the device time that it took.
func facedWith(t *testing.T, w Facing, events ...evidence.Event) time.Duration {
	t.Helper()
	clk := clock.New(1000)
	log := evidence.NewLog(clk.Now, nil, false)
	d := &Device{Part: product.Part{Name: "dut", Driver: "process"}, bed: &Bed{Clock: clk, Log: log}}
	for _, e := range events {
		log.Add(e)
	}
	start := clk.Now()
	if err := d.lookOn(context.Background(), 0, w); err != nil {
		t.Fatal(err)
	}
	return clk.Since(start)
}

func TestLookOn(t *testing.T) {
	open := func(conn int) evidence.Event { return evidence.Event{Kind: evidence.Open, Conn: conn} }
	end := func(conn int) evidence.Event { return evidence.Event{Kind: evidence.Close, Conn: conn} }
	exit := evidence.Event{Kind: evidence.Exit, Part: "dut"}
	sent := func(conn int) evidence.Event { return evidence.Event{Kind: evidence.Bytes, Conn: conn, Size: 1} }
	refused := evidence.Event{Kind: evidence.Refused}
	for name, c := range map[string]struct {
		events []evidence.Event
		takes  time.Duration // at least; 0: it returns at once
	}{
		"two attempts ended":           {events: []evidence.Event{open(2), end(2), open(3), end(3)}},
		"one ended":                    {events: []evidence.Event{open(2), end(2), open(3)}, takes: time.Minute},
		"one ended, no other":          {events: []evidence.Event{open(2), end(2)}, takes: idle},
		"an older connection ended":    {events: []evidence.Event{end(1), open(2), end(2)}, takes: idle},
		"refused twice":                {events: []evidence.Event{refused, refused}},
		"bytes":                        {events: []evidence.Event{open(2), sent(2)}},
		"bytes on an older connection": {events: []evidence.Event{sent(1)}, takes: time.Minute},
		"another part exited":          {events: []evidence.Event{{Kind: evidence.Exit, Part: "other"}}, takes: time.Minute},
		"its process exited":           {events: []evidence.Event{open(2), end(2), exit}},
	} {
		t.Run(name, func(t *testing.T) {
			took := facedWith(t, Facing{Attempts: 2, Within: time.Minute, UntilBytes: true}, c.events...)
			if took < c.takes || c.takes == 0 && took >= idle {
				t.Errorf("returned after %s, want %s", took, c.takes)
			}
		})
	}
	t.Run("an attempt that begins late has its time", func(t *testing.T) {
		if took := facedWith(t, Facing{Attempts: 2, Within: time.Second, UntilBytes: true}, open(2)); took < oneAttempt-time.Second {
			t.Errorf("returned after %s", took)
		}
	})
}
