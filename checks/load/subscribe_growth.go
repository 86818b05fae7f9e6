package load

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// SubscribeGrowth makes hundreds of subscriptions and compares the last with the first.
var SubscribeGrowth = &check.Check{
	ID:    "load.subscribe-growth",
	Title: "Takes the last of many subscriptions as fast as the first",
	Why: "A gateway subscribes for each device behind it. Where a broker looks through all subscriptions for each new one, ten times as many " +
		"take a hundred times as long, and after an outage the gateways come back for hours.",
	Pass: "of 320 subscriptions of one client, 20 to a packet, the last quarter is answered in less than 2 s a packet, or in less than ten times " +
		"what the first took",
	Fix:          "keep subscriptions in a tree or a map, not in a list",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Sources:      []string{"the figures are ours"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      5 * time.Second,
	Limit:        20 * time.Minute,
	Run:          subscribeGrowth,
}

const (
	subPackets = 16
	subEach    = 20
)

func subscribeGrowth(ctx context.Context, t *check.T) error {
	room, err := t.Room(ctx, 1)
	if err != nil {
		return err
	}
	var all [][]time.Duration
	for range 2 { // what grows once by chance does not do so twice
		t.Step("make %d subscriptions", subPackets*subEach)
		times, err := timeSubscriptions(ctx, t, room)
		if err != nil {
			return err
		}
		if all = append(all, times); judgeGrowth(times) == nil {
			break
		}
	}
	last := quarters(all[len(all)-1])
	t.MeasureTime("SUBSCRIBE of the last quarter", last[3], "< 2 s")
	t.Find(judgeGrowth(all...)...)
	return nil
}

// timeSubscriptions is how long the answer to each packet took.
func timeSubscriptions(ctx context.Context, t *check.T, room testbed.Room) ([]time.Duration, error) {
	c, err := t.Join(ctx, room, 0)
	if err != nil {
		return nil, err
	}
	defer c.Disconnect(0)
	var times []time.Duration
	for k := range subPackets {
		var subs []mqtt.Subscription
		for i := range subEach {
			subs = append(subs, mqtt.Subscription{Filter: room.Topic(fmt.Sprintf("many/%d", k*subEach+i)), QoS: 1})
		}
		start := t.Clock.Now()
		codes, err := c.Subscribe(ctx, subs...)
		if err != nil {
			return nil, check.Refuses(err)
		}
		if n := refusedAt(codes); n >= 0 {
			return nil, check.NotApplicable("it refuses subscription %d of a client, so that there are not enough to compare", k*subEach+n+1)
		}
		times = append(times, t.Clock.Since(start))
	}
	return times, nil
}

// refusedAt is which of the subscriptions of a packet was the first to be refused, from 0; -1: none.
func refusedAt(codes []byte) int {
	return slices.IndexFunc(codes, func(code byte) bool { return code > 2 })
}

// quarters are the medians of the quarters of what was timed.
func quarters(times []time.Duration) (q [4]time.Duration) {
	for i := range q {
		part := slices.Sorted(slices.Values(times[i*len(times)/4 : (i+1)*len(times)/4]))
		q[i] = part[len(part)/2]
	}
	return q
}

// judgeGrowth finds growth that shows in every repetition.
func judgeGrowth(all ...[]time.Duration) []check.Finding {
	var q [4]time.Duration
	for _, times := range all {
		q = quarters(times)
		if q[3] < 2*time.Second || q[3] < 10*q[0] || q[1] <= q[0] || q[2] <= q[1] || q[3] <= q[2] {
			return nil
		}
	}
	return []check.Finding{{
		Title: "Takes longer for each subscription the more there are",
		Seen: fmt.Sprintf("a packet of %d subscriptions took %.2f s in the first quarter of %d, %.2f s in the second, %.2f s in the third, and %.2f s in the last",
			subEach, q[0].Seconds(), subPackets*subEach, q[1].Seconds(), q[2].Seconds(), q[3].Seconds()),
	}}
}
