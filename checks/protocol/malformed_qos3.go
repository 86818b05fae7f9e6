package protocol

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// MalformedQos3 sends a PUBLISH with QoS 3, first once and then on every new connection.
var MalformedQos3 = &check.Check{
	ID:    "protocol.malformed-qos3",
	Title: "Closes on QoS 3, and does not hammer a broker that sends it",
	Why: "One such packet, from a broker with a bug or from someone on the way, and the two sides no longer agree on what was said. " +
		"A device that goes on acts on commands that nobody gave; one that comes back at once, a hundred times a second, brings the broker down with it.",
	Pass: "closes the connection within 5 s, carries nothing of it out, connects anew and works; " +
		"when every new connection brings another, the median pause between attempts is 0.2 s or more",
	Fix:          "close the connection on QoS 3, and let the back-off begin anew only after a session that lasted",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.13-1B", "EN303645:5.9-3", "CRA:I.2h"},
	Rows:         []string{"mqtt.malformed.qos3"},
	Sources:      []string{"MQTT-3.3.1-4", "MQTT-4.8.0-1 (3.1.1)", "MQTT 5.0 section 4.13.1", "github.com/wolfSSL/wolfMQTT/issues/504"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      30 * time.Second,
	Limit:        30 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		if err := injectEach(ctx, t, qos3); err != nil {
			return err
		}
		return hammering(ctx, t)
	},
}

func qos3(c carrier) []injection {
	return []injection{c.with("a PUBLISH with QoS 3", func(p *mqtt.Packet) { p.QoS, p.ID = 3, unknownID })}
}

// hammering sends a PUBLISH with QoS 3 behind every CONNACK and looks at the pauses between the attempts. A device that keeps the
// connection makes no attempts, which injectEach has judged.
func hammering(ctx context.Context, t *check.T) error {
	t.Step("send a PUBLISH with QoS 3 behind every CONNACK")
	raw := (&mqtt.Packet{Type: mqtt.PUBLISH, QoS: 3, ID: unknownID, Topic: "shakedown/" + t.Device.ID}).Bytes()
	heal := t.Impair(t.Broker.When(broker.Rule{Dir: broker.Out, Type: mqtt.CONNACK, Do: broker.Then(func(c *broker.Conn) {
		_ = c.SendRaw("a PUBLISH with QoS 3", raw) // a connection that has ended is an attempt like any other
	})}))
	mark := t.Log.Len()
	for _, c := range t.Broker.Conns() {
		c.Close()
	}
	f, err := t.Device.Face(ctx, testbed.Facing{Heal: heal, Attempts: 5, Within: 20 * time.Second})
	if err != nil {
		return check.Offline(err)
	}
	t.Find(judgeHammering(testbed.Attempts(t.Log.Since(mark)[:f.Last+1-mark]))...)
	return nil
}

// judgeHammering needs three pauses: one quick reconnect is in order.
func judgeHammering(attempts []testbed.Attempt) []check.Finding {
	gaps := testbed.Gaps(attempts)
	if len(gaps) < 3 {
		return nil
	}
	slices.Sort(gaps)
	median := gaps[len(gaps)/2]
	if median >= 200*time.Millisecond {
		return nil
	}
	first, last := attempts[0], attempts[len(attempts)-1]
	return []check.Finding{{
		Title:    "Reconnects without a pause when every connection brings a malformed packet",
		Expected: "the median pause between attempts is 0.2 s or more",
		Seen:     fmt.Sprintf("%d attempts with a median pause of %.3f s", len(attempts), median.Seconds()),
		Evidence: check.Range(first.First, last.Last, "the attempts"),
	}}
}
