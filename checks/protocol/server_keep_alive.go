package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/broker"
)

// ServerKeepAlive imposes a shorter keep-alive than the device asked for.
var ServerKeepAlive = &check.Check{
	ID:    "protocol.server-keep-alive",
	Title: "Keeps to the keep-alive that the server sets",
	Why: "A cloud shortens keep-alives when its load balancer or a network operator forgets idle connections sooner than thought. " +
		"A device that goes on with its own is cut off over and over.",
	Pass:         "with Server Keep Alive 10 s in CONNACK (5 s when its own is 10 s or less) no pause between two packets of the device exceeds that by more than 1 s (minor), and none reaches 1.5 times that (major)",
	Fix:          "take the Server Keep Alive property of CONNACK in place of the value in CONNECT",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-3"},
	Rows:         []string{"mqtt.keepalive.server-override"},
	Sources:      []string{"MQTT-3.1.2-21 (5.0)", "MQTT-3.2.2-21 (5.0)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Version: "5.0"},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        15 * time.Minute,
	Run:          serverKeepAlive,
}

func serverKeepAlive(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	own, k := s.KeepAlive(), 10*time.Second
	if own > 0 && own <= k {
		k = 5 * time.Second
	}
	if own > 0 && own <= k {
		return check.NotApplicable("its own keep-alive is %s already", own)
	}
	t.Step("connect again with Server Keep Alive %.0f s; its own is %.0f s", k.Seconds(), own.Seconds())
	set := func(seconds uint16) { t.Broker.Set(func(o *broker.Options) { o.ServerKeepAlive = seconds }) }
	set(uint16(k / time.Second))
	defer set(0)
	if s, err = reopen(ctx, t, s); err != nil {
		return err
	}
	p, err := watchPauses(ctx, t, s, k)
	if err != nil {
		return err
	}
	t.MeasureTime("longest pause between two packets", p.longest, "<= "+(k+p.grace).String())
	t.Find(judgePause(p, k, "the server's keep-alive")...)
	return nil
}
