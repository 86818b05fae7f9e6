package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// PowerCutAll takes the power from the device and its router at once.
var PowerCutAll = &check.Check{
	ID:    "environment.power-cut-all",
	Title: "Comes online after a power cut of the whole house",
	Why: "After a power cut everything starts at once: the device in a second, the router in one or two minutes. " +
		"A device that looks for its network only while it starts stays offline, in every house of the street.",
	Pass:         "when device and router get their power back together, and the router takes 80 s to start, it is online within 5 minutes (a proposal)",
	Fix:          "look for link, address, name and server again and again, without end and without a reboot",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-2", "EN303645:5.9-3"},
	Rows:         []string{"net.power-cut-all"},
	Sources:      []string{"github.com/esp8266/Arduino issue 3150"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true, Can: []product.Capability{product.PowerCut}},
	Impact:       check.Restarts,
	Typical:      3 * time.Minute,
	Limit:        time.Hour,
	Run:          powerCutAll,
}

const powerBack = 5 * time.Minute

func powerCutAll(ctx context.Context, t *check.T) error {
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	t.Step("cut the power of the device and of its router, and give it back: the router takes 80 s to start")
	if err := t.Device.Cut(ctx); err != nil {
		return err
	}
	c := comeback{after: "a power cut of the whole house", since: "the return of the power", within: powerBack, first: t.Log.Len()}
	start := t.Clock.Now()
	if err := t.Device.Start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", t.Device.Part.Name, err)
	}
	if err := restartRouter(ctx, t, 60*time.Second); err != nil {
		return err
	}
	if _, err := c.await(ctx, t, start); err != nil {
		return err
	}
	t.Find(judgeComeback(c)...)
	return nil
}
