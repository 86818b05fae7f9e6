package protocol

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/origin"
)

// CoapConJitter looks at a device that waits for a time of its own before it sends a message again.
var CoapConJitter = &check.Check{
	ID:       "protocol.coap-con-jitter",
	Title:    "Waits for a time of its own before it sends a message again",
	Why:      "After a power cut all devices of a town send at once. When all repeat after exactly the same time, they collide again, and again.",
	Pass:     "the first time-outs of 10 messages are spread over at least 0.15 s without the longest and the shortest",
	Fix:      "draw the first time-out from ACK_TIMEOUT to ACK_TIMEOUT times ACK_RANDOM_FACTOR anew for each message",
	Severity: check.Minor,
	Rows:     []string{"coap.con.jitter"},
	Sources:  []string{"RFC 7252 section 4.2"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP},
	Impact:   check.Disturbs,
	Typical:  time.Minute,
	Limit:    20 * time.Minute,
	Run:      coapConJitter,
}

func coapConJitter(ctx context.Context, t *check.T) error {
	if _, err := t.Contact(ctx); err != nil {
		return err
	}
	t.Step("lose the first copy of every message")
	mark := t.Log.Len()
	seen := map[uint16]bool{}
	t.Impair(t.CoAP.When(origin.Rule{Dir: origin.In, Do: origin.Drop(), Match: func(_ *origin.Peer, m *coap.Message) bool {
		first := m.Type == coap.CON && m.Code.Request() && !seen[m.ID]
		seen[m.ID] = true
		return first
	}}))
	var waits []time.Duration
	for _, want := range []int{10, 20} {
		var err error
		if waits, err = firstWaits(ctx, t, mark, want); err != nil {
			return err
		}
		if len(judgeFirstWaits(waits)) == 0 {
			break // else it may be chance: look at more of them
		}
	}
	t.MeasureTime("spread of the first time-outs", spread(waits), ">= 0.15 s")
	t.Find(judgeFirstWaits(waits)...)
	return nil
}

// firstWaits waits until so many messages were sent again, and returns their first waits.
func firstWaits(ctx context.Context, t *check.T, mark, want int) ([]time.Duration, error) {
	type key struct {
		conn int
		id   uint16
	}
	first, waits := map[key]time.Time{}, []time.Duration{}
	_, ok, err := t.Device.AwaitMessage(ctx, mark, time.Duration(want)*t.Device.Reports(), func(e evidence.Event, m *coap.Message) bool {
		k := key{e.Conn, m.ID}
		if m.Type != coap.CON || !m.Code.Request() {
			return false
		}
		if at, again := first[k]; again && !at.IsZero() {
			waits = append(waits, e.At.Sub(at))
			first[k] = time.Time{}
		} else if !again {
			first[k] = e.At
		}
		return len(waits) >= want
	})
	if err == nil && !ok && len(waits) < 10 {
		return nil, check.NotRun("a device that sends more often can be judged", "only %d messages were sent again", len(waits))
	}
	return waits, err
}

// spread is the difference of the second longest and the second shortest.
func spread(waits []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(waits))
	if len(sorted) < 4 {
		return 0
	}
	return sorted[len(sorted)-2] - sorted[1]
}

func judgeFirstWaits(waits []time.Duration) []check.Finding {
	if s := spread(waits); s < 150*time.Millisecond {
		return []check.Finding{{Title: "Always waits for the same time before it sends a message again", Seen: fmt.Sprintf("%d first time-outs are spread over %.2f s", len(waits), s.Seconds())}}
	}
	return nil
}
