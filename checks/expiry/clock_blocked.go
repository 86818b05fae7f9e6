package expiry

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// mostHellos is how many TLS connections a device may try within a minute.
const mostHellos = 20

// ClockBlocked has the network swallow all requests for the time, as many company networks do.
var ClockBlocked = &check.Check{
	ID:    "expiry.clock-blocked",
	Title: "Has patience where the time cannot be asked for",
	Why: "Company networks block UDP port 123. Devices that cannot do without it try TLS in a loop there, with a certificate that is not valid yet by their clock, " +
		"and are still offline when the port is opened.",
	Pass: "while what it sends to UDP port 123 is swallowed for 75 s after power-on, at most 20 ClientHellos within any 60 s; afterwards it asks for the time within 4 min, if it is not online by then, " +
		"and has an accepted connection within twice the reconnect cap, connect_within and 10 s of the reply",
	Fix:          "start from the last time that was known, or the build date, and wait with the back-off of all other failed connections; consider the Date header of HTTPS as a second source",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "CRA:I.2i", "EN303645:5.9-3"},
	Incidents:    []string{"INC-085"},
	Rows:         []string{"clock.no-ntp-30min"},
	Sources:      []string{"github.com/arendst/Tasmota pull 9757", "github.com/WildernessLabs/Meadow_Issues issue 714"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS, World: true},
	Impact:       check.Restarts,
	Typical:      150 * time.Second,
	Limit:        time.Hour,
	Run:          clockBlocked,
}

func clockBlocked(ctx context.Context, t *check.T) error {
	heal := t.Impair(t.Block("UDP to port 123", func(s testbed.Sent) bool { return !s.TCP && s.To.Port() == 123 }))
	t.Step("power it on where UDP port 123 is blocked")
	if err := t.Device.Start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", t.Device.Part.Name, err)
	}
	if err := t.Clock.Sleep(ctx, 75*time.Second); err != nil {
		return err
	}
	var hellos []time.Time
	for _, e := range t.Log.Since(0) {
		if e.Kind == evidence.Hello {
			hellos = append(hellos, e.At)
		}
	}
	l := timeless{hellos: densest(hellos, time.Minute)}
	t.Measure("ClientHellos within 60 s", float64(l.hellos), "attempts", fmt.Sprintf("<= %d", mostHellos))
	if err := l.timeCome(ctx, t, 0, heal); err != nil {
		return err
	}
	t.Find(judgeTimeless(l)...)
	return nil
}

// densest is how many of the times, which are in order, lie within one span at most.
func densest(times []time.Time, span time.Duration) (most int) {
	first := 0
	for i, at := range times {
		for at.Sub(times[first]) > span {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
