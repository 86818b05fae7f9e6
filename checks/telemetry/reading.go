package telemetry

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// reading is one measurement that arrived.
type reading struct {
	seq   int64
	at    time.Time            // of its arrival
	times map[string]time.Time // top-level fields of its payload that are a time
	event int                  // number of its event
}

// reader finds readings in events, as the product file declares them.
type reader struct {
	id, filter string
	sequence   product.Sequence
}

func newReader(t *check.T) (*reader, error) {
	m := t.Device.Part.MQTT
	sequence, err := product.CompileSequence(m.Sequence)
	if err != nil {
		return nil, fmt.Errorf("compile the declared sequence: %w", err)
	}
	return &reader{id: t.Device.ID, filter: product.Fill(m.Telemetry, t.Device.ID, 0, ""), sequence: sequence}, nil
}

// read is the reading of an event; false when it is none.
func (r *reader) read(e evidence.Event) (reading, bool) {
	p, ok := broker.Got(e, mqtt.PUBLISH)
	if !ok || !mqtt.Match(r.filter, p.Topic) {
		return reading{}, false
	}
	vars := product.Vars{Text: string(p.Payload), Topic: p.Topic, ID: r.id}
	if json.Unmarshal(p.Payload, &vars.Payload) != nil {
		vars.Payload = nil
	}
	seq, err := r.sequence.Number(vars)
	if err != nil {
		return reading{}, false
	}
	return reading{seq: seq, at: e.At, times: testbed.Times(vars.Payload), event: e.N}, true
}

func (r *reader) readings(events []evidence.Event) []reading {
	var all []reading
	for _, e := range events {
		if m, ok := r.read(e); ok {
			all = append(all, m)
		}
	}
	return all
}

// await waits for n readings in the events from mark on.
func (r *reader) await(ctx context.Context, t *check.T, mark, n int) ([]reading, error) {
	within := 5 * time.Minute
	if gap := time.Duration(t.Product.Declared.TelemetryGap); gap > 0 {
		within = time.Duration(n+1)*gap + 10*time.Second
	}
	wait, cancel := t.Clock.Timeout(ctx, within)
	defer cancel()
	var all []reading
	for len(all) < n {
		e, err := t.Log.Await(wait, mark, func(e evidence.Event) bool { _, ok := r.read(e); return ok })
		if ctx.Err() != nil {
			return all, ctx.Err()
		}
		if err != nil {
			return all, check.NotRun("compare the declared telemetry and sequence with what the device publishes",
				"%d of %d readings with a running number came on %s within %s", len(all), n, r.filter, within)
		}
		m, _ := r.read(e)
		all, mark = append(all, m), e.N+1
	}
	return all, nil
}

// atPace is how many readings in a row must come at their usual pace before a backlog counts as drained: a machine that stalls once
// makes one reading late, not several.
const atPace = 3

// drained waits until readings come at their usual pace again: until the last few came no sooner than half of gap after the one before.
// It gives up when a backlog of buffer readings should long be through.
func (r *reader) drained(ctx context.Context, t *check.T, mark int, gap time.Duration, buffer int) error {
	wait, cancel := t.Clock.Timeout(ctx, time.Minute+atPace*2*gap+time.Duration(buffer)*time.Second)
	defer cancel()
	var last time.Time
	for slow := 0; slow < atPace; {
		e, err := t.Log.Await(wait, mark, func(e evidence.Event) bool { _, ok := r.read(e); return ok })
		if err != nil {
			return ctx.Err()
		}
		switch {
		case !last.IsZero() && e.At.Sub(last) > gap/2:
			slow++
		default:
			slow = 0
		}
		mark, last = e.N+1, e.At
	}
	return nil
}
