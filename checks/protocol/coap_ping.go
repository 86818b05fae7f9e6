package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/origin"
)

// CoapPing looks at a device that answers an empty message.
var CoapPing = &check.Check{
	ID:       "protocol.coap-ping",
	Title:    "Answers an empty message",
	Why:      "An empty confirmable message is how a server or a gateway asks whether a device is still there. Without an answer the device is taken for lost.",
	Pass:     "an empty confirmable message is answered by a reset with its message id within 10 s; none is left without one in 3 attempts",
	Fix:      "answer every confirmable message that holds no request by a reset (\"CoAP ping\")",
	Severity: check.Minor,
	Rows:     []string{"coap.ping"},
	Sources:  []string{"RFC 7252 section 4.3", "ETSI TD_COAP_CORE_31"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP},
	Impact:   check.Observes,
	Typical:  20 * time.Second,
	Limit:    10 * time.Minute,
	Run:      coapPing,
}

func coapPing(ctx context.Context, t *check.T) error {
	if _, err := t.Contact(ctx); err != nil {
		return err
	}
	for range 3 {
		peer, err := t.Awake(ctx)
		if err != nil {
			return err
		}
		if err := t.Clock.Sleep(ctx, time.Second); err != nil { // the exchange is over
			return err
		}
		ok, err := pinged(ctx, t, peer)
		if err != nil || ok {
			return err
		}
	}
	t.Find(check.Finding{Title: "Does not answer an empty message", Seen: fmt.Sprintf("12 empty confirmable messages, %s and more after it sent something, and no reset", time.Second)})
	return nil
}

// pinged reports whether the device answers one of up to 4 empty confirmable messages by a reset within 10 s. Some answer only one a
// second, so as not to be used against others.
func pinged(ctx context.Context, t *check.T, peer *origin.Peer) (bool, error) {
	mark, start := t.Log.Len(), t.Clock.Now()
	pings := map[uint16]bool{}
	for range 4 {
		ping := &coap.Message{Type: coap.CON, ID: peer.NextID()}
		pings[ping.ID] = true
		peer.Send(ping)
		e, ok, err := t.Device.AwaitMessage(ctx, mark, 2500*time.Millisecond, func(_ evidence.Event, m *coap.Message) bool {
			return m.Type == coap.RST && pings[m.ID]
		})
		if ok {
			t.MeasureTime("to the reset of an empty message", e.At.Sub(start), "<= 10 s")
		}
		if ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}
