package load

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// ProvisioningStorm has devices that come new ask for their identities all at once, and ask again as if the answers had been lost.
var ProvisioningStorm = &check.Check{
	ID:    "load.provisioning-storm",
	Title: "Gives each of many new devices one identity, and takes it",
	Why: "A batch is switched on in one factory hall or at one morning of sales, and each device asks until it has an answer. Two devices with " +
		"one identity throw each other out for the rest of their lives, and one that nobody takes goes back to the shop.",
	Pass: "of as many new devices as the fleet has, which begin within a second and make their calls twice, no two are given the same identity (blocker), " +
		"none is given another id or user name the second time (a refusal is in order), and all are connected within 120 s or three times as long as the " +
		"fleet needs at its connect_rate (blocker)",
	Fix: "choose the identity in one transaction with a unique key on the serial number, and answer a device that asks again with the identity that it has; " +
		"commit the account before the answer",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.1-1"},
	Incidents:    []string{"INC-039"},
	Sources:      []string{"RFC 9110 section 9.2.2: a client may not know whether a request took effect, and sends it again", "the times are ours"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      25 * time.Second,
	Limit:        10 * time.Hour,
	Run:          provisioningStorm,
}

// newcomers is how devices that came new fared.
type newcomers struct {
	devices, connected int // in the end
	doubled, renamed   uint64
	why                string // what stood in the way of attempts
}

func provisioningStorm(ctx context.Context, t *check.T) error {
	f, err := t.Newcomers(ctx)
	if err != nil {
		return err
	}
	l := testbed.Load{
		Fleet: quiet(f), Shape: "provisioning-storm", For: span(f, 20*time.Second, 0.33), Drain: time.Second, Blind: true, Again: repeatable(f),
	}
	if t.Clock.Device(time.Second) == time.Second { // a real one gets all the time that it may take
		l.For = max(l.For, 2*time.Minute)
	}
	t.Step("%d new devices ask for their identities at once", f.Devices)
	r, err := t.Play(ctx, l)
	if err != nil {
		return err
	}
	if r.Totals.Counts[series.Accepted] == 0 {
		return check.NotRun("see that the calls under provision: are right, that the devices have not been provisioned before, and that api: says where the cloud takes calls",
			"no new device was provisioned and accepted%s", reasons(r))
	}
	if err := loaded(t, "New devices come all at once", l, r, showsConnections); err != nil {
		return err
	}
	n := r.Totals.Counts
	g := newcomers{devices: f.Devices, connected: atEnd(r), doubled: n[series.Doubled], renamed: n[series.Renamed], why: reasons(r)}
	t.Measure("new devices connected", float64(g.connected), "", fmt.Sprintf(">= %d", g.devices))
	t.Find(judgeNewcomers(g)...)
	return nil
}

// repeatable reports whether a device that makes its calls again says the same: it is the same device then.
func repeatable(f *product.Fleet) bool {
	for i := range f.Classes {
		for _, c := range f.Classes[i].Provision {
			for _, text := range append(slices.Collect(maps.Values(c.Headers)), c.URL, c.Body) {
				for _, word := range []string{"{time", "{millis", "{random"} {
					if strings.Contains(text, word) {
						return false
					}
				}
			}
		}
	}
	return true
}

func judgeNewcomers(g newcomers) []check.Finding {
	var found []check.Finding
	add := func(severity check.Severity, title, seen string, args ...any) {
		found = append(found, check.Finding{Severity: severity, Title: title, Seen: fmt.Sprintf(seen, args...)})
	}
	if g.doubled > 0 {
		add(check.Blocker, "Gives several new devices the same identity", "%d of %d devices were given an identity that another had got before", g.doubled, g.devices)
	}
	if g.renamed > 0 {
		add(check.Major, "Gives a device a second identity when it asks again",
			"%d of %d devices that made the same calls twice were given another id or user name the second time", g.renamed, g.devices)
	}
	if g.connected < g.devices && g.doubled == 0 { // else they throw each other out
		add(check.Blocker, "Leaves new devices out", "%d of %d devices were provisioned and connected in the end%s", g.connected, g.devices, g.why)
	}
	return found
}
