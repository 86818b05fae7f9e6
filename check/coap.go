package check

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/origin"
)

// Contact starts a device that speaks CoAP and waits for a request that is answered with success: the positive control.
func (t *T) Contact(ctx context.Context) (*testbed.Contact, error) {
	c, err := t.Device.Contact(ctx)
	if errors.Is(err, testbed.ErrOffline) {
		return nil, NotRun("see its console and the packets in the evidence: what does it send to an ordinary server?", "%v", err)
	}
	return c, err
}

// Awake waits for a sign of the device, after which it surely listens, and returns who can be asked: the one that observes something, as
// that has to listen; else the one that sent the last request. A device that takes a new port for every request cannot be asked.
func (t *T) Awake(ctx context.Context) (*origin.Peer, error) {
	mark, within := t.Log.Len(), t.Device.Reports()
	used := map[int]bool{}
	for range 3 {
		e, ok, err := t.Device.AwaitMessage(ctx, mark, within, func(_ evidence.Event, m *coap.Message) bool { return m.Code.Request() })
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, NotRun("a device that sends something more often can be judged", "the device sent no request within %s", within)
		}
		if p := t.CoAP.Observing(); p != nil {
			return p, nil
		}
		if used[e.Conn] {
			return t.CoAP.Peer(e.Conn), nil
		}
		used[e.Conn], mark = true, e.N+1
	}
	return nil, NotApplicable("the device takes a new port for every request, so that nothing can be asked of it")
}

// Recovers judges whether the device makes a request that is answered within the time, in the events from mark on, after something was
// done to it or healed.
func (t *T) Recovers(ctx context.Context, mark int, within time.Duration, after string) ([]Finding, error) {
	start := t.Clock.Now()
	c, err := t.Device.NextContact(ctx, mark, within)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for _, e := range t.Log.Since(mark) {
		if e.Kind == evidence.Exit && e.Part == t.Device.Part.Name {
			return []Finding{{
				Severity: Blocker, Title: Ended(e.Text) + " after " + after, Seen: e.Text,
				Expected: "after " + after + " it works on", Evidence: Range(mark, e.N, "from the injection to its end"),
			}}, nil
		}
	}
	if err != nil {
		return []Finding{{
			Severity: Blocker, Title: "Is deaf after " + after, Expected: fmt.Sprintf("a request that can be answered within %s", within),
			Seen: fmt.Sprintf("none within %s", t.Clock.Since(start).Round(time.Second)), Evidence: Range(mark, t.Log.Len()-1, "from the injection on"),
		}}, nil
	}
	t.MeasureTime("to the next answered request after "+after, c.Since.Sub(start), "<= "+within.String())
	return nil, nil
}

// Copies are the times at which one message came, in events.
func Copies(events []evidence.Event, conn int, id uint16) []time.Time {
	var at []time.Time
	for _, e := range events {
		if m, ok := origin.Got(e); ok && e.Conn == conn && m.ID == id && m.Type == coap.CON {
			at = append(at, e.At)
		}
	}
	return at
}
