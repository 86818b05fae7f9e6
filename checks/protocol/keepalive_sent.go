package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// KeepaliveSent looks at how long an idle device is silent.
var KeepaliveSent = &check.Check{
	ID:    "protocol.keepalive-sent",
	Title: "Pings in time when there is nothing else to say",
	Why: "A server cuts off a client that is silent for one and a half keep-alives. " +
		"The device then drops out again and again while it is idle, mostly at night, and its will says that it is gone.",
	Pass:         "over at least one keep-alive on an idle connection no pause between two packets of the device exceeds the keep-alive by more than 1 s (minor), and none reaches 1.5 times the keep-alive (blocker)",
	Fix:          "run the MQTT library's loop also when there is no traffic, and let its timer count from the last packet sent",
	Severity:     check.Blocker,
	Requirements: []string{"EN303645:5.9-3"},
	Rows:         []string{"mqtt.keepalive.sent"},
	Sources:      []string{"MQTT-3.1.2-23 (3.1.1)", "MQTT-3.1.2-20 (5.0)", "MQTT-3.1.2-24 (3.1.1): the server's 1.5 times"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      65 * time.Second,
	Limit:        45 * time.Minute,
	Run:          keepaliveSent,
}

func keepaliveSent(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	k, err := check.KeepAlive(s)
	if err != nil {
		return err
	}
	t.Step("look at the pauses between its packets; its keep-alive is %.0f s", k.Seconds())
	p, err := watchPauses(ctx, t, s, k)
	if err != nil {
		return err
	}
	t.MeasureTime("longest pause between two packets", p.longest, "<= "+(k+p.grace).String())
	t.Find(judgePause(p, k, "its keep-alive")...)
	return nil
}
