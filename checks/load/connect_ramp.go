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

// ConnectRamp connects the whole fleet, one device after the other.
var ConnectRamp = &check.Check{
	ID:    "load.connect-ramp",
	Title: "Takes the whole fleet in",
	Why: "A limit on connections, open files or memory is found by the device that is one too many, which is somebody's. " +
		"Such limits are set once, for a fleet that was smaller.",
	Pass:         "all devices of the declared fleet, connecting evenly one after the other, are accepted at the first try and are connected together in the end",
	Fix:          "raise the limit that was met (connections, open files, memory, licence), and watch it",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h"},
	Incidents:    []string{"INC-039"},
	Sources:      []string{"the size of the fleet is the maker's"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        10 * time.Hour,
	Run:          connectRamp,
}

func connectRamp(ctx context.Context, t *check.T) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	l := testbed.Load{Fleet: quiet(f), Shape: "ramp", For: span(f, 20*time.Second, 0.8), Blind: true}
	t.Step("connect %d devices within %s", f.Devices, l.For*4/5)
	r, err := played(ctx, t, "The fleet connects", l, showsConnections)
	if err != nil {
		return err
	}
	t.Measure("devices connected", float64(atEnd(r)), "", fmt.Sprintf(">= %d", f.Devices))
	t.Find(judgeRamp(r, f.Devices)...)
	return nil
}

func judgeRamp(r *series.Record, devices int) []check.Finding {
	if harmed := judgeHarm("Does not take every device in at its first try", r); harmed != nil {
		harmed[0].Seen = fmt.Sprintf("%d of %d devices were connected in the end; %s", atEnd(r), devices, harmed[0].Seen)
		return harmed
	}
	if up := atEnd(r); up < devices {
		return []check.Finding{{Title: "Keeps devices waiting that connect", Seen: fmt.Sprintf("%d of %d devices were connected in the end", up, devices)}}
	}
	return nil
}
