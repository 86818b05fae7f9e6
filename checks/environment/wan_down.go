package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// WanDown takes the internet away from the home network for two minutes.
var WanDown = &check.Check{
	ID:    "environment.wan-down",
	Title: "Waits patiently while its home has no internet",
	Why: "When a provider fails, every home of a town is without internet for hours. " +
		"Devices that try again at once fill their router's tables and drain their batteries, and devices that give up have to be restarted by hand.",
	Pass:         "while the router tells it that there is no internet it begins at most 20 connections a minute, and it is online within twice its reconnect cap and 10 s of the internet's return",
	Fix:          "count a network that cannot be reached as any other failed attempt: wait longer each time, with chance, up to a cap",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "CRA:I.2i", "EN303645:5.9-1", "EN303645:5.9-3"},
	Incidents:    []string{"INC-034"},
	Rows:         []string{"net.wan-down"},
	Sources:      []string{"AWS IoT Device Advisor: MQTT Long Duration"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      3 * time.Minute,
	Limit:        2 * time.Hour,
	Run:          wanDown,
}

const (
	wanDownFor  = 2 * time.Minute
	wanDownMost = 20 // connections a minute
)

func wanDown(ctx context.Context, t *check.T) error {
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	w := besieged{over: wanDownFor, first: t.Log.Len()}
	t.Step("take the internet away for two minutes; the home network works on")
	sent := t.Watch()
	t.Link.Cut(true)
	heal := t.Impair(t.World.Home().Router.CutOff())
	if err := t.Clock.Sleep(ctx, wanDownFor); err != nil {
		return err
	}
	ports := map[uint16]bool{}
	for _, s := range sent.Sent(true, t.CloudAt().Port()) {
		ports[s.From.Port()] = true
	}
	w.attempts, w.last = len(ports), t.Log.Len()-1
	t.Measure("connections begun without internet", float64(w.attempts)/wanDownFor.Minutes(), "1/min", fmt.Sprintf("<= %d", wanDownMost))
	c := comeback{after: "an outage of the internet", since: "its return", within: 2*t.Device.Cap() + 10*time.Second, first: t.Log.Len()}
	start := t.Clock.Now()
	heal()
	if _, err := c.await(ctx, t, start); err != nil {
		return err
	}
	t.Find(append(judgeBesieged(w), judgeComeback(c)...)...)
	return nil
}

// besieged is how often a device tried in vain.
type besieged struct {
	attempts    int
	over        time.Duration
	first, last int
}

func judgeBesieged(b besieged) []check.Finding {
	if float64(b.attempts) <= wanDownMost*b.over.Minutes() {
		return nil
	}
	return []check.Finding{{
		Title:    "Tries again and again at once while there is no internet",
		Expected: fmt.Sprintf("at most %d connections a minute", wanDownMost),
		Seen:     fmt.Sprintf("%d in %.0f minutes", b.attempts, b.over.Minutes()),
		Evidence: check.Range(b.first, b.last, "two minutes without internet"),
	}}
}
