package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/mdns"
)

const (
	settleFor = 15 * time.Second // announcements of the start may take so long
	idleFor   = 90 * time.Second
)

// MdnsNoperiodic looks on at a device with which nothing happens.
var MdnsNoperiodic = &check.Check{
	ID:    "environment.mdns-noperiodic",
	Title: "Does not announce itself again and again",
	Why: "Every announcement wakes every phone, speaker and battery-powered device of the house, and is sent at the slowest rate of the Wi-Fi. " +
		"Fifty devices that do so every few seconds fill the air.",
	Pass:         "at most one announcement that nobody asked for in 90 s in which nothing happens, beginning 15 s after the first announcement",
	Fix:          "announce when the device joins and when something changes; others ask again when what they know gets old",
	Severity:     check.Minor,
	Incidents:    []string{"INC-023"},
	Requirements: []string{"CRA:I.2h"},
	Rows:         []string{"net.mdns.noperiodic"},
	Sources:      []string{"RFC 6762, section 8.3: no regular announcements", "github.com/mongoose-os-apps/shelly-homekit issue 108"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"service"}, World: true},
	Impact:       check.Observes,
	Typical:      115 * time.Second,
	Limit:        15 * time.Minute,
	Run:          mdnsNoperiodic,
}

func mdnsNoperiodic(ctx context.Context, t *check.T) error {
	if _, _, _, err := atHome(ctx, t); err != nil {
		return err
	}
	if err := t.Clock.Sleep(ctx, settleFor); err != nil {
		return err
	}
	t.Step("look on for %s in which nothing happens", idleFor)
	mark := t.Log.Len()
	if err := t.Clock.Sleep(ctx, idleFor); err != nil {
		return err
	}
	var idle []said
	for _, s := range saidIn(t.Log.Since(mark)) {
		if s.Sort == mdns.Announcement {
			idle = append(idle, s)
		}
	}
	t.Measure("announcements in 90 s without a reason", float64(len(idle)), "", "<= 1")
	t.Find(judgeIdle(idle)...)
	return nil
}

func judgeIdle(idle []said) []check.Finding {
	if len(idle) <= 1 {
		return nil
	}
	gap := idle[len(idle)-1].at.Sub(idle[0].at) / time.Duration(len(idle)-1)
	return []check.Finding{{
		Title:    "Announces itself again and again",
		Expected: "at most one announcement without a reason in 90 s",
		Seen:     fmt.Sprintf("%d announcements, one every %.0f s", len(idle), gap.Seconds()),
		Evidence: check.Range(idle[0].n, idle[len(idle)-1].n, "the announcements"),
	}}
}
