package fault

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// TenancyAcrossDeploy restarts the cloud under a fleet and looks for one customer's messages at another's devices.
var TenancyAcrossDeploy = &check.Check{
	ID:    "fault.tenancy-across-deploy",
	Title: "Sends nobody another customer's messages after it was restarted under the fleet",
	Why: "A new version is rolled out while all customers are connected. What was kept in memory is gone, and what takes its place " +
		"is sometimes somebody else's: people were logged into strangers' accounts by a server update.",
	Pass: "while the cloud is restarted under up to 40 connected devices, and commands and answers run, no message of one tenant reaches a device of another",
	Fix:  "never take who a client is from what outlived the restart without proving it again",

	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2d", "CRA:I.2e"},
	Incidents:    []string{"INC-041", "INC-043"},
	Rows:         []string{"fault.tenancy.across_deploy"},
	Sources:      []string{"the incidents that it names"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT, Can: []product.Capability{product.Restart}},
	Impact:       check.Restarts,
	Typical:      30 * time.Second,
	Limit:        5 * time.Minute,
	Run:          tenancyAcrossDeploy,
}

func tenancyAcrossDeploy(ctx context.Context, t *check.T) error {
	f, err := tenants(ctx, t)
	if err != nil {
		return err
	}
	span := check.Span(f, 16*time.Second)
	first := t.Log.Len()
	t.Step("%d devices of %d tenants, with commands every second, for %s; half-way the cloud is restarted", f.Devices, f.Tenants, span)
	beside, end := context.WithCancel(ctx)
	defer end()
	restarted := make(chan error, 1)
	go func() {
		err := t.Clock.Sleep(beside, span/2)
		if err == nil {
			err = t.Cloud.Restart(beside)
		}
		restarted <- err
	}()
	r, err := t.Play(ctx, testbed.Load{Fleet: f, For: span, Within: 5 * time.Second})
	if err != nil {
		end()
	}
	if broken := <-restarted; err == nil && broken != nil {
		err = check.Refuses(broken)
	}
	if err != nil {
		return err
	}
	if err := commanded(r); err != nil {
		return err
	}
	t.Find(judgeTenancy(*r.Messages, "after a restart", first, t.Log.Len()-1)...)
	if n := r.Totals.Counts; n[series.Accepted] <= uint64(f.Devices) {
		return check.NotRun("see that the cloud accepts connections again within seconds of a restart", "no device was accepted after the restart: %d were before", n[series.Accepted])
	}
	return nil
}
