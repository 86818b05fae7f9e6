package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/client"
)

// BrokerReconnectHerd cuts the whole fleet off and lets it come back.
var BrokerReconnectHerd = &check.Check{
	ID:    "load.broker-reconnect-herd",
	Title: "Takes all devices back when they reconnect at once",
	Why: "After an outage of the network or of the cloud all devices come back in the same second. " +
		"A broker that turns them away, or falls over, makes an hour of outage out of a minute.",
	Pass:         "all devices of the fleet (200 at an open broker without a declared one) that are cut off at once and come back by their back-off are connected again within 60 s, and none is refused",
	Fix:          "raise the limits for connections and for the rate of connecting; have devices spread their reconnects",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-3"},
	Incidents:    []string{"INC-039"},
	Rows:         []string{"broker.reconnect-herd"},
	Sources:      []string{"the 60 s are ours"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        2 * time.Hour,
	Run:          brokerReconnectHerd,
}

const herdWithin = 60 * time.Second

func brokerReconnectHerd(ctx context.Context, t *check.T) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	if f.Devices < 3 {
		return check.NotRun("raise devices: under fleet:", "%d devices are no herd", f.Devices)
	}
	l := testbed.Load{Fleet: awake(f), Shape: "reconnect-storm", For: span(f, 30*time.Second, 0.3)}
	if t.Clock.Device(time.Second) == time.Second { // a real one gets all the time that it may take
		l.For = max(l.For, 2*herdWithin+10*time.Second)
	}
	t.Step("cut %d devices off together, and see them come back", f.Devices)
	watcher, unread := seesHeap(ctx, t, t.Cloud.Operator(f))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch {
	case unread != nil && watcher != nil:
		watcher.Disconnect(0)
	case unread == nil && !t.Cloud.Open(): // the one who looks on is the operator itself
		l.Blind = true
		for i := range l.Fleet.Classes {
			l.Fleet.Classes[i].Commands = nil
		}
	}
	begun, heap := t.Clock.Now(), make([]float64, 2)
	r, err := during(ctx, t, "All devices reconnect at once", l, showsConnections, func(ctx context.Context) error {
		if unread == nil {
			unread = aroundStorm(ctx, t, watcher, begun, l.For, heap)
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	if unread != nil {
		t.Record("the broker's memory is not readable: %v", unread)
	} else {
		t.Measure("memory of the broker before the storm", heap[0], "bytes", "")
		t.Measure("memory of the broker after the storm", heap[1], "bytes", "")
	}
	h := herd{devices: f.Devices, connected: atEnd(r), cut: len(r.Outages) > 0 && r.Outages[0].Devices > 0}
	if h.cut {
		h.back = t.Clock.Device(time.Duration(r.Outages[0].Back * float64(time.Second)))
		t.MeasureTime("last device back", h.back, fmt.Sprintf("<= %.0f s", herdWithin.Seconds()))
	}
	t.Find(judgeHerd(h, r)...)
	return nil
}

// seesHeap connects somebody who sees what the broker tells of its memory: the fleet's operator, or at an open broker somebody beside it. The
// error says why nobody can.
func seesHeap(ctx context.Context, t *check.T, who product.Client) (*client.Conn, error) {
	c, err := t.LookOn(ctx, who, nil, func(o *client.Options) {
		if t.Cloud.Open() {
			o.ClientID += "-memory"
		}
	})
	if err != nil {
		return nil, err
	}
	return c, tells(ctx, c)
}

// aroundStorm reads the broker's memory shortly before all are cut off, half-way through the course that began at a time, and again shortly
// before its end. What brokers tell may be ten seconds old.
func aroundStorm(ctx context.Context, t *check.T, c *client.Conn, begun time.Time, length time.Duration, heap []float64) (err error) {
	if t.Clock.Now().Sub(begun) >= length/2 {
		return errors.New("the fleet was not connected before it was cut off")
	}
	if err := t.Clock.Sleep(ctx, begun.Add(length*9/20).Sub(t.Clock.Now())); err != nil {
		return err
	}
	if heap[0], err = told(c); err != nil {
		return err
	}
	if err := t.Clock.Sleep(ctx, begun.Add(length*19/20).Sub(t.Clock.Now())); err != nil {
		return err
	}
	heap[1], err = told(c)
	return err
}

// herd is how a fleet came back.
type herd struct {
	devices, connected int           // of the fleet, and in the end
	cut                bool          // some were connected, and cut off
	back               time.Duration // until the last of those that came back was back
}

func judgeHerd(h herd, r *series.Record) []check.Finding {
	var found []check.Finding
	switch {
	case h.connected < h.devices:
		found = append(found, check.Finding{
			Title: "Does not take all devices back", Seen: fmt.Sprintf("%d of %d devices were connected in the end%s", h.connected, h.devices, reasons(r)),
		})
	case h.cut && h.back > herdWithin:
		found = append(found, check.Finding{
			Title: "Takes devices back late", Seen: fmt.Sprintf("the last of %d devices was back after %.0f s", h.devices, h.back.Seconds()),
		})
	}
	if n := r.Totals.Counts; n[series.Refused]+n[series.Broken] > 0 {
		found = append(found, check.Finding{
			Title: "Turns healthy devices away when all reconnect at once",
			Seen: fmt.Sprintf("%d of %d attempts to connect were refused, and %d ended without an answer%s",
				n[series.Refused], n[series.Attempts], n[series.Broken], reasons(r)),
		})
	}
	return found
}
