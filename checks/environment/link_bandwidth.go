package environment

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/product"
)

// LinkBandwidth makes the way to the internet as narrow as that of a mobile network at its edge.
var LinkBandwidth = &check.Check{
	ID:    "environment.link-bandwidth",
	Title: "Connects and works at 32 kbit/s",
	Why: "In a basement, on a ship or after the data plan is used up 32 kbit/s are left. " +
		"A device that says more than fits is always behind, and obeys a command minutes late.",
	Pass:         "with 32 kbit/s in both directions the device is online within its declared time and 60 s, answers at least 7 of 8 trials within 10 s, makes at most one connection anew, and works afterwards",
	Fix:          "count what the device sends in a minute; put logs and pictures behind what must arrive in time",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1", "EN303645:5.9-3"},
	Rows:         []string{"net.bandwidth"},
	Sources:      []string{"32 kbit/s: what mobile plans leave when the volume is used up; our choice"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Restarts,
	Typical:      35 * time.Second,
	Limit:        30 * time.Minute,
	Run:          linkBandwidth,
}

func linkBandwidth(ctx context.Context, t *check.T) error {
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	const on = "a link of 32 kbit/s"
	t.Step("leave 32 kbit/s in both directions, and start it anew")
	heal := t.Impair(t.World.Home().Uplink.Rate(frame.Both, frame.Rate{BitsPerSecond: 32e3, Queue: 16 << 10}))
	j, s, err := join(ctx, t, on, connectWithin)
	if err != nil {
		return err
	}
	t.Find(judgeJoined(j)...)
	if s != nil {
		f, next, err := work(ctx, t, s, on, 8, 1)
		if err != nil {
			return err
		}
		s = next
		t.Find(judgeStrained(f)...)
	}
	mark := t.Log.Len()
	heal()
	_, byItself, err := recovers(ctx, t, s, mark)
	if err != nil {
		return err
	}
	t.Find(judgeBack(strained{on: on, first: j.first, last: mark}, byItself)...)
	return nil
}
