package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/product"
)

// LinkLatency has the way to the internet take its time.
var LinkLatency = &check.Check{
	ID:    "environment.link-latency",
	Title: "Connects and works over a long way",
	Why: "Satellites, mobile networks at the edge and full queues take a second for a question and its answer. " +
		"A device whose timeouts come from the laboratory never connects there.",
	Pass: "with round trips of 300 ms and of 1 s, both with a jitter of 50 %, the device is online within its declared time and 60 s, " +
		"answers at least 4 of 5 trials and makes at most one connection anew; with 3 s its process does not end",
	Fix:          "give each step towards the server its own timeout of 10 s or more, and every answer 15 s",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1", "EN303645:5.9-3"},
	Rows:         []string{"net.latency"},
	Sources:      []string{"the figures are those of GEO satellites and NB-IoT: our choice"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Restarts,
	Typical:      70 * time.Second,
	Limit:        45 * time.Minute,
	Run:          linkLatency,
}

func linkLatency(ctx context.Context, t *check.T) error {
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	for _, rtt := range []time.Duration{300 * time.Millisecond, time.Second, 3 * time.Second} {
		on := fmt.Sprintf("a link with a round trip of %s", rtt)
		t.Step("let a round trip take %s, and start it anew", rtt)
		heal := t.Impair(t.World.Home().Uplink.Latency(frame.Both, frame.Latency{Delay: rtt / 2, Jitter: rtt / 8}))
		j, s, err := join(ctx, t, on, connectWithin)
		if err != nil {
			return err
		}
		most := 3 * time.Second
		if rtt == most {
			t.Find(judgeExits(strained{on: on, exits: j.exits, first: j.first})...)
		} else {
			t.Find(judgeJoined(j)...)
		}
		if s != nil && rtt < most {
			f, next, err := work(ctx, t, s, on, 5, 1)
			if err != nil {
				return err
			}
			s = next
			t.Find(judgeStrained(f)...)
		}
		mark := t.Log.Len()
		heal()
		if _, _, err := recovers(ctx, t, s, mark); err != nil { // the control: it connects on a good link
			return err
		}
	}
	return nil
}
