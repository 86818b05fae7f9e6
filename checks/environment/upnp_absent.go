package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/upnp"
)

// searchesPerMinute is how often a device may search for a router that does not answer. A search is sent up to three times, for up to
// three sorts of device.
const searchesPerMinute = 30

// UpnpAbsent has no router answer that opens ports.
var UpnpAbsent = &check.Check{
	ID:    "environment.upnp-absent",
	Title: "Works without a router that opens ports",
	Why: "Most routers come with UPnP switched off. " +
		"A device that waits for it is dead in most homes, and one that goes on searching fills the air.",
	Pass:         "with the way from outside switched on and no answer to its searches, the device carries commands out after 60 s, has not crashed, and sends at most 30 searches in these 60 s",
	Fix:          "treat UPnP as an extra: search in the background, give up after some seconds, and try again after minutes",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1"},
	Rows:         []string{"net.upnp"},
	Sources:      []string{"UPnP Device Architecture 1.1, section 1.3.2 (repetition of searches)", "limit of 30 searches a minute: a proposal"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"upnp"}, World: true},
	Impact:       check.Disturbs,
	Typical:      70 * time.Second,
	Limit:        15 * time.Minute,
	Run:          upnpAbsent,
}

func upnpAbsent(ctx context.Context, t *check.T) error {
	p, err := withGateway(ctx, t, upnp.Behaviour{Absent: true})
	if err != nil {
		return err
	}
	mark := t.Log.Len()
	if err := p.turn(ctx, true); err != nil {
		return err
	}
	t.Step("look on for 60 s while no router answers")
	if err := t.Clock.Sleep(ctx, time.Minute); err != nil {
		return err
	}
	events := t.Log.Since(mark)
	if err := p.unharmed(ctx, mark, "while no router opens ports"); err != nil {
		return err
	}
	n := searches(events)
	if n == 0 {
		events = t.Log.Since(0) // it may have searched when it was switched on
		if n = searches(events); n == 0 {
			return check.NotRun("see that upnp.on makes it search for a router", "it did not search for a router")
		}
	}
	t.Measure("searches in 60 s", float64(n), "", fmt.Sprintf("<= %d", searchesPerMinute))
	t.Find(judgeSearches(n, events)...)
	return nil
}

func judgeSearches(n int, events []evidence.Event) []check.Finding {
	if n <= searchesPerMinute {
		return nil
	}
	f := check.Finding{
		Title:    "Searches for a router without pause",
		Expected: fmt.Sprintf("at most %d searches in 60 s", searchesPerMinute),
		Seen:     fmt.Sprintf("%d searches", n),
	}
	if len(events) > 0 {
		f.Evidence = check.Range(events[0].N, events[len(events)-1].N, "the searches")
	}
	return []check.Finding{f}
}
