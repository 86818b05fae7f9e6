package fleet

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// TestSleep has devices leave in good order and come back, on both ways: their wills stay with the broker, and who sleeps is not missed.
func TestSleep(t *testing.T) {
	t.Parallel()
	for _, by := range []bool{false, true} {
		t.Run(fmt.Sprintf("by goroutines %v", by), func(t *testing.T) {
			t.Parallel()
			f := open(t, nil, nil)
			var goodbyes, wills atomic.Int64
			f.broker.When(broker.Rule{Dir: broker.In, Type: mqtt.DISCONNECT, Match: func(c *broker.Conn, _ *mqtt.Packet) bool {
				if strings.HasPrefix(c.ClientID(), "meter") {
					goodbyes.Add(1)
				}
				return false
			}})
			f.broker.When(broker.Rule{Dir: broker.Out, Type: mqtt.PUBLISH, Match: func(_ *broker.Conn, p *mqtt.Packet) bool {
				if string(p.Payload) == "gone" {
					wills.Add(1)
				}
				return false
			}})
			j := job(f, 20, 100*time.Millisecond, func(c *product.Class) {
				c.Sleep = &product.Sleep{Awake: product.Duration(300 * time.Millisecond), Asleep: product.Duration(400 * time.Millisecond)}
				c.Will = &product.Post{Topic: "meter/{id}/telemetry", Payload: "gone"}
			})
			j.Goroutine, j.For, j.Drain = by, 4500*time.Millisecond, 500*time.Millisecond // four seconds end in it, each at another place of the cycle
			r := do(t, j)
			n := r.Totals.Counts
			// Under the race detector answers of the broker may be under way when a device has closed; it then meets an error before the goodbye.
			unread := int64(n[series.Accepted]) - goodbyes.Load()
			lost := wills.Load() > 0 && (!testing.Short() || wills.Load() > unread)
			if n[series.Accepted] < 60 || uint64(goodbyes.Load()) < n[series.Accepted]-20 || lost || n[series.Dropped] > 0 || r.Messages.Lost > 0 {
				t.Errorf("accepted %d, %d goodbyes, %d wills, dropped %d, account %+v", n[series.Accepted], goodbyes.Load(), wills.Load(), n[series.Dropped], *r.Messages)
			}
			least := 20
			for _, p := range r.Points[:4] {
				if least = min(least, p.Devices); p.Devices-p.Connected > 2 {
					t.Errorf("second %d: %d connected of %d that were meant to be", p.Second, p.Connected, p.Devices)
				}
			}
			if least > 15 {
				t.Errorf("%d devices at least were meant to be connected, although they sleep", least)
			}
		})
	}
}

// TestOperatorIsHeard has the broker refuse the operator's last subscriptions, of more than go into one packet.
func TestOperatorIsHeard(t *testing.T) {
	t.Parallel()
	f := open(t, nil, nil)
	j := job(f, 5, time.Second, func(c *product.Class) {
		one := c.Telemetry[0]
		for k := range 60 {
			one.Topic = fmt.Sprintf("meter/{id}/telemetry/%d", k)
			c.Telemetry = append(c.Telemetry, one)
		}
	})
	subscribes := 0
	f.broker.When(broker.Rule{Dir: broker.In, Type: mqtt.SUBSCRIBE, Do: func(ex *broker.Exchange) {
		if subscribes++; subscribes == 2 {
			ex.Answer(&mqtt.Packet{Type: mqtt.SUBACK, ID: ex.Packet.ID, Codes: []byte{0x80}})
		}
	}})
	if _, err := Do(t.Context(), j, nil); err == nil || !strings.Contains(err.Error(), "SUBACK") {
		t.Errorf("it began although the operator hears only in part: %v", err)
	}
}

// TestTwoRuns has two fleets at one broker at once: neither run ends the session of the other's operator.
func TestTwoRuns(t *testing.T) {
	t.Parallel()
	f := open(t, nil, nil)
	records, failures := make([]*series.Record, 2), make([]error, 2)
	var runs sync.WaitGroup
	for k := range records {
		j := job(f, 5, 100*time.Millisecond, func(c *product.Class) { c.Name = fmt.Sprint("meter", k) })
		runs.Go(func() { records[k], failures[k] = Do(t.Context(), j, nil) })
	}
	runs.Wait()
	if err := errors.Join(failures...); err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if m := r.Messages; m.Sent == 0 || m.Arrived != m.Sent || r.Totals.Counts[series.Accepted] != 5 {
			t.Errorf("accepted %d, account %+v", r.Totals.Counts[series.Accepted], *m)
		}
	}
}
