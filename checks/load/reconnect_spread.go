package load

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// ReconnectSpread cuts a small fleet off at the same moment and compares when its units try again.
var ReconnectSpread = &check.Check{
	ID:    "load.reconnect-spread",
	Title: "Spreads its reconnects when a fleet is cut off at once",
	Why: "Every restart of a broker cuts all units off in the same instant. " +
		"When they come back in step, each wave is as high as the fleet, and the broker falls over at every one of them.",
	Pass: "of 12 units (6 when each is a process) cut off together, fewer than 90 % make their fifth attempt within the same second; " +
		"the peak of 10 % of a fleet of 100 in one second cannot be told from chance with so few, and is measured only",
	Fix:          "add chance to every pause: half of base × 2ⁿ and a random half, from a seed of the unit's own",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2i", "EN303645:5.9-3"},
	Incidents:    []string{"INC-039"},
	Rows:         []string{"mqtt.backoff.fleet-spread"},
	Sources: []string{
		"Exponential Backoff And Jitter, AWS Architecture Blog",
		"AWS IoT Device Advisor, test MQTT Connect Jitter Backoff Retries (other criterion: one unit, whose pauses differ between two runs)",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.MQTT, Can: []product.Capability{product.Restart}},
	Impact:  check.Restarts,
	Typical: 50 * time.Second,
	Limit:   20 * time.Minute,
	Run:     reconnectSpread,
}

const (
	round = 5               // the attempt that is compared: by then chance has had time to tell
	wait  = 5 * time.Minute // for it
)

func reconnectSpread(ctx context.Context, t *check.T) error {
	units, err := fleet(ctx, t)
	if err != nil {
		return err
	}
	t.Step("cut %d units off together, and drop each CONNECT", units)
	heal := t.Impair(t.Broker.When(broker.Rule{
		Dir: broker.In, Type: mqtt.CONNECT,
		Do: broker.All(broker.Answer(), broker.ThenClose()),
	}))
	mark := t.Log.Len()
	for _, c := range t.Broker.Conns() {
		c.Close()
	}
	times, ended, err := attemptsOf(ctx, t, mark, units)
	if err != nil {
		return err
	}
	last := t.Log.Len() - 1
	heal()
	for n := 1; n <= round; n++ {
		if together := at(times, n); len(together) > 1 {
			t.Measure(fmt.Sprintf("share of units in the fullest second of attempt %d", n), float64(fullest(together, time.Second))*100/float64(len(together)), "%", "")
		}
	}
	fifth := at(times, round)
	if len(fifth) < (units+1)/2 {
		return check.NotRun("see what fault.connect-no-connack and fault.reconnect-accept-close find",
			"only %d of %d units made %d attempts within %s; the processes of %d ended", len(fifth), units, round, wait, ended)
	}
	second := time.Second + t.Clock.Device(100*time.Millisecond) // that this machine may need for all of them
	for _, f := range judgeSpread(times, units, second) {
		f.Evidence = check.Range(mark, last, "the attempts of all units")
		t.Find(f)
	}
	t.Step("the broker is back: wait for one of them")
	if _, err := t.Device.NextSession(ctx, last+1, 2*t.Device.Cap()); err != nil {
		return check.Offline(err)
	}
	return nil
}

// fleet starts as many units as the driver allows and waits until all are connected.
func fleet(ctx context.Context, t *check.T) (units int, err error) {
	switch t.Device.Part.Driver {
	case "reference":
		units = 12
	case "process":
		units = 6
	default:
		return 0, check.NotRun("describe the device so that several units can be started, as with driver: process",
			"the %s driver has one unit", t.Device.Part.Driver)
	}
	t.Step("start %d units", units)
	if err := t.Device.Start(ctx); err != nil {
		return 0, err
	}
	for n := 2; n <= units; n++ {
		d, err := t.Unit(n)
		if err != nil {
			return 0, fmt.Errorf("open unit %d: %w", n, err)
		}
		if err := d.Start(ctx); err != nil {
			return 0, err
		}
	}
	within := 3 * t.Device.ConnectWithin() // so many at once may be too much for this machine
	limit, cancel := t.Clock.Timeout(ctx, within)
	defer cancel()
	for len(t.Broker.Conns()) < units {
		if t.Clock.Sleep(limit, 200*time.Millisecond) != nil {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			return 0, check.NotRun("find out with protocol.client-id-unique whether they have one client id",
				"%d of %d units were online together within %s", len(t.Broker.Conns()), units, within)
		}
	}
	return units, nil
}

// attemptsOf looks on until all units, told apart by client id, have made the attempts of all rounds, and returns when each began, and
// how many units have ended.
func attemptsOf(ctx context.Context, t *check.T, mark, units int) (times map[string][]time.Time, ended int, err error) {
	limit, cancel := t.Clock.Timeout(ctx, wait)
	defer cancel()
	times = map[string][]time.Time{}
	opened := map[int]time.Time{}
	for len(at(times, round)) < units && ended < units {
		e, err := t.Log.Await(limit, mark, func(e evidence.Event) bool {
			_, ok := broker.Got(e, mqtt.CONNECT)
			return ok || e.Kind == evidence.Open || e.Kind == evidence.Overflow || t.Device.Ends(e)
		})
		if err != nil || e.Kind == evidence.Overflow {
			return times, ended, ctx.Err() // the time is over: what was seen counts
		}
		if t.Device.Ends(e) {
			ended++
		} else if e.Kind == evidence.Open {
			opened[e.Conn] = e.At
		} else if p, ok := broker.Got(e, mqtt.CONNECT); ok {
			id := p.Connect.ClientID
			times[id] = append(times[id], opened[e.Conn])
		}
		mark = e.N + 1
	}
	return times, ended, nil
}

// at is when the units made their nth attempt, from 1, as far as they made it.
func at(times map[string][]time.Time, n int) []time.Time {
	var all []time.Time
	for _, own := range times {
		if len(own) >= n {
			all = append(all, own[n-1])
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// fullest is the most of the sorted times within any span.
func fullest(sorted []time.Time, span time.Duration) int {
	most, from := 0, 0
	for to := range sorted {
		for sorted[to].Sub(sorted[from]) > span {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

// judgeSpread compares the fifth attempts. With the mildest usual chance, a random half of each pause, they are spread over
// fifteen seconds: that all of even six units fall into the same second then happens less than once in a thousand times.
func judgeSpread(times map[string][]time.Time, units int, second time.Duration) []check.Finding {
	fifth := at(times, round)
	n := fullest(fifth, second)
	if 10*n < 9*len(fifth) {
		return nil
	}
	return []check.Finding{{
		Title:    "Units that are cut off together try again together",
		Expected: fmt.Sprintf("fewer than 90 %% of the units in the same second at attempt %d", round),
		Seen: fmt.Sprintf("%d of %d units made attempt %d within %.1f s; %.1f s lay between the first and the last", n, units, round,
			second.Seconds(), fifth[len(fifth)-1].Sub(fifth[0]).Seconds()),
	}}
}
