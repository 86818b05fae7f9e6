package environment

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// flapFor is how long the link flaps.
const flapFor = time.Minute

// LinkFlap takes the device's link down and up again, over and over.
var LinkFlap = &check.Check{
	ID:    "environment.link-flap",
	Title: "Survives a link that goes down and up every 5 s",
	Why: "A loose plug, a failing access point or a door that opens and closes takes the link away every few seconds. " +
		"Devices leak a little each time, until they hang or restart.",
	Pass:         "for 60 s the link is down for 5 s and up for 5 s in turn: the process of the device does not end, and it answers within twice its reconnect cap and 30 s of the end",
	Fix:          "have one state machine for the link, which may be told up and down at any time, and free in one place what belongs to a connection",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1"},
	Rows:         []string{"net.flap"},
	Sources:      []string{"the figures are our choice; the catalogue asks for 10 min, which --repeat gives"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      80 * time.Second,
	Limit:        45 * time.Minute,
	Run:          linkFlap,
}

func linkFlap(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	f := strained{on: "a link that goes down and up every 5 s", first: t.Log.Len()}
	t.Step("take the link down and up again, for %s", flapFor)
	heal := t.Impair(t.Access.Flap(5*time.Second, 5*time.Second))
	if err := t.Clock.Sleep(ctx, flapFor); err != nil {
		return err
	}
	heal()
	f.exits, f.last = crashes(t, f.first), t.Log.Len()-1
	t.Measure("connections while the link flaps", float64(len(testbed.Attempts(t.Log.Since(f.first)))), "", "")
	t.Find(judgeExits(f)...)
	if len(f.exits) > 0 {
		return nil
	}
	for _, a := range testbed.Attempts(t.Log.Since(f.first)) {
		if !a.Accepted.IsZero() {
			s = nil // it is in another session by now, or in none
		}
	}
	_, byItself, err := recovers(ctx, t, s, f.first)
	if err != nil {
		return err
	}
	t.Find(judgeBack(f, byItself)...)
	return nil
}
