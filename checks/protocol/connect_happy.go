package protocol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// ConnectHappy is the first thing to run on a new device: every other check of a device builds on it.
var ConnectHappy = &check.Check{
	ID:    "protocol.connect-happy",
	Title: "Connects to a healthy broker",
	Why: "A device that does not get online in an ordinary world is returned to the shop. " +
		"Nothing else can be learned from it either.",
	Pass:         "an accepted CONNECT, and the subscriptions that it needs, within the declared connect_within (120 s when not declared) of power-on",
	Fix:          "read the device's console in the evidence: which step towards the broker is the last that it reports?",
	Severity:     check.Blocker,
	Requirements: []string{"EN303645:5.9-3"},
	Rows:         []string{"mqtt.connect.happy"},
	Sources:      []string{"AWS IoT Device Advisor, test MQTT Connect (same criterion)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      5 * time.Second,
	Limit:        5 * time.Minute,
	Run:          connectHappy,
}

func connectHappy(ctx context.Context, t *check.T) error {
	t.Step("power on, and wait for an accepted connection")
	start := t.Clock.Now()
	s, err := t.Device.Online(ctx)
	if err != nil && !errors.Is(err, testbed.ErrOffline) {
		return err
	}
	if err == nil {
		t.MeasureTime("power-on to accepted connection", s.Since.Sub(start), fmt.Sprintf("<= %.0f s", t.Device.ConnectWithin().Seconds()))
	}
	t.Find(judgeConnectHappy(t.Device.ConnectWithin(), s, start, err)...)
	return nil
}

func judgeConnectHappy(limit time.Duration, s *testbed.Session, start time.Time, err error) []check.Finding {
	switch {
	case err != nil:
		return []check.Finding{{Title: "Does not get online with a healthy broker", Seen: err.Error()}}
	case s.Since.Sub(start) > limit:
		return []check.Finding{{
			Severity: check.Major,
			Title:    "Gets online later than declared",
			Expected: fmt.Sprintf("an accepted connection within %s of power-on", limit),
			Seen:     fmt.Sprintf("it took %.1f s", s.Since.Sub(start).Seconds()),
		}}
	}
	return nil
}
