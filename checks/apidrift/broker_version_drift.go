package apidrift

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/scenario"
)

// BrokerVersionDrift plays the same scenarios on two variants of the cloud.
var BrokerVersionDrift = &check.Check{
	ID:    "apidrift.broker-version-drift",
	Title: "Answers as the other versions of the cloud do",
	Why: "Devices stay in the field for ten years and the broker is updated every month. " +
		"What an update changes breaks devices that nobody can update.",
	Pass:         "no scenario that holds on the first variant breaks on another, over the same scenarios of MQTT 3.1.1 or 5.0",
	Fix:          "read the release notes for the statement in the finding; keep the old behaviour by configuration, or stay on the old version",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.3-3"},
	Incidents:    []string{"INC-066", "INC-067"},
	Rows:         []string{"broker.version-drift"},
	Sources:      []string{"eclipse/paho.mqtt.testing (same scenarios)", "measured: NATS 2.9.10 and 2.15.2 differ in client ids with a blank"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      4 * time.Minute,
	Limit:        20 * time.Minute,
	Run:          brokerVersionDrift,
}

// drift is a scenario on two variants.
type drift struct {
	before, after scenario.Verdict
}

func brokerVersionDrift(ctx context.Context, t *check.T) error {
	all := t.Product.Variants
	if len(all) < 2 {
		return check.NotApplicable("the product file names one variant only")
	}
	if t.Variant.Name != all[0].Name {
		return check.NotApplicable("it is compared with the others on the first variant, %s", all[0].Name)
	}
	if t.Cloud.Part.Address != "" {
		return check.NotApplicable("the cloud is at one address for all variants")
	}
	room, err := t.Room(ctx, 2)
	if err != nil {
		return err
	}
	for _, v := range all[1:] {
		other, err := t.Cloud.Other(v)
		if err != nil {
			return err
		}
		if err := other.Start(ctx); err != nil {
			return check.Refuses(err)
		}
		next, ok := other.Room(2)
		if !ok {
			return check.NotRun("list the same identities for all variants", "the cloud of %s has no room for two clients", v.Name)
		}
		if err := compare(ctx, t, room, next, v.Name); err != nil {
			return err
		}
	}
	return nil
}

// compare plays the scenarios on both.
func compare(ctx context.Context, t *check.T, room, next testbed.Room, name string) error {
	list := scenario.Of(room.Version)
	t.Step("play the scenarios on %s", t.Variant.Name)
	before, err := scenario.Play(ctx, room.Stage(room.Version), list)
	if err != nil {
		return err
	}
	t.Step("play the scenarios on %s", name)
	after, err := scenario.Play(ctx, next.Stage(room.Version), list)
	if err != nil {
		return err
	}
	var drifts []drift
	for i := range before {
		if before[i].Outcome != after[i].Outcome {
			drifts = append(drifts, drift{before[i], after[i]})
			t.Record("%s: %s on %s, %s on %s", before[i].Name, before[i].Outcome, t.Variant.Name, after[i].Outcome, name)
		}
	}
	t.Find(judgeDrift(drifts, room.Version, t.Variant.Name, name)...)
	return nil
}

func judgeDrift(drifts []drift, v mqtt.Version, one, other string) []check.Finding {
	var found []check.Finding
	for _, d := range drifts {
		well, badly := one, other
		if d.before.Outcome == scenario.Broke {
			d.before, d.after = d.after, d.before
			well, badly = other, one
		}
		if d.after.Outcome != scenario.Broke {
			continue
		}
		found = append(found, check.Finding{
			Title:    fmt.Sprintf("Differs between versions in the scenario %s of MQTT %s", d.after.Name, v),
			Expected: "the same on both, as devices in the field meet both",
			Seen:     fmt.Sprintf("%s on %s; on %s: %s", d.before.Outcome, well, badly, d.after.Why),
			Evidence: check.Range(d.after.First, d.after.Last, "the scenario on "+badly),
		})
	}
	return found
}
