package telemetry

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// PublishRate counts what the device publishes in a minute of normal use.
var PublishRate = &check.Check{
	ID:    "telemetry.publish-rate",
	Title: "Publishes no more than its budget",
	Why: "Brokers and mobile operators charge by the message and cut off who sends too many. " +
		"A device that reports every flicker of a sensor costs more than it earns, and empties its battery.",
	Pass: "in 60 s after its subscriptions it publishes at most the declared publish_budget of messages, repetitions not counted, " +
		"and at most 6 on the declared status topic",
	Fix:          "publish at a fixed pace or on real changes, and put a limit on both",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2i", "EN303645:5.9-3"},
	Rows:         []string{"mqtt.publish.rate"},
	Sources:      []string{"faucetsdn/udmi, test too_much_state: at most 6 state updates in 60 s", "the catalogue's hour is cut down to a minute"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"publish_budget"}},
	Impact:       check.Observes,
	Typical:      60 * time.Second,
	Limit:        10 * time.Minute,
	Run:          publishRate,
}

const (
	minute       = 60 * time.Second
	statusBudget = 6
)

func publishRate(ctx context.Context, t *check.T) error {
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	t.Step("look on for a minute")
	budget, status := t.Product.Declared.PublishBudget, ""
	if m := t.Device.Part.MQTT; m != nil {
		status = product.Fill(m.Status, t.Device.ID, 0, "")
	}
	mark := t.Log.Len()
	wait, cancel := t.Clock.Timeout(ctx, minute)
	defer cancel()
	counted := rate{}
	_, _ = t.Log.Await(wait, mark, func(e evidence.Event) bool { // the end of the minute decides too
		counted.add(e, status)
		return counted.all > budget || counted.status > statusBudget
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	counted.first, counted.last = mark, t.Log.Len()-1
	if counted.all == 0 {
		return check.NotRun("make it publish, for instance by a variant that measures more often", "it published nothing within a minute")
	}
	t.Measure("messages in a minute", float64(counted.all), "", fmt.Sprintf("<= %d", budget))
	t.Find(judgeRate(counted, budget)...)
	return nil
}

// rate is what was published.
type rate struct {
	all, status int
	first, last int
}

func (r *rate) add(e evidence.Event, status string) {
	p, ok := broker.Got(e, mqtt.PUBLISH)
	if !ok || p.Dup {
		return
	}
	r.all++
	if status != "" && p.Topic == status {
		r.status++
	}
}

func judgeRate(r rate, budget int) []check.Finding {
	var found []check.Finding
	evidence := check.Range(r.first, r.last, "the minute")
	if r.all > budget {
		found = append(found, check.Finding{
			Title:    "Publishes more than its budget",
			Expected: fmt.Sprintf("at most %d messages a minute, as declared", budget),
			Seen:     fmt.Sprintf("%d messages in less than a minute", r.all),
			Evidence: evidence,
		})
	}
	if r.status > statusBudget {
		found = append(found, check.Finding{
			Severity: check.Minor,
			Title:    "Reports its status too often",
			Expected: fmt.Sprintf("at most %d messages a minute on the status topic", statusBudget),
			Seen:     fmt.Sprintf("%d messages in less than a minute", r.status),
			Evidence: evidence,
		})
	}
	return found
}
