package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/count"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// TenancyUnderReconnect cuts a whole fleet off and looks for one customer's messages at another's devices.
var TenancyUnderReconnect = &check.Check{
	ID:    "fault.tenancy-under-reconnect",
	Title: "Sends nobody another customer's messages when the whole fleet reconnects",
	Why: "At the reconnect after an outage caches are cold, keys are made anew, and sessions are handed over in haste. " +
		"Thousands of customers have seen the camera of somebody else for that.",
	Pass: "while up to 40 devices are cut off and return, and commands and answers run, no message of one tenant reaches a device of another",
	Fix:  "put the tenant into every cache key and check it again where a message leaves the backend",

	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2d", "CRA:I.2e"},
	Incidents:    []string{"INC-039", "INC-040"},
	Rows:         []string{"fault.tenancy.under_reconnect"},
	Sources:      []string{"the incidents that it names"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        5 * time.Minute,
	Run:          tenancyUnderReconnect,
}

func tenancyUnderReconnect(ctx context.Context, t *check.T) error {
	f, err := tenants(ctx, t)
	if err != nil {
		return err
	}
	span := check.Span(f, 12*time.Second)
	first := t.Log.Len()
	t.Step("%d devices of %d tenants, with commands every second, for %s; half-way all connections are cut", f.Devices, f.Tenants, span)
	r, err := t.Count(ctx, testbed.Load{Fleet: f, Shape: "reconnect-storm", For: span})
	if err != nil {
		return err
	}
	if err := commanded(r); err != nil {
		return err
	}
	t.Find(judgeTenancy(*r.Messages, "when the fleet reconnects", first, t.Log.Len()-1)...)
	if o := r.Outages[0]; o.Away > 0 {
		return check.NotRun("see what load.reconnect-herd finds", "%d of %d devices did not come back", o.Away, o.Devices)
	}
	return nil
}

// tenants is a small fleet of several tenants whose devices get commands.
func tenants(ctx context.Context, t *check.T) (*product.Fleet, error) {
	f, err := t.Few(ctx, 40, 1, time.Second)
	if err != nil {
		return nil, err
	}
	orders := 0
	for _, c := range f.Classes {
		if len(c.Commands) > 0 && len(c.Subscribe) > 0 {
			orders++
		}
	}
	if orders == 0 || f.Tenants < 2 {
		return nil, check.NotRun("describe under fleet: what the devices subscribe to, commands that they get, and at least two tenants",
			"the fleet has %d tenants, and %d classes that get commands", f.Tenants, orders)
	}
	return f, nil
}

// commanded says why nothing can be learned of a course in which no device got a command.
func commanded(r *series.Record) error {
	if l, _ := r.Latency(series.Command); l.Count == 0 {
		return check.NotRun("see that the operator of the fleet may publish the commands, and the devices may subscribe to them", "no command arrived at any device")
	}
	return nil
}

func judgeTenancy(m count.Totals, when string, first, last int) []check.Finding {
	if m.Leaked == 0 {
		return nil
	}
	return []check.Finding{{
		Title:    "Sends messages of one customer to another's devices " + when,
		Expected: "every message reaches its own tenant only",
		Seen:     fmt.Sprintf("%d messages came to devices of another tenant%s; %d messages arrived where they belong", m.Leaked, check.Such(m, "leaked"), m.Arrived),
		Evidence: check.Range(first, last, when),
	}}
}
