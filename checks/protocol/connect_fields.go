package protocol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// ConnectFields reads the CONNECT packet strictly.
var ConnectFields = &check.Check{
	ID:    "protocol.connect-fields",
	Title: "Sends a CONNECT packet as the standard wants it",
	Why: "Lenient brokers take a malformed CONNECT, strict ones close the connection. " +
		"The product works in the lab until the broker is updated, and then none of it connects.",
	Pass: "the first packet is a CONNECT with protocol name MQTT, level 4 or 5, reserved flag 0, consistent flags, the fields in order " +
		"and nothing after them, and, in 5.0, only properties that belong there, each at most once",
	Fix:      "compare the bytes in the evidence with section 3.1; the finding names the offset of the first fault",
	Severity: check.Major,
	Rows:     []string{"mqtt.connect.fields"},
	Sources: []string{
		"MQTT-3.1.0-1", "MQTT-3.1.2-1", "MQTT-3.1.2-2", "MQTT-3.1.2-3", "MQTT-3.1.3-1",
		"eclipse/iottestware.mqtt, TP_MQTT_CLIENT_CONNECT_001 to 014",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:  check.Observes,
	Typical: 5 * time.Second,
	Limit:   5 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		t.Step("power on, and read its first packet")
		mark := t.Log.Len()
		if err := t.Device.Start(ctx); err != nil {
			return err
		}
		wait, cancel := t.Clock.Timeout(ctx, t.Device.ConnectWithin()*3/2)
		defer cancel()
		e, err := t.Log.Await(wait, mark, func(e evidence.Event) bool {
			_, connect := broker.Got(e, mqtt.CONNECT)
			return connect || e.Kind == evidence.Bad && e.Part == t.Product.LinkOf(t.Device.Part.Name, product.MQTT).To
		})
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return check.NotRun("see what protocol.connect-happy finds", "no CONNECT came within %s", t.Device.ConnectWithin()*3/2)
		}
		if err != nil {
			return err
		}
		t.Find(judgeConnectFields(e)...)
		return nil
	},
}

// judgeConnectFields judges the event that the first packet gave: a CONNECT that decoded strictly, or what was wrong.
func judgeConnectFields(e evidence.Event) []check.Finding {
	if e.Kind != evidence.Bad {
		return nil
	}
	return []check.Finding{{
		Title:    "Sends a malformed CONNECT",
		Expected: "a CONNECT that keeps to section 3.1 of the standard",
		Seen:     fmt.Sprintf("%s; it begins %s", e.Text, e.Hex),
		Evidence: check.Range(e.N, e.N, "the packet"),
	}}
}
