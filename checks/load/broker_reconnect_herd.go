package load

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
)

// BrokerReconnectHerd cuts all clients off and lets them come back at once.
var BrokerReconnectHerd = &check.Check{
	ID:    "load.broker-reconnect-herd",
	Title: "Takes all clients back when they reconnect at once",
	Why: "After an outage of the network or of the cloud all devices come back in the same second. " +
		"A broker that turns them away, or falls over, makes an hour of outage out of a minute.",
	Pass:         "all clients (200 at an open broker, else all test identities) that are cut off and reconnect within 1 s are accepted within 60 s, and none is refused",
	Fix:          "raise the limits for connections and for the rate of connecting; have devices spread their reconnects",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-3"},
	Incidents:    []string{"INC-039"},
	Rows:         []string{"broker.reconnect-herd"},
	Sources:      []string{"the 60 s are ours"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        3 * time.Minute,
	Run:          brokerReconnectHerd,
}

const (
	herdSize   = 200 // clients at an open broker
	herdWithin = 60 * time.Second
	herdRetry  = 2 * time.Second // pause after a refusal
)

// back is how one client came back.
type back struct {
	took    time.Duration // 0: it did not
	refused string        // the first refusal
}

func brokerReconnectHerd(ctx context.Context, t *check.T) error {
	if _, err := t.Room(ctx, 1); err != nil {
		return err
	}
	all := t.Cloud.Identities(herdSize)
	if len(all) < 3 {
		return check.NotRun("list at least 3 identities under clients:", "%d clients are no herd", len(all))
	}
	t.Step("connect %d clients, one after the other", len(all))
	var herd []*client.Conn
	for _, who := range all {
		if err := t.Clock.Sleep(ctx, min(1100*time.Millisecond, 5*time.Second/time.Duration(len(all)))); err != nil {
			return err
		}
		c, err := t.Cloud.Join(ctx, who)
		if err != nil {
			return check.Refuses(err)
		}
		herd = append(herd, c)
	}
	first := t.Log.Len()
	t.Step("cut them off, and reconnect them within a second")
	for _, c := range herd {
		c.Reset()
	}
	backs := make([]back, len(all))
	var running sync.WaitGroup
	start := t.Clock.Now()
	for i, who := range all {
		after := time.Duration(t.Rand.Int64N(int64(time.Second)))
		running.Go(func() { backs[i] = comeBack(ctx, t, who, after, start) })
	}
	running.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	slowest := time.Duration(0)
	for _, b := range backs {
		slowest = max(slowest, b.took)
	}
	t.Measure("clients", float64(len(all)), "", "")
	t.MeasureTime("last client back", slowest, fmt.Sprintf("<= %.0f s", herdWithin.Seconds()))
	t.Find(judgeHerd(backs, first, t.Log.Len()-1)...)
	return nil
}

// comeBack connects a client after a while, and again after each refusal.
func comeBack(ctx context.Context, t *check.T, who product.Client, after time.Duration, start time.Time) back {
	var b back
	if t.Clock.Sleep(ctx, after) != nil {
		return b
	}
	for t.Clock.Since(start) < herdWithin {
		c, err := t.Cloud.Dial(ctx, who)
		var ack client.Received
		if err == nil {
			ack, err = c.Connect(ctx)
		}
		if err == nil && ack.Code == 0 {
			b.took = t.Clock.Since(start)
			return b
		}
		if b.refused == "" {
			b.refused = refusal(ack, err)
		}
		if t.Clock.Sleep(ctx, herdRetry) != nil {
			return b
		}
	}
	return b
}

func refusal(ack client.Received, err error) string {
	if err != nil {
		return err.Error()
	}
	return (&mqtt.Packet{Type: mqtt.CONNACK, Version: ack.Version, Code: ack.Code}).String()
}

func judgeHerd(backs []back, first, last int) []check.Finding {
	away, refused, how := 0, 0, ""
	for _, b := range backs {
		if b.took == 0 || b.took > herdWithin {
			away++
		}
		if b.refused != "" {
			refused++
			how = b.refused
		}
	}
	evidence := check.Range(first, last, "the clients are cut off and come back")
	var found []check.Finding
	if away > 0 {
		found = append(found, check.Finding{
			Title: "Does not take all clients back", Evidence: evidence,
			Seen: fmt.Sprintf("%d of %d clients were not back within %.0f s", away, len(backs), herdWithin.Seconds()),
		})
	}
	if refused > 0 {
		found = append(found, check.Finding{
			Title: "Turns healthy clients away when all reconnect at once", Evidence: evidence,
			Seen: fmt.Sprintf("%d of %d clients were refused at least once, as with: %s", refused, len(backs), how),
		})
	}
	return found
}
