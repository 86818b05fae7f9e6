package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/broker"
)

const (
	boots     = 3               // how often RetainedCommand starts the device
	watchBoot = 5 * time.Second // how long it looks on after each
)

// RetainedCommand starts a device while a retained command waits for it.
var RetainedCommand = &check.Check{
	ID:    "fault.retained-command",
	Title: "Carries out a retained command once, not at every start",
	Why: "A command that an app or a script sent with the retain flag comes again at every start. " +
		"A door opens after every power cut; a reboot command becomes a loop that nothing but a cable ends.",
	Pass:         "with a retained command waiting over 3 starts, sessions lost in between, the command is carried out at most once (major), and each start leads to one connection that lasts 5 s (blocker)",
	Fix:          "give commands an id and remember the last ones in flash, or pass over messages with the retain flag on command topics",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2f", "CRA:I.2h"},
	Incidents:    []string{"INC-044"},
	Rows:         []string{"mqtt.retained.command"},
	Sources:      []string{"MQTT-3.3.1-6 (3.1.1)", "MQTT-3.3.1-9 (5.0)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Can: []product.Capability{product.Restart}, Declares: []string{"command"}},
	Impact:       check.Restarts,
	Typical:      30 * time.Second,
	Limit:        15 * time.Minute,
	Run:          retainedCommand,
}

func retainedCommand(ctx context.Context, t *check.T) error {
	if t.Device.Part.MQTT.Command.Effect.Repeats {
		return check.NotRun("declare an effect that shows once per execution", "the declared effect of the command cannot tell once from twice")
	}
	c := t.Device.Command()
	t.Broker.Publish(broker.Message{Topic: c.Topic, Payload: c.Payload, QoS: 1, Retain: true})
	var all []started
	for n := range boots {
		t.Step("start the device, time %d of %d, with a retained command on %s", n+1, boots, c.Topic)
		b, id, err := startOnce(ctx, t, c)
		if err != nil {
			return err
		}
		all = append(all, b)
		if n < boots-1 {
			if err := t.Device.Stop(ctx); err != nil {
				return err
			}
			t.Broker.Forget(id)
		}
	}
	t.Find(judgeRetainedCommand(all)...)
	return nil
}

// started is what was seen of one start.
type started struct {
	effects     int // of the command
	connections int // that were accepted
	exits       int // of the process by itself
	first, last int
}

// startOnce starts the device and looks on, and returns the client id that it came with.
func startOnce(ctx context.Context, t *check.T, c testbed.Command) (b started, id string, err error) {
	b.first = t.Log.Len()
	s, err := t.Online(ctx)
	if err != nil {
		return b, "", err
	}
	if _, err := check.Subscriptions(s); err != nil {
		return b, "", err
	}
	if err := t.Clock.Sleep(ctx, max(watchBoot, t.Clock.Device(250*time.Millisecond))); err != nil {
		return b, "", err
	}
	events := t.Log.Since(b.first)
	b.last = b.first + len(events) - 1
	b.effects = c.Count(events)
	for _, a := range testbed.Attempts(events) {
		if !a.Accepted.IsZero() {
			b.connections++
		}
	}
	for _, e := range events {
		if e.Kind == evidence.Exit && e.Part == t.Device.Part.Name {
			b.exits++
		}
	}
	return b, s.Conn.ClientID(), nil
}

func judgeRetainedCommand(all []started) []check.Finding {
	var found []check.Finding
	effects := 0
	first, last := all[0].first, all[len(all)-1].last
	for n, b := range all {
		effects += b.effects
		if b.exits > 0 || b.connections > 1 {
			found = append(found, check.Finding{
				Severity: check.Blocker,
				Title:    "Does not get past a retained command",
				Expected: fmt.Sprintf("one connection after start %d that lasts", n+1),
				Seen:     fmt.Sprintf("%d connections and %d unexpected ends of its process", b.connections, b.exits),
				Evidence: check.Range(b.first, b.last, "the start"),
			})
			break
		}
	}
	if effects > 1 {
		found = append(found, check.Finding{
			Title:    "Carries out a retained command again when it starts",
			Expected: "at most one execution of one retained command",
			Seen:     fmt.Sprintf("%d executions over %d starts", effects, len(all)),
			Evidence: check.Range(first, last, "all starts"),
		})
	}
	return found
}
