package load

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// KeepAliveHerd has all devices connect in one second and then only ping, in step.
var KeepAliveHerd = &check.Check{
	ID:    "load.keep-alive-herd",
	Title: "Answers the pings of all devices that come in step",
	Why: "After an outage all devices connect in the same second, and from then on all their pings fall into the same second too. What a " +
		"broker can't answer then looks to the device like a dead connection, and the herd comes once more.",
	Pass:         "devices that all connected within a second and then only ping, every 20 s, stay connected over two keep-alives, and every ping is answered",
	Fix:          "make room for all pings in one second; have devices begin their keep-alive at a random point",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Incidents:    []string{"INC-039"},
	Sources:      []string{"MQTT 3.1.1 and 5.0 section 3.12.4 [MQTT-3.12.4-1]: the server must answer a PINGREQ"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      65 * time.Second,
	Limit:        time.Hour,
	Run:          keepAliveHerd,
}

const inStep = 20 * time.Second // keep-alive

func keepAliveHerd(ctx context.Context, t *check.T) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	for i := range f.Classes {
		f.Classes[i].KeepAlive = product.Duration(inStep)
	}
	l := testbed.Load{Fleet: quiet(f), Shape: "provisioning-storm", For: 65 * time.Second, Blind: true}
	t.Step("connect %d devices at once, and have them ping every %s", f.Devices, inStep)
	r, err := played(ctx, t, "All devices ping in step", l, showsConnections)
	if err != nil {
		return err
	}
	found := judgeInStep(r)
	if up := atEnd(r); len(found) == 0 && up < f.Devices {
		return check.NotRun("see what load.connect-ramp finds", "%d of %d devices were connected", up, f.Devices)
	}
	t.Find(found...)
	return nil
}

func judgeInStep(r *series.Record) []check.Finding {
	n := r.Totals.Counts
	if n[series.Dropped] == 0 {
		return nil
	}
	return []check.Finding{{
		Title: "Loses devices that ping in step",
		Seen:  fmt.Sprintf("%d of %d connections ended while their devices only pinged%s", n[series.Dropped], n[series.Accepted], reasons(r)),
	}}
}
